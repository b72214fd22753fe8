import type { ChargingPeriod } from './cdrs.ts';
import { instantMs } from './fields.ts';
import { sameId } from './ids.ts';
import type {
  Connector, ConnectorPatch, Evse, EvseInPatch, EvsePatch, Location, LocationPatch,
} from './locations.ts';
import type { Session, SessionPatch } from './sessions.ts';
import type { Token, TokenPatch } from './tokens.ts';

// What a receiver has after a PUT or PATCH. All are pure, keep fields of later versions, and raise the
// last_updated of the parents of what was pushed (LOC-01). A PATCH that leaves an incomplete object
// (a new EVSE without its connectors) shows when the result is read by its schema.

/** Whether a pushed object is older than the one known; then it does not overwrite. LOC-34. */
export function isStale(known: { last_updated: string }, pushed: { last_updated: string }): boolean {
  return (instantMs(pushed.last_updated) ?? 0) < (instantMs(known.last_updated) ?? 0);
}

/** Of an object that its owner was asked for, in a list or alone. */
export interface AskedFor {
  /** What is held under this last_updated gives way also to what is older. */
  readonly replaces?: string | undefined;
  /** When it was asked for. */
  readonly askedAt?: string | undefined;
}

/** LOC-34: whether what its owner says of an object leaves what is held, which came at `takenAt`, as it is. */
export function isOutdated(
  held: { last_updated: string }, takenAt: string, said: { last_updated: string }, { replaces, askedAt }: AskedFor,
): boolean {
  // What came after the owner was asked may be newer than the answer.
  if (cameSince(takenAt, askedAt)) return !isStale(said, held);
  return isStale(held, said) && replaces !== held.last_updated;
}

export function cameSince(takenAt: string, askedAt: string | undefined): boolean {
  return askedAt !== undefined && Date.parse(takenAt) >= Date.parse(askedAt);
}

function newer(a: string, b: string): string {
  return isStale({ last_updated: a }, { last_updated: b }) ? a : b;
}

/** The fields a patch gives; those it leaves out, or gives as null, stay. Ids never change. */
function merged<T extends object>(known: T, patch: object, ids: readonly string[]): T {
  const isGiven = ([key, value]: [string, unknown]) => value !== undefined && value !== null && !ids.includes(key);
  return { ...known, ...Object.fromEntries(Object.entries(patch).filter(isGiven)) };
}

/**
 * A PATCH of a Location. EVSEs in it are merged by uid and none is dropped (D11, LOC-33); other lists
 * are replaced.
 */
export function patchLocation(location: Location, patch: LocationPatch): Location {
  const { evses, ...fields } = patch;
  const patched = merged(location, fields, ['country_code', 'party_id', 'id']);
  if (!evses || evses.length === 0) return patched;
  const known = location.evses ?? [];
  const kept = known.map((evse) => {
    const change = evses.find(({ uid }) => sameId(uid, evse.uid));
    return change ? mergedEvse(evse, change, patch.last_updated) : evse;
  });
  const added = evses.filter(({ uid }) => !known.some((evse) => sameId(uid, evse.uid)))
    .map((evse) => ({ last_updated: patch.last_updated, ...evse }) as Evse);
  return { ...patched, evses: [...kept, ...added] };
}

function mergedEvse(evse: Evse, change: EvseInPatch, at: string): Evse {
  return { ...merged(evse, change, ['uid']), last_updated: change.last_updated ?? at };
}

/** A PATCH of one EVSE; undefined when the Location has no such EVSE (HTTP 404). */
export function patchEvse(location: Location, evseUid: string, patch: EvsePatch): Location | undefined {
  const evse = findEvse(location, evseUid);
  return evse && putEvse(location, merged(evse, patch, ['uid']));
}

/** A PATCH of one Connector; undefined when the EVSE or the Connector is unknown (HTTP 404). */
export function patchConnector(
  location: Location, evseUid: string, connectorId: string, patch: ConnectorPatch,
): Location | undefined {
  const connector = findEvse(location, evseUid)?.connectors.find(({ id }) => sameId(id, connectorId));
  return connector && putConnector(location, evseUid, merged(connector, patch, ['id']));
}

/** A PUT of one EVSE, known or new. */
export function putEvse(location: Location, evse: Evse): Location {
  return {
    ...location,
    evses: replaced(location.evses ?? [], evse, ({ uid }) => uid),
    last_updated: newer(location.last_updated, evse.last_updated),
  };
}

/** A PUT of one Connector, known or new; undefined when the EVSE is unknown: no parent is made up. LOC-34. */
export function putConnector(location: Location, evseUid: string, connector: Connector): Location | undefined {
  const evse = findEvse(location, evseUid);
  return evse && putEvse(location, {
    ...evse,
    connectors: replaced(evse.connectors, connector, ({ id }) => id),
    last_updated: newer(evse.last_updated, connector.last_updated),
  });
}

/** A PUT of a Location replaces it; EVSEs that it leaves out cannot vanish and become REMOVED. LOC-03, LOC-33. */
export function putLocation(known: Location | undefined, pushed: Location): Location {
  const left = (known?.evses ?? []).filter((evse) => findEvse(pushed, evse.uid) === undefined);
  if (left.length === 0) return pushed;
  const removed = left.map((evse): Evse => (evse.status === 'REMOVED'
    ? evse
    : { ...evse, status: 'REMOVED', last_updated: newer(evse.last_updated, pushed.last_updated) }));
  return { ...pushed, evses: [...(pushed.evses ?? []), ...removed] };
}

export function findEvse(location: Location, evseUid: string): Evse | undefined {
  return location.evses?.find(({ uid }) => sameId(uid, evseUid));
}

function replaced<T>(items: readonly T[], item: T, key: (item: T) => string): T[] {
  const index = items.findIndex((known) => sameId(key(known), key(item)));
  return index < 0 ? [...items, item] : items.with(index, item);
}

/**
 * A PATCH of a Session. Its charging_periods are appended (SES-03); one that starts when a known one
 * does takes its place, so that a PATCH sent twice counts once (D12).
 */
export function patchSession(session: Session, patch: SessionPatch): Session {
  const { charging_periods, ...fields } = patch;
  const patched = merged(session, fields, ['country_code', 'party_id', 'id']);
  if (!charging_periods || charging_periods.length === 0) return patched;
  const periods = new Map<number | string, ChargingPeriod>();
  for (const period of [...(session.charging_periods ?? []), ...charging_periods]) {
    periods.set(instantMs(period.start_date_time) ?? period.start_date_time, period);
  }
  return { ...patched, charging_periods: [...periods.values()] };
}

export function patchToken(token: Token, patch: TokenPatch): Token {
  return merged(token, patch, ['country_code', 'party_id', 'uid', 'type']);
}
