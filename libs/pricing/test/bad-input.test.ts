import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UnknownTimeZone } from '#time';
import { explain } from '../src/explain.ts';
import { explanationText } from '../src/explain-text.ts';
import { price } from '../src/price.ts';
import { type Charge, InvalidCharge, InvalidTariff } from '../src/shapes.ts';
import { runs } from './arbitrary.ts';
import { naiveCharge, writeCdr, writing } from './naive-charges.ts';
import { naivePrice } from './naive.ts';

const NAMED = [InvalidCharge, InvalidTariff, UnknownTimeZone];

const junk = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, '', 'x', [], {}, [null], -1, 1e300, 1e-300, true),
  fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, '1e400', '9'.repeat(500), 0.1),
  fc.jsonValue(),
);

/** Puts a value in the place of one of the leaves or branches of a tree. */
function spoilt(tree: unknown, path: readonly number[], value: unknown): unknown {
  if (typeof tree !== 'object' || tree === null || path.length === 0) return value;
  const keys = Object.keys(tree);
  if (keys.length === 0) return value;
  const key = keys[path[0]! % keys.length]!;
  const copy = (Array.isArray(tree) ? [...tree] : { ...tree }) as Record<string, unknown>;
  copy[key] = spoilt(copy[key], path.slice(1), value);
  return copy;
}

test('whatever is wrong in a charge is refused by its place, or priced and explained', () => {
  const places = fc.array(fc.nat(20), { minLength: 1, maxLength: 7 });
  const spoils = fc.array(fc.tuple(places, junk), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(naiveCharge, writing, spoils, (given, as, changes) => {
      const whole = writeCdr(given, naivePrice(given).inForce, as) as unknown;
      const charge = changes.reduce((tree, [path, value]) => spoilt(tree, path, value), whole);
      try {
        const priced = price(charge as Charge, { timeZone: given.timeZone });
        expect(explanationText(explain(priced))).toContain('To pay: ');
      } catch (error) {
        if (!NAMED.some((kind) => error instanceof kind)) throw error;
      }
    }),
    runs(1_000),
  );
}, 600_000);

test('a tariff whose validity is no date-time is named by its place', () => {
  const elements = [{ price_components: [{ type: 'ENERGY' as const, price: 1, step_size: 1 }] }];
  const tariff = { id: 'T', currency: 'CAD', elements };
  const charge = (tariff_id?: string): Charge => ({
    tariffs: [{ ...tariff, end_date_time: '2020-01-01T00:00:00Z' }, { ...tariff, start_date_time: 'soon' }],
    charging_periods: [{ start_date_time: '2026-01-01T00:00:00Z', ...(tariff_id && { tariff_id }), dimensions: [] }],
  });
  for (const id of [undefined, 't']) {
    expect(() => price(charge(id))).toThrow(new InvalidTariff('tariffs[1].start_date_time', 'a date-time in UTC expected'));
  }
});

test('a bound without its excl_vat, which OCPI requires, is named by the side that is missing', () => {
  const elements = [{ price_components: [{ type: 'ENERGY' as const, price: 1, step_size: 1 }] }];
  const charging_periods = [{ start_date_time: '2026-01-01T00:00:00Z', dimensions: [] }];
  const max_price = { incl_vat: 5 } as never;
  expect(() => price({ tariffs: [{ id: 'T', currency: 'CAD', elements, max_price }], charging_periods }))
    .toThrow(new InvalidTariff('tariffs[0].max_price.excl_vat', 'a decimal number expected'));
});
