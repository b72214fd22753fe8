import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decimal, decimal } from '#money';
import { instant, rfc3339 } from '#time';
import { type MeterEvent, splitAtPriceChanges } from './meter.ts';
import { chargeOf, energy, flat, start_date_time, tariffOf, time } from '../test/one-hour.ts';
import { price } from './price.ts';
import { reservationStarts } from './reserved.ts';
import { type ChargingPeriod, InvalidCharge, type Tariff, type TariffElement } from './shapes.ts';
import { quote } from './quote.ts';
import { spanningPeriods, splitPeriods } from './spanning.ts';
import { hours } from './totals.ts';

// CDR-07: which periods should have been split, and which nobody can blame.

const timeZone = 'America/Vancouver';
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });
const wall = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '15', '30'))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
const restrictions = fc.record({
  start_time: maybe(wall), end_time: maybe(wall),
  min_kwh: maybe(fc.integer({ min: 0, max: 20 })), max_kwh: maybe(fc.integer({ min: 1, max: 20 })),
  min_duration: maybe(fc.integer({ min: 0, max: 20 }).map((n) => n * 300)),
  max_duration: maybe(fc.integer({ min: 1, max: 40 }).map((n) => n * 300)),
  min_power: maybe(fc.integer({ min: 0, max: 10 })), max_power: maybe(fc.integer({ min: 1, max: 12 })),
  day_of_week: maybe(fc.constantFrom(['MONDAY'], ['SATURDAY', 'SUNDAY'])),
});
const elements = fc.array(fc.record({
  price_components: fc.array(fc.record({
    type: fc.constantFrom('ENERGY', 'TIME', 'PARKING_TIME', 'FLAT'),
    price: fc.constantFrom(0, 0.2, 0.5, 1), step_size: fc.constant(1),
  }), { minLength: 1, maxLength: 3 }),
  restrictions,
}), { minLength: 1, maxLength: 5 }) as fc.Arbitrary<TariffElement[]>;
const steps = fc.array(fc.record({
  afterS: fc.integer({ min: 1, max: 3_600 }), wh: fc.constantFrom(0, 5, 700, 4_358, 5_000),
  powerW: fc.integer({ min: 0, max: 12_000 }),
  state: fc.option(fc.constantFrom('charging', 'parking', 'paused'), { nil: undefined, freq: 3 }),
}), { minLength: 1, maxLength: 12 });
const started = fc.integer({ min: 0, max: 3 * 86_400 }).map((s) => instant('2022-03-12T00:00:00Z') + s * 1_000);

function metered(tariff: Tariff, startMs: number, course: (typeof steps extends fc.Arbitrary<infer Steps> ? Steps : never)) {
  let [atMs, wh] = [startMs, 1_000];
  const events = course.map(({ afterS, wh: more, powerW, state }): MeterEvent => {
    atMs += afterS * 1_000;
    if (state) return { at: rfc3339(atMs), state } as MeterEvent;
    wh += more;
    return { at: rfc3339(atMs), energyWh: String(wh), powerW: String(powerW) };
  });
  const end = { at: rfc3339(atMs + 60_000), energyWh: String(wh) };
  const from = { at: rfc3339(startMs), energyWh: '1000', state: 'charging' } as const;
  const periods = splitAtPriceChanges({ tariff, timeZone }, from, events, end);
  return { periods, end: end.at };
}
const notesOf = (tariff: Tariff, startMs: number, periods: readonly ChargingPeriod[], end: string) => spanningPeriods(price(
  { start_date_time: rfc3339(startMs), currency: 'CAD', tariffs: [tariff], charging_periods: [...periods] }, { timeZone, end }));

test('of 5,000 charges by tariffs of every kind that a meter split where their price changed, no period is said to span a change', () => {
  fc.assert(fc.property(elements, started, steps, (all, startMs, course) => {
    const tariff: Tariff = { ...tariffOf(), elements: all };
    const { periods, end } = metered(tariff, startMs, course);
    expect(notesOf(tariff, startMs, periods, end)).toEqual([]);
  }), { numRuns: 5_000 });
});

test.each<[string, TariffElement[], boolean]>([
  ['a price by energy', [{ price_components: [energy], restrictions: { max_kwh: 5 } }, { price_components: [{ ...energy, price: 9 }] }], true],
  ['a price by duration', [{ price_components: [time], restrictions: { max_duration: 1800 } }, { price_components: [{ ...time, price: 9 }] }], true],
  ['the same price on both sides', [{ price_components: [energy], restrictions: { max_kwh: 5 } }, { price_components: [energy] }], false],
  ['the same price without VAT', [{ price_components: [{ ...energy, vat: 5 }], restrictions: { max_kwh: 5 } }, { price_components: [energy] }], true],
  ['a price of nothing and none', [{ price_components: [{ ...energy, price: 0 }], restrictions: { max_kwh: 5 } }], false],
  ['one that holds only late and with little energy', [
    { price_components: [{ ...energy, price: 9 }], restrictions: { max_kwh: 5, min_duration: 1800 } }, { price_components: [energy] },
  ], false],
  ['one that holds late, and until there was just this much energy', [
    { price_components: [{ ...energy, price: 9 }], restrictions: { max_kwh: 10, min_duration: 1800 } }, { price_components: [energy] },
  ], false],
  ['one that holds late or with much energy', [
    { price_components: [{ ...energy, price: 9 }], restrictions: { min_kwh: 5 } },
    { price_components: [{ ...energy, price: 9 }], restrictions: { min_duration: 1800 } }, { price_components: [energy] },
  ], true],
])('a whole charge of 10 kWh in an hour by %s is noted only where no course of the energy avoids the change', (_, all, isNoted) => {
  const period = { start_date_time, dimensions: [{ type: 'ENERGY' as const, volume: 10 }, { type: 'TIME' as const, volume: 1 }] };
  const notes = spanningPeriods(price(chargeOf({ ...tariffOf(), elements: all }, period)));
  expect(notes.map(({ code }) => code)).toEqual(isNoted ? ['period-spans-price-change'] : []);
});

test('a charge of one period, split where its price changes, costs what its quote says (500 charges)', () => {
  const withoutPower = elements.map((all) => all.map(({ restrictions: r, ...element }) => (
    { ...element, restrictions: { ...r, min_power: undefined, max_power: undefined } })));
  fc.assert(fc.property(withoutPower, started, fc.nat(300_000), fc.integer({ min: 1, max: 1_500 }), (all, startMs, tenthsWh, minutes) => {
    const tariff = { ...tariffOf(), elements: all };
    const stayMs = minutes * 60_000;
    const start = rfc3339(startMs);
    const kwh = tenthsWh / 1e4;
    const { end, priced } = quote(tariff, { start, energyKwh: kwh, stayMs, timeZone });
    const whole = {
      start_date_time: start, end_date_time: end, currency: tariff.currency, tariffs: [tariff],
      charging_periods: [{ start_date_time: start, dimensions: [{ type: 'ENERGY', volume: kwh }, { type: 'TIME', volume: hours(stayMs) }] }],
    };
    const split = price({ ...whole, charging_periods: splitPeriods(whole, { timeZone }) }, { timeZone });
    expect(String(split.unrounded.excl)).toBe(String(priced.unrounded.excl));
    expect(spanningPeriods(split)).toEqual([]);
  }), { numRuns: 500 });
});

const nightly = [{ price_components: [energy], restrictions: { start_time: '22:00', end_time: '06:00' } }, { price_components: [{ ...energy, price: 9 }] }];

test('a charge that is told to last for centuries is not split at each of its nights, but refused by its place', () => {
  const centuries = { ...chargeOf({ ...tariffOf(), elements: nightly }), end_date_time: '2300-01-01T00:00:00Z' };
  expect(() => splitPeriods(centuries, { timeZone })).toThrow(new InvalidCharge('charging_periods', 'a price that changes 5000 times at most expected'));
});

test('whether a price of a thousand bounds changes within a charge of years is looked at in time', () => {
  const bounds = Array.from({ length: 1_500 }, (_, n) => ({ price_components: [energy], restrictions: { min_kwh: 1_500 - n } }));
  const all = [...bounds, { price_components: [energy], restrictions: { start_time: '08:00' } }, { price_components: [energy] }];
  const period = { start_date_time, dimensions: [{ type: 'ENERGY' as const, volume: 2_000 }, { type: 'TIME' as const, volume: 1 }] };
  const years = { ...chargeOf({ ...tariffOf(), elements: all }, period), end_date_time: '2026-01-01T00:00:00Z' };
  expect(spanningPeriods(price(years, { timeZone }))).toEqual([]);
}, 20_000);

test('what is split adds up: the energy of a period that tells it twice, and times by their volumes alone', () => {
  const thrice = [{ price_components: [time], restrictions: { max_duration: 1_200 } }, { price_components: [{ ...time, price: 3 }], restrictions: { max_duration: 2_400 } }, { price_components: [time] }];
  const half = { type: 'ENERGY' as const, volume: 5 };
  const period = { start_date_time, dimensions: [half, { type: 'TIME' as const, volume: 1 }, half] };
  const parts = splitPeriods(chargeOf({ ...tariffOf(), elements: thrice }, period)).flatMap(({ dimensions }) => dimensions);
  const total = (of: string) => parts.filter(({ type }) => type === of).reduce((all, { volume }) => all.add(decimal(volume)), Decimal.zero);
  expect(String(total('ENERGY'))).toBe('10');
  expect(String(total('TIME').roundTo(7, 'half-away-from-zero'))).toBe('1');
});

test('the parts of a charge of which no power is told have that of the whole, be it just at a bound', () => {
  const at7kW = { price_components: [energy], restrictions: { min_power: 7, max_duration: 1_200 } };
  const all = [at7kW, { price_components: [{ ...energy, price: 0.5 }], restrictions: { min_power: 7 } }, { price_components: [{ ...energy, price: 9 }] }];
  const period = { start_date_time, dimensions: [{ type: 'ENERGY' as const, volume: 7 }, { type: 'TIME' as const, volume: 1 }] };
  const charge = chargeOf({ ...tariffOf(), elements: all }, period);
  const split = price({ ...charge, charging_periods: splitPeriods(charge) });
  expect(String(split.unrounded.excl)).toBe('2.916675');
});

test('a period that runs on beyond the end that is told is looked at as the others are', () => {
  const all = [{ price_components: [energy], restrictions: { max_duration: 1_200 } }, { price_components: [{ ...energy, price: 9 }] }];
  const dimensions = [{ type: 'ENERGY' as const, volume: 7 }];
  const charge = chargeOf({ ...tariffOf(), elements: all }, { start_date_time, dimensions }, { start_date_time: '2024-01-10T13:00:00Z', dimensions });
  expect(spanningPeriods(price({ ...charge, end_date_time: '2024-01-10T12:10:00Z' })).map(({ period }) => period)).toEqual([0]);
});

test('a reservation is split where its price changes, as it is when it is metered (500 reservations)', () => {
  const reserved = fc.array(fc.record({
    price_components: fc.constantFrom([time], [{ ...time, price: 3 }], [flat], [flat, time]),
    restrictions: fc.record({
      reservation: fc.constantFrom('RESERVATION', 'RESERVATION_EXPIRES'),
      start_time: maybe(wall), end_time: maybe(wall),
      min_duration: maybe(fc.integer({ min: 0, max: 20 }).map((n) => n * 300)),
      max_duration: maybe(fc.integer({ min: 1, max: 40 }).map((n) => n * 300)),
      day_of_week: maybe(fc.constantFrom(['MONDAY'], ['SATURDAY', 'SUNDAY'])),
    }),
  }), { minLength: 1, maxLength: 5 }) as fc.Arbitrary<TariffElement[]>;
  fc.assert(fc.property(elements, reserved, started, fc.integer({ min: 1, max: 1_500 }), (all, some, startMs, minutes) => {
    const tariff = { ...tariffOf(), elements: [...some, ...all] };
    const [start, endMs] = [rfc3339(startMs), startMs + minutes * 60_000];
    const charge = {
      start_date_time: start, end_date_time: rfc3339(endMs + 3_600_000), currency: tariff.currency, tariffs: [tariff],
      charging_periods: [
        { start_date_time: start, dimensions: [{ type: 'RESERVATION_TIME', volume: hours(endMs - startMs) }] },
        { start_date_time: rfc3339(endMs), dimensions: [{ type: 'TIME', volume: 1 }] },
      ],
    };
    const split = splitPeriods(charge, { timeZone });
    for (const outcome of ['used', 'expired'] as const)
      expect(spanningPeriods(price({ ...charge, charging_periods: split }, { timeZone, reservation: outcome })).filter(({ period }) => period! < split.length - 1)).toEqual([]);
    const starts = split.map(({ start_date_time: at }) => instant(at)).filter((atMs) => atMs < endMs);
    expect(starts).toEqual(reservationStarts({ tariff, timeZone }, startMs, endMs));
  }), { numRuns: 500 });
});

test.each<[string, TariffElement['restrictions'], number, number, 'used' | 'expired', boolean]>([
  ['at another price', {}, 1, 9, 'used', true],
  ['at the same price', {}, 1, 2, 'used', false],
  ['at another price, after it was over', {}, 0.5, 9, 'used', false],
  ['at another price of one that expires', { reservation: 'RESERVATION_EXPIRES' }, 1, 9, 'used', false],
  ['at another price of one that expires', { reservation: 'RESERVATION_EXPIRES' }, 1, 9, 'expired', true],
])('a reservation in whose midst another element begins %s (%j, %s h at %s, %s) is noted: %s', (_, more, volume, price2, reservation, isNoted) => {
  const reserved = { reservation: 'RESERVATION' as const };
  const all = [
    { price_components: [{ ...time, price: price2 }], restrictions: { ...reserved, ...more, min_duration: 1_800 } },
    { price_components: [time], restrictions: reserved }, { price_components: [energy] },
  ];
  const charge = chargeOf({ ...tariffOf(), elements: all },
    { start_date_time, dimensions: [{ type: 'RESERVATION_TIME', volume }] },
    { start_date_time: '2024-01-10T13:00:00Z', dimensions: [{ type: 'ENERGY', volume: 10 }] });
  const notes = spanningPeriods(price({ ...charge, end_date_time: '2024-01-10T14:00:00Z' }, { reservation }));
  expect(notes).toEqual(isNoted ? [{ code: 'period-spans-price-change', period: 0 }] : []);
});

test('a fee that begins in the midst of a reservation is noted, where no other one was due before', () => {
  const reserved = { reservation: 'RESERVATION' as const };
  const late = { price_components: [flat], restrictions: { ...reserved, min_duration: 1_800 } };
  const notesBy = (...all: TariffElement[]) => spanningPeriods(price(
    chargeOf({ ...tariffOf(), elements: all }, { start_date_time, dimensions: [{ type: 'RESERVATION_TIME', volume: 1 }] }))).map(({ period }) => period);
  expect(notesBy(late, { price_components: [time], restrictions: reserved })).toEqual([0]);
  expect(notesBy(late, { price_components: [flat, time], restrictions: reserved })).toEqual([]);
});

test('energy that flowed before a period counts where it is split by energy', () => {
  const tiers = [{ price_components: [energy], restrictions: { max_kwh: 8 } }, { price_components: [{ ...energy, price: 9 }] }];
  const dimensions = [{ type: 'ENERGY' as const, volume: 5 }];
  const charge = chargeOf({ ...tariffOf(), elements: tiers }, { start_date_time, dimensions }, { start_date_time: '2024-01-10T12:30:00Z', dimensions });
  const parts = splitPeriods({ ...charge, end_date_time: '2024-01-10T13:00:00Z' });
  expect(parts.map((part) => [part.start_date_time, String(part.dimensions[0]!.volume)])).toEqual([
    ['2024-01-10T12:00:00Z', '5'], ['2024-01-10T12:30:00Z', '3'], ['2024-01-10T12:48:00Z', '2'],
  ]);
});
