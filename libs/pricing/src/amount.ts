import { Decimal, type Rounding } from '#money';

const NINE = Decimal.of(9);

/**
 * An exact amount of money. A price per hour times a duration need not end in decimals (21 minutes
 * at 1.00 an hour do, 20 do not), but 3600 = 9 × 400: nine times the amount always does, and that
 * is what is kept.
 */
export class Amount {
  static readonly zero = new Amount(Decimal.zero);

  /** Nine times the amount. */
  readonly ninths: Decimal;

  constructor(ninths: Decimal) {
    this.ninths = ninths;
  }

  static of(amount: Decimal): Amount {
    return new Amount(amount.mul(NINE));
  }

  add(other: Amount): Amount {
    return new Amount(this.ninths.add(other.ninths));
  }

  sub(other: Amount): Amount {
    return new Amount(this.ninths.sub(other.ninths));
  }

  compare(other: Amount): number {
    return this.ninths.compare(other.ninths);
  }

  equals(other: Amount): boolean {
    return this.ninths.equals(other.ninths);
  }

  roundTo(decimals: number, mode: Rounding): Decimal {
    return this.ninths.divide(NINE, decimals, mode);
  }

  /** Decimal text: exact where the amount has an end, else its first 12 decimals, rounded. */
  toString(): string {
    const exact = this.ninths.divide(NINE, this.ninths.scale, 'toward-zero');
    if (exact.mul(NINE).equals(this.ninths)) return exact.toString();
    return this.roundTo(12, 'half-away-from-zero').toString();
  }

  toJSON(): string {
    return this.toString();
  }
}
