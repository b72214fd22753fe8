import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { carbonPlunk, cdr, session } from '../test/charge.ts';
import { cdrIdOf, type SessionCdrEvent } from './cdr.ts';
import { EMPTY_CHAIN, leafOf, nextRow, stateAfter } from './chain.ts';
import { privateOf, privatePart, publicOf, sealOf } from './private-part.ts';
import { streamOf } from './streams.ts';
import { type LedgerRow, type StoredEntry, verifyLog } from './verify.ts';

const ledger = 'CA*BCT';

/** The n-th event of a log: a CDR of a session of its own. */
function entry(n: number): StoredEntry {
  const sessionId = `${session.id}-${n}`;
  const part = privatePart(cdr.cdr_token, JSON.stringify(privateOf(cdr)), {
    id: randomUUID(),
    salt: randomBytes(32),
  });
  const event: SessionCdrEvent = {
    type: 'CdrIssued',
    ledger,
    sessionId,
    number: 1,
    tokenParty: carbonPlunk,
    private: sealOf(part),
    cdr: publicOf({ ...cdr, id: cdrIdOf(sessionId, 1) }),
    pricing: { tzdb: '2026f', unrounded: { exclVat: '2.94' } },
  };
  const { salt, text } = part;
  return {
    position: BigInt(n),
    id: randomUUID(),
    data: JSON.stringify(event),
    stream: streamOf(event),
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

async function* each<T>(items: readonly T[]) {
  yield* items;
}

async function verdict(entries: readonly StoredEntry[], rows: readonly LedgerRow[] = intact) {
  const isChained = async (eventId: string) => rows.some((row) => row.eventId === eventId);
  const [own] = await verifyLog(each(entries), each(rows), ledger, isChained);
  return own!;
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
  expect(await verdict([], [])).toMatchObject({
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
  expect((await verdict([a, { ...b, data }, c, d], rows)).problem).toMatch(
    /^entry 2: its link does not follow/,
  );
});

test('a link that was taken out is found', async () => {
  expect((await verdict(log, intact.toSpliced(2, 1))).problem).toMatch(/^entry 3: inserted/);
  expect((await verdict(log.toSpliced(2, 1), intact.toSpliced(2, 1))).problem).toMatch(
    /^entry 3: its link is gone/,
  );
});

test('erased private parts leave the chain intact', async () => {
  expect(await verdict([a, { ...b, private: undefined }, c, d])).toMatchObject({
    problem: undefined,
    erased: 1,
  });
});

test('two ledgers in one log are two chains', async () => {
  const other = 'CA*XYZ';
  const first = { ledger: other, ...nextRow(EMPTY_CHAIN, b) };
  const second = { ledger, ...nextRow(stateAfter(intact[0]!), c) };
  const verdicts = await verifyLog(
    each([a, b, c]),
    each([intact[0]!, first, second]),
    ledger,
    async () => true,
  );
  expect(verdicts).toMatchObject([
    { ledger, problem: undefined, chain: { entries: 2 } },
    { ledger: other, problem: undefined, chain: { entries: 1 } },
  ]);
});
