import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fold } from '#decider';
import { type Decimal, decimal, sum } from '#money';
import type { Cdr } from '#ocpi';
import { taxesAt } from '#taxes';
import { instant } from '#time';
import { cdr } from '../test/charge.ts';
import { accountStatement, taxesWithin } from './account-statement.ts';
import { type BookedCharge, charge, type ChargeBooked, type ChargeCommand, type ChargeEvent, type ChargeRefunded } from './charge.ts';
import { type PlanTerms, retailPrice } from './plan.ts';
import { chargedOf } from './retail-pricing.ts';

/** What drivers are charged and paid back, whatever the plan, the place, the day and the order of it all. */

const currencies = ['CAD', 'JPY', 'KWD'];
const price = fc.integer({ min: 0, max: 9_999 }).map((n) => decimal(n).shift(-3).toString());
const prices = fc.option(fc.record({ CAD: price, JPY: price, KWD: price }), { nil: undefined });
const tax = fc.constantFrom('of-place' as const, 'none' as const);
const plans: fc.Arbitrary<PlanTerms> = fc.oneof(
  fc.constant({ kind: 'pass-through' as const }),
  fc.record({
    kind: fc.constant('mark-up' as const), perSession: prices, perKwh: prices, percent: fc.constantFrom(undefined, '5', '12.5'), tax,
  }),
  fc.record({ kind: fc.constant('flat' as const), perSession: prices, perKwh: prices, perHour: prices, tax }),
);

const bills = fc.record({
  state: fc.constantFrom('AB', 'BC', 'MB', 'NB', 'NL', 'NS', 'ON', 'PE', 'QC', 'XX'),
  startedAt: fc.constantFrom(
    '2007-12-31T12:00:00Z', '2012-06-01T12:00:00Z', '2022-02-01T17:00:00Z', '2025-04-01T12:00:00Z', '2026-11-30T12:00:00Z',
  ),
  currency: fc.constantFrom(...currencies),
  tenThousandths: fc.integer({ min: -50_000, max: 2_000_000 }),
  /** Percent that its tariffs tell; what it charges may be another. */
  vats: fc.subarray([0, 5, 13, 14.975, 20]),
  charged: fc.constantFrom(undefined, 0, 5, 13, 14.975, 20),
  wh: fc.integer({ min: 0, max: 90_000 }),
});

type Bill = typeof bills extends fc.Arbitrary<infer T> ? T : never;

function billOf({ state, startedAt, currency, tenThousandths, vats, charged, wh }: Bill): Cdr {
  const excl = decimal(tenThousandths).shift(-4);
  const rate = decimal(charged ?? 0).shift(-2).add(decimal(1));
  const incl = charged === undefined ? {} : { incl_vat: excl.mul(rate).roundTo(4, 'half-even').toJsonNumber() };
  const component = (vat: number) => ({ type: 'ENERGY' as const, price: 0.3, vat, step_size: 1 });
  return {
    ...cdr, currency, start_date_time: startedAt, total_energy: decimal(wh).shift(-3).toJsonNumber(),
    cdr_location: { ...cdr.cdr_location, state, postal_code: '' },
    total_cost: { excl_vat: excl.toJsonNumber(), ...incl },
    tariffs: vats.length === 0 ? [] : [{ ...cdr.tariffs![0]!, elements: [{ price_components: vats.map(component) }] }],
  };
}

const at = '2026-11-30T08:00:00Z';
const about = { ledger: 'CA*CPK/accounts', accountId: 'a1', cdr: { country_code: 'CA', party_id: 'BCT', id: 'R-1' }, at };

function bookedOf(body: Cdr, terms: PlanTerms, own: boolean): BookedCharge {
  const taxes = taxesAt(body.cdr_location, instant(body.start_date_time));
  const its = retailPrice({ ...chargedOf(body), own, taxes }, terms);
  return {
    ...about, startedAt: body.start_date_time, energyKwh: decimal(body.total_energy).toString(),
    cdrExclVat: decimal(body.total_cost.excl_vat).toString(),
    plan: { planId: 'p', name: 'P', from: '2000-01-01T00:00:00Z', terms }, price: its, taxes: taxesWithin(body, its),
  };
}

/** In thousandths of what the CDR asked; the last takes back the rest. */
const shares = fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 6 });

function commandsOf(booked: BookedCharge, thousandths: readonly number[], bookAfter: number, hold: boolean): ChargeCommand[] {
  const asked = decimal(booked.cdrExclVat).abs();
  const parts = thousandths.map((one) => asked.mul(decimal(one)).divide(decimal(1_000), 4, 'floor'));
  const amounts: Decimal[] = [];
  for (const part of [...parts, asked]) {
    const left = asked.sub(sum(amounts));
    amounts.push(part.compare(left) > 0 || amounts.length === parts.length ? left : part);
  }
  const credits = amounts.map((amount, n): ChargeCommand => (
    { ...about, type: 'CreditCharge', creditCdrId: `C${n}`, creditedExclVat: amount.toString(), hold,
    // Some tell none of it, some more than there is.
    ...(n % 3 === 0 ? {} : { creditedTax: amount.mul(decimal(n)).shift(-1).toString() }) }));
  const book: ChargeCommand = { ...booked, type: 'BookCharge', hold };
  return [...credits.slice(0, bookAfter), book, ...credits.slice(bookAfter), { type: 'ReleaseCharge', at }];
}

const taxOf = (one: { exclVat: string; inclVat?: string }) => decimal(one.inclVat ?? one.exclVat).sub(decimal(one.exclVat));
type Entry = ChargeBooked | ChargeRefunded;
const isEntry = (event: ChargeEvent): event is Entry => event.type === 'ChargeBooked' || event.type === 'ChargeRefunded';

test('what a driver is charged and paid back has taxes that add up; all back, none of any tax is left, and no cent', () => {
  let refunds = 0;
  fc.assert(
    fc.property(bills, plans, fc.boolean(), shares, fc.nat({ max: 7 }), fc.boolean(), (bill, terms, own, thousandths, bookAfter, hold) => {
      const body = billOf(bill);
      const booked = bookedOf(body, terms, own);
      const log: ChargeEvent[] = [];
      for (const command of commandsOf(booked, thousandths, bookAfter, hold)) log.push(...charge.decide(command, fold(charge, log)));
      const entries = log.filter(isEntry);
      for (const entry of entries) {
        const told = taxOf(entry.type === 'ChargeBooked' ? entry.price : entry);
        expect(sum(entry.taxes!.map(({ amount }) => decimal(amount))).toString()).toBe(told.toString());
      }
      refunds += entries.length - 1;
      const left = new Map<string, Decimal>();
      for (const { code, rate, amount } of entries.flatMap(({ taxes }) => taxes!))
        left.set(`${code} ${rate}`, sum([left.get(`${code} ${rate}`) ?? decimal('0'), decimal(amount)]));
      expect([...left.values()].map(String)).toEqual([...left].map(() => '0'));

      // As the driver's month has it.
      const lines = entries.map((entry, n) => ({
        position: BigInt(n), kind: entry.type === 'ChargeBooked' ? 'charge' as const : 'refund' as const,
        at, currency: bill.currency, party: null, cdrId: null,
        amount: decimal(entry.type === 'ChargeBooked' ? entry.price.payable : entry.payable).neg().toString(), entry, cdr: body,
      }));
      const statement = accountStatement({ opening: new Map(), lines });
      for (const total of statement.currencies) {
        const its = statement.lines.filter(({ currency }) => currency === total.currency);
        const within = its.map((line) => decimal(line.incl_tax!).sub(decimal(line.excl_tax!)));
        expect(sum(total.taxes.map(({ amount }) => decimal(amount))).toString()).toBe(sum(within).toString());
        expect(decimal(total.closing_balance).toString()).toBe('0');
        expect(sum([decimal(total.charges), decimal(total.refunds)]).toString()).toBe('0');
      }
      // Entries of former releases have no note: their taxes add up all the same.
      const former = lines.map(({ entry: { taxes: _, ...entry }, ...line }) => ({ ...line, entry: entry as ChargeBooked }));
      for (const line of accountStatement({ opening: new Map(), lines: former }).lines) {
        const told = decimal(line.incl_tax!).sub(decimal(line.excl_tax!));
        expect(sum(line.taxes!.map(({ amount }) => decimal(amount))).toString()).toBe(told.toString());
      }
    }),
    { numRuns: 2_000, seed: 20_261_130 },
  );
  expect(refunds).toBeGreaterThan(2_000);
});
