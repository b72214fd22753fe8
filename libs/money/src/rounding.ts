/**
 * How a value that lies between two representable ones becomes one of them. This file is the only
 * place in the product where a digit is dropped; whoever rounds says how by name.
 */
export type Rounding =
  'half-away-from-zero' | 'half-even' | 'away-from-zero' | 'toward-zero' | 'ceiling' | 'floor';

/** numerator ÷ denominator as a whole number. The denominator is positive. */
export function roundQuotient(numerator: bigint, denominator: bigint, mode: Rounding): bigint {
  const quotient = numerator / denominator;
  const rest = numerator - quotient * denominator;
  if (rest === 0n) return quotient;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const half = twice < denominator ? -1 : twice > denominator ? 1 : 0;
  const further = awayFromZero({ half, isOdd: (quotient & 1n) === 1n, isPositive: rest > 0n }, mode);
  return further ? quotient + (numerator < 0n ? -1n : 1n) : quotient;
}

/** The same of safe integers: remainder, difference and exact quotient of those lose nothing. */
export function roundSafeQuotient(numerator: number, denominator: number, mode: Rounding): number {
  const rest = numerator % denominator;
  const quotient = (numerator - rest) / denominator;
  if (rest === 0) return quotient;
  const half = Math.abs(rest) * 2 - denominator;
  const further = awayFromZero({ half, isOdd: quotient % 2 !== 0, isPositive: rest > 0 }, mode);
  return further ? quotient + (numerator < 0 ? -1 : 1) : quotient;
}

interface Rest {
  /** Negative, 0 or positive: less than half of a unit, half, or more. */
  readonly half: number;
  /** Of the whole number toward zero. */
  readonly isOdd: boolean;
  readonly isPositive: boolean;
}

function awayFromZero({ half, isOdd, isPositive }: Rest, mode: Rounding): boolean {
  switch (mode) {
    case 'half-away-from-zero':
      return half >= 0;
    case 'half-even':
      return half > 0 || (half === 0 && isOdd);
    case 'away-from-zero':
      return true;
    case 'toward-zero':
      return false;
    case 'ceiling':
      return isPositive;
    case 'floor':
      return !isPositive;
  }
}
