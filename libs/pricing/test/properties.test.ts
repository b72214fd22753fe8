import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal } from '#money';
import { instant, rfc3339, zone } from '#time';
import { type MeterContext, splitAtPriceChanges } from '../src/meter.ts';
import { policyWith } from '../src/policy.ts';
import { type Priced, price } from '../src/price.ts';
import type { Charge, ChargingPeriod } from '../src/shapes.ts';
import { hours, priceReport } from '../src/totals.ts';
import { runs, type Session, seed, session, tariff, timeZone } from './arbitrary.ts';

console.log(`pricing properties: SEED=${seed}`);

function chargeOf(context: MeterContext, { start, events, end }: Session): Charge {
  return {
    start_date_time: start.at,
    end_date_time: end.at,
    currency: 'CAD',
    tariffs: [context.tariff],
    charging_periods: splitAtPriceChanges(context, start, events, end),
  };
}

/** A line comes where it is used first: a cut may leave all of a quantity to the second part. */
function unordered(priced: Priced) {
  const { lines, ...rest } = priceReport(priced);
  return { ...rest, lines: lines.map((line) => JSON.stringify(line)).sort() };
}

/** Cuts a period in two at an instant, its volumes with it. */
function cut(period: ChargingPeriod, endMs: number, cutMs: number): ChargingPeriod[] {
  const startMs = instant(period.start_date_time);
  if (cutMs <= startMs || cutMs >= endMs) return [period];
  const share = (cutMs - startMs) / (endMs - startMs);
  const part = (first: boolean) =>
    period.dimensions.map(({ type, volume }) => {
      if (type.startsWith('M')) return { type, volume };
      if (type !== 'ENERGY') {
        return { type, volume: hours(first ? cutMs - startMs : endMs - cutMs) };
      }
      const tenths = Math.round(Number(volume) * 1e4);
      const before = Math.floor(tenths * share);
      return { type, volume: (first ? before : tenths - before) / 1e4 };
    });
  return [
    { ...period, dimensions: part(true) },
    { ...period, start_date_time: rfc3339(cutMs), dimensions: part(false) },
  ];
}

test('splitting periods changes nothing (1,000 charges)', () => {
  const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(tariff(), session, timeZone, share, (of, given, where, at) => {
      const charge = chargeOf({ tariff: of, timeZone: where }, given);
      const periods = charge.charging_periods!;
      const split = periods.flatMap((period, i) => {
        const startMs = instant(period.start_date_time);
        const endMs = instant(periods[i + 1]?.start_date_time ?? given.end.at);
        return cut(period, endMs, startMs + Math.floor((endMs - startMs) * at));
      });
      const whole = price(charge, { timeZone: where });
      const parts = price({ ...charge, charging_periods: split }, { timeZone: where });
      expect(unordered(parts)).toEqual(unordered(whole));
    }),
    runs(1_000),
  );
});

test('the order of volumes in a period changes nothing (500 charges)', () => {
  fc.assert(
    fc.property(tariff(), session, timeZone, fc.integer(), (of, given, where, turn) => {
      const charge = chargeOf({ tariff: of, timeZone: where }, given);
      const charging_periods = charge.charging_periods!.map((period) => {
        const at = Math.abs(turn) % period.dimensions.length;
        const turned = [...period.dimensions.slice(at), ...period.dimensions.slice(0, at)];
        return { ...period, dimensions: turned.reverse() };
      });
      const before = price(charge, { timeZone: where });
      const after = price({ ...charge, charging_periods }, { timeZone: where });
      expect(priceReport(after)).toEqual(priceReport(before));
    }),
    runs(500),
  );
});

test('more energy or more time never costs less without restrictions (1,000 charges)', () => {
  const more = fc.record({ kwh: fc.nat(1000), minutes: fc.nat(300), parks: fc.boolean() });
  fc.assert(
    fc.property(
      tariff({ restricted: false }),
      session,
      more,
      (of, given, { kwh, minutes, parks }) => {
        const charge = chargeOf({ tariff: of }, given);
        const extra: ChargingPeriod = {
          start_date_time: given.end.at,
          dimensions: [
            { type: 'ENERGY', volume: kwh / 100 },
            { type: parks ? 'PARKING_TIME' : 'TIME', volume: hours(minutes * 60_000) },
          ],
        };
        const longer: Charge = {
          ...charge,
          end_date_time: rfc3339(instant(given.end.at) + minutes * 60_000),
          charging_periods: [
            ...charge.charging_periods!.map(({ start_date_time, dimensions }) => ({
              start_date_time,
              dimensions,
            })),
            extra,
          ],
        };
        // A step of another dimension may no longer apply at the end: compare without steps.
        const policy = policyWith({ stepScope: 'none' });
        const less = price(charge, { policy }).unrounded;
        const most = price(longer, { policy }).unrounded;
        expect(most.excl.compare(less.excl)).toBeGreaterThanOrEqual(0);
      },
    ),
    runs(1_000),
  );
});

test('a price with VAT is never below the price without (1,000 charges)', () => {
  const bound = fc.option(
    fc.tuple(fc.nat(2000), fc.option(fc.nat(500))).map(([excl, tax]) => ({
      excl_vat: excl / 100,
      incl_vat: tax === null ? undefined : (excl + tax) / 100,
    })),
  );
  fc.assert(
    fc.property(tariff(), session, timeZone, bound, (of, given, where, min_price) => {
      const charge = chargeOf({ tariff: { ...of, min_price }, timeZone: where }, given);
      const { unrounded, total } = price(charge, { timeZone: where });
      if (!unrounded.incl || !total.incl) return;
      expect(unrounded.incl.compare(unrounded.excl)).toBeGreaterThanOrEqual(0);
      expect(total.incl.compare(total.excl)).toBeGreaterThanOrEqual(0);
      if (min_price)
        expect(total.excl.compare(decimal(min_price.excl_vat))).toBeGreaterThanOrEqual(0);
    }),
    runs(1_000),
  );
});

test('a session over midnight or a clock change is the sum of its parts (1,000 charges)', () => {
  const wish = { history: false, flat: false, levels: false, steps: [0, 1] };
  fc.assert(
    fc.property(tariff(wish), session, timeZone, (of, given, where) => {
      const charge = chargeOf({ tariff: of, timeZone: where }, given);
      const [fromMs, toMs] = [instant(given.start.at), instant(given.end.at)];
      const local = zone(where);
      const middleMs = Math.min(local.nextAtMinuteOfDay(fromMs, 0), local.nextTransitionMs(fromMs));
      if (middleMs >= toMs) return;
      const periods = charge.charging_periods!.flatMap((period, i, all) => {
        const next = all[i + 1];
        return cut(period, next ? instant(next.start_date_time) : toMs, middleMs);
      });
      const middle = rfc3339(middleMs);
      const isEarly = ({ start_date_time }: ChargingPeriod) => instant(start_date_time) < middleMs;
      const early = periods.filter(isEarly);
      const late = periods.filter((period) => !isEarly(period));
      const none = {
        timeZone: where,
        policy: { ...price(charge, { timeZone: where }).policy, stepScope: 'none' },
      } as const;
      const first = price({ ...charge, end_date_time: middle, charging_periods: early }, none);
      const second = price({ ...charge, start_date_time: middle, charging_periods: late }, none);
      const whole = price(charge, none).unrounded.excl;
      expect(first.unrounded.excl.add(second.unrounded.excl).toString()).toBe(whole.toString());
    }),
    runs(1_000),
  );
});

test('periods add up to the register and to the session’s time (1,000 charges)', () => {
  fc.assert(
    fc.property(tariff(), session, timeZone, (of, given, where) => {
      const charge = chargeOf({ tariff: of, timeZone: where }, given);
      const { course } = price(charge, { timeZone: where });
      let wh = decimal(0);
      let ms = 0;
      for (const { energyWh, startMs, endMs } of course.stretches) {
        if (energyWh) wh = wh.add(energyWh);
        expect(endMs).toBeGreaterThan(startMs);
        ms += endMs - startMs;
      }
      const tenths = given.minutes.reduce((total, minute) => total + minute.tenthWh, 0);
      expect(wh.shift(1).toString()).toBe(String(tenths));
      expect(ms).toBe(given.minutes.length * 60_000);
      expect(course.notes).toEqual([]);
    }),
    runs(1_000),
  );
});
