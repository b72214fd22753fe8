import { expect, test } from 'vitest';
import type { ChargingPreferences, ChargingPreferencesResponse } from '#ocpi';
import { answerTo } from './preferences.ts';

const types = ['REGULAR', 'PROFILE_GREEN', 'PROFILE_FAST'];
const now = Date.parse('2022-02-01T17:00:00Z');
const inTwoHours = '2022-02-01T19:00:00Z';

const charging = { types, pricedBy: undefined, kwh: 0, powerWMax: 6_600, now };

test.each<[string, ChargingPreferences, ChargingPreferencesResponse]>([
  ['as it is', { profile_type: 'REGULAR' }, 'ACCEPTED'],
  ['with a tariff for it', { profile_type: 'FAST' }, 'ACCEPTED'],
  ['without a tariff for it', { profile_type: 'CHEAP', departure_time: inTwoHours, energy_need: 5 }, 'PROFILE_TYPE_NOT_SUPPORTED'],
  ['of a type that nobody knows', { profile_type: 'SLOW' as 'CHEAP' }, 'PROFILE_TYPE_NOT_SUPPORTED'],
  ['GREEN without a departure', { profile_type: 'GREEN', energy_need: 5 }, 'DEPARTURE_REQUIRED'],
  ['GREEN without an energy need', { profile_type: 'GREEN', departure_time: inTwoHours }, 'ENERGY_NEED_REQUIRED'],
  ['GREEN with nothing', { profile_type: 'GREEN' }, 'DEPARTURE_REQUIRED'],
  ['GREEN with both', { profile_type: 'GREEN', departure_time: inTwoHours, energy_need: 13 }, 'ACCEPTED'],
  ['as much energy as 6.6 kW give until then', { profile_type: 'GREEN', departure_time: inTwoHours, energy_need: 13.2 }, 'ACCEPTED'],
  ['more energy than 6.6 kW give until then', { profile_type: 'FAST', departure_time: inTwoHours, energy_need: 14 }, 'NOT_POSSIBLE'],
  ['an energy need without a departure', { profile_type: 'FAST', energy_need: 1_000 }, 'ACCEPTED'],
  ['a departure that is now', { profile_type: 'FAST', departure_time: '2022-02-01T17:00:00Z' }, 'NOT_POSSIBLE'],
  ['a departure that is past', { profile_type: 'FAST', departure_time: '2022-02-01T16:59:59Z' }, 'NOT_POSSIBLE'],
  ['to feed back, which nobody has to', { profile_type: 'REGULAR', discharge_allowed: true }, 'ACCEPTED'],
])('SES-20: preferences, %s', (_what, preferences, response) => {
  expect(answerTo(preferences, charging)).toBe(response);
});

test('SES-20: energy that was charged before counts, and where no power is known nothing is said to be too much', () => {
  const wish = { profile_type: 'FAST', departure_time: inTwoHours, energy_need: 20 } as const;
  expect(answerTo(wish, charging)).toBe('NOT_POSSIBLE');
  expect(answerTo(wish, { ...charging, kwh: 7 })).toBe('ACCEPTED');
  expect(answerTo(wish, { ...charging, powerWMax: undefined })).toBe('ACCEPTED');
});

const both = { departure_time: inTwoHours, energy_need: 5 };
test.each<[string | undefined, ChargingPreferences, ChargingPreferencesResponse]>([
  ['PROFILE_GREEN', { profile_type: 'GREEN', ...both }, 'ACCEPTED'],
  ['REGULAR', { profile_type: 'GREEN', ...both }, 'NOT_POSSIBLE'],
  ['AD_HOC_PAYMENT', { profile_type: 'FAST' }, 'NOT_POSSIBLE'],
  ['PROFILE_FAST', { profile_type: 'REGULAR' }, 'NOT_POSSIBLE'],
  ['AD_HOC_PAYMENT', { profile_type: 'REGULAR' }, 'ACCEPTED'],
  [undefined, { profile_type: 'FAST' }, 'ACCEPTED'],
])(
  'SES-20 TAR-02: of a session that is charged by a tariff %s, %o is %s: no price is promised that it does not have',
  (pricedBy, preferences, response) => {
    expect(answerTo(preferences, { ...charging, pricedBy })).toBe(response);
  },
);
