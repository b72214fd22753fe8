/** Codes that the bus itself answers with; a handler's `Rejected` travels under its own code. */
export type BusCode =
  /** The request does not parse, or its contract's `check` names what is missing. */
  | 'malformed'
  /** A bug in the handler: its stack is in the answering service's log, never on the wire. */
  | 'internal'
  /** The handler asked somebody else who did not answer, or its database. */
  | 'unanswered'
  /** More waits than the answering service holds; nothing was done. */
  | 'overloaded'
  /** Whoever asked has given up by when it could be begun; nothing was done. */
  | 'too-late'
  /** The answer has more than `LARGEST_ITEM_BYTES`; what was asked for may have been done. */
  | 'too-large';

/** The one asked said no: its `Rejected`, carried over the wire, or a `BusCode`. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly code: string,
    readonly detail: string,
  ) {
    super(detail === code || detail === '' ? code : `${code}: ${detail}`);
  }
}

/**
 * Nobody answered. `offline`: nobody was there to hear it, so nothing was done. `unknown`: no
 * answer in time; it may or may not have been done, so repeat with the same command id or look.
 */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
  constructor(
    readonly reason: 'offline' | 'unknown',
    readonly subject: string,
    /** The one who asks has no connection to the NATS server. */
    readonly isCutOff = false,
  ) {
    super(
      `${subject}: ${reason === 'offline' ? 'nobody is there to answer' : 'no answer in time'}`,
    );
  }
}

/** Whoever was asked is away or has too much to do: it may be asked again. */
export function passes(error: unknown): boolean {
  return error instanceof Unanswered || (error instanceof Refused && PASSING.has(error.code));
}

const PASSING = new Set<string>(['unanswered', 'overloaded', 'too-late'] satisfies BusCode[]);

/** What was asked for may have been done all the same: repeat it under its command id, or look. */
export function mayBeDone(error: unknown): boolean {
  return error instanceof Unanswered ? error.reason === 'unknown' : error instanceof Refused && UNCLEAR.has(error.code);
}

const UNCLEAR = new Set<string>(['internal', 'unanswered', 'too-large'] satisfies BusCode[]);

/** Whoever was asked said no to what was asked, and not that it is away, has too much to do or broke over it. */
export function saysNo(error: unknown): error is Refused {
  return error instanceof Refused && !passes(error) && !mayBeDone(error);
}

/** More than `LARGEST_ITEM_BYTES` in one request, answer or fact: cut it into pages. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
  constructor(
    readonly what: string,
    readonly bytes: number,
  ) {
    super(`${what} has ${bytes} bytes, more than ${LARGEST_ITEM_BYTES}: cut it into pages`);
  }
}

/** A NATS message carries 1 MB; the rest is for the envelope and the headers. */
export const LARGEST_ITEM_BYTES = 900_000;

/** What asking can end in. */
export type AskFailure = Refused | Unanswered | TooLarge;

export function isAskFailure(error: unknown): error is AskFailure {
  return error instanceof Refused || error instanceof Unanswered || error instanceof TooLarge;
}
