import { expect, test } from 'vitest';
import { Attempts } from './attempts.ts';

test('after the most failures a key waits for the window\'s end; another key does not', () => {
  let nowMs = 0;
  const attempts = new Attempts({ most: 2, windowMs: 10_000 }, () => nowMs);
  expect([attempts.begin('a'), attempts.begin('a'), attempts.begin('a'), attempts.begin('b')]).toEqual([0, 0, 10, 0]);
  nowMs = 9_500;
  expect(attempts.begin('a')).toBe(1);
  nowMs = 10_000;
  expect(attempts.begin('a')).toBe(0);
});

test('an attempt that succeeds does not count, and wipes no failure away', () => {
  const attempts = new Attempts({ most: 2, windowMs: 10_000 });
  for (let i = 0; i < 10; i += 1) {
    expect(attempts.begin('a')).toBe(0);
    attempts.succeeded('a');
  }
  attempts.begin('a');
  expect(attempts.begin('a')).toBe(0);
  attempts.succeeded('a');
  expect([attempts.begin('a'), attempts.begin('a')]).toEqual([0, 10]);
});

test('the keys that are remembered are bounded', () => {
  const attempts = new Attempts({ most: 1, windowMs: 10_000, mostKeys: 2 });
  expect(['a', 'b', 'c', 'b', 'a'].map((key) => attempts.begin(key) > 0)).toEqual([false, false, false, true, false]);
});
