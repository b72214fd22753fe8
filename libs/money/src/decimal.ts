import { type Rounding, roundQuotient } from './rounding.ts';

/** What `decimal()` reads: a JSON number, decimal text, a whole number, or a ready Decimal. */
export type DecimalLike = Decimal | number | string | bigint;

/** The value is no decimal number, or is too long to be one of ours. */
export class InvalidDecimal extends Error {
  override readonly name = 'InvalidDecimal';
  readonly value: unknown;
  constructor(value: unknown) {
    super(`not a decimal number: ${String(value).slice(0, 60)}`);
    this.value = value;
  }
}

const POWERS: bigint[] = [1n];
for (let i = 1; i <= 64; i++) POWERS.push(POWERS[i - 1]! * 10n);

/** 10ⁿ, n ≥ 0. */
function power(n: number): bigint {
  return POWERS[n] ?? 10n ** BigInt(n);
}

/**
 * An exact decimal number: coefficient × 10⁻ˢᶜᵃˡᵉ. Immutable. Adding, subtracting and multiplying
 * never lose a digit; dividing and rounding only happen under a name (`roundTo`, `divide`).
 * Two equal values may differ in scale: compare with `equals`, never with `===`.
 */
export class Decimal {
  static readonly zero = new Decimal(0n, 0);
  static readonly one = new Decimal(1n, 0);

  readonly coefficient: bigint;
  /** ≥ 0: the digits after the point that the coefficient holds. */
  readonly scale: number;

  constructor(coefficient: bigint, scale: number) {
    this.coefficient = coefficient;
    this.scale = scale;
  }

  add(other: Decimal): Decimal {
    const shift = this.scale - other.scale;
    if (shift === 0) return new Decimal(this.coefficient + other.coefficient, this.scale);
    return shift > 0
      ? new Decimal(this.coefficient + other.coefficient * power(shift), this.scale)
      : new Decimal(this.coefficient * power(-shift) + other.coefficient, other.scale);
  }

  sub(other: Decimal): Decimal {
    return this.add(other.neg());
  }

  mul(other: Decimal): Decimal {
    return new Decimal(this.coefficient * other.coefficient, this.scale + other.scale);
  }

  neg(): Decimal {
    return new Decimal(-this.coefficient, this.scale);
  }

  abs(): Decimal {
    return this.coefficient < 0n ? this.neg() : this;
  }

  /** Negative, 0 or positive, as a sort function wants it. */
  compare(other: Decimal): number {
    const shift = this.scale - other.scale;
    const left = shift >= 0 ? this.coefficient : this.coefficient * power(-shift);
    const right = shift <= 0 ? other.coefficient : other.coefficient * power(shift);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  isZero(): boolean {
    return this.coefficient === 0n;
  }

  isNegative(): boolean {
    return this.coefficient < 0n;
  }

  /** The nearest value with at most `decimals` digits after the point. */
  roundTo(decimals: number, mode: Rounding): Decimal {
    if (this.scale <= decimals) return this;
    return new Decimal(
      roundQuotient(this.coefficient, power(this.scale - decimals), mode),
      decimals,
    );
  }

  /** this ÷ divisor with `decimals` digits after the point. A zero divisor is a RangeError. */
  divide(divisor: Decimal, decimals: number, mode: Rounding): Decimal {
    if (divisor.coefficient === 0n) throw new RangeError('division by zero');
    const sign = divisor.coefficient < 0n ? -1n : 1n;
    const shift = decimals + divisor.scale - this.scale;
    const numerator = sign * this.coefficient * (shift > 0 ? power(shift) : 1n);
    const denominator = sign * divisor.coefficient * (shift < 0 ? power(-shift) : 1n);
    return new Decimal(roundQuotient(numerator, denominator, mode), decimals);
  }

  /** The smallest multiple of `step` that is not below this value; `step` > 0. */
  ceilTo(step: Decimal): Decimal {
    if (step.coefficient <= 0n) throw new RangeError(`step ${step} is not positive`);
    const scale = Math.max(this.scale, step.scale);
    const value = this.coefficient * power(scale - this.scale);
    const unit = step.coefficient * power(scale - step.scale);
    return new Decimal(roundQuotient(value, unit, 'ceiling') * unit, scale);
  }

  /** Canonical text, JSON number text too: no exponent, no needless zeros, no negative zero. */
  toString(): string {
    if (this.scale === 0) return this.coefficient.toString();
    const text = this.toFixed(this.scale);
    let end = text.length;
    while (text.charCodeAt(end - 1) === 48) end--;
    return text.slice(0, text.charCodeAt(end - 1) === 46 ? end - 1 : end);
  }

  /** Text with exactly `decimals` digits after the point. RangeError rather than drop a digit. */
  toFixed(decimals: number): string {
    const exact = this.scale <= decimals ? this : this.roundTo(decimals, 'toward-zero');
    if (exact !== this && !exact.equals(this))
      throw new RangeError(`${this} has more than ${decimals} decimals`);
    const digits =
      (exact.coefficient < 0n ? -exact.coefficient : exact.coefficient) *
      power(decimals - exact.scale);
    const text = digits.toString().padStart(decimals + 1, '0');
    const sign = exact.coefficient < 0n ? '-' : '';
    return decimals === 0
      ? sign + text
      : `${sign}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
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
    const number = Number(this.toString());
    if (!decimal(number).equals(this)) throw new RangeError(`${this} has no exact JSON number`);
    return number;
  }

  /** The nearest binary float: for drawing and logging, never for reckoning. */
  toApproximate(): number {
    return Number(this.toString());
  }
}

/**
 * Reads a value exactly. Text follows JSON's number grammar (leading zeros pass). A JS number
 * stands for its shortest decimal text, which is what its JSON carried if that had at most 15
 * significant digits (17 where they are the shortest). Throws InvalidDecimal, also where the
 * number would need more than 400 digits.
 */
export function decimal(value: DecimalLike): Decimal {
  if (typeof value === 'number') return fromNumber(value);
  if (typeof value === 'string') return fromText(value);
  if (typeof value === 'bigint') return new Decimal(value, 0);
  if (value instanceof Decimal) return value;
  throw new InvalidDecimal(value);
}

export function sum(values: Iterable<Decimal>): Decimal {
  let total = Decimal.zero;
  for (const value of values) total = total.add(value);
  return total;
}

export function min(a: Decimal, b: Decimal): Decimal {
  return a.compare(b) <= 0 ? a : b;
}

export function max(a: Decimal, b: Decimal): Decimal {
  return a.compare(b) >= 0 ? a : b;
}

function fromNumber(value: number): Decimal {
  if (Number.isSafeInteger(value)) return new Decimal(BigInt(value), 0);
  // If m ÷ 10⁴ rounds to this very double and m has at most 15 digits, then m ÷ 10⁴ is its shortest
  // text: no two decimals of so few digits share a double. It saves the detour over a string.
  const scaled = Math.round(value * 1e4);
  if (scaled > -1e15 && scaled < 1e15 && scaled / 1e4 === value)
    return new Decimal(BigInt(scaled), 4);
  if (!Number.isFinite(value)) throw new InvalidDecimal(value);
  return fromText(String(value));
}

const DIGITS_MAX = 400;
const GRAMMAR = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

function fromText(text: string): Decimal {
  const short = fromShortText(text);
  if (short) return short;
  const match = text.length <= 2 * DIGITS_MAX ? GRAMMAR.exec(text) : null;
  if (!match) throw new InvalidDecimal(text);
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > DIGITS_MAX) throw new InvalidDecimal(text);
  const digits = BigInt(`${whole}${fraction}`) * (scale < 0 ? power(-scale) : 1n);
  return new Decimal(sign ? -digits : digits, Math.max(scale, 0));
}

/** The usual case, at most 15 digits and no exponent, without a regular expression. */
function fromShortText(text: string): Decimal | undefined {
  const negative = text.charCodeAt(0) === 45;
  const from = negative ? 1 : 0;
  if (text.length === from || text.length > from + 16) return undefined;
  let value = 0;
  let point = -1;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46 && point < 0 && i > from && i < text.length - 1) point = i;
    else if (code >= 48 && code <= 57) value = value * 10 + (code - 48);
    else return undefined;
  }
  if (point < 0 && text.length > from + 15) return undefined;
  return new Decimal(BigInt(negative ? -value : value), point < 0 ? 0 : text.length - 1 - point);
}
