import { expect, test } from 'vitest';
import { instant, zone } from '#time';
import { localDay, monthWindow } from './month.ts';

const vancouver = zone('America/Vancouver');

test.each([
  ['2022-02', '2022-02-01T08:00:00Z', '2022-03-01T08:00:00Z', 'winter'],
  [
    '2022-03',
    '2022-03-01T08:00:00Z',
    '2022-04-01T07:00:00Z',
    'the month in which summer time begins',
  ],
  ['2022-11', '2022-11-01T07:00:00Z', '2022-12-01T08:00:00Z', 'the month in which it ends'],
  [
    '2026-12',
    '2026-12-01T07:00:00Z',
    '2027-01-01T07:00:00Z',
    'a year without a change, over New Year',
  ],
])('in Vancouver %s goes from %s to %s: %s', (month, from, to) => {
  expect(monthWindow(month, vancouver)).toEqual({ from, to });
});

test.each([
  ['Africa/Cairo', '2010-10', '2010-09-30T22:00:00Z', 'the last hour of September came twice'],
  [
    'America/Asuncion',
    '2017-10',
    '2017-10-01T04:00:00Z',
    'the first midnight of October was skipped',
  ],
])('in %s %s begins at %s: %s', (name, month, from) => {
  expect(monthWindow(month, zone(name))?.from).toBe(from);
});

test.each(['0000-01', '9999-12', '2022-13', '2022-00', '2022', '2022-2', 'February', ''])('%j is no month', (month) => {
  expect(monthWindow(month, vancouver)).toBeUndefined();
});

test('a day is the one on the wall', () => {
  expect(localDay(instant('2022-02-01T07:59:59Z'), vancouver)).toBe('2022-01-31');
  expect(localDay(instant('2022-02-01T08:00:00Z'), vancouver)).toBe('2022-02-01');
});
