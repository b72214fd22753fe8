import { expect, test } from 'vitest';
import { siteOf } from '../test/site-of.ts';
import { amps, faultOf } from './feeder.ts';

const ten = siteOf({ chargers: 10, limitMa: 192_000, failSafeMa: 6_000 });

test('ten chargers that fall back to 6 A fit a feeder of 192 A', () => {
  expect(faultOf(ten)).toBe(undefined);
});

test.each([
  [
    { failSafeMa: 20_000 },
    /add up to 200 A \(10 chargers at 20 A\), more than the 192 A of "panel"/,
  ],
  [{ failSafeMa: 3_000 }, /fail_safe_a is 3 A: a car needs 0 or at least 6 A/],
  [{ chargers: [{ ...ten.chargers[0]!, maxMa: 5_000 }] }, /S0\/1 has max_a 5 A, less than 6 A/],
  [{ chargers: [ten.chargers[0]!, ten.chargers[0]!] }, /S0\/1 is listed twice/],
])('a site that cannot be safe is named: %o', (change, fault) => {
  expect(faultOf({ ...ten, ...change })).toMatch(fault);
});

test('currents read as amps', () => {
  expect([amps(19_000), amps(9_840), amps(0)]).toEqual(['19 A', '9.8 A', '0 A']);
});
