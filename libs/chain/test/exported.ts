import {
  EMPTY_CHAIN,
  endLine,
  type ExportedEntry,
  entryLine,
  entryText,
  headerLine,
  headLine,
  macOf,
  MerkleEdge,
  nextRow,
  type Signed,
  signEnd,
  type Signer,
  signerFromSeed,
  signHead,
  stateAfter,
  Summing,
  sumLine,
} from '#chain';

/** A ledger of a few entries and its export, for the tests of this lib. */

export const signer = signerFromSeed(Buffer.alloc(32, 7));
export const ledger = 'CA*BCT';

export function idOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** Every third entry has no private part, every fifth lost it. */
export function entriesOf(count: number, session = 'S'): ExportedEntry[] {
  let chain = EMPTY_CHAIN;
  return Array.from({ length: count }, (_, k) => {
    const n = k + 1;
    const salt = Buffer.alloc(32, n);
    const body = n % 4 === 0 ? `{ "uid": "Karte ${n} \ufffd",\n "größe": 1 }` : JSON.stringify({ uid: `CARD-${n}` });
    const text = entryText(
      { id: idOf(n), stream: `cdr-s-${n}`, version: 1 },
      {
        type: 'CdrIssued',
        ledger,
        ...(n % 3 === 0 ? {} : { private: { id: idOf(n + 1_000), mac: macOf(salt, body) } }),
        ...{ cdr: { id: `${session}-${n}`, total: n, city: 'Montréal' } },
      },
    );
    const row = nextRow(chain, { position: BigInt(n * 2), id: idOf(n), data: text });
    chain = stateAfter(row);
    return {
      n,
      position: row.position,
      recordedAt: '2022-02-01T17:00:00Z',
      leaf: row.leaf,
      link: row.link,
      text,
      private:
        n % 3 === 0 || n % 5 === 0
          ? undefined
          : { contractKey: `ca-cpk-${n}`, tokenParty: 'CA*CPK', tokenKey: `card-${n}`, salt, text: body },
    };
  });
}

export interface Exporting {
  readonly signer?: Signer;
  /** After how many entries a head is signed, and after how many a sum is written. */
  readonly headEvery?: number;
  readonly sumEvery?: number;
  /** A head of the day before, when there was nothing yet. */
  readonly isSignedEmpty?: boolean;
}

/** The lines of an export, as the ledger writes them. */
export function exportOf(entries: readonly ExportedEntry[], options: Exporting = {}): string[] {
  const { signer: by = signer, headEvery = 4, sumEvery = 3, isSignedEmpty = false } = options;
  const header = headerLine({
    ledger,
    name: 'Energy OASIS',
    timeZone: 'America/Vancouver',
    tzdb: '2026f',
    keys: [by.publicKey],
    entries: entries.length,
    at: '2022-03-01T08:00:00Z',
  });
  const lines = [header];
  const summing = Summing.from(header);
  const tree = new MerkleEdge();
  const addHead = (of: Pick<ExportedEntry, 'n' | 'link'>) => {
    const head = headLine(headAt(of, tree, by));
    lines.push(head.line);
    summing.add(head.details);
  };
  if (isSignedEmpty) addHead({ n: 0, link: EMPTY_CHAIN.head });
  for (const entry of entries) {
    const { line, details } = entryLine(entry);
    lines.push(line);
    summing.add(details);
    tree.append(entry.leaf);
    if (entry.n % headEvery === 0) addHead(entry);
    if (entry.n % sumEvery === 0) lines.push(sumLine(summing.next()));
  }
  if (!summing.isSummed || entries.length === 0) lines.push(sumLine(summing.next()));
  const sum = summing.last;
  const link = Buffer.from(entries.at(-1)?.link ?? EMPTY_CHAIN.head).toString('hex');
  const end = { ledger, entries: entries.length, link, root: tree.root().toString('hex') };
  lines.push(endLine(signEnd({ ...end, sum: sum.toString('hex'), at: '2022-03-01T08:00:00Z' }, by)));
  return lines;
}

export function headAt({ n, link }: Pick<ExportedEntry, 'n' | 'link'>, tree: MerkleEdge, by: Signer = signer): Signed {
  const day = `2022-02-${String(n).padStart(2, '0')}`;
  const root = tree.root().toString('hex');
  return signHead(
    {
      ledger,
      day,
      since: day,
      timeZone: 'America/Vancouver',
      tzdb: '2026f',
      entries: n,
      link: Buffer.from(link).toString('hex'),
      root,
      at: `${day}T08:00:00Z`,
    },
    by,
  );
}

/** The bytes of lines, in pieces that end anywhere. */
export function* chunksOf(lines: readonly string[], size = 1_000): Generator<Uint8Array> {
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
