import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EventStore, eventStoreMigrations, NO_POSITION, postgresEventStore, type StoredEvent } from '#event-store';
import { ERASED, erasedCdrToken } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase, type FreshDatabase } from '#test-servers';
import { HolderKeys, Marks, type Personal, sealedStore, sealingMigrations } from '../src/index.ts';

const party = { country_code: 'CA', party_id: 'CPK' };
const at = '2022-02-01T17:00:00Z';

const personal: Personal = {
  fields: { CardShown: ['token', 'card.number', 'note'] },
  erased: (path, value) =>
    path === 'token'
      ? erasedCdrToken(value as typeof party & { contract_id: string; uid: string; type: 'RFID' })
      : path === 'note'
        ? undefined
        : ERASED,
  whose: ({ token, card, at: happenedAt }) => {
    const { contract_id: contractId, uid } = (token ?? {}) as { contract_id?: string; uid?: string };
    const { number } = (card ?? {}) as { number?: string };
    const subject = contractId === undefined ? { uid: number } : { party, contractId, uid };
    return subject.uid === undefined ? undefined : { subject, at: happenedAt as string };
  },
};

let database: FreshDatabase;
let db: Database;
let plain: EventStore;
let keys: HolderKeys;
let marks: Marks;
let store: EventStore;

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({
    url: database.url, schema: 'sealing', migrations: [...eventStoreMigrations, ...sealingMigrations],
  });
  plain = postgresEventStore(db);
  keys = new HolderKeys(db);
  marks = new Marks(db, Buffer.alloc(32, 7));
  store = sealedStore(plain, { keys, marks, personal });
});
afterAll(async () => {
  await plain?.close();
  await db?.close();
  await database?.drop();
});

const shown = (name: string, changes: object = {}) => ({
  at, energyWh: '1200', token: { ...party, uid: `UID-${name}`, type: 'RFID', contract_id: `CONTRACT-${name}` },
  card: { number: `ALIAS-${name}`, kind: 'plastic' }, note: `REFERENCE-${name}`, ...changes,
});
const blank = (said: object) => {
  const { note: _, ...rest } = said as { note: string };
  return { ...rest, token: erasedCdrToken(party), card: { number: ERASED, kind: 'plastic' } };
};
const event = (data: object, type = 'CardShown') => ({ id: randomUUID(), type, data: JSON.stringify(data) });
const holderOf = (name: string, tokenUids: string[] = []) =>
  ({ party, contractId: `contract-${name}`.toUpperCase(), tokenUids, visualNumbers: [], otherContractIds: [], at });
const dataOf = (events: readonly StoredEvent[]) => events.map(({ data }) => JSON.parse(data) as unknown);

async function onDisk(stream: string): Promise<string> {
  const { rows } = await db.query<{ data: string }>('SELECT data FROM events WHERE stream = $1 ORDER BY version', [stream]);
  return rows.map(({ data }) => data).join('\n');
}

async function destroy(name: string): Promise<void> {
  await keys.destroy((await keys.under(holderOf(name), () => [])).ids);
}

test('what an event says of a person lies on disk under a key, and reads plain by every way of reading', async () => {
  const said = shown('A');
  const heard: StoredEvent[] = [];
  const stop = new AbortController();
  const following = store.subscribe((await plain.last())?.position ?? NO_POSITION, async (events) => {
    heard.push(...events);
    stop.abort();
  }, stop.signal);
  const [outcome] = await store.append([{ stream: 'a', expected: 0, events: [event(said)] }]);
  const { position } = outcome as { position: bigint };
  await following;
  for (const trace of ['UID-A', 'CONTRACT-A', 'ALIAS-A', 'REFERENCE-A']) expect(await onDisk('a')).not.toContain(trace);
  expect(await onDisk('a')).toContain('"energyWh":"1200"');
  const read = [
    await store.read('a'), await store.readAll(position - 1n, 1), [(await store.at(position))!], [(await store.last())!], heard,
  ];
  for (const events of read) expect(dataOf(events)).toEqual([said]);
});

test('once its key is destroyed an event reads as erased, and the rest of it as before; other holders are untouched', async () => {
  const [mine, other] = [shown('B'), shown('C')];
  await store.append([{ stream: 'b', expected: 0, events: [event(mine), event(other)] }]);
  expect(dataOf(await store.read('b'))).toEqual([mine, other]);
  await destroy('B');
  expect(dataOf(await store.read('b'))).toEqual([blank(mine), other]);
  const elsewhere = sealedStore(plain, { keys: new HolderKeys(db), marks, personal });
  expect(dataOf(await elsewhere.read('b'))).toEqual([blank(mine), other]);
});

test('a card whose contract nobody knew goes with the tokens of the contract, aliases included', async () => {
  const card = { at, card: { number: 'ALIAS-D' } };
  await store.append([{ stream: 'd', expected: 0, events: [event(shown('D')), event(card)] }]);
  const { ids, tokenKeys } = await keys.under(holderOf('D'), (uid) => [uid.replace('uid', 'alias')]);
  expect(tokenKeys).toEqual(['uid-d', 'alias-d']);
  await keys.destroy(ids);
  expect(dataOf(await store.read('d'))[1]).toEqual({ at, card: { number: ERASED } });
});

test('events that were stored in the open, and those that name nobody, read as they are', async () => {
  const said = shown('E');
  await plain.append([{ stream: 'e', expected: 0, events: [event(said)] }]);
  await store.append([{ stream: 'e', expected: 1, events: [event({ energyWh: '5' }), event({ token: 'a word' }, 'MeterRead')] }]);
  expect(dataOf(await store.read('e'))).toEqual([said, { energyWh: '5' }, { token: 'a word' }]);
  expect(await onDisk('e')).not.toContain('sealed');
});

test('the same append again gets the first answer', async () => {
  const item = { stream: 'f', expected: 0, events: [event(shown('F'))] };
  const first = await store.append([item]);
  expect(await store.append([item])).toEqual(first);
});

test('what happened before an erasure is erased however late it comes; what happens after it is not', async () => {
  await marks.note(holderOf('G'), ['UID-G', 'ALIAS-G']);
  const late = [shown('G'), { at, card: { number: 'alias-g' } }];
  const after = shown('G', { at: '2022-02-01T17:00:01Z' });
  await store.append([{ stream: 'g', expected: 0, events: [...late, after].map((said) => event(said)) }]);
  expect(dataOf(await store.read('g'))).toEqual([blank(late[0]!), { at, card: { number: ERASED } }, after]);
  expect(await onDisk('g')).not.toMatch(/-G/i);
  // Another process knows it from the rows, by hashes that name nobody.
  const others = new Marks(db, Buffer.alloc(32, 7));
  await others.load();
  expect(others.isErased({ party, contractId: 'contract-g' }, at)).toBe(true);
  expect(others.isErased({ party, contractId: 'contract-g' }, '2022-02-01T17:00:01Z')).toBe(false);
  const strangers = new Marks(db, Buffer.alloc(32, 8));
  await strangers.load();
  expect(strangers.isErased({ party, contractId: 'contract-g' }, at)).toBe(false);
});

test('what names another contract that the token was issued for is not erased with it, before or after', async () => {
  const [mine, otherOnes, spelledOtherwise] = ['contract-k', 'contract-l', 'k, by a partner'].map((contract) => {
    const { token, ...rest } = shown('K');
    return { ...rest, token: { ...token, contract_id: contract } };
  });
  await marks.note({ ...holderOf('K'), otherContractIds: ['Contract-L'] }, ['UID-K']);
  const said = [mine!, otherOnes!, spelledOtherwise!];
  await store.append([{ stream: 'k', expected: 0, events: said.map((one) => event(one)) }]);
  expect(dataOf(await store.read('k'))).toEqual([blank(mine!), otherOnes, blank(spelledOtherwise!)]);
});

test('a sealed part opens in its own event alone, and not when it was changed', async () => {
  await store.append([{ stream: 'h', expected: 0, events: [event(shown('H'))] }]);
  const { sealed } = JSON.parse(await onDisk('h')) as { sealed: { key: string; box: string } };
  await plain.append([{ stream: 'h', expected: 1, events: [event({ sealed })] }]);
  await expect(store.read('h')).rejects.toThrow('authenticate');
  const box = Buffer.from(sealed.box, 'base64');
  box[box.length - 1]! ^= 1;
  const moved = event({});
  await plain.append([
    {
      stream: 'i',
      expected: 0,
      events: [{ ...moved, data: JSON.stringify({ sealed: { ...sealed, box: box.toString('base64') } }) }],
    },
  ]);
  await expect(store.read('i')).rejects.toThrow('authenticate');
});

test('processes that meet somebody at the same time share one key', async () => {
  const stores = Array.from({ length: 8 }, () => sealedStore(plain, { keys: new HolderKeys(db), marks, personal }));
  await Promise.all(stores.map((one, n) => one.append([{ stream: `j${n}`, expected: 0, events: [event(shown('J'))] }])));
  const { rows } = await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM holder_keys WHERE token_key = 'uid-j'`);
  expect(rows[0]!.n).toBe(1);
  await destroy('J');
  expect(dataOf(await store.read('j7'))).toEqual([blank(shown('J'))]);
});

test('the application cannot change a key, nor say since when events are sealed', async () => {
  await expect(db.query(`UPDATE holder_keys SET secret = ''`)).rejects.toThrow('permission denied');
  await expect(db.query('UPDATE sealed_since SET "position" = 0')).rejects.toThrow('permission denied');
});
