import type { Database, Queryable } from '#postgres';
import { SLOTS } from './subjects.ts';

/** Whose rows these are: one listener of one source, in this replica. */
export interface Replica {
  readonly listener: string;
  readonly source: string;
  /** Unique for ever. */
  readonly replica: string;
}

/** A group of slots that this replica owns. */
export interface OwnedGroup {
  /** As PostgreSQL writes it: `[0,16)`. */
  readonly slots: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly position: bigint;
  /** Grows with every owner. */
  readonly epoch: bigint;
}

/** A parked key that somebody wants replayed. */
export interface AskedReplay {
  readonly key: string;
  readonly slot: number;
}

/**
 * Makes the listener's groups, all at the beginning, unless they are there: the first split stays.
 */
export async function ensureGroups(
  db: Database,
  { listener, source }: Replica,
  groups: number,
): Promise<void> {
  if (!Number.isInteger(groups) || groups < 1 || groups > SLOTS) {
    throw new RangeError(`slotGroups is 1 to ${SLOTS}, not ${groups}`);
  }
  await db.tx(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('roamwatt listening'), hashtext($1))`, [
      `${listener} ${source}`,
    ]);
    const bounds = Array.from({ length: groups + 1 }, (_, index) =>
      Math.floor((index * SLOTS) / groups),
    );
    await tx.query(
      `INSERT INTO listening (listener, source, slots)
        SELECT $1, $2, int4range(lower, upper)
        FROM unnest($3::int[], $4::int[]) AS bound (lower, upper)
        WHERE NOT EXISTS (SELECT FROM listening WHERE listener = $1 AND source = $2)`,
      [listener, source, bounds.slice(0, -1), bounds.slice(1)],
    );
  });
}

/**
 * Says that this replica lives, keeps the groups it works on for another `leaseMs` by the
 * database's clock, and counts: how many it kept, and how many would be its fair share. Also answers the parked keys
 * that somebody wants replayed.
 */
export async function keepLeases(
  db: Database,
  { listener, source, replica }: Replica,
  leaseMs: number,
  slots: readonly string[],
): Promise<{ mine: number; share: number; replays: readonly AskedReplay[] }> {
  const { rows } = await db.query<{ replicas: bigint; groups: bigint; mine: bigint; replays: AskedReplay[] | null }>(
    {
      name: 'listening-keep',
      text: `WITH me AS (
        INSERT INTO listening_replica (listener, source, replica, until)
          VALUES ($1, $2, $3, clock_timestamp() + $4::int * interval '1 ms')
          ON CONFLICT (listener, source, replica) DO UPDATE SET until = excluded.until
      ), gone AS (
        DELETE FROM listening_replica
          WHERE listener = $1 AND source = $2 AND replica <> $3
            AND until < clock_timestamp() - interval '1 minute'
      ), kept AS (
        UPDATE listening SET until = clock_timestamp() + $4::int * interval '1 ms'
          WHERE listener = $1 AND source = $2 AND owner = $3 AND slots = ANY($5::int4range[])
          RETURNING 1
      )
      SELECT (SELECT count(*) FROM kept) AS mine,
        (SELECT count(*) FROM listening WHERE listener = $1 AND source = $2) AS groups,
        1 + (SELECT count(*) FROM listening_replica
          WHERE listener = $1 AND source = $2 AND replica <> $3
            AND until > clock_timestamp()) AS replicas,
        (SELECT json_agg(asked) FROM (SELECT DISTINCT key, slot FROM parked
          WHERE listener = $1 AND source = $2 AND replay) asked) AS replays`,
    },
    [listener, source, replica, leaseMs, slots],
  );
  const [row] = rows as [(typeof rows)[number]];
  const share = Math.ceil(Number(row.groups) / Number(row.replicas));
  return { mine: Number(row.mine), share, replays: row.replays ?? [] };
}

/** Takes up to `most` groups that nobody owns, or whose owner's lease has run out. */
export async function claimGroups(
  db: Database,
  { listener, source, replica }: Replica,
  leaseMs: number,
  most: number,
): Promise<OwnedGroup[]> {
  const { rows } = await db.query<OwnedGroup>(
    {
      name: 'listening-claim',
      text: `UPDATE listening
      SET owner = $3, epoch = epoch + 1, until = clock_timestamp() + $4::int * interval '1 ms'
      WHERE listener = $1 AND source = $2 AND slots IN (
        SELECT slots FROM listening
          WHERE listener = $1 AND source = $2 AND (owner IS NULL OR until < clock_timestamp())
          ORDER BY slots LIMIT $5 FOR UPDATE SKIP LOCKED)
      RETURNING slots::text, lower(slots) AS "from", upper(slots) AS "to", position, epoch`,
    },
    [listener, source, replica, leaseMs, most],
  );
  return rows;
}

/**
 * Moves a group's position, if it is still this owner's and where this owner left it. A process
 * that is stopped between this and its COMMIT would keep the row locked: its session ends soon.
 */
export async function movePosition(
  on: Queryable,
  { listener, source, replica }: Replica,
  group: OwnedGroup,
  position: { readonly from: bigint; readonly to: bigint },
): Promise<boolean> {
  const { rowCount } = await on.query(
    {
      name: 'listening-move',
      text: `WITH moved AS (
        UPDATE listening SET position = $6
          WHERE listener = $1 AND source = $2 AND slots = $3::int4range
            AND owner = $4 AND epoch = $5 AND position = $7
          RETURNING 1
      )
      SELECT set_config('idle_in_transaction_session_timeout', '2000', true) FROM moved`,
    },
    [listener, source, group.slots, replica, group.epoch, position.to, position.from],
  );
  return rowCount === 1;
}

/** The group's position while it is this owner's; undefined when it no longer is. */
export async function positionOf(
  db: Database,
  { listener, source, replica }: Replica,
  group: OwnedGroup,
): Promise<bigint | undefined> {
  const { rows } = await db.query<{ position: bigint }>(
    `SELECT position FROM listening
      WHERE listener = $1 AND source = $2 AND slots = $3::int4range AND owner = $4 AND epoch = $5`,
    [listener, source, group.slots, replica, group.epoch],
  );
  return rows[0]?.position;
}

/** Gives one group back, for others to take at once. */
export async function releaseGroup(
  db: Database,
  { listener, source, replica }: Replica,
  group: OwnedGroup,
): Promise<void> {
  await db.query(
    `UPDATE listening SET owner = NULL, until = NULL
      WHERE listener = $1 AND source = $2 AND slots = $3::int4range AND owner = $4 AND epoch = $5`,
    [listener, source, group.slots, replica, group.epoch],
  );
}

/** Gives everything back. */
export async function leave(db: Database, { listener, source, replica }: Replica): Promise<void> {
  await db.query(
    `UPDATE listening SET owner = NULL, until = NULL
      WHERE listener = $1 AND source = $2 AND owner = $3`,
    [listener, source, replica],
  );
  await db.query(
    'DELETE FROM listening_replica WHERE listener = $1 AND source = $2 AND replica = $3',
    [listener, source, replica],
  );
}
