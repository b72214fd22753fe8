import { type FreshDatabase, freshDatabase } from '#test-servers';
import { type Database, openDatabase } from '#postgres';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EventStore, eventStoreMigrations, postgresEventStore } from '../src/index.ts';
import { appendCall } from '../src/postgres-append.ts';
import { appendOne, event, item, newStream } from './items.ts';

let fresh: FreshDatabase;
let db: Database;
let store: EventStore;
let superuser: pg.Client;
const stream = newStream();

beforeAll(async () => {
  fresh = await freshDatabase();
  db = await openDatabase({ url: fresh.url, schema: 'cdr_ledger', migrations: eventStoreMigrations });
  store = postgresEventStore(db);
  await appendOne(store, item(stream, 0, event({ data: 'the first' }), event()));
  superuser = new pg.Client({ connectionString: fresh.adminUrl });
  await superuser.connect();
  await superuser.query('SET search_path = cdr_ledger');
});
afterAll(async () => {
  expect((await store.read(stream))[0]).toMatchObject({ version: 1, data: 'the first' });
  await superuser.end();
  await store.close();
  await db.close();
  await fresh.drop();
});

const CHANGES = [
  `UPDATE events SET data = 'forged'`, 'DELETE FROM events', 'TRUNCATE events',
  'UPDATE events SET version = 9 WHERE false',
];

test.each([...CHANGES, `INSERT INTO events VALUES (99, 's', 1, gen_random_uuid(), 't', 'd', NULL, now())`,
  'ALTER TABLE events DISABLE TRIGGER ALL', 'DROP TABLE events',
])('the application is not granted: %s', async (statement) => {
  await expect(db.query(statement)).rejects.toMatchObject({ failure: 'permission-denied' });
});

test.each(CHANGES)('a trigger refuses everyone: %s', async (statement) => {
  await expect(superuser.query(statement)).rejects.toThrow('events are never changed');
});

test.each(CHANGES)('the trigger also guards a session that replays a replica: %s', async (statement) => {
  await superuser.query('SET session_replication_role = replica');
  await expect(superuser.query(statement)).rejects.toThrow('events are never changed');
  await superuser.query('RESET session_replication_role');
});

test('no other role of the database may append', async () => {
  const other = await openDatabase({ url: fresh.url, schema: 'sessions', migrations: eventStoreMigrations });
  await expect(other.query('SELECT cdr_ledger.append_events(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)'))
    .rejects.toMatchObject({ failure: 'permission-denied' });
  const { rows } = await superuser.query(`SELECT has_function_privilege('public', oid, 'EXECUTE') AS may
    FROM pg_proc WHERE proname = 'append_events' AND pronamespace = 'cdr_ledger'::regnamespace`);
  expect(rows).toEqual([{ may: false }]);
  await other.close();
});

test('a temporary table named events does not catch what is appended', async () => {
  const before = await store.last();
  const call = appendCall([item(newStream(), 0, event())]);
  await db.tx(async (tx) => {
    await tx.query('CREATE TEMP TABLE events (LIKE cdr_ledger.events) ON COMMIT DROP');
    await tx.query(call.statement, call.values);
  });
  expect((await store.last())?.position).toBe((before?.position ?? 0n) + 1n);
});

test.each([
  ['under REPEATABLE READ, which may not see the newest events', 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', /READ COMMITTED/],
  ['without synchronous commit', 'SET LOCAL synchronous_commit = off', /on disk/],
])('nothing is appended %s', async (_, setting, reason) => {
  const call = appendCall([item(newStream(), 0, event())]);
  const before = await store.last();
  await superuser.query('BEGIN');
  await superuser.query(setting);
  await expect(superuser.query(call.statement.text, call.values as unknown[])).rejects.toThrow(reason);
  await superuser.query('ROLLBACK');
  expect(await store.last()).toEqual(before);
});

test('a batch that is rolled back leaves no hole in the positions', async () => {
  const before = await store.last();
  const call = appendCall([item(newStream(), 0, event())]);
  await expect(db.tx(async (tx) => {
    await tx.query(call.statement, call.values);
    throw new Error('stop');
  })).rejects.toThrow('stop');
  expect(await appendOne(store, item(newStream(), 0, event()))).toMatchObject({ position: (before?.position ?? 0n) + 1n });
});
