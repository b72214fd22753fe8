import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '#postgres';
import { BadSettings, readSettings } from '#settings';
import { type FreshDatabase, freshDatabase, testPlatform } from '#test-servers';
import { fixedClock } from '#time';
import { migrations } from '../src/migrations.ts';
import type { PlanVersion } from '../src/plan.ts';
import { PlanBook } from '../src/plan-book.ts';
import { retailSettings } from '../src/retail-config.ts';
import { plus } from './retail-platform.ts';

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

const clock = fixedClock('2022-02-01T18:00:00Z');
const version = (from: string, percent: string): PlanVersion => ({
  planId: 'plus', name: 'Plus', from, terms: { kind: 'mark-up', percent, tax: 'of-place' },
});

test('a version that is in force never changes; one that is still to come may', async () => {
  const begun = version('2022-01-01T08:00:00Z', '5');
  await PlanBook.open(db, [begun, version('2022-03-01T08:00:00Z', '6')], clock);
  const changed = await PlanBook.open(db, [begun, version('2022-03-01T08:00:00Z', '7')], clock);
  expect(changed.at('plus', '2022-03-02T17:00:00Z').terms).toMatchObject({ percent: '7' });
  await expect(PlanBook.open(db, [version('2022-01-01T08:00:00Z', '4')], clock)).rejects.toThrow(BadSettings);
  const book = await PlanBook.open(db, [begun], clock);
  expect(book.at('plus', '2022-02-01T17:00:00Z').terms).toMatchObject({ percent: '5' });
});

test('a version that the settings took back before it was in force never is', async () => {
  const begun = version('2022-01-01T08:00:00Z', '5');
  await PlanBook.open(db, [begun, version('2022-03-01T08:00:00Z', '9')], clock);
  await expect(PlanBook.open(db, [version('2022-01-01T08:00:00Z', '4')], clock)).rejects.toThrow(BadSettings);
  const later = (book: PlanBook) => book.at('plus', '2022-04-02T17:00:00Z').terms;
  expect(later(await PlanBook.open(db, [begun, version('2022-04-01T08:00:00Z', '8')], clock))).toMatchObject({ percent: '8' });
  const book = await PlanBook.open(db, [begun], clock);
  expect(book.at('plus', '2022-03-02T17:00:00Z').terms).toMatchObject({ percent: '5' });
  expect(later(book)).toMatchObject({ percent: '5' });
  const after = fixedClock('2022-03-02T18:00:00Z');
  await PlanBook.open(db, [begun, version('2022-03-02T08:00:00Z', '6')], clock);
  expect(later(await PlanBook.open(db, [begun], after))).toMatchObject({ percent: '6' });
  // A driver may have been given a plan before its first version is in force.
  await PlanBook.open(db, [{ ...version('2022-05-01T08:00:00Z', '3'), planId: 'gold' }], clock);
  expect((await PlanBook.open(db, [begun], clock)).at('gold', '2022-02-01T17:00:00Z').terms).toMatchObject({ percent: '3' });
});

test('a plan that the settings forgot still prices the charges of whoever has it', async () => {
  const book = await PlanBook.open(db, [], clock);
  expect(book.has('plus')).toBe(true);
  expect(book.at('plus', '2022-02-01T17:00:00Z').terms).toMatchObject({ percent: '5' });
});

const [marked] = plus.plans;

test.each<[string, object, RegExp]>([
  ['a default plan that is none', { ...plus, default_plan: 'gold' }, /retail.default_plan: there is no plan gold/],
  ['an amount that is a number', { ...plus, limits: { CAD: 20 } }, /retail.limits.CAD/],
  ['a currency that is none', { ...plus, limits: { CAN: '20' } }, /retail.limits.CAN/],
  [
    'a version twice',
    { ...plus, plans: [{ ...marked, versions: [...marked!.versions, ...marked!.versions] }] },
    /is there twice/,
  ],
  [
    'an unknown kind',
    { ...plus, plans: [{ ...marked, versions: [{ from: '2022-01-01T08:00:00Z', kind: 'free' }] }] },
    /retail\.plans\.0.*versions\.0\.kind/,
  ],
  ['a field that is none', { ...plus, plan: [] }, /retail/],
])('%s in the settings is refused with its place', async (_, retail, message) => {
  const platform = await testPlatform({ retail });
  expect(() => retailSettings(readSettings(platform.env))).toThrow(message);
  await platform.drop();
});

test('without a section no accounts are kept', async () => {
  const platform = await testPlatform();
  expect(retailSettings(readSettings(platform.env))).toBeUndefined();
  await platform.drop();
});
