import { openDatabase } from '#postgres';
import { log } from '#telemetry';
import { freshDatabase } from '#test-servers';
import { systemClock } from '#time';
import { expect, test } from 'vitest';
import { LeasedHold } from './hold.ts';
import { addDue, dueMigrations, openDue, workDue } from './index.ts';

test('who lost a key does nothing outside any more, and leaves it to who has it', async () => {
  const fresh = await freshDatabase();
  const db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations: dueMigrations });
  await addDue(db, { id: 'a', key: 'partner', kind: 'push', at: 0, body: null });
  const held: boolean[] = [];
  const did: string[] = [];
  const ends = async () => (await db.query<{ until: string }>('SELECT until FROM due_lane')).rows[0]?.until;
  const worker = workDue(db, systemClock, {
    // Renewed each third of it: a busy machine may stand still for longer than a short one.
    leaseMs: 4_500, log: log('test', { level: 'silent' }),
    kinds: {
      async push(_due, _attempt, hold) {
        const [first, renewed] = [await ends(), `SELECT FROM due_lane WHERE until > $1::timestamptz + interval '4.5 s'`];
        await expect.poll(async () => (await db.query(renewed, [first])).rows.length).toBe(1);
        held.push(hold.isHeld());
        // As another does when this process sleeps for longer than its lease.
        await db.query(`UPDATE due_lane SET owner = 'another', epoch = epoch + 1, until = clock_timestamp() + interval '1 hour'`);
        await expect.poll(() => hold.isHeld()).toBe(false);
        held.push(hold.isHeld());
        hold.insist();
        did.push('outside');
        return 'done';
      },
    },
  });
  await expect.poll(() => held.length).toBe(2);
  await worker.stop();
  expect({ held, did }).toEqual({ held: [true, false], did: [] });
  expect(await openDue(db, 'partner')).toMatchObject([{ id: 'a', attempts: 1, lastError: undefined }]);
  await db.close();
  await fresh.drop();
});

test.each([
  ['this process stood still', { monotonicMs: -60_000, wallMs: 0 }],
  ['the whole machine slept', { monotonicMs: 0, wallMs: -60_000 }],
  ['this process stood still and its clock was set back by ten minutes', { monotonicMs: -60_000, wallMs: 600_000 }],
])('a lease is over when %s for as long as it is', (_, ago) => {
  const at = (ms: { monotonicMs: number; wallMs: number }) =>
    ({ monotonicMs: performance.now() + ms.monotonicMs, wallMs: Date.now() + ms.wallMs });
  const hold = new LeasedHold(60_000, at(ago));
  expect(hold.isHeld()).toBe(false);
  expect(() => hold.insist()).toThrow('another may have the key');
  hold.renew(at({ monotonicMs: 0, wallMs: 0 }));
  expect(hold.isHeld()).toBe(true);
});
