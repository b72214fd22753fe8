import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '#postgres';
import { log } from '#telemetry';
import { freshDatabase } from '#test-servers';
import { systemClock } from '#time';
import { expect, onTestFinished, test } from 'vitest';
import { addDue, dueMigrations, workDue } from './index.ts';

test('keys that never rest are shared evenly with a worker that comes later, and are in one hand at a time', async () => {
  const fresh = await freshDatabase();
  onTestFinished(fresh.drop);
  const db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations: dueMigrations });
  onTestFinished(() => db.close());
  const keys = Array.from({ length: 6 }, (_, n) => `partner ${n}`);
  const last = new Map<string, string>();
  const inHand = new Set<string>();
  const twice: string[] = [];
  const work = (who: string) => {
    const push = async ({ key }: { key: string }) => {
      if (inHand.has(key)) twice.push(key);
      inHand.add(key);
      await sleep(5);
      inHand.delete(key);
      last.set(key, who);
      return { goOnAt: 0 };
    };
    const worker = workDue(db, systemClock, { kinds: { push }, log: log('test', { level: 'silent' }), leaseMs: 3_000 });
    onTestFinished(() => worker.stop());
    return worker;
  };
  const has = (who: string) => keys.filter((key) => last.get(key) === who).length;

  for (const key of keys) await addDue(db, { id: key, key, kind: 'push', at: 0, body: null });
  work('first');
  await expect.poll(() => has('first')).toBe(6);
  work('second');
  await expect.poll(() => has('second')).toBe(3);
  const third = work('third');
  await expect.poll(() => has('third')).toBeGreaterThan(0);
  await third.stop();
  await expect.poll(() => has('third')).toBe(0);
  expect(twice).toEqual([]);
});

test('a key that somebody dead wanted is worked on all the same, by a worker of a release before, too, and at its first row\'s time', async () => {
  const fresh = await freshDatabase();
  onTestFinished(fresh.drop);
  const db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations: dueMigrations });
  onTestFinished(() => db.close());
  await addDue(db, { id: 'row', key: 'partner', kind: 'push', at: 0, body: null });
  // As a release before takes a key, which knows no wishes.
  const take = async () => (await db.query<{ epoch: bigint }>(
    `UPDATE due_lane SET owner = 'former', epoch = epoch + 1, until = clock_timestamp() + interval '1 minute'
      WHERE until IS NULL OR until < clock_timestamp() RETURNING epoch`,
  )).rows[0]?.epoch;
  const next = async (epoch: bigint | undefined) =>
    (await db.query("SELECT id FROM due_next('partner', 'former', $1, 1)", [String(epoch)])).rows;

  const first = await take();
  // A clock that was ahead woke it.
  await db.query("UPDATE due_lane SET wanted_by = 'dead', wake_at = 1000");
  expect(await next(first)).toEqual([]);
  expect((await db.query('SELECT owner, wake_at FROM due_lane')).rows).toEqual([{ owner: null, wake_at: 0n }]);
  let second: bigint | undefined;
  await expect.poll(async () => (second = await take()), { timeout: 30_000 }).toBeDefined();
  expect(await next(second)).toEqual([{ id: 'row' }]);
});
