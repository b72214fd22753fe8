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
}

/** The text to store for an event: its heading first, in this one order. */
export function entryText({ id, stream, version }: Place, event: Content): string {
  const { type, ledger, private: sealed, ...rest } = event;
  return JSON.stringify({
    place: { id, stream, version },
    type,
    ledger,
    ...(sealed && { private: { id: sealed.id, mac: sealed.mac } }),
    ...rest,
  });
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const TEXT = '"(?:[^"\\\\]|\\\\.)*"';
const HEADING = new RegExp(
  `^\\{"place":\\{"id":"(${UUID})","stream":(${TEXT}),"version":(\\d+)\\},"type":(${TEXT}),"ledger":(${TEXT})` +
    `(?:,"private":\\{"id":"(${UUID})","mac":"([0-9a-f]{64})"\\})?[,}]`,
);

/** Far enough for almost every heading, and for every one. */
const REACHES = [600, 8_192];

/** The heading of an entry, read without reading the rest; undefined for what is no entry. */
export function readHeading(entry: string | Buffer): Heading | undefined {
  for (const reach of REACHES) {
    const found = HEADING.exec(beginning(entry, reach));
    if (found) return headingOf(found);
    if (entry.length <= reach) return undefined;
  }
  return undefined;
}

function beginning(entry: string | Buffer, reach: number): string {
  if (typeof entry === 'string') return entry.slice(0, reach);
  return entry.toString('utf8', 0, Math.min(reach, entry.length));
}

function headingOf(found: RegExpExecArray): Heading | undefined {
  const [, id = '', stream = '', version = '', type = '', ledger = '', privateId, mac] = found;
  try {
    return {
      place: { id, stream: text(stream), version: Number(version) },
      type: text(type),
      ledger: text(ledger),
      ...(privateId !== undefined && mac !== undefined ? { private: { id: privateId, mac } } : {}),
    };
  } catch {
    // An escape that JSON does not know.
    return undefined;
  }
}

function text(json: string): string {
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}
