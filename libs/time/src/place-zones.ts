import zoneAt from '@photostructure/tz-lookup';
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

/** Why it is this one. `alike`: all zones of the country show the same time then. */
export type ZoneReason = 'only-zone' | 'alike' | 'coordinates' | 'province';

export interface FoundZone {
  readonly name: string;
  readonly by: ZoneReason;
  /** It may be another one: to be said aloud. */
  readonly assumed: boolean;
}

const countries = meta.countries as Readonly<Record<string, { readonly zones: readonly string[] }>>;
const facts = meta.zones as Readonly<Record<string, { readonly countries: readonly string[] }>>;

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
 * time then, else the one at its coordinates or of most of its province, marked as assumed. Undefined
 * where nothing tells.
 */
export function zoneOfPlace(
  place: PlaceFacts,
  betweenMs: readonly [number, number],
): FoundZone | undefined {
  const code = place.country === undefined ? undefined : countryCode(place.country);
  const zones = ((code && countries[code]?.zones) || []).filter(isTimeZone);
  const own = zones.find((name) => facts[name]?.countries[0] === code) ?? zones.at(-1);
  if (own !== undefined && areAlike(zones, betweenMs)) {
    return { name: own, by: zones.length === 1 ? 'only-zone' : 'alike', assumed: false };
  }
  const name = zoneThere(place, zones);
  if (name !== undefined) return { name, by: 'coordinates', assumed: true };
  const province = code === 'CA' ? provinceOf(place.state) : undefined;
  if (province === undefined) return undefined;
  return { name: PROVINCES[province]!, by: 'province', assumed: true };
}

/** How far around a place its country is looked for, in degrees: the map is coarse, and a border may lie beyond it. */
const AROUND = [0, 0.1, 0.2, 0.4, 0.8];
const EIGHTH = Math.PI / 4;

/** The zone at its coordinates, of `zones` where there are any. */
function zoneThere({ latitude, longitude }: PlaceFacts, zones: readonly string[]): string | undefined {
  if (latitude === undefined || longitude === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  for (const far of AROUND) {
    for (let turn = 0; turn < 8; turn += 1) {
      const [lat, long] = [latitude + far * Math.sin(turn * EIGHTH), longitude + far * Math.cos(turn * EIGHTH)];
      if (Math.abs(lat) > 90 || Math.abs(long) > 180) continue;
      const name = zoneAt(lat, long);
      if (zones.length === 0 ? isTimeZone(name) : zones.includes(name)) return name;
    }
  }
  return undefined;
}

function areAlike(zones: readonly string[], between: readonly [number, number]): boolean {
  return between.every((ms) => new Set(zones.map((name) => zone(name).offsetMsAt(ms))).size === 1);
}

function provinceOf(state: string | undefined): string | undefined {
  const text = state?.trim().toUpperCase().replace(/^CA-/, '') ?? '';
  const letters = PROVINCE_NAMES[text] ?? text;
  return Object.hasOwn(PROVINCES, letters) ? letters : undefined;
}
