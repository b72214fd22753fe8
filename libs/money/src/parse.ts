import { Decimal } from './decimal.ts';

/** What `decimal()` reads: a JSON number, decimal text, a whole number, or a ready Decimal. */
export type DecimalLike = Decimal | number | string | bigint;

/** The value is no decimal number, or is too long to be one of ours. */
export class InvalidDecimal extends Error {
  override readonly name = 'InvalidDecimal';
  readonly value: unknown;
  constructor(value: unknown) {
    // An object from JSON can have a toString of its own that is no function.
    const shown = typeof value === 'object' && value !== null ? 'an object' : String(value);
    super(`not a decimal number: ${shown.slice(0, 60)}`);
    this.value = value;
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
  if (typeof value === 'bigint') return Decimal.of(value);
  if (value instanceof Decimal) return value;
  throw new InvalidDecimal(value);
}

function fromNumber(value: number): Decimal {
  if (Number.isSafeInteger(value)) return Decimal.of(value);
  // If m ÷ 10ⁿ rounds to this very double and m has at most 15 digits, then m ÷ 10ⁿ is its shortest
  // text: no two decimals of so few digits share a double. It saves the detour over a string.
  const cents = Math.round(value * 1e2);
  if (cents > -1e15 && cents < 1e15 && cents / 1e2 === value) return Decimal.of(cents, 2);
  const scaled = Math.round(value * 1e4);
  if (scaled > -1e15 && scaled < 1e15 && scaled / 1e4 === value) return Decimal.of(scaled, 4);
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
  const digits = BigInt(`${whole}${fraction}`) * (scale < 0 ? 10n ** BigInt(-scale) : 1n);
  return Decimal.of(sign ? -digits : digits, Math.max(scale, 0));
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
  return Decimal.of(negative ? -value : value, point < 0 ? 0 : text.length - 1 - point);
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
