import { type ExportedEntry, type ExportHeader, unembedded } from './export-format.ts';
import type { Signed } from './head.ts';
import { behind, behindDigits, nextPlace, numberOf } from './line-bytes.ts';

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

/** From where to where in a line. */
export type Span = readonly [from: number, to: number];

/** An entry's line, all that it says where it lies. */
export interface EntryLine {
  readonly kind: 'entry';
  readonly n: number;
  /** All of it: the details reach to the texts; the private part lies behind them, then the entry. */
  readonly line: Buffer;
  /** Decimal digits. */
  readonly position: Span;
  readonly recordedAt: Span;
  /** Where 64 digits of hex stand. */
  readonly leafAt: number;
  readonly linkAt: number;
  /** Hex; undefined when the private part was erased, or never was. */
  readonly salt: Span | undefined;
  readonly textsAt: number;
  readonly privateTo: number;
  readonly entryAt: number;
}

/** The bytes of the entry that a line holds. */
export function entryIn({ line, entryAt }: EntryLine): Buffer {
  return line.subarray(entryAt, line.length - 1);
}

/** What a line says there. */
export function textIn({ line }: EntryLine, [from, to]: Span): string {
  return line.toString('latin1', from, to);
}

/** The leaf, or the link, that a line says. */
export function hashIn(line: EntryLine, which: 'leafAt' | 'linkAt'): string {
  return textIn(line, [line[which], line[which] + HEX]);
}

export type ExportLine =
  | EntryLine
  | { readonly kind: 'head'; readonly signed: Signed }
  | { readonly kind: 'sum'; readonly sum: string }
  | { readonly kind: 'end'; readonly signed: Signed };

/** One line behind the first. Throws StrangeLine. */
export function readLine(line: Buffer): ExportLine {
  return line[2] === LETTER_N ? readEntry(line) : readShort(line);
}

export const POSITION_DIGITS_MAX = 19;
const LETTER_N = 'n'.charCodeAt(0);
const HEX = 64;
/** Contracts and tokens have at most some hundred characters. */
const DETAILS_REACH = 16_384;
/** What a salt has, and might have. */
const SALT_DIGITS = 64;
const SALT_DIGITS_MAX = 128;

const [N, BYTES, COMMA, POSITION, RECORDED_AT, LEAF, LINK, CONTRACT, SALT, PRIVATE, ENTRY] = [
  '{"n":', ',"bytes":[', ',', '],"position":"', '","recorded_at":"', '","leaf":"', '","link":"', '","contract":"', '","salt":"',
  '","private":', '","entry":',
].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
const BEFORE_ENTRY = ENTRY.subarray(1);

/**
 * An entry by what stands between its fields: one expression would take several times as long.
 * Hashes are compared and everything is summed, so only their places are checked.
 */
function readEntry(line: Buffer): EntryLine {
  const reach = Math.min(line.length, DETAILS_REACH);
  const nAt = behind(line, 0, N);
  const nTo = behindDigits(line, nAt, 10);
  const entryBytesAt = behind(line, nTo, BYTES);
  const entryBytesTo = behindDigits(line, entryBytesAt, 10);
  const privateBytesAt = behind(line, entryBytesTo, COMMA);
  const privateBytesTo = behindDigits(line, privateBytesAt, 10);
  const positionAt = behind(line, privateBytesTo, POSITION);
  const positionTo = behindDigits(line, positionAt, POSITION_DIGITS_MAX);
  const recordedAt = behind(line, positionTo, RECORDED_AT);
  const recordedTo = nextPlace(line, recordedAt, LEAF, reach);
  const leafAt = behind(line, recordedTo, LEAF);
  const linkAt = behind(line, leafAt < 0 ? -1 : leafAt + HEX, LINK);
  if (linkAt < 0 || line[positionAt] === 48) throw new StrangeLine('it does not begin as an entry does');
  const entryAt = line.length - 1 - numberOf(line, entryBytesAt, entryBytesTo);
  const privateBytes = numberOf(line, privateBytesAt, privateBytesTo);
  const isPrivate = privateBytes > 0;
  const privateTo = isPrivate ? entryAt - BEFORE_ENTRY.length : entryAt;
  const textsAt = privateTo - privateBytes;
  const saltTo = textsAt - PRIVATE.length;
  const saltAt = isPrivate ? saltBefore(line, saltTo) : -1;
  const fits =
    line[line.length - 1] === 125 &&
    (isPrivate
      ? saltAt >= 0 && behind(line, saltTo, PRIVATE) === textsAt && behind(line, privateTo, BEFORE_ENTRY) === entryAt &&
        behind(line, linkAt + HEX, CONTRACT) >= 0
      : behind(line, linkAt + HEX, ENTRY) === textsAt);
  if (!fits) throw new StrangeLine('its texts have not the lengths that it says');
  const salt: Span | undefined = isPrivate ? [saltAt, saltTo] : undefined;
  const position: Span = [positionAt, positionTo];
  return {
    kind: 'entry', n: numberOf(line, nAt, nTo), line, position, recordedAt: [recordedAt, recordedTo],
    leafAt, linkAt, salt, textsAt, privateTo, entryAt,
  };
}

/** Where the salt that ends there begins, else −1. A text in JSON has no quote that is not escaped, so nothing else is it. */
function saltBefore(line: Buffer, to: number): number {
  for (let from = to - SALT_DIGITS; from < to; from += 1) if (behind(line, from - SALT.length, SALT) === from) return from;
  for (let from = to - SALT_DIGITS_MAX; from < to; from += 1) if (behind(line, from - SALT.length, SALT) === from) return from;
  return -1;
}

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

function rewritten(how: string): StrangeLine {
  return new StrangeLine(`${how}, as text editors and transfers as text write it: take the file as it was exported`);
}

/** The first line. Throws StrangeLine. */
export function readHeader(line: Buffer): ExportHeader {
  if (line[0] === 0xef) throw rewritten('it begins with a byte order mark');
  if (line.at(-1) === 13) throw rewritten('its lines end in CR LF');
  const given = parsed(line.toString()) as Record<string, unknown>;
  const { roamwatt_ledger_export, ledger, name, time_zone, tzdb, keys, entries, at } = given;
  if (roamwatt_ledger_export !== 1) throw new StrangeLine('this is no export of a ledger, or one of another version');
  const texts = [ledger, name, time_zone, tzdb, at];
  const isKeys = Array.isArray(keys) && keys.every((key) => typeof key === 'string');
  if (!texts.every((text) => typeof text === 'string') || !isKeys || !Number.isSafeInteger(entries))
    throw new StrangeLine('its first line is not complete');
  return { ledger, name, timeZone: time_zone, tzdb, keys, entries, at } as ExportHeader;
}

const PRIVATE_KEYS = new RegExp(
  `,"contract":("(?:[^"\\\\]|\\\\.)*"),"token_party":("(?:[^"\\\\]|\\\\.)*"),"token":("(?:[^"\\\\]|\\\\.)*"),"salt":`,
);

/** Everything that an entry's line holds, for whoever writes it down again. */
export function exportedEntry(line: EntryLine): ExportedEntry {
  const [, contract, tokenParty, token] = PRIVATE_KEYS.exec(line.line.toString('utf8', 0, line.textsAt)) ?? [];
  return {
    n: line.n,
    position: BigInt(textIn(line, line.position)),
    recordedAt: textIn(line, line.recordedAt),
    leaf: Buffer.from(hashIn(line, 'leafAt'), 'hex'),
    link: Buffer.from(hashIn(line, 'linkAt'), 'hex'),
    text: entryIn(line).toString(),
    private: line.salt === undefined ? undefined : {
      contractKey: JSON.parse(contract!) as string,
      tokenParty: JSON.parse(tokenParty!) as string,
      tokenKey: JSON.parse(token!) as string,
      salt: Buffer.from(textIn(line, line.salt), 'hex'),
      text: unembedded(line.line.toString('utf8', line.textsAt, line.privateTo)),
    },
  };
}
