import { idKey, isStale, type Location, type Party, partyText, putEvse } from '#ocpi';
import { type Database, type ObjectPage, pageByCreation, type PageRequest, type Queryable, textArray, type Tx } from '#postgres';
import { type LockedStatus, lockStatusesOf, type StatusRow, storeEvses } from './evse-rows.ts';
import type { Plug } from './own-locations.ts';
import type { PlugState } from './evse-status.ts';

export interface HeldLocation {
  readonly own: boolean;
  /** For no partner's eyes: LOC-07. */
  readonly isPrivate: boolean;
  readonly location: Location;
  readonly text: string;
  /** When it came, or the last status of its EVSEs; of one that is locked. */
  readonly takenAt?: string | undefined;
}

export interface LocationKey {
  readonly countryCode: string;
  readonly partyId: string;
  readonly locationId: string;
}

export const partyKey = ({ countryCode, partyId }: Pick<LocationKey, 'countryCode' | 'partyId'>) =>
  idKey(partyText({ country_code: countryCode, party_id: partyId }));

type Status = Pick<StatusRow, 'uid' | 'status' | 'lastUpdated'> & Partial<Pick<LockedStatus, 'takenAt'>>;

export interface Row {
  own: boolean;
  private: boolean;
  location: string;
  /** Of a partner's EVSEs. */
  statuses?: readonly Status[] | null;
  taken_at?: string;
}

/** Of a row of `locations`: its EVSEs' statuses, where they stand beside it. */
export const STATUSES = `CASE WHEN NOT own THEN (
    SELECT json_agg(json_build_object('uid', e.evse_uid, 'status', e.status, 'lastUpdated', e.last_updated)) FROM evses e
    WHERE e.party = locations.party AND e.location_id = locations.location_id AND e.last_updated IS NOT NULL
  ) END AS statuses`;

export async function findLocation(db: Queryable, key: LocationKey): Promise<HeldLocation | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT own, private, location, ${STATUSES} FROM locations WHERE party = $1 AND location_id = $2`,
    [partyKey(key), idKey(key.locationId)],
  );
  return rows[0] && heldIn(rows[0]);
}

export function heldIn({ own, private: isPrivate, location: text, statuses, taken_at: takenAt }: Row): HeldLocation {
  const stored = JSON.parse(text) as Location;
  const location = withStatuses(stored, statuses ?? []);
  const latest = [takenAt, ...(statuses ?? []).map((one) => one.takenAt)].filter((one) => one !== undefined)
    .toSorted((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
  return { own, isPrivate, location, text: location === stored ? text : JSON.stringify(location), takenAt: latest };
}

/** With the statuses that came after it. */
function withStatuses(stored: Location, statuses: readonly Status[]): Location {
  return statuses.reduce((location, { uid, status, lastUpdated }) => {
    const evse = location.evses?.find((one) => one.uid === uid);
    if (!evse || isStale(evse, { last_updated: lastUpdated })) return location;
    if (evse.status === status && evse.last_updated === lastUpdated) return location;
    return putEvse(location, { ...evse, status: status as typeof evse.status, last_updated: lastUpdated });
  }, stored);
}

/** One of our own by its id alone, which names it among all of our parties'. */
export async function findOwnLocation(
  db: Queryable, locationId: string, parties: readonly Party[], lock = false,
): Promise<HeldLocation | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT own, private, location FROM locations WHERE own AND party = ANY ($1) AND location_id = $2 ${lock ? 'FOR UPDATE' : ''}`,
    [parties.map(partyText).map(idKey), idKey(locationId)],
  );
  return rows[0] && heldIn(rows[0]);
}

/** Whether the Locations were as `before` says; locked, by `lockLocations` or `findLocation`. */
export interface StoredLocation {
  readonly before: Location | undefined;
  readonly now: HeldLocation;
}

/** By `keyText`; locked in one order, whoever locks. */
export async function lockLocations(tx: Tx, keys: readonly LocationKey[]): Promise<Map<string, HeldLocation>> {
  const { rows } = await tx.query<Row & { party: string; location_id: string }>({
    name: 'locations-lock',
    text: `SELECT party, location_id, own, private, location, taken_at FROM locations
      WHERE (party, location_id) IN (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY party, location_id FOR UPDATE`,
  }, [textArray(keys.map(partyKey)), textArray(keys.map(({ locationId }) => idKey(locationId)))]);
  // Whoever takes in a status alone locks its EVSE and not its Location.
  const partners = rows.filter(({ own }) => !own).map(({ party, location_id: locationId }) => ({ party, locationId }));
  const statuses = Map.groupBy(await lockStatusesOf(tx, partners), ({ party, locationId }) => `${party} ${locationId}`);
  return new Map(rows.map((row) => {
    const key = `${row.party} ${row.location_id}`;
    return [key, heldIn({ ...row, statuses: statuses.get(key) ?? [] })];
  }));
}

export function keyText(key: LocationKey): string {
  return `${partyKey(key)} ${idKey(key.locationId)}`;
}

/** Another stored the same new Location meanwhile: what was decided without it is decided again. */
class StoredMeanwhile extends Error {}

/** `fn` in one transaction, and again where another stored one of its new Locations first. */
export async function storing<T>(db: Database, fn: (tx: Tx) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await db.tx(fn);
    } catch (error) {
      if (!(error instanceof StoredMeanwhile)) throw error;
    }
  }
}

/** Stores Locations and what a search needs of them; within `storing`, each Location once. */
export async function storeLocations(tx: Tx, stored: readonly StoredLocation[]): Promise<void> {
  const inOrder = stored.map((one) => ({ ...one, party: idKey(partyText(one.now.location)), locationId: idKey(one.now.location.id) }))
    .sort((a, b) => (`${a.party} ${a.locationId}` < `${b.party} ${b.locationId}` ? -1 : 1));
  const columns = (rows: typeof inOrder) => [
    textArray(rows.map(({ party }) => party)), textArray(rows.map(({ locationId }) => locationId)),
    textArray(rows.map(({ now }) => String(now.own))), textArray(rows.map(({ now }) => now.location.last_updated)),
    textArray(rows.map(({ now }) => now.text)), textArray(rows.map(({ now }) => String(now.isPrivate))),
  ];
  const rows = `SELECT party, location_id, own::boolean AS own, last_updated::timestamptz AS last_updated, location, private::boolean AS private
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS r (party, location_id, own, last_updated, location, private)`;
  const known = inOrder.filter(({ before }) => before !== undefined);
  if (known.length > 0) {
    await tx.query({
      name: 'locations-update',
      text: `UPDATE locations SET own = r.own, last_updated = r.last_updated, location = r.location, private = r.private,
        taken_at = clock_timestamp()
        FROM (${rows}) r WHERE locations.party = r.party AND locations.location_id = r.location_id`,
    }, columns(known));
  }
  const fresh = inOrder.filter(({ before }) => before === undefined);
  if (fresh.length > 0) {
    const { rowCount } = await tx.query({
      name: 'locations-insert',
      text: `INSERT INTO locations (party, location_id, own, last_updated, location, private, taken_at)
        SELECT fresh.*, clock_timestamp() FROM (${rows}) fresh ON CONFLICT DO NOTHING`,
    }, columns(fresh));
    if (rowCount < fresh.length) throw new StoredMeanwhile();
  }
  await storeEvses(tx, inOrder);
}

const BEFORE_DAYS = 31;

/** As one of ours was described until an instant; who may see it is nobody's business any more. */
export async function keepBefore(tx: Tx, { publish_allowed_to: _, ...before }: Location, until: string): Promise<void> {
  const keys = [idKey(partyText(before)), idKey(before.id), until];
  await tx.query(
    `INSERT INTO locations_before (party, location_id, until, location) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [...keys, JSON.stringify(before)],
  );
  await tx.query(
    `DELETE FROM locations_before WHERE party = $1 AND location_id = $2 AND until < $3::timestamptz - $4 * interval '1 day'`,
    [...keys, BEFORE_DAYS],
  );
}

/** As it was described at an instant; undefined where that is how it is now, or too long ago to be known. */
export async function locationAt(
  db: Queryable, { location, isPrivate }: HeldLocation, at: string, now: string,
): Promise<HeldLocation | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT true AS own, $6::boolean AS private, location FROM locations_before
     WHERE party = $1 AND location_id = $2 AND until > $3 AND $3::timestamptz > $4::timestamptz - $5 * interval '1 day'
     ORDER BY until LIMIT 1`,
    [idKey(partyText(location)), idKey(location.id), at, now, BEFORE_DAYS, isPrivate],
  );
  return rows[0] && heldIn(rows[0]);
}

export interface OwnList {
  /** One of our parties; all when absent. */
  readonly owner?: Party | undefined;
  readonly withPrivate: boolean;
  /** Those of an owner only where the id is like one of each of its entries, in which `*` stands for any characters. */
  readonly granted: readonly { readonly owner: Party; readonly ids: readonly string[] }[];
  /** Dates are held against the latest of last_updated and these. */
  readonly seenSince?: readonly SeenSince[];
  readonly namingSince?: { readonly tariffIds: readonly string[]; readonly since: string } | undefined;
}

/** Since when the first of these parties may see it: what is like none of a span's ids was hidden until then, or still is. */
interface SeenSince {
  readonly owner: Party;
  readonly parties: readonly { readonly spans: readonly { readonly ids: readonly string[]; readonly until?: string | undefined }[] }[];
}

/** Our own Locations, or those of one of our parties, in order of creation. */
export function listOwnLocations(
  db: Queryable, list: OwnList, request: PageRequest,
): Promise<ObjectPage> {
  const { owner, withPrivate, granted } = list;
  const values: unknown[] = [];
  const value: Value = (given) => `$${values.push(given) + 2}`;
  const where = [
    'own',
    ...(owner ? [`party = ${value(keyOfParty(owner))}`] : []),
    ...(withPrivate ? [] : ['NOT private']),
    ...granted.map((one) => `(party <> ${value(keyOfParty(one.owner))} OR location_id LIKE ANY (${value(one.ids.map(likeOf))}::text[]))`),
  ];
  const membership = '(SELECT version::text FROM own_membership)';
  const isDated = request.dateFrom !== undefined || request.dateTo !== undefined;
  const updated = isDated ? seenAt(list, value) : 'last_updated';
  return pageByCreation(db, { table: 'locations', text: 'location', where: where.join(' AND '), values, membership, updated }, request);
}

/** Puts a value in, and answers its place. */
type Value = (given: unknown) => string;

function seenAt({ seenSince = [], namingSince }: OwnList, value: Value): string {
  const never = "'-infinity'::timestamptz";
  const span = ({ ids, until = 'infinity' }: SeenSince['parties'][number]['spans'][number]) =>
    `CASE WHEN location_id LIKE ANY (${value(ids.map(likeOf))}::text[]) THEN ${never} ELSE ${value(until)}::timestamptz END`;
  const seen = seenSince.map(({ owner, parties }) => {
    const each = parties.map(({ spans }) => `greatest(${spans.map(span).join(', ')})`);
    return `CASE WHEN party = ${value(keyOfParty(owner))} THEN least(${each.join(', ')}) ELSE ${never} END`;
  });
  if (namingSince) seen.push(`CASE WHEN ${naming(value(namingSince.tariffIds.map(idKey)))} THEN ${value(namingSince.since)}::timestamptz ELSE ${never} END`);
  return seen.length === 0 ? 'last_updated' : `greatest(last_updated, ${seen.join(', ')})`;
}

function naming(tariffIds: string): string {
  return `EXISTS (SELECT FROM jsonb_array_elements(coalesce(location::jsonb->'evses', '[]')) AS evse,
    jsonb_array_elements(evse->'connectors') AS connector, jsonb_array_elements_text(coalesce(connector->'tariff_ids', '[]')) AS named
    WHERE lower(named) = ANY (${tariffIds}::text[]))`;
}

const keyOfParty = (party: Party) => idKey(partyText(party));

function likeOf(pattern: string): string {
  return idKey(pattern).replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}

/** Our own Locations other than these. */
export async function ownLocationsBeside(db: Queryable, locationIds: readonly string[]): Promise<Location[]> {
  const { rows } = await db.query<Row>(
    'SELECT own, location FROM locations WHERE own AND NOT (location_id = ANY ($1)) ORDER BY created',
    [locationIds.map(idKey)],
  );
  return rows.map((row) => heldIn(row).location);
}

/** Rarely asked: all are read. */
export async function locationsNaming(db: Queryable, ids: readonly string[]): Promise<Location[]> {
  const { rows } = await db.query<{ location: string }>(
    `SELECT location FROM locations WHERE EXISTS (
       SELECT FROM unnest($1::text[]) AS id WHERE position(lower(id) IN lower(location)) > 0)`,
    [ids],
  );
  return rows.map(({ location }) => JSON.parse(location) as Location);
}

export interface TariffUse {
  readonly locationId: string;
  readonly evseUid: string;
  readonly connectorId: string;
}

/** Connectors of ours that name a tariff; a REMOVED EVSE's do not count. Rarely asked: all are read. */
export async function tariffUses(
  db: Queryable, tariffId: string, limit: number,
): Promise<{ uses: TariffUse[]; total: number }> {
  const { rows } = await db.query<TariffUse & { total: number }>(
    `SELECT location->>'id' AS "locationId", evse->>'uid' AS "evseUid", connector->>'id' AS "connectorId",
       (count(*) OVER ())::int AS total
     FROM (SELECT created, location::jsonb AS location FROM locations WHERE own) l,
       jsonb_array_elements(coalesce(location->'evses', '[]')) AS evse,
       jsonb_array_elements(evse->'connectors') AS connector
     WHERE evse->>'status' <> 'REMOVED' AND EXISTS (
       SELECT FROM jsonb_array_elements_text(coalesce(connector->'tariff_ids', '[]')) AS named WHERE lower(named) = $1)
     ORDER BY created, "evseUid", "connectorId" LIMIT $2`,
    [idKey(tariffId), limit],
  );
  return { uses: rows.map(({ total: _, ...use }) => use), total: rows[0]?.total ?? 0 };
}

/** Replicas that start together do this at the same time; the last one's settings stay. */
export async function replacePlugs(tx: Tx, plugs: readonly Plug[]): Promise<void> {
  await tx.query('LOCK TABLE plugs IN SHARE ROW EXCLUSIVE MODE');
  await tx.query('DELETE FROM plugs');
  await tx.query(
    `INSERT INTO plugs (station_id, station_connector, location_id, evse_uid, connector_id)
     SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[])`,
    [
      plugs.map((plug) => plug.stationId), plugs.map((plug) => plug.stationConnector),
      plugs.map((plug) => plug.locationId), plugs.map((plug) => plug.evseUid), plugs.map((plug) => plug.connectorId),
    ],
  );
}

const PLUG = `SELECT station_id AS "stationId", station_connector AS "stationConnector", location_id AS "locationId",
  evse_uid AS "evseUid", connector_id AS "connectorId" FROM plugs`;

export async function plugsOfStation(db: Queryable, stationId: string): Promise<Plug[]> {
  return (await db.query<Plug>(`${PLUG} WHERE station_id = $1 ORDER BY station_connector`, [stationId])).rows;
}

export async function plugsOfEvse(db: Queryable, locationId: string, evseUid: string): Promise<Plug[]> {
  return (await db.query<Plug>(
    `${PLUG} WHERE location_id = $1 AND evse_uid = $2 ORDER BY station_connector`, [locationId, evseUid],
  )).rows;
}

/** Takes in a connector's status unless a newer one is held; S16-34. */
export async function noteStatus(
  tx: Tx, stationId: string, stationConnector: number, { status, at }: { status: string; at: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO plug_states AS held (station_id, station_connector, status, at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id, station_connector) DO UPDATE SET status = excluded.status, at = excluded.at
     WHERE held.at <= excluded.at`,
    [stationId, stationConnector, status, at],
  );
}

/** Takes in that a station's socket opened or closed, unless it is an older socket's news. */
export async function noteConnection(tx: Tx, stationId: string, connected: boolean, epoch: number): Promise<void> {
  await tx.query(
    `INSERT INTO stations AS held (station_id, connected, epoch) VALUES ($1, $2, $3)
     ON CONFLICT (station_id) DO UPDATE SET connected = excluded.connected, epoch = excluded.epoch
     WHERE held.epoch <= excluded.epoch`,
    [stationId, connected, epoch],
  );
}

/** The states of an EVSE's connectors. */
export async function plugStates(tx: Tx, locationId: string, evseUid: string): Promise<PlugState[]> {
  const { rows } = await tx.query<{ connected: boolean | null; status: string | null; station_status: string | null }>(
    `SELECT s.connected, own.status, whole.status AS station_status
     FROM plugs p
     LEFT JOIN stations s USING (station_id)
     LEFT JOIN plug_states own ON own.station_id = p.station_id AND own.station_connector = p.station_connector
     LEFT JOIN plug_states whole ON whole.station_id = p.station_id AND whole.station_connector = 0
     WHERE p.location_id = $1 AND p.evse_uid = $2`,
    [locationId, evseUid],
  );
  return rows.map((row) => ({
    connected: row.connected ?? false,
    status: row.status ?? undefined,
    stationStatus: row.station_status ?? undefined,
  }));
}


/** The ids of the Locations that are held of a partner's party, in lower case and in their order, those of which an EVSE is there. */
export async function heldLocationIds(
  db: Queryable,
  party: Pick<LocationKey, 'countryCode' | 'partyId'>,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.query<{ location_id: string }>(
    `SELECT location_id FROM locations l WHERE party = $1 AND NOT own AND location_id > $2
       AND EXISTS (SELECT FROM evses e WHERE e.party = l.party AND e.location_id = l.location_id)
     ORDER BY location_id LIMIT $3`,
    [partyKey(party), after, limit],
  );
  return rows.map(({ location_id }) => location_id);
}
