import { type Rounding, roundQuotient, roundSafeQuotient } from './rounding.ts';

const POWERS: bigint[] = [1n];
for (let i = 1; i <= 64; i++) POWERS.push(POWERS[i - 1]! * 10n);

/** 10ⁿ, n ≥ 0. */
function power(n: number): bigint {
  return POWERS[n] ?? 10n ** BigInt(n);
}

const SAFE_POWERS: readonly number[] = Array.from({ length: 16 }, (_, n) => 10 ** n);

const isSafe = Number.isSafeInteger;

/** A number × 10ⁿ; NaN where that is no safe integer. */
function safely(value: number, n: number): number {
  const scaled = n < SAFE_POWERS.length ? value * SAFE_POWERS[n]! : Number.NaN;
  return isSafe(scaled) ? scaled : Number.NaN;
}

/**
 * An exact decimal number: coefficient × 10⁻ˢᶜᵃˡᵉ. Immutable. Adding, subtracting and multiplying
 * never lose a digit; dividing and rounding only happen under a name (`roundTo`, `divide`).
 * Two equal values may differ in scale: compare with `equals`, never with `===`.
 *
 * A coefficient that is a safe integer is kept as a number, any other one as a bigint. Whole numbers
 * are reckoned with exactly as long as the result is a safe integer too: where it is not, the same
 * is done again with bigints, which takes ten times as long.
 */
export class Decimal {
  static readonly zero = new Decimal(0, 0);
  static readonly one = new Decimal(1, 0);

  private readonly digits: number | bigint;
  /** ≥ 0: the digits after the point that the coefficient holds. */
  readonly scale: number;

  /** RangeError where a number is no integer. */
  constructor(coefficient: bigint | number, scale: number) {
    this.digits = isSafe(coefficient) ? (coefficient as number) + 0 : shortest(BigInt(coefficient));
    this.scale = scale;
  }

  /** coefficient × 10⁻ˢᶜᵃˡᵉ. RangeError where a number is no integer. */
  static of(coefficient: bigint | number, scale = 0): Decimal {
    return new Decimal(coefficient, scale);
  }

  get coefficient(): bigint {
    return BigInt(this.digits);
  }

  add(other: Decimal): Decimal {
    const a = this.digits;
    const b = other.digits;
    const shift = this.scale - other.scale;
    if (typeof a === 'number' && typeof b === 'number') {
      const sum = shift >= 0 ? a + safely(b, shift) : safely(a, -shift) + b;
      if (isSafe(sum)) return new Decimal(sum, shift >= 0 ? this.scale : other.scale);
    }
    const { coefficient } = other;
    return shift >= 0
      ? new Decimal(this.coefficient + coefficient * power(shift), this.scale)
      : new Decimal(this.coefficient * power(-shift) + coefficient, other.scale);
  }

  sub(other: Decimal): Decimal {
    return this.add(other.neg());
  }

  mul(other: Decimal): Decimal {
    const a = this.digits;
    const b = other.digits;
    const product = typeof a === 'number' && typeof b === 'number' ? a * b : Number.NaN;
    return new Decimal(isSafe(product) ? product : this.coefficient * other.coefficient, this.scale + other.scale);
  }

  /** this × 10ⁿ. */
  shift(n: number): Decimal {
    if (n <= this.scale) return new Decimal(this.digits, this.scale - n);
    const shifted = typeof this.digits === 'number' ? safely(this.digits, n - this.scale) : Number.NaN;
    if (isSafe(shifted)) return new Decimal(shifted, 0);
    return new Decimal(this.coefficient * power(n - this.scale), 0);
  }

  neg(): Decimal {
    return new Decimal(-this.digits, this.scale);
  }

  abs(): Decimal {
    return this.digits < 0 ? this.neg() : this;
  }

  /** Negative, 0 or positive, as a sort function wants it. */
  compare(other: Decimal): number {
    const shift = this.scale - other.scale;
    const a = this.digits;
    const b = other.digits;
    if (typeof a === 'number' && typeof b === 'number') {
      const left = shift >= 0 ? a : safely(a, -shift);
      const right = shift <= 0 ? b : safely(b, shift);
      if (isSafe(left) && isSafe(right)) return left < right ? -1 : left > right ? 1 : 0;
    }
    const left = shift >= 0 ? this.coefficient : this.coefficient * power(-shift);
    const right = shift <= 0 ? other.coefficient : other.coefficient * power(shift);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  isZero(): boolean {
    return this.digits === 0;
  }

  isNegative(): boolean {
    return this.digits < 0;
  }

  /** The nearest value with at most `decimals` digits after the point. */
  roundTo(decimals: number, mode: Rounding): Decimal {
    return this.scale <= decimals ? this : this.divide(Decimal.one, decimals, mode);
  }

  /** this ÷ divisor with `decimals` digits after the point. A zero divisor is a RangeError. */
  divide(divisor: Decimal, decimals: number, mode: Rounding): Decimal {
    if (divisor.isZero()) throw new RangeError('division by zero');
    if (divisor.isNegative()) return this.neg().divide(divisor.neg(), decimals, mode);
    const shift = decimals + divisor.scale - this.scale;
    const a = this.digits;
    const b = divisor.digits;
    if (typeof a === 'number' && typeof b === 'number') {
      const numerator = shift > 0 ? safely(a, shift) : a;
      const denominator = shift < 0 ? safely(b, -shift) : b;
      if (isSafe(numerator) && isSafe(denominator)) return new Decimal(roundSafeQuotient(numerator, denominator, mode), decimals);
    }
    const numerator = shift > 0 ? this.coefficient * power(shift) : this.coefficient;
    const denominator = shift < 0 ? divisor.coefficient * power(-shift) : divisor.coefficient;
    return new Decimal(roundQuotient(numerator, denominator, mode), decimals);
  }

  /** What is left of this value above the multiple of `step` next to it toward zero; `step` > 0. */
  remainder(step: Decimal): Decimal {
    if (step.digits <= 0) throw new RangeError(`step ${step} is not positive`);
    const shift = this.scale - step.scale;
    const a = this.digits;
    const b = step.digits;
    if (typeof a === 'number' && typeof b === 'number') {
      const value = shift >= 0 ? a : safely(a, -shift);
      const unit = shift > 0 ? safely(b, shift) : b;
      if (isSafe(value) && isSafe(unit)) return new Decimal(value % unit, shift >= 0 ? this.scale : step.scale);
    }
    return shift >= 0
      ? new Decimal(this.coefficient % (step.coefficient * power(shift)), this.scale)
      : new Decimal((this.coefficient * power(-shift)) % step.coefficient, step.scale);
  }

  /** Canonical text, JSON number text too: no exponent, no needless zeros, no negative zero. */
  toString(): string {
    if (this.scale === 0) return this.digits.toString();
    const text = this.toFixed(this.scale);
    let end = text.length;
    while (text.charCodeAt(end - 1) === 48) end--;
    return text.slice(0, text.charCodeAt(end - 1) === 46 ? end - 1 : end);
  }

  /** Text with exactly `decimals` digits after the point. RangeError rather than drop a digit. */
  toFixed(decimals: number): string {
    const exact = this.roundTo(decimals, 'toward-zero');
    if (exact !== this && !exact.equals(this)) {
      throw new RangeError(`${this} has more than ${decimals} decimals`);
    }
    const digits = exact.abs().coefficient * power(decimals - exact.scale);
    const text = digits.toString().padStart(decimals + 1, '0');
    const sign = exact.isNegative() ? '-' : '';
    if (decimals === 0) return sign + text;
    return `${sign}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
  }

  /** Across our own boundaries an amount is a decimal string. */
  toJSON(): string {
    return this.toString();
  }

  /**
   * The number whose JSON text denotes exactly this value, for protocols that want JSON numbers.
   * RangeError where no double does: 15 significant digits always pass, 18 hardly ever.
   */
  toJsonNumber(): number {
    const text = this.toString();
    const number = Number(text);
    if (plainText(number) === text) return number;
    throw new RangeError(`${text} has no exact JSON number`);
  }

  /** The nearest binary float: for drawing and logging, never for reckoning. */
  toApproximate(): number {
    return Number(this.toString());
  }
}

/** As a number where that is exact. */
function shortest(coefficient: bigint): number | bigint {
  const isSafeBig = coefficient >= Number.MIN_SAFE_INTEGER && coefficient <= Number.MAX_SAFE_INTEGER;
  return isSafeBig ? Number(coefficient) : coefficient;
}

/** The shortest text of a number, without exponent: what `decimal()` takes it for. */
function plainText(number: number): string {
  const [mantissa, exponent] = String(number === 0 ? 0 : number).split('e') as [string, string?];
  if (exponent === undefined) return mantissa;
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole, fraction = ''] = mantissa.slice(sign.length).split('.') as [string, string?];
  const scale = fraction.length - Number(exponent);
  if (scale <= 0) return `${sign}${whole}${fraction}${'0'.repeat(-scale)}`;
  return `${sign}0.${(whole + fraction).padStart(scale, '0')}`;
}
