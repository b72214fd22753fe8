import { type Granted, isOffered, offeredOf, offersOf, shownSince } from '#grants';
import { type Connector, type Evse, instantMs, type Location, type Party } from '#ocpi';
import { rfc3339 } from '#time';
import type { PushedKey } from './pushed-rows.ts';

/** An object of ours as it is now; undefined: withdrawn. */
export interface OwnObject extends Omit<PushedKey, 'partnerId'> {
  readonly current: string | undefined;
  /** A Location for no partner's eyes. LOC-07. */
  readonly isPrivate?: boolean;
}

/** To whom something goes: the parties that tariffs are offered to, and those who have to be allowed to see a Location. */
export interface Viewer {
  readonly parties: readonly Party[];
  readonly groups: readonly (readonly Party[])[];
}

/** An object of ours as these may have it; undefined: not at all. */
export function viewOf({ module, objectKey, current, isPrivate = false }: OwnObject, viewer: Viewer, granted: Granted): string | undefined {
  if (current === undefined || isPrivate) return undefined;
  switch (module) {
    case 'tariffs': return isOffered(objectKey, viewer.parties, granted.offers) ? current : undefined;
    case 'locations': return locationView(current, viewer, granted);
    default: return current;
  }
}

/** Whether everybody sees every Location as it is. */
export function showsAllAsItIs({ places, offers }: Granted): boolean {
  return places.length === 0 && offers.every(({ tariffIds }) => tariffIds.length === 0);
}

/**
 * A Location as these may see it: with the tariffs that they are offered, and no older than what they are
 * granted, or they would take it for an old one. Undefined: they may not see it.
 */
export function locationView(text: string, { parties, groups }: Viewer, granted: Granted): string | undefined {
  const since = granted.places.length === 0 ? 0 : shownSince(JSON.parse(text) as Location, groups, granted.places);
  if (since === undefined) return undefined;
  const offered = withOffered(text, parties, granted);
  if (since === 0) return offered;
  const location = JSON.parse(offered) as Location;
  const evses = location.evses?.map((evse) => asNewAs(since, evse));
  return JSON.stringify(asNewAs(since, { ...location, ...(evses ? { evses } : {}) }));
}

/**
 * A Location whose Connectors name only tariffs that the partner is offered. Where one names a tariff
 * that is not for all, it is as new as what is granted: else the partner would take the next view of
 * it for an old one.
 */
function withOffered(text: string, parties: readonly Party[], granted: Granted): string {
  if (!isGranted(text, granted)) return text;
  const { offers, since } = granted;
  const location = JSON.parse(text) as Location;
  const isPrivate = ({ tariff_ids: ids }: Connector) => (ids ?? []).some((id) => offersOf(id, offers).length > 0);
  const evses = location.evses?.map((evse): Evse => {
    if (!evse.connectors.some(isPrivate)) return evse;
    const connectors = evse.connectors.map((connector) => (isPrivate(connector)
      ? asNewAs(since, { ...connector, tariff_ids: offeredOf(connector.tariff_ids ?? [], parties, offers) })
      : connector));
    return asNewAs(since, { ...evse, connectors });
  });
  const isChanged = evses?.some((evse, n) => evse !== location.evses![n]);
  return isChanged ? JSON.stringify(asNewAs(since, { ...location, evses })) : text;
}

/** Whether a Location may name a tariff that is not for all. */
function isGranted(text: string, { offers }: Granted): boolean {
  if (offers.length === 0) return false;
  const lower = text.toLowerCase();
  return offers.some(({ tariffIds }) => tariffIds.some((id) => lower.includes(JSON.stringify(id.toLowerCase()))));
}

/** Whether all partners have an object of ours as it is. */
export function isForAll({ module, current, isPrivate }: OwnObject, granted: Granted): boolean {
  return module === 'locations' && current !== undefined && !isPrivate && granted.places.length === 0 && !isGranted(current, granted);
}

/**
 * What a partner who had a Location gets when it may not see it any more: what it had, all EVSEs REMOVED
 * (LOC-03). Nothing that was not said before.
 */
export function withdrawnView(had: string, atMs: number): string {
  const location = JSON.parse(had) as Location;
  const evses = location.evses?.map((evse) =>
    evse.status === 'REMOVED' ? evse : { ...laterThan(atMs, evse), status: 'REMOVED' as const },
  );
  return JSON.stringify({ ...laterThan(atMs, location), evses });
}

/** Whether nobody can charge there any more. */
export function isWithdrawn({ evses = [] }: Pick<Location, 'evses'>): boolean {
  return evses.every(({ status }) => status === 'REMOVED');
}

function laterThan<T extends { last_updated: string }>(atMs: number, object: T): T {
  return { ...object, last_updated: rfc3339(Math.max(atMs, (instantMs(object.last_updated) ?? 0) + 1)) };
}

function asNewAs<T extends { last_updated: string }>(since: number, object: T): T {
  return (instantMs(object.last_updated) ?? 0) >= since ? object : { ...object, last_updated: rfc3339(since) };
}
