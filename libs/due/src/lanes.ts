import { bigintArray, type Database } from '#postgres';
import type { Due } from './due.ts';

/** A key that this worker owns. */
export interface Lane {
  readonly key: string;
  readonly epoch: bigint;
}

export interface TakenDue extends Due {
  /** This one included. */
  readonly attempts: number;
  readonly trace: string | undefined;
  /** How often it had been roused when it was taken. */
  readonly roused: number;
}

export interface Retry {
  /** Platform time, epoch ms. */
  readonly at?: number;
  /** Real time from now. */
  readonly inMs?: number;
  readonly error?: string;
}

/** When there may be something to do next. */
export interface NextWake {
  /** Platform time. */
  readonly at?: number;
  /** Real ms from now. */
  readonly inMs?: number;
}

/** Takes up to `most` keys whose first row may be due and that nobody works on; where there are none, says when to look again. */
export async function claimLanes(
  db: Database,
  owner: string,
  nowMs: number,
  { leaseMs, most }: { leaseMs: number; most: number },
): Promise<{ lanes: Lane[]; next: NextWake }> {
  const { rows } = await db.query<Lane | { key: null; at: bigint | null; inMs: number | null }>(
    {
      name: 'due-claim',
      text: `WITH ready AS (
        SELECT key FROM due_lane
          WHERE wake_at <= $2 AND wake_after <= clock_timestamp()
            AND (until IS NULL OR until < clock_timestamp() OR (owner IS NULL AND kept_for = $1))
          ORDER BY wake_at LIMIT $3 FOR UPDATE SKIP LOCKED
      ), taken AS (
        UPDATE due_lane
          SET owner = $1, wanted_by = NULL, epoch = epoch + 1, until = clock_timestamp() + $4::int * interval '1 ms'
          FROM ready WHERE due_lane.key = ready.key RETURNING due_lane.key, epoch
      )
      SELECT key, epoch, NULL::bigint AS at, NULL::float8 AS "inMs" FROM taken
      UNION ALL
      SELECT NULL, NULL, (SELECT min(wake_at) FROM due_lane WHERE wake_at > $2),
        (SELECT extract(epoch FROM min(wake_after) - clock_timestamp())::float8 * 1000 FROM due_lane
          WHERE wake_after > clock_timestamp())
      WHERE NOT EXISTS (SELECT FROM taken)`,
    },
    [owner, nowMs, most, leaseMs],
  );
  const [first] = rows;
  if (first?.key !== null) return { lanes: rows as Lane[], next: {} };
  return { lanes: [], next: { ...first.at !== null && { at: Number(first.at) }, ...first.inMs !== null && { inMs: first.inMs } } };
}

/**
 * Asks the busiest of the others for keys that it has in hand, so that both have as many, up to `most`: it gives each up
 * between two of its rows. A key counts for whoever is to have it next.
 */
export async function askForLanes(db: Database, owner: string, most: number): Promise<void> {
  await db.query(
    {
      name: 'due-ask',
      text: `WITH load AS MATERIALIZED (
          SELECT coalesce(wanted_by, owner) AS owner, count(*)::int AS keys FROM due_lane
            WHERE owner IS NOT NULL AND until > clock_timestamp() GROUP BY 1),
        busiest AS (SELECT owner, keys FROM load WHERE owner <> $1 ORDER BY keys DESC LIMIT 1),
        asked AS (SELECT key FROM due_lane
          WHERE owner = (SELECT owner FROM busiest) AND until > clock_timestamp() AND wanted_by IS NULL
          ORDER BY key
          LIMIT greatest(0, least($2, ((SELECT keys FROM busiest) - coalesce((SELECT keys FROM load WHERE owner = $1), 0)) / 2))
          FOR UPDATE SKIP LOCKED)
      UPDATE due_lane SET wanted_by = $1 FROM asked WHERE due_lane.key = asked.key`,
    },
    [owner, most],
  );
}

/** Keeps this worker's keys for another lease: those that are still its own. */
export function keepLanes<T extends Lane>(db: Database, owner: string, lanes: readonly T[], leaseMs: number): Promise<T[]> {
  return setMine(db, owner, lanes, { set: `until = clock_timestamp() + $4::int * interval '1 ms'`, values: [leaseMs] });
}

/** Of a worker's keys. It waits for nobody while it holds several: those that somebody rouses just now follow one by one. */
async function setMine<T extends Lane>(
  db: Database, owner: string, lanes: readonly T[], { set, values }: { set: string; values: readonly unknown[] },
): Promise<T[]> {
  const mine = (each: readonly Lane[]) => [owner, each.map(({ key }) => key), bigintArray(each.map(({ epoch }) => epoch)), ...values];
  const { rows } = await db.query<{ key: string; epoch: bigint }>(
    `WITH mine AS (SELECT lane.key FROM due_lane lane JOIN unnest($2::text[], $3::bigint[]) AS given (key, epoch) USING (key, epoch)
        WHERE owner = $1 FOR UPDATE OF lane SKIP LOCKED)
      UPDATE due_lane SET ${set} FROM mine WHERE due_lane.key = mine.key RETURNING due_lane.key, epoch`,
    mine(lanes),
  );
  const done = new Set(rows.map(nameOf));
  const kept = lanes.filter((lane) => done.has(nameOf(lane)));
  for (const lane of lanes) {
    if (done.has(nameOf(lane))) continue;
    const { rowCount } = await db.query(
      `UPDATE due_lane SET ${set} WHERE owner = $1 AND key = ANY ($2) AND epoch = ANY ($3::bigint[])`, mine([lane]),
    );
    if (rowCount === 1) kept.push(lane);
  }
  return kept;
}

const nameOf = ({ key, epoch }: Lane) => `${epoch} ${key}`;

/** The key's first row when it is due; otherwise the key is given back, or was lost. */
export async function nextDue(
  db: Database,
  owner: string,
  lane: Lane,
  nowMs: number,
): Promise<TakenDue | undefined> {
  const {
    rows: [row],
  } = await db.query<Omit<TakenDue, 'at' | 'trace'> & { at: bigint; trace: string | null }>(
    {
      name: 'due-next',
      text: 'SELECT id, key, kind, body, at, attempts, trace, roused FROM due_next($1, $2, $3, $4)',
    },
    [lane.key, owner, lane.epoch, nowMs],
  );
  return row && { ...row, at: Number(row.at), trace: row.trace ?? undefined };
}

/** False when the key was lost meanwhile: whoever has it does the row again. */
export async function finishDue(
  db: Database,
  owner: string,
  lane: Lane,
  { id, roused }: Pick<TakenDue, 'id' | 'roused'>,
): Promise<boolean> {
  const { rowCount } = await db.query(
    {
      name: 'due-finish',
      text: `UPDATE due SET last_error = NULL, attempts = 0,
        done_at = CASE WHEN roused = $5 THEN clock_timestamp() END,
        body = CASE WHEN roused = $5 THEN 'null' ELSE body END
      WHERE id = $1
      AND EXISTS (SELECT FROM due_lane WHERE key = $2 AND owner = $3 AND epoch = $4)`,
    },
    [id, lane.key, owner, lane.epoch, roused],
  );
  return rowCount === 1;
}

/** Stays open, with a later place among its key's rows; roused meanwhile, the earlier place stands. */
export async function postponeDue(
  db: Database,
  owner: string,
  lane: Lane,
  { id, roused }: Pick<TakenDue, 'id' | 'roused'>,
  at: number,
): Promise<boolean> {
  const { rowCount } = await db.query(
    {
      name: 'due-postpone',
      text: `UPDATE due SET last_error = NULL, attempts = 0,
        at = CASE WHEN roused = $5 THEN $6 ELSE least(at, $6) END
      WHERE id = $1
      AND EXISTS (SELECT FROM due_lane WHERE key = $2 AND owner = $3 AND epoch = $4)`,
    },
    [id, lane.key, owner, lane.epoch, roused, Math.ceil(at)],
  );
  return rowCount === 1;
}

export async function retryDue(
  db: Database,
  owner: string,
  lane: Lane,
  { id, roused }: Pick<TakenDue, 'id' | 'roused'>,
  retry: Retry,
): Promise<void> {
  await db.query(
    {
      name: 'due-retry',
      text: `UPDATE due SET last_error = $7, retry_at = CASE WHEN roused = $8 THEN $5::bigint END,
        retry_after = clock_timestamp() + $6::bigint * interval '1 ms'
      WHERE id = $1 AND done_at IS NULL
        AND EXISTS (SELECT FROM due_lane WHERE key = $2 AND owner = $3 AND epoch = $4)`,
    },
    [
      id,
      lane.key,
      owner,
      lane.epoch,
      retry.at === undefined ? null : Math.ceil(retry.at),
      retry.inMs === undefined ? null : Math.ceil(retry.inMs),
      retry.error?.slice(0, 2_000) ?? null,
      roused,
    ],
  );
}

/** Gives keys back as they are, for others to take at once. */
export async function releaseLanes(db: Database, owner: string): Promise<void> {
  const { rows } = await db.query<Lane>('SELECT key, epoch FROM due_lane WHERE owner = $1', [owner]);
  await setMine(db, owner, rows, { set: 'owner = NULL, until = NULL', values: [] });
}

/** What is open of these kinds is due now, and nobody keeps a key for longer than a lease from now on. The keys. */
export async function hasten(db: Database, kinds: readonly string[], nowMs: number, leaseMs: number): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>('SELECT key FROM due_hasten($1, $2, $3) AS key', [kinds, Math.floor(nowMs), leaseMs]);
  return rows.map(({ key }) => key);
}

export async function forgetDone(db: Database, olderThanDays: number): Promise<void> {
  await db.query(
    `DELETE FROM due WHERE id IN (
      SELECT id FROM due WHERE done_at < clock_timestamp() - $1::int * interval '1 day' FOR UPDATE SKIP LOCKED)`,
    [olderThanDays],
  );
}
