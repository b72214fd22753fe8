import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EventStore, memoryEventStore, type StoredEvent } from '#event-store';
import { type Database, openDatabase } from '#postgres';
import { log } from '#telemetry';
import { type FreshDatabase, freshDatabase } from '#test-servers';
import { type Follower, follow } from '../src/follow.ts';
import { migrations } from '../src/migrations.ts';
import { lockPosition, movePosition } from '../src/positions.ts';

let database: FreshDatabase;
let db: Database;
beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'cdr_ledger', migrations });
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

const at = (position: bigint): StoredEvent => ({
  position, stream: 's', version: Number(position), id: crypto.randomUUID(), type: 'Noted', data: '{}', recordedAt: '2022-02-01T18:00:00Z',
});

/** A store whose subscriber gets batches when a test hands them to it. */
function handing(): { store: EventStore; hand(...positions: bigint[]): Promise<void> } {
  const handler = Promise.withResolvers<(events: StoredEvent[]) => Promise<void>>();
  const subscribe: EventStore['subscribe'] = (_after, handle, signal) => {
    handler.resolve(handle);
    return new Promise((ended) => signal.addEventListener('abort', () => ended()));
  };
  return {
    store: { ...memoryEventStore(), subscribe },
    hand: async (...positions) => (await handler.promise)(positions.map(at)),
  };
}

test.each([
  ['one by one', [[2n], [3n], [4n], [5n], [6n]]],
  ['in a batch that goes beyond it', [[2n], [3n], [4n, 5n, 6n]]],
])('where another replica is faster, what comes here %s is passed over, and the position is never taken back', async (how, batches) => {
  const applied: bigint[] = [];
  const follower: Follower = {
    name: `rows ${how}`,
    apply: async (_tx, events) => void applied.push(...events.map(({ position }) => position)),
  };
  const { store, hand } = handing();
  const following = follow(db, store, follower, log('cdr-ledger', { level: 'silent' }));
  await hand(1n);
  await db.tx(async (tx) => {
    await lockPosition(tx, follower.name);
    await movePosition(tx, follower.name, 5n);
  });
  for (const batch of batches) {
    await hand(...batch);
    expect(await following.position()).toBeGreaterThanOrEqual(5n);
  }
  expect(applied).toEqual([1n, 6n]);
  expect(await following.position()).toBe(6n);
  await following.stop();
});

test('who waits for a position that is taken away meanwhile holds it all the same', async () => {
  const follower = 'rows rebuilding';
  const [locked, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await db.tx((tx) => lockPosition(tx, follower));
  const end = db.tx(async (tx) => {
    await lockPosition(tx, follower);
    locked.resolve();
    await ending.promise;
    await tx.query('DELETE FROM followed WHERE follower = $1', [follower]);
  });
  await locked.promise;
  const held = db.tx(async (tx) => {
    await lockPosition(tx, follower);
    return (await tx.query('SELECT FROM followed WHERE follower = $1', [follower])).rowCount;
  });
  const superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
  const waiting = async () => (await superuser.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).rowCount;
  await expect.poll(waiting).toBe(1).finally(() => superuser.end());
  ending.resolve();
  await end;
  expect(await held).toBe(1);
});
