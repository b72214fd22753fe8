import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal, decimal, sum } from '#money';
import { instant } from '#time';
import { CANADA, type Jurisdiction } from './canada.ts';
import { jurisdictionOf } from './place.ts';
import { splitTax } from './split.ts';
import { combinedRate, taxesAt, taxesOn } from './taxes.ts';

const shown = (country: string, state: string | undefined, at: string, postal_code?: string) =>
  taxesAt({ country, state, postal_code }, instant(at))?.map(({ code, rate }) => `${code} ${rate}`);

test.each([
  ['BC', ['GST 5']],
  ['ON', ['HST 13']],
  ['QC', ['GST 5', 'QST 9.975']],
  ['NS', ['HST 14']],
  ['NB', ['HST 15']],
  ['NL', ['HST 15']],
  ['PE', ['HST 15']],
  ['AB', ['GST 5']],
  ['MB', ['GST 5']],
  ['SK', ['GST 5']],
  ['YT', ['GST 5']],
  ['NT', ['GST 5']],
  ['NU', ['GST 5']],
])('a charge in %s in 2026 carries %j', (state, taxes) => {
  expect(shown('CAN', state, '2026-02-01T17:00:00Z')).toEqual(taxes);
});

test.each([
  ['Nova Scotia, a minute before its midnight', 'NS', '2025-04-01T02:59:00Z', ['HST 15']],
  ['Nova Scotia, from its midnight on', 'NS', '2025-04-01T03:00:00Z', ['HST 14']],
  ['New Brunswick before July 2016', 'NB', '2016-07-01T02:59:59Z', ['HST 13']],
  ['New Brunswick since July 2016', 'NB', '2016-07-01T03:00:00Z', ['HST 15']],
  ['Quebec, from the first midnight of 2013 on', 'QC', '2013-01-01T05:00:00Z', ['GST 5', 'QST 9.975']],
  ['Prince Edward Island in summer 2016', 'PE', '2016-08-01T12:00:00Z', ['HST 14']],
])('%s', (_, state, at, taxes) => {
  expect(shown('CAN', state, at)).toEqual(taxes);
});

test.each([
  ['CAN', 'Québec', undefined, 'CA-QC'],
  ['ca', 'ca-qc', undefined, 'CA-QC'],
  ['CAN', 'british  columbia', undefined, 'CA-BC'],
  ['CAN', 'Ont.', undefined, 'CA-ON'],
  ['CAN', undefined, 'V5G 3H2', 'CA-BC'],
  ['CAN', 'Nouvelle Écosse', undefined, 'CA-NS'],
  ['CAN', 'Newfoundland & Labrador', undefined, 'CA-NL'],
  ['CAN', 'Lower Mainland', 'V5G 3H2', 'CA-BC'],
  ['CAN', undefined, 'h2x 1y4', 'CA-QC'],
  ['CAN', undefined, undefined, undefined],
  ['DEU', 'BC', undefined, undefined],
])('%s, %s, %s is in %s', (country, state, postal_code, jurisdiction) => {
  expect(jurisdictionOf({ country, state, postal_code })).toBe(jurisdiction);
});

test('where there is no data, nothing is said: that is not a rate of zero', () => {
  expect(shown('DEU', undefined, '2026-01-01T00:00:00Z')).toBeUndefined();
  expect(taxesOn('CA-BC', '2012-01-01')).toBeUndefined();
});

test('every province has exactly one set of taxes on every day', () => {
  for (const [code, { taxes }] of Object.entries(CANADA)) {
    const days = [...new Set(taxes.flatMap(({ from, to }) => (to ? [from, to] : [from])))];
    for (const day of days) {
      const codes = taxesOn(code as Jurisdiction, day)?.map((tax) => tax.code);
      expect([['GST'], ['HST'], ['GST', 'QST']], `${code} on ${day}`).toContainEqual(codes);
    }
  }
});

test('the taxes of Quebec on 10.00 add up to the one VAT that OCPI has', () => {
  const taxes = taxesOn('CA-QC', '2026-01-01')!;
  expect(combinedRate(taxes).toString()).toBe('14.975');
  const parts = splitTax(decimal('1.50'), taxes, 2).map(({ amount }) => amount.toFixed(2));
  expect(parts).toEqual(['0.50', '1.00']);
});

test('the parts of a tax add up to it exactly, each within a unit of its share', () => {
  const rates = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 4 });
  const amounts = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
  fc.assert(
    fc.property(amounts, rates, fc.constantFrom(0, 2, 3), (units, thousandths, digits) => {
      const amount = new Decimal(units, digits);
      const taxes = thousandths.map((rate) => ({ rate: Decimal.of(rate, 3).toString() }));
      const parts = splitTax(amount, taxes, digits);
      expect(sum(parts.map((part) => part.amount)).equals(amount)).toBe(true);
      const whole = combinedRate(taxes);
      for (const { tax, amount: part } of parts) {
        const off = part.mul(whole).sub(amount.mul(decimal(tax.rate))).abs();
        expect(off.compare(whole.shift(-digits))).toBeLessThan(0);
      }
      const negated = splitTax(amount.neg(), taxes, digits);
      expect(negated.map((part) => part.amount.neg().toString())).toEqual(
        parts.map((part) => part.amount.toString()),
      );
    }),
  );
});

test('a tax that nothing accounts for is not split', () => {
  expect(() => splitTax(decimal('1'), [{ rate: '0' }], 2)).toThrow(RangeError);
  expect(() => splitTax(decimal('0.001'), [{ rate: '5' }], 2)).toThrow(RangeError);
  expect(splitTax(decimal('0'), [{ rate: '0' }], 2)).toHaveLength(1);
});
