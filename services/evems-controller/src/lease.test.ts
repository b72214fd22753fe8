import { expect, test } from 'vitest';
import { isHalfOver, leaseFrom, mayLast, withLease } from './lease.ts';

const now = { at: 1_000_000, watch: 50_000 };
const lease = leaseFrom(now, 16_000, 120_000);
const later = (atMs: number, watchMs = atMs) => ({ at: now.at + atMs, watch: now.watch + watchMs });

test('a lease is over when both clocks say so, and the margin for the charger’s clock has passed', () => {
  expect(mayLast(lease, later(119_999), 5_000)).toBe(true);
  expect(mayLast(lease, later(124_999), 5_000)).toBe(true);
  expect(mayLast(lease, later(125_000), 5_000)).toBe(false);
});

test('a clock that was set forwards does not end a lease, nor one that was set back', () => {
  expect(mayLast(lease, later(3_600_000, 60_000), 5_000)).toBe(true);
  expect(mayLast(lease, later(60_000, 3_600_000), 5_000)).toBe(true);
});

test('a lease is renewed at half its life', () => {
  expect(isHalfOver(lease, later(60_000), 120_000)).toBe(false);
  expect(isHalfOver(lease, later(60_001), 120_000)).toBe(true);
});

test('of two leases only the one that another exceeds and outlasts is forgotten', () => {
  const more = leaseFrom(later(10_000), 32_000, 120_000);
  const less = leaseFrom(later(20_000), 6_000, 120_000);
  expect(withLease([lease], more)).toEqual([more]);
  expect(withLease([more], lease)).toEqual([more]);
  expect(withLease([more], less)).toEqual([more, less]);
});
