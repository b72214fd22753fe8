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
  return awayFromZero(quotient, rest, denominator, mode)
    ? quotient + (numerator < 0n ? -1n : 1n)
    : quotient;
}

function awayFromZero(
  quotient: bigint,
  rest: bigint,
  denominator: bigint,
  mode: Rounding,
): boolean {
  const twice = (rest < 0n ? -rest : rest) * 2n;
  switch (mode) {
    case 'half-away-from-zero':
      return twice >= denominator;
    case 'half-even':
      return twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
    case 'away-from-zero':
      return true;
    case 'toward-zero':
      return false;
    case 'ceiling':
      return rest > 0n;
    case 'floor':
      return rest < 0n;
  }
}
