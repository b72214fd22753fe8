import type { Queryable, Tx } from '#postgres';
import { currentTraceparent } from '#telemetry';

/** Something to do at a time: a delivery, a charger's command, a timer. */
export interface Due {
  /** The same id again is the same thing again, and adds nothing. */
  readonly id: string;
  /** What is in order: of one key one thing at a time, the earliest `at` first. */
  readonly key: string;
  /** Which handler does it. */
  readonly kind: string;
  /** Epoch ms by the platform's clock. */
  readonly at: number;
  /** Anything that JSON can carry; the handler gets it back parsed. */
  readonly body: unknown;
}

/** One that is not done yet, as people see it. */
export interface OpenDue extends Due {
  readonly attempts: number;
  readonly lastError: string | undefined;
}

/**
 * Adds to what is due, with the caller's transaction; tell the worker (`wake`) after the commit.
 */
export async function addDue(tx: Queryable, due: Due): Promise<void> {
  await tx.query({ name: 'due-add', text: 'SELECT due_add($1, $2, $3, $4, $5, $6)' }, [
    due.id,
    due.key,
    due.kind,
    JSON.stringify(due.body ?? null),
    Math.ceil(due.at),
    currentTraceparent() ?? null,
  ]);
}

/**
 * There is something, or something more, to do for each of these: an id has one row however often it
 * is roused. One that is done is open again; one that is being done is done once more after that. A
 * pause that its worker asked for in real time stands.
 */
export async function rouseDue(
  tx: Queryable,
  kind: string,
  at: number,
  rows: readonly Pick<Due, 'id' | 'key' | 'body'>[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.query({ name: 'due-rouse', text: 'SELECT due_rouse($1, $2, $3, $4::json[], $5, $6)' }, [
    rows.map(({ id }) => id),
    rows.map(({ key }) => key),
    kind,
    rows.map(({ body }) => JSON.stringify(body ?? null)),
    Math.ceil(at),
    currentTraceparent() ?? null,
  ]);
}

/**
 * The same with the COMMIT: where many transactions rouse the same keys, workers would find them locked all the time, for as
 * long as whoever rouses is busy with something else.
 */
export function rouseAtCommit(tx: Tx, kind: string, at: number, rows: readonly Pick<Due, 'id' | 'key' | 'body'>[]): void {
  if (rows.length === 0) return;
  tx.atCommit(
    `SELECT due_rouse(array_agg(one->>'id'), array_agg(one->>'key'), $2, array_agg(one->'body'), $3, nullif($4, ''))
      FROM json_array_elements($1) AS one`,
    [JSON.stringify(rows.map(({ id, key, body }) => ({ id, key, body: body ?? null }))), kind, String(Math.ceil(at)), currentTraceparent() ?? ''],
  );
}

const OPEN_MOST = 100;

/** What is still to be done for a key, in its order: the first hundred. */
export async function openDue(db: Queryable, key: string): Promise<OpenDue[]> {
  const { rows } = await db.query<
    Omit<OpenDue, 'at' | 'lastError'> & { at: bigint; lastError: string | null }
  >(
    `SELECT id, key, kind, body, at, attempts, last_error AS "lastError" FROM due
      WHERE key = $1 AND done_at IS NULL ORDER BY due.at, n LIMIT $2`,
    [key, OPEN_MOST],
  );
  return rows.map(({ at, lastError, ...row }) => ({
    ...row,
    at: Number(at),
    lastError: lastError ?? undefined,
  }));
}
