import fc from 'fast-check';
import { rfc3339 } from '#time';
import type {
  CdrDimension,
  Charge,
  ChargingPeriod,
  Price,
  PriceComponent,
  Tariff,
  TariffDimension,
  TariffElement,
  TariffRestrictions,
} from '../src/shapes.ts';
import { startMs, timeZone } from './arbitrary.ts';
import type { NaiveCharge, Tick } from './naive.ts';

const DAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];

const clock = fc
  .tuple(fc.nat(23), fc.constantFrom('00', '01', '10', '15', '30', '59'))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
const day = startMs.map((ms) => rfc3339(ms).slice(0, 10));

/** One restriction of each kind, or two that go together; sizes suit sessions of a few hours. */
const KINDS: readonly fc.Arbitrary<TariffRestrictions>[] = [
  fc.tuple(clock, clock).map(([start_time, end_time]) => ({ start_time, end_time })),
  clock.map((start_time) => ({ start_time })),
  clock.map((end_time) => ({ end_time })),
  fc.constantFrom<TariffRestrictions>(
    { start_time: '22:00', end_time: '06:00' },
    { start_time: '17:00', end_time: '00:00' },
    { start_time: '02:00', end_time: '03:00' },
  ),
  day.map((start_date) => ({ start_date })),
  day.map((end_date) => ({ end_date })),
  fc.subarray(DAYS, { minLength: 1 }).map((day_of_week) => ({ day_of_week })),
  fc.nat(30).map((min_kwh) => ({ min_kwh })),
  fc.integer({ min: 1, max: 40 }).map((max_kwh) => ({ max_kwh })),
  fc.nat(120).map((minutes) => ({ min_duration: minutes * 60 })),
  fc.integer({ min: 1, max: 240 }).map((minutes) => ({ max_duration: minutes * 60 })),
  fc.nat(50).map((min_power) => ({ min_power })),
  fc.integer({ min: 1, max: 60 }).map((max_power) => ({ max_power })),
  fc.nat(48).map((min_current) => ({ min_current })),
  fc.integer({ min: 1, max: 64 }).map((max_current) => ({ max_current })),
];

const some = fc
  .uniqueArray(fc.nat(KINDS.length - 1), { minLength: 1, maxLength: 3 })
  .chain((kinds) => fc.tuple(...kinds.map((kind) => KINDS[kind]!)))
  .map((parts): TariffRestrictions => Object.assign({}, ...parts));

const price = fc.oneof(
  fc.nat(900).map((cents) => cents / 100),
  fc.nat(99_999).map((n) => n / 10_000),
  fc.constant(0),
);
const vat = fc.constantFrom(undefined, undefined, 0, 5, 14.975, 20);
const step_size = fc.constantFrom(0, 1, 1, 25, 60, 300, 500, 900, 10_000);

function element(types: readonly TariffDimension[]): fc.Arbitrary<TariffElement> {
  const component = (type: TariffDimension): fc.Arbitrary<PriceComponent> =>
    fc.record({ type: fc.constant(type), price, vat, step_size });
  const price_components = fc
    .shuffledSubarray([...types], { minLength: 1 })
    .chain((chosen) => fc.tuple(...chosen.map(component)));
  const restrictions = fc.option(some, { freq: 4, nil: undefined });
  return fc.record({ price_components, restrictions });
}

const sessionElement = element(['ENERGY', 'TIME', 'PARKING_TIME', 'FLAT']);
const reservationElement = fc
  .tuple(element(['TIME', 'FLAT']), fc.constantFrom('RESERVATION', 'RESERVATION_EXPIRES'))
  .map(([given, reservation]) => ({
    ...given,
    restrictions: { ...given.restrictions, reservation },
  }));

const bound: fc.Arbitrary<Price | undefined> = fc.option(
  fc.tuple(fc.nat(3000), fc.option(fc.nat(500))).map(([excl, tax]) => ({
    excl_vat: excl / 100,
    incl_vat: tax === null ? undefined : (excl + tax) / 100,
  })),
  { freq: 2, nil: undefined },
);

/** Elements of any kind in any order, and sometimes bounds, of which the highest is not below. */
export function anyTariff(id: string): fc.Arbitrary<Tariff> {
  const oneElement = fc.oneof({ weight: 4, arbitrary: sessionElement }, reservationElement);
  const elements = fc.array(oneElement, { minLength: 1, maxLength: 5 });
  return fc.tuple(elements, bound, bound).map(([of, min_price, max_price]) => {
    const tariff = { id, currency: 'CAD', elements: of };
    const sane =
      !min_price || !max_price || Number(max_price.excl_vat) >= Number(min_price.excl_vat);
    return sane ? { ...tariff, min_price, max_price } : { ...tariff, min_price };
  });
}

const levels = (most: number) =>
  fc
    .tuple(fc.nat(most), fc.nat(most))
    .map(([a, b]): readonly [number, number] => [Math.min(a, b), Math.max(a, b)]);

/** Ticks that are alike, in a row. */
const leg = fc
  .record({
    length: fc.integer({ min: 1, max: 60 }),
    state: fc.constantFrom<Tick['state']>('charging', 'charging', 'parking', 'paused'),
    rate: fc.oneof({ weight: 5, arbitrary: fc.nat(400) }, fc.integer({ min: -100, max: 0 })),
    kw: fc.option(levels(60), { nil: undefined }),
    amps: fc.option(levels(64), { nil: undefined }),
    tariff: fc.constantFrom(0, 0, 0, 0, 1, undefined),
  })
  .map(({ length, state, rate, kw, amps, tariff }): Tick[] => {
    const tenthWh = state === 'charging' ? rate : 0;
    return Array.from({ length }, () => ({ state, tenthWh, kw, amps, tariff }));
  });

const reservedLeg = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom(0, 0, 1))
  .map(([length, tariff]): Tick[] =>
    Array.from({ length }, () => ({ state: 'reserved', tenthWh: 0, tariff })),
  );

/** Charges of minutes to days, in ticks of a second to ten minutes. */
export const naiveCharge: fc.Arbitrary<NaiveCharge> = fc
  .record({
    startMs,
    tickS: fc.constantFrom(1, 7, 60, 60, 300, 600),
    reserved: fc.option(reservedLeg, { freq: 4 }),
    legs: fc.array(leg, { minLength: 1, maxLength: 6 }),
    expired: fc.boolean(),
    tariffs: fc.tuple(anyTariff('T'), anyTariff('U')),
    timeZone,
  })
  .map(({ reserved, legs, expired, tickS, ...rest }) => {
    const isExpired = reserved !== null && expired;
    const session = isExpired ? [] : legs.flat();
    // Energy by the minute is realistic whatever the tick.
    const given = [...(reserved ?? []), ...session];
    // Where no period names a tariff, all of them mean the only one.
    const isNamed = given.some(({ tariff }) => tariff !== undefined);
    const ticks = given.map((tick) => ({
      ...tick,
      tariff: isNamed ? tick.tariff : 0,
      tenthWh: Math.round((tick.tenthWh * tickS) / 10),
    }));
    return { ...rest, tickS, ticks, expired: isExpired };
  });

const TIME_DIMENSION = {
  charging: 'TIME',
  parking: 'PARKING_TIME',
  reserved: 'RESERVATION_TIME',
} as const;

/** How a CDR is written that says the same. */
export interface Writing {
  /** Numbers at which more periods than needed begin. */
  readonly cuts: readonly number[];
  readonly decimals: 4 | 16;
  readonly withEnd: boolean;
  readonly zeros: boolean;
}

export const writing: fc.Arbitrary<Writing> = fc.record({
  cuts: fc.array(fc.nat(400), { maxLength: 4 }),
  decimals: fc.constantFrom(4, 16),
  withEnd: fc.boolean(),
  zeros: fc.boolean(),
});

/** CDR-07: a period at each tick from which another component is in force, and where it is cut. */
export function writeCdr(charge: NaiveCharge, inForce: readonly string[], as: Writing): Charge {
  const { startMs: fromMs, tickS, ticks, tariffs } = charge;
  const charging_periods: ChargingPeriod[] = [];
  for (let from = 0; from < ticks.length;) {
    let to = from + 1;
    while (to < ticks.length && !as.cuts.includes(to) && isAlike(charge, inForce, to)) to++;
    const { tariff } = ticks[from]!;
    charging_periods.push({
      start_date_time: rfc3339(fromMs + from * tickS * 1000),
      dimensions: dimensionsOf(ticks.slice(from, to), tickS, as),
      ...(tariff === undefined ? {} : { tariff_id: tariffs[tariff]!.id }),
    });
    from = to;
  }
  const end_date_time = rfc3339(fromMs + ticks.length * tickS * 1000);
  const whole = { start_date_time: rfc3339(fromMs), currency: 'CAD', tariffs, charging_periods };
  return as.withEnd ? { ...whole, end_date_time } : whole;
}

function isAlike({ ticks }: NaiveCharge, inForce: readonly string[], i: number): boolean {
  const [one, other] = [ticks[i - 1]!, ticks[i]!];
  const sameLevels =
    String(one.kw) === String(other.kw) &&
    String(one.amps) === String(other.amps) &&
    one.tenthWh === other.tenthWh;
  const same = one.state === other.state && one.tariff === other.tariff;
  return same && sameLevels && inForce[i] === inForce[i - 1];
}

function dimensionsOf(ticks: readonly Tick[], tickS: number, as: Writing): CdrDimension[] {
  const { state, kw, amps } = ticks[0]!;
  const tenthWh = ticks.reduce((total, tick) => total + tick.tenthWh, 0);
  const hours = (ticks.length * tickS) / 3600;
  const dimensions: CdrDimension[] = [];
  if (tenthWh !== 0 || as.zeros) dimensions.push({ type: 'ENERGY', volume: tenthWh / 10_000 });
  if (state !== 'paused') {
    const volume = as.decimals === 4 ? Math.round(hours * 1e4) / 1e4 : hours;
    dimensions.push({ type: TIME_DIMENSION[state], volume });
    if (as.zeros && state === 'reserved') dimensions.push({ type: 'TIME', volume: 0 });
    if (as.zeros && state !== 'reserved') dimensions.push({ type: 'RESERVATION_TIME', volume: 0 });
  }
  for (const [name, range] of [
    ['POWER', kw],
    ['CURRENT', amps],
  ] as const) {
    if (!range) continue;
    const types = range[0] === range[1] ? [name] : [`MIN_${name}`, `MAX_${name}`];
    types.forEach((type, i) => dimensions.push({ type, volume: range[i]! }));
  }
  return dimensions;
}
