import { expect, test } from 'vitest';
import { parseInstant } from './instant.ts';

const at = Date.parse('2022-02-01T17:00:00Z');

test.each([
  ['2022-02-01T17:00:00Z', at],
  ['2022-02-01T17:00:00.123456789Z', at + 123],
  ['2022-02-01T17:00:00.5Z', at + 500],
  ['2022-02-01T09:00:00-08:00', at],
  ['2022-02-01T09:00:00-0800', at],
  ['2022-02-01T19:00:00+02', at],
  ['2022-02-01T17:00:00', at],
  ['2022-02-01 17:00:00Z', at],
  ['2022-02-01T17:00Z', at],
  ['1970-01-01T00:00:00Z', 0],
])('%s is read', (text, expected) => {
  expect(parseInstant(text)).toBe(expected);
});

test.each([
  '',
  'now',
  '2022-02-30T00:00:00Z',
  '2022-13-01T00:00:00Z',
  '2022-02-01',
  '2022-02-01T25:00:00Z',
  '1643734800',
  '0000-01-01T00:00:00Z',
  '9999-12-31 23:59:59-12:00',
  '0001-01-01T00:00:00+14:00',
])('%j is no timestamp', (text) => {
  expect(parseInstant(text)).toBeUndefined();
});
