import { expect, test } from 'vitest';
import { decimal } from '#money';
import { instant, rfc3339 } from '#time';
import { type MeterEvent, meterFold, splitAtPriceChanges } from './meter.ts';
import { policyWith } from './policy.ts';
import { price } from './price.ts';
import type { ChargingPeriod, Tariff } from './shapes.ts';

const timeZone = 'America/Vancouver';
const tariffOf = (...elements: Tariff['elements']): Tariff => ({
  id: 'T1',
  currency: 'CAD',
  elements,
});
const energy = (perKwh: number) => ({ type: 'ENERGY' as const, price: perKwh, step_size: 1 });
const time = (perHour: number) => ({ type: 'TIME' as const, price: perHour, step_size: 1 });
const parking = (perHour: number) => ({
  type: 'PARKING_TIME' as const,
  price: perHour,
  step_size: 1,
});
const flat = (fee: number) => ({ type: 'FLAT' as const, price: fee, step_size: 1 });
const plain = tariffOf({ price_components: [energy(0.35), time(2)] });

/** "09:00 ENERGY 1 TIME 0.5" in Vancouver's winter, for eyes. */
const seen = (periods: readonly ChargingPeriod[]) =>
  periods.map(({ start_date_time, dimensions }) => {
    const local = rfc3339(instant(start_date_time) - 8 * 3_600_000).slice(11, -1);
    const volumes = dimensions.map(({ type, volume }) => `${type} ${volume}`);
    return [local.replace(/:00$/, ''), ...volumes].join(' ');
  });
// 1 February 2022, local time to UTC.
const at = (local: string) => {
  const [hour, ...rest] = local.split(':') as [string, ...string[]];
  const seconds = rest.length === 1 ? ':00' : '';
  const day = Number(hour) + 8 >= 24 ? '02' : '01';
  const utcHour = String((Number(hour) + 8) % 24).padStart(2, '0');
  return `2022-02-${day}T${utcHour}:${rest.join(':')}${seconds}Z`;
};
const start = { at: at('09:00'), energyWh: 1_000_000, state: 'charging' as const };

test('a session at one price is one period, however many readings came', () => {
  const meter = meterFold({ tariff: plain, timeZone });
  let state = meter.start(start);
  for (let minute = 1; minute <= 60; minute++) {
    const energyWh = 1_000_000 + 100 * minute;
    state = meter.take(state, { at: rfc3339(instant(start.at) + minute * 60_000), energyWh });
  }
  const size = JSON.stringify(state).length;
  expect(size).toBeLessThan(400);
  expect(seen(meter.periods(state, { at: at('10:00') }))).toEqual(['09:00 ENERGY 6 TIME 1']);
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
});

const cases: [string, Tariff, MeterEvent[], { at: string; energyWh?: number }, string[]][] = [
  [
    'a time of day between two readings',
    tariffOf(
      { price_components: [energy(0.3)], restrictions: { end_time: '09:30' } },
      { price_components: [energy(0.5)] },
    ),
    [
      { at: at('09:20'), energyWh: 1_002_000 },
      { at: at('09:40'), energyWh: 1_006_000 },
    ],
    { at: at('09:40') },
    ['09:00 ENERGY 4 TIME 0.5', '09:30 ENERGY 2 TIME 0.1667'],
  ],
  [
    'an amount of energy between two readings',
    tariffOf(
      { price_components: [energy(0)], restrictions: { max_kwh: 3 } },
      { price_components: [energy(0.5)] },
    ),
    [
      { at: at('09:20'), energyWh: 1_002_000 },
      { at: at('09:40'), energyWh: 1_006_000 },
    ],
    { at: at('09:40') },
    ['09:00 ENERGY 3 TIME 0.4167', '09:25 ENERGY 3 TIME 0.25'],
  ],
  [
    'a duration, counted from the session’s start',
    tariffOf(
      { price_components: [time(0)], restrictions: { max_duration: 1800 } },
      { price_components: [time(4)] },
    ),
    [{ at: at('09:50'), energyWh: 1_005_000 }],
    { at: at('10:00'), energyWh: 1_006_000 },
    ['09:00 ENERGY 3 TIME 0.5', '09:30 ENERGY 3 TIME 0.5'],
  ],
  [
    'a power, held until the next reading',
    tariffOf(
      { price_components: [energy(0.2)], restrictions: { max_power: 16 } },
      { price_components: [energy(0.5)] },
    ),
    [
      { at: at('09:10'), energyWh: 1_001_000, powerW: 48_000 },
      { at: at('10:00'), energyWh: 1_041_000, powerW: 4_000 },
    ],
    { at: at('10:08'), energyWh: 1_041_500 },
    [
      '09:00 ENERGY 1 TIME 0.1667 MIN_POWER 6 MAX_POWER 6',
      '09:10 ENERGY 40 TIME 0.8333 MIN_POWER 48 MAX_POWER 48',
      '10:00 ENERGY 0.5 TIME 0.1333 MIN_POWER 4 MAX_POWER 4',
    ],
  ],
  [
    'parking after charging, its energy all before it',
    tariffOf({ price_components: [energy(0.35), parking(3)] }),
    [
      { at: at('09:20'), energyWh: 1_002_000 },
      { at: at('09:30'), state: 'parking' },
      { at: at('09:40'), energyWh: 1_003_000 },
    ],
    { at: at('10:00') },
    ['09:00 ENERGY 3 TIME 0.5', '09:30 PARKING_TIME 0.5'],
  ],
  [
    'a pause by the grid, which is neither charging nor parking',
    tariffOf({ price_components: [energy(0.35), time(2), parking(3)] }),
    [
      { at: at('09:10'), state: 'paused' },
      { at: at('09:20'), state: 'charging' },
      { at: at('09:30'), energyWh: 1_002_000 },
    ],
    { at: at('09:30') },
    ['09:00 ENERGY 1 TIME 0.1667', '09:10 ENERGY 0', '09:20 ENERGY 1 TIME 0.1667'],
  ],
  [
    'a fee that begins later',
    tariffOf(
      { price_components: [flat(1)], restrictions: { start_time: '09:30', end_time: '18:00' } },
      { price_components: [energy(0.35)] },
    ),
    [{ at: at('10:00'), energyWh: 1_006_000 }],
    { at: at('10:00') },
    ['09:00 ENERGY 3 TIME 0.5', '09:30 ENERGY 3 TIME 0.5'],
  ],
  [
    'nothing, where a boundary changes no price',
    tariffOf(
      { price_components: [energy(0.35)], restrictions: { day_of_week: ['TUESDAY'], min_kwh: 0 } },
      { price_components: [time(9)], restrictions: { start_time: '20:00', end_time: '21:00' } },
    ),
    [{ at: at('10:00'), energyWh: 1_006_000 }],
    { at: at('10:00') },
    ['09:00 ENERGY 6 TIME 1'],
  ],
];

test.each(cases)('CDR-07 a period begins at %s', (_, tariff, events, end, periods) => {
  expect(seen(splitAtPriceChanges({ tariff, timeZone }, start, events, end))).toEqual(periods);
});

test('a pause is charging time where the policy says so', () => {
  const policy = policyWith({ pausedTime: 'time' });
  const events: MeterEvent[] = [
    { at: at('09:10'), state: 'paused' },
    { at: at('09:30'), energyWh: 1_002_000 },
  ];
  const end = { at: at('09:30') };
  expect(seen(splitAtPriceChanges({ tariff: plain, policy }, start, events, end))).toEqual([
    '09:00 ENERGY 2 TIME 0.5',
  ]);
});

test('energy bounds and local midnights meet over a night', () => {
  const tariff = tariffOf(
    { price_components: [energy(0.1)], restrictions: { day_of_week: ['WEDNESDAY'] } },
    { price_components: [energy(0.2)], restrictions: { min_kwh: 10 } },
    { price_components: [energy(0.4)] },
  );
  const periods = splitAtPriceChanges({ tariff, timeZone }, { ...start, at: at('22:00') }, [], {
    at: '2022-02-02T10:00:00Z',
    energyWh: 1_020_000,
  });
  expect(seen(periods)).toEqual(['22:00 ENERGY 10 TIME 2', '00:00 ENERGY 10 TIME 2']);
});

test('readings out of order and registers that fall are left out and counted', () => {
  const meter = meterFold({ tariff: plain });
  let state = meter.start(start);
  state = meter.take(state, { at: at('09:20'), energyWh: 1_002_000 });
  state = meter.take(state, { at: at('09:10'), energyWh: 1_001_000 });
  state = meter.take(state, { at: at('09:30'), energyWh: 5 });
  state = meter.take(state, { at: at('09:40'), energyWh: 1_003_000 });
  expect(state.ignored).toBe(2);
  expect(seen(meter.periods(state, { at: at('09:40') }))).toEqual(['09:00 ENERGY 3 TIME 0.6667']);
});

test('a register that begins again counts on, where its size is known', () => {
  const end = { at: at('10:00'), energyWh: 3_000 };
  const events = [{ at: at('09:30'), energyWh: 1_000 }];
  const near = { ...start, energyWh: 99_999_000 };
  const context = { tariff: plain, registerWh: 100_000_000 };
  expect(seen(splitAtPriceChanges(context, near, events, end))).toEqual(['09:00 ENERGY 4 TIME 1']);
  expect(seen(splitAtPriceChanges({ tariff: plain }, near, events, end))).toEqual([
    '09:00 ENERGY 0 TIME 1',
  ]);
  const meter = meterFold(context);
  const state = meter.take(meter.take(meter.start(near), events[0]!), { ...end, energyWh: 900 });
  expect([state.ignored, state.rolledTenthWh, state.tenthWh]).toEqual([1, 1e9, 1_000_010_000]);
});

test('a whole session’s events are heard in the order of their times', () => {
  const byTime = tariffOf(
    { price_components: [energy(0.1)], restrictions: { end_time: '09:30' } },
    { price_components: [energy(0.3)] },
  );
  const events: MeterEvent[] = [
    { at: at('09:30'), energyWh: 1_008_000 },
    { at: at('09:50'), state: 'parking' },
    { at: at('09:50'), energyWh: 1_009_000 },
  ];
  const end = { at: at('10:00') };
  const turned = splitAtPriceChanges({ tariff: byTime, timeZone }, start, events.toReversed(), end);
  expect(turned).toEqual(splitAtPriceChanges({ tariff: byTime, timeZone }, start, events, end));
  expect(seen(turned)[0]).toBe('09:00 ENERGY 8 TIME 0.5');
});

test('a charge that was over at once still has a period', () => {
  const meter = meterFold({ tariff: plain });
  expect(seen(meter.periods(meter.start(start), { at: start.at }))).toEqual([
    '09:00 ENERGY 0 TIME 0',
  ]);
});

test('asking for the periods so far changes nothing', () => {
  const meter = meterFold({ tariff: plain });
  const state = meter.take(meter.start(start), { at: at('09:20'), energyWh: 1_002_000 });
  const before = JSON.stringify(state);
  meter.periods(state, { at: at('09:50'), energyWh: 1_004_000 });
  meter.take(state, { at: at('09:25'), state: 'parking' });
  expect(JSON.stringify(state)).toBe(before);
});

test('hundreds of changes of state between two readings do not pile up', () => {
  const meter = meterFold({ tariff: plain });
  let state = meter.start(start);
  for (let i = 0; i < 1_000; i++) {
    const moment = rfc3339(instant(start.at) + i * 1000);
    state = meter.take(state, { at: moment, state: i % 2 ? 'charging' : 'paused' });
  }
  expect(state.changes.length).toBeLessThanOrEqual(100);
});

test('the periods price as the session did', () => {
  const tariff = tariffOf(
    { price_components: [energy(0.1), parking(1)], restrictions: { end_time: '09:30' } },
    { price_components: [energy(0.3), parking(6)] },
  );
  const charging_periods = splitAtPriceChanges(
    { tariff, timeZone },
    start,
    [
      { at: at('09:45'), energyWh: 1_009_000 },
      { at: at('09:45'), state: 'parking' },
    ],
    { at: at('10:00') },
  );
  const end_date_time = at('10:00');
  const { unrounded } = price({ tariffs: [tariff], charging_periods, end_date_time }, { timeZone });
  // 6 kWh at 0.10, 3 kWh at 0.30, a quarter of an hour at 6.00.
  expect(unrounded.excl.toString()).toBe(decimal('3').toString());
});
