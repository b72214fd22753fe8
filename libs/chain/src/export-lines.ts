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
  /** Decimal digits. */
  readonly position: string;
  readonly recordedAt: string;
  /** Hex, as the line says. */
  readonly leaf: string;
  readonly link: string;
  /** Hex; undefined when the private part was erased, or never was. */
  readonly salt: string | undefined;
  /** All of it: the details reach to the texts; the private part lies behind them, then the entry. */
  readonly line: Buffer;
  readonly textsAt: number;
  readonly privateTo: number;
  readonly entryAt: number;
}

/** The bytes of the entry that a line holds. */
export function entryIn({ line, entryAt }: EntryLine): Buffer {
  return line.subarray(entryAt, line.length - 1);
}

export type ExportLine =
  | EntryLine
  | { readonly kind: 'head'; readonly signed: Signed }
  | { readonly kind: 'sum'; readonly sum: string }
  | { readonly kind: 'end'; readonly signed: Signed };

const BEFORE_ENTRY = Buffer.from(',"entry":');
/** Far enough for almost every line's beginning, and for every one. */
const REACHES = [480, 16_384];

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
  readonly entryBytes: number;
  readonly privateBytes: number;
  readonly position: string;
  readonly recordedAt: string;
  readonly leaf: string;
  readonly link: string;
  /** Hex; absent without a private part. */
  readonly salt: string | undefined;
  /** Where the stored texts begin. */
  readonly end: number;
}

const HEX = 64;
const N = '{"n":';
const BYTES = ',"bytes":[';
const POSITION = '],"position":"';
const RECORDED_AT = '","recorded_at":"';
const LEAF = '","leaf":"';
const LINK = '","link":"';

/**
 * What stands before the texts, by what is between the fields: one expression would take several
 * times as long. Hashes are compared and everything is summed, so only their places are checked.
 */
function beginningOf(text: string): Beginning | undefined {
  const nEnd = text.indexOf(BYTES, N.length);
  const entryEnd = text.indexOf(',', nEnd + BYTES.length);
  const bytesEnd = text.indexOf(POSITION, entryEnd);
  const positionEnd = text.indexOf(RECORDED_AT, bytesEnd);
  const leafAt = text.indexOf(LEAF, positionEnd) + LEAF.length;
  const linkAt = leafAt + HEX + LINK.length;
  if (!text.startsWith(N) || nEnd < 0 || bytesEnd < 0 || positionEnd < 0 || leafAt < positionEnd) return undefined;
  if (!text.startsWith(LINK, leafAt + HEX)) return undefined;
  const n = whole(text, N.length, nEnd);
  const entryBytes = whole(text, nEnd + BYTES.length, entryEnd);
  const privateBytes = whole(text, entryEnd + 1, bytesEnd);
  const positionAt = bytesEnd + POSITION.length;
  if (n < 0 || entryBytes < 0 || privateBytes < 0 || !isPosition(text, positionAt, positionEnd)) return undefined;
  const { salt, end } = privateIn(text, linkAt + HEX);
  if (end < 0) return undefined;
  return {
    n,
    entryBytes,
    privateBytes,
    position: text.slice(positionAt, positionEnd),
    recordedAt: text.slice(positionEnd + RECORDED_AT.length, leafAt - LEAF.length),
    leaf: text.slice(leafAt, leafAt + HEX),
    link: text.slice(linkAt, linkAt + HEX),
    salt,
    end,
  };
}

/** A number of at most 10 digits in the one spelling that it has; else −1. */
function whole(text: string, from: number, to: number): number {
  if (to <= from || to > from + 10 || (text.charCodeAt(from) === ZERO && to > from + 1)) return -1;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const ZERO = 48;

function isPosition(text: string, from: number, to: number): boolean {
  if (to <= from || to > from + 19 || text.charCodeAt(from) === ZERO) return false;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
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
  const { n, position, recordedAt, leaf, link, entryBytes, privateBytes, salt, end } = begin;
  const from = line.length - 1 - entryBytes;
  const until = salt === undefined ? from : from - BEFORE_ENTRY.length;
  const fits =
    until === end + privateBytes &&
    (salt !== undefined) === privateBytes > 0 &&
    line[line.length - 1] === 125 &&
    (salt === undefined || line.compare(BEFORE_ENTRY, 0, BEFORE_ENTRY.length, until, from) === 0);
  if (!fits) throw new StrangeLine('its texts have not the lengths that it says');
  if (salt !== undefined && (salt.length === 0 || salt.length > SALT_DIGITS_MAX))
    throw new StrangeLine('its salt has not the length of one');
  const places = { line, textsAt: end, privateTo: until, entryAt: from };
  return { kind: 'entry', n, position, recordedAt, leaf, link, salt, ...places };
}

const SALT_DIGITS_MAX = 128;

/** Heads, sums and the end have one spelling, so that no byte of them can be another. */
function readShort(line: Buffer): ExportLine {
  const text = line.toString();
  const { head, sum, end, signature } = parsed(text) as Record<string, unknown>;
  if (typeof sum === 'string' && text === JSON.stringify({ sum })) return { kind: 'sum', sum };
  if (typeof signature === 'string') {
    if (typeof head === 'string' && text === JSON.stringify({ head, signature }))
      return { kind: 'head', signed: { text: head, signature } };
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
  const [, contract, tokenParty, token] = PRIVATE_KEYS.exec(line.line.toString('utf8', 0, line.textsAt)) ?? [];
  return {
    n: line.n,
    position: BigInt(line.position),
    recordedAt: line.recordedAt,
    leaf: Buffer.from(line.leaf, 'hex'),
    link: Buffer.from(line.link, 'hex'),
    text: entryIn(line).toString(),
    private: line.salt === undefined ? undefined : {
      contractKey: JSON.parse(contract!) as string,
      tokenParty: JSON.parse(tokenParty!) as string,
      tokenKey: JSON.parse(token!) as string,
      salt: Buffer.from(line.salt, 'hex'),
      text: unembedded(line.line.toString('utf8', line.textsAt, line.privateTo)),
    },
  };
}
