import { expect, test } from 'vitest';
import { digitsOf, exactText, isCurrency } from './currency.ts';
import { decimal } from './parse.ts';

test.each([
  ['JPY', 0],
  ['CAD', 2],
  ['KWD', 3],
  ['CLF', 4],
  ['jpy', 0],
  ['XXQ', 2],
])('%s has %d decimals', (currency, digits) => {
  expect(digitsOf(currency)).toBe(digits);
});

test('ISO 4217 has its codes in capital letters', () => {
  expect(['CAD', 'cad', 'XXQ'].filter(isCurrency)).toEqual(['CAD']);
});

test('the codes of the platform’s own list that are in use are known', () => {
  const known = Intl.supportedValuesOf('currency').filter(isCurrency);
  expect(known.length).toBeGreaterThan(150);
});

test.each([
  ['1.2', 'CAD', '1.20'], ['0.5040', 'CAD', '0.504'], ['3.000', 'JPY', '3'], ['3.1', 'KWD', '3.100'], ['-1.005', 'XXY', '-1.005'], ['2', 'cad', '2.00'],
])('%s %s is exactly %s in the digits of its currency', (amount, currency, text) => {
  expect(exactText(decimal(amount), currency)).toBe(text);
});
