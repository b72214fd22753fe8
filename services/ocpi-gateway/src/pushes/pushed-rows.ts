import { type Cdr, type Party } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { rfc3339 } from '#time';
import type { PushedModule } from './difference.ts';
import { type Lane, type Queued, rouseLanes } from './queue-rows.ts';
import { STEERED } from './steered.ts';

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

const WHERE = 'partner_id = $1 AND module = $2 AND object_key = $3';
const keyOf = ({ partnerId, module, objectKey }: PushedKey) => [partnerId, module, objectKey];

/** Of `pushed p`: the Location that it shares with others, if it does, what the object is now, and what the partner has. */
export const WITH_SHARED = `pushed p LEFT JOIN shared_locations s ON p.shared AND s.object_key = p.object_key
  LEFT JOIN location_texts t ON t.version = s.version`;
export const NOW = 'CASE WHEN p.shared THEN t.current ELSE p.current END';
/** Which version of a shared Location a partner has: that of its row, or, while it is not queued, a newer one up to its lane's position. */
export const hadVersion = (row: string) => `CASE WHEN ${row}.shared AND NOT ${row}.queued THEN greatest(${row}.acknowledged_version,
    (SELECT v.version FROM location_texts v WHERE v.object_key = ${row}.object_key
      AND v.version <= (SELECT l.told FROM push_lanes l WHERE l.lane = ${row}.partner_id) ORDER BY v.version DESC LIMIT 1))
  ELSE ${row}.acknowledged_version END`;
export const HAD = `coalesce(p.acknowledged, (SELECT a.current FROM location_texts a WHERE a.version = ${hadVersion('p')}))`;

/** Of the request that brought to a hub what it tells a member, where one did. TRN-81. */
export async function correlationOf(db: Queryable, key: PushedKey): Promise<string | undefined> {
  const { rows: [row] } = await db.query<{ correlation_id: string | null }>(
    { name: 'push-correlation', text: `SELECT correlation_id FROM pushed WHERE ${WHERE}` }, keyOf(key),
  );
  return row?.correlation_id ?? undefined;
}

/** Of a Session at a partner. */
export interface SessionAt {
  /** As the partner acknowledged it. */
  readonly status: string | undefined;
  readonly isParked: boolean;
  /** It is to be told more, and has not refused that. */
  readonly waits: boolean;
  /** Its lane cannot be told anything just now. */
  readonly isDown: boolean;
}

export async function sessionAt(db: Queryable, partnerId: string, sessionId: string): Promise<SessionAt | undefined> {
  const { rows: [row] } = await db.query<Omit<SessionAt, 'status'> & { status: string | null }>(
    {
      name: 'push-session',
      text: `SELECT acknowledged::json->>'status' AS status, parked IS NOT NULL AS "isParked", queued AND refusals = 0 AS waits,
        EXISTS (SELECT FROM push_lanes l WHERE l.lane = p.lane AND l.failures > 0) AS "isDown" FROM pushed p WHERE ${WHERE}`,
    },
    [partnerId, 'sessions', sessionId],
  );
  return row && { ...row, status: row.status ?? undefined };
}

/** The keys of what a partner has, or is to have, of a module. */
export async function pushedKeys(tx: Tx, partnerId: string, module: PushedModule): Promise<string[]> {
  const { rows } = await tx.query<{ object_key: string }>(
    'SELECT object_key FROM pushed WHERE partner_id = $1 AND module = $2 AND (shared OR current IS NOT NULL)', [partnerId, module],
  );
  return rows.map(({ object_key: key }) => key);
}

/** Objects of a module as a partner has, or is to have, them: of one that is not shared. */
export async function pushedTexts(tx: Tx, partnerId: string, module: PushedModule): Promise<{ objectKey: string; current: string }[]> {
  const { rows } = await tx.query<{ objectKey: string; current: string }>(
    'SELECT object_key AS "objectKey", current FROM pushed WHERE partner_id = $1 AND module = $2 AND current IS NOT NULL', [partnerId, module],
  );
  return rows;
}

/** What of the objects that a hub's members tell everybody waits for one of them. */
export async function waitingOf(tx: Tx, partnerId: string): Promise<PushedKey[]> {
  const { rows } = await tx.query<PushedKey>(
    `SELECT partner_id AS "partnerId", module, object_key AS "objectKey" FROM pushed
      WHERE lane = $1 AND queued AND module IN ('locations', 'tariffs', 'tokens') ORDER BY module, object_key`, [partnerId],
  );
  return rows;
}

/** It is not to be sent after all; what the partner may have of it is said whole if it is ever said again. */
export async function takeOut(tx: Tx, key: PushedKey): Promise<void> {
  await tx.query(`UPDATE pushed SET queued = false, unclear = true WHERE ${WHERE}`, keyOf(key));
}

/** Sessions that are to go to somebody beside their tokens' owners, or were set aside on the way. */
export async function waitingSteered(tx: Queryable, partnerId: string): Promise<{ key: PushedKey; current: string }[]> {
  const { rows } = await tx.query<{ object_key: string; current: string }>(
    `SELECT object_key, current FROM pushed WHERE partner_id = $1 AND module = 'sessions' AND (queued OR parked IS NOT NULL) AND object_key LIKE '${STEERED}%'
      ORDER BY object_key`, [partnerId],
  );
  return rows.map(({ object_key: objectKey, current }) => ({ key: { partnerId, module: 'sessions', objectKey }, current }));
}

/** The Locations that a partner has, or is to have. */
export async function pushedLocations(tx: Tx, partnerId: string): Promise<{ country_code: string; party_id: string; id: string }[]> {
  const { rows } = await tx.query<{ country_code: string; party_id: string; id: string }>(
    `SELECT id, current::json->>'country_code' AS country_code, current::json->>'party_id' AS party_id
     FROM (SELECT p.object_key AS id, ${NOW} AS current FROM ${WITH_SHARED} WHERE partner_id = $1 AND module = 'locations') l
     WHERE current IS NOT NULL`, [partnerId],
  );
  return rows;
}

/** A Session of which its partner was not told all, while nobody reached its token's owner. It has an index of its own. */
const LEFT_OPEN = `module = 'sessions' AND NOT queued AND parked IS NULL AND acknowledged IS DISTINCT FROM current`;

/** A CDR that a partner never got, and that is not to be sent to it any more. It has an index of its own. */
const NEVER_WENT = `module = 'cdrs' AND NOT queued AND parked IS NULL AND acknowledged IS NULL`;

interface Stranded {
  readonly key: PushedKey & { readonly module: 'cdrs' | 'sessions' };
  readonly current: string;
  /** It may have been taken. */
  readonly isDoubtful: boolean;
}

/**
 * CDRs that never came over, by a link that has ended or for want of one, and Sessions of which nobody was told all, of tokens of
 * these parties: the oldest first.
 */
export async function stranded(tx: Tx, reached: readonly string[]): Promise<Stranded[]> {
  const { rows } = await tx.query<Stranded['key'] & Omit<Stranded, 'key'>>(
    `SELECT partner_id AS "partnerId", module, object_key AS "objectKey", current,
       unclear OR EXISTS (SELECT FROM push_lanes l WHERE l.lane = p.lane AND p.module || ' ' || p.object_key = ANY (l.sending)) AS "isDoubtful"
     FROM (
       SELECT p.* FROM pushed p JOIN partners USING (partner_id)
         WHERE (module = 'sessions' OR (module = 'cdrs' AND acknowledged IS NULL)) AND state = 'unregistered'
       UNION ALL SELECT p.* FROM pushed p JOIN partners USING (partner_id) WHERE ${LEFT_OPEN} AND state <> 'unregistered'
       UNION ALL SELECT p.* FROM pushed p JOIN partners USING (partner_id) WHERE ${NEVER_WENT} AND state <> 'unregistered') p
      WHERE object_key NOT LIKE '${STEERED}%' AND (lane IS NULL OR split_part(lane, ' ', 3) = ANY ($1))
      ORDER BY current::json->>'last_updated', object_key`, [reached],
  );
  return rows.map(({ current, isDoubtful, ...key }) => ({ key, current, isDoubtful }));
}

/** What waits in lanes of registered partners for token owners whom `isGone` has: it is not to go there any more. */
export async function letGo(tx: Tx, isGone: (partnerId: string, owner: string) => boolean): Promise<void> {
  const { rows } = await tx.query<Lane>(
    `SELECT lane, partner_id AS "partnerId" FROM push_lanes JOIN partners USING (partner_id) WHERE lane <> partner_id AND state = 'registered'`,
  );
  const gone = rows.filter(({ lane, partnerId }) => {
    const [, owner] = /^ (?:cdrs|sessions) ([a-z]{2}\*[a-z0-9]{1,3})$/i.exec(lane.slice(partnerId.length)) ?? [];
    return owner !== undefined && isGone(partnerId, owner);
  });
  if (gone.length === 0) return;
  await tx.query(
    `WITH waiting AS (SELECT partner_id, module, object_key FROM pushed WHERE lane = ANY ($1) AND queued
        ORDER BY partner_id, module, object_key FOR UPDATE)
      UPDATE pushed p SET queued = false FROM waiting w
      WHERE p.partner_id = w.partner_id AND p.module = w.module AND p.object_key = w.object_key`, [gone.map(({ lane }) => lane)],
  );
}

/** It may have been taken, and is looked for before it goes. */
export async function noteDoubt(tx: Tx, key: PushedKey): Promise<void> {
  await tx.query(`UPDATE pushed SET unclear = true WHERE ${WHERE}`, keyOf(key));
}

/** Sessions whose token's owner no registered partner has: those that somebody was told of are kept as they are now. */
export async function keepOpen(tx: Tx, sessions: readonly Pick<Queued, 'objectKey' | 'current' | 'updatedMs'>[]): Promise<void> {
  await tx.query(
    `UPDATE pushed p SET current = given.current, updated_ms = given.updated_ms
      FROM partners q, unnest($1::text[], $2::text[], $3::bigint[]) AS given (object_key, current, updated_ms)
      WHERE p.partner_id = q.partner_id AND p.module = 'sessions' AND p.object_key = given.object_key
        AND coalesce(p.updated_ms, 0) <= coalesce(given.updated_ms, 0)`,
    [sessions.map(({ objectKey }) => objectKey), sessions.map(({ current }) => current), sessions.map(({ updatedMs }) => updatedMs ?? null)],
  );
}

/** A CDR whose token's owner no registered partner has: kept until one has. */
export async function keepUnclaimed(tx: Tx, cdrId: string, current: string): Promise<void> {
  await tx.query('INSERT INTO unclaimed_cdrs (cdr_id, current) VALUES ($1, $2) ON CONFLICT DO NOTHING', [cdrId, current]);
}

/** Takes out those of the unclaimed CDRs whose token's owner is reached and has a taker, a partner's id: the oldest first. */
export async function claimCdrs(
  tx: Tx, reached: readonly string[], takerOf: (owner: Party) => string | undefined,
): Promise<{ cdrId: string; current: string; partnerId: string }[]> {
  const { rows } = await tx.query<{ cdr_id: string; current: string }>(
    `SELECT cdr_id, current FROM unclaimed_cdrs WHERE owner = ANY ($1) ORDER BY current::json->>'last_updated', cdr_id`, [reached],
  );
  const claimed = rows.flatMap(({ cdr_id: cdrId, current }) => {
    const partnerId = takerOf((JSON.parse(current) as Cdr).cdr_token);
    return partnerId === undefined ? [] : [{ cdrId, current, partnerId }];
  });
  await tx.query('DELETE FROM unclaimed_cdrs WHERE cdr_id = ANY($1)', [claimed.map(({ cdrId }) => cdrId)]);
  return claimed;
}

/**
 * Those of these CDRs that a partner without a place for them has not fetched before. That it has is noted also of one of which
 * it was not heard here yet that it was issued.
 */
export async function takeFetched(tx: Tx, partnerId: string, cdrs: readonly { id: string; current: string }[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `WITH unclaimed AS (DELETE FROM unclaimed_cdrs WHERE cdr_id = ANY ($2) RETURNING cdr_id AS id),
      left_over AS (UPDATE pushed SET acknowledged = current, unclear = false WHERE ${NEVER_WENT} AND object_key = ANY ($2) RETURNING object_key AS id),
      noted AS (INSERT INTO pushed (partner_id, module, object_key, current, acknowledged, queued)
        SELECT $1, 'cdrs', id, text, text, false FROM unnest($2::text[], $3::text[]) AS given (id, text) ON CONFLICT DO NOTHING RETURNING object_key AS id)
     SELECT id FROM unclaimed UNION SELECT id FROM left_over UNION SELECT id FROM noted`,
    [partnerId, cdrs.map(({ id }) => id), cdrs.map(({ current }) => current)],
  );
  return rows.map(({ id }) => id);
}

/**
 * Whoever links a partner holds this alone, whoever queues for the linked ones together: a CDR is
 * then seen either by the partner that joins or by the one who queues it.
 */
export async function lockLinks(tx: Tx, mode: 'alone' | 'together'): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock${mode === 'together' ? '_shared' : ''}(hashtext('ocpi links'), hashtext(current_schema()))`);
}

/**
 * A link has ended; what its partner never got of CDRs stays, for whoever has their tokens' owner next, and so do Sessions
 * that it may hold otherwise than they end.
 */
export async function forgetPushed(tx: Tx, partnerId: string): Promise<void> {
  await tx.query(
    `DELETE FROM pushed WHERE partner_id = $1 AND CASE module WHEN 'cdrs' THEN acknowledged IS NOT NULL
      WHEN 'sessions' THEN object_key LIKE '${STEERED}%' OR acknowledged IS NOT DISTINCT FROM current AND current::json->>'status' IN ('COMPLETED', 'INVALID')
      ELSE true END`,
    [partnerId],
  );
  await tx.query(`UPDATE pushed SET queued = false, parked = NULL, parked_at = NULL WHERE partner_id = $1 AND module = 'sessions'`, [partnerId]);
}

/** A CDR goes to another link now. */
export async function forgetOne(tx: Queryable, key: PushedKey): Promise<void> {
  await tx.query(`DELETE FROM pushed WHERE ${WHERE}`, keyOf(key));
}

/** Of what is on its way its sender notes nothing any more: it would pass for what is said from now on. CDRs are as they were. */
async function disown(tx: Tx, partnerId: string): Promise<void> {
  await tx.query(`UPDATE push_lanes SET batch = NULL WHERE partner_id = $1 AND split_part(lane, ' ', 2) <> 'cdrs'`, [partnerId]);
}

/** All is to be said again as a whole; what was set aside is tried again. */
export async function forgetAcknowledged(tx: Tx, partnerId: string, at: number): Promise<void> {
  await disown(tx, partnerId);
  await tx.query(`UPDATE pushed SET unclear = true WHERE partner_id = $1 AND module <> 'cdrs'`, [partnerId]);
  await replayLetters(tx, partnerId, {}, at);
}

/** In the text of a Location: a Connector that names more than one. */
const SEVERAL_TARIFFS = /"tariff_ids":\s*\["([^"\\]|\\.)*"\s*,/.source;

/** Tariffs, and Locations with a Connector that names several, are to be said again as a whole. */
export async function forgetTariffs(tx: Tx, partnerId: string): Promise<void> {
  await disown(tx, partnerId);
  await tx.query(`UPDATE pushed SET unclear = true WHERE partner_id = $1 AND module = 'tariffs'`, [partnerId]);
  await tx.query(
    `UPDATE pushed l SET unclear = true FROM ${WITH_SHARED} WHERE l.partner_id = $1 AND l.module = 'locations'
       AND p.partner_id = l.partner_id AND p.module = l.module AND p.object_key = l.object_key AND ${NOW} ~ $2`,
    [partnerId, SEVERAL_TARIFFS],
  );
}

/** The longest pause after which what was set aside is tried again, in first ones. */
export const AGAIN_MOST = 6;

/**
 * Set aside until it changes again, or somebody looks into it; with `againMs` until then at the latest, and the longer it is set aside
 * the more seldom. `version` of what is shared. Whether it was not set aside before.
 */
export async function notePark(
  tx: Tx,
  key: PushedKey,
  version: bigint | undefined,
  { reason, at, againMs }: { reason: string; at: number; againMs?: number | undefined },
): Promise<boolean> {
  const { rows: [row] } = await tx.query<{ wasParked: boolean }>(
    `UPDATE pushed p SET acknowledged_version = coalesce($6, p.acknowledged_version), parked = $4, parked_at = coalesce(p.parked_at, $5), queued = false,
       again_at = CASE WHEN $8::bigint IS NOT NULL THEN $7::bigint
         + least(greatest($7::bigint - coalesce(extract(epoch FROM p.parked_at) * 1000, $7::bigint), $8::bigint), $8::bigint * ${AGAIN_MOST}) END,
       unclear = p.module <> 'cdrs', refusals = 0, attempts = 0, waits = 0
     FROM (SELECT parked IS NOT NULL AS was FROM pushed WHERE ${WHERE} FOR UPDATE) before
     WHERE p.partner_id = $1 AND p.module = $2 AND p.object_key = $3 RETURNING before.was AS "wasParked"`,
    [
      ...keyOf(key), reason.slice(0, 1_000), rfc3339(Math.round(at)), version === undefined ? null : String(version), Math.round(at),
      againMs === undefined ? null : Math.ceil(againMs),
    ],
  );
  return row?.wasParked === false;
}

export async function noteDelivered(tx: Tx, key: PushedKey, locationUrl: string): Promise<void> {
  await tx.query(
    `UPDATE pushed SET acknowledged = current, unclear = false, queued = false, attempts = 0, waits = 0, parked = NULL, parked_at = NULL,
       location_url = $4 WHERE ${WHERE}`,
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
  const { rows } = await db.query<{
    module: PushedKey['module'];
    object_key: string;
    current: string | null;
    parked: string;
    since: string;
    total: number;
  }>(
    `SELECT module, object_key, current, parked, since, total FROM (
       SELECT module, p.object_key, ${NOW} AS current, parked, coalesce(parked_at, 'epoch') AS since, (count(*) OVER ())::int AS total
       FROM ${WITH_SHARED} WHERE partner_id = $1 AND parked IS NOT NULL) p
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
  const { rows } = await tx.query<Lane>(
    `WITH letters AS (SELECT module, object_key FROM pushed
       WHERE partner_id = $1 AND parked IS NOT NULL AND ($2::text IS NULL OR module = $2) AND ($3::text IS NULL OR object_key = $3)
       ORDER BY module, object_key FOR UPDATE)
     UPDATE pushed p SET queued = true, queued_at = $4, due_at = $5, turn = nextval('push_order'), parked = NULL, parked_at = NULL
     FROM letters l WHERE p.partner_id = $1 AND p.module = l.module AND p.object_key = l.object_key
     RETURNING lane, partner_id AS "partnerId"`,
    [partnerId, module ?? null, objectKey ?? null, rfc3339(Math.round(at)), Math.ceil(at)],
  );
  await rouseLanes(tx, rows, at);
  return rows.length;
}
