import { Decimal, type DecimalLike, decimal } from '#money';

/** No meter, price or percentage means as much: whoever writes it has made a mistake. */
const MOST = 1e12;
const MOST_EXACT = Decimal.of(MOST);
const TOO_MUCH = 'less than 1,000,000,000,000 expected';
const NO_DECIMAL = 'a decimal number expected';

/** What a quantity, a price or a percentage breaks; undefined = nothing. */
export function ruleBrokenBy(value: DecimalLike): string | undefined {
  if (typeof value === 'number') {
    if (Math.abs(value) < MOST) return undefined;
    return Number.isFinite(value) ? TOO_MUCH : NO_DECIMAL;
  }
  try {
    return decimal(value).abs().compare(MOST_EXACT) < 0 ? undefined : TOO_MUCH;
  } catch {
    return NO_DECIMAL;
  }
}
