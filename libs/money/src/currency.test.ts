import { expect, test } from 'vitest';
import { amountText, exactText, isCurrency, minorUnits, UnknownCurrency } from './currency.ts';
import { decimal } from './parse.ts';

test.each([
  ['JPY', 0],
  ['CAD', 2],
  ['KWD', 3],
  ['CLF', 4],
])('%s has %d decimals', (currency, digits) => {
  expect(minorUnits(currency)).toBe(digits);
});

test('what is no currency is refused by name', () => {
  expect(isCurrency('XXQ')).toBe(false);
  expect(() => minorUnits('cad')).toThrow(UnknownCurrency);
});

test('the codes of the platform’s own list that are in use are known', () => {
  const known = Intl.supportedValuesOf('currency').filter(isCurrency);
  expect(known.length).toBeGreaterThan(150);
});

test('an amount is shown in the digits of its currency', () => {
  expect(amountText(decimal('1234.5'), 'CAD')).toBe('1234.50 CAD');
  expect(amountText(decimal('0.5'), 'JPY')).toBe('1 JPY');
  expect(amountText(decimal('-0.0005'), 'KWD')).toBe('-0.001 KWD');
  expect(amountText(decimal('0.125'), 'EUR', 'half-even')).toBe('0.12 EUR');
});

test.each([
  ['1.2', 'CAD', '1.20'], ['0.5040', 'CAD', '0.504'], ['3.000', 'JPY', '3'], ['3.1', 'KWD', '3.100'], ['-1.005', 'XXY', '-1.005'], ['2', 'cad', '2.00'],
])('%s %s is exactly %s in the digits of its currency', (amount, currency, text) => {
  expect(exactText(decimal(amount), currency)).toBe(text);
});
