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
