import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal, sum } from '#money';
import { type ChargingPeriod, exampleLocation, type Tariff } from '#ocpi';
import { type MeterEvent, price, splitAtPriceChanges } from '#pricing';
import { instant, rfc3339 } from '#time';
import {
  isNews,
  isRefreshDue,
  measured,
  type Metering,
  newReadings,
  startMetering,
  takeReadings,
  type Terms,
  toldUpToNow,
  turned,
  updateEveryMsOf,
} from './metering.ts';
import type { Reading } from './register.ts';

const startMs = instant('2022-02-01T17:00:00Z');
const at = (second: number) => rfc3339(startMs + second * 1_000);
const tariff = (...elements: Tariff['elements']): Tariff => ({
  country_code: 'CA',
  party_id: 'BCT',
  id: 'T',
  currency: 'CAD',
  elements,
  last_updated: at(0),
});
const energy = (cost: number, restrictions?: object) =>
  ({
    price_components: [{ type: 'ENERGY', price: cost, vat: 5, step_size: 1 }],
    ...(restrictions ? { restrictions } : {}),
  }) as Tariff['elements'][number];
const time = (cost: number) =>
  ({
    price_components: [{ type: 'TIME', price: cost, step_size: 60 }],
  }) as Tariff['elements'][number];
const terms = (of: Tariff): Terms => ({ tariff: of, timeZone: 'America/Vancouver' });

const level2 = terms(tariff(energy(0.2), time(2)));
/** Dearer from 2 kWh on, in the evening, and after half an hour. */
const changing = terms(
  tariff(
    energy(0.5, { min_kwh: 2, start_time: '09:20', end_time: '18:00' }),
    energy(0.4, { min_duration: 1_800 }),
    energy(0.3, { min_kwh: 2 }),
    energy(0.2),
    time(2),
  ),
);

/** Reads and tells as a session does; gives what was told at the end, and each list told before. */
function charged(
  of: Terms,
  readings: readonly Reading[],
  end: { at: string; energyWh: string },
  everyMs: number,
) {
  let metering = startMetering(of, at(0), '1000');
  const told: ChargingPeriod[][] = [];
  const counted: MeterEvent[] = [];
  for (const reading of readings) {
    const fresh = newReadings(of, metering, [reading]);
    if (!isNews(fresh)) continue;
    metering = takeReadings(of, metering, fresh);
    if (fresh.readings.length > 0)
      counted.push({ at: reading.at, energyWh: decimal(metering.meter.tenthWh).shift(-1) });
    if (!isRefreshDue(metering, everyMs)) continue;
    told.push(measured(of, metering).charging_periods);
    metering = toldUpToNow(metering, told.at(-1)!);
  }
  return { told, counted, ended: measured(of, metering, end) };
}

const volume = (type: string) => (periods: readonly ChargingPeriod[]) =>
  sum(
    periods.flatMap(({ dimensions }) =>
      dimensions.filter((each) => each.type === type).map((each) => decimal(each.volume)),
    ),
  );
const energyOf = volume('ENERGY');
const timeOf = volume('TIME');

describe('for any readings, at any rhythm of telling', () => {
  const readings = fc
    .array(
      fc.record({
        second: fc.integer({ min: 0, max: 7_200 }),
        tenthWh: fc.integer({ min: 9_000, max: 90_000 }),
      }),
      { maxLength: 40 },
    )
    .map((all) =>
      all.map(({ second, tenthWh }): Reading => ({
        at: at(second),
        energyWh: String(tenthWh / 10),
      })),
    );
  const rising = readings.map((all) => {
    const byTime = all.toSorted((a, b) => instant(a.at) - instant(b.at));
    const registers = all.map(({ energyWh }) => Number(energyWh)).sort((a, b) => a - b);
    return byTime.map((reading, n): Reading => ({ ...reading, energyWh: String(registers[n]) }));
  });
  const runs = fc.record({
    of: fc.constantFrom(level2, changing),
    readings: fc.oneof(rising, readings),
    end: fc.record({
      second: fc.integer({ min: 0, max: 9_000 }),
      tenthWh: fc.integer({ min: 5_000, max: 120_000 }),
    }),
    everyMs: fc.constantFrom(1, 60_000, 600_000),
  });
  const property = (
    check: (run: ReturnType<typeof charged> & { of: Terms }) => void,
  ) =>
    fc.assert(
      fc.property(runs, ({ of, readings: fed, end: { second, tenthWh }, everyMs }) => {
        const end = { at: at(second), energyWh: String(tenthWh / 10) };
        check({ ...charged(of, fed, end, everyMs), of });
      }),
      { numRuns: 150, seed: 20220201 },
    );

  test('the energies of the periods add up to the session exactly, and never fall', () =>
    property(({ told, ended }) => {
      expect(energyOf(ended.charging_periods).toString()).toBe(String(ended.kwh));
      expect(decimal(ended.energyWh).shift(-3).toString()).toBe(String(ended.kwh));
      const volumes = [...told, ended.charging_periods]
        .flat()
        .flatMap(({ dimensions }) => dimensions.map((each) => each.volume));
      expect(Math.min(...volumes)).toBeGreaterThanOrEqual(0);
    }));

  test('the times add up to the duration, to less than a hundredth of a second', () =>
    property(({ ended }) => {
      const seconds = timeOf(ended.charging_periods).mul(decimal(3_600)).toApproximate();
      expect(Math.abs(seconds * 1_000 - (ended.endMs - startMs))).toBeLessThan(10);
    }));

  test('the periods only ever grow, one after the other', () =>
    property(({ told, ended }) => {
      const lists = [...told, ended.charging_periods];
      lists.reduce(
        (before, after) => (expect(after.slice(0, before.length)).toEqual(before), after),
        [],
      );
      const starts = ended.charging_periods.map(({ start_date_time: start }) => instant(start));
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    }));

  test('telling more or less often does not change the price', () =>
    property(({ ended, of, counted }) => {
      const energyWh = decimal(ended.energyWh).add(decimal(1000));
      const end = { at: rfc3339(ended.endMs), energyWh };
      const charging_periods = splitAtPriceChanges(
        of,
        { at: at(0), energyWh: '1000', state: 'charging' },
        counted,
        end,
      );
      const { total } = price(
        { start_date_time: at(0), end_date_time: end.at, tariffs: [of.tariff], charging_periods },
        of,
      );
      expect(ended.total_cost).toEqual({
        excl_vat: total.excl.toJsonNumber(),
        incl_vat: total.incl?.toJsonNumber(),
      });
    }));
});

test('telling in between does not change the price of a charge that pauses and parks', () => {
  const of = terms(
    tariff(energy(0.5, { min_kwh: 2, start_time: '09:20', end_time: '18:00' }), energy(0.2), time(2), {
      price_components: [{ type: 'PARKING_TIME', price: 6, step_size: 1 }],
    }),
  );
  const turns = fc.record({
    after: fc.integer({ min: 0, max: 600 }),
    state: fc.constantFrom('charging' as const, 'parking' as const, 'paused' as const),
  });
  const reads = fc.record({
    after: fc.integer({ min: 0, max: 600 }),
    gainTenthWh: fc.integer({ min: 0, max: 9_000 }),
    tells: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(turns, reads), { maxLength: 25 }), (all) => {
      let [second, tenthWh] = [0, 10_000];
      let metering = startMetering(of, at(0), '1000');
      const fed: MeterEvent[] = [];
      for (const each of all) {
        second += each.after;
        if ('state' in each) {
          const turn = { at: at(second), state: each.state };
          metering = turned(of, metering, turn);
          fed.push(turn);
          continue;
        }
        tenthWh += each.gainTenthWh;
        const reading = { at: at(second), energyWh: String(tenthWh / 10) };
        metering = takeReadings(of, metering, { readings: [reading] });
        fed.push(reading);
        if (each.tells) metering = toldUpToNow(metering, measured(of, metering).charging_periods);
      }
      const end = { at: at(second + 60), energyWh: String(tenthWh / 10) };
      const ended = measured(of, metering, end);
      const whole = splitAtPriceChanges(
        of,
        { at: at(0), energyWh: '1000', state: 'charging' },
        fed,
        end,
      );
      const { total } = price(
        {
          start_date_time: at(0),
          end_date_time: end.at,
          tariffs: [of.tariff],
          charging_periods: whole,
        },
        of,
      );
      expect(ended.total_cost.excl_vat).toBe(total.excl.toJsonNumber());
      expect(energyOf(ended.charging_periods).toString()).toBe(String(ended.kwh));
    }),
    { numRuns: 300, seed: 20220201 },
  );
});

test('the cost so far is that of the readings so far', () => {
  const metering = takeReadings(level2, startMetering(level2, at(0), '1000'), {
    readings: [{ at: at(1_800), energyWh: '6000' }],
  });
  expect(measured(level2, metering)).toMatchObject({
    kwh: 5,
    energyWh: '5000',
    total_cost: { excl_vat: 2, incl_vat: 2.05 },
  });
});

test('a period ends where the price changes', () => {
  const { ended } = charged(changing, [], { at: at(1_200), energyWh: '5000' }, 60_000);
  expect(ended.charging_periods.map(({ start_date_time: start }) => start)).toEqual([
    at(0),
    at(600),
  ]);
  expect(ended.charging_periods.map((period) => energyOf([period]).toString())).toEqual(['2', '2']);
});

test('a price that changed is told with the reading that shows it, however much of the interval is left', () => {
  const readings = ([[300, '1500'], [700, '3500'], [900, '3600']] as const).map(([second, energyWh]) => ({ at: at(second), energyWh }));
  const { told } = charged(changing, readings, { at: at(1_200), energyWh: '3700' }, 3_600_000);
  expect(told.map((periods) => periods.map(({ start_date_time: start }) => start))).toEqual([[at(0), at(600)]]);
});

test.each<[string, Reading[], number]>([
  [
    'a repeat',
    [
      { at: at(60), energyWh: '1100' },
      { at: at(60), energyWh: '1100' },
    ],
    1,
  ],
  [
    'an older one',
    [
      { at: at(60), energyWh: '1100' },
      { at: at(30), energyWh: '1050' },
    ],
    2,
  ],
  [
    'a lower register',
    [
      { at: at(60), energyWh: '1100' },
      { at: at(90), energyWh: '1050' },
    ],
    1,
  ],
  ['one from before the start', [{ at: at(-60), energyWh: '1100' }], 0],
  ['one without a register', [{ at: at(60), powerW: '6600' }], 0],
  [
    'one at the same time that counts more',
    [
      { at: at(60), energyWh: '1100' },
      { at: at(60), energyWh: '1101' },
    ],
    1,
  ],
])('of %s in one frame %#, only what is news counts', (_, readings, news) => {
  expect(newReadings(level2, startMetering(level2, at(0), '1000'), readings).readings).toHaveLength(news);
});

test('SES-12: a charge of a day with a reading every ten seconds is told in a few hundred periods', () => {
  const readings = Array.from({ length: 8_640 }, (_, n): Reading => ({
    at: at((n + 1) * 10),
    energyWh: String(1000 + (n + 1) * 8),
  }));
  const { told, ended } = charged(level2, readings, { at: at(86_410), energyWh: '70120' }, 300_000);
  expect(told.length).toBeGreaterThan(100);
  expect(told.length).toBeLessThan(320);
  expect(JSON.stringify(ended.charging_periods).length).toBeLessThan(60_000);
});

test('SES-12: a charge of sixteen hours is told at every interval, and a longer one less and less often', () => {
  const readings = Array.from({ length: 40 * 360 }, (_, n): Reading => ({ at: at((n + 1) * 10), energyWh: String(1000 + (n + 1) * 8) }));
  const toldIn = (hours: number) =>
    charged(level2, readings.slice(0, hours * 360), { at: at(hours * 3_600), energyWh: '70120' }, 60_000).told.length;
  expect(toldIn(16)).toBe(960);
  expect(toldIn(40) - toldIn(16)).toBeLessThan(1_000);
});

test.each([
  ['a second early or late', 60, (n: number) => (n % 2 === 0 ? 1 : -1), 30, 30],
  ['by clocks that are cut to seconds', 60, (n: number) => (n % 3 === 0 ? -1 : 0), 30, 30],
  ['every 10 s', 10, (n: number) => (n % 2 === 0 ? 1 : -1), 29, 31],
  ['every second', 1, () => 0, 30, 30],
  ['every 45 s', 45, () => 0, 20, 20],
  ['every 15 min', 900, () => 0, 2, 2],
] as const)('a meter that is read %s (%i s) is told every 60 s, or at its next reading', (_, everyS, jitterS, least, most) => {
  const readings = Array.from({ length: Math.floor(1_802 / everyS) }, (_, n): Reading => ({
    at: at((n + 1) * everyS + jitterS(n)),
    energyWh: String(1000 + (n + 1) * everyS),
  }));
  const { told } = charged(level2, readings, { at: at(1_803), energyWh: '70120' }, 60_000);
  expect(told.length).toBeGreaterThanOrEqual(least);
  expect(told.length).toBeLessThanOrEqual(most);
});

test.each([
  ['AC_1_PHASE', 300_000],
  ['AC_3_PHASE', 300_000],
  ['DC', 60_000],
] as const)('a Session at a connector of %s is told every %i ms', (type, ms) => {
  const [evse] = exampleLocation.evses!;
  const other = {
    ...evse!.connectors[0]!,
    id: 'other',
    power_type: type === 'DC' ? ('AC_3_PHASE' as const) : ('DC' as const),
  };
  const evses = [{ ...evse!, connectors: [other, { ...evse!.connectors[0]!, id: 'A', power_type: type }] }];
  expect(updateEveryMsOf({ evses }, 'a', { ac: 300_000, dc: 60_000 })).toBe(ms);
});

test('a charge without time or energy still has a period', () => {
  const { ended } = charged(level2, [], { at: at(0), energyWh: '1000' }, 60_000);
  expect(ended).toMatchObject({ kwh: 0, total_cost: { excl_vat: 0 } });
  expect(ended.charging_periods).toHaveLength(1);
});

test('energy that came in no time after the last refresh is not lost', () => {
  const metering: Metering = takeReadings(level2, startMetering(level2, at(0), '1000'), {
    readings: [{ at: at(600), energyWh: '2000' }],
  });
  const told = toldUpToNow(metering, measured(level2, metering).charging_periods);
  const ended = measured(level2, told, { at: at(600), energyWh: '2000.5' });
  expect(energyOf(ended.charging_periods).toString()).toBe('1.0005');
});

test('readings of one frame give the same periods in any order; across frames energy and time stay the same', () => {
  const rising = fc
    .array(fc.record({ after: fc.integer({ min: 1, max: 900 }), gain: fc.integer({ min: 0, max: 9_000 }) }), {
      minLength: 1,
      maxLength: 12,
    })
    .map((steps) => {
      let [second, tenthWh] = [0, 10_000];
      return steps.map(({ after, gain }): Reading => {
        [second, tenthWh] = [second + after, tenthWh + gain];
        return { at: at(second), energyWh: String(tenthWh / 10) };
      });
    });
  const shuffled = rising.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([all, mixed]) => {
      const end = { at: at(20_000), energyWh: all.at(-1)!.energyWh! };
      const inFrames = (...frames: (readonly Reading[])[]) =>
        measured(
          changing,
          frames.reduce(
            (metering, frame) => takeReadings(changing, metering, newReadings(changing, metering, frame)),
            startMetering(changing, at(0), '1000'),
          ),
          end,
        );
      expect(inFrames(mixed)).toEqual(inFrames(all));
      expect(inFrames(all)).toEqual(inFrames(...all.map((each) => [each])));
      const { kwh, endMs } = inFrames(...mixed.map((each) => [each]));
      expect({ kwh, endMs }).toMatchObject({ kwh: inFrames(all).kwh, endMs: inFrames(all).endMs });
    }),
    { numRuns: 200, seed: 20220201 },
  );
});
