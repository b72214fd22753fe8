/**
 * Decimal numbers as text. Meter values are strings in 1.6 and end in bills: they are scaled by
 * moving the point, never through a binary float (S16-28, M-30).
 */
interface Decimal {
  readonly digits: bigint;
  /** value = digits / 10^scale */
  readonly scale: number;
}

const shape = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/;
const charsMax = 40;

function parse(text: string): Decimal | undefined {
  const trimmed = text.trim();
  if (trimmed.length > charsMax) return undefined;
  const match = shape.exec(trimmed);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return shift({ digits, scale: fraction.length }, Number(exponent));
}

function shift(value: Decimal, places: number): Decimal {
  const scale = value.scale - places;
  return scale >= 0
    ? { digits: value.digits, scale }
    : { digits: value.digits * 10n ** BigInt(-scale), scale: 0 };
}

function print({ digits, scale }: Decimal): string {
  const negative = digits < 0n;
  const all = (negative ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = all.slice(0, all.length - scale);
  const fraction = all.slice(all.length - scale).replace(/0+$/, '');
  return (negative ? '-' : '') + (fraction === '' ? whole : `${whole}.${fraction}`);
}

/**
 * `text` × 10^places in its shortest form, or `undefined` if it is no decimal number: ("7.25", 3) →
 * "7250".
 */
export function shiftDecimal(text: string, places: number): string | undefined {
  const value = parse(text);
  return value && print(shift(value, places));
}

/** The exact sum of decimal texts that `shiftDecimal` made. */
export function addDecimals(texts: readonly string[]): string {
  const values = texts.map((text) => parse(text) ?? { digits: 0n, scale: 0 });
  const scale = Math.max(0, ...values.map((value) => value.scale));
  const digits = values.reduce(
    (sum, value) => sum + value.digits * 10n ** BigInt(scale - value.scale),
    0n,
  );
  return print({ digits, scale });
}
