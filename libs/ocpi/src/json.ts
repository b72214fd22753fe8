/** Why a body is no JSON we read. */
export type JsonRefusal =
  | 'body-too-large' | 'not-json' | 'too-deep' | 'too-many-values' | 'number-too-precise' | 'name-twice' | 'unfit-text';

export type JsonReading =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly refusal: JsonRefusal; readonly message: string };

export interface JsonLimits {
  /** Of the UTF-8 bytes; 5 MB by default. */
  readonly maxBytes?: number;
  /** Objects and lists inside each other; 32 by default (OCPI itself needs 8). */
  readonly maxDepth?: number;
  /** Values in all objects and lists, as counted by commas and opening brackets; 100,000 by default. */
  readonly maxValues?: number;
  /** For a partner whose numbers have more digits than a double holds: take the nearest one. */
  readonly rounded?: boolean;
  /** Of an answer, which is taken object by object: the last of a name that stands twice, and any character. */
  readonly loose?: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * JSON from outside, bounded in size and depth. Every number is carried by its double exactly: its
 * digits are the double's shortest text (`decimalText`), so that money can be read from them. TYP-04.
 * A BOM is skipped. What it costs grows with the length alone, whatever somebody writes: brackets and
 * values are counted before a parser makes anything of them.
 */
export function parseJson(body: string | Uint8Array, limits: JsonLimits = {}): JsonReading {
  const { maxBytes = 5_000_000, maxDepth = 32, maxValues = 100_000, rounded = false, loose = false } = limits;
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (bytes > maxBytes) return refused('body-too-large', `the body has ${bytes} bytes, ${maxBytes} are read`);
  let text: string;
  let value: unknown;
  let seen: Seen;
  try {
    text = typeof body === 'string' ? body.replace(/^\ufeff/, '') : utf8.decode(body);
    seen = scan(text, { maxDepth, maxValues });
    if (seen.beyond === 'depth') return refused('too-deep', `the body is nested deeper than ${maxDepth}`);
    if (seen.beyond === 'values') return refused('too-many-values', `the body has more than ${maxValues} values`);
    value = JSON.parse(text);
  } catch (error) {
    return refused('not-json', error instanceof SyntaxError ? error.message : 'the body is not UTF-8');
  }
  if (seen.inexact && !rounded) {
    const literal = seen.inexact.slice(0, 40);
    return refused('number-too-precise', `the number ${literal} has more digits than are carried exactly`);
  }
  if (loose) return { ok: true, value, text };
  // Others that read the same text might take the first.
  if (seen.names > namesIn(value)) return refused('name-twice', 'a name stands twice in one object of the body');
  const unfit = unfitText(text);
  if (unfit !== undefined) return refused('unfit-text', `the body holds ${unfit}, which is no text`);
  return { ok: true, value, text };
}

function refused(refusal: JsonRefusal, message: string): JsonReading {
  return { ok: false, refusal, message };
}

/** An escape in JSON text that stands for no character of a text: NUL, or half a surrogate pair; undefined where there is none. */
export function unfitText(json: string): string | undefined {
  if (!json.includes('\\u')) return undefined;
  let high: { readonly escape: string; readonly end: number } | undefined;
  for (const { 0: escape, 1: hex, index } of json.matchAll(/\\(?:u([0-9a-f]{4})|.)/gi)) {
    const unit = hex === undefined ? -1 : parseInt(hex, 16);
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    if (high && !(isLow && high.end === index)) return high.escape;
    if (unit === 0 || (isLow && !high)) return escape;
    high = unit >= 0xd800 && unit <= 0xdbff ? { escape, end: index + escape.length } : undefined;
  }
  return high?.escape;
}

/** How many names all objects in a value have. */
function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) {
    for (const item of value) names += namesIn(item);
    return names;
  }
  for (const name of Object.keys(value)) names += 1 + namesIn((value as Record<string, unknown>)[name]);
  return names;
}

const quote = 34, minus = 45, zero = 48, nine = 57, backslash = 92;

/** What a character outside a string is to the scan: nothing, mostly. */
const PLAIN = 0, QUOTE = 1, OPENS = 2, CLOSES = 3, COMMA = 4, NUMBER = 5, COLON = 6;
const kinds = new Uint8Array(128);
for (const [chars, kind] of [['"', QUOTE], ['[{', OPENS], [']}', CLOSES], [',', COMMA], ['-0123456789', NUMBER], [':', COLON]] as const)
  for (const char of chars) kinds[char.charCodeAt(0)] = kind;

interface Seen {
  readonly beyond?: 'depth' | 'values';
  /** Of all objects, those that stand twice counted twice. */
  readonly names: number;
  /** The first number that a double does not carry. */
  readonly inexact?: string;
}

/** One pass over what may be JSON, outside its strings. */
function scan(text: string, { maxDepth, maxValues }: { maxDepth: number; maxValues: number }): Seen {
  let depth = 0;
  let values = 0;
  let names = 0;
  let inexact: string | undefined;
  for (let i = 0; i < text.length; i += 1) {
    const kind = kinds[text.charCodeAt(i)] ?? PLAIN;
    if (kind === PLAIN) continue;
    if (kind === QUOTE) {
      i = endOfString(text, i);
    } else if (kind === OPENS) {
      depth += 1;
      values += 1;
      if (depth > maxDepth) return { beyond: 'depth', names };
    } else if (kind === CLOSES) {
      depth -= 1;
    } else if (kind === COMMA) {
      values += 1;
    } else if (kind === COLON) {
      names += 1;
    } else {
      const end = endOfNumber(text, i);
      // Up to 15 digits without an exponent are always exact.
      const literal = end - i > 15 || hasExponent(text, i, end) ? text.slice(i, end) : undefined;
      if (inexact === undefined && literal !== undefined && !isExact(literal)) inexact = literal;
      i = end - 1;
    }
    if (values > maxValues) return { beyond: 'values', names };
  }
  return inexact === undefined ? { names } : { names, inexact };
}

/** Where a string ends; behind the text when it does not. */
function endOfString(text: string, start: number): number {
  for (let end = start + 1; end < text.length; end += 1) {
    const char = text.charCodeAt(end);
    if (char === quote) return end;
    if (char === backslash) end += 1;
  }
  return text.length;
}

/** The numerals, point, exponent and signs that a JSON number may hold. */
function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  for (; end < text.length; end += 1) {
    const char = text.charCodeAt(end);
    if (!(char >= zero && char <= nine) && char !== 46 && (char | 32) !== 101 && char !== 43 && char !== minus) break;
  }
  return end;
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) if ((text.charCodeAt(i) | 32) === 101) return true;
  return false;
}

/** Whether a decimal text and its double's shortest text are the same number. */
function isExact(literal: string): boolean {
  return canonical(literal) === canonical(String(Number(literal)));
}

/** Digits without zeros at either end, and the exponent of the last one. */
function canonical(text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts ?? [];
  const significant = (whole + fraction).replace(/^0+/, '');
  if (significant === '') return whole === '' ? text : '0';
  const digits = withoutTrailingZeros(significant);
  return `${sign}${digits}e${Number(exponent) - fraction.length + significant.length - digits.length}`;
}

/** A pattern anchored at the end alone would try every zero of a long number, and the rest from each. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === zero) end -= 1;
  return digits.slice(0, end);
}

/** A JSON number's value as plain decimal text, exactly: 1e-7 is "0.0000001". Throws on what is not finite. */
export function decimalText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no JSON number`);
  const text = String(value === 0 ? 0 : value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!parts) return text;
  const [, sign, first, rest = '', exponent] = parts;
  const digits = `${first}${rest}`;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}

/** Decimal text as the number that JSON will write with the same digits; throws when a double cannot carry them. */
export function jsonNumber(decimal: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(decimal)) throw new RangeError(`${decimal} is no decimal number`);
  if (!isExact(decimal)) throw new RangeError(`${decimal} has more digits than a JSON number carries exactly`);
  return Number(decimal) || 0;
}
