export { digitsOf, exactText, isCurrency, minorUnitsOf } from './currency.ts';
export { Decimal } from './decimal.ts';
export { type DecimalLike, decimal, InvalidDecimal, max, min, sum } from './parse.ts';
export { type Rounding } from './rounding.ts';
