/**
 * The event store's port (DESIGN: "The event store"). On every store:
 * an append item is all or nothing, and items are independent of each other; an answer means the
 * events are on disk (memory excepted); the same event ids at the same expected version get the
 * first answer again; versions of a stream have no holes (1, 2, 3 …); positions are opaque and
 * grow, and a reader that follows them misses no event. Data only: no callbacks, no transactions.
 */
export interface EventStore {
  /**
   * The outcomes are in the order of the items. Items for one stream are taken in their order; those
   * of different streams in any. A conflict at the very version that was expected means that an
   * event's id is in the log already, elsewhere. Throws `AppendRefused` when a bound is broken.
   */
  append(items: readonly AppendItem[]): Promise<AppendOutcome[]>;
  /** A stream's events in order, from `fromVersion` (1 when absent). An unknown stream is empty. */
  read(stream: string, options?: { fromVersion?: number; limit?: number }): Promise<StoredEvent[]>;
  /** All events after a position, in position order; `NO_POSITION` reads from the first one. */
  readAll(after: bigint, limit: number): Promise<StoredEvent[]>;
  /** The event at the position, if there is one. */
  at(position: bigint): Promise<StoredEvent | undefined>;
  /** The newest event, if there is one. */
  last(): Promise<StoredEvent | undefined>;
  /**
   * Calls `handle` with batches in position order, first of what is stored after `after`, then of
   * what is appended later; resolves when the signal aborts or the store closes; rejects when
   * `handle` does.
   */
  subscribe(
    after: bigint,
    handle: (events: StoredEvent[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Answers what was taken, ends the followers, and refuses what comes later. */
  close(): Promise<void>;
}

export const NO_POSITION = 0n;

export interface NewEvent {
  /**
   * A UUID in lower case, unique for ever; derived from the command's id, so that a retry carries
   * the same ids.
   */
  readonly id: string;
  readonly type: string;
  /** JSON text, stored byte for byte. */
  readonly data: string;
  /** W3C traceparent of the work that decided it. */
  readonly trace?: string;
}

export interface AppendItem {
  readonly stream: string;
  /** The stream's version as the decider saw it; 0 = the stream does not exist. */
  readonly expected: number;
  readonly events: readonly NewEvent[];
}

export type AppendOutcome =
  | { readonly outcome: 'appended'; readonly version: number; readonly position: bigint }
  | { readonly outcome: 'conflict'; readonly version: number };

export interface StoredEvent extends NewEvent {
  readonly stream: string;
  readonly version: number;
  readonly position: bigint;
  /** When the store took it (wall clock, RFC 3339 UTC); for humans and retention, never for decisions. */
  readonly recordedAt: string;
}
