import meta from 'moment-timezone/data/meta/latest.json' with { type: 'json' };
import { countryCode } from './countries.ts';
import { isTimeZone, zone } from './zone.ts';

/** Where a charge took place, as far as a CDR says it. */
export interface PlaceFacts {
  readonly country?: string | undefined;
  readonly state?: string | undefined;
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
}

export interface FoundZone {
  readonly name: string;
  /** Why it is this one. */
  readonly source: string;
  /** It may be another one: to be said aloud. */
  readonly assumed: boolean;
}

interface ZoneMeta {
  readonly lat: number;
  readonly long: number;
  readonly countries: readonly string[];
}

const countries = meta.countries as Readonly<Record<string, { readonly zones: readonly string[] }>>;
const cities = meta.zones as Readonly<Record<string, ZoneMeta>>;

/** Canada's provinces and territories, by their letters: where most people in them live. */
const PROVINCES: Readonly<Record<string, string>> = {
  AB: 'America/Edmonton',
  BC: 'America/Vancouver',
  MB: 'America/Winnipeg',
  NB: 'America/Moncton',
  NL: 'America/St_Johns',
  NS: 'America/Halifax',
  ON: 'America/Toronto',
  PE: 'America/Halifax',
  QC: 'America/Toronto',
  SK: 'America/Regina',
  YT: 'America/Whitehorse',
};
const PROVINCE_NAMES: Readonly<Record<string, string>> = {
  ALBERTA: 'AB',
  'BRITISH COLUMBIA': 'BC',
  MANITOBA: 'MB',
  'NEW BRUNSWICK': 'NB',
  'NEWFOUNDLAND AND LABRADOR': 'NL',
  'NOVA SCOTIA': 'NS',
  ONTARIO: 'ON',
  'PRINCE EDWARD ISLAND': 'PE',
  QUEBEC: 'QC',
  QUÉBEC: 'QC',
  SASKATCHEWAN: 'SK',
  YUKON: 'YT',
};

/**
 * The zone of a place between two instants: certain where all zones of the country show the same
 * time then, else the likeliest one, marked as assumed. Undefined where nothing tells.
 */
export function zoneOfPlace(
  place: PlaceFacts,
  betweenMs: readonly [number, number],
): FoundZone | undefined {
  const code = place.country === undefined ? undefined : countryCode(place.country);
  const names = (code && countries[code]?.zones) || undefined;
  if (code && names) {
    const zones = names.filter(isTimeZone);
    const own = zones.findLast((name) => cities[name]?.countries[0] === code) ?? zones.at(-1);
    if (own !== undefined && areAlike(zones, betweenMs)) {
      const source =
        zones.length === 1
          ? `the only zone of ${place.country}`
          : `all zones of ${place.country} show the same time then`;
      return { name: own, source, assumed: false };
    }
    const province = code === 'CA' ? provinceOf(place.state) : undefined;
    if (province !== undefined) {
      const source = `the zone of most of ${place.state}, ${place.country}`;
      return { name: PROVINCES[province]!, source, assumed: true };
    }
    return nearest(zones, place, `of ${place.country} `);
  }
  return nearest(Object.keys(cities).filter(isTimeZone), place, '');
}

function areAlike(zones: readonly string[], between: readonly [number, number]): boolean {
  return between.every((ms) => new Set(zones.map((name) => zone(name).offsetMsAt(ms))).size === 1);
}

function provinceOf(state: string | undefined): string | undefined {
  const text = state?.trim().toUpperCase().replace(/^CA-/, '') ?? '';
  const letters = PROVINCE_NAMES[text] ?? text;
  return Object.hasOwn(PROVINCES, letters) ? letters : undefined;
}

function nearest(
  zones: readonly string[],
  { latitude, longitude }: PlaceFacts,
  of: string,
): FoundZone | undefined {
  if (latitude === undefined || longitude === undefined) return undefined;
  let best: { name: string; distance: number } | undefined;
  for (const name of zones) {
    const city = cities[name];
    if (!city) continue;
    const distance = haversine([latitude, longitude], [city.lat, city.long]);
    if (!best || distance < best.distance) best = { name, distance };
  }
  if (!best) return undefined;
  const source = `the zone ${of}whose city is nearest to the coordinates ${latitude}, ${longitude}`;
  return { name: best.name, source, assumed: true };
}

/** Grows with the distance of two points of the globe, from 0 to 1. */
function haversine([a, b]: readonly [number, number], [c, d]: readonly [number, number]): number {
  const radians = Math.PI / 180;
  const across = Math.sin(((c - a) * radians) / 2) ** 2;
  const along = Math.sin(((d - b) * radians) / 2) ** 2;
  return across + Math.cos(a * radians) * Math.cos(c * radians) * along;
}
