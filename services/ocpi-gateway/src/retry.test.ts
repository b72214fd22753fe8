import { expect, test } from 'vitest';
import { retryInMs, splayedMs } from './retry.ts';

const pauses = { first_retry_ms: 200, longest_retry_ms: 10_000 };

test('the pause is short at first, doubles, and has an end', () => {
  expect([1, 2, 3, 6, 7, 100].map((attempt) => retryInMs(attempt, pauses, 0))).toEqual([200, 400, 800, 6_400, 10_000, 10_000]);
});

test('chance makes a pause up to a fifth shorter', () => {
  expect(retryInMs(1, pauses, 0.999)).toBe(160);
});

test('TRN-14: chance makes the pause between two pulls up to a fifth shorter or longer', () => {
  expect([0, 0.5, 0.999_999].map((random) => Math.round(splayedMs(3_600_000, random) / 60_000))).toEqual([48, 60, 72]);
});
