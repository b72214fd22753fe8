import { expect, test } from 'vitest';
import { instant } from './instant.ts';
import { zoneOfPlace } from './place-zones.ts';

const seasons = [instant('2026-01-01T00:00:00Z'), instant('2026-07-01T00:00:00Z')] as const;
const at = (country: string, latitude: number, longitude: number) => zoneOfPlace({ country, latitude, longitude }, seasons);

test('a place that names no time zone is in the one of its country, the nearest where its clocks differ', () => {
  expect(at('BEL', 51.05, 3.73)).toMatchObject({ name: 'Europe/Brussels', assumed: false });
  expect(at('ESP', 28.12, -15.44)).toMatchObject({ name: 'Atlantic/Canary', assumed: true });
  expect(at('USA', 21.3, -157.86)).toMatchObject({ name: 'Pacific/Honolulu', assumed: true });
});
