import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidCharge, type Tariff } from './shapes.ts';
import { alternatives, cheapest, quote, type QuoteRequest } from './quote.ts';

const energy = { type: 'ENERGY', price: 0.24, vat: 5, step_size: 1 } as const;
const time = { type: 'TIME', price: 1.5, vat: 5, step_size: 1 } as const;
const parking = { type: 'PARKING_TIME', price: 6, vat: 5, step_size: 1 } as const;
const tariff = (...elements: Tariff['elements']): Tariff => ({
  id: 'T',
  currency: 'CAD',
  elements,
});
const both = tariff({ price_components: [energy, time, parking] });
const request: QuoteRequest = {
  start: '2022-02-01T17:00:20Z',
  energyKwh: 13,
  stayMs: 2 * 3_600_000,
  timeZone: 'America/Vancouver',
};
const total = (of: Tariff, asked: Partial<QuoteRequest> = {}) => {
  const { excl, incl } = quote(of, { ...request, ...asked }).priced.total;
  return [excl.toString(), incl?.toString()];
};

test('13 kWh in two hours by energy and by time', () => {
  expect(total(both)).toEqual(['6.12', '6.43']); // 3.12 + 3.00, and 5 %
});

test('a car that has its energy is parked for the rest of its stay', () => {
  // 13 kWh at 6.5 kW in two hours; then an hour of parking.
  const quoted = quote(both, { ...request, powerKw: '6.5', stayMs: 3 * 3_600_000 });
  expect(quoted).toMatchObject({ chargingMs: 7_200_000, parkingMs: 3_600_000, energyKwh: '13' });
  expect(quoted.priced.total.excl.toString()).toBe('12.12');
});

test('a stay that is too short for the power gives less energy', () => {
  const quoted = quote(both, { ...request, powerKw: 3.3 });
  expect(quoted).toMatchObject({ energyKwh: '6.6', parkingMs: 0 });
});

test('two of energy, stay and power are enough', () => {
  const { stayMs: _stay, ...withoutStay } = request;
  expect(quote(both, { ...withoutStay, powerKw: 6.5 }).end).toBe('2022-02-01T19:00:20Z');
  const { energyKwh: _energy, ...withoutEnergy } = request;
  expect(quote(both, { ...withoutEnergy, powerKw: 6.5 }).energyKwh).toBe('13');
});

test("a price that changes at ten o'clock in Vancouver counts from then on", () => {
  const morning = { price_components: [time], restrictions: { end_time: '10:00' } };
  const later = { price_components: [{ ...time, price: 3 }] };
  // From 09:00:20 to 11:00:20: 59 min 40 s at 1.50 and 60 min 20 s at 3.00 an hour.
  expect(total(tariff(morning, later))).toEqual(['4.51', '4.73']);
});

test('energy above a bound costs what the bound says, to the tenth of a Wh', () => {
  const first = { price_components: [energy], restrictions: { max_kwh: 5 } };
  const rest = { price_components: [{ ...energy, price: 0.5 }] };
  expect(total(tariff(first, rest))).toEqual(['5.2', '5.46']); // 5 × 0.24 + 8 × 0.50
});

test('the same charge begun at another time of the day, and the cheapest of them', () => {
  const cheap = { ...energy, price: 0.1 };
  const night = { price_components: [cheap], restrictions: { end_time: '06:00' } };
  const day = { price_components: [energy] };
  const given = alternatives(tariff(night, day), { ...request, start: '2022-02-01T20:00:00Z' });
  expect(given).toHaveLength(48);
  expect(given[0]).toMatchObject({ start: '2022-02-01T20:00:00Z' });
  expect(given[0]!.total.excl.toString()).toBe('3.12');
  const best = cheapest(given)!;
  expect(best.start).toBe('2022-02-02T08:00:00Z'); // midnight in Vancouver
  expect(best.total.excl.toString()).toBe('1.3');
  expect(given.at(-1)!.start).toBe('2022-02-02T19:30:00Z');
});

test('a start at which the tariff is not in force is said so, and is never the cheapest', () => {
  const ending = { ...both, end_date_time: '2022-02-01T18:00:00Z' };
  const given = alternatives(ending, request);
  expect(given.map(({ inForce }) => inForce).slice(0, 4)).toEqual([true, true, false, false]);
  expect(cheapest(given)!.inForce).toBe(true);
});

test.each<[Partial<QuoteRequest>, string]>([
  [{ energyKwh: 'x' }, 'energy'],
  [{ energyKwh: -1 }, 'energy'],
  [{ stayMs: 0 }, 'stay'],
  [{ stayMs: 32 * 86_400_000 }, 'stay'],
  [{ powerKw: 0 }, 'power'],
])('what cannot be quoted is refused by name (%#)', (asked, path) => {
  expect(() => quote(both, { ...request, ...asked })).toThrow(InvalidCharge);
  expect(() => quote(both, { ...request, ...asked })).toThrow(path);
});

test('more energy or a longer stay never costs less where no price is negative (300 quotes)', () => {
  fc.assert(
    fc.property(fc.nat(800), fc.nat(800), fc.integer({ min: 1, max: 900 }), (a, b, minutes) => {
      const at = (tenths: number, stay: number) =>
        quote(both, { ...request, energyKwh: tenths / 10, stayMs: stay * 60_000 }).priced.subtotal
          .excl;
      const [less, more] = [Math.min(a, b), Math.max(a, b)];
      expect(at(more, minutes).compare(at(less, minutes))).toBeGreaterThanOrEqual(0);
      expect(at(less, minutes + 7).compare(at(less, minutes))).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 300, seed: 20_220_201 },
  );
});
