import { expect, test } from 'vitest';
import { instant } from './instant.ts';
import { zoneOfPlace } from './place-zones.ts';

const seasons = [instant('2026-01-01T00:00:00Z'), instant('2026-07-01T00:00:00Z')] as const;
const at = (country: string, latitude: number, longitude: number) => zoneOfPlace({ country, latitude, longitude }, seasons);

test('a place that names no time zone is in the one of its country, the one at its coordinates where its clocks differ', () => {
  expect(at('BEL', 51.05, 3.73)).toMatchObject({ name: 'Europe/Brussels', assumed: false });
  expect(at('ESP', 28.12, -15.44)).toMatchObject({ name: 'Atlantic/Canary', assumed: true });
  expect(at('USA', 21.3, -157.86)).toMatchObject({ name: 'Pacific/Honolulu', assumed: true });
});

test.each([
  ['USA', 31.76, -106.48, 'America/Denver'], // El Paso, whose nearest city with a zone is Phoenix's
  ['USA', 30.42, -87.22, 'America/Chicago'], // Pensacola
  ['USA', 47.66, -117.43, 'America/Los_Angeles'], // Spokane
  ['CAN', 49.1, -116.51, 'America/Creston'],
  ['CAN', 55.76, -120.24, 'America/Dawson_Creek'],
  ['AUS', -31.95, 141.45, 'Australia/Broken_Hill'],
  ['USA', 48.985, -123.07, 'America/Los_Angeles'], // Point Roberts: the map has it beyond the border
])('in a wide country the zone is that at the coordinates: %s %d, %d', (country, latitude, longitude, name) => {
  expect(at(country, latitude, longitude)).toMatchObject({ name, assumed: true });
});

test('where all clocks of a country show the same, its zone has the name that people know', () => {
  const named = (country: string) => zoneOfPlace({ country }, seasons);
  expect(named('DEU')).toEqual({ name: 'Europe/Berlin', by: 'alike', assumed: false });
  expect(named('NLD')).toMatchObject({ name: 'Europe/Amsterdam', assumed: false });
  expect(named('ARG')).toMatchObject({ name: 'America/Argentina/Buenos_Aires', assumed: false });
});

test('coordinates that are none tell no zone; a province does', () => {
  expect(zoneOfPlace({ latitude: 400, longitude: 3 }, seasons)).toBeUndefined();
  expect(zoneOfPlace({ country: 'CAN', state: 'BC', latitude: -91, longitude: 0 }, seasons)).toMatchObject({ name: 'America/Vancouver' });
});
