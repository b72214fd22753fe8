import { type Database, openDatabase } from '#postgres';
import { log } from '#telemetry';
import { type FreshDatabase, freshDatabase } from '#test-servers';
import { type Clock, systemClock } from '#time';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addDue, type Due, dueMigrations, type DueWorker, openDue, workDue } from './index.ts';

let fresh: FreshDatabase;
let db: Database;
let worker: DueWorker | undefined;

beforeEach(async () => {
  fresh = await freshDatabase();
  db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations: dueMigrations });
});
afterEach(async () => {
  await worker?.stop();
  await db.close();
  await fresh.drop();
});

const push = (id: string, key: string) => addDue(db, { id, key, kind: 'push', at: 0, body: null });

test('the clock is set back: what may come early is done at once, a timer keeps its time, and nobody keeps a key for longer than a lease', async () => {
  let aheadMs = 3_600_000;
  const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const tried: string[] = [];
  const once = async ({ id }: Due, attempt: number) => {
    tried.push(`${id} ${attempt}`);
    if (attempt > 1) return 'done' as const;
    return id === 'gathering' ? { retryAt: clock.now() + 500 } : { retryInMs: 3_600_000 };
  };
  const timer = clock.now() + 500;
  worker = workDue(db, clock, { kinds: { push: once, timer: once }, early: ['push'], log: log('test', { level: 'silent' }) });
  await push('gathering', 'partner');
  await push('asked to be left alone', 'other');
  await expect.poll(() => tried.length, { timeout: 30_000 }).toBe(2);
  // Whoever had this key is dead, and took it by that clock.
  await push('of the dead', 'third');
  await db.query("UPDATE due_lane SET owner = 'dead', until = clock_timestamp() + interval '1 hour' WHERE key = 'third'");
  await addDue(db, { id: 'timer', key: 'timer', kind: 'timer', at: timer, body: null });
  aheadMs = 0;
  await expect.poll(() => tried.length, { timeout: 60_000 }).toBe(5);
  expect(tried.toSorted()).toEqual(['asked to be left alone 1', 'asked to be left alone 2', 'gathering 1', 'gathering 2', 'of the dead 1']);
  expect(await openDue(db, 'timer')).toMatchObject([{ id: 'timer', at: timer, attempts: 0 }]);
}, 120_000);
