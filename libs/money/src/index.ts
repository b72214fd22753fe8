export { amountText, isCurrency, minorUnits, UnknownCurrency } from './currency.ts';
export { Decimal, type DecimalLike, decimal, InvalidDecimal, max, min, sum } from './decimal.ts';
export { type Rounding, roundQuotient } from './rounding.ts';
