import type { EventStore, StoredEvent } from '#event-store';
import type { Context } from './contract.ts';
import type { Fact } from './fact.ts';
import { kindOf } from './subjects.ts';

/** One told fact in its log. */
export interface ToldRow {
  /** Grows along the log; what lies between two positions of told facts is not told. */
  readonly position: bigint;
  /** Unique for ever. */
  readonly id: string;
  readonly key: string;
  /** thing.happened.v1 */
  readonly kind: string;
  readonly bytes: Uint8Array;
  /** W3C traceparent of what decided it. */
  readonly trace?: string | undefined;
  /** RFC 3339 UTC by the wall clock: when the log took it. */
  readonly at: string;
}

/** Some rows, and how far the log was read to find them. */
export interface ToldRows {
  readonly rows: readonly ToldRow[];
  readonly position: bigint;
  /** Nothing more was there to read. */
  readonly end: boolean;
}

/** A log that a context tells from: read by the relay, and again for listeners that come late. */
export interface TellSource {
  readonly context: Context;
  /** Reads at most `limit` entries of the log after a position. */
  readAfter(after: bigint, limit: number): Promise<ToldRows>;
  /**
   * Calls `handle` with what is there after a position and then with what comes, until the signal
   * aborts.
   */
  follow(
    after: bigint,
    handle: (rows: ToldRows) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /** The id of the fact at a position, if there is one. */
  idAt(position: bigint): Promise<string | undefined>;
  /** A position after which lies everything that the log took at or after the time. */
  positionBefore(time: Date): Promise<bigint>;
  /**
   * Removes what is older than the time and told again, whole, by a later fact; where that applies.
   */
  compact?(before: Date): Promise<void>;
}

/**
 * Tells a service's own decisions out of its log: `toTold` is a pure map from a private event to
 * what is told of it, if anything.
 */
export function fromEventStore(
  context: Context,
  store: EventStore,
  toTold: (event: StoredEvent) => Fact | undefined,
): TellSource {
  const rowsOf = (events: readonly StoredEvent[]): ToldRow[] =>
    events.flatMap((event) => {
      const fact = toTold(event);
      return fact ? [rowOf(context, fact, event)] : [];
    });
  return {
    context,
    async readAfter(after, limit) {
      const events = await store.readAll(after, limit);
      return {
        rows: rowsOf(events),
        position: events.at(-1)?.position ?? after,
        end: events.length < limit,
      };
    },
    follow: (after, handle, signal) =>
      store.subscribe(
        after,
        async (events) => {
          const last = events.at(-1);
          if (last) await handle({ rows: rowsOf(events), position: last.position, end: false });
        },
        signal,
      ),
    idAt: async (position) => (await store.at(position))?.id,
    positionBefore: (time) => positionBefore(store, time),
  };
}

function rowOf(context: Context, fact: Fact, event: StoredEvent): ToldRow {
  if (fact.contract.context !== context) {
    throw new TypeError(
      `${fact.contract.context} ${kindOf(fact.contract)} is told from the log of ${context}`,
    );
  }
  const { position, id, trace, recordedAt } = event;
  return {
    position,
    id,
    key: fact.key,
    kind: kindOf(fact.contract),
    bytes: fact.bytes,
    trace,
    at: recordedAt,
  };
}

/** Halves the positions, which need not follow each other; the store's times grow with them. */
async function positionBefore(store: EventStore, time: Date): Promise<bigint> {
  let before = 0n;
  let from = (await store.last())?.position ?? 0n;
  // Everything at or before `before` is older than the time; nothing after `from` is.
  while (before < from) {
    const middle = (before + from) / 2n;
    const [next] = await store.readAll(middle, 1);
    if (next && next.position <= from && Date.parse(next.recordedAt) < time.getTime()) {
      before = next.position;
    } else from = middle;
  }
  return before;
}
