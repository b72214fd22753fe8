import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '#postgres';
import { type FreshDatabase, freshDatabase } from '#test-servers';
import { migrations } from '../src/migrations.ts';
import { passGate, planOf, takeSite } from '../src/site-rows.ts';

let fresh: FreshDatabase;
let db: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  db = await openDatabase({ url: fresh.url, schema: 'evems_controller', migrations });
});
afterAll(async () => {
  await db.close();
  await fresh.drop();
});

test('once another has taken the site, its former owner sends nothing more', async () => {
  const leasedUntil = Date.parse('2022-02-01T17:02:00Z');
  expect(await takeSite(db, 'SITE', 1)).toEqual({ leasedUntil: 0 });
  expect(await passGate(db, 'SITE', { epoch: 1, leasedUntil, plan: '{}' })).toBe(true);
  // What got through is known to the next, also when a shorter lease came after it.
  expect(
    await passGate(db, 'SITE', { epoch: 1, leasedUntil: leasedUntil - 60_000, plan: '{}' }),
  ).toBe(true);
  expect(await takeSite(db, 'SITE', 2)).toEqual({ leasedUntil });
  expect(await passGate(db, 'SITE', { epoch: 1, leasedUntil, plan: '{"late":1}' })).toBe(false);
  expect(await takeSite(db, 'SITE', 1)).toBe(undefined);
  expect(await planOf(db, 'SITE')).toEqual({ epoch: 2, plan: '{}' });
});

test('an owner that begins again keeps its epoch', async () => {
  expect(await takeSite(db, 'AGAIN', 3)).toEqual({ leasedUntil: 0 });
  expect(await takeSite(db, 'AGAIN', 3)).toEqual({ leasedUntil: 0 });
});
