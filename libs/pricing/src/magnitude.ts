import { Decimal, type DecimalLike, decimal } from '#money';

/** No meter, price or percentage means as much: whoever writes it has made a mistake. */
const MOST = 1e12;
const MOST_EXACT = Decimal.of(MOST);
export const TOO_MUCH = 'less than 1,000,000,000,000 expected';

export function isTooMuch(value: DecimalLike): boolean {
  if (typeof value === 'number') return Math.abs(value) >= MOST;
  return decimal(value).abs().compare(MOST_EXACT) >= 0;
}
