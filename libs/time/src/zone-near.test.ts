import { expect, test } from 'vitest';
import { isTimeZone } from './zone.ts';
import { zoneNear } from './zone-near.ts';

test('a place that names no time zone is in the one of its country whose town is nearest', () => {
  expect(zoneNear('be', { latitude: 51.05, longitude: 3.73 })).toBe('Europe/Brussels');
  expect(zoneNear('FJ', { latitude: -16.5, longitude: 179.9 }), 'over the date line').toBe('Pacific/Fiji');
  expect(zoneNear('US', { latitude: 21.3, longitude: -157.86 })).toBe('Pacific/Honolulu');
  expect(zoneNear('US', { latitude: 37.77, longitude: -122.4 })).toBe('America/Los_Angeles');
  expect(zoneNear('XX', { latitude: 0, longitude: 0 })).toBeUndefined();
});

test('every zone that is found is one that the clock knows', () => {
  for (const country of ['AU', 'BR', 'CA', 'ES', 'ID', 'KZ', 'MX', 'NL', 'PT', 'RU', 'US']) {
    for (let longitude = -180; longitude <= 180; longitude += 5) {
      expect(isTimeZone(zoneNear(country, { latitude: 40, longitude })!), `${country} ${longitude}`).toBe(true);
    }
  }
});
