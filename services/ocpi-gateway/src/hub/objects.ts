import { withinOneAnswer } from '#bus';
import {
  type Connector, type ConnectorPatch, type Evse, type EvsePatch, findEvse, isStale, Location, type LocationPatch,
  type NextPage, type PageQuery, type Party, partyText, patchConnector, patchEvse, patchLocation, patchToken, putConnector, putEvse,
  putLocation, read, type Route, sameId, Tariff, Token, type TokenPatch,
} from '#ocpi';
import { pageByCreation, type Queryable, type Tx } from '#postgres';
import type { PushedModule } from '../pushes/difference.ts';
import { refuse } from '../refusals.ts';

/** What somebody told everybody: the hub lists it (GET All), and brings it to each that is to have it. HUB-16. */
export interface HubObject {
  readonly module: PushedModule;
  readonly owner: Party;
  /** An id within the module; a token's is `TYPE uid`. */
  readonly key: string;
}

const objectSchemas = { locations: Location, tariffs: Tariff, tokens: Token } as const;

export function objectOf({ module }: Route, params: Readonly<Record<string, string>>, type: string): HubObject {
  const owner = { country_code: params.country_code!.toUpperCase(), party_id: params.party_id!.toUpperCase() };
  if (module === 'tokens') return { module, owner, key: `${type} ${params.token_uid}`.toUpperCase() };
  return { module: module as PushedModule, owner, key: (params.location_id ?? params.tariff_id)!.toUpperCase() };
}

/** The object after a push, as text; undefined: it is deleted. `known` is what the hub had. */
export function pushedOn(
  route: Route,
  params: Readonly<Record<string, string>>,
  body: unknown,
  known: string | undefined,
): string | undefined {
  if (route.method === 'DELETE') return undefined;
  const held: unknown = known === undefined ? undefined : JSON.parse(known);
  const part = heldPart(held as Location | undefined, params);
  if (part && isStale(part, body as { last_updated: string })) return known;
  const next =
    route.module === 'locations'
      ? locationAfter(route, params, body, held as Location | undefined)
      : route.method === 'PUT'
        ? body
        : patchToken(there(held as Token | undefined, 'Token'), body as TokenPatch);
  const reading = read(objectSchemas[route.module as keyof typeof objectSchemas], next);
  if (!reading.ok) throw refuse('invalid-parameters', reading.message);
  return JSON.stringify(next);
}

/** What of it is pushed: an EVSE or a Connector may be older than its Location. LOC-34. */
function heldPart(held: Location | undefined, { evse_uid: evseUid, connector_id: connectorId }: Readonly<Record<string, string>>) {
  const evse = evseUid === undefined ? held : held && findEvse(held, evseUid);
  return connectorId === undefined ? evse : (evse as Evse | undefined)?.connectors.find(({ id }) => sameId(id, connectorId));
}

function locationAfter({ method }: Route, params: Readonly<Record<string, string>>, body: unknown, held: Location | undefined): Location {
  const { evse_uid: evseUid, connector_id: connectorId } = params;
  if (evseUid === undefined) {
    return method === 'PUT' ? putLocation(held, body as Location) : patchLocation(there(held, 'Location'), body as LocationPatch);
  }
  const location = there(held, 'Location');
  if (connectorId === undefined) {
    return there(method === 'PUT' ? putEvse(location, body as Evse) : patchEvse(location, evseUid, body as EvsePatch), 'EVSE');
  }
  return there(method === 'PUT'
    ? putConnector(location, evseUid, body as Connector)
    : patchConnector(location, evseUid, connectorId, body as ConnectorPatch), 'EVSE or Connector');
}

function there<T>(held: T | undefined, what: string): T {
  if (held === undefined) throw refuse('not-found', `this hub was never told of that ${what}: PUT all of it first`);
  return held;
}

const placeOf = ({ module, owner, key }: HubObject) => [module, owner.country_code, owner.party_id, key];
const WHERE = 'module = $1 AND country_code = $2 AND party_id = $3 AND object_key = $4';

export async function findObject(tx: Tx, object: HubObject): Promise<string | undefined> {
  // One after the other for each object, also for one that is not there yet.
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [placeOf(object).join(' ')]);
  const { rows } = await tx.query<{ object: string }>(`SELECT object FROM hub_objects WHERE ${WHERE}`, placeOf(object));
  return rows[0]?.object;
}

export async function storeObject(tx: Tx, object: HubObject, text: string | undefined): Promise<void> {
  if (text === undefined) {
    await tx.query(`DELETE FROM hub_objects WHERE ${WHERE}`, placeOf(object));
    return;
  }
  await tx.query(
    `INSERT INTO hub_objects (module, country_code, party_id, object_key, object, last_updated)
     VALUES ($1, $2, $3, $4, $5::text, ($5::json->>'last_updated')::timestamptz)
     ON CONFLICT (module, country_code, party_id, object_key) DO UPDATE SET object = excluded.object, last_updated = excluded.last_updated`,
    [...placeOf(object), text],
  );
}

/** GET All: in the order in which the hub was first told of them, of these parties. TRN-54. */
export async function objectPage(
  db: Queryable,
  module: string,
  owners: readonly Party[],
  page: PageQuery,
): Promise<{ objects: readonly Uint8Array[]; total: number; next: NextPage }> {
  const where = `module = $3 AND country_code || '*' || party_id = ANY ($4)`;
  const { rows, total, more } = await pageByCreation(
    db,
    { table: 'hub_objects', text: 'object', where, values: [module, owners.map(partyText)] },
    page,
  );
  // Members' Locations may be of any size: what is too long for this page begins the next.
  const objects = withinOneAnswer(rows.map(({ text }) => Buffer.from(text)), (bytes) => bytes);
  const position = rows[objects.length - 1]?.position;
  const follows = position !== undefined && (more || objects.length < rows.length);
  return { objects, total, next: follows ? { offset: page.offset + objects.length, position } : 'none' };
}

/** All of a module that was told to everybody, a page at a time, for a member that joins. */
export async function objectsAfter(
  db: Queryable,
  module: string,
  after: string,
): Promise<{ object: HubObject; text: string; at: string }[]> {
  const { rows } = await db.query<Party & { object_key: string; object: string; created: bigint }>(
    'SELECT country_code, party_id, object_key, object, created FROM hub_objects WHERE module = $1 AND created > $2 ORDER BY created LIMIT 200',
    [module, after],
  );
  return rows.map(({ country_code, party_id, object_key, object, created }) => ({
    object: { module: module as PushedModule, owner: { country_code, party_id }, key: object_key },
    text: object,
    at: String(created),
  }));
}

/** The parties that keep an object with this id, as far as the hub was told. */
export async function ownersOf(db: Queryable, module: 'locations' | 'tokens', key: string): Promise<Party[]> {
  const { rows } = await db.query<Party>({
    name: 'hub-owners-of',
    text: 'SELECT country_code, party_id FROM hub_objects WHERE module = $1 AND object_key = $2',
  }, [module, key.toUpperCase()]);
  return rows;
}

export type Kept = 'session' | 'session-token' | 'reservation' | 'location' | 'token';

/** Where a Session, Location … of this id is: ids and parties alone, learned from what was forwarded. */
export async function learnPlace(db: Queryable, what: Kept, id: string, { country_code, party_id }: Party, until: number): Promise<void> {
  await db.query(
    {
      name: 'hub-places-learn',
      text: `INSERT INTO hub_places AS held (what, id, country_code, party_id, until) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (what, id, country_code, party_id) DO UPDATE SET until = excluded.until WHERE held.until < excluded.until - interval '1 hour'`,
    },
    [what, id.toUpperCase(), country_code.toUpperCase(), party_id.toUpperCase(), new Date(until)],
  );
}

export async function placesOf(db: Queryable, what: Kept, id: string, now: number): Promise<Party[]> {
  const { rows } = await db.query<Party>({
    name: 'hub-places-of',
    text: 'SELECT country_code, party_id FROM hub_places WHERE what = $1 AND id = $2 AND until > $3',
  }, [what, id.toUpperCase(), new Date(now)]);
  return rows;
}

export async function dropPlaces(db: Queryable, now: number): Promise<void> {
  await db.query('DELETE FROM hub_places WHERE until <= $1', [new Date(now)]);
}
