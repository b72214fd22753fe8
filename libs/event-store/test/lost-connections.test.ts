import { setTimeout as delay } from 'node:timers/promises';
import { freshDatabase } from '#test-servers';
import { openDatabase } from '#postgres';
import pg from 'pg';
import { expect, test } from 'vitest';
import { eventStoreMigrations, NO_POSITION, postgresEventStore, type StoredEvent } from '../src/index.ts';
import { event, item, newStream } from './items.ts';

test('connections that break under appends and followers lose nothing and double nothing', async () => {
  const fresh = await freshDatabase();
  const db = await openDatabase({ url: fresh.url, schema: 'breaking', migrations: eventStoreMigrations });
  const store = postgresEventStore(db);
  const admin = new pg.Client({ connectionString: fresh.adminUrl });
  await admin.connect();
  const stop = new AbortController();
  const seen: StoredEvent[] = [];
  const following = store.subscribe(NO_POSITION, async (events) => void seen.push(...events), stop.signal);

  let breaking = true;
  let appended = 0;
  const breaks = (async () => {
    // By what was appended in between, not by time: a slow machine is not broken more often.
    for (let brokenAt = 0; breaking; await delay(5)) {
      if (appended < brokenAt + 100) continue;
      brokenAt = appended;
      await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'roamwatt breaking' AND datname = current_database()`);
    }
  })();
  await Promise.all(Array.from({ length: 100 }, async () => {
    const stream = newStream();
    for (let expected = 0; expected < 20; expected += 1) {
      const answer = await store.append([item(stream, expected, event())]);
      expect(answer).toMatchObject([{ outcome: 'appended', version: expected + 1 }]);
      appended += 1;
      await delay(10);
    }
  }));
  breaking = false;
  await breaks;

  await expect.poll(() => seen.length).toBe(2_000);
  expect(seen.map((stored) => stored.position)).toEqual(seen.map((_, n) => BigInt(n + 1)));
  stop.abort();
  await following;
  await admin.end();
  await store.close();
  await db.close();
  await fresh.drop();
});
