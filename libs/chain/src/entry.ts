import { behind, nextPlace } from './line-bytes.ts';

/**
 * What an entry is: the text of one event. It begins with where it stands in the log, so that the
 * hash over the text also covers what an event is found by; the rest is the event's own business.
 */
export interface Place {
  /** The event's id, a UUID. */
  readonly id: string;
  readonly stream: string;
  /** 1, 2, 3 … in its stream. */
  readonly version: number;
}

/** What every entry says, whatever it is about. */
export interface Heading {
  readonly place: Place;
  readonly type: string;
  /** The party whose chain it is in: `CA*BCT`. */
  readonly ledger: string;
  readonly private?: Sealed;
}

/** What an entry says of its private part. */
export interface Sealed {
  /** The private row's id, a UUID. */
  readonly id: string;
  /** HMAC-SHA-256(salt, private text), hex. */
  readonly mac: string;
}

interface Content {
  readonly type: string;
  readonly ledger: string;
  readonly private?: Sealed;
  /** Of an entry that the event was made from: not taken over. */
  readonly place?: Place;
}

/** The text to store for an event: its heading first, in this one order. */
export function entryText({ id, stream, version }: Place, event: Content): string {
  const { type, ledger, private: sealed, place: _, ...rest } = event;
  return JSON.stringify({
    place: { id, stream, version },
    type,
    ledger,
    ...(sealed && { private: { id: sealed.id, mac: sealed.mac } }),
    ...rest,
  });
}

/** The seals of a ledger's entries, where they lie in lines. */
export class Seals {
  private readonly ledger: Buffer;
  /** How far behind its beginning an entry names its ledger: most do where the one before did. */
  private usual = 0;

  constructor(ledger: string) {
    this.ledger = Buffer.from(`${LEDGER}${ledger}",`);
  }

  /**
   * The mac of the entry from one byte of a line to another, '' when it has no private part. Undefined when its heading
   * has to be read: it may be of another ledger, or no entry.
   */
  macIn(line: Buffer, from: number, to: number): string | undefined {
    if (behind(line, from, FIRST_BYTES) < 0) return undefined;
    let next = behind(line, from + this.usual, this.ledger);
    if (next < 0) {
      const at = nextPlace(line, from, this.ledger, Math.min(from + SEAL_REACH, to));
      if (at < 0) return undefined;
      this.usual = at - from;
      next = at + this.ledger.length;
    }
    const sealAt = behind(line, next - 1, SEAL_BYTES);
    if (sealAt < 0) return '';
    const macAt = behind(line, sealAt + UUID_LENGTH, MAC_BYTES);
    const macTo = macAt + MAC_LENGTH;
    return macAt < 0 || behind(line, macTo, SEAL_END_BYTES) < 0 ? undefined : line.toString('latin1', macAt, macTo);
  }
}

/** What of an entry is looked at first for its seal: the heading of almost every one. */
const SEAL_REACH = 400;
const MAC_LENGTH = 64;
const LEDGER = '","ledger":"';

/** Far enough for almost every heading, and for every one. */
const REACHES = [600, 8_192];

/** The heading of an entry, read without reading the rest; undefined for what is no entry. */
export function readHeading(entry: string | Buffer): Heading | undefined {
  for (const reach of REACHES) {
    const found = headingIn(beginning(entry, reach));
    if (found) return found;
    if (entry.length <= reach) return undefined;
  }
  return undefined;
}

function beginning(entry: string | Buffer, reach: number): string {
  if (typeof entry === 'string') return entry.slice(0, reach);
  return entry.toString('utf8', 0, Math.min(reach, entry.length));
}

const FIRST = '{"place":{"id":"';
const FIRST_BYTES = Buffer.from(FIRST);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_LENGTH = 36;
const MAC = /^[0-9a-f]{64}$/;

/**
 * By what stands between the fields, not by one expression, which would take several times as long.
 * A text in JSON has no quote that is not escaped, so that no field can hold what follows it.
 */
function headingIn(text: string): Heading | undefined {
  if (!text.startsWith(FIRST)) return undefined;
  const idEnd = FIRST.length + UUID_LENGTH;
  const id = text.slice(FIRST.length, idEnd);
  const stream = fieldAfter(text, idEnd, '","stream":"', '","version":');
  const version = stream && fieldAfter(text, stream.end, '","version":', '},"type":"');
  const type = version && fieldAfter(text, version.end, '},"type":"', '","ledger":"');
  const ledger = type && fieldAfter(text, type.end, '","ledger":"', '"');
  if (!ledger || !/^\d{1,10}$/.test(version.text) || !UUID.test(id)) return undefined;
  const sealed = sealIn(text, ledger.end + 1);
  const after = text.charAt(sealed?.end ?? ledger.end + 1);
  if (after !== ',' && after !== '}') return undefined;
  try {
    return {
      place: { id, stream: plain(stream.text), version: Number(version.text) },
      type: plain(type.text),
      ledger: plain(ledger.text),
      ...(sealed && { private: { id: sealed.id, mac: sealed.mac } }),
    };
  } catch {
    // An escape that JSON does not know.
    return undefined;
  }
}

interface Field {
  readonly text: string;
  readonly end: number;
}

function fieldAfter(text: string, at: number, before: string, behind: string): Field | undefined {
  if (!text.startsWith(before, at)) return undefined;
  const from = at + before.length;
  const end = text.indexOf(behind, from);
  return end < 0 ? undefined : { text: text.slice(from, end), end };
}

const SEAL = ',"private":{"id":"';
const SEAL_MAC = '","mac":"';
const SEAL_END = '"}';
const [SEAL_BYTES, MAC_BYTES, SEAL_END_BYTES] = [SEAL, SEAL_MAC, SEAL_END].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

function sealIn(text: string, at: number): (Sealed & { readonly end: number }) | undefined {
  if (!text.startsWith(SEAL, at)) return undefined;
  const idAt = at + SEAL.length;
  const macAt = idAt + UUID_LENGTH + SEAL_MAC.length;
  const [id, mac] = [text.slice(idAt, idAt + UUID_LENGTH), text.slice(macAt, macAt + 64)];
  const isWhole =
    text.startsWith(SEAL_MAC, idAt + UUID_LENGTH) && text.startsWith(SEAL_END, macAt + 64) && UUID.test(id) && MAC.test(mac);
  return isWhole ? { id, mac, end: macAt + 64 + SEAL_END.length } : undefined;
}

function plain(json: string): string {
  return json.includes('\\') ? (JSON.parse(`"${json}"`) as string) : json;
}
