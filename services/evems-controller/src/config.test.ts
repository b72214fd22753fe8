import { expect, test } from 'vitest';
import { z } from 'zod';
import { BadSettings, type Settings } from '#settings';
import { sitesOf } from './config.ts';

const charger = { station: 'OASIS-L2-01', max_a: 32 };
const given = {
  id: 'BURNABY-L2',
  feeder: { name: 'Level-2 panel', limit_a: 192, voltage_v: 208 },
  fail_safe_a: 6,
  chargers: [charger],
};
const settings = (sites: unknown, rate = 1) =>
  ({
    file: 'roamwatt.yaml',
    clock: { rate },
    list: (_: string, item: z.ZodType) => z.array(item).parse(sites),
  }) as unknown as Settings;

test('amps become mA, and what is not said has its default', () => {
  const [site] = sitesOf(settings([given]));
  expect(site).toMatchObject({
    failSafeMa: 6_000,
    minMa: 6_000,
    stepMa: 1_000,
    feeder: { limitMa: 192_000 },
  });
  expect(site?.chargers).toEqual([
    { key: 'OASIS-L2-01/1', stationId: 'OASIS-L2-01', connectorId: 1, maxMa: 32_000 },
  ]);
  expect(site?.timing.leaseMs).toBe(120_000);
});

test('on a fast clock a lease still lasts 20 s of real time', () => {
  expect(sitesOf(settings([given], 60))[0]?.timing.leaseMs).toBe(1_200_000);
});

test('a platform without sites has none', () => {
  expect(sitesOf(settings([]))).toEqual([]);
});

test.each([
  [
    [{ ...given, fail_safe_a: 3 }],
    'roamwatt.yaml: sites.BURNABY-L2: fail_safe_a is 3 A: a car needs 0 or at least 6 A',
  ],
  [[given, given], 'roamwatt.yaml: sites.BURNABY-L2: the id is given twice'],
  [[given, { ...given, id: 'OTHER' }], 'roamwatt.yaml: sites.OTHER: OASIS-L2-01/1 is at another site, too'],
])('sites that cannot be run are named', (sites, message) => {
  expect(() => sitesOf(settings(sites))).toThrow(new BadSettings(message));
});
