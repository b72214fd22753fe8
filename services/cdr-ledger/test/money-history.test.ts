import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { entryText } from '#chain';
import { toJsonBytes } from '#contracts';
import { type Decimal, decimal, sum } from '#money';
import { type Cdr, creditCdr } from '#ocpi';
import { exampleTerms, nextMonth, type StatementLine } from '#settlement';
import { freshDatabase } from '#test-servers';
import { rfc3339 } from '#time';
import { restoreLedger } from '../src/restore.ts';
import { carbonPlunk, cdr, location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

/** A random history between two partners, recorded while its list is made anew again and again. */

const HOUR = 3_600_000;
const samples = fc.sample(
  fc.record({
    own: fc.constantFrom(true, false, false, false),
    cents: fc.integer({ min: -2_000, max: 99_999 }),
    place: fc.constantFrom<[string, number | undefined]>(
      ['QC', 14.975], ['QC', 14.975], ['QC', 14.975], ['QC', 5], ['QC', undefined], ['BC', 5], ['ON', 13], ['NS', 20],
    ),
    currency: fc.constantFrom('CAD', 'CAD', 'CAD', 'JPY', 'KWD'),
    /** Thousandths that credits take back before the one that takes back the rest. */
    parts: fc.option(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 3 }), { nil: undefined, freq: 4 }),
    written: fc.constantFrom('as OCPI has it', 'positive', 'without its flag'),
    comesFirst: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  }),
  { numRuns: 60, seed: 20_261_130 },
);
type Sample = (typeof samples)[number];

let there: TestLedger;
let made = 0;

beforeAll(async () => {
  there = await testLedger();
  await there.settling.noteAgreement({ partner: carbonPlunk, at: there.clock.iso(), version: 1, terms: exampleTerms });
  let isDone = false;
  const rebuilding = (async () => {
    for (; !isDone && made < 12; made += 1) await there.list.rebuild();
  })();
  for (let n = 0; n < samples.length; n += 6) {
    there.clock.advance(9 * HOUR);
    await Promise.all(samples.slice(n, n + 6).map((sample, at) => (sample.own ? bill(n + at, sample) : beBilled(n + at, sample))));
  }
  isDone = true;
  await rebuilding;
});
afterAll(() => there?.close());

async function bill(n: number, { parts, place: [state, vat] }: Sample): Promise<void> {
  const { ledger, clock } = there;
  const id = `S-${n}`;
  const at = { ...location, state, postal_code: '' };
  const component = { type: 'ENERGY' as const, price: Number(`0.${201 + 7 * n}`), step_size: 1, ...(vat === undefined ? {} : { vat }) };
  const its = { ...tariff, elements: [{ price_components: [component] }] };
  await ledger.issue({ session: { ...session, id }, location: at, tariff: its, tariffVersion: 1, token, energyWh: '6000' });
  await ledger.acknowledge({ cdrId: `${id}-1`, at: clock.iso(), locationUrl: '' });
  if (parts === undefined) return;
  await ledger.correct({ commandId: `c-${n}`, cdrId: `${id}-1`, reason: 'wrong', withoutReplacement: n % 2 === 0 });
  await ledger.acknowledge({ cdrId: `${id}-1-C`, at: clock.iso(), locationUrl: '' });
}

async function beBilled(n: number, sample: Sample): Promise<void> {
  const { original, credits } = bodies(n, sample);
  const push = async (body: Cdr) => {
    await there.ledger.receive(toJsonBytes(body));
    await listed(there);
  };
  if (!sample.comesFirst) await push(original);
  for (const credit of credits) await push(credit);
  if (sample.comesFirst) await push(original);
}

function bodies(n: number, { cents, place: [state, vat], currency, parts, written }: Sample): { original: Cdr; credits: Cdr[] } {
  const digits = { CAD: 2, JPY: 0, KWD: 3 }[currency]!;
  const tax = (excl: Decimal) => excl.mul(decimal(vat ?? 0)).divide(decimal(100), 0, 'half-away-from-zero');
  const total = (excl: Decimal, its: Decimal) => ({
    excl_vat: excl.shift(-digits).toJsonNumber(), ...(vat === undefined ? {} : { incl_vat: excl.add(its).shift(-digits).toJsonNumber() }),
  });
  const whole = decimal(cents);
  const component = { type: 'ENERGY' as const, price: 0.49, step_size: 1, ...(vat === undefined ? {} : { vat }) };
  const original: Cdr = {
    ...cdr, party_id: 'CPK', id: `P-${n}`, session_id: `P-${n}`, currency, last_updated: rfc3339(there.clock.now()),
    cdr_token: { ...cdr.cdr_token, party_id: 'BCT' }, cdr_location: { ...cdr.cdr_location, state, postal_code: '' },
    tariffs: [{ ...tariff, elements: [{ price_components: [component] }] }], total_cost: total(whole, tax(whole)),
  };
  const shares = (parts ?? []).map((part) => whole.mul(decimal(part)).divide(decimal(1_000), 0, 'toward-zero'));
  const taxes = shares.map(tax);
  const rest = total(whole.sub(sum(shares)), tax(whole).sub(sum(taxes)));
  const costs = parts === undefined ? [] : [...shares.map((share, at) => total(share, taxes[at]!)), rest];
  return {
    original,
    credits: costs.map((total_cost, at): Cdr => {
      const { ...credit } = { ...creditCdr({ ...original, total_cost }, original.last_updated), id: `P-${n}-C${at}` };
      if (cents <= 0 || written === 'as OCPI has it' || total_cost.excl_vat === 0) return credit;
      return written === 'positive' ? { ...credit, total_cost } : { ...credit, credit: false };
    }),
  };
}

/** However busy the machine is. */
const listed = ({ list }: TestLedger) => vi.waitFor(() => list.caughtUp(), { timeout: 60_000 });

async function rowsOf(of: TestLedger) {
  await listed(of);
  return (await of.superuser.query('SELECT * FROM cdrs ORDER BY "position"')).rows;
}

async function statementsOf(of: TestLedger) {
  await listed(of);
  const all = [];
  for (let month = '2022-01'; month <= '2022-03'; month = nextMonth(month)) all.push(await of.settling.statement(carbonPlunk, month));
  return all;
}

const added = (amounts: readonly string[]) => sum(amounts.map((amount) => decimal(amount)));
const taxIn = ({ excl_tax, incl_tax }: Pick<StatementLine, 'excl_tax' | 'incl_tax'>) => decimal(incl_tax).sub(decimal(excl_tax)).toString();

test('made anew while all of it was recorded, the list is what the log makes of it', async () => {
  expect(made).toBeGreaterThan(0);
  const before = await rowsOf(there);
  const statements = await statementsOf(there);
  await there.list.rebuild();
  expect(await rowsOf(there)).toEqual(before);
  expect(JSON.stringify(await statementsOf(there))).toBe(JSON.stringify(statements));
});

test('once all of a CDR is back, none is left of any tax, nor of its base', async () => {
  const rows = await rowsOf(there);
  let credited = 0;
  for (const { cdr_key, party } of rows.filter(({ credit_of }) => credit_of === null)) {
    const its = rows.filter((row) => row.party === party && (row.cdr_key === cdr_key || row.credit_of === cdr_key));
    if (!added(its.map(({ excl_tax }) => excl_tax)).isZero() || its.length < 2) continue;
    // Of a part that came before it nobody could tell of what it is one.
    if (its.length > 2 && its[0].credit_of !== null) continue;
    credited += 1;
    const left = new Map<string, string[]>();
    for (const { code, rate, base, amount } of its.flatMap(({ taxes }) => taxes ?? []))
      left.set(`${code} ${rate}`, [...(left.get(`${code} ${rate}`) ?? []), amount, base]);
    const amounts = (texts: readonly string[], which: number) => added(texts.filter((_, n) => n % 2 === which)).toString();
    for (const [name, texts] of left) expect([cdr_key, name, amounts(texts, 0), amounts(texts, 1)]).toEqual([cdr_key, name, '0', '0']);
  }
  expect(credited).toBeGreaterThan(20);
});

test('of each statement the taxes add up to its tax in both directions, line by line and in all, and the net to what is owed', async () => {
  let invoices = 0;
  for (const { statement } of await statementsOf(there)) {
    for (const { net, invoices: its } of statement.currencies) {
      for (const { charging, taxes, lines, excl_tax, tax, total, fee_taxes, fees_excl_tax, fees_incl_tax } of its) {
        invoices += 1;
        for (const line of lines) expect(added(line.taxes.map(({ amount }) => amount)).toString()).toBe(taxIn(line));
        expect(added(taxes.map(({ amount }) => amount)).toString()).toBe(decimal(charging.tax).toString());
        expect(decimal(charging.tax).toString()).toBe(taxIn(charging));
        const feeTax = decimal(fees_incl_tax).sub(decimal(fees_excl_tax)).toString();
        expect(added(fee_taxes.map(({ amount }) => amount)).toString()).toBe(feeTax);
        expect(added([excl_tax, tax]).toString()).toBe(decimal(total).toString());
        expect(added([charging.incl_tax, fees_incl_tax]).toString()).toBe(decimal(total).toString());
        expect(added([charging.charged, `-${charging.credited}`.replace('--', '')]).toString()).toBe(decimal(charging.incl_tax).toString());
      }
      const signed = its.map(({ supplier, total }) => (supplier === net.creditor ? decimal(total) : decimal(total).neg()));
      expect(net.creditor === undefined ? sum(signed).isZero() || its.length === 0 : sum(signed).equals(decimal(net.amount))).toBe(true);
    }
  }
  expect(invoices).toBeGreaterThan(3);
});

test('an export of a former release, whose entries note no taxes, is verified and restored, and makes the same statements', async () => {
  const [from, to] = await Promise.all([freshDatabase(), freshDatabase()]);
  const former = await testLedger({ on: from.url, clock: there.clock.iso() });
  for (const { stream, version, id, type, data } of await there.store.readAll(0n, 1_000)) {
    const { taxed: _, ...event } = JSON.parse(data);
    const entry = { id, type, data: entryText({ id, stream, version }, event) };
    await former.store.append([{ stream, expected: version - 1, events: [entry] }]);
  }
  former.clock.advance(40 * 24 * HOUR);
  const entries = (await former.store.readAll(0n, 1_000)).length;
  await vi.waitUntil(async () => (await former.proofs.heads()).at(-1)?.head.entries === entries, { timeout: 60_000 });
  let text = '';
  for (let page = await former.exporting.page(); ; page = await former.exporting.page(page.next)) {
    text += page.lines.toString();
    if (page.next === undefined) break;
  }
  async function* bytes() {
    yield Buffer.from(text);
  }
  const [verdict] = await restoreLedger({ databaseUrl: to.url, exports: [bytes], keys: former.keys });
  expect(verdict).toMatchObject({ entries, damage: undefined });
  const restored = await testLedger({ on: to.url, clock: former.clock.iso() });
  expect(await rowsOf(restored)).toEqual(await rowsOf(former));
  expect(JSON.stringify(await statementsOf(restored))).toBe(JSON.stringify(await statementsOf(former)));
  const amounts = async (of: TestLedger) => (await rowsOf(of)).map((row) => [row.cdr_id, row.excl_tax, row.incl_tax, ...(row.credit_of === null ? [row.energy_kwh] : [])]);
  expect(await amounts(restored)).toEqual(await amounts(there));
  for (const { taxes, ...row } of await rowsOf(restored))
    expect(added((taxes ?? []).map(({ amount }: { amount: string }) => amount)).toString()).toBe(taxIn(row));
  await Promise.all([restored.close(), former.close()]);
  await Promise.all([from.drop(), to.drop()]);
});
