import { Decimal, decimal } from '#money';
import { combinedRate, type Tax } from './taxes.ts';

export interface TaxPart<T> {
  readonly tax: T;
  readonly amount: Decimal;
}

/**
 * An amount of tax as its taxes, in proportion to their rates, each with at most `digits` after the
 * point. The parts add up to the amount exactly (largest remainder, the earlier tax first); those
 * of a negative amount are those of the positive one, negated. RangeError where the amount has more
 * digits, there is no tax, or all rates are zero while the amount is not.
 */
export function splitTax<T extends Pick<Tax, 'rate'>>(
  amount: Decimal,
  taxes: readonly T[],
  digits: number,
): TaxPart<T>[] {
  if (amount.isNegative()) {
    return splitTax(amount.neg(), taxes, digits).map((part) => ({
      ...part,
      amount: part.amount.neg(),
    }));
  }
  amount.toFixed(digits);
  const whole = combinedRate(taxes);
  if (whole.isZero()) {
    if (!amount.isZero()) throw new RangeError(`${amount} cannot be split: no rate is above zero`);
    return taxes.map((tax) => ({ tax, amount }));
  }
  const unit = Decimal.of(1, digits);
  const parts = taxes.map((tax, index) => {
    const share = amount.mul(decimal(tax.rate));
    const floor = share.divide(whole, digits, 'floor');
    return { tax, index, amount: floor, rest: share.sub(floor.mul(whole)) };
  });
  let left = parts.reduce((rest, part) => rest.sub(part.amount), amount);
  for (const part of [...parts].sort((a, b) => b.rest.compare(a.rest) || a.index - b.index)) {
    if (left.isZero()) break;
    part.amount = part.amount.add(unit);
    left = left.sub(unit);
  }
  return parts.map(({ tax, amount: its }) => ({ tax, amount: its }));
}
