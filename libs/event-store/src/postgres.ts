import { setTimeout as delay } from 'node:timers/promises';
import { type Database, DatabaseFailure, type Statement } from '#postgres';
import { Batches } from './batches.ts';
import { AppendRefused, checkItems, checkReadLimit } from './bounds.ts';
import { follow, Head } from './follow.ts';
import { appendCall, type AppendedRow, outcomesOf } from './postgres-append.ts';
import type { AppendItem, AppendOutcome, EventStore, StoredEvent } from './port.ts';
import { Tail } from './tail.ts';

/** Chosen by libs/event-store/bench: more lanes or larger batches bring nothing. */
const LANES = 2;
const BATCH = { events: 2_000, bytes: 2 * 1024 * 1024 };

const POLL_MS = { shortest: 5, longest: 1_000 };
const RETRY_MS = [50, 500, 2_000];

/**
 * The port on PostgreSQL, in the schema of `db`, which `eventStoreMigrations` has prepared. It uses
 * at most two connections for appending; `db` stays the caller's to close, after the store.
 */
export function postgresEventStore(db: Database): EventStore {
  return new PostgresEventStore(db);
}

const COLUMNS = '"position", stream, version, id, type, data, trace, recorded_at AS "recordedAt"';
const READ: Statement = {
  name: 'event_store_read',
  text: `SELECT ${COLUMNS} FROM events WHERE stream = $1 AND version >= $2 ORDER BY version LIMIT $3`,
};
const READ_ALL: Statement = {
  name: 'event_store_read_all',
  text: `SELECT ${COLUMNS} FROM events WHERE "position" > $1 ORDER BY "position" LIMIT $2`,
};
const AT: Statement = {
  name: 'event_store_at',
  text: `SELECT ${COLUMNS} FROM events WHERE "position" = $1`,
};
const LAST: Statement = {
  name: 'event_store_last',
  text: `SELECT ${COLUMNS} FROM events ORDER BY "position" DESC LIMIT 1`,
};
const HEAD: Statement = {
  name: 'event_store_head',
  text: 'SELECT max("position") AS "position" FROM events',
};

const PAGE = 1_000;

type Row = StoredEvent & { readonly trace: string | null };

class PostgresEventStore implements EventStore {
  private readonly batches = new Batches((items) => this.send(items), BATCH, LANES);
  private readonly head = new Head();
  private readonly tail = new Tail((after, limit) => this.readAll(after, limit));
  private readonly closing = new AbortController();
  private polling: Promise<void> | undefined;

  constructor(private readonly db: Database) {}

  async append(items: readonly AppendItem[]): Promise<AppendOutcome[]> {
    return this.batches.append(items, checkItems(items));
  }

  async read(stream: string, options: { fromVersion?: number; limit?: number } = {}): Promise<StoredEvent[]> {
    if (options.limit !== undefined) checkReadLimit(options.limit);
    const events: StoredEvent[] = [];
    let left = options.limit ?? Number.MAX_SAFE_INTEGER;
    let from = options.fromVersion ?? 1;
    for (;;) {
      const page = await this.select(READ, [stream, from, Math.min(left, PAGE)]);
      events.push(...page);
      left -= page.length;
      from += page.length;
      if (page.length < PAGE || left === 0) return events;
    }
  }

  async readAll(after: bigint, limit: number): Promise<StoredEvent[]> {
    checkReadLimit(limit);
    return this.select(READ_ALL, [after, limit]);
  }

  async at(position: bigint): Promise<StoredEvent | undefined> {
    return (await this.select(AT, [position]))[0];
  }

  async last(): Promise<StoredEvent | undefined> {
    return (await this.select(LAST, []))[0];
  }

  async subscribe(
    after: bigint,
    handle: (events: StoredEvent[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.closing.signal.aborted) throw new AppendRefused('store-closed', 'store');
    const until = AbortSignal.any([signal, this.closing.signal]);
    const store = {
      readAll: (position: bigint, limit: number) => patiently(() => this.tail.read(position, limit), until),
      newsAfter: (position: bigint) => this.newsAfter(position, until),
    };
    try {
      await follow(store, after, handle, until);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.batches.close();
    await this.polling;
  }

  /** The same ids at the same expected version are the same append: it may be sent again. */
  private async send(items: readonly AppendItem[]): Promise<AppendOutcome[]> {
    const call = appendCall(items);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { rows } = await this.db.query<AppendedRow>(call.statement, call.values);
        const { outcomes, newest, events } = outcomesOf(rows, call);
        this.tail.offer(events);
        this.head.saw(newest);
        return outcomes;
      } catch (error) {
        const wait = RETRY_MS[attempt];
        if (!isConnectionTrouble(error) || wait === undefined) throw error;
        await delay(wait);
      }
    }
  }

  private async select(statement: Statement, values: readonly unknown[]): Promise<StoredEvent[]> {
    const { rows } = await this.db.query<Row>(statement, values);
    return rows.map(({ trace, ...event }) => (trace === null ? event : { ...event, trace }));
  }

  private newsAfter(position: bigint, signal: AbortSignal): Promise<void> {
    const news = this.head.after(position, signal);
    if (this.head.isAwaited) this.polling ??= this.poll();
    return news;
  }

  /** Other processes append too: one question for all who wait here, the less often the less happens. */
  private async poll(): Promise<void> {
    const { signal } = this.closing;
    let wait = POLL_MS.shortest;
    while (this.head.isAwaited && !signal.aborted) {
      await delay(wait, undefined, { signal }).catch(() => {});
      if (!this.head.isAwaited || signal.aborted) break;
      const newest = await this.newest();
      const isNews = newest !== undefined && this.head.saw(newest);
      wait = isNews ? POLL_MS.shortest : Math.min(wait * 2, POLL_MS.longest);
    }
    this.polling = undefined;
  }

  private async newest(): Promise<bigint | undefined> {
    try {
      return (await this.db.query<{ position: bigint | null }>(HEAD, [])).rows[0]?.position ?? 0n;
    } catch {
      // Whoever waits finds out by reading; a poll has nobody to tell.
      return undefined;
    }
  }
}

class Stopped extends Error {}

/** A follower outlives a restart of the server. */
async function patiently<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let wait = 50; ; wait = Math.min(wait * 2, 2_000)) {
    try {
      return await read();
    } catch (error) {
      if (signal.aborted) throw new Stopped();
      if (!isConnectionTrouble(error)) throw error;
      await delay(wait, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw new Stopped();
    }
  }
}

function isConnectionTrouble(error: unknown): boolean {
  return error instanceof DatabaseFailure
    && (error.failure === 'connection-lost' || error.failure === 'no-connection');
}
