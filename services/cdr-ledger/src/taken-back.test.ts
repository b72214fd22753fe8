import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Decimal, decimal, digitsOf, sum } from '#money';
import type { Cdr } from '#ocpi';
import { settledCdr, type Taxed } from '#settlement';
import { combinedRate, jurisdictionOf, taxesAt } from '#taxes';
import { instant } from '#time';
import { cdr } from '../test/charge.ts';
import { type CreditedSoFar, creditSettled, negated, type Settled, takenBack } from './taken-back.ts';

const provinces = ['AB', 'BC', 'MB', 'NB', 'NL', 'NS', 'NT', 'NU', 'ON', 'PE', 'QC', 'SK', 'YT'];

/** A CDR with what its credits take back, in minor units: `parts` of the price without tax and of its tax. */
const credited = fc.record({
  state: fc.constantFrom(...provinces),
  startedAt: fc.constantFrom(
    '2009-01-01T12:00:00Z', '2014-06-01T12:00:00Z', '2022-02-01T17:00:00Z', '2025-04-01T12:00:00Z', '2026-11-30T12:00:00Z',
  ),
  currency: fc.constantFrom('CAD', 'JPY', 'KWD'),
  parts: fc.array(fc.tuple(fc.integer({ min: -3_000, max: 9_999 }), fc.integer({ min: -300, max: 2_000 })), { minLength: 1, maxLength: 6 }),
  /** Percent that its tariffs tell; undefined for those of the place, null where they tell none. */
  vat: fc.option(fc.constantFrom(20, 5, 13), { nil: undefined }),
  isTaxRight: fc.boolean(),
});

type Given = typeof credited extends fc.Arbitrary<infer T> ? T : never;

function bills({ state, startedAt, currency, parts, vat, isTaxRight }: Given) {
  const digits = digitsOf(currency);
  const place = { country: 'CAN', state };
  expect(jurisdictionOf(place)).toBeDefined();
  const rate = vat ?? combinedRate(taxesAt(place, instant(startedAt)) ?? []).toJsonNumber();
  const total = (excl: Decimal, tax: Decimal) => ({
    excl_vat: excl.shift(-digits).toJsonNumber(), incl_vat: excl.add(tax).shift(-digits).toJsonNumber(),
  });
  const billed = (total_cost: Cdr['total_cost'], credit: boolean): Cdr => ({
    ...cdr, currency, start_date_time: startedAt, total_cost, credit,
    cdr_location: { ...cdr.cdr_location, state, postal_code: '' },
    tariffs: [{ ...cdr.tariffs![0]!, elements: [{ price_components: [{ type: 'ENERGY', price: 1, vat: rate, step_size: 1 }] }] }],
  });
  const excl = sum(parts.map(([one]) => decimal(one)));
  const taxOf = (one: Decimal) => one.mul(decimal(rate)).divide(decimal(100), 0, 'half-away-from-zero');
  const taxes = parts.map(([one, its]) => (isTaxRight ? taxOf(decimal(one)) : decimal(its)));
  // That of the last part is the rest.
  if (isTaxRight) taxes[taxes.length - 1] = taxOf(excl).sub(sum(taxes.slice(0, -1)));
  const original = settledCdr(billed(total(excl, sum(taxes)), false));
  const credits = parts.map(([one], n) => settledCdr(billed(total(decimal(one).neg(), taxes[n]!.neg()), true)));
  return { original, credits, digits };
}

function credit(original: Settled, credits: readonly Settled[]): { taken: Taxed[]; soFar: CreditedSoFar } {
  const before: Settled[] = [];
  const taken = credits.map((one) => {
    const taxed = takenBack(one, { original, before: [...before] }) ?? { taxes: one.taxes, remarks: one.remarks };
    before.push({ ...one, ...taxed });
    return taxed;
  });
  return { taken, soFar: { original, before } };
}

const taxIn = ({ excl_tax, incl_tax }: Settled) => decimal(incl_tax).sub(decimal(excl_tax));

/** Whether they never come to more tax than was charged. */
function areParts(original: Settled, credits: readonly Settled[]): boolean {
  return credits.every((_, n) => {
    const [back, all] = [sum(credits.slice(0, n + 1).map(taxIn)).neg(), taxIn(original)];
    return back.isZero() || (back.isNegative() === all.isNegative() && back.abs().compare(all.abs()) <= 0);
  });
}

const runs = { numRuns: 1_000, seed: 20_261_130 };

test('Credit CDRs that take back all of a CDR take back of each tax what was charged, and of its base', () => {
  fc.assert(fc.property(credited, (given) => {
    const { original, credits } = bills(given);
    fc.pre(original.taxes.length > 0 && credits.every(({ taxes }) => taxes.length > 0) && areParts(original, credits));
    const { taken } = credit(original, credits);
    for (const [n, { code, rate, base, amount }] of original.taxes.entries()) {
      const its = taken.map(({ taxes }) => taxes[n]!);
      expect(its.map((tax) => `${tax.code} ${tax.rate}`)).toEqual(taken.map(() => `${code} ${rate}`));
      expect(sum([amount, ...its.map((tax) => tax.amount)].map((text) => decimal(text))).toString()).toBe('0');
      expect(sum([base, ...its.map((tax) => tax.base)].map((text) => decimal(text))).toString()).toBe('0');
    }
  }), runs);
});

test('the taxes of a Credit CDR always add up to its tax, whatever was taken back before', () => {
  fc.assert(fc.property(credited, credited, (one, other) => {
    const { original } = bills(one);
    const { credits } = bills({ ...other, currency: one.currency });
    const { taken } = credit(original, credits);
    for (const [n, { taxes }] of taken.entries()) {
      const { excl_tax, incl_tax } = credits[n]!;
      const told = decimal(incl_tax).sub(decimal(excl_tax));
      expect(sum(taxes.map(({ amount }) => decimal(amount))).toString()).toBe(told.toString());
      if (taxes.length === 0) expect(taxes).toEqual(credits[n]!.taxes);
    }
  }), runs);
});

test('a credit of all of a CDR takes back what the issuer says that it does, whatever it tells', () => {
  fc.assert(fc.property(credited, (given) => {
    const { original, digits } = bills({ ...given, parts: given.parts.slice(0, 1) });
    const { credits } = bills({ ...given, parts: given.parts.slice(0, 1), state: 'ON' });
    const then = { ...original, taxes: original.taxes.map((tax) => ({ ...tax, code: `OLD-${tax.code}` })) };
    const both = [credits[0]!, original];
    const isAll = sum(both.map(({ excl_tax }) => decimal(excl_tax))).isZero() && sum(both.map(taxIn)).isZero();
    if (!isAll) return;
    expect(takenBack(credits[0]!, { original: then, before: [] })).toEqual(negated(then, digits));
  }), runs);
});

test('no Credit CDR takes back more of a tax than was charged: what it tells beyond that is not its original\'s', () => {
  const settled = (excl_tax: string, incl_tax: string, taxes: Settled['taxes'] = []): Settled =>
    ({ currency: 'CAD', excl_tax, incl_tax, taxes, remarks: [], energy_kwh: '6' });
  const gst = (base: string, amount: string) => [{ code: 'GST', rate: '5', base, amount }];
  const original = settled('10.00', '10.50', gst('10.00', '0.50'));
  const told = [{ code: 'VAT', rate: '20', base: '-5.00', amount: '-1.00' }];
  expect(takenBack(settled('-5.00', '-6.00', told), { original, before: [] })).toBeUndefined();
  expect(takenBack(settled('-5.00', '-4.75', told), { original, before: [] })).toBeUndefined();
  const half = settled('-5.00', '-5.25', gst('-5.00', '-0.25'));
  expect(takenBack(half, { original, before: [half, half] })).toBeUndefined();
  expect(takenBack(half, { original, before: [half] })?.taxes).toEqual(half.taxes);
  fc.assert(fc.property(credited, credited, (one, other) => {
    const { original: charged } = bills(one);
    const { credits } = bills({ ...other, currency: one.currency });
    const before: Settled[] = [];
    for (const next of credits) {
      const taxed = takenBack(next, { original: charged, before: [...before] });
      if (taxed) before.push({ ...next, ...taxed });
    }
    for (const [n, { amount }] of charged.taxes.entries()) {
      const left = sum([amount, ...before.map(({ taxes }) => taxes[n]!.amount)].map((text) => decimal(text)));
      expect(left.isZero() || left.isNegative() === decimal(amount).isNegative()).toBe(true);
    }
  }), runs);
});

test('Credit CDRs that take back all of a CDR, but for what rounding makes of it, take back its session and its energy once, whatever each tells of it', () => {
  const parts = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom(1, 0.25, 0)), { minLength: 1, maxLength: 6 });
  const of = fc.record({ currency: fc.constantFrom('CAD', 'JPY', 'KWD'), isPaidBack: fc.boolean(), total_energy: fc.constantFrom(6, 0, -3, 0.0004) });
  fc.assert(fc.property(parts, of, fc.constantFrom(0, 1, -1), (credits, { currency, isPaidBack, total_energy }, off) => {
    const price = (minor: number) => ({ excl_vat: decimal(isPaidBack ? -minor : minor).shift(-digitsOf(currency)).toJsonNumber() });
    const its = { ...cdr, currency, total_energy };
    const original = settledCdr({ ...its, total_cost: price(credits.reduce((all, [minor]) => all + minor, 0) + off) });
    const before: Settled[] = [];
    for (const [minor, share] of credits) {
      const told = settledCdr({ ...its, credit: true, total_energy: total_energy * share, total_cost: price(-minor) });
      before.push({ ...told, ...creditSettled(told, { original, before: [...before] }) });
    }
    expect(before.filter(({ remarks }) => !remarks.includes('part-credit'))).toHaveLength(1);
    expect(sum([original, ...before].map(({ energy_kwh }) => decimal(energy_kwh))).toString()).toBe('0');
  }), runs);
});
