import { type Bus, Refused, Unanswered } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getLocation } from '#contracts/locations';
import { idKey, type Location, type Party, partyText } from '#ocpi';
import type { Place } from '#taxes';

/** Where a Location is, as we have it; undefined where it is not known or nobody answers. */
export type PlaceOf = (party: Party, locationId: string) => Promise<Place | undefined>;

const TIMEOUT_MS = 1_500;
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 5_000;

/** Asks the locations service, and remembers a place for a minute. */
export function placesFrom(bus: Bus): PlaceOf {
  const remembered = new Map<string, { readonly place: Place; readonly untilMs: number }>();
  return async (party, locationId) => {
    const key = `${partyText(party)} ${idKey(locationId)}`;
    const known = remembered.get(key);
    if (known && known.untilMs > performance.now()) return known.place;
    const place = await askPlace(bus, party, locationId);
    if (place) {
      if (remembered.size >= REMEMBERED_MAX) remembered.clear();
      remembered.set(key, { place, untilMs: performance.now() + REMEMBERED_MS });
    }
    return place;
  };
}

async function askPlace(
  bus: Bus,
  { country_code: countryCode, party_id: partyId }: Party,
  locationId: string,
): Promise<Place | undefined> {
  try {
    const { locationJson } = await bus.ask(
      getLocation,
      { party: { countryCode, partyId }, locationId },
      { timeoutMs: TIMEOUT_MS },
    );
    if (locationJson === undefined) return undefined;
    const { country, state, postal_code } = fromJsonBytes<Location>(locationJson);
    return { country, state, postal_code };
  } catch (error) {
    if (!(error instanceof Unanswered || error instanceof Refused)) throw error;
    return undefined;
  }
}
