import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal } from '#money';
import { instant, rfc3339 } from '#time';
import { type MeterEvent, meterFold, type MeterStart, splitAtPriceChanges } from '../src/meter.ts';
import { type Priced, price } from '../src/price.ts';
import type { Charge, Tariff } from '../src/shapes.ts';
import { runs, startMs, timeZone } from './arbitrary.ts';
import { anyTariff } from './naive-charges.ts';
import { lookUp, type NaiveCharge, naiveNow, naivePrice, type Tick } from './naive.ts';
import { Ratio } from './ratio.ts';

const TICK_S = 60;
const TICK_MS = TICK_S * 1000;
const CHARGE_MS = 600_000;
const REGISTER_WH = 12_345.6;

interface Leg {
  readonly length: number;
  readonly state: 'charging' | 'parking' | 'paused';
  readonly kw: number | undefined;
  readonly amps: number | undefined;
}

const leg: fc.Arbitrary<Leg> = fc.record({
  length: fc.integer({ min: 1, max: 90 }),
  state: fc.constantFrom('charging', 'charging', 'parking', 'paused'),
  kw: fc.option(fc.nat(60), { nil: undefined }),
  amps: fc.option(fc.nat(64), { nil: undefined }),
});

interface Metered {
  readonly charge: NaiveCharge;
  readonly start: MeterStart;
  readonly events: readonly MeterEvent[];
  readonly end: { readonly at: string };
}

// Tenths of a Wh a minute with which every whole kWh is reached at the end of a minute.
const rate = fc.constantFrom(400, 500, 1000, 2000, 5000, 10_000);
const given = fc.record({
  legs: fc.array(leg, { minLength: 1, maxLength: 6 }),
  rate,
  tariff: anyTariff('T'),
  startMs,
  timeZone,
  told: fc.boolean(),
  readings: fc.array(fc.nat(300), { maxLength: 8 }),
});

/** A charge and what a meter says of it: with levels at each change, or now and then without. */
const metered = given.map(({ legs, told, readings, tariff, ...rest }): Metered => {
  const ticks: Tick[] = [];
  const events: MeterEvent[] = [];
  let tenthWh = 0;
  const at = (tick: number) => rfc3339(rest.startMs + tick * TICK_MS);
  for (const { length, state, kw, amps } of legs) {
    const charges = state === 'charging';
    const levels = {
      ...(told && kw !== undefined ? { powerW: kw * 1000 } : {}),
      ...(told && amps !== undefined ? { currentA: amps } : {}),
    };
    const reading = () => ({
      at: at(ticks.length),
      energyWh: REGISTER_WH + tenthWh / 10,
      ...levels,
    });
    events.push({ at: at(ticks.length), state });
    if (told) events.push(reading());
    for (let i = 0; i < length; i++) {
      ticks.push({
        state,
        tariff: 0,
        tenthWh: charges ? rest.rate : 0,
        ...(told && charges && kw !== undefined ? { kw: [kw, kw] } : {}),
        ...(told && charges && amps !== undefined ? { amps: [amps, amps] } : {}),
      });
      tenthWh += charges ? rest.rate : 0;
      const isInside = i < length - 1;
      if (isInside && readings.includes(ticks.length)) events.push(reading());
    }
  }
  events.push({ at: at(ticks.length), energyWh: REGISTER_WH + tenthWh / 10 });
  return {
    charge: { ...rest, ticks, tickS: TICK_S, tariffs: [tariff], expired: false },
    start: { at: at(0), energyWh: REGISTER_WH, state: 'charging' },
    events,
    end: { at: at(ticks.length) },
  };
});

function cdrOf(
  tariff: Tariff,
  where: string,
  { start, events, end }: Omit<Metered, 'charge'>,
): Charge {
  return {
    start_date_time: start.at,
    end_date_time: end.at,
    tariffs: [tariff],
    charging_periods: splitAtPriceChanges({ tariff, timeZone: where }, start, events, end),
  };
}

test(
  'what is metered is priced as the naive calculator prices the course itself',
  () => {
    fc.assert(
      fc.property(metered, fc.infiniteStream(fc.nat()), ({ charge, start, events, end }, order) => {
        const tariff = charge.tariffs[0]!;
        const shuffled = events
          .map((event) => ({ event, key: order.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event);
        const naive = naivePrice(charge);
        const cdr = cdrOf(tariff, charge.timeZone, { start, events: shuffled, end });
        const { unrounded, course } = price(cdr, { timeZone: charge.timeZone });
        const ninths = (of: Ratio) => of.times(Ratio.of(9)).toString();
        const seen = (amount: typeof unrounded.incl) => String(Ratio.of(String(amount?.ninths)));
        expect(seen(unrounded.excl)).toBe(ninths(naive.excl));
        if (naive.incl) expect(seen(unrounded.incl)).toBe(ninths(naive.incl));
        expect(course.notes.filter(({ code }) => code !== 'level-unknown' && code !== 'bounds-contradict')).toEqual([]);
      }),
      runs(500),
    );
  },
  CHARGE_MS,
);

const DIMENSION = { charging: 'TIME', parking: 'PARKING_TIME', paused: undefined } as const;

const irregular = fc.record({
  tariff: anyTariff('T'),
  fromMs: startMs,
  where: timeZone,
  steps: fc.array(
    fc.record({
      ms: fc.oneof(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 7_200_000 })),
      tenthWhPerMinute: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(60_000)),
      state: fc.constantFrom('charging' as const, 'parking' as const, 'paused' as const),
      tells: fc.boolean(),
    }),
    { minLength: 1, maxLength: 20 },
  ),
  looks: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 30,
    maxLength: 30,
  }),
});

interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: 'charging' | 'parking' | 'paused';
  readonly fromTenthWh: number;
  readonly tenthWhPerMs: number;
}

/** Between two readings energy flows evenly while the car charges, or all the time if it never does. */
function piecesOf(
  steps: readonly { ms: number; state: Piece['state']; tells: boolean }[],
  fromMs: number,
  register: readonly number[],
): Piece[] {
  const pieces: Piece[] = [];
  let atMs = fromMs;
  let known = register[0]!;
  for (let from = 0; from < steps.length;) {
    let to = from;
    while (to < steps.length - 1 && !steps[to]!.tells) to++;
    const between = steps.slice(from, to + 1);
    const chargingMs = between.reduce(
      (ms, step) => ms + (step.state === 'charging' ? step.ms : 0),
      0,
    );
    const allMs = between.reduce((ms, step) => ms + step.ms, 0);
    const perMs = (register[to + 1]! - known) / (chargingMs || allMs);
    let tenthWh = known;
    for (const { ms, state } of between) {
      const flows = state === 'charging' || chargingMs === 0 ? perMs : 0;
      pieces.push({
        fromMs: atMs,
        toMs: atMs + ms,
        state,
        fromTenthWh: tenthWh,
        tenthWhPerMs: flows,
      });
      atMs += ms;
      tenthWh += flows * ms;
    }
    known = register[to + 1]!;
    from = to + 1;
  }
  return pieces;
}

test(
  'irregular metering: no tenth of a Wh is lost, no gap, and each moment at its own price',
  () => {
    fc.assert(
      fc.property(irregular, ({ tariff: any, fromMs, where, steps, looks }) => {
        const tariff = withoutLevels(any);
        const register = [1_000_000];
        const events: MeterEvent[] = [];
        let atMs = fromMs;
        for (const { ms, tenthWhPerMinute, state, tells } of steps) {
          events.push({ at: rfc3339(atMs), state });
          atMs += ms;
          register.push(register.at(-1)! + Math.round((ms * tenthWhPerMinute) / 60_000));
          if (tells) events.push({ at: rfc3339(atMs), energyWh: register.at(-1)! / 10 });
        }
        const start = { at: rfc3339(fromMs), energyWh: 100_000, state: 'charging' as const };
        const end = { at: rfc3339(atMs), energyWh: register.at(-1)! / 10 };
        const priced = price(cdrOf(tariff, where, { start, events, end }), { timeZone: where });
        let wh = decimal(0);
        let endMs = fromMs;
        for (const { energyWh, startMs: beginMs, endMs: untilMs } of priced.course.stretches) {
          if (energyWh) wh = wh.add(energyWh);
          expect(beginMs).toBe(endMs);
          expect(untilMs).toBeGreaterThan(beginMs);
          endMs = untilMs;
        }
        expect(wh.shift(1).toString()).toBe(String(register.at(-1)! - 1_000_000));
        expect(endMs).toBe(instant(end.at));
        const pieces = piecesOf(steps, fromMs, register);
        for (const look of looks) {
          const momentMs = fromMs + Math.floor(look * (atMs - fromMs));
          const piece = pieces.find(({ toMs }) => momentMs < toMs)!;
          expectItsOwnPrice(priced, { momentMs, piece, where, fromMs });
        }
      }),
      runs(500),
    );
  },
  CHARGE_MS,
);

test(
  'CDR-07: changes of state that overtake the readings of their past change nothing',
  () => {
    fc.assert(
      fc.property(irregular, ({ tariff, fromMs, where, steps }) => {
        const changes: MeterEvent[] = [];
        const readings: MeterEvent[] = [];
        let [atMs, tenthWh] = [fromMs, 1_000_000];
        for (const { ms, tenthWhPerMinute, state, tells } of steps) {
          changes.push({ at: rfc3339(atMs), state });
          atMs += ms;
          tenthWh += Math.round((ms * tenthWhPerMinute) / 60_000);
          if (tells) readings.push({ at: rfc3339(atMs), energyWh: tenthWh / 10 });
        }
        const context = { tariff, timeZone: where };
        const start = { at: rfc3339(fromMs), energyWh: 100_000, state: 'charging' as const };
        const end = { at: rfc3339(atMs), energyWh: tenthWh / 10 };
        const { take, periods, start: begin } = meterFold(context);
        const overtaken = [...changes, ...readings].reduce(take, begin(start));
        expect(periods(overtaken, end)).toEqual(
          splitAtPriceChanges(context, start, [...changes, ...readings], end),
        );
      }),
      runs(300),
    );
  },
  CHARGE_MS,
);

function withoutLevels(tariff: Tariff): Tariff {
  const elements = tariff.elements.map(({ price_components, restrictions }) => {
    const { min_power, max_power, min_current, max_current, ...rest } = restrictions ?? {};
    return { price_components, restrictions: rest };
  });
  return { ...tariff, elements };
}

/** Unless an energy bound is so near that a tenth of a Wh or a millisecond decides. */
function expectItsOwnPrice(
  { course, bill }: Priced,
  {
    momentMs,
    piece,
    where,
    fromMs,
  }: { momentMs: number; piece: Piece; where: string; fromMs: number },
): void {
  const use = course.stretches.findLastIndex(({ startMs: from }) => from <= momentMs);
  const tariff = course.stretches[use]!.tariff!.source;
  const energyAt = (ms: number) =>
    (piece.fromTenthWh + piece.tenthWhPerMs * (ms - piece.fromMs) - 1_000_000) / 10;
  for (const type of ['ENERGY', DIMENSION[piece.state]]) {
    const applied = bill.entries.find((entry) => entry.use === use && entry.dimension === type);
    if (!type || !applied) continue;
    const found = [-2, 2].map((offMs) => {
      const now = naiveNow(
        where,
        momentMs,
        (momentMs - fromMs) / 1000,
        energyAt(momentMs + offMs) + offMs / 10,
      );
      return lookUp(tariff, type, now, false, false);
    });
    if (found[0] !== found[1]) continue;
    expect([type, momentMs, applied.component?.source]).toEqual([type, momentMs, found[0]]);
  }
}
