import { expect, test } from 'vitest';
import { EMPTY_CHAIN, nextRow, stateAfter } from './chain.ts';
import { entryText } from './entry.ts';
import { leafOf, macOf } from './hashes.ts';
import { type Signed, signHead } from './head.ts';
import { signerFromSeed } from './keys.ts';
import { type KeptNode, MerkleEdge } from './merkle.ts';
import { type LedgerRow, type StoredEntry, verifyLog } from './verify-log.ts';

const ledger = 'CA*BCT';
const signer = signerFromSeed(Buffer.alloc(32, 7));

/** The n-th event of a log: a CDR of a session of its own. */
function entry(n: number): StoredEntry {
  const id = `00000000-0000-4000-8000-00000000000${n}`;
  const stream = `cdr-s-${n}`;
  const salt = Buffer.alloc(32, n);
  const text = JSON.stringify({ uid: `CARD-${n}` });
  const event = { type: 'CdrIssued', ledger, private: { id, mac: macOf(salt, text) }, cost: { excl_vat: 2.94 } };
  return {
    position: BigInt(n),
    id,
    data: entryText({ id, stream, version: 1 }, event),
    stream,
    version: 1,
    type: event.type,
    private: { salt, text },
  };
}

const log = [1, 2, 3, 4].map(entry);
const [a, b, c, d] = log as [StoredEntry, StoredEntry, StoredEntry, StoredEntry];
const forged = { ...entry(5), position: 2n };
const intact = chained(log);

function chained(entries: readonly StoredEntry[]): LedgerRow[] {
  let chain = EMPTY_CHAIN;
  return entries.map((next) => {
    const row = { ledger, ...nextRow(chain, next) };
    chain = stateAfter(row);
    return row;
  });
}

/** In the order of the log's places: as a log reads whose other entries were moved up or down. */
function inPlaces(...entries: readonly StoredEntry[]): StoredEntry[] {
  return entries.map((next, n) => ({ ...next, position: BigInt(n + 1) }));
}

/** In pages of different sizes: what lies side by side is not always fetched together. */
async function* pagesOf<T>(items: readonly T[], size: number) {
  for (let n = 0; n < items.length; n += size) yield items.slice(n, n + size);
  yield [];
}

interface Held {
  readonly rows?: readonly LedgerRow[];
  readonly heads?: readonly Signed[];
  readonly wrongNode?: (nodes: readonly KeptNode[]) => KeptNode | undefined;
}

function verdicts(entries: readonly StoredEntry[], { rows = intact, heads = [], wrongNode }: Held = {}) {
  const beside = {
    rows: pagesOf(rows, 3),
    heads,
    keys: [signer.publicKey],
    isChained: async (eventId: string) => rows.some((row) => row.eventId === eventId),
    wrongNode: async (_: string, nodes: readonly KeptNode[]) => wrongNode?.(nodes),
  };
  return verifyLog(pagesOf(entries, 2), beside, ledger);
}

async function verdict(entries: readonly StoredEntry[], held?: Held) {
  return (await verdicts(entries, held))[0]!;
}

/** The head that was signed at the end of a day of February when so many entries were there. */
function headOf(day: number, rows: readonly LedgerRow[]): Signed {
  const tree = new MerkleEdge();
  for (const { leaf } of rows) tree.append(leaf);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const date = `2022-02-0${day}`;
  const link = hex(rows.at(-1)?.link ?? EMPTY_CHAIN.head);
  const zone = { timeZone: 'America/Vancouver', tzdb: '2026f' };
  const state = { entries: rows.length, link, root: hex(tree.root()) };
  return signHead({ ledger, day: date, since: date, ...zone, ...state, at: `${date}T08:00:00Z` }, signer);
}

const flipped = (data: string) => data.replace('"excl_vat":2.94', '"excl_vat":2.95');

test('an untouched log verifies', async () => {
  expect(await verdict(log)).toMatchObject({
    problem: undefined,
    erased: 0,
    chain: { entries: 4, head: intact[3]!.link },
  });
});

test('an empty ledger verifies', async () => {
  expect(await verdict([], { rows: [] })).toMatchObject({
    ledger,
    problem: undefined,
    chain: { entries: 0 },
  });
});

test.each<[string, StoredEntry[], RegExp]>([
  [
    'a flipped byte',
    [a, b, { ...c, data: flipped(c.data) }, d],
    /^entry 3: changed, the stored bytes of event/,
  ],
  ['a byte that makes it no JSON', [a, { ...b, data: b.data.slice(1) }, c, d], /^entry 2: changed/],
  ['an entry taken out, leaving a hole', [a, c, d], /^entry 2: removed, the log has no event/],
  ['an entry taken out, the others moved up', inPlaces(a, c, d), /^entry 2: removed or reordered/],
  ['the last entry taken out', [a, b, c], /^entry 4: removed, the log has no event/],
  ['two entries that changed places', inPlaces(a, c, b, d), /^entry 2: removed or reordered/],
  [
    'an entry put in, the others moved down',
    inPlaces(a, forged, b, c, d),
    /^entry 2: inserted or replaced/,
  ],
  [
    'an entry put in before the first',
    [{ ...forged, position: -1n }, a, b, c, d],
    /^entry 1: inserted/,
  ],
  ['an entry put in at the end', [a, b, c, d, { ...forged, position: 5n }], /^entry 5: inserted/],
  ['an entry replaced by another', [a, forged, c, d], /^entry 2: inserted or replaced/],
  ['an entry moved to another stream', [a, { ...b, stream: a.stream }, c, d], /^entry 2: moved/],
  ['an entry moved within its stream', [a, { ...b, version: 2 }, c, d], /^entry 2: moved/],
  ['an entry of another type', [a, { ...b, type: 'CdrCredited' }, c, d], /^entry 2: moved/],
  [
    'a changed private part',
    [a, b, { ...c, private: { ...c.private!, text: '{}' } }, d],
    /^entry 3: the private part of event .* is not the one that was sealed/,
  ],
])('%s is found and named', async (_, entries, problem) => {
  expect((await verdict(entries)).problem).toMatch(problem);
});

test('a log that was changed together with its leaf is found by the links', async () => {
  const data = flipped(b.data);
  const rows = intact.with(1, { ...intact[1]!, leaf: leafOf(data) });
  expect((await verdict([a, { ...b, data }, c, d], { rows })).problem).toMatch(
    /^entry 2: its link does not follow/,
  );
});

test('a link that was taken out is found', async () => {
  expect((await verdict(log, { rows: intact.toSpliced(2, 1) })).problem).toMatch(/^entry 3: inserted/);
  expect((await verdict(log.toSpliced(2, 1), { rows: intact.toSpliced(2, 1) })).problem).toMatch(
    /^entry 3: its link is gone/,
  );
});

test('erased private parts leave the chain intact', async () => {
  expect(await verdict([a, { ...b, private: undefined }, c, d])).toMatchObject({
    problem: undefined,
    erased: 1,
  });
});

test('signed heads verify where they were signed, days without entries too', async () => {
  const heads = [headOf(1, []), headOf(2, intact.slice(0, 2)), headOf(3, intact.slice(0, 2)), headOf(4, intact)];
  expect(await verdict(log, { heads })).toMatchObject({ problem: undefined, heads: 4, newestDay: '2022-02-04' });
});

test('a ledger that was written anew to its end is found by the head that was signed before', async () => {
  const heads = [headOf(2, intact.slice(0, 3))];
  const rewritten = [a, { ...b, data: flipped(b.data) }, c, d];
  expect(await verdict(rewritten, { rows: chained(rewritten), heads })).toMatchObject({
    problem: 'head of 2022-02-02: was signed over other entries: its link is another',
  });
  expect(await verdict([a, b], { rows: intact.slice(0, 2), heads })).toMatchObject({
    problem: 'entry 3: removed, the head of 2022-02-02 was signed over 3 entries',
  });
});

test('a head by another key, or changed, is found', async () => {
  const signed = headOf(2, intact);
  const text = signed.text.replace('day 2022-02-02', 'day 2022-02-05');
  expect((await verdict(log, { heads: [{ ...signed, text }] })).problem).toMatch(/^head of 2022-02-05: is not signed by/);
  const { problem } = await verdict(log, { heads: [{ ...signed, text: 'nothing' }] });
  expect(problem).toBe('head of an unknown day: is no head');
});

test('a node of the Merkle tree that is another is found, for proofs are made of it', async () => {
  const many = Array.from({ length: 20 }, (_, n) => ({
    ...a, position: BigInt(n + 1), ...renamed(n), private: undefined,
  }));
  const rows = chained(many);
  expect(await verdict(many, { rows })).toMatchObject({ problem: undefined, erased: 20 });
  expect(await verdict(many, { rows, wrongNode: (nodes) => nodes[0] })).toMatchObject({
    problem: 'entries 1 to 16: the node of the Merkle tree over them is gone or another',
  });
});

function renamed(n: number) {
  const id = `00000000-0000-4000-9000-0000000000${n + 10}`;
  return { id, data: a.data.replace(a.id, id) };
}

test('two ledgers in one log are two chains', async () => {
  const other = 'CA*XYZ';
  const inOther = { ...b, data: b.data.replace(ledger, other) };
  const first = { ledger: other, ...nextRow(EMPTY_CHAIN, inOther) };
  const second = { ledger, ...nextRow(stateAfter(intact[0]!), c) };
  expect(await verdicts([a, inOther, c], { rows: [intact[0]!, first, second] })).toMatchObject([
    { ledger, problem: undefined, chain: { entries: 2 } },
    { ledger: other, problem: undefined, chain: { entries: 1 } },
  ]);
});
