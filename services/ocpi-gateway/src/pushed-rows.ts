import { addDue } from '#due';
import { type Cdr, instantMs, isStale, type Location, partyText } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { rfc3339 } from '#time';
import type { PushedModule } from './difference.ts';
import { profileLane } from './profile-rows.ts';
import { isWithdrawn, withdrawnView } from './views.ts';

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
  /** In a row, by a partner that did answer. */
  readonly refusals: number;
}

interface Row {
  current: string | null;
  acknowledged: string | null;
  unclear: boolean;
  queued: boolean;
  refusals: number;
}

const WHERE = 'partner_id = $1 AND module = $2 AND object_key = $3';
const keyOf = ({ partnerId, module, objectKey }: PushedKey) => [partnerId, module, objectKey];

export async function findPushed(db: Queryable, key: PushedKey, lock = false): Promise<Pushed | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT current, acknowledged, unclear, queued, refusals FROM pushed WHERE ${WHERE} ${lock ? 'FOR UPDATE' : ''}`, keyOf(key),
  );
  const [row] = rows;
  return row && { ...row, current: row.current ?? undefined, acknowledged: row.acknowledged ?? undefined };
}

/**
 * What an object is now: written over what was to be said of it before, with a due row at `at` unless
 * one is open. An older object does not take a newer one's place; a CDR never changes. `ifKnown`: only
 * where something was to be said of it.
 */
export async function queuePush(
  tx: Tx, key: PushedKey, current: string | undefined, at: number, { ifKnown = false } = {},
): Promise<void> {
  const held = await findPushed(tx, key, true);
  if (ifKnown && held?.current === undefined) return;
  if (held && key.module === 'cdrs') return;
  if (held?.current !== undefined && current !== undefined && isStale(JSON.parse(held.current), JSON.parse(current))) return;
  const { rows } = await tx.query<{ n: number }>(
    `INSERT INTO pushed AS held (partner_id, module, object_key, current, queued, queued_at) VALUES ($1, $2, $3, $4, true, $5)
     ON CONFLICT (partner_id, module, object_key) DO UPDATE SET current = excluded.current, queued = true, parked = NULL, parked_at = NULL,
       queued_at = CASE WHEN held.queued THEN held.queued_at ELSE excluded.queued_at END,
       n = CASE WHEN held.queued THEN held.n ELSE held.n + 1 END
     RETURNING n`,
    [...keyOf(key), current ?? null, rfc3339(Math.round(at))],
  );
  await addPush(tx, key, { n: rows[0]!.n, current: current ?? null }, at);
}

async function addPush(tx: Tx, key: PushedKey, { n, current }: { n: number; current: string | null }, at: number): Promise<void> {
  const { partnerId, module, objectKey } = key;
  const kind = module === 'cdrs' ? 'push-cdr' : 'push';
  await addDue(tx, { id: `${kind} ${partnerId} ${module} ${objectKey} ${n}`, key: laneOf(key, current ?? undefined), kind, at, body: key });
}

/** A partner that answers fails over this one object: it goes behind the others, once more at `at`. */
export async function queueAgain(tx: Tx, key: PushedKey, at: number): Promise<void> {
  const { rows } = await tx.query<{ n: number; current: string | null }>(
    `UPDATE pushed SET n = n + 1, refusals = refusals + 1 WHERE ${WHERE} RETURNING n, current`, keyOf(key),
  );
  if (rows[0]) await addPush(tx, key, rows[0], at);
}

/** Others have to go before it: once more at `at`, and that is no refusal. */
export async function queueBehind(tx: Tx, key: PushedKey, at: number): Promise<void> {
  const { rows } = await tx.query<{ n: number; current: string | null }>(`UPDATE pushed SET n = n + 1 WHERE ${WHERE} RETURNING n, current`, keyOf(key));
  if (rows[0]) await addPush(tx, key, rows[0], at);
}

/**
 * What a partner may see of an object. `isHidden`: there is one that it may not have: it is not told to forget
 * that, unless it has it. A Location cannot be deleted, so its EVSEs are REMOVED.
 */
export async function queueView(
  tx: Tx, key: PushedKey, { view, isHidden }: { view: string | undefined; isHidden: boolean }, { at, sinceMs }: { at: number; sinceMs: number },
): Promise<void> {
  if (isHidden && key.module === 'locations') return withdrawLocation(tx, key, sinceMs, at);
  return queuePush(tx, key, view, at, { ifKnown: isHidden });
}

/**
 * A Location that a partner may not see any more: gone where it was never sent, else all its EVSEs go
 * as REMOVED. `sinceMs`: since when it may not.
 */
async function withdrawLocation(tx: Tx, key: PushedKey, sinceMs: number, at: number): Promise<void> {
  const held = await findPushed(tx, key, true);
  if (held?.current === undefined) return;
  if (held.acknowledged === undefined && !held.unclear) return forgetOne(tx, key);
  const is = JSON.parse(held.current) as Location;
  if (isWithdrawn(is)) return;
  const view = withdrawnView(held.acknowledged ?? held.current, Math.max(sinceMs, (instantMs(is.last_updated) ?? 0) + 1));
  await queuePush(tx, key, view, at);
}

/** Not to be sent any more: the partner is gone, or no longer takes such objects. */
export async function noteUnwanted(db: Queryable, key: PushedKey): Promise<void> {
  await db.query(`UPDATE pushed SET queued = false WHERE ${WHERE}`, keyOf(key));
}

/** The keys of what a partner has, or is to have, of a module. */
export async function pushedKeys(tx: Tx, partnerId: string, module: PushedModule): Promise<string[]> {
  const { rows } = await tx.query<{ object_key: string }>(
    'SELECT object_key FROM pushed WHERE partner_id = $1 AND module = $2 AND current IS NOT NULL', [partnerId, module],
  );
  return rows.map(({ object_key: key }) => key);
}

/** The Locations that a partner has, or is to have. */
export async function pushedLocations(tx: Tx, partnerId: string): Promise<{ country_code: string; party_id: string; id: string }[]> {
  const { rows } = await tx.query<{ country_code: string; party_id: string; id: string }>(
    `SELECT object_key AS id, current::json->>'country_code' AS country_code, current::json->>'party_id' AS party_id
     FROM pushed WHERE partner_id = $1 AND module = 'locations' AND current IS NOT NULL`, [partnerId],
  );
  return rows;
}

/** CDRs that a link which has ended never brought over, the oldest first. */
export async function strandedCdrs(tx: Tx): Promise<{ key: PushedKey; current: string }[]> {
  const { rows } = await tx.query<{ partner_id: string; object_key: string; current: string }>(
    `SELECT partner_id, object_key, current FROM pushed JOIN partners USING (partner_id)
      WHERE module = 'cdrs' AND acknowledged IS NULL AND state = 'unregistered'
      ORDER BY current::json->>'last_updated', object_key`,
  );
  return rows.map(({ partner_id: partnerId, object_key: objectKey, current }) =>
    ({ key: { partnerId, module: 'cdrs', objectKey }, current }));
}

/** A CDR whose token's owner no registered partner has: kept until one has. */
export async function keepUnclaimed(tx: Tx, cdrId: string, current: string): Promise<void> {
  await tx.query('INSERT INTO unclaimed_cdrs (cdr_id, current) VALUES ($1, $2) ON CONFLICT DO NOTHING', [cdrId, current]);
}

/** Takes out those of the unclaimed CDRs that `isTheirs` picks, the oldest first. */
export async function claimCdrs(tx: Tx, isTheirs: (cdr: Cdr) => boolean): Promise<{ cdrId: string; current: string }[]> {
  const { rows } = await tx.query<{ cdr_id: string; current: string }>(
    `SELECT cdr_id, current FROM unclaimed_cdrs ORDER BY current::json->>'last_updated', cdr_id`,
  );
  const claimed = rows.filter(({ current }) => isTheirs(JSON.parse(current) as Cdr));
  await tx.query('DELETE FROM unclaimed_cdrs WHERE cdr_id = ANY($1)', [claimed.map((row) => row.cdr_id)]);
  return claimed.map(({ cdr_id: cdrId, current }) => ({ cdrId, current }));
}

/**
 * Whoever links a partner holds this alone, whoever queues for the linked ones together: a CDR is
 * then seen either by the partner that joins or by the one who queues it.
 */
export async function lockLinks(tx: Tx, mode: 'alone' | 'together'): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock${mode === 'together' ? '_shared' : ''}(hashtext('ocpi links'), hashtext(current_schema()))`);
}

/** A link has ended; what its partner never got of CDRs stays, for whoever has their tokens' owner next. */
export async function forgetPushed(tx: Tx, partnerId: string): Promise<void> {
  await tx.query(`DELETE FROM pushed WHERE partner_id = $1 AND (module <> 'cdrs' OR acknowledged IS NOT NULL)`, [partnerId]);
}

/** A CDR goes to another link now. */
export async function forgetOne(tx: Queryable, key: PushedKey): Promise<void> {
  await tx.query(`DELETE FROM pushed WHERE ${WHERE}`, keyOf(key));
}

/**
 * Sessions do not wait behind a first push of all Locations, a CDR that is not taken holds up nothing else, and
 * of a hub's members none waits for another.
 */
function laneOf({ partnerId, module, objectKey }: PushedKey, current: string | undefined): string {
  if (module === 'chargingprofiles') return profileLane(partnerId, objectKey);
  if (module !== 'cdrs' && module !== 'sessions') return partnerId;
  const { cdr_token: owner } = JSON.parse(current ?? '{}') as Partial<Cdr>;
  return `${partnerId} ${module} ${owner ? partyText(owner) : ''}`;
}

/** All is to be said again as a whole; what was set aside is tried again. */
export async function forgetAcknowledged(tx: Tx, partnerId: string, at: number): Promise<void> {
  await tx.query(`UPDATE pushed SET unclear = true WHERE partner_id = $1 AND module <> 'cdrs'`, [partnerId]);
  await replayLetters(tx, partnerId, {}, at);
}

/** Nothing is open any more when nothing changed since `sent` was read; true: go on with what is now. */
export async function noteAcknowledged(db: Queryable, key: PushedKey, sent: string | undefined): Promise<boolean> {
  const { rows } = await db.query<{ queued: boolean }>(
    `UPDATE pushed SET acknowledged = $4, unclear = false, refusals = 0, attempts = 0, queued = current IS DISTINCT FROM $4 WHERE ${WHERE} RETURNING queued`,
    [...keyOf(key), sent ?? null],
  );
  return rows[0]?.queued ?? false;
}

/**
 * Written before a request goes out: if we never see its end, nobody knows. False: it is to be something
 * else by now.
 */
export async function noteUnclear(db: Queryable, key: PushedKey, current: string | undefined): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE pushed SET unclear = true WHERE ${WHERE} AND current IS NOT DISTINCT FROM $4`, [...keyOf(key), current ?? null],
  );
  return rowCount > 0;
}

/** It came to nothing. Where the partner said no, what it acknowledged before still stands. */
export async function noteFailed(db: Queryable, key: PushedKey, unclear: boolean): Promise<void> {
  await db.query(`UPDATE pushed SET unclear = $4, attempts = attempts + 1 WHERE ${WHERE}`, [...keyOf(key), unclear]);
}

/** Set aside until it changes again, or somebody looks into it. */
export async function notePark(tx: Tx, key: PushedKey, reason: string, at: number): Promise<void> {
  await tx.query(`UPDATE pushed SET parked = $4, parked_at = $5, queued = false, unclear = true, refusals = 0, attempts = 0 WHERE ${WHERE}`,
    [...keyOf(key), reason.slice(0, 1_000), rfc3339(Math.round(at))]);
}

export async function noteDelivered(tx: Tx, key: PushedKey, locationUrl: string): Promise<void> {
  await tx.query(
    `UPDATE pushed SET acknowledged = current, unclear = false, queued = false, attempts = 0, parked = NULL, parked_at = NULL, location_url = $4 WHERE ${WHERE}`,
    [...keyOf(key), locationUrl],
  );
}

export interface DeadLetter {
  readonly key: Omit<PushedKey, 'partnerId'>;
  readonly current: string | undefined;
  readonly reason: string;
  readonly since: string;
}

/** What a partner refused, the oldest first. */
export async function deadLetters(
  db: Queryable, partnerId: string, after: Omit<PushedKey, 'partnerId'> | undefined, limit: number,
): Promise<{ letters: DeadLetter[]; total: number }> {
  const { rows } = await db.query<{ module: PushedKey['module']; object_key: string; current: string | null; parked: string; since: string; total: number }>(
    `SELECT module, object_key, current, parked, since, total FROM (
       SELECT module, object_key, current, parked, coalesce(parked_at, 'epoch') AS since, (count(*) OVER ())::int AS total
       FROM pushed WHERE partner_id = $1 AND parked IS NOT NULL) p
     WHERE $2::text IS NULL OR (since, module, object_key) > (
       (SELECT coalesce(parked_at, 'epoch') FROM pushed WHERE partner_id = $1 AND module = $2 AND object_key = $3), $2, $3)
     ORDER BY since, module, object_key LIMIT $4`,
    [partnerId, after?.module ?? null, after?.objectKey ?? null, limit],
  );
  return {
    letters: rows.map(({ module, object_key: objectKey, current, parked: reason, since }) =>
      ({ key: { module, objectKey }, current: current ?? undefined, reason, since })),
    total: rows[0]?.total ?? 0,
  };
}

/** Dead letters go once more: an object as it is now, a CDR as it was issued. How many. */
export async function replayLetters(
  tx: Tx, partnerId: string, { module, objectKey }: { module?: string | undefined; objectKey?: string | undefined }, at: number,
): Promise<number> {
  const { rows } = await tx.query<{ module: PushedKey['module']; object_key: string; n: number; current: string | null }>(
    `UPDATE pushed SET queued = true, queued_at = $4, parked = NULL, parked_at = NULL, n = n + 1
     WHERE partner_id = $1 AND parked IS NOT NULL AND ($2::text IS NULL OR module = $2) AND ($3::text IS NULL OR object_key = $3)
     RETURNING module, object_key, n, current`,
    [partnerId, module ?? null, objectKey ?? null, rfc3339(Math.round(at))],
  );
  for (const row of rows) await addPush(tx, { partnerId, module: row.module, objectKey: row.object_key }, row, at);
  return rows.length;
}
