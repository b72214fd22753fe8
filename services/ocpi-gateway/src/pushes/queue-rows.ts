import { rouseDue } from '#due';
import { type Cdr, instantMs, partyText } from '#ocpi';
import type { Tx } from '#postgres';
import { rfc3339 } from '#time';
import { profileLane } from '../profile-rows.ts';
import type { PushedKey } from './pushed-rows.ts';
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
}

/** What goes to partners. */
export interface Pushes {
  /** Locations as they are, with all who see them so. */
  readonly shared?: Iterable<{ readonly partnerIds: readonly string[]; readonly objects: readonly Queued[] }>;
  readonly own?: readonly Push[];
  /** Only where something was to be said of it. */
  readonly ifKnown?: readonly Push[];
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

/** What an object is now, for one partner: see `queueAll`. */
export async function queuePush(tx: Tx, { partnerId, module, objectKey }: PushedKey, current: string | undefined, at: number): Promise<void> {
  await queueAll(tx, { own: [pushOf({ partnerId, module, objectKey }, current)] }, at);
}

export function pushOf({ partnerId, module, objectKey }: PushedKey, current: string | undefined): Push {
  return { partnerId, object: queuedOf({ module, objectKey, current }) };
}

/**
 * What objects are now: written over what was to be said of them before, and their lanes roused, all of
 * them last and in one order, so that no two who queue wait for each other. An older object does not
 * take a newer one's place; a CDR never changes.
 */
export async function queueAll(tx: Tx, { shared = [], own = [], ifKnown = [] }: Pushes, at: number): Promise<void> {
  const touched: Lane[] = [];
  for (const { partnerIds, objects } of shared) touched.push(...await queueShared(tx, partnerIds, objects, at));
  touched.push(...await queueEach(tx, own, at), ...await queueEach(tx, ifKnown, at, true));
  await rouseLanes(tx, touched, at);
}

async function queueEach(tx: Tx, pushes: readonly Push[], at: number, ifKnown = false): Promise<Lane[]> {
  if (pushes.length === 0) return [];
  const last = [...new Map(pushes.map((one) => [keyText(one), one])).values()];
  const sorted = last.map((one, place) => ({ ...one, place })).sort((a, b) => (keyText(a) < keyText(b) ? -1 : 1));
  const { rows } = await tx.query<Lane>({
    name: ifKnown ? 'push-queue-known' : 'push-queue',
    text: `INSERT INTO pushed AS held (partner_id, module, object_key, current, updated_ms, lane, queued, queued_at, due_at, turn)
      SELECT partner_id, module, object_key, current, updated_ms, lane, true, $7, $8, (SELECT nextval('push_order')) + place
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $9::int[])
        AS given (partner_id, module, object_key, current, updated_ms, lane, place)
      ${ifKnown ? `WHERE EXISTS (SELECT FROM pushed p WHERE p.partner_id = given.partner_id AND p.module = given.module
        AND p.object_key = given.object_key AND (p.shared OR p.current IS NOT NULL))` : ''}
      ON CONFLICT (partner_id, module, object_key) DO UPDATE SET current = excluded.current, shared = false,
        updated_ms = excluded.updated_ms, ${QUEUED_AGAIN}
      WHERE held.module <> 'cdrs' AND (excluded.updated_ms IS NULL OR excluded.updated_ms >= coalesce(
        CASE WHEN held.shared THEN (SELECT s.updated_ms FROM shared_locations s WHERE s.object_key = held.object_key)
          WHEN held.current IS NOT NULL THEN held.updated_ms END, excluded.updated_ms))
      RETURNING lane, partner_id AS "partnerId"`,
  }, [
    sorted.map(({ partnerId }) => partnerId), sorted.map(({ object }) => object.module),
    sorted.map(({ object }) => object.objectKey), sorted.map(({ object }) => object.current ?? null),
    sorted.map(({ object }) => object.updatedMs ?? null), sorted.map(({ partnerId, object }) => laneOf(partnerId, object)),
    rfc3339(Math.round(at)), Math.ceil(at), sorted.map(({ place }) => place),
  ]);
  return rows;
}

/** It keeps its place while it waits. */
const QUEUED_AGAIN = `lane = excluded.lane, queued = true, parked = NULL, parked_at = NULL,
  queued_at = CASE WHEN held.queued THEN held.queued_at ELSE excluded.queued_at END,
  due_at = CASE WHEN held.queued THEN held.due_at ELSE excluded.due_at END,
  turn = CASE WHEN held.queued THEN held.turn ELSE excluded.turn END`;

/**
 * Locations that all these partners see as they are: each is written once, and beside it only who has it not
 * queued yet. The Location's row is locked before that is asked: whoever notes what a partner acknowledged
 * holds it too, so that of the two one sees the other.
 */
async function queueShared(tx: Tx, partnerIds: readonly string[], locations: readonly Queued[], at: number): Promise<Lane[]> {
  if (partnerIds.length === 0 || locations.length === 0) return [];
  const sorted = locations.map((one, place) => ({ ...one, place })).sort((a, b) => (a.objectKey < b.objectKey ? -1 : 1));
  const keys = sorted.map(({ objectKey }) => objectKey);
  await shareTexts(tx, sorted.map(({ objectKey, current, updatedMs }) => ({ objectKey, text: current!, updatedMs: updatedMs ?? 0 })));
  const { rows } = await tx.query<Lane>({
    name: 'push-queue-shared',
    text: `INSERT INTO pushed AS held (partner_id, module, object_key, shared, lane, queued, queued_at, due_at, turn)
      SELECT receiver.id, 'locations', object_key, true, receiver.id, true, $3, $4, (SELECT nextval('push_order')) + place
      FROM unnest($2::text[], $5::int[]) AS given (object_key, place) CROSS JOIN unnest($1::text[]) AS receiver (id)
      WHERE NOT EXISTS (SELECT FROM pushed p WHERE p.partner_id = receiver.id AND p.module = 'locations'
        AND p.object_key = given.object_key AND p.shared AND p.queued)
      ORDER BY receiver.id, object_key
      ON CONFLICT (partner_id, module, object_key) DO UPDATE SET current = NULL, updated_ms = NULL, shared = true, ${QUEUED_AGAIN}
      WHERE held.shared OR held.current IS NULL OR coalesce(held.updated_ms, 0) <= (
        SELECT s.updated_ms FROM shared_locations s WHERE s.object_key = held.object_key)
      RETURNING lane, partner_id AS "partnerId"`,
  }, [partnerIds.toSorted(), keys, rfc3339(Math.round(at)), Math.ceil(at), sorted.map(({ place }) => place)]);
  return rows;
}

export interface Lane {
  readonly lane: string;
  readonly partnerId: string;
}

/** There is something to send in these lanes at `at`: one due row for each, whatever waits in it. */
export async function rouseLanes(tx: Tx, touched: readonly Lane[], at: number): Promise<void> {
  const lanes = [...new Map(touched.map((one) => [one.lane, one])).values()].sort((a, b) => (a.lane < b.lane ? -1 : 1));
  if (lanes.length === 0) return;
  await tx.query({
    name: 'push-lanes',
    text: `INSERT INTO push_lanes (lane, partner_id) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING`,
  }, [lanes.map(({ lane }) => lane), lanes.map(({ partnerId }) => partnerId)]);
  await rouseDue(tx, 'push', at, lanes.map(({ lane, partnerId }) => ({ id: `push ${lane}`, key: lane, body: { lane, partnerId } })));
}

function keyText({ partnerId, object: { module, objectKey } }: Push): string {
  return `${partnerId} ${module} ${objectKey}`;
}
