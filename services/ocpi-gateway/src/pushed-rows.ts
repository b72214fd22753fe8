import { addDue } from '#due';
import { isStale } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import type { PushedModule } from './difference.ts';

export interface PushedKey {
  readonly partnerId: string;
  readonly module: PushedModule | 'cdrs';
  /** An id within the module; a token's is `TYPE uid`. */
  readonly objectKey: string;
}

export interface Pushed {
  readonly current: string | undefined;
  readonly acknowledged: string | undefined;
  readonly unclear: boolean;
  readonly queued: boolean;
}

interface Row {
  current: string | null;
  acknowledged: string | null;
  unclear: boolean;
  queued: boolean;
}

const WHERE = 'partner_id = $1 AND module = $2 AND object_key = $3';
const keyOf = ({ partnerId, module, objectKey }: PushedKey) => [partnerId, module, objectKey];

export async function findPushed(db: Queryable, key: PushedKey, lock = false): Promise<Pushed | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT current, acknowledged, unclear, queued FROM pushed WHERE ${WHERE} ${lock ? 'FOR UPDATE' : ''}`, keyOf(key),
  );
  const [row] = rows;
  return row && { ...row, current: row.current ?? undefined, acknowledged: row.acknowledged ?? undefined };
}

/**
 * What an object is now: written over what was to be said of it before, with a due row at `at` unless
 * one is open. An older object does not take a newer one's place; a CDR never changes.
 */
export async function queuePush(tx: Tx, key: PushedKey, current: string | undefined, at: number): Promise<void> {
  const held = await findPushed(tx, key, true);
  if (held && key.module === 'cdrs') return;
  if (held?.current !== undefined && current !== undefined && isStale(JSON.parse(held.current), JSON.parse(current))) return;
  const { rows } = await tx.query<{ n: number }>(
    `INSERT INTO pushed AS held (partner_id, module, object_key, current, queued) VALUES ($1, $2, $3, $4, true)
     ON CONFLICT (partner_id, module, object_key) DO UPDATE SET current = excluded.current, queued = true, parked = NULL,
       n = CASE WHEN held.queued THEN held.n ELSE held.n + 1 END
     RETURNING n`,
    [...keyOf(key), current ?? null],
  );
  const { partnerId, module, objectKey } = key;
  const kind = module === 'cdrs' ? 'push-cdr' : 'push';
  await addDue(tx, { id: `${kind} ${partnerId} ${module} ${objectKey} ${rows[0]!.n}`, key: laneOf(key), kind, at, body: key });
}

/** A CDR that a partner does not take must not hold up the rest, nor the other way round. */
function laneOf({ partnerId, module }: PushedKey): string {
  return module === 'cdrs' ? `${partnerId} cdrs` : partnerId;
}

/** Nothing is open any more when nothing changed since `sent` was read; true: go on with what is now. */
export async function noteAcknowledged(db: Queryable, key: PushedKey, sent: string | undefined): Promise<boolean> {
  const { rows } = await db.query<{ queued: boolean }>(
    `UPDATE pushed SET acknowledged = $4, unclear = false, queued = current IS DISTINCT FROM $4 WHERE ${WHERE} RETURNING queued`,
    [...keyOf(key), sent ?? null],
  );
  return rows[0]?.queued ?? false;
}

/** Written before a request goes out: if we never see its end, nobody knows. */
export async function noteUnclear(db: Queryable, key: PushedKey): Promise<void> {
  await db.query(`UPDATE pushed SET unclear = true WHERE ${WHERE}`, keyOf(key));
}

/** The partner said no: what it acknowledged before still stands. */
export async function noteRefused(db: Queryable, key: PushedKey, wasUnclear: boolean): Promise<void> {
  await db.query(`UPDATE pushed SET unclear = $4 WHERE ${WHERE}`, [...keyOf(key), wasUnclear]);
}

/** Set aside until it changes again, or somebody looks into it. */
export async function notePark(tx: Tx, key: PushedKey, reason: string): Promise<void> {
  await tx.query(`UPDATE pushed SET parked = $4, queued = false, unclear = true WHERE ${WHERE}`, [...keyOf(key), reason.slice(0, 1_000)]);
}

export async function noteDelivered(tx: Tx, key: PushedKey, locationUrl: string): Promise<void> {
  await tx.query(
    `UPDATE pushed SET acknowledged = current, unclear = false, queued = false, parked = NULL, location_url = $4 WHERE ${WHERE}`,
    [...keyOf(key), locationUrl],
  );
}
