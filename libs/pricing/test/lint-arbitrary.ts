import fc from 'fast-check';
import { rfc3339 } from '#time';
import type { CdrDimension, Charge, ChargingPeriod, Tariff, TariffElement } from '../src/shapes.ts';

// Tariffs and sessions for tests of what lint decides.

const maybe = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { freq: 3, nil: null });
const restrictions = fc.record({
  start_time: maybe('00:00', '08:00', '20:00'),
  end_time: maybe('00:00', '08:00', '12:00', '20:00'),
  start_date: fc.option(fc.constantFrom('2024-01-10', '2024-01-24'), { freq: 8, nil: null }),
  end_date: fc.option(fc.constantFrom('2024-01-10', '2024-01-12', '2024-03-01'), {
    freq: 8,
    nil: null,
  }),
  day_of_week: fc.option(fc.constantFrom(['MONDAY'], ['SATURDAY', 'SUNDAY']), {
    freq: 5,
    nil: null,
  }),
  min_kwh: maybe(0, 5, 10),
  max_kwh: maybe(5, 10, 0),
  min_duration: maybe(0, 600, 7200),
  max_duration: maybe(600, 7200, 0),
  min_power: maybe(0, 11, 22),
  max_power: maybe(11, 22),
  min_current: maybe(0, 16, 32),
  max_current: maybe(16, 32),
  reservation: fc.option(fc.constantFrom('RESERVATION', 'RESERVATION_EXPIRES'), {
    freq: 6,
    nil: null,
  }),
});
const component = fc.record({
  type: fc.constantFrom('ENERGY', 'TIME', 'PARKING_TIME', 'FLAT'),
  price: fc.constant(1),
  step_size: fc.constant(1),
});
const element: fc.Arbitrary<TariffElement> = fc
  .tuple(
    fc.array(component, { minLength: 1, maxLength: 3 }),
    fc.option(restrictions, { nil: null, freq: 5 }),
    // Most restrictions away again: all of them at once hardly ever meet.
    fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
  )
  .map(([price_components, all, keep]) => ({
    price_components: price_components as TariffElement['price_components'],
    restrictions:
      all &&
      Object.fromEntries(
        Object.entries(all).filter(
          ([name], i) => name === 'reservation' || keep[i] || keep[(i + 5) % 14] !== keep[i],
        ),
      ),
  }));
/** Few values for each restriction, so that elements often meet, fill the space or contradict. */
export const tariff: fc.Arbitrary<Tariff> = fc
  .array(element, { minLength: 1, maxLength: 6 })
  .map((elements) => ({ id: 'T', currency: 'CAD', elements }));

const period = fc.record({
  minutes: fc.constantFrom(1, 9, 10, 60, 120, 600, 2_000),
  kwh: fc.constantFrom(0, 1, 5, 10),
  parked: fc.boolean(),
  power: fc.option(fc.tuple(fc.constantFrom(0, 11, 22, 50), fc.constantFrom(0, 11, 22))),
  current: fc.option(fc.tuple(fc.constantFrom(0, 16, 32, 40), fc.constantFrom(0, 16, 32))),
});
export interface Session {
  readonly startMs: number;
  readonly reservedMinutes: number;
  readonly periods: readonly (typeof period extends fc.Arbitrary<infer P> ? P : never)[];
}
export const session: fc.Arbitrary<Session> = fc.record({
  startMs: fc
    .integer({ min: 0, max: 90 * 24 * 4 })
    .map((quarters) => Date.UTC(2023, 11, 20) + quarters * 900_000),
  reservedMinutes: fc.constantFrom(0, 0, 0, 5, 30, 200),
  periods: fc.array(period, { maxLength: 4 }),
});

/** Undefined where the session has no period at all. */
export function chargeOf(
  of: Tariff,
  { startMs, reservedMinutes, periods }: Session,
): Charge | undefined {
  let atMs = startMs;
  const charging_periods: ChargingPeriod[] = [];
  const add = (minutes: number, dimensions: CdrDimension[]) => {
    charging_periods.push({ start_date_time: rfc3339(atMs), dimensions });
    atMs += minutes * 60_000;
  };
  const hours = (minutes: number) => (minutes / 60).toFixed(4);
  if (reservedMinutes > 0) {
    add(reservedMinutes, [{ type: 'RESERVATION_TIME', volume: hours(reservedMinutes) }]);
  }
  for (const { minutes, kwh, parked, power, current } of periods) {
    add(minutes, [
      { type: parked ? 'PARKING_TIME' : 'TIME', volume: hours(minutes) },
      { type: 'ENERGY', volume: kwh },
      ...levels('POWER', power),
      ...levels('CURRENT', current),
    ]);
  }
  if (charging_periods.length === 0) return undefined;
  const start_date_time = rfc3339(startMs);
  return { start_date_time, end_date_time: rfc3339(atMs), tariffs: [of], charging_periods };
}

function levels(name: string, pair: [number, number] | null): CdrDimension[] {
  if (!pair) return [];
  return [
    { type: `MIN_${name}`, volume: Math.min(...pair) },
    { type: `MAX_${name}`, volume: Math.max(...pair) },
  ];
}
