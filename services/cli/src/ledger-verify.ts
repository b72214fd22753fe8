import { readFileSync } from 'node:fs';
import {
  type ExportVerdict,
  InvalidKey,
  isReceipt,
  type PublicKey,
  readPublicKeys,
  verifyExport,
} from '#chain';
import { unreadable } from './documents.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';
import {
  type ExitStatus,
  type Given,
  optionOf,
  RefusedInput,
  type Verb,
  WrongUsage,
} from './verb.ts';
import { bytesOfFile, verifyFile } from './verify-file.ts';

export const PUBLIC_KEY_OPTION = {
  type: 'string',
  multiple: true,
  value: 'FILE',
  help: 'who may have signed: Ed25519 public keys, in PEM or as 43 characters a line',
} as const;

export const ledgerVerify: Verb = {
  usage: 'EXPORT.jsonl… [options]',
  about: `Verifies exports of a CDR ledger from their bytes alone: no database and no network are needed.
Every entry is hashed again and compared with the chain, every private part with its entry, every
signed head and the end with the public key, the chain and the Merkle tree. What was changed,
removed, reordered or put in is named: the first place of it, and what happened there.

Without --public-key the export is checked against the key that it names itself: that finds damage,
but not a ledger that somebody wrote and signed anew. The operator tells you the key.`,
  options: {
    'public-key': PUBLIC_KEY_OPTION,
    receipt: {
      type: 'string',
      value: 'PROOF.json',
      help: 'the proof of a receipt that must be of this ledger',
    },
    json: { type: 'boolean', help: 'one line of JSON for each export' },
  },
  examples: [
    [
      'npx roamwatt ledger verify ledger.jsonl --public-key operator.pub',
      'as a partner, or an auditor',
    ],
    [
      'npx roamwatt ledger verify ledger.jsonl --receipt proof.json --json',
      'with a receipt, for a program',
    ],
  ],
  async run(given, terminal) {
    if (given.files.length === 0)
      throw new WrongUsage('give the export: npx roamwatt ledger verify EXPORT.jsonl');
    const keys = publicKeysOf(given);
    const receiptFile = optionOf(given, 'receipt');
    const receipt = receiptFile === undefined ? undefined : readReceipt(receiptFile);
    const progress = new Progress(terminal, given);
    let status: ExitStatus = 0;
    for (const file of given.files) {
      const options = { ...(keys && { keys }), ...(receipt !== undefined && { receipt }) };
      const verdict =
        file === '-'
          ? await verifyExport(bytesOf(file, terminal, progress.read), options)
          : await readable(file, () => verifyFile(file, { ...options, onRead: progress.read }));
      if (verdict.damage) status = 1;
      progress.done();
      terminal.out.line(given.flags.has('json') ? jsonLine(file, verdict) : asText(file, verdict));
      await terminal.out.settle();
    }
    progress.end();
    return status;
  },
};

export function publicKeysOf({ options }: Given): PublicKey[] | undefined {
  const files = options['public-key'];
  return files?.flatMap((file) => {
    const text = textOf(file);
    try {
      return readPublicKeys(text);
    } catch (error) {
      if (error instanceof InvalidKey) throw new RefusedInput(`${file}: ${error.message}`);
      throw error;
    }
  });
}

function readReceipt(file: string): unknown {
  const text = textOf(file);
  let receipt: unknown;
  try {
    receipt = JSON.parse(text);
  } catch (error) {
    throw new RefusedInput(`${file}: is no JSON: ${(error as Error).message}`);
  }
  // Not the ledger's fault: nothing is said of that.
  if (isReceipt(receipt)) return receipt;
  throw new RefusedInput(`${file}: this is no receipt of a Roamwatt ledger. Give the proof as the portal answers it (…/proof).`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RefusedInput(`${file}: ${unreadable(error as NodeJS.ErrnoException)}.`);
  }
}

/** A file's bytes, or stdin's for `-`. Throws RefusedInput. */
export async function* bytesOf(
  file: string,
  { stdin }: Terminal,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  if (file !== '-') {
    const chunks = bytesOfFile(file, onRead)[Symbol.asyncIterator]();
    for (;;) {
      const next = await readable(file, () => chunks.next());
      if (next.done) return;
      yield next.value;
    }
  }
  for await (const chunk of stdin) {
    yield chunk;
    onRead(chunk.length);
  }
}

async function readable<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new RefusedInput(`${file}: ${unreadable(error as NodeJS.ErrnoException)}.`);
  }
}

function jsonLine(file: string, verdict: ExportVerdict): string {
  const { damage, newestDay, keysFrom, ...rest } = verdict;
  return JSON.stringify({
    source: file,
    intact: damage === undefined,
    ...(damage && { problem: damage }),
    ...rest,
    ...(newestDay !== undefined && { newest_day: newestDay }),
    keys_from: keysFrom === 'caller' ? 'public-key' : 'export',
  });
}

const WANTED = 'Give what the portal answers to GET /v1/operator/ledger/export, as it came.';

function asText(file: string, verdict: ExportVerdict): string {
  const { damage } = verdict;
  if (damage) {
    const advice = damage.kind === 'not-an-export' ? `. ${WANTED}` : '';
    return `${file}: NOT INTACT\n  ${damage.at}: ${damage.kind}: ${damage.detail}${advice}`;
  }
  return `${file}: intact\n${summaryOf(verdict)}`;
}

export function summaryOf(verdict: ExportVerdict): string {
  const { ledger, entries, erased, heads, newestDay, link, root, keys, keysFrom } = verdict;
  const of = erased > 0 ? `, of ${erased} of them the private part is erased` : '';
  const signed =
    newestDay === undefined
      ? 'no day is signed yet'
      : `${heads} signed ${heads === 1 ? 'head' : 'heads'}, the last for ${newestDay}`;
  const key =
    keysFrom === 'caller'
      ? 'signed by a key that you gave'
      : `signed by ${keys.join(', ')}, as the export says itself: compare it with the operator's key`;
  return [
    `  ledger ${ledger}: ${entries.toLocaleString('en')} ${entries === 1 ? 'entry' : 'entries'}${of}; ${signed}`,
    `  ${key}`,
    `  link ${link}`,
    `  root ${root}`,
  ].join('\n');
}
