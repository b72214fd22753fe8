import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDecimals, shiftDecimal } from './decimal-text.ts';

test.each([
  ['7.25', 3, '7250'],
  ['0.1', 0, '0.1'],
  ['007', 0, '7'],
  ['12.3400', 0, '12.34'],
  ['.5', 3, '500'],
  ['5.', 0, '5'],
  ['-0.001', 3, '-1'],
  ['+3', 0, '3'],
  [' 42 ', 0, '42'],
  ['1.5E2', 0, '150'],
  ['15e-1', 3, '1500'],
  ['0', 3, '0'],
  ['-0', 0, '0'],
])('%s moved by %i places is %s', (text, places, expected) => {
  expect(shiftDecimal(text, places)).toBe(expected);
});

test.each([
  '',
  '.',
  'abc',
  '1,5',
  '0x10',
  '1e999',
  'NaN',
  'Infinity',
  '1 2',
  '9'.repeat(41),
  '--1',
])('%j is no decimal number', (text) => {
  expect(shiftDecimal(text, 0)).toBeUndefined();
});

test('phases are added exactly', () => {
  expect(addDecimals(['0.1', '0.2', '0.3'])).toBe('0.6');
  expect(addDecimals([])).toBe('0');
});

test('moving the point agrees with an independent decimal library', () => {
  const Wide = Decimal.clone({ precision: 60, toExpNeg: -100, toExpPos: 100 });
  const numbers = fc.tuple(
    fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
    fc.integer({ min: 0, max: 12 }),
  );
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 6 }), ([digits, scale], places) => {
      const text = new Wide(digits.toString()).div(new Wide(10).pow(scale)).toString();
      const expected = new Wide(text).mul(new Wide(10).pow(places)).toString();
      expect(shiftDecimal(text, places)).toBe(expected === '-0' ? '0' : expected);
    }),
    { numRuns: 500, seed: 20220201 },
  );
});
