import { createHash, hash } from 'node:crypto';
import {
  EMPTY_CHAIN,
  endLine,
  type ExportedEntry,
  entryLine,
  entryText,
  headerLine,
  macOf,
  MerkleEdge,
  nextRow,
  signEnd,
  signerFromSeed,
  stateAfter,
  Summing,
  sumLine,
  verifyExport,
} from '../src/index.ts';

export interface VerifyRate {
  readonly name: string;
  /** Of stored texts: entries and private parts. */
  readonly megabytesPerSecond: number;
  readonly entriesPerSecond: number;
}

export const HASH_ALONE = 'node:crypto alone, each stored text';

/**
 * Verifying an export in memory, in turns with node:crypto's SHA-256 over the same stored texts, by
 * its usual `createHash` and by its quickest call. All in time of the processor, on one core: others
 * that work on the machine do not count.
 * `textBytes`: of an entry; a CDR of few periods with its tariff has about 3,000.
 */
export async function benchVerify({ seconds, entries = 20_000, textBytes = 3_000 }: {
  readonly seconds: number;
  readonly entries?: number;
  readonly textBytes?: number;
}): Promise<VerifyRate[]> {
  const { chunks, texts } = exported(entries, textBytes);
  const megabytes = texts.reduce((sum, text) => sum + text.length, 0) / 1e6;
  const spent = { usual: 0, quickest: 0, verify: 0, runs: 0 };
  const untilMs = performance.now() + seconds * 1000;
  const cpuMs = () => process.cpuUsage().user / 1000;
  do {
    // What createHash leaves behind is swept up by a pass that is not measured.
    await verifyExport(chunks);
    let fromMs = cpuMs();
    for (const text of texts) hash('sha256', text, 'hex');
    spent.quickest += cpuMs() - fromMs;
    fromMs = cpuMs();
    const { damage, entries: verified } = await verifyExport(chunks);
    spent.verify += cpuMs() - fromMs;
    fromMs = cpuMs();
    for (const text of texts) createHash('sha256').update(text).digest('hex');
    spent.usual += cpuMs() - fromMs;
    if (damage || verified !== entries) throw new Error(`the bench's own export does not verify: ${damage?.detail}`);
    spent.runs += 1;
  } while (performance.now() < untilMs);
  const rate = (name: string, ms: number): VerifyRate => ({
    name,
    megabytesPerSecond: (megabytes * spent.runs * 1000) / ms,
    entriesPerSecond: (entries * spent.runs * 1000) / ms,
  });
  return [
    rate(`${HASH_ALONE} by createHash`, spent.usual),
    rate(`${HASH_ALONE} by hash`, spent.quickest),
    rate('verify an export', spent.verify),
  ];
}

const CHUNK_BYTES = 1 << 20;

/** An export of so many entries in pieces of 1 MB, and its stored texts. */
export function exported(count: number, textBytes: number): { chunks: Uint8Array[]; texts: Buffer[] } {
  const texts: Buffer[] = [];
  const lines: string[] = [];
  for (const { line, stored } of exportLines(count, textBytes)) {
    lines.push(line);
    texts.push(...stored.map((text) => Buffer.from(text)));
  }
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const chunks = Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, n) =>
    bytes.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES));
  return { chunks, texts };
}

/** The lines of an export of so many entries, each with the texts that it stores. */
export function* exportLines(count: number, textBytes: number): Generator<{ line: string; stored: readonly string[] }> {
  const signer = signerFromSeed(Buffer.alloc(32, 1));
  const ledger = 'CA*BCT';
  const at = '2022-03-01T08:00:00Z';
  const header = headerLine({
    ledger, name: 'Bench', timeZone: 'America/Vancouver', tzdb: '2026f', keys: [signer.publicKey], entries: count, at,
  });
  yield { line: header, stored: [] };
  const summing = Summing.from(header);
  const tree = new MerkleEdge();
  let chain = EMPTY_CHAIN;
  for (let n = 1; n <= count; n += 1) {
    const entry = benchEntry(n, textBytes, chain);
    chain = stateAfter(nextRow(chain, { position: entry.position, id: '', data: entry.text }));
    const { line, details } = entryLine(entry);
    tree.append(entry.leaf);
    summing.add(details);
    yield { line, stored: [entry.text, entry.private!.text] };
    if (n % 150 === 0) yield { line: sumLine(summing.next()), stored: [] };
  }
  yield { line: sumLine(summing.next()), stored: [] };
  const end = { ledger, entries: count, link: hex(chain.head), root: hex(tree.root()), sum: hex(summing.last), at };
  yield { line: endLine(signEnd(end, signer)), stored: [] };
}

function benchEntry(n: number, textBytes: number, chain: typeof EMPTY_CHAIN): ExportedEntry {
  const id = (kind: number) => `0000000${kind}-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const salt = Buffer.alloc(32, n);
  const body = JSON.stringify({ cdr_token: { uid: `CARD-${n}`, contract_id: 'x'.repeat(300) } });
  const ledger = 'CA*BCT';
  const event = { type: 'CdrIssued', ledger, private: { id: id(2), mac: macOf(salt, body) } };
  const text = entryText({ id: id(1), stream: `cdr-s-${n}`, version: 1 }, { ...event, ...{ cdr: 'x'.repeat(textBytes - 330) } });
  const { position, leaf, link } = nextRow(chain, { position: BigInt(n), id: id(1), data: text });
  const found = { contractKey: 'ca-cpk-c00000002', tokenParty: 'CA*CPK', tokenKey: `card-${n}` };
  return { n, position, recordedAt: '2022-02-01T17:00:00.123Z', leaf, link, text, private: { ...found, salt, text: body } };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
