import type { EventStore, StoredEvent } from '#event-store';
import type { Database } from '#postgres';
import { type LedgerEvent, readEvent } from './ledger-event.ts';
import { findPrivateParts } from './private-parts.ts';
import { type LedgerRow, type StoredEntry } from './verify.ts';

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
    const sealed = page.map((event) => sealedId(event));
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

/** Undefined also for bytes that are no event any more: the chain tells what is wrong with them. */
function sealedId(event: StoredEvent): string | undefined {
  try {
    const read: LedgerEvent = readEvent(event);
    return 'private' in read && /^[0-9a-f-]{36}$/.test(read.private.id)
      ? read.private.id
      : undefined;
  } catch {
    return undefined;
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
