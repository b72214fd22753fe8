import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const now = Date.parse('2022-02-01T17:00:00Z');

test.each([
  ['seconds', '120', 120_000],
  ['no wait at all', '0', 0],
  ['a week, of which an hour is kept', '604800', 3_600_000],
  ['an HTTP date', 'Tue, 01 Feb 2022 17:02:00 GMT', 120_000],
  ['an HTTP date of a week later, of which an hour is kept', 'Tue, 08 Feb 2022 17:00:00 GMT', 3_600_000],
  ['an HTTP date that is over', 'Tue, 01 Feb 2022 16:59:00 GMT', 0],
  ['the form of RFC 850', 'Tuesday, 01-Feb-22 17:02:00 GMT', 120_000],
  ['the form of asctime', 'Tue Feb  1 17:02:00 2022', 120_000],
  ['something else', 'soon', undefined],
  ['a negative number', '-5', undefined],
  ['an ISO date, which is none of HTTP', '2022-02-01T17:02:00Z', undefined],
])('Retry-After is %s', (_name, text, ms) => {
  expect(retryAfterMs({ 'retry-after': text }, now)).toBe(ms);
});

test('a date is reckoned by the clock of the one who says it', () => {
  const headers = { 'retry-after': 'Tue, 01 Feb 2022 15:00:30 GMT', date: 'Tue, 01 Feb 2022 15:00:00 GMT' };
  expect(retryAfterMs(headers, now)).toBe(30_000);
  expect(retryAfterMs({ 'retry-after': undefined }, now)).toBeUndefined();
});
