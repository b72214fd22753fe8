import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

let nowMs = 0;
const limit = (perSecond: number, burst: number, mostKeys?: number) => new RateLimit({ perSecond, burst }, mostKeys, () => nowMs);
const takes = (bucket: RateLimit, key: string, times: number) => Array.from({ length: times }, () => bucket.take(key));

test('a burst may come at once, then as many as are allowed in a second, and the wait is said in whole seconds', () => {
  const partners = limit(2, 3);
  expect(takes(partners, 'MTL', 5)).toEqual([0, 0, 0, 1, 1]);
  nowMs += 500;
  expect(takes(partners, 'MTL', 2)).toEqual([0, 1]);
  nowMs += 60_000;
  expect(takes(partners, 'MTL', 4), 'no more than a burst is saved up').toEqual([0, 0, 0, 1]);
});

test('one who comes too often costs the others nothing, and is not held up longer for asking meanwhile', () => {
  const partners = limit(0.1, 1);
  expect(takes(partners, 'MTL', 3)).toEqual([0, 10, 10]);
  expect(partners.take('ISL')).toBe(0);
  nowMs += 10_000;
  expect(partners.take('MTL')).toBe(0);
});

test('the table of who asked is bounded: whoever was silent longest is forgotten', () => {
  const callers = limit(1, 1, 100);
  for (let n = 0; n < 100_000; n += 1) callers.take(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  expect(callers.size).toBe(100);
  expect(callers.take('10.1.134.159'), 'the last one is known').toBe(1);
  expect(callers.take('10.0.0.0')).toBe(0);
});

test('0 in a second is no limit', () => {
  expect(takes(limit(0, 1), 'MTL', 10)).toEqual(Array(10).fill(0));
});
