import { expect, test } from 'vitest';
import { Cdr, type Cdr as OcpiCdr, namedFields } from '#ocpi';
import { exampleCdr } from './examples.ts';

const parsed = (value: object) => structuredClone(value) as OcpiCdr;

test('fields of a sender\'s own are left out, wherever they stand', () => {
  const more = parsed({
    ...exampleCdr,
    x: 1,
    cdr_location: { ...exampleCdr.cdr_location, driver: 'Avery', coordinates: { ...exampleCdr.cdr_location.coordinates, of: 'Avery' } },
    charging_periods: exampleCdr.charging_periods.map((period) => ({
      ...period, x: {}, dimensions: period.dimensions.map((one) => ({ ...one, x: [] })),
    })),
    total_cost: { ...exampleCdr.total_cost, x: null },
  });
  expect(namedFields(Cdr, more)).toEqual(exampleCdr);
});

test('what has none is not copied, and null and absent stay what they are', () => {
  const as = parsed({ ...exampleCdr, remark: null });
  expect(namedFields(Cdr, as)).toBe(as);
});
