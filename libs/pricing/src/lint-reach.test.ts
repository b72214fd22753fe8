import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from './compile.ts';
import { chargeOf, session, tariff } from '../test/lint-arbitrary.ts';
import { reachOf } from './lint-reach.ts';
import { price } from './price.ts';
import type { Charge, Tariff } from './shapes.ts';

const seed = Number(process.env['SEED']);
console.log(`reachability: SEED=${seed}`);

const used = (charge: Charge, options: Parameters<typeof price>[1]) =>
  price(charge, options).bill.entries.flatMap(({ component: of }) =>
    of ? [`${of.element}.${of.index}`] : [],
  );

test('what is called unreachable is used by no session (1,500 tariffs × 25 sessions)', () => {
  let [unreachable, uses] = [0, 0];
  fc.assert(
    fc.property(
      tariff,
      fc.array(session, { minLength: 25, maxLength: 25 }),
      fc.constantFrom('UTC', 'America/Vancouver', 'Asia/Kathmandu'),
      (of, sessions, timeZone) => {
        const never = reachOf(compile(of))
          .filter((reach) => reach.never)
          .map(({ component: { element: e, index } }) => `${e}.${index}`);
        unreachable += never.length;
        for (const one of sessions) {
          const charge = chargeOf(of, one);
          if (!charge) continue;
          for (const reservation of ['used', 'expired'] as const) {
            const found = used(charge, { timeZone, reservation });
            uses += found.length;
            expect(found.filter((name) => never.includes(name))).toEqual([]);
          }
        }
      },
    ),
    { numRuns: 1_500, seed },
  );
  expect(unreachable).toBeGreaterThan(500);
  expect(uses).toBeGreaterThan(10_000);
});

test('what is called reachable is used by its witness (3,000 tariffs)', () => {
  let [reachable, unknown, waiting] = [0, 0, 0];
  fc.assert(
    fc.property(tariff, (of) => {
      for (const { component: one, witness, never, onlyWithoutCurrent } of reachOf(compile(of))) {
        if (never) {
          expect(witness).toBeUndefined();
          continue;
        }
        reachable++;
        if (onlyWithoutCurrent) unknown++;
        if (one.dimension === 'FLAT' && witness!.charge.charging_periods!.length > 1) waiting++;
        const { charge, reservation } = witness!;
        const found = used(charge, { timeZone: 'UTC', ...(reservation && { reservation }) });
        expect(found).toContain(`${one.element}.${one.index}`);
      }
    }),
    { numRuns: 3_000, seed },
  );
  expect(reachable).toBeGreaterThan(3_000);
  expect(unknown).toBeGreaterThan(10);
  expect(waiting).toBeGreaterThan(10);
});

const of = (...elements: Tariff['elements']): Tariff => ({ id: 'T', currency: 'CAD', elements });
const energy = { type: 'ENERGY', price: 1, step_size: 1 } as const;
const flat = { type: 'FLAT', price: 1, step_size: 1 } as const;
const neverOf = (given: Tariff) =>
  reachOf(compile(given)).map(({ never, onlyWithoutCurrent }) =>
    never ? [never.why, ...('by' in never ? [never.by] : [])] : onlyWithoutCurrent ? 'unknown' : '',
  );

test('windows that together fill the week leave nothing to the default', () => {
  const workdays = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY'];
  const filled = of(
    { price_components: [energy], restrictions: { end_time: '12:00', day_of_week: workdays } },
    { price_components: [energy], restrictions: { start_time: '12:00', day_of_week: workdays } },
    { price_components: [energy], restrictions: { day_of_week: ['SATURDAY', 'SUNDAY'] } },
    { price_components: [energy] },
  );
  expect(neverOf(filled)).toEqual(['', '', '', ['shadowed', [0, 1, 2]]]);
  const open = of(...filled.elements.toSpliced(1, 1));
  expect(neverOf(open)).toEqual(['', '', '']);
});

test('energies, durations and powers that meet leave nothing between them', () => {
  const parts = [
    { max_kwh: 10, max_power: 22 },
    { min_kwh: '10.0' },
    { max_kwh: 10, min_power: 22 },
    {},
    { min_kwh: 20, max_kwh: 20 },
  ];
  const given = of(...parts.map((restrictions) => ({ price_components: [energy], restrictions })));
  // Between 22 kW at most and 22 kW at least lies a period that has both.
  expect(neverOf(given)).toEqual(['', '', '', '', ['contradiction']]);
  const late = of(
    { price_components: [energy], restrictions: { max_duration: 600 } },
    { price_components: [energy], restrictions: { min_duration: 600 } },
    { price_components: [energy], restrictions: { start_date: '2026-01-01' } },
  );
  expect(neverOf(late)).toEqual(['', '', ['shadowed', [0, 1]]]);
});

test('an element of reservations that asks for energy, power or current never applies', () => {
  const parts = [{ min_kwh: 1 }, { min_power: 4 }, { min_current: 6 }, { min_kwh: 0, max_power: 4 }];
  const given = of(...parts.map((one) => ({ price_components: [flat], restrictions: { ...one, reservation: 'RESERVATION' as const } })));
  expect(neverOf(given)).toEqual([['nothing-flows'], ['nothing-flows'], ['nothing-flows'], '']);
});

test('a current that contradicts itself only fits a period that does not tell it', () => {
  const restrictions = { min_current: 32, max_current: 16 };
  expect(neverOf(of({ price_components: [energy], restrictions }))).toEqual(['unknown']);
});

test('a fee that waits is never due where another one was due at the start', () => {
  const overstay = { price_components: [flat], restrictions: { min_duration: 14_400 } };
  expect(neverOf(of(overstay, { price_components: [flat] }))).toEqual([['fee-taken', [1]], '']);
  expect(neverOf(of(overstay))).toEqual(['']);
  // At night, two hours after a start at which no fee was due: before eight in the evening.
  const night = { start_time: '20:00', end_time: '08:00' };
  const later = { start_time: '22:00', end_time: '23:00', min_duration: 7_200 };
  const early = { ...later, max_duration: 7_260 };
  const atNight = { price_components: [flat], restrictions: night };
  const given = (restrictions: object) => of({ price_components: [flat], restrictions }, atNight);
  expect(neverOf(given(later))).toEqual(['', '']);
  expect(neverOf(given({ ...early, start_time: '22:01' }))).toEqual([['fee-taken', [1]], '']);
});
