import { expect, test } from 'vitest';
import { chargingProfile } from './limits.ts';

const now = Date.parse('2022-02-01T17:00:00.400Z');

test('a fail-safe stands below everything, without an end', () => {
  expect(chargingProfile({ connectorId: 1, kind: 'fail-safe', limitMa: 6_000 }, now)).toEqual({
    chargingProfileId: 3, stackLevel: 0, chargingProfilePurpose: 'TxDefaultProfile', chargingProfileKind: 'Relative',
    chargingSchedule: { chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 }] },
  });
});

test('a lease lies above it and ends by itself, not before it was granted to', () => {
  const profile = chargingProfile({ connectorId: 1, kind: 'lease', limitMa: 19_250, leaseUntilMs: now + 300_000 }, now);
  expect(profile).toMatchObject({ stackLevel: 1, chargingProfileKind: 'Absolute' });
  expect(profile.chargingSchedule).toEqual({
    chargingRateUnit: 'A', chargingSchedulePeriod: [{ startPeriod: 0, limit: 19.2 }],
    startSchedule: '2022-02-01T16:59:00.000Z', duration: 361,
  });
});

test('a pause is a limit of 0 A', () => {
  expect(chargingProfile({ connectorId: 1, kind: 'lease', limitMa: 0, leaseUntilMs: now + 1 }, now)
    .chargingSchedule.chargingSchedulePeriod).toEqual([{ startPeriod: 0, limit: 0 }]);
});
