import { fromJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import {
  type AskedFor, Connector, type ConnectorPatch, Evse, EvsePatch, findEvse, isOutdated, isStale, Location, type LocationPatch, patchConnector,
  patchEvse, patchLocation, putConnector, putEvse, putLocation, read, sameId,
} from '#ocpi';
import type { LocationKey } from './location-rows.ts';
import { sameJson } from './own-locations.ts';

export type PushRefusal = 'unknown-location' | 'unknown-evse' | 'unknown-connector' | 'invalid-object';
export type Change = 'created' | 'updated' | 'unchanged' | 'stale';

/** What a partner pushed: at which level, whether a PATCH, and the JSON. */
export interface Push extends LocationKey, AskedFor {
  readonly evseUid?: string | undefined;
  readonly connectorId?: string | undefined;
  readonly patch: boolean;
  readonly body: Uint8Array;
}

/** What a push makes of a Location. */
export type Pushed =
  | { readonly change: 'unchanged' | 'stale' }
  | {
    readonly change: 'created' | 'updated';
    readonly location: Location;
    /** The EVSE, when its status, or the instant of it, is all that the push changed. */
    readonly onlyStatus?: Evse | undefined;
  };

type Dated = { readonly last_updated: string };

const refuse = (code: PushRefusal, detail: string) => new Rejected<PushRefusal>(code, detail);

/** More is said otherwise. */
const STATUS_BYTES_MAX = 1_000;
const statusFields: ReadonlySet<string> = new Set(['status', 'last_updated']);

/** LOC-01, LOC-33, LOC-34. Throws Rejected. What lies beside the object pushed is not looked at again. */
export function pushed(held: Location | undefined, push: Push, takenAt = ''): Pushed {
  const body = bodyOf(push);
  if (push.evseUid === undefined) return pushedLocation(held, push, body, takenAt);
  if (!held) throw refuse('unknown-location', `${push.locationId} is not known: PUT it first`);
  const location = push.connectorId === undefined
    ? withEvse(held, push.evseUid, push, body)
    : withConnector(held, push.evseUid, push.connectorId, push, body);
  const [was, is] = [findEvse(held, push.evseUid), findEvse(location, push.evseUid)];
  if (was && is && location.last_updated === held.last_updated && same(was, is)) return { change: 'unchanged' };
  const known = push.connectorId === undefined ? was : was?.connectors.find(({ id }) => sameId(id, push.connectorId!));
  if (known && isStale(known, body)) return { change: 'stale' };
  return { change: known ? 'updated' : 'created', location, onlyStatus: push.connectorId === undefined ? onlyStatus(was, is) : undefined };
}

/** An EVSE's status, and the instant of it. */
export interface EvseStatus {
  readonly status: string;
  readonly lastUpdated: string;
}

/** The body of a PATCH that says nothing but the status of an EVSE that stays: it needs no more of the Location than that. */
export function statusPatch({ evseUid, connectorId, patch, body }: Push): EvsePatch | undefined {
  if (!patch || evseUid === undefined || connectorId !== undefined || body.length > STATUS_BYTES_MAX) return undefined;
  try {
    const given = fromJsonBytes<EvsePatch | null>(body);
    const isStatus = typeof given === 'object' && given !== null && Object.keys(given).every((name) => statusFields.has(name));
    return isStatus && given.status !== 'REMOVED' ? given : undefined;
  } catch {
    return undefined;
  }
}

/** LOC-34, as `pushed` does it. Throws Rejected. */
export function pushedStatus(held: EvseStatus, patch: EvsePatch): EvseStatus | 'unchanged' | 'stale' {
  valid(EvsePatch, patch);
  const next = { status: patch.status ?? held.status, lastUpdated: patch.last_updated };
  if (next.status === held.status && next.lastUpdated === held.lastUpdated) return 'unchanged';
  return isStale({ last_updated: held.lastUpdated }, patch) ? 'stale' : next;
}

function bodyOf({ body }: Push): Dated {
  try {
    return fromJsonBytes<Dated>(body);
  } catch (error) {
    throw refuse('invalid-object', `the body is no JSON: ${String(error)}`);
  }
}

function pushedLocation(held: Location | undefined, push: Push, body: Dated, takenAt: string): Pushed {
  if (push.patch && !held) throw refuse('unknown-location', `${push.locationId} is not known: PUT it first`);
  const location = valid(Location, push.patch ? patchLocation(held!, body as LocationPatch) : putLocation(held, body as Location));
  if (!held) return { change: 'created', location };
  if (same(held, location)) return { change: 'unchanged' };
  return isOutdated(held, takenAt, body, push) ? { change: 'stale' } : { change: 'updated', location };
}

function withEvse(held: Location, evseUid: string, { patch, locationId }: Push, body: Dated): Location {
  if (!patch) return putEvse(held, valid(Evse, body) as Evse);
  const patched = patchEvse(held, evseUid, body as EvsePatch);
  if (!patched) throw unknownEvse(locationId, evseUid);
  // What is held was read when it came: where two fields change, those two are all there is to read.
  if (Object.keys(body).every((name) => statusFields.has(name))) valid(EvsePatch, body);
  else valid(Evse, findEvse(patched, evseUid));
  return patched;
}

function withConnector(held: Location, evseUid: string, connectorId: string, { patch, locationId }: Push, body: Dated): Location {
  if (!findEvse(held, evseUid)) throw unknownEvse(locationId, evseUid);
  if (!patch) return putConnector(held, evseUid, valid(Connector, body) as Connector)!;
  const patched = patchConnector(held, evseUid, connectorId, body as ConnectorPatch);
  if (!patched) throw refuse('unknown-connector', `EVSE ${evseUid} has no Connector ${connectorId}`);
  valid(Connector, findEvse(patched, evseUid)!.connectors.find(({ id }) => sameId(id, connectorId)));
  return patched;
}

function unknownEvse(locationId: string, evseUid: string): Rejected {
  return refuse('unknown-evse', `${locationId} has no EVSE ${evseUid}: PUT it first`);
}

function valid<T extends Parameters<typeof read>[0]>(schema: T, value: unknown) {
  const reading = read(schema, value);
  if (!reading.ok) throw refuse('invalid-object', reading.message);
  return reading.value;
}

function onlyStatus(was: Evse | undefined, is: Evse | undefined): Evse | undefined {
  if (!was || !is) return undefined;
  return sameJson({ ...is, status: was.status, last_updated: was.last_updated }, was) ? is : undefined;
}

/** Most of what differs differs in its instant. */
function same(a: Dated, b: Dated): boolean {
  return a.last_updated === b.last_updated && sameJson(a, b);
}
