import { rouseAtCommit } from '#due';
import { type Cdr, instantMs, partyText } from '#ocpi';
import { bigintArray, intArray, textArray, type Tx } from '#postgres';
import { rfc3339 } from '#time';
import { profileLane } from '../profile-rows.ts';
import type { AlikeReceivers } from './alike-receivers.ts';
import { forgetOne, hadVersion, type PushedKey } from './pushed-rows.ts';
import { shareTexts } from './text-rows.ts';

/** What an object of ours is now, for partners that are to know. */
export interface Queued {
  readonly module: PushedKey['module'];
  readonly objectKey: string;
  /** undefined: withdrawn. */
  readonly current: string | undefined;
  /** Epoch ms; of an older one nothing is kept. */
  readonly updatedMs: number | undefined;
  /** Whose the Session or CDR is: each owner's have a lane. */
  readonly owner: string;
}

export interface Push {
  readonly partnerId: string;
  readonly object: Queued;
  /** Of the request that it goes on from, where it is not ours. TRN-81. */
  readonly correlationId?: string;
}

/** Locations as they are, with all who see them so. */
export interface SharedLocations {
  readonly partnerIds: readonly string[];
  readonly objects: readonly Queued[];
}

/** What goes to partners. */
export interface Pushes {
  readonly shared?: Iterable<SharedLocations>;
  readonly own?: readonly Push[];
  /** Only where something was to be said of it. */
  readonly ifKnown?: readonly Push[];
  /** Nothing is to be said of it any more, and nothing was. */
  readonly unsent?: readonly PushedKey[];
}

type Dated = Partial<Cdr>;

export function queuedOf({ module, objectKey, current }: Pick<Queued, 'module' | 'objectKey' | 'current'>): Queued {
  const { last_updated, cdr_token: owner } = (current === undefined ? {} : JSON.parse(current)) as Dated;
  return { module, objectKey, current, updatedMs: instantMs(last_updated ?? ''), owner: owner ? partyText(owner) : '' };
}

/** Of each object the newest, in the order in which they came. */
export function newestOf<T extends Queued>(objects: readonly T[]): T[] {
  const newest = new Map<string, T>();
  for (const one of objects) {
    const key = `${one.module} ${one.objectKey}`;
    const held = newest.get(key);
    if (held?.updatedMs !== undefined && one.updatedMs !== undefined && one.updatedMs < held.updatedMs) continue;
    newest.set(key, one);
  }
  return [...newest.values()];
}

/**
 * Sessions do not wait behind a first push of all Locations, a CDR that is not taken holds up nothing else, and
 * of a hub's members none waits for another.
 */
function laneOf(partnerId: string, { module, objectKey, owner }: Queued): string {
  if (module === 'chargingprofiles') return profileLane(partnerId, objectKey);
  return module === 'cdrs' || module === 'sessions' ? `${partnerId} ${module} ${owner}` : partnerId;
}

export function pushOf({ partnerId, module, objectKey }: PushedKey, current: string | undefined): Push {
  return { partnerId, object: queuedOf({ module, objectKey, current }) };
}

/**
 * What objects are now: written over what was to be said of them before, and their lanes roused. An older
 * object does not take a newer one's place; a CDR never changes.
 *
 * Nobody waits for somebody who waits for him, because rows are locked by one rule:
 * - Who queues holds the links (`lockLinks`): alone, or it queues once in its transaction and behind all else that it does.
 *   It locks objects, then the versions of shared Locations as a whole, then, with the COMMIT, lanes' due rows, each in the
 *   order of their keys, and waits for no row of `push_lanes`; who gives partners another view of Locations locks those before all else, in the
 *   same way.
 * - Who sends may hold its lane's row, and waits for nothing while it does: what somebody is queueing just now is passed
 *   over (SKIP LOCKED), and noted in a next transaction.
 */
export async function queueAll(
  tx: Tx, { shared = [], own = [], ifKnown = [], unsent = [] }: Pushes, at: number, alike?: AlikeReceivers,
): Promise<void> {
  const groups = [...shared].filter(({ partnerIds, objects }) => partnerIds.length > 0 && objects.length > 0);
  const touched = groups.flatMap(({ partnerIds }) => partnerIds.map((id) => ({ lane: id, partnerId: id })));
  const looked = groups.length > 0 ? await alike?.unknown(tx, groups) : undefined;
  await queueShared(tx, looked?.unknown ?? groups, at);
  for (const key of unsent) await forgetOne(tx, key);
  touched.push(...await queueEach(tx, own, at), ...await queueEach(tx, ifKnown, at, true));
  await makeLanes(tx, touched);
  const texts = groups.flatMap(({ objects }) =>
    objects.map(({ objectKey, current, updatedMs }) => ({ objectKey, text: current!, updatedMs: updatedMs ?? 0 })),
  );
  if (texts.length > 0) await shareTexts(tx, texts);
  await looked?.learn();
  rouse(tx, touched, at);
}

async function queueEach(tx: Tx, pushes: readonly Push[], at: number, ifKnown = false): Promise<Lane[]> {
  if (pushes.length === 0) return [];
  const last = [...new Map(pushes.map((one) => [keyText(one), one])).values()];
  const { rows } = await tx.query<Lane>({
    name: ifKnown ? 'push-queue-known' : 'push-queue',
    text: `INSERT INTO pushed AS held (partner_id, module, object_key, current, updated_ms, lane, queued, queued_at, due_at, turn, correlation_id)
      SELECT partner_id, module, object_key, current, updated_ms, lane, true, $7, $8, (SELECT nextval('push_order')) + place, correlation_id
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $9::int[], $10::text[])
        AS given (partner_id, module, object_key, current, updated_ms, lane, place, correlation_id)
      ${ifKnown ? `WHERE EXISTS (SELECT FROM pushed p WHERE p.partner_id = given.partner_id AND p.module = given.module
        AND p.object_key = given.object_key AND (p.shared OR p.current IS NOT NULL))` : ''}
      ORDER BY partner_id, module, object_key
      ON CONFLICT (partner_id, module, object_key) DO UPDATE SET current = excluded.current, shared = false,
        acknowledged_version = ${hadVersion('held')}, updated_ms = excluded.updated_ms, correlation_id = excluded.correlation_id, ${QUEUED_AGAIN}
      WHERE held.module <> 'cdrs' AND (excluded.updated_ms IS NULL OR excluded.updated_ms >= coalesce(
        CASE WHEN held.shared THEN (SELECT s.updated_ms FROM shared_locations s WHERE s.object_key = held.object_key)
          WHEN held.current IS NOT NULL THEN held.updated_ms END, excluded.updated_ms))
      RETURNING lane, partner_id AS "partnerId"`,
  }, [
    last.map(({ partnerId }) => partnerId), last.map(({ object }) => object.module),
    last.map(({ object }) => object.objectKey), last.map(({ object }) => object.current ?? null),
    last.map(({ object }) => object.updatedMs ?? null), last.map(({ partnerId, object }) => laneOf(partnerId, object)),
    rfc3339(Math.round(at)), Math.ceil(at), last.map((_, place) => place),
    last.map(({ correlationId }) => correlationId ?? null),
  ]);
  return rows;
}

/** It keeps its place while it waits. */
const QUEUED_AGAIN = `lane = excluded.lane, queued = true, parked = NULL, parked_at = NULL,
  queued_at = CASE WHEN held.queued THEN held.queued_at ELSE excluded.queued_at END,
  due_at = CASE WHEN held.queued THEN held.due_at ELSE excluded.due_at END,
  turn = CASE WHEN held.queued THEN held.turn ELSE excluded.turn END`;

/**
 * Locations that all partners of a group see as they are: each is written once, and is news to every lane whose position is
 * before its version. Beside it only who did not see it so is queued, and who is to be told of it as a whole.
 */
async function queueShared(tx: Tx, groups: readonly SharedLocations[], at: number): Promise<void> {
  const given = groups.flatMap(({ objects }, group) => objects.map((object) => ({ ...object, group })));
  const receivers = groups.flatMap(({ partnerIds }, group) => partnerIds.map((id) => ({ id, group })));
  if (given.length === 0) return;
  // Each by its key: what waits changes too fast for the planner to know better than to join with all of it.
  await tx.query({
    name: 'push-queue-shared',
    text: `INSERT INTO pushed AS held (partner_id, module, object_key, shared, updated_ms, lane, queued, queued_at, due_at, turn)
      SELECT receiver.id, 'locations', object_key, true, updated_ms, receiver.id, true, $6, $7, (SELECT nextval('push_order')) + place
      FROM unnest($1::text[], $2::int[], $3::bigint[]) WITH ORDINALITY AS given (object_key, "group", updated_ms, place)
        JOIN unnest($4::text[], $5::int[]) AS receiver (id, "group") USING ("group")
      WHERE (SELECT p.shared AND (p.queued OR (NOT p.unclear AND p.parked IS NULL)) FROM pushed p
        WHERE p.partner_id = receiver.id AND p.module = 'locations' AND p.object_key = given.object_key) IS NOT TRUE
      ORDER BY receiver.id, object_key
      ON CONFLICT (partner_id, module, object_key) DO UPDATE SET current = NULL, updated_ms = excluded.updated_ms, shared = true,
        acknowledged_version = ${hadVersion('held')}, ${QUEUED_AGAIN}
      WHERE held.shared OR held.current IS NULL OR coalesce(held.updated_ms, 0) <= excluded.updated_ms`,
  }, [
    textArray(given.map(({ objectKey }) => objectKey)), intArray(given.map(({ group }) => group)),
    bigintArray(given.map(({ updatedMs }) => BigInt(updatedMs ?? 0))),
    textArray(receivers.map(({ id }) => id)), intArray(receivers.map(({ group }) => group)), rfc3339(Math.round(at)), Math.ceil(at),
  ]);
}

export interface Lane {
  readonly lane: string;
  readonly partnerId: string;
}

/** There is something to send in these lanes at `at`: one due row for each, whatever waits in it. */
export async function rouseLanes(tx: Tx, touched: readonly Lane[], at: number): Promise<void> {
  await makeLanes(tx, touched);
  rouse(tx, touched, at);
}

/** A partner that asked to be left alone, or could not be reached, is there again: what waits for it is tried at once. */
export function endPauses(tx: Tx, partnerId: string, at: number): void {
  tx.atCommit(
    `WITH lanes AS MATERIALIZED (SELECT key FROM due_lane WHERE key IN (SELECT lane FROM push_lanes WHERE partner_id = $1) ORDER BY key FOR UPDATE),
        paused AS (UPDATE due SET retry_at = NULL, retry_after = NULL FROM lanes
          WHERE due.key = lanes.key AND done_at IS NULL AND retry_after IS NOT NULL RETURNING due.key)
      UPDATE due_lane SET wake_after = '-infinity', wake_at = least(wake_at, $2::bigint) FROM paused WHERE due_lane.key = paused.key`,
    [partnerId, String(Math.ceil(at))],
  );
}

async function makeLanes(tx: Tx, touched: readonly Lane[]): Promise<void> {
  const lanes = eachOnce(touched);
  if (lanes.length === 0) return;
  await tx.query({
    name: 'push-lanes',
    // A conflict with a row that is there would be waited for while its sender writes it.
    text: `INSERT INTO push_lanes (lane, partner_id, told) SELECT lane, partner_id, (SELECT coalesce(max(version), 0) FROM shared_locations)
      FROM unnest($1::text[], $2::text[]) AS given (lane, partner_id)
      WHERE NOT EXISTS (SELECT FROM push_lanes l WHERE l.lane = given.lane) ORDER BY lane ON CONFLICT DO NOTHING`,
  }, [lanes.map(({ lane }) => lane), lanes.map(({ partnerId }) => partnerId)]);
}

/** With the COMMIT: whoever sends needs these rows, too. */
function rouse(tx: Tx, touched: readonly Lane[], at: number): void {
  rouseAtCommit(
    tx,
    'push',
    at,
    eachOnce(touched).map(({ lane, partnerId }) => ({ id: `push ${lane}`, key: lane, body: { lane, partnerId } })),
  );
}

function eachOnce(lanes: readonly Lane[]): Lane[] {
  return [...new Map(lanes.map((one) => [one.lane, one])).values()];
}

function keyText({ partnerId, object: { module, objectKey } }: Push): string {
  return `${partnerId} ${module} ${objectKey}`;
}
