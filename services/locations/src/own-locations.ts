import { findEvse, type Location, type Status } from '#ocpi';
import type { LocationSettings } from './config.ts';

/** One cable of ours: what the station calls it, and what OCPI does. */
export interface Plug {
  readonly stationId: string;
  readonly stationConnector: number;
  readonly locationId: string;
  readonly evseUid: string;
  readonly connectorId: string;
}

export function plugsOf(locations: readonly LocationSettings[]): Plug[] {
  return locations.flatMap((location) => location.evses.flatMap((evse) => (evse.station === undefined ? [] :
    evse.connectors.map((connector, index) => ({
      stationId: evse.station!,
      stationConnector: connector.station_connector ?? index + 1,
      locationId: location.id,
      evseUid: evse.uid,
      connectorId: connector.id,
    })))));
}

/**
 * The OCPI Location that the settings describe. Statuses and instants of last change come from the
 * one already held; what differs from it counts as changed `at`.
 */
export function describedLocation(
  settings: LocationSettings,
  party: { country_code: string; party_id: string },
  held: Location | undefined,
  at: string,
): Location {
  const { private: _private, meter_standing: _meters, ...described } = settings;
  const evses = described.evses.map(({ station: _station, meter_standing: _meter, connectors, ...evse }) => {
    const known = held && findEvse(held, evse.uid);
    const own = {
      ...evse,
      status: known && known.status !== 'REMOVED' ? known.status : 'UNKNOWN' satisfies Status,
      connectors: connectors.map(({ station_connector: _number, ...connector }) => {
        const knownConnector = known?.connectors.find(({ id }) => id === connector.id);
        return sinceChanged(connector, knownConnector, at);
      }),
    };
    return sinceChanged(own, known, at);
  });
  return sinceChanged({ ...described, ...party, evses }, held, at) as Location;
}

/** A Location that we have no more: every EVSE is REMOVED, and no Connector of it can be used again. */
export function removedLocation(held: Location, at: string): Location {
  const evses = held.evses ?? [];
  if (evses.every(({ status }) => status === 'REMOVED')) return held;
  const removed = evses.map((evse) =>
    evse.status === 'REMOVED' ? evse : { ...evse, status: 'REMOVED' as const, last_updated: at });
  return { ...held, evses: removed, last_updated: at };
}

/** What a partner does not list any more: nothing is to be had there. Its instants stay, so that the same comes back. TRN-57. */
export function vanishedLocation(held: Location): Location {
  return { ...held, evses: (held.evses ?? []).map((evse) => ({ ...evse, status: 'REMOVED' as const })) };
}

/** As new as `at`, with its EVSEs: for those who begin to see it, or see it no more. */
export function renewed(location: Location, at: string): Location {
  const evses = location.evses?.map((evse) => ({ ...evse, last_updated: at }));
  return { ...location, ...(evses ? { evses } : {}), last_updated: at };
}

/** With the known instant of last change when nothing differs, else `at`. */
function sinceChanged<T extends object>(
  described: T,
  known: { last_updated: string } | undefined,
  at: string,
): T & { last_updated: string } {
  if (known === undefined) return { ...described, last_updated: at };
  const unchanged = { ...described, last_updated: known.last_updated };
  return sameJson(unchanged, known) ? unchanged : { ...described, last_updated: at };
}

/** Whether two JSON values are the same, whatever the order of their members; one that is undefined is none. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, n) => sameJson(item, b[n]));
  }
  const [of, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const isThere = (value: Record<string, unknown>, key: string) => Object.hasOwn(value, key) && value[key] !== undefined;
  return Object.keys(of).every((key) => !isThere(of, key) || (isThere(other, key) && sameJson(of[key], other[key])))
    && Object.keys(other).every((key) => !isThere(other, key) || isThere(of, key));
}
