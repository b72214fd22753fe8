import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal, sum } from '#money';
import { exampleCdr } from './example.ts';
import { type CdrToSettle, settledCdr } from './settled.ts';

const quebec = { ...exampleCdr.cdr_location, state: 'QC', city: 'Montréal' };

function tariff(...vats: (number | undefined)[]): CdrToSettle['tariffs'] {
  const price_components = vats.map((vat) => ({
    type: 'ENERGY' as const, price: 1, step_size: 1, ...(vat === undefined ? {} : { vat }),
  }));
  return [{
    country_code: 'CA', party_id: 'BCT', id: 'T', currency: 'CAD', last_updated: '2022-01-01T00:00:00Z',
    elements: [{ price_components: price_components as never }],
  }];
}

test.each([
  ['CAD', 0.005, '0.01'],
  ['CAD', 12.344999, '12.34'],
  ['JPY', 700.5, '701'],
  ['KWD', 1.0005, '1.001'],
  ['XXQ', 1.005, '1.01'],
])('%s %d is settled as %s: rounded once, half away from zero', (currency, told, settled) => {
  expect(settledCdr({ ...exampleCdr, currency, total_cost: { excl_vat: told } }).incl_tax).toBe(settled);
});

test.each([-10.5, 10.5])('a credit of %d takes 10.50 off, whichever sign its sender gave it', (incl_vat) => {
  const credit = settledCdr({
    ...exampleCdr, id: 'S-1-C', credit: true, credit_reference_id: 'S-1',
    total_cost: { excl_vat: Math.sign(incl_vat) * 10, incl_vat },
  });
  expect(credit).toMatchObject({
    excl_tax: '-10.00', incl_tax: '-10.50', energy_kwh: '-20',
    taxes: [{ code: 'GST', rate: '5', base: '-10.00', amount: '-0.50' }],
  });
});

test('a long name of a Location is cut between characters, never within one: no database takes half of one', () => {
  const cdr_location = { ...exampleCdr.cdr_location, name: `${'x'.repeat(99)}🔌 Plaza` };
  const { name } = settledCdr({ ...exampleCdr, cdr_location }).location;
  expect(name).toBe(`${'x'.repeat(99)}🔌`);
});

test('the one VAT of a CDR in Quebec is shown as GST and QST, which add up to it', () => {
  const cdr = { ...exampleCdr, cdr_location: quebec, tariffs: tariff(14.975), total_cost: { excl_vat: 10, incl_vat: 11.5 } };
  expect(settledCdr(cdr)).toMatchObject({
    taxes: [{ code: 'GST', rate: '5', amount: '0.50' }, { code: 'QST', rate: '9.975', amount: '1.00' }],
    remarks: [],
  });
});

test.each([
  ['a tariff with the GST alone in Quebec', { tariffs: tariff(5), cdr_location: quebec }, 'VAT 5', 'tax-differs-from-place'],
  ['a tariff with two rates', { tariffs: tariff(5, 13) }, 'VAT ', 'tax-differs-from-place'],
  ['no tariff, and amounts that are 5 %', {}, 'GST 5', undefined],
  ['no tariff, and amounts that are not', { total_cost: { excl_vat: 10, incl_vat: 11.3 } }, 'VAT ', 'tax-differs-from-place'],
  ['a total without VAT', { total_cost: { excl_vat: 10 } }, undefined, 'no-tax-told'],
  [
    'a place without data',
    { cdr_location: { ...exampleCdr.cdr_location, country: 'DEU', state: undefined }, tariffs: tariff(19) },
    'VAT 19', undefined,
  ],
])('%s: settled as told, and remarked on', (_, more, tax, remark) => {
  const { taxes, remarks } = settledCdr({ ...exampleCdr, ...more } as CdrToSettle);
  expect(taxes.map(({ code, rate }) => `${code} ${rate}`)).toEqual(tax === undefined ? [] : [tax]);
  expect(remarks).toEqual(remark === undefined ? [] : [remark]);
});

test('the taxes of any CDR add up to what it charges beyond its price', () => {
  const cents = fc.integer({ min: 0, max: 10_000_000 }).map((n) => n / 10_000);
  fc.assert(
    fc.property(
      cents, cents, fc.constantFrom('CAD', 'JPY', 'KWD'), fc.constantFrom(undefined, 0, 5, 13, 14.975),
      fc.constantFrom('BC', 'ON', 'QC', 'NS'), fc.boolean(),
      (excl_vat, more, currency, vat, state, credit) => {
        const settled = settledCdr({
          ...exampleCdr, currency, credit, tariffs: tariff(vat),
          cdr_location: { ...exampleCdr.cdr_location, state },
          total_cost: { excl_vat, incl_vat: decimal(excl_vat).add(decimal(more)).toJsonNumber() },
        });
        const tax = decimal(settled.incl_tax).sub(decimal(settled.excl_tax));
        const parts = settled.taxes.map(({ amount }) => decimal(amount));
        expect(sum(parts).toString()).toBe(tax.toString());
      },
    ),
  );
});
