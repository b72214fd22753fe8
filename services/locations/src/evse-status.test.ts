import { expect, test } from 'vitest';
import { evseStatus, type PlugState } from './evse-status.ts';

const on = (status?: string, stationStatus?: string): PlugState => ({ connected: true, status, stationStatus });

test.each([
  ['Available', 'AVAILABLE'],
  ['Preparing', 'BLOCKED'],
  ['Finishing', 'BLOCKED'],
  ['Charging', 'CHARGING'],
  ['SuspendedEV', 'CHARGING'],
  ['SuspendedEVSE', 'CHARGING'],
  ['Reserved', 'RESERVED'],
  ['Unavailable', 'INOPERATIVE'],
  ['Faulted', 'OUTOFORDER'],
  ['SomethingNew', 'UNKNOWN'],
])('a connector that is %s makes its EVSE %s', (status, expected) => {
  expect(evseStatus([on(status)])).toBe(expected);
});

test('an EVSE whose station lost its socket is UNKNOWN, whatever was last heard', () => {
  expect(evseStatus([{ connected: false, status: 'Charging' }])).toBe('UNKNOWN');
});

test('an EVSE of which nothing was heard yet is UNKNOWN', () => expect(evseStatus([on()])).toBe('UNKNOWN'));

test.each([
  ['Charging', 'Available', 'CHARGING'],
  ['Available', 'Preparing', 'BLOCKED'],
  ['Available', 'Faulted', 'AVAILABLE'],
  ['Faulted', 'Unavailable', 'OUTOFORDER'],
])('two cables, %s and %s, make one EVSE %s', (first, second, expected) => {
  expect(evseStatus([on(first), on(second)])).toBe(expected);
});

test.each([['Faulted', 'OUTOFORDER'], ['Unavailable', 'INOPERATIVE'], ['Available', 'CHARGING']])(
  'a whole station that is %s makes its charging EVSE %s', (stationStatus, expected) => {
    expect(evseStatus([on('Charging', stationStatus)])).toBe(expected);
  });
