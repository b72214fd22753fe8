import { expect, test } from 'vitest';
import type { ChargingProfile16, ChargingSchedulePeriod16 } from '#ocpp';
import { profileLimits, ProfileStore } from './charger-profiles.ts';

const T0 = Date.parse('2022-02-01T17:00:00Z');
const minute = 60_000;
const running = { transactionId: 7, startedAt: T0 };

let ids = 1;
const profile = (
  periods: readonly (readonly [number, number])[],
  fields: Partial<ChargingProfile16> & { startSchedule?: string; duration?: number } = {},
): ChargingProfile16 => {
  const { startSchedule, duration, ...rest } = fields;
  const chargingSchedulePeriod: ChargingSchedulePeriod16[] = periods.map(
    ([startPeriod, limit]) => ({ startPeriod, limit }),
  );
  return {
    chargingProfileId: ids++,
    stackLevel: 0,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      chargingRateUnit: 'A',
      chargingSchedulePeriod,
      ...(startSchedule !== undefined && { startSchedule }),
      ...(duration !== undefined && { duration }),
    },
    ...rest,
  };
};

const store = (...profiles: [connectorId: number, profile: ChargingProfile16][]) => {
  const made = new ProfileStore(32, 208);
  for (const [connectorId, one] of profiles) {
    expect(made.set(connectorId, one, { at: T0, connectors: 2, running })).toBe('Accepted');
  }
  return made;
};
const start = '2022-02-01T17:00:00Z';

test('without profiles the hardware is the limit', () => {
  expect(store().limitAt(1, T0, undefined)).toEqual({ limitA: 32, by: [] });
});

test('S16-93: the higher stack level wins, the transaction overrides the default, the station caps both', () => {
  const low = profile([[0, 10]]);
  const high = profile([[0, 24]], { stackLevel: 3 });
  const own = profile([[0, 28]], { chargingProfilePurpose: 'TxProfile', transactionId: 7 });
  const cap = profile([[0, 26]], { chargingProfilePurpose: 'ChargePointMaxProfile' });
  expect(store([0, low], [0, high]).limitAt(1, T0, running).limitA).toBe(24);
  expect(store([0, low], [0, high], [1, own]).limitAt(1, T0, running).limitA).toBe(28);
  expect(store([0, low], [0, high], [1, own], [0, cap]).limitAt(1, T0, running)).toEqual({
    limitA: 26,
    by: [cap.chargingProfileId],
  });
});

test('a default of one connector says nothing to the other, and comes before that of all', () => {
  const both = store([0, profile([[0, 20]])], [2, profile([[0, 8]])]);
  expect(both.limitAt(1, T0, running).limitA).toBe(20);
  expect(both.limitAt(2, T0, running).limitA).toBe(8);
});

test('S16-97: periods follow each other, and after the duration the lower level counts', () => {
  const steps = profile(
    [
      [0, 6],
      [600, 16],
    ],
    { startSchedule: start, duration: 1_200, stackLevel: 1 },
  );
  const before = profile([[0, 10]], { startSchedule: '2022-02-01T16:00:00Z' });
  const made = store([0, before], [0, steps]);
  expect(made.limitAt(1, T0 - 1, running).limitA).toBe(10);
  expect(made.limitAt(1, T0, running).limitA).toBe(6);
  expect(made.limitAt(1, T0 + 10 * minute, running).limitA).toBe(16);
  expect(made.limitAt(1, T0 + 20 * minute, running).limitA).toBe(10);
});

test('S16-94: a relative schedule counts from the start of the transaction', () => {
  const made = store([
    0,
    profile(
      [
        [0, 6],
        [60, 12],
      ],
      { chargingProfileKind: 'Relative' },
    ),
  ]);
  expect(made.limitAt(1, T0 + 30_000, running).limitA).toBe(6);
  expect(made.limitAt(1, T0 + minute, running).limitA).toBe(12);
  expect(made.limitAt(1, T0, undefined).limitA).toBe(32);
});

test('a daily schedule comes again every day', () => {
  const daily = profile(
    [
      [0, 8],
      [3_600, 16],
    ],
    {
      chargingProfileKind: 'Recurring',
      recurrencyKind: 'Daily',
      startSchedule: start,
      duration: 7_200,
    },
  );
  const made = store([0, daily]);
  const day = 24 * 60 * minute;
  for (const n of [0, 1, 5]) {
    expect(made.limitAt(1, T0 + n * day, running).limitA).toBe(8);
    expect(made.limitAt(1, T0 + n * day + 60 * minute, running).limitA).toBe(16);
    expect(made.limitAt(1, T0 + n * day + 120 * minute, running).limitA).toBe(32);
  }
});

test('validity bounds a profile', () => {
  const made = store([0, profile([[0, 8]], { validFrom: start, validTo: '2022-02-01T18:00:00Z' })]);
  expect(made.limitAt(1, T0 - 1, running).limitA).toBe(32);
  expect(made.limitAt(1, T0, running).limitA).toBe(8);
  expect(made.limitAt(1, T0 + 60 * minute, running).limitA).toBe(32);
});

test('watts are shared by the lines', () => {
  const watts = profile([[0, 0]]);
  const schedule = {
    chargingRateUnit: 'W' as const,
    chargingSchedulePeriod: [{ startPeriod: 0, limit: 2_496 }],
  };
  expect(store([0, { ...watts, chargingSchedule: schedule }]).limitAt(1, T0, running).limitA).toBe(
    12,
  );
});

test('S16-92: the same id or the same purpose, level and connector replaces', () => {
  const first = profile([[0, 10]]);
  const made = store([0, first], [0, profile([[0, 12]])], [0, { ...first, stackLevel: 4 }]);
  expect(made.count).toBe(2);
});

test('a TxProfile dies with its transaction', () => {
  const made = store([
    1,
    profile([[0, 8]], { chargingProfilePurpose: 'TxProfile', transactionId: 7 }),
  ]);
  made.endTransaction(1);
  expect(made.count).toBe(0);
});

test('S16-101: clearing goes by id, or by all that is named', () => {
  const a = profile([[0, 8]]);
  const made = store(
    [0, a],
    [1, profile([[0, 9]], { stackLevel: 2 })],
    [2, profile([[0, 9]], { stackLevel: 2 })],
  );
  expect(made.clear({ id: a.chargingProfileId, connectorId: 9 })).toBe(true);
  expect(made.clear({ stackLevel: 2, connectorId: 1 })).toBe(true);
  expect(made.clear({ stackLevel: 2, connectorId: 1 })).toBe(false);
  expect(made.clear({})).toBe(true);
  expect(made.count).toBe(0);
});

test('a composite schedule is what the limits will be, merged', () => {
  const steps = profile(
    [
      [0, 6],
      [600, 16],
      [900, 16],
    ],
    { startSchedule: start, duration: 1_200 },
  );
  const cap = profile([[0, 12]], {
    chargingProfilePurpose: 'ChargePointMaxProfile',
    startSchedule: start,
  });
  const made = store([0, steps], [0, cap]);
  const span = { from: T0 - 5 * minute, durationS: 3_600, unit: 'A' } as const;
  expect(made.composite(1, span, running).chargingSchedulePeriod).toEqual([
    { startPeriod: 0, limit: 32 },
    { startPeriod: 300, limit: 6 },
    { startPeriod: 900, limit: 12 },
  ]);
});

test.each<[string, number, ChargingProfile16]>([
  [
    'a station maximum on a connector',
    1,
    profile([[0, 8]], { chargingProfilePurpose: 'ChargePointMaxProfile' }),
  ],
  [
    'a relative station maximum',
    0,
    profile([[0, 8]], {
      chargingProfilePurpose: 'ChargePointMaxProfile',
      chargingProfileKind: 'Relative',
    }),
  ],
  [
    'S16-91: a TxProfile without its transaction',
    1,
    profile([[0, 8]], { chargingProfilePurpose: 'TxProfile' }),
  ],
  [
    'a TxProfile of another transaction',
    1,
    profile([[0, 8]], { chargingProfilePurpose: 'TxProfile', transactionId: 8 }),
  ],
  [
    'a TxProfile for the whole station',
    0,
    profile([[0, 8]], { chargingProfilePurpose: 'TxProfile', transactionId: 7 }),
  ],
  ['a connector that is not there', 3, profile([[0, 8]])],
  [
    'a level above the highest',
    0,
    profile([[0, 8]], { stackLevel: profileLimits.stackLevelMax + 1 }),
  ],
  ['S16-95: a first period that is not at 0', 0, profile([[5, 8]])],
  [
    'periods that do not ascend',
    0,
    profile([
      [0, 8],
      [60, 9],
      [60, 10],
    ]),
  ],
  [
    'a recurring profile that does not say when',
    0,
    profile([[0, 8]], { chargingProfileKind: 'Recurring' }),
  ],
])('%s is rejected', (_, connectorId, bad) => {
  const made = new ProfileStore(32, 208);
  expect(made.set(connectorId, bad, { at: T0, connectors: 2, running })).toBe('Rejected');
});
