import { type LedgerRow, readHeading, type StoredEntry } from '#chain';
import type { EventStore, StoredEvent } from '#event-store';
import type { Database, Statement } from '#postgres';
import { findPrivateParts } from './private-parts.ts';

const PAGE = 1_000;

/**
 * Before anything that may stand in the log: who puts an event in may give it a position below the
 * first.
 */
const BEFORE_ALL = -(2n ** 62n);

const AFTER_ALL = 2n ** 62n;

/**
 * The log up to a position, or all of it, with the private parts that are left; page by page. While
 * one is worked on, the private parts of the next one and the events behind that are fetched.
 */
export async function* entriesUpTo(
  db: Database,
  store: EventStore,
  end = AFTER_ALL,
): AsyncGenerator<StoredEntry[]> {
  const events = pages(
    (after) => store.readAll(after, PAGE),
    (page) => (page.length < PAGE || page.at(-1)!.position >= end ? undefined : page.at(-1)!.position),
  );
  let coming: Promise<StoredEntry[]> | undefined;
  for await (const page of events) {
    const ready = coming;
    coming = hushed(withPrivateParts(db, page.filter(({ position }) => position <= end)));
    if (ready) yield await ready;
  }
  if (coming) yield await coming;
}

async function withPrivateParts(db: Database, events: readonly StoredEvent[]): Promise<StoredEntry[]> {
  // Bytes that are no entry any more have none: the chain tells what is wrong with them.
  const sealed = events.map(({ data }) => readHeading(data)?.private?.id);
  const found = await findPrivateParts(db, sealed.filter((id) => id !== undefined));
  return events.map((event, n) => ({ ...event, private: found.get(sealed[n] ?? '') }));
}

/** The chain's rows up to a position, or all of them, in the log's order; page by page. */
export function chainUpTo(db: Database, end = AFTER_ALL): AsyncGenerator<LedgerRow[]> {
  return pages(
    async (after) => (await db.query<LedgerRow>(CHAIN_PAGE, [after, end, PAGE])).rows,
    (page) => (page.length < PAGE ? undefined : page.at(-1)!.position),
  );
}

const CHAIN_PAGE: Statement = {
  name: 'chain_page',
  text: `SELECT "position", ledger, entry, event_id AS "eventId", leaf, link FROM chain
         WHERE "position" > $1 AND "position" <= $2 ORDER BY "position" LIMIT $3`,
};

/** Each page is fetched while the one before it is worked on. `next`: behind which position, if any. */
async function* pages<Page>(
  read: (after: bigint) => Promise<Page>,
  next: (page: Page) => bigint | undefined,
): AsyncGenerator<Page> {
  for (let coming: Promise<Page> | undefined = read(BEFORE_ALL); coming;) {
    const page: Page = await coming;
    const after = next(page);
    coming = after === undefined ? undefined : hushed(read(after));
    yield page;
  }
}

/** Whoever awaits it later hears of its failure. */
export function hushed<T>(coming: Promise<T>): Promise<T> {
  coming.catch(() => {});
  return coming;
}

/** Whether the chain holds an event, at whatever place. */
export async function isChained(db: Database, eventId: string): Promise<boolean> {
  return (await db.query('SELECT 1 FROM chain WHERE event_id = $1', [eventId])).rowCount > 0;
}
