import { expect, test } from 'vitest';
import { retryInMs } from './retry.ts';

const pauses = { first_retry_ms: 200, longest_retry_ms: 10_000 };

test('the pause is short at first, doubles, and has an end', () => {
  expect([1, 2, 3, 6, 7, 100].map((attempt) => retryInMs(attempt, pauses, 0))).toEqual([200, 400, 800, 6_400, 10_000, 10_000]);
});

test('chance makes a pause up to a fifth shorter', () => {
  expect(retryInMs(1, pauses, 0.999)).toBe(160);
});
