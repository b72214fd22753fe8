import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toJsonBytes } from '#contracts';
import type { Cdr } from '#ocpi';
import {
  type HeldCdr, exampleTerms, localMonth, nextMonth, settle, type SettledCdr, settledCdr, SettlementCalendar, tallied, type Taxed,
} from '#settlement';
import { OwnParties } from '#settings';
import { instant, rfc3339, zone } from '#time';
import { Disputes } from '../src/disputes.ts';
import { rememberPartner } from '../src/partners.ts';
import { privateParts } from '../src/private-parts.ts';
import { Recorder } from '../src/record.ts';
import { Settling } from '../src/settling.ts';
import { carbonPlunk, cdr, location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

const HOUR = 3_600_000;
const parties = [{ party: 'CA*BCT', name: 'Energy OASIS' }, { party: 'CA*CPK', name: 'CA*CPK' }];

let there: TestLedger;
/** What the ledger was given, as a statement is made of it in memory. */
const held: HeldCdr[] = [];

const issuedBy = (issuer: string, settled: SettledCdr, acknowledged_at: string | undefined): HeldCdr =>
  ({ ...settled, issuer, acknowledged_at });

/** What the other side of CA*BCT charges our drivers. */
function theirs(n: number, at: string, more: Partial<Cdr>): Cdr {
  const { cdr_token, ...rest } = cdr;
  return {
    ...rest, party_id: 'CPK', id: `P-${n}`, last_updated: at,
    cdr_token: { ...cdr_token, party_id: 'BCT' }, ...more,
  } as Cdr;
}

async function billAndAcknowledge(id: string, hours: number | undefined): Promise<void> {
  const { ledger, clock } = there;
  await ledger.issue({ session: { ...session, id }, location, tariff, tariffVersion: 1, token, energyWh: '6000' });
  if (hours === undefined) return;
  await ledger.acknowledge({ cdrId: `${id}-1`, at: rfc3339(clock.now() + hours * HOUR), locationUrl: '' });
}

beforeAll(async () => {
  there = await testLedger();
  const { settling, ledger, clock } = there;
  const noted = { partner: carbonPlunk, at: clock.iso() };
  const later = {
    ...exampleTerms, valid_from: '2022-03', closing_days: 20,
    fees: [{ ...exampleTerms.fees[0]!, per: 'percent' as const, amount: '1.5', currency: '' }],
  };
  await settling.noteAgreement({ ...noted, version: 1, terms: exampleTerms });
  await settling.noteAgreement({ ...noted, version: 2, terms: later });
  await settling.noteAgreement({ ...noted, version: 1, terms: exampleTerms });
  const [samples] = fc.sample(
    fc.array(
      fc.record({
        theirs: fc.boolean(),
        cost: fc.integer({ min: 0, max: 99_999 }),
        currency: fc.constantFrom('CAD', 'KWD', 'JPY', 'XXQ'),
        credit: fc.boolean(),
        hours: fc.option(fc.integer({ min: 0, max: 40 * 24 }), { nil: undefined }),
        state: fc.constantFrom('BC', 'QC', 'NS'),
      }),
      { minLength: 60, maxLength: 60 },
    ),
    { numRuns: 1, seed: 7 },
  ) as [
    { theirs: boolean; cost: number; currency: string; credit: boolean; hours: number | undefined; state: string }[],
  ];
  for (const [n, sample] of samples.entries()) {
    clock.advance(30 * HOUR);
    if (!sample.theirs) {
      await billAndAcknowledge(`S-${n}`, sample.hours);
      if (sample.credit) {
        await ledger.correct({ commandId: `c-${n}`, cdrId: `S-${n}-1`, reason: 'wrong', withoutReplacement: true });
        await ledger.acknowledge({ cdrId: `S-${n}-1-C`, at: clock.iso(), locationUrl: '' });
      }
      continue;
    }
    const excl_vat = sample.cost / 1_000;
    const sign = sample.credit ? -1 : 1;
    const one = theirs(n, rfc3339(clock.now() - (sample.hours ?? 0) * HOUR), {
      currency: sample.currency, total_cost: { excl_vat: sign * excl_vat, incl_vat: sign * excl_vat * 2 },
      cdr_location: { ...cdr.cdr_location, state: sample.state },
      ...(sample.credit ? { credit: true, credit_reference_id: `P-${n - 1}` } : {}),
    });
    await ledger.receive(toJsonBytes(one));
  }
  await there.list.caughtUp();
  const { rows } = await there.superuser.query<{ cdr: Cdr; taxed: Taxed; acknowledged_at: Date | null }>(
    `SELECT data::json->'cdr' AS cdr, data::json->'taxed' AS taxed, acknowledged_at FROM cdrs JOIN events USING ("position")`,
  );
  for (const { cdr, taxed, acknowledged_at } of rows) {
    held.push(issuedBy(`CA*${cdr.party_id}`, settledCdr(cdr, taxed), acknowledged_at?.toISOString()));
  }
});
afterAll(() => there?.close());

test('the database sums up what the same statement made in memory says', async () => {
  const calendar = new SettlementCalendar([exampleTerms, {
    ...exampleTerms, valid_from: '2022-03', closing_days: 20,
    fees: [{ ...exampleTerms.fees[0]!, per: 'percent', amount: '1.5', currency: '' }],
  }], zone('America/Vancouver'));
  const now = there.clock.now();
  let late = 0;
  for (let month = '2022-01'; month <= '2022-05'; month = nextMonth(month)) {
    const { statement } = await there.settling.statement(carbonPlunk, month);
    const expected = settle({ month, calendar, parties, now, ...tallied(held, { calendar, month, now }) });
    expect(statement).toEqual(expected);
    expect(JSON.stringify(statement)).toBe(JSON.stringify(expected));
    for (const { invoices } of statement.currencies) for (const invoice of invoices) late += invoice.late.cdrs;
  }
  expect(late).toBeGreaterThan(0);
});

test('its lines are read page by page, each once, in the order of the statement', async () => {
  const { settling } = there;
  for (const month of ['2022-02', '2022-03', '2022-04']) {
    const { statement } = await settling.statement(carbonPlunk, month);
    const wanted = statement.parties.flatMap(({ party }) =>
      statement.currencies.flatMap(({ invoices }) => invoices.filter(({ supplier }) => supplier === party)
        .flatMap(({ lines }) => lines)));
    const found: (typeof wanted)[number][] = [];
    for (let after = ''; ;) {
      const page = await settling.lines(carbonPlunk, month, { after, limit: 3 });
      found.push(...page.map(({ line }) => line));
      if (page.length < 3) break;
      after = page.at(-1)!.next;
    }
    expect(new Set(found.map(({ cdr_id }) => cdr_id)).size).toBe(found.length);
    expect(found).toHaveLength(wanted.length);
    const sorted = (all: typeof found) => all.map((line) => JSON.stringify(line)).sort();
    expect(sorted(found)).toEqual(sorted(wanted));
    expect(found.map(({ issuer, late }) => `${issuer} ${late ? 0 : 1}`)).toEqual(
      found.map(({ issuer, late }) => `${issuer} ${late ? 0 : 1}`).sort(),
    );
  }
  const cursors = [
    [-1, '2022-02-01T00:00:00Z', ''],
    [4, '2022-02-01T00:00:00Z', ''],
    [0, '2022-02-31T99:00:00Z', ''],
    [0, '2022-02-01T00:00:00Z', '\0'],
  ].map((cursor) => Buffer.from(JSON.stringify(cursor)).toString('base64url'));
  for (const after of ['x', ...cursors]) {
    await expect(settling.lines(carbonPlunk, '2022-02', { after, limit: 3 })).rejects.toMatchObject({ code: 'invalid-object' });
  }
});

test('the whole log read again makes the same statements, byte for byte', async () => {
  const all = async () => JSON.stringify(await Promise.all(
    ['2022-02', '2022-03', '2022-04'].map((month) => there.settling.statement(carbonPlunk, month)),
  ));
  const before = await all();
  await there.list.rebuild();
  expect(await all()).toBe(before);
});

test('a statement with nobody is refused by name: a mistyped partner is told apart from one that owes nothing', async () => {
  const { settling } = there;
  const mistyped = { country_code: 'CA', party_id: 'CPX' };
  const refused = { code: 'unknown-partner', detail: expect.stringContaining('CA*CPX is no partner of CA*BCT') as string };
  await expect(settling.statement(mistyped, '2022-02')).rejects.toMatchObject(refused);
  await expect(settling.lines(mistyped, '2022-02', { after: '', limit: 10 })).rejects.toMatchObject(refused);
  await expect(settling.statement({ country_code: 'CA', party_id: 'BCT' }, '2022-02')).rejects.toMatchObject({ code: 'unknown-partner' });
  // In a month in which nothing happened, whoever registered, or has a CDR of another month.
  await rememberPartner(there.db, { country_code: 'CA', party_id: 'NEW' }, 'Newcomer');
  const { statement } = await settling.statement({ country_code: 'CA', party_id: 'NEW' }, '2021-02');
  expect(statement.sentences).toEqual(['Energy OASIS and Newcomer owe each other nothing']);
  await there.ledger.receive(Buffer.from(JSON.stringify({ ...theirs(1, '2022-02-01T18:21:00Z', {}), party_id: 'BIL' })));
  expect(await settling.statement({ country_code: 'CA', party_id: 'BIL' }, '2021-02')).toMatchObject({ statement: { currencies: [] } });
});

test('two parties of one platform call each other by their names, and their statements are the same bytes', async () => {
  const { db, store, clock, list, parties: own } = there;
  const sibling = { ...own.first, party_id: 'SIB', name: 'Sibling' };
  await there.ledger.receive(toJsonBytes({ ...theirs(2, '2022-02-01T18:21:00Z', {}), party_id: 'SIB' }));
  const settling = new Settling({
    db, clock, recorder: new Recorder(store, privateParts(db)), parties: new OwnParties([own.first, sibling]),
    timeZone: 'America/Vancouver', list, disputes: list,
  });
  const [one, other] = [await settling.statement(sibling, '2022-02', own.first), await settling.statement(own.first, '2022-02', sibling)];
  expect(one.statement.parties.map(({ name }) => name)).toEqual(['Energy OASIS', 'Sibling']);
  expect(JSON.stringify(other.statement)).toBe(JSON.stringify(one.statement));
});

test('what one party of a platform charges drivers of another is on the statement that closes, under one agreement', async () => {
  const { db, store, clock, list, parties: own, ledger } = there;
  const sister = { ...own.first, party_id: 'SIS', name: 'Sister' };
  const settling = new Settling({
    db, clock, recorder: new Recorder(store, privateParts(db)), parties: new OwnParties([own.first, sister]),
    timeZone: 'America/Vancouver', list, disputes: list,
  });
  const parties = exampleTerms.parties.map((one) => (one.party_id === 'CPK' ? { ...one, party_id: 'SIS' } : one));
  const month = localMonth(clock.now(), there.zone);
  const terms = { ...exampleTerms, parties, valid_from: month };
  const named = { country_code: 'CA', party_id: 'SIS' };
  await settling.noteAgreement({ partner: named, version: 1, at: clock.iso(), terms });
  await ledger.issue({
    session: { ...session, id: 'OF-SISTER' }, location, tariff, tariffVersion: 1, token: { ...token, party_id: 'SIS' }, energyWh: '6000',
  });
  clock.advance(60 * 24 * HOUR);
  const [one, other] = [await settling.statement(named, month, own.first), await settling.statement(own.first, month, named)];
  expect(one.statement).toMatchObject({
    state: 'closed', sentences: ['Carbon Plunk Ltée owes Energy OASIS Inc. 3.35 CAD'],
    currencies: [{ invoices: [{ supplier: 'CA*BCT', total: '3.35', late: { cdrs: 0 }, lines: [{ cdr_id: 'OF-SISTER-1', late: false }] }] }],
  });
  expect(JSON.stringify(other)).toBe(JSON.stringify(one));
  expect(one.notes.awaiting).toBe(0);
  expect((await settling.statement(named, nextMonth(month), own.first)).statement.currencies).toEqual([]);
  // Changed by way of the other of the two, it is the same agreement.
  const next = nextMonth(nextMonth(month));
  await settling.noteAgreement({ partner: own.first, version: 1, at: clock.iso(), terms: { ...terms, valid_from: next, closing_days: 3 } });
  const [changed, seen] = await Promise.all([[named, own.first], [own.first, named]].map(([partner, by]) => settling.statement(partner!, next, by)));
  expect(seen!.statement.agreement).toBe(changed!.statement.agreement);
  expect(seen!.statement.agreement).not.toBe(one.statement.agreement);
});

test('what is agreed on after a restore, by a gateway that counts from 1 again, holds from its month', async () => {
  const { settling, clock } = there;
  const partner = { country_code: 'CA', party_id: 'RES' };
  const [month, first] = [localMonth(clock.now(), there.zone), '2022-02'];
  const parties = exampleTerms.parties.map((one) => (one.party_id === 'CPK' ? { ...one, party_id: 'RES' } : one));
  const note = (version: number, valid_from: string, closing_days: number) =>
    settling.noteAgreement({ partner, version, at: clock.iso(), terms: { ...exampleTerms, parties, valid_from, closing_days } });
  const closings = async () => Promise.all([first, month].map(async (each) => (await settling.statement(partner, each)).statement.closes_at));
  await note(1, first, 10);
  await note(2, month, 10);
  const before = await closings();
  clock.advance(HOUR);
  await note(1, month, 5);
  const after = await closings();
  expect(after[0]).toBe(before[0]);
  expect(instant(before[1]!) - instant(after[1]!)).toBe(5 * 24 * HOUR);
});

test('what is on its way to the partner is told apart from what it has', async () => {
  const { notes, text } = await there.settling.statement(carbonPlunk, '2022-04');
  const unacknowledged = held.filter(({ issuer, acknowledged_at }) => issuer === 'CA*BCT' && acknowledged_at === undefined);
  expect(notes.awaiting).toBe(unacknowledged.length);
  expect(text).toContain('Not acknowledged by the partner so far');
});

test('what is in dispute is noted on the statement that it stands on, as it is payable there', async () => {
  const { db, store, clock, ledger, list, settling, parties: own } = there;
  const party = { country_code: 'CA', party_id: 'LAT' };
  await settling.noteAgreement({ partner: party, version: 1, at: clock.iso(), terms: exampleTerms });
  const disputes = new Disputes({
    db, clock, parties: own, recorder: new Recorder(store, privateParts(db)), cdrs: list, list: { caughtUp: () => settled() },
  });
  const settled = async () => void (await settling.statement(party, '2022-02'));
  const dispute = async (id: string, more: Partial<Cdr>) => {
    await ledger.receive(toJsonBytes({ ...theirs(0, '2022-02-15T18:21:00Z', more), ...party, id }));
    return disputes.open({ commandId: id, party, cdrId: id, reason: 'Never charged', findings: [] });
  };
  // Both come long after their month has closed.
  expect(await dispute('L-1', { total_cost: { excl_vat: 53.7718, incl_vat: 56.4604 } })).toMatchObject({ amount: '56.46', currency: 'CAD' });
  expect(await dispute('L-2', { currency: 'kwd', total_cost: { excl_vat: 0.5701 } })).toMatchObject({ amount: '0.57', currency: 'KWD' });
  const noted = async (month: string) => {
    const { statement, notes } = await settling.statement(party, month);
    return { late: statement.currencies.map(({ currency, invoices }) => [currency, invoices[0]!.late]), disputed: notes.disputed };
  };
  expect(await noted('2022-02')).toEqual({ late: [], disputed: [] });
  expect(await noted(localMonth(clock.now(), there.zone))).toEqual({
    late: [['CAD', { cdrs: 1, incl_tax: '56.46' }], ['KWD', { cdrs: 1, incl_tax: '0.570' }]],
    disputed: [
      { issuer: 'CA*LAT', currency: 'CAD', cdrs: 1, amount: '56.46' },
      { issuer: 'CA*LAT', currency: 'KWD', cdrs: 1, amount: '0.570' },
    ],
  });
});

test('agreements are in the chain', async () => {
  expect(await there.proofs.verify()).toMatchObject([{ ledger: 'CA*BCT', problem: undefined }]);
  const { rowCount } = await there.superuser.query(`SELECT 1 FROM events WHERE stream = 'agreement-CA-BCT-CA-CPK'`);
  expect(rowCount).toBe(2);
});
