import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cdr, read, Cdr as CdrSchema } from '#ocpi';
import { cdrOf } from '../src/answers.ts';
import { cdr, oasis } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

/** A driver of ours, whom a partner names wherever it can, and who charges at home as well. */
const driver = 'AVERY-PRIVATE';
const named = structuredClone({
  ...cdr,
  id: 'NAMED',
  x_driver: driver,
  cdr_location: { ...cdr.cdr_location, driver, coordinates: { ...cdr.cdr_location.coordinates, driver } },
  charging_periods: cdr.charging_periods.map((period) => ({
    ...period, driver, dimensions: period.dimensions.map((one) => ({ ...one, driver })),
  })),
  tariffs: cdr.tariffs!.map((tariff) => ({ ...tariff, driver, elements: tariff.elements.map((element) => ({ ...element, driver })) })),
  total_cost: { ...cdr.total_cost, driver },
});
const atHome = {
  ...cdr,
  id: 'AT-HOME',
  session_id: 'AT-HOME',
  home_charging_compensation: true,
  cdr_location: {
    ...cdr.cdr_location,
    name: `Home of ${driver}`,
    address: `12 ${driver} Street`,
    postal_code: 'V5K 9Z9',
    coordinates: { latitude: '49.25127', longitude: '-123.00319' },
  },
} satisfies Cdr;
const traces = [driver, '9Z9', '49.25127', '-123.00319'];

let there: TestLedger;

beforeAll(async () => {
  there = await testLedger({ partyId: 'CPK', clock: '2022-02-02T00:00:00Z' });
  for (const body of [named, atHome]) await there.ledger.receive(Buffer.from(JSON.stringify(body)));
});
afterAll(() => there?.close());

async function tracesIn(table: string): Promise<string[]> {
  const { rows } = await there.superuser.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${table} t`);
  return traces.filter((trace) => rows.some(({ row }) => row.includes(trace)));
}

test('until it is erased, a CDR can be read as it came, the home with it', async () => {
  const found = (await there.ledger.find(oasis, 'AT-HOME'))!;
  expect(cdrOf(found)).toEqual(atHome);
  expect(JSON.parse((await there.ledger.find(oasis, 'NAMED'))!.privateText!)).toEqual(named);
});

test('of a home the public part has the city, and no street; a statement is made of that', async () => {
  const statement = async () => (await there.settling.statement(oasis, '2022-02')).text;
  const before = await statement();
  await there.list.rebuild();
  expect(await statement()).toBe(before);
  const listed = await there.settling.lines(oasis, '2022-02', { after: '', limit: 10 });
  expect(listed.map(({ line }) => [line.cdr_id, line.location.name, line.taxes.map(({ code }) => code)])).toContainEqual(
    ['AT-HOME', 'Home, Burnaby', ['GST']],
  );
});

test('no byte of a partner\'s own fields or of a home is left when the private parts are gone', async () => {
  for (const table of ['events', 'chain', 'cdrs', 'disputes']) expect([table, await tracesIn(table)]).toEqual([table, []]);
  await there.db.query('DELETE FROM private_parts');
  const erased = cdrOf((await there.ledger.find(oasis, 'AT-HOME'))!);
  expect(read(CdrSchema, erased)).toMatchObject({ ok: true });
  expect(erased).toMatchObject({ total_cost: cdr.total_cost, cdr_location: { address: 'Home', city: 'Burnaby', postal_code: 'V' } });
  // Sent once more it is no news, and another one is still refused.
  await expect(there.ledger.receive(Buffer.from(JSON.stringify(named)))).resolves.toMatchObject({ isNew: false });
  await expect(there.ledger.receive(Buffer.from(JSON.stringify({ ...named, total_energy: 7 })))).rejects.toMatchObject({
    code: 'cdr-differs-from-recorded',
  });
  expect(await there.proofs.verify()).toMatchObject([{ problem: undefined, erased: 2 }]);
});
