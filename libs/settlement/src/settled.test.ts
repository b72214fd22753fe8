import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal, sum } from '#money';
import { exampleCdr } from './example.ts';
import { type CdrToSettle, driverTaxes, settledCdr } from './settled.ts';

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
  ['jpy', 700.5, '701'],
  ['KWD', 1.0005, '1.001'],
  ['XXQ', 1.005, '1.01'],
])('%s %d is settled as %s: rounded once, half away from zero', (currency, told, settled) => {
  expect(settledCdr({ ...exampleCdr, currency, total_cost: { excl_vat: told } }).incl_tax).toBe(settled);
});

test.each([
  ['a charge', 1, '-'],
  ['a bill that paid back', -1, ''],
])('CDR-04: the credit of %s takes back all of it, so that nothing is left', (_, sign, shown) => {
  const original = { ...exampleCdr, total_cost: { excl_vat: sign * 10, incl_vat: sign * 10.5 }, total_energy: sign * 20 };
  const credit = settledCdr({
    ...original, id: 'S-1-C', credit: true, credit_reference_id: 'S-1',
    total_cost: { excl_vat: -sign * 10, incl_vat: -sign * 10.5 },
  });
  expect(credit).toMatchObject({
    excl_tax: `${shown}10.00`, incl_tax: `${shown}10.50`, energy_kwh: `${shown}20`,
    taxes: [{ code: 'GST', rate: '5', base: `${shown}10.00`, amount: `${shown}0.50` }],
  });
  const charge = settledCdr(original);
  const left = (of: 'excl_tax' | 'incl_tax' | 'energy_kwh') => decimal(charge[of]).add(decimal(credit[of]));
  expect([left('excl_tax'), left('incl_tax'), left('energy_kwh')].map(String)).toEqual(['0', '0', '0']);
});

test('a long name of a Location is cut between characters, never within one: no database takes half of one', () => {
  const cdr_location = { ...exampleCdr.cdr_location, name: `${'x'.repeat(99)}🔌 Plaza` };
  const { name } = settledCdr({ ...exampleCdr, cdr_location }).location;
  expect(name).toBe(`${'x'.repeat(99)}🔌`);
});

test('a tax is the place\'s whatever the rounding of two totals did to it, in every currency', () => {
  const places = [['BC', 5n * 1000n], ['ON', 13_000n], ['NS', 15_000n], ['QC', 14_975n]] as const;
  const currencies = [['CAD', 2], ['JPY', 0], ['KWD', 3]] as const;
  fc.assert(fc.property(
    fc.constantFrom(...places), fc.constantFrom(...currencies), fc.bigInt(0n, 99_999_999n),
    ([state, rate], [currency, digits], exact) => {
      // Five decimals more than are paid, rounded by hand: half up, for nothing is below zero.
      const rounded = (amount: bigint, scale: bigint) => (amount * 2n + scale) / (2n * scale);
      const told = (amount: bigint) => Number(`${amount}e-${digits}`);
      const excl = rounded(exact, 100_000n);
      const incl = rounded(exact * (100_000n + rate), 100_000n * 100_000n);
      const { taxes, remarks } = settledCdr({
        ...exampleCdr, currency, cdr_location: { ...exampleCdr.cdr_location, state },
        total_cost: { excl_vat: told(excl), incl_vat: told(incl) }, tariffs: tariff(Number(rate) / 1000),
      });
      expect(remarks).toEqual([]);
      expect(taxes.map(({ code }) => code)).not.toContain('VAT');
    },
  ), { examples: [[places[2], currencies[0], 1_073_493_264n], [places[3], currencies[1], 1_348_900n]], numRuns: 500 });
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

test.each([
  ['a part of the price', 10.25, [['GST', '5', '5.00', '0.25']]],
  ['all of it', 10.5, [['GST', '5', '10.00', '0.50']]],
  ['none of it', 10, []],
  ['more than there is', 10.62, [['VAT', '5', '10.00', '0.62']]],
])('where some components have no VAT, the tax is on what it was charged on: %s', (_, incl_vat, shown) => {
  const cdr = { ...exampleCdr, tariffs: tariff(5, undefined), total_cost: { excl_vat: 10, incl_vat } };
  const { taxes, remarks } = settledCdr(cdr);
  expect(taxes.map(({ code, rate, base, amount }) => [code, rate, base, amount])).toEqual(shown);
  expect(remarks).toEqual(incl_vat > 10.5 ? ['tax-differs-from-place'] : []);
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

test.each([
  ['a tariff of another rate', [13], 10.5, ['GST 5 10.00 0.50']],
  ['a tariff without a rate', [undefined], 10.5, ['GST 5 10.00 0.50']],
  ['a tariff of two rates', [5, 13], 10.5, ['GST 5 10.00 0.50']],
  ['a tax on a part of it', [undefined, 5], 10.2, ['GST 5 4.00 0.20']],
  ['what no one rate accounts for', [13], 12.5, ['VAT  10.00 2.50']],
])('what a driver pays carries the taxes of the place, where the operator has %s', (_, vats, incl_vat, shown) => {
  const cdr = { ...exampleCdr, tariffs: tariff(...vats), total_cost: { excl_vat: 3, incl_vat: 3.39 } };
  const taxes = driverTaxes(cdr, { currency: 'CAD', total_cost: { excl_vat: 10, incl_vat } });
  expect(taxes.map(({ code, rate, base, amount }) => [code, rate, base, amount].join(' '))).toEqual(shown);
});

test('of a CDR that tells no tax, what a driver pays carries the place\'s on what the plan adds', () => {
  const cdr = { ...exampleCdr, cdr_location: quebec, tariffs: tariff(13), total_cost: { excl_vat: 9.2 } };
  expect(driverTaxes(cdr, { currency: 'CAD', total_cost: { excl_vat: 10, incl_vat: 10.12 } })).toEqual([
    { code: 'GST', rate: '5', base: '0.80', amount: '0.04' }, { code: 'QST', rate: '9.975', base: '0.80', amount: '0.08' },
  ]);
});

test('a tax of a place without data has the base that its rate accounts for, if there is one', () => {
  const cdr_location = { ...exampleCdr.cdr_location, country: 'DEU', state: undefined } as CdrToSettle['cdr_location'];
  const taxOf = (incl_vat: number) =>
    settledCdr({ ...exampleCdr, cdr_location, tariffs: tariff(19, undefined), total_cost: { excl_vat: 10, incl_vat } }).taxes[0];
  expect(taxOf(11.9)).toEqual({ code: 'VAT', rate: '19', base: '10.00', amount: '1.90' });
  expect(taxOf(10.95)).toEqual({ code: 'VAT', rate: '19', base: '5.00', amount: '0.95' });
  expect(taxOf(12.5)).toEqual({ code: 'VAT', rate: '19', base: '10.00', amount: '2.50' });
});
