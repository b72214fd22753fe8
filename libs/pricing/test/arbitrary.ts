import fc from 'fast-check';
import { rfc3339 } from '#time';
import type { MeterEnd, MeterEvent, MeterStart } from '../src/meter.ts';
import type { PriceComponent, Tariff, TariffElement, TariffRestrictions } from '../src/shapes.ts';

/** The seed of a run, printed so that a failure can be met again: SEED=… vitest run … */
export const seed = Number(process.env['SEED']);
/** RUNS multiplies how often each property is tried. */
export const runs = (numRuns: number) => ({
  numRuns: numRuns * Number(process.env.RUNS ?? 1),
  seed,
});

// Years in which the runtime's own time zone data still knows all the rules.
const DAY_MS = 86_400_000;
const YEARS = { min: Date.UTC(2019, 0, 1) / 60_000, max: Date.UTC(2024, 11, 1) / 60_000 };
export const startMs = fc.oneof(
  fc.integer(YEARS).map((minute) => minute * 60_000),
  // Nights in which clocks change somewhere.
  fc
    .tuple(fc.constantFrom('2024-03-10', '2024-11-03', '2023-03-26', '2023-10-29'), fc.nat(1439))
    .map(([day, minute]) => Date.parse(`${day}T00:00:00Z`) + minute * 60_000 - DAY_MS / 4),
);
export const timeZone = fc.constantFrom(
  'America/Vancouver',
  'Europe/Berlin',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'UTC',
);

const cents = (max: number) => fc.nat(max * 100).map((n) => n / 100);
const hourMinute = fc
  .tuple(fc.nat(23), fc.constantFrom('00', '15', '30'))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
const date = startMs.map((ms) => rfc3339(ms).slice(0, 10));
const days = fc.subarray(
  ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'],
  { minLength: 1 },
);
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

export interface TariffWish {
  /** Restrictions that depend on what happened before in the session. */
  readonly history?: boolean;
  readonly flat?: boolean;
  readonly levels?: boolean;
  readonly restricted?: boolean;
  readonly steps?: readonly number[];
}

function restrictions(wish: TariffWish): fc.Arbitrary<TariffRestrictions | undefined> {
  if (wish.restricted === false) return fc.constant(undefined);
  const history = wish.history === false ? fc.constant(undefined) : undefined;
  const levels = wish.levels === false ? fc.constant(undefined) : undefined;
  return fc.option(
    fc.record({
      start_time: rarely(hourMinute),
      end_time: rarely(hourMinute),
      start_date: rarely(date),
      end_date: rarely(date),
      day_of_week: rarely(days),
      min_kwh: history ?? rarely(fc.nat(20)),
      max_kwh: history ?? rarely(fc.integer({ min: 1, max: 40 })),
      min_duration: history ?? rarely(fc.nat(300).map((minutes) => minutes * 60)),
      max_duration: history ?? rarely(fc.integer({ min: 1, max: 600 }).map((m) => m * 60)),
      min_power: levels ?? rarely(fc.nat(40)),
      max_power: levels ?? rarely(fc.integer({ min: 1, max: 60 })),
    }),
    { nil: undefined },
  );
}

function component(type: PriceComponent['type'], wish: TariffWish): fc.Arbitrary<PriceComponent> {
  return fc.record({
    type: fc.constant(type),
    price: cents(9),
    vat: fc.constantFrom(undefined, 0, 5, 14.975),
    step_size: fc.constantFrom(...(wish.steps ?? [0, 1, 60, 250, 900])),
  });
}

function element(wish: TariffWish): fc.Arbitrary<TariffElement> {
  const types: PriceComponent['type'][] = ['ENERGY', 'TIME', 'PARKING_TIME'];
  if (wish.flat !== false) types.push('FLAT');
  return fc.record({
    price_components: fc
      .subarray(types, { minLength: 1 })
      .chain((some) => fc.tuple(...some.map((type) => component(type, wish)))),
    restrictions: restrictions(wish),
  });
}

export function tariff(wish: TariffWish = {}): fc.Arbitrary<Tariff> {
  return fc
    .array(element(wish), { minLength: 1, maxLength: 4 })
    .map((elements) => ({ id: 'T', currency: 'CAD', elements }));
}

export interface Session {
  readonly start: MeterStart;
  readonly events: readonly MeterEvent[];
  readonly end: MeterEnd;
  /** Each minute: does the car charge, and how much. */
  readonly minutes: readonly { readonly charging: boolean; readonly tenthWh: number }[];
}

type Leg = readonly [minutes: number, charging: boolean, tenthWhPerMinute: number];

function legs(tenthWhPerMinute: fc.Arbitrary<number>): fc.Arbitrary<readonly Leg[]> {
  const leg = fc.tuple(fc.integer({ min: 1, max: 240 }), fc.boolean(), tenthWhPerMinute);
  return fc.array(leg, { minLength: 1, maxLength: 5 });
}

/** A session in legs of whole minutes, each charging evenly or parking; a reading after each. */
function sessionOf(fromMs: number, parts: readonly Leg[]): Session {
  const minutes: Session['minutes'][number][] = [];
  const events: MeterEvent[] = [];
  let atMs = fromMs;
  let tenthWh = 123_456;
  for (const [length, charging, perMinute] of parts) {
    events.push({ at: rfc3339(atMs), state: charging ? 'charging' : 'parking' });
    const each = charging ? perMinute : 0;
    for (let i = 0; i < length; i++) minutes.push({ charging, tenthWh: each });
    atMs += length * 60_000;
    tenthWh += length * each;
    events.push({ at: rfc3339(atMs), energyWh: tenthWh / 10 });
  }
  const start = { at: rfc3339(fromMs), energyWh: 12_345.6, state: 'charging' as const };
  return { start, events, end: { at: rfc3339(atMs) }, minutes };
}

export const session: fc.Arbitrary<Session> = fc
  .tuple(startMs, legs(fc.nat(600).map((n) => n * 10)))
  .map(([fromMs, parts]) => sessionOf(fromMs, parts));
