import { expect, test } from 'vitest';
import type { ChargingPreferences, ChargingPreferencesResponse } from '#ocpi';
import { answerTo } from './preferences.ts';

const types = ['REGULAR', 'PROFILE_GREEN', 'PROFILE_FAST'];
const now = Date.parse('2022-02-01T17:00:00Z');
const inTwoHours = '2022-02-01T19:00:00Z';

test.each<[string, ChargingPreferences, ChargingPreferencesResponse]>([
  ['as it is', { profile_type: 'REGULAR' }, 'ACCEPTED'],
  ['with a tariff for it', { profile_type: 'FAST' }, 'ACCEPTED'],
  ['without a tariff for it', { profile_type: 'CHEAP', departure_time: inTwoHours, energy_need: 5 }, 'PROFILE_TYPE_NOT_SUPPORTED'],
  ['GREEN without a departure', { profile_type: 'GREEN', energy_need: 5 }, 'DEPARTURE_REQUIRED'],
  ['GREEN without an energy need', { profile_type: 'GREEN', departure_time: inTwoHours }, 'ENERGY_NEED_REQUIRED'],
  ['GREEN with both', { profile_type: 'GREEN', departure_time: inTwoHours, energy_need: 13 }, 'ACCEPTED'],
  ['more energy than 6.6 kW give until then', { profile_type: 'FAST', departure_time: inTwoHours, energy_need: 14 }, 'NOT_POSSIBLE'],
  ['a departure that is past', { profile_type: 'FAST', departure_time: '2022-02-01T16:59:59Z' }, 'NOT_POSSIBLE'],
])('SES-20: preferences, %s', (_what, preferences, response) => {
  expect(answerTo(preferences, { types, powerWMax: 6_600, now })).toBe(response);
});
