import { expect, test } from 'vitest';
import { type Cdr, creditCdr } from '#ocpi';
import { cdr } from '../test/charge.ts';
import { asMeant, isNegativeBill, knownId, namedOriginal, negatesMore } from './meant.ts';

const exact = creditCdr(cdr, '2022-02-01T18:22:00Z');
const meant = { id: exact.id, creditReferenceId: cdr.id };

const negated: Cdr = {
  ...exact,
  total_energy: -6,
  total_time: -1.3333,
  total_parking_time: -0.3333,
  total_fixed_cost: { excl_vat: -0, incl_vat: -0 },
  total_energy_cost: { excl_vat: -1.44, incl_vat: -1.512 },
  total_time_cost: { excl_vat: -1.5, incl_vat: -1.575 },
  charging_periods: cdr.charging_periods.map((period) => ({
    ...period,
    dimensions: period.dimensions.map((one) => ({ ...one, volume: -one.volume })),
  })),
};
const { credit: _, ...unflagged } = exact;
const { credit_reference_id: __, ...unreferenced } = unflagged;

test.each<[string, Cdr]>([
  ['whose total is positive', { ...exact, total_cost: cdr.total_cost }],
  ['that negates everything', negated],
  ['without its flag', unflagged as Cdr],
  ['without its flag and reference', unreferenced as Cdr],
  ['that has the id of its original', { ...exact, id: cdr.id }],
  [
    'whose VAT alone is not negated',
    { ...exact, total_cost: { excl_vat: -2.94, incl_vat: 3.09 } },
  ],
])('a Credit CDR %s is the one that was meant', (_name, sloppy) => {
  expect(asMeant(sloppy, meant)).toEqual(exact);
});

test('only what is negated beside the total is remarkable', () => {
  expect([negatesMore(exact), negatesMore(negated)]).toEqual([false, true]);
  const fedBack: Cdr = {
    ...exact,
    total_energy: -3,
    charging_periods: [{ ...exact.charging_periods[0]!, dimensions: [{ type: 'ENERGY', volume: -3 }] }],
  };
  expect([negatesMore(fedBack), asMeant(fedBack, meant).total_energy]).toEqual([false, -3]);
  const energyAlone = { ...exact, total_energy: -6 };
  expect([negatesMore(energyAlone), asMeant(energyAlone, meant).total_energy]).toEqual([true, 6]);
});

test('a credit that uses the id of its original again is known by the one that we would give it', () => {
  expect(knownId({ ...exact, id: cdr.id })).toBe(`${cdr.id}-C`);
  expect(knownId({ ...exact, id: cdr.id.toLowerCase() })).toBe(`${cdr.id.toLowerCase()}-C`);
  expect(knownId(exact)).toBe(exact.id);
  expect(knownId({ ...cdr, credit_reference_id: cdr.id })).toBe(cdr.id);
});

test.each([
  ['X-1-C', undefined, 'X-1'],
  ['X-1_CREDIT', undefined, 'X-1'],
  ['X-1.cr', undefined, 'X-1'],
  ['X-1', 'Y-1', 'Y-1'],
  ['ABC', undefined, undefined],
])('the credit %s that names %s is of %s', (id, reference, original) => {
  const named = reference === undefined ? {} : { credit_reference_id: reference };
  expect(namedOriginal({ id, total_cost: cdr.total_cost, ...named })).toBe(original);
});

test('a bill that pays back is one without the flag', () => {
  expect([exact, unflagged as Cdr, cdr].map(isNegativeBill)).toEqual([false, true, false]);
});
