import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lint } from './lint.ts';
import { chargeOf, session, tariff } from '../test/lint-arbitrary.ts';
import { price } from './price.ts';
import type { CdrDimension, Charge, Tariff } from './shapes.ts';

const seed = Number(process.env['SEED']);
console.log(`gaps: SEED=${seed}`);

const GAPS = { ENERGY: 'prices energy ', TIME: 'prices charging', PARKING_TIME: 'prices parking' };

/** Every period at one power and one current: a moment rather than a span. */
function steady(charge: Charge): Charge {
  const charging_periods = charge.charging_periods!.map((period) => {
    const dimensions = period.dimensions.filter(({ type }) => !/CURRENT|POWER/.test(type));
    const level = (name: string): CdrDimension => ({
      type: name,
      volume: period.dimensions.find(({ type }) => type === `MAX_${name}`)?.volume ?? 5,
    });
    const reserved = dimensions.some(({ type }) => type === 'RESERVATION_TIME');
    return reserved
      ? period
      : { ...period, dimensions: [...dimensions, level('POWER'), level('CURRENT')] };
  });
  return { ...charge, charging_periods };
}

test('where no gap is found, every quantity of every session has a price (1,000 tariffs)', () => {
  let checked = 0;
  fc.assert(
    fc.property(tariff, fc.array(session, { minLength: 10, maxLength: 10 }), (of, sessions) => {
      const gaps = lint(of).filter(({ code }) => code === 'gap-without-price');
      for (const one of sessions) {
        const charge = chargeOf(of, one);
        if (!charge) continue;
        for (const entry of price(steady(charge), { timeZone: 'UTC' }).bill.entries) {
          const { dimension, component, phases } = entry;
          if (dimension === 'FLAT' || phases[0] !== 'session' || component) continue;
          const offered = of.elements.some(
            ({ price_components, restrictions }) =>
              restrictions?.reservation == null &&
              price_components.some(({ type }) => type === dimension),
          );
          if (!offered) continue;
          checked++;
          expect(gaps.map(({ message }) => message).join()).toContain(GAPS[dimension]);
        }
      }
    }),
    { numRuns: 1_000, seed },
  );
  expect(checked).toBeGreaterThan(500);
});

const energy = { type: 'ENERGY', price: 0.3, step_size: 1 } as const;
const time = { type: 'TIME', price: 3, step_size: 1 } as const;
const of = (...elements: Tariff['elements']): Tariff => ({ id: 'T', currency: 'CAD', elements });
const messages = (given: Tariff, code: string) =>
  lint(given)
    .filter((found) => found.code === code)
    .map(({ path, message }) => [path, message]);

test.each<[Tariff['elements'], string]>([
  [
    [
      { price_components: [energy], restrictions: { start_time: '08:00', end_time: '23:59' } },
      { price_components: [energy], restrictions: { end_time: '08:00' } },
    ],
    'No element prices energy every day 23:59–24:00: it is free then',
  ],
  [
    [
      {
        price_components: [time],
        restrictions: { day_of_week: ['MONDAY', 'TUESDAY'], end_time: '12:00' },
      },
      {
        price_components: [time],
        restrictions: { day_of_week: ['TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY'] },
      },
    ],
    'No element prices charging time on MONDAY 12:00–24:00; on SATURDAY, SUNDAY: it is free then',
  ],
  [
    [{ price_components: [energy], restrictions: { min_kwh: '10.5' } }],
    'No element prices energy at 0 kWh: it is free then',
  ],
  [
    [
      { price_components: [energy], restrictions: { max_power: 11 } },
      { price_components: [energy], restrictions: { min_power: 22 } },
      { price_components: [energy], restrictions: { max_duration: 1800 } },
    ],
    'No element prices energy 30 min after the start, at 11 kW: it is free then',
  ],
  [
    [{ price_components: [energy], restrictions: { end_date: '2026-07-02' } }],
    'No element prices energy on 2026-07-02 and other days: it is free then',
  ],
])('a gap is named by when it is (%#)', (elements, said) => {
  expect(messages(of(...elements), 'gap-without-price')).toEqual([
    ['/elements', expect.stringContaining(said)],
  ]);
});

test('what is priced at all times has no gap, and neither has what is never priced', () => {
  const night = { price_components: [time], restrictions: { start_time: '20:00' } };
  expect(messages(of({ price_components: [energy] }), 'gap-without-price')).toEqual([]);
  const filled = of(night, { price_components: [{ ...time, price: 0 }] });
  expect(messages(filled, 'gap-without-price')).toEqual([]);
});

test('windows that cross each other are named, one within the other is not', () => {
  const window = (start_time: string, end_time: string, price: number) => ({
    price_components: [{ ...energy, price }],
    restrictions: { start_time, end_time },
  });
  const evening = window('16:00', '21:00', 0.5);
  const crossing = of(evening, window('20:00', '06:00', 0.2), { price_components: [energy] });
  expect(messages(crossing, 'overlapping-windows')).toEqual([
    ['/elements/1/restrictions', expect.stringContaining('as on MONDAY at 20:00: there element 0')],
  ]);
  expect(messages(of(evening, window('00:00', '00:00', 0.2)), 'overlapping-windows')).toEqual([]);
  expect(messages(of(evening, window('21:00', '06:00', 0.2)), 'overlapping-windows')).toEqual([]);
  expect(messages(of(evening, window('20:00', '06:00', 0.5)), 'overlapping-windows')).toEqual([]);
});
