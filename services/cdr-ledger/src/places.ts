import { type Bus, Refused, Unanswered } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getLocation } from '#contracts/locations';
import { busParty } from '#contracts/party';
import { idKey, type Location, type Party, partyText } from '#ocpi';
import type { Place } from '#taxes';
import { isTimeZone } from '#time';

/** Where a Location is, as we have it; undefined where it is not known or nobody answers. */
export type PlaceOf = (party: Party, locationId: string) => Promise<Place | undefined>;

/** The zone of a Location as we have it, or why there is none: a CDR itself does not say (PRC-16). */
export type ZoneOf = (party: Party, locationId: string) => Promise<{ readonly name: string } | Unknown>;

const TIMEOUT_MS = 1_500;
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 5_000;

export function placesFrom(bus: Bus): PlaceOf {
  return remembering(bus, ({ country, state, postal_code }) => ({ country, state, postal_code }), () => undefined);
}

/** Without an answer the CDR is recorded without. */
export function zonesFrom(bus: Bus): ZoneOf {
  const zoneOf = ({ time_zone: name, id }: Location) =>
    isTimeZone(name) ? { name } : { unknown: `the zone of Location ${id} is not known: ${name}` };
  return remembering<{ readonly name: string } | Unknown>(bus, zoneOf, (unknown) => unknown);
}

interface Unknown {
  readonly unknown: string;
}

/** Asks the locations service, and remembers what a Location says for a minute. */
function remembering<T>(
  bus: Bus,
  said: (location: Location) => T,
  otherwise: (unknown: Unknown) => T,
): (party: Party, locationId: string) => Promise<T> {
  const remembered = new Map<string, { readonly what: T; readonly untilMs: number }>();
  return async (party, locationId) => {
    const key = `${partyText(party)} ${idKey(locationId)}`;
    const known = remembered.get(key);
    if (known && known.untilMs > performance.now()) return known.what;
    const location = await ask(bus, party, locationId);
    if ('unknown' in location) return otherwise(location);
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    const what = said(location);
    remembered.set(key, { what, untilMs: performance.now() + REMEMBERED_MS });
    return what;
  };
}

async function ask(bus: Bus, party: Party, locationId: string): Promise<Location | Unknown> {
  try {
    const request = { party: busParty(party), locationId };
    const { locationJson } = await bus.ask(getLocation, request, { timeoutMs: TIMEOUT_MS });
    return locationJson === undefined ? { unknown: `Location ${locationId} is not known` } : fromJsonBytes<Location>(locationJson);
  } catch (error) {
    if (!(error instanceof Unanswered || error instanceof Refused)) throw error;
    return { unknown: `the zone of Location ${locationId} could not be looked up: ${error.message}` };
  }
}
