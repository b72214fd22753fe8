import { expect, test } from 'vitest';
import { type Cdr, exampleCdr } from '#ocpi';
import { chosenAnew } from './partner-quirks.ts';
import { isForChoice, type Quirk, quirkNames, quirks, sloppyCredit, suggested } from './quirks.ts';

test.each(quirkNames)('%s names its rule and how it is noticed, and something is done about it or can be chosen', (name) => {
  const { rule, seen, accepted, chosen }: Quirk = quirks[name];
  expect(rule).toMatch(/^[A-Z]{3}-\d\d$/);
  expect(seen).not.toBe('');
  expect(accepted ?? chosen).toMatch(/./);
});

test('what was chosen before keeps its time; the same choice again changes nothing', () => {
  const choice = { set: ['no-patch', 'no-link'], unset: ['small-pages'] };
  const once = chosenAnew({ 'no-patch': 'before', 'small-pages': 'before' }, choice, 'now');
  expect(once).toEqual({ 'no-patch': 'before', 'no-link': 'now' });
  expect(chosenAnew(once, choice, 'later')).toEqual(once);
});

test('suggested is what was seen, can be chosen, and is not', () => {
  expect(suggested(['no-total-count', 'no-link', 'no-patch'], { 'no-patch': 'now' })).toEqual(['no-link']);
  expect(quirkNames.filter(isForChoice)).toHaveLength(9);
});

const credit: Cdr = {
  ...exampleCdr, id: 'C-1-C', credit: true, credit_reference_id: 'C-1', total_cost: { excl_vat: -exampleCdr.total_cost.excl_vat },
};

test.each<[string, Cdr, string | undefined]>([
  ['a bill', exampleCdr, undefined],
  ['a credit as OCPI has it', credit, undefined],
  ['a credit with a positive total', { ...credit, total_cost: exampleCdr.total_cost }, 'C-1-C is a credit with a positive total'],
  ['a credit that negates its energy', { ...credit, total_energy: -1 }, 'C-1-C negates more than its total_cost'],
  ['a credit with the id of its original', { ...credit, id: 'c-1' }, 'c-1 has the id of what it credits'],
  ['a negative bill', { ...exampleCdr, id: 'C-2', total_cost: { excl_vat: -1 } }, 'C-2 has a negative total and no credit: true'],
  ['a negative bill of a car that fed back', { ...exampleCdr, total_cost: { excl_vat: -1 }, total_energy: -1 }, undefined],
])('CDR-04: %s', (_what, cdr, sloppy) => {
  expect(sloppyCredit(cdr)).toBe(sloppy);
});
