import { type ExportedEntry, type ExportHeader, unembedded } from './export-format.ts';
import type { Signed } from './head.ts';

/** An entry of the log has at most 512 kB and a private part less; a longer line is none of ours. */
const LINE_BYTES_MAX = 4 * 1024 * 1024;

/** A line that no export has; `message` says why. */
export class StrangeLine extends Error {
  override readonly name = 'StrangeLine';
}

/** The lines of a file, many at a time, without their newlines. Each is valid until the next call. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Buffer[]> {
  let rest: Buffer | undefined;
  for await (const chunk of chunks) {
    let bytes = asBuffer(chunk);
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      const line = bytes.subarray(from, end);
      lines.push(rest ? Buffer.concat([rest, line]) : line);
      rest = undefined;
      from = end + 1;
    }
    if (lines.length > 0) yield lines;
    bytes = bytes.subarray(from);
    if (bytes.length > 0) rest = rest ? Buffer.concat([rest, bytes]) : Buffer.from(bytes);
    if (rest && rest.length > LINE_BYTES_MAX) throw new StrangeLine(`a line has more than ${LINE_BYTES_MAX} bytes`);
  }
  if (rest) yield [rest];
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An entry's line, its texts where they lie. */
export interface EntryLine {
  readonly kind: 'entry';
  readonly n: number;
  readonly position: bigint;
  readonly recordedAt: string;
  /** Hex, as the line says. */
  readonly leaf: string;
  readonly link: string;
  readonly details: Buffer;
  readonly entry: Buffer;
  /** Absent when it was erased, or never was. */
  readonly private: { readonly salt: Buffer; readonly body: Buffer } | undefined;
}

export type ExportLine =
  | EntryLine
  | { readonly kind: 'head'; readonly signed: Signed; readonly details: Buffer }
  | { readonly kind: 'sum'; readonly sum: string }
  | { readonly kind: 'end'; readonly signed: Signed };

const BEFORE_ENTRY = Buffer.from(',"entry":');
/** Far enough for almost every line's beginning, and for every one. */
const REACHES = [700, 16_384];

/** One line behind the first. Throws StrangeLine. */
export function readLine(line: Buffer): ExportLine {
  if (line[2] !== LETTER_N) return readShort(line);
  for (const reach of REACHES) {
    // A character for each byte, so that lengths are lengths of bytes.
    const found = beginningOf(line.toString('latin1', 0, Math.min(reach, line.length)));
    if (found) return readEntry(line, found);
  }
  throw new StrangeLine('it does not begin as an entry does');
}

const LETTER_N = 'n'.charCodeAt(0);

interface Beginning {
  readonly n: number;
  readonly bytes: { readonly entry: number; readonly private: number };
  readonly position: bigint;
  readonly recordedAt: string;
  readonly leaf: string;
  readonly link: string;
  /** Hex; absent without a private part. */
  readonly salt: string | undefined;
  /** Where the stored texts begin. */
  readonly end: number;
}

/**
 * What stands before the texts, by what is between the fields: one expression would take several
 * times as long. Hashes are compared and everything is summed, so only their places are checked.
 */
function beginningOf(text: string): Beginning | undefined {
  const fields: string[] = [];
  let at = 0;
  for (let k = 0; k < BETWEEN.length; k += 1) {
    const before = BETWEEN[k]!;
    if (!text.startsWith(before, at)) return undefined;
    at += before.length;
    const end = k + 1 < BETWEEN.length ? text.indexOf(BETWEEN[k + 1]!, at) : at + 64;
    if (end < 0) return undefined;
    fields.push(text.slice(at, end));
    at = end;
  }
  const [n, entry, part, position, recordedAt, leaf, link] = fields as [string, string, string, string, string, string, string];
  const numbers = { n: Number(n), entry: Number(entry), private: Number(part) };
  if (!isWritten(n, numbers.n) || !isWritten(entry, numbers.entry) || !isWritten(part, numbers.private)) return undefined;
  if (!/^\d{1,19}$/.test(position)) return undefined;
  const { salt, end } = privateIn(text, at);
  if (end < 0) return undefined;
  const bytes = { entry: numbers.entry, private: numbers.private };
  return { n: numbers.n, bytes, position: BigInt(position), recordedAt, leaf, link, salt, end };
}

const BETWEEN = ['{"n":', ',"bytes":[', ',', '],"position":"', '","recorded_at":"', '","leaf":"', '","link":"'];

/** In the one spelling that a number has. */
function isWritten(text: string, number: number): boolean {
  return Number.isSafeInteger(number) && String(number) === text;
}

function privateIn(text: string, at: number): { salt: string | undefined; end: number } {
  const none = '","entry":';
  if (text.startsWith(none, at)) return { salt: undefined, end: at + none.length };
  if (!text.startsWith('","contract":"', at)) return { salt: undefined, end: -1 };
  const before = '","salt":"';
  const from = text.indexOf(before, at) + before.length;
  const behind = '","private":';
  const end = text.indexOf(behind, from);
  if (from < before.length || end < 0) return { salt: undefined, end: -1 };
  return { salt: text.slice(from, end), end: end + behind.length };
}

function readEntry(line: Buffer, begin: Beginning): EntryLine {
  const { n, position, recordedAt, leaf, link, bytes, salt, end } = begin;
  const from = line.length - 1 - bytes.entry;
  const until = salt === undefined ? from : from - BEFORE_ENTRY.length;
  const fits =
    until === end + bytes.private &&
    (salt !== undefined) === bytes.private > 0 &&
    line[line.length - 1] === 125 &&
    (salt === undefined || line.compare(BEFORE_ENTRY, 0, BEFORE_ENTRY.length, until, from) === 0);
  if (!fits) throw new StrangeLine('its texts have not the lengths that it says');
  return {
    kind: 'entry',
    n,
    position,
    recordedAt,
    leaf,
    link,
    details: line.subarray(0, end),
    entry: line.subarray(from, line.length - 1),
    private: salt === undefined ? undefined : { salt: saltOf(salt), body: line.subarray(end, until) },
  };
}

function saltOf(hex: string): Buffer {
  const salt = Buffer.from(hex, 'hex');
  if (salt.length === 0 || salt.length > 64 || salt.length * 2 !== hex.length) throw new StrangeLine('its salt is no hex');
  return salt;
}

/** Heads, sums and the end have one spelling, so that no byte of them can be another. */
function readShort(line: Buffer): ExportLine {
  const text = line.toString();
  const { head, sum, end, signature } = parsed(text) as Record<string, unknown>;
  if (typeof sum === 'string' && text === JSON.stringify({ sum })) return { kind: 'sum', sum };
  if (typeof signature === 'string') {
    if (typeof head === 'string' && text === JSON.stringify({ head, signature }))
      return { kind: 'head', signed: { text: head, signature }, details: line };
    if (typeof end === 'string' && text === JSON.stringify({ end, signature }))
      return { kind: 'end', signed: { text: end, signature } };
  }
  throw new StrangeLine('it is neither an entry nor a head, a sum or the end');
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new StrangeLine('it is no JSON object');
}

/** The first line. Throws StrangeLine. */
export function readHeader(line: Buffer): ExportHeader {
  const given = parsed(line.toString()) as Record<string, unknown>;
  const { roamwatt_ledger_export, ledger, name, time_zone, tzdb, keys, entries, at } = given;
  if (roamwatt_ledger_export !== 1) throw new StrangeLine('this is no export of a ledger, or one of another version');
  const texts = [ledger, name, time_zone, tzdb, at];
  const isKeys = Array.isArray(keys) && keys.every((key) => typeof key === 'string');
  if (!texts.every((text) => typeof text === 'string') || !isKeys || !Number.isSafeInteger(entries))
    throw new StrangeLine('its first line is not complete');
  return { ledger, name, timeZone: time_zone, tzdb, keys, entries, at } as ExportHeader;
}

const PRIVATE_KEYS = new RegExp(`,"contract":("(?:[^"\\\\]|\\\\.)*"),"token_party":("(?:[^"\\\\]|\\\\.)*"),"token":("(?:[^"\\\\]|\\\\.)*"),"salt":`);

/** Everything that an entry's line holds, for whoever writes it down again. */
export function exportedEntry(line: EntryLine): ExportedEntry {
  const [, contract, tokenParty, token] = PRIVATE_KEYS.exec(line.details.toString()) ?? [];
  return {
    n: line.n,
    position: line.position,
    recordedAt: line.recordedAt,
    leaf: Buffer.from(line.leaf, 'hex'),
    link: Buffer.from(line.link, 'hex'),
    text: line.entry.toString(),
    private: line.private && {
      contractKey: JSON.parse(contract!) as string,
      tokenParty: JSON.parse(tokenParty!) as string,
      tokenKey: JSON.parse(token!) as string,
      salt: line.private.salt,
      text: unembedded(line.private.body.toString()),
    },
  };
}
