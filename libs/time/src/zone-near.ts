import meta from 'moment-timezone/data/meta/latest.json' with { type: 'json' };
import { instant } from './instant.ts';
import { zone } from './zone.ts';

interface Town {
  readonly name: string;
  readonly lat: number;
  readonly long: number;
}

interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

const zones: Readonly<Record<string, Town | undefined>> = meta.zones;
const countries: Readonly<Record<string, { readonly zones: readonly string[] } | undefined>> = meta.countries;

const EARTH_KM = 6_371;
/** By how far a zone's town may be off for each hour that its clock is off the sun: zones are long from north to south. */
const KM_PER_HOUR = 300;
const winters = [instant('2026-01-01T00:00:00Z'), instant('2026-07-01T00:00:00Z')];

/**
 * The time zone of a place that names none: of those of its country (ISO 3166-1 alpha-2) the one whose town is near and
 * whose clock goes by the sun there. Where a country has one zone it is that; in a wide one it may be the next zone's,
 * an hour off. Undefined: no such country.
 */
export function zoneNear(country: string, at: Place): string | undefined {
  const towns = (countries[country.toUpperCase()]?.zones ?? []).flatMap((name) => zones[name] ?? []);
  const byOdds = towns.map((town) => ({ town, odds: kmBetween(town, at) + KM_PER_HOUR * hoursOff(town, at) }));
  return byOdds.toSorted((a, b) => a.odds - b.odds)[0]?.town.name;
}

function kmBetween({ lat, long }: Town, { latitude, longitude }: Place): number {
  const [a, b, between] = [lat, latitude, long - longitude].map((degrees) => (degrees * Math.PI) / 180) as [number, number, number];
  return EARTH_KM * Math.acos(Math.min(1, Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(between)));
}

function hoursOff({ name }: Town, { longitude }: Place): number {
  const winterHours = Math.min(...winters.map((ms) => zone(name).offsetMsAt(ms))) / 3_600_000;
  const off = Math.abs(winterHours - longitude / 15);
  return Math.min(off, 24 - off);
}
