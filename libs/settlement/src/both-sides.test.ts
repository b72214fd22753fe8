import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal, sum } from '#money';
import { instant, rfc3339, zone } from '#time';
import { SettlementCalendar } from './calendar.ts';
import { exampleCdr, exampleTerms } from './example.ts';
import { nextMonth } from './month.ts';
import { settle } from './settle.ts';
import { settledCdr } from './settled.ts';
import { type HeldCdr, tallied } from './tally.ts';
import type { AgreementTerms, Fee } from './terms.ts';

const OASIS = 'CA*BCT';
const PLUNK = 'CA*CPK';
const HOUR = 3_600_000;
const START = instant('2022-02-01T00:00:00Z');
const NOW = instant('2022-09-15T00:00:00Z');

/** A session billed, perhaps credited and billed anew, each of which arrives when it does, or never. */
const billed = fc.record({
  issuer: fc.constantFrom(OASIS, PLUNK),
  atHour: fc.integer({ min: 0, max: 120 * 24 }),
  tenthCents: fc.integer({ min: 0, max: 200_000 }),
  vat: fc.constantFrom(undefined, 0, 5, 14.975),
  state: fc.constantFrom('BC', 'QC', 'ON'),
  currency: fc.constantFrom('CAD', 'CAD', 'JPY', 'KWD'),
  delays: fc.array(fc.option(fc.integer({ min: 0, max: 60 * 24 }), { nil: undefined }), { minLength: 3, maxLength: 3 }),
  creditedAfter: fc.option(fc.integer({ min: 1, max: 60 * 24 }), { nil: undefined }),
});
type Billed = (typeof billed) extends fc.Arbitrary<infer B> ? B : never;

const fee = fc.record({
  name: fc.constantFrom('Roaming fee', 'Clearing'),
  cdrs_of: fc.constantFrom({ country_code: 'CA', party_id: 'BCT' }, { country_code: 'CA', party_id: 'CPK' }),
  per: fc.constantFrom('session', 'kwh', 'percent'),
  amount: fc.integer({ min: 0, max: 99_999 }).map((n) => decimal(n).shift(-4).toString()),
  currency: fc.constantFrom('CAD', 'JPY'),
  paid_by: fc.constantFrom('CPO', 'EMSP'),
}) as fc.Arbitrary<Fee>;

const agreement: fc.Arbitrary<AgreementTerms[]> = fc.array(
  fc.record({
    time_zone: fc.constantFrom('America/Vancouver', 'Asia/Tokyo'), closing_days: fc.integer({ min: 0, max: 40 }),
    fees: fc.array(fee, { maxLength: 3 }), fee_tax_place: fc.constantFrom('payer', 'supplier'),
  }),
  { maxLength: 2 },
).map((versions) => versions.map((version, n) => ({
  ...exampleTerms, ...version, valid_from: `2022-0${2 + 2 * n}`,
}) as AgreementTerms));

/** What the issuer and the receiver of a CDR hold of it: the first knows what the second told it. */
function held(one: Billed, n: number): { cdr: HeldCdr; arrived: boolean }[] {
  const cost = (sign: number) => {
    const excl = decimal(one.tenthCents).shift(-3);
    const tax = one.vat === undefined ? undefined : excl.mul(decimal(one.vat)).shift(-2);
    const number = (value: typeof excl) => value.roundTo(4, 'half-even').toJsonNumber() * sign;
    return { excl_vat: number(excl), ...(tax === undefined ? {} : { incl_vat: number(excl.add(tax)) }) };
  };
  const made = (id: string, hour: number, delay: number | undefined, more: object = {}) => {
    const last_updated = rfc3339(START + hour * HOUR);
    const settled = settledCdr({
      ...exampleCdr, id, last_updated, currency: one.currency, total_cost: cost(1),
      cdr_location: { ...exampleCdr.cdr_location, state: one.state }, ...more,
    });
    const acknowledged_at = delay === undefined ? undefined : rfc3339(START + (hour + delay) * HOUR);
    return { cdr: { ...settled, issuer: one.issuer, acknowledged_at }, arrived: delay !== undefined };
  };
  const [first, second, third] = one.delays;
  const original = made(`S${n}-1`, one.atHour, first);
  // A credit goes out after its original, in the same lane: it cannot arrive where that did not.
  if (one.creditedAfter === undefined || first === undefined) return [original];
  const later = one.atHour + one.creditedAfter;
  const credit = { credit: true, credit_reference_id: `S${n}-1`, total_cost: cost(-1) };
  return [original, made(`S${n}-1-C`, later, second, credit), made(`S${n}-2`, later, third)];
}

function statements(cdrs: readonly HeldCdr[], versions: readonly AgreementTerms[], now = NOW) {
  const calendar = new SettlementCalendar(versions, zone('America/Vancouver'));
  const parties = [{ party: OASIS, name: 'Energy OASIS' }, { party: PLUNK, name: 'Carbon Plunk' }];
  const found = [];
  for (let month = '2022-01'; month < '2022-09'; month = nextMonth(month)) {
    found.push(settle({ month, calendar, now, parties, ...tallied(cdrs, { calendar, month, now }) }));
  }
  return found;
}

/** In an order of its own: what it is made of does not depend on how it came in. */
const mixed = <T>(all: readonly T[], by: number) => [...all].sort((a, b) =>
  ((JSON.stringify(a).length * by) % 7) - ((JSON.stringify(b).length * by) % 7));

test('of any history of CDRs, credits and late acknowledgements both sides make the same statements', () => {
  fc.assert(
    fc.property(fc.array(billed, { maxLength: 12 }), agreement, fc.integer({ min: 1, max: 6 }), (history, versions, by) => {
      const all = history.flatMap(held);
      const plunk = all.filter(({ cdr, arrived }) => arrived || cdr.issuer === PLUNK).map(({ cdr }) => cdr);
      const oasis = all.filter(({ cdr, arrived }) => arrived || cdr.issuer === OASIS).map(({ cdr }) => cdr);
      // Without an agreement nothing closes, and what is on its way is on one side's statement only.
      const known = (cdrs: HeldCdr[]) => (versions.length > 0 ? cdrs : cdrs.filter((cdr) => cdr.acknowledged_at !== undefined));
      const closed = (cdrs: HeldCdr[]) => statements(mixed(known(cdrs), by), versions)
        .filter(({ state, month }) => state === 'closed' || (versions.length === 0 && month < '2022-09'));
      expect(JSON.stringify(closed(oasis))).toBe(JSON.stringify(closed(plunk)));
    }),
    { numRuns: 150 },
  );
});

test('lines add up to totals, taxes to the tax, invoices to the payment', () => {
  fc.assert(
    fc.property(fc.array(billed, { maxLength: 12 }), agreement, (history, versions) => {
      const cdrs = history.flatMap(held).map(({ cdr }) => cdr);
      const texts = (all: readonly string[]) => sum(all.map((text) => decimal(text))).toString();
      const same = (text: string) => decimal(text).toString();
      for (const { currencies, parties } of statements(cdrs, versions)) {
        for (const { invoices, net } of currencies) {
          for (const { charging, lines, taxes, fees, fee_taxes, places, ...invoice } of invoices) {
            expect(texts(lines.map(({ incl_tax }) => incl_tax))).toBe(same(charging.incl_tax));
            expect(texts(lines.map(({ excl_tax }) => excl_tax))).toBe(same(charging.excl_tax));
            expect(texts(lines.map(({ energy_kwh }) => energy_kwh))).toBe(same(charging.energy_kwh));
            expect(texts(taxes.map(({ amount }) => amount))).toBe(same(charging.tax));
            expect(texts(places.map(({ incl_tax }) => incl_tax))).toBe(same(charging.incl_tax));
            expect(texts([charging.charged, `-${charging.credited}`].map(same))).toBe(same(charging.incl_tax));
            const feeTexts = [...fees, ...fee_taxes].map(({ amount }) => amount);
            expect(texts([charging.incl_tax, ...feeTexts])).toBe(same(invoice.total));
            expect(texts([invoice.excl_tax, invoice.tax])).toBe(same(invoice.total));
          }
          const owed = (party: string) => texts(invoices.filter(({ supplier }) => supplier === party).map(({ total }) => total));
          const balance = decimal(owed(parties[0]!.party)).sub(decimal(owed(parties[1]!.party)));
          expect(balance.abs().toString()).toBe(same(net.amount));
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('what is closed stays as it is, whatever is issued and acknowledged afterwards', () => {
  fc.assert(
    fc.property(fc.array(billed, { maxLength: 8 }), fc.array(billed, { maxLength: 8 }), agreement, (before, after, versions) => {
      const known = before.flatMap(held).map(({ cdr }) => cdr);
      const thenMs = START + 60 * 24 * HOUR;
      const early = known.filter((cdr) => instant(cdr.last_updated) <= thenMs).map((cdr) => (
        cdr.acknowledged_at !== undefined && instant(cdr.acknowledged_at) <= thenMs ? cdr : { ...cdr, acknowledged_at: undefined }));
      const grown = [...known, ...after.flatMap((one, n) => held({ ...one, atHour: one.atHour + 61 * 24 }, 100 + n)).map(({ cdr }) => cdr)];
      const then = statements(early, versions, thenMs).filter(({ state }) => state === 'closed');
      const now = statements(grown, versions).filter(({ month }) => then.some((one) => one.month === month));
      expect(JSON.stringify(now)).toBe(JSON.stringify(then));
    }),
    { numRuns: 100 },
  );
});
