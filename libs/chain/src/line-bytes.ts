/*
 * Reading a line byte by byte, where it lies: a verifier that made texts and buffers of every field would spend as much on
 * that as on hashing.
 */

/** Behind what stands there, if it is that; else −1. From −1 there is nothing. */
export function behind(line: Buffer, at: number, expected: Buffer): number {
  if (at < 0) return -1;
  for (let n = 0; n < expected.length; n += 1) if (line[at + n] !== expected[n]) return -1;
  return at + expected.length;
}

/** Where that next stands before `until`; else −1. From −1 there is nothing. */
export function nextPlace(line: Buffer, from: number, sought: Buffer, until: number): number {
  if (from < 0) return -1;
  const first = sought[0];
  for (let at = from; at <= until - sought.length; at += 1) if (line[at] === first && behind(line, at, sought) >= 0) return at;
  return -1;
}

const ZERO = 48;

/** Behind the decimal digits that stand there, at most so many, in the one spelling of their number; else −1. */
export function behindDigits(line: Buffer, from: number, most: number): number {
  if (from < 0) return -1;
  let at = from;
  while (line[at]! >= ZERO && line[at]! <= ZERO + 9) at += 1;
  const isNumber = at > from && at <= from + most && (line[from] !== ZERO || at === from + 1);
  return isNumber ? at : -1;
}

/** The number of those digits. */
export function numberOf(line: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + line[at]! - ZERO;
  return value;
}

const DIGITS = Buffer.from('0123456789abcdef');
const VALUES = new Int8Array(256).fill(-1);
for (const [value, digit] of DIGITS.entries()) VALUES[digit] = value;

/** Whether these bytes stand there in hex. */
export function isInHex(line: Buffer, at: number, bytes: Buffer): boolean {
  for (let n = 0; n < bytes.length; n += 1) {
    const byte = bytes[n]!;
    if (line[at + 2 * n] !== DIGITS[byte >> 4] || line[at + 2 * n + 1] !== DIGITS[byte & 15]) return false;
  }
  return true;
}

/** Takes over so many bytes that stand there in hex; false for what is no hex. */
export function takeHex(line: Buffer, at: number, into: Buffer, bytes: number): boolean {
  for (let n = 0; n < bytes; n += 1) {
    const high = VALUES[line[at + 2 * n] ?? 0]!;
    const low = VALUES[line[at + 2 * n + 1] ?? 0]!;
    if (high < 0 || low < 0) return false;
    into[n] = high * 16 + low;
  }
  return true;
}
