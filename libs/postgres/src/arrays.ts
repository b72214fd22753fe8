/**
 * One-dimensional PostgreSQL arrays in the binary form of the wire, for `unnest` in hot paths: `pg`
 * sends a Buffer as it is, while it would quote and escape an array of strings element by element.
 * Say the type in the statement: `$1::text[]`. Source: PostgreSQL's array_recv.
 */

const TEXT = 25;
const INT4 = 23;
const INT8 = 20;
const UUID = 2950;
const BYTEA = 17;

export function textArray(values: readonly (string | undefined)[]): Buffer {
  let size = 20;
  let absent = false;
  for (const value of values) {
    if (value === undefined) absent = true;
    size += 4 + (value === undefined ? 0 : Buffer.byteLength(value));
  }
  const buffer = Buffer.allocUnsafe(size);
  let at = writeHead(buffer, TEXT, values.length, absent);
  for (const value of values) {
    const length = value === undefined ? -1 : buffer.write(value, at + 4, 'utf8');
    buffer.writeInt32BE(length, at);
    at += 4 + Math.max(length, 0);
  }
  return buffer.subarray(0, at);
}

export function intArray(values: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafe(20 + values.length * 8);
  let at = writeHead(buffer, INT4, values.length, false);
  for (const value of values) {
    at = buffer.writeInt32BE(4, at);
    at = buffer.writeInt32BE(value, at);
  }
  return buffer.subarray(0, at);
}

export function bigintArray(values: readonly bigint[]): Buffer {
  const buffer = Buffer.allocUnsafe(20 + values.length * 12);
  let at = writeHead(buffer, INT8, values.length, false);
  for (const value of values) {
    at = buffer.writeInt32BE(8, at);
    at = buffer.writeBigInt64BE(value, at);
  }
  return buffer.subarray(0, at);
}

export function byteaArray(values: readonly Uint8Array[]): Buffer {
  const buffer = Buffer.allocUnsafe(20 + values.reduce((size, { length }) => size + 4 + length, 0));
  let at = writeHead(buffer, BYTEA, values.length, false);
  for (const value of values) {
    at = buffer.writeInt32BE(value.length, at);
    buffer.set(value, at);
    at += value.length;
  }
  return buffer.subarray(0, at);
}

/** `values` in the form 8-4-4-4-12. */
export function uuidArray(values: readonly string[]): Buffer {
  const buffer = Buffer.allocUnsafe(20 + values.length * 20);
  let at = writeHead(buffer, UUID, values.length, false);
  for (const value of values) {
    at = buffer.writeInt32BE(16, at);
    at += buffer.write(value.replaceAll('-', ''), at, 'hex');
  }
  return buffer.subarray(0, at);
}

/** Dimensions, "has nulls", element type, length, lower bound; an empty array has no dimension. */
function writeHead(buffer: Buffer, elementType: number, length: number, absent: boolean): number {
  buffer.writeInt32BE(length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(absent ? 1 : 0, 4);
  buffer.writeInt32BE(elementType, 8);
  if (length === 0) return 12;
  buffer.writeInt32BE(length, 12);
  return buffer.writeInt32BE(1, 16);
}
