import { type Bus, Refused, Unanswered } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getLocation } from '#contracts/locations';
import { idKey, type Location, type Party, partyText } from '#ocpi';
import { isTimeZone } from '#time';

/**
 * The zone of a Location as we have it, or why there is none: a CDR itself does not say (PRC-16).
 */
export type ZoneOf = (
  party: Party,
  locationId: string,
) => Promise<{ readonly name: string } | { readonly unknown: string }>;

const TIMEOUT_MS = 1_500;
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 5_000;

/**
 * Asks the locations service, and remembers a zone for a minute; without an answer the CDR is
 * recorded without.
 */
export function zonesFrom(bus: Bus): ZoneOf {
  const remembered = new Map<string, { readonly name: string; readonly untilMs: number }>();
  return async (party, locationId) => {
    const key = `${partyText(party)} ${idKey(locationId)}`;
    const known = remembered.get(key);
    if (known && known.untilMs > performance.now()) return { name: known.name };
    const found = await askZone(bus, party, locationId);
    if ('name' in found) {
      if (remembered.size >= REMEMBERED_MAX) remembered.clear();
      remembered.set(key, { name: found.name, untilMs: performance.now() + REMEMBERED_MS });
    }
    return found;
  };
}

async function askZone(
  bus: Bus,
  { country_code, party_id }: Party,
  locationId: string,
): ReturnType<ZoneOf> {
  try {
    const party = { countryCode: country_code, partyId: party_id };
    const { locationJson } = await bus.ask(
      getLocation,
      { party, locationId },
      { timeoutMs: TIMEOUT_MS },
    );
    if (locationJson === undefined) return { unknown: `Location ${locationId} is not known` };
    const { time_zone } = fromJsonBytes<Location>(locationJson);
    return isTimeZone(time_zone)
      ? { name: time_zone }
      : { unknown: `the zone of Location ${locationId} is not known: ${time_zone}` };
  } catch (error) {
    if (!(error instanceof Unanswered || error instanceof Refused)) throw error;
    return {
      unknown: `the zone of Location ${locationId} could not be looked up: ${error.message}`,
    };
  }
}
