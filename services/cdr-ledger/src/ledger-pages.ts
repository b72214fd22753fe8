import { type LedgerRow, readHeading, type StoredEntry } from '#chain';
import type { EventStore } from '#event-store';
import type { Database } from '#postgres';
import { findPrivateParts } from './private-parts.ts';

const PAGE = 1_000;

/**
 * Before anything that may stand in the log: who puts an event in may give it a position below the
 * first.
 */
const BEFORE_ALL = -(2n ** 62n);

const AFTER_ALL = 2n ** 62n;

/** The log up to a position, or all of it, with the private parts that are left. */
export async function* entriesUpTo(
  db: Database,
  store: EventStore,
  end = AFTER_ALL,
): AsyncGenerator<StoredEntry> {
  for (let after = BEFORE_ALL; ;) {
    const page = (await store.readAll(after, PAGE)).filter(({ position }) => position <= end);
    // Bytes that are no entry any more have none: the chain tells what is wrong with them.
    const sealed = page.map(({ data }) => readHeading(data)?.private?.id);
    const found = await findPrivateParts(
      db,
      sealed.filter((id) => id !== undefined),
    );
    for (const [n, event] of page.entries())
      yield { ...event, private: found.get(sealed[n] ?? '') };
    if (page.length < PAGE) return;
    after = page.at(-1)!.position;
  }
}

/** The chain's rows up to a position, or all of them, in the log's order. */
export async function* chainUpTo(db: Database, end = AFTER_ALL): AsyncGenerator<LedgerRow> {
  for (let after = BEFORE_ALL; ;) {
    const { rows } = await db.query<LedgerRow>(
      `SELECT "position", ledger, entry, event_id AS "eventId", leaf, link FROM chain
       WHERE "position" > $1 AND "position" <= $2 ORDER BY "position" LIMIT $3`,
      [after, end, PAGE],
    );
    yield* rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.position;
  }
}

/** Whether the chain holds an event, at whatever place. */
export async function isChained(db: Database, eventId: string): Promise<boolean> {
  return (await db.query('SELECT 1 FROM chain WHERE event_id = $1', [eventId])).rowCount > 0;
}
