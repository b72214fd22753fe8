import type { Database, Queryable } from '#postgres';
import type { Replica } from './listening-rows.ts';
import { slotOf } from './subjects.ts';
import type { ToldRow } from './tell-source.ts';

/** A key that a listener stopped hearing, and why. */
export interface ParkedKey {
  readonly listener: string;
  /** The context that told. */
  readonly source: string;
  readonly key: string;
  /** What went wrong with the first of its facts. */
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly parkedAt: string;
  /** How many facts wait, the failed one included. */
  readonly facts: number;
}

/** The keys that are parked in a service's schema, longest first. */
export async function parkedKeys(db: Database): Promise<ParkedKey[]> {
  const { rows } = await db.query<ParkedKey>(
    `SELECT listener, source, key, (array_agg(reason ORDER BY position))[1] AS reason,
        min(parked_at) AS "parkedAt", count(*)::int AS facts
      FROM parked GROUP BY listener, source, key ORDER BY min(parked_at)`,
  );
  return rows;
}

/**
 * Has a parked key's facts handled again, in order; the listener that owns the key does it within a
 * third of its lease. A fact that fails again leaves the key parked, with the new reason.
 */
export async function replayParked(
  db: Database,
  { listener, source, key }: Pick<ParkedKey, 'listener' | 'source' | 'key'>,
): Promise<void> {
  await db.query(
    'UPDATE parked SET replay = true WHERE listener = $1 AND source = $2 AND key = $3',
    [listener, source, key],
  );
}

/** A listener that starts tries once more: a new release may have mended what they failed of. */
export async function replayAll(db: Database, { listener, source }: Replica): Promise<void> {
  await db.query('UPDATE parked SET replay = true WHERE listener = $1 AND source = $2 AND NOT replay', [listener, source]);
}

export async function park(
  on: Queryable,
  { listener, source }: Replica,
  rows: readonly ToldRow[],
  reason: string,
): Promise<void> {
  if (rows.length === 0) return;
  await on.query(
    `INSERT INTO parked (listener, source, position, slot, key, kind, id, fact, trace, at, reason)
      SELECT $1, $2, row.*, $11
      FROM unnest($3::bigint[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bytea[],
        $9::text[], $10::timestamptz[]) AS row`,
    [
      listener,
      source,
      rows.map((row) => row.position),
      rows.map((row) => slotOf(row.key)),
      rows.map((row) => row.key),
      rows.map((row) => row.kind),
      rows.map((row) => row.id),
      rows.map((row) => row.bytes),
      rows.map((row) => row.trace ?? null),
      rows.map((row) => row.at),
      reason,
    ],
  );
}

/** The keys of a range of slots that are parked. */
export async function parkedIn(
  db: Database,
  { listener, source }: Replica,
  slots: { from: number; to: number },
): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT DISTINCT key FROM parked
      WHERE listener = $1 AND source = $2 AND slot >= $3 AND slot < $4`,
    [listener, source, slots.from, slots.to],
  );
  return new Set(rows.map((row) => row.key));
}

/** The first parked fact of a key. */
export async function firstParked(
  db: Database,
  { listener, source }: Replica,
  key: string,
): Promise<ToldRow | undefined> {
  const { rows } = await db.query<Omit<ToldRow, 'trace'> & { trace: string | null }>(
    `SELECT position, id, key, kind, fact AS bytes, trace, at FROM parked
      WHERE listener = $1 AND source = $2 AND key = $3 ORDER BY position LIMIT 1`,
    [listener, source, key],
  );
  const [row] = rows;
  return row && { ...row, trace: row.trace ?? undefined };
}

export async function removeParked(
  on: Queryable,
  { listener, source }: Replica,
  position: bigint,
): Promise<void> {
  await on.query('DELETE FROM parked WHERE listener = $1 AND source = $2 AND position = $3', [
    listener,
    source,
    position,
  ]);
}

/** A replay came to an end at this fact. */
export async function stayParked(
  db: Database,
  { listener, source }: Replica,
  row: ToldRow,
  reason: string,
): Promise<void> {
  await db.query(
    `UPDATE parked SET replay = false, reason = CASE WHEN position = $4 THEN $5 ELSE reason END
      WHERE listener = $1 AND source = $2 AND key = $3`,
    [listener, source, row.key, row.position, reason],
  );
}
