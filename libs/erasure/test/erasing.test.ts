import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, busMigrations, connectBus, each } from '#bus';
import { getErasureHolder, noteForgotten, previewErasure } from '#contracts/erasure';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase, type FreshDatabase, freshPlatform, natsUrl } from '#test-servers';
import { log } from '#telemetry';
import { Erasing, erasureMigrations, type Forgetting } from '../src/index.ts';

const at = '2022-02-01T17:00:00Z';
const party = { countryCode: 'CA', partyId: 'CPK' };

let database: FreshDatabase;
let db: Database;
let bus: Bus;
/** What tokens-auth was told, by erasure. */
const noted = new Map<string, (string | undefined)[]>();
/** Erasures that are over for all. */
const over = new Set<string>();
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({
    url: database.url, schema: 'forgetting', migrations: [...busMigrations, ...erasureMigrations],
  });
  bus = await connectBus({ natsUrl: natsUrl(), platform: freshPlatform(), service: 'sessions' });
  await bus.answer(getErasureHolder, (requests) => each(requests, async ({ erasureId }) => (over.has(erasureId) ? {} : {
    holder: { party, contractId: `C-${erasureId}`, tokenUids: ['UID'], visualNumbers: [], at },
  })));
  await bus.answer(noteForgotten, (requests) => each(requests, async ({ erasureId, waitsFor }) => {
    noted.set(erasureId, [...noted.get(erasureId) ?? [], waitsFor]);
    return {};
  }));
});
afterAll(async () => {
  for (const close of closing) await close();
  await bus?.close();
  await db?.close();
  await database?.drop();
});

async function administer(sql: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Record<string, string>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const nothing: Forgetting = {
  look: async () => ({ kept: {} }), tokenUids: async () => ['ALIAS'], forget: async () => undefined,
};
async function open(forgetting: Partial<Forgetting> = {}): Promise<Erasing> {
  const erasing = await Erasing.open({ service: 'sessions', bus, db, log: log('erasing'), key: Buffer.alloc(32) });
  closing.push(() => erasing.stop());
  await erasing.start({ ...nothing, ...forgetting });
  return erasing;
}
const isDone = async (erasureId: string) =>
  (await db.query('SELECT 1 FROM erasures WHERE erasure_id = $1 AND done_at IS NOT NULL', [erasureId])).rowCount === 1;

test('rows are gone through twice, then the service has forgotten; heard again, it does nothing', async () => {
  const id = randomUUID();
  let forgot = 0;
  const erasing = await open({
    forget: async ({ contractId, tokenUids }) => {
      if (contractId === `C-${id}`) forgot += 1;
      expect(tokenUids).toEqual(['UID', 'ALIAS']);
      return undefined;
    },
  });
  await erasing.hear(db, id, at);
  await erasing.hear(db, id, at);
  await expect.poll(() => isDone(id)).toBe(true);
  expect(forgot).toBe(2);
  expect(noted.get(id)).toEqual([undefined]);
  const whose = { party: { country_code: 'CA', party_id: 'CPK' }, uid: 'alias' };
  expect(erasing.marks.isErased(whose, at)).toBe(true);
  await erasing.hear(db, id, at);
  const next = randomUUID();
  await erasing.hear(db, next, at);
  await expect.poll(() => isDone(next)).toBe(true);
  expect(forgot).toBe(2);
  await erasing.stop();
});

test('what the planner keeps of rows that were forgotten goes with them, and the service takes statistics of its own tables alone', async () => {
  await administer(`CREATE TABLE forgetting.cards AS SELECT CASE WHEN n < 300 THEN 'THEIRS' ELSE 'OTHER' END AS uid FROM generate_series(1, 900) n`);
  await administer('ANALYZE forgetting.cards');
  const kept = async () => (await administer(
    `SELECT most_common_vals::text AS kept FROM pg_stats WHERE schemaname = 'forgetting' AND tablename = 'cards'`))[0]!['kept'];
  expect(await kept()).toBe('{OTHER,THEIRS}');
  const id = randomUUID();
  const erasing = await open({
    forget: async () => void (await db.query(`DELETE FROM cards WHERE uid = 'THEIRS'`)),
  });
  await erasing.hear(db, id, at);
  await expect.poll(() => isDone(id), { timeout: 30_000 }).toBe(true);
  expect(await kept()).toBe('{OTHER}');
  await erasing.stop();
  await expect(db.query(`SELECT take_statistics('pg_catalog.pg_class'::regclass)`)).rejects.toMatchObject({ failure: 'permission-denied' });
});

test('what has to come first is said, and waited for', async () => {
  const id = randomUUID();
  let isThere = false;
  const erasing = await open({ forget: async () => (isThere ? undefined : 'a partner') });
  await erasing.hear(db, id, at);
  await expect.poll(() => noted.get(id)).toContain('a partner');
  expect(await isDone(id)).toBe(false);
  isThere = true;
  await expect.poll(() => isDone(id)).toBe(true);
  expect(noted.get(id)!.at(-1)).toBeUndefined();
  await erasing.stop();
});

test('one that failed or was killed in the middle is begun again by whoever is there', async () => {
  const id = randomUUID();
  let failures = 0;
  const failing = await open({
    forget: async () => {
      failures += 1;
      throw new Error('the database is gone');
    },
  });
  await failing.hear(db, id, at);
  await expect.poll(() => failures).toBeGreaterThan(1);
  await failing.stop();
  expect(noted.get(id)).toBeUndefined();
  let forgot = 0;
  const another = await open({
    forget: async () => {
      forgot += 1;
      return undefined;
    },
  });
  await expect.poll(() => isDone(id)).toBe(true);
  expect(forgot).toBe(2);
  await another.stop();
});

test('every process of the service empties its caches and knows who was erased', async () => {
  const id = randomUUID();
  let emptied = 0;
  const worker = await open();
  // It fails by itself: all that it can do is look what others did.
  const other = await open({
    tokenUids: async () => Promise.reject(new Error('not here')),
    emptyCaches: () => void (emptied += 1),
  });
  const contract = { party: { country_code: 'CA', party_id: 'CPK' }, contractId: `C-${id}` };
  expect(other.marks.isErased(contract, at)).toBe(false);
  await worker.hear(db, id, at);
  await expect.poll(() => isDone(id)).toBe(true);
  await expect.poll(() => other.marks.isErased(contract, at)).toBe(true);
  expect(emptied).toBeGreaterThan(0);
  await Promise.all([worker.stop(), other.stop()]);
});

test('where all have forgotten nobody is named any more, and a service that comes late is done', async () => {
  const id = randomUUID();
  over.add(id);
  const erasing = await open({ forget: async () => Promise.reject(new Error('whom?')) });
  await erasing.hear(db, id, at);
  await expect.poll(() => isDone(id)).toBe(true);
  expect(noted.get(id)).toBeUndefined();
  await erasing.stop();
});

test('a look says what is held, and that facts that were set aside name the contract', async () => {
  const erasing = await open({
    look: async () => ({ kept: { sessions: 3, orders: 0 }, hindrances: [{ code: 'charge-runs', detail: 'session 7 has not ended' }] }),
  });
  const holder = { party, contractId: 'C-SET-ASIDE', tokenUids: ['UID'], visualNumbers: [], at };
  const look = () => bus.ask(previewErasure('sessions'), { holder, sessionIds: [] });
  const before = await look();
  expect(before.kept).toMatchObject([{ service: 'sessions', what: 'sessions', count: 3n }]);
  expect(before.hindrances).toMatchObject([{ service: 'sessions', code: 'charge-runs' }]);
  await db.query(
    `INSERT INTO parked (listener, source, position, slot, key, kind, id, fact, at, reason)
     VALUES ('sessions', 'ocpp-gateway', 1, 0, 'k', 'k', 'i', convert_to('… C-SET-ASIDE …', 'UTF8'), now(), 'why')`);
  expect((await look()).hindrances.map(({ code }) => code)).toEqual(['charge-runs', 'facts-set-aside']);
  await erasing.stop();
});
