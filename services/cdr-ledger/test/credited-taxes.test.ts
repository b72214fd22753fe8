import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { entryText } from '#chain';
import { toJsonBytes } from '#contracts';
import { decimal, sum } from '#money';
import { type Cdr, creditCdr, type Price } from '#ocpi';
import { timeUuid } from '#postgres';
import { type AgreementTerms, exampleTerms, type Taxed } from '#settlement';
import { type CdrReceived, receivedStream } from '../src/received-cdr.ts';
import { allBack, isAllBack } from '../src/taken-back.ts';
import { cdr, oasis, tariff } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

let plunk: TestLedger;

beforeAll(async () => {
  plunk = await testLedger({ partyId: 'CPK' });
  await push(theirs('FIRST'));
});
afterAll(() => plunk?.close());

const later = '2022-02-01T18:21:00Z';
/** However busy the machine is. */
const listed = () => vi.waitFor(() => plunk.list.caughtUp(), { timeout: 60_000 });
const push = async (body: Cdr) => {
  await plunk.ledger.receive(toJsonBytes(body));
  await listed();
};
const theirs = (id: string, more: Partial<Cdr> = {}): Cdr => ({ ...cdr, id, session_id: `S-${id}`, ...more });
const inQuebec = {
  cdr_location: { ...cdr.cdr_location, state: 'QC', postal_code: 'H2X 1Y4', city: 'Montréal' },
  tariffs: [{ ...tariff, elements: [{ price_components: [{ type: 'ENERGY', price: 0.49, vat: 14.975, step_size: 1 }] }] }],
} satisfies Partial<Cdr>;
const priceOf = (excl_vat: number, incl_vat: number): Price => ({ excl_vat, incl_vat });

/** A CDR as a release recorded it whose data of taxes was another. */
async function notedThen(body: Cdr, taxed: Taxed | undefined): Promise<void> {
  const [first] = await plunk.store.read(receivedStream(theirs('FIRST')));
  const { taxed: _, ...event } = JSON.parse(first!.data) as CdrReceived;
  const [id, stream] = [timeUuid(), receivedStream(body)];
  const { cdr_token, ...rest } = body;
  const noted = { ...event, cdr: { ...event.cdr, ...rest }, ...(taxed && { taxed }) };
  const entry = { id, type: event.type, data: entryText({ id, stream, version: 1 }, noted) };
  await plunk.store.append([{ stream, expected: 0, events: [entry] }]);
  await listed();
}

async function taxesOf(id: string) {
  await listed();
  const { rows } = await plunk.superuser.query('SELECT taxes, remarks FROM cdrs WHERE cdr_id = $1', [id]);
  return { taxes: rows[0]!.taxes ?? [], remarks: rows[0]!.remarks ?? [] };
}

const amounts = async (id: string) => (await taxesOf(id)).taxes.map(({ code, amount }: { code: string; amount: string }) => `${code} ${amount}`);

const vat = { taxes: [{ code: 'VAT', rate: '5', base: '2.94', amount: '0.15' }], remarks: ['tax-differs-from-place'] } as const;
const vatBack = { taxes: [{ code: 'VAT', rate: '5', base: '-2.94', amount: '-0.15' }], remarks: ['tax-differs-from-place'] };

test('a partner\'s Credit CDR takes back the taxes that its original had noted, whatever the data of taxes is by now', async () => {
  await notedThen(theirs('N-1'), vat);
  await push(creditCdr(theirs('N-1'), later));
  expect(await taxesOf('N-1-C')).toEqual(vatBack);
  const [entry] = await plunk.store.read(receivedStream({ ...oasis, id: 'N-1-C' }));
  expect(JSON.parse(entry!.data)).toMatchObject({ taxed: vatBack, findings: [] });
});

test.each<[string, string, (original: Cdr) => Partial<Cdr>, string]>([
  ['its total positive', 'M-1', ({ total_cost }) => ({ total_cost }), 'M-1-C'],
  ['no flag, but the reference', 'M-2', () => ({ credit: false }), 'M-2-C'],
  ['the id of its original', 'M-3', ({ id }) => ({ id }), 'M-3-C'],
  ['neither flag nor reference, of the same session', 'M-4', () => ({ id: 'BACK-4', credit: false, credit_reference_id: undefined as never }), 'BACK-4'],
  ['the id of its original in small letters', 'M-5', () => ({ credit_reference_id: 'm-5' }), 'M-5-C'],
])('a credit with %s does so, too', async (_, id, sloppy, known) => {
  const original = theirs(id);
  await notedThen(original, vat);
  await push({ ...creditCdr(original, later), ...sloppy(original) });
  expect(await taxesOf(known)).toEqual(vatBack);
});

test('Credit CDRs that take back a CDR in parts take back of each tax exactly what was charged', async () => {
  const original = theirs('P-1', { ...inQuebec, total_cost: priceOf(10, 11.5) });
  await push(original);
  expect(await amounts('P-1')).toEqual(['GST 0.50', 'QST 1.00']);
  const part = (n: number, total_cost: Price) => push({ ...creditCdr(original, later), id: `P-1-C${n}`, total_cost });
  await part(1, priceOf(-3.33, -3.83));
  await part(2, priceOf(-3.33, -3.83));
  await part(3, priceOf(-3.34, -3.84));
  expect(await Promise.all([1, 2, 3].map((n) => amounts(`P-1-C${n}`)))).toEqual([
    ['GST -0.17', 'QST -0.33'], ['GST -0.16', 'QST -0.34'], ['GST -0.17', 'QST -0.33'],
  ]);
  expect((await taxesOf('P-1-C3')).taxes.map(({ base }: { base: string }) => base)).toEqual(['-3.34', '-3.34']);
});

test('parts of a CDR that are credited at the same instant, beside the CDR itself, are taken back one after the other', async () => {
  const original = theirs('I-1', { ...inQuebec, total_cost: priceOf(10, 11.5) });
  const part = (n: number, total_cost: Price) => ({ ...creditCdr(original, later), id: `I-1-C${n}`, total_cost });
  const all = [original, part(1, priceOf(-3.33, -3.83)), part(2, priceOf(-3.33, -3.83)), part(3, priceOf(-3.34, -3.84))];
  await Promise.all(all.map((body) => plunk.ledger.receive(toJsonBytes(body))));
  await listed();
  expect(await Promise.all([1, 2, 3].map((n) => amounts(`I-1-C${n}`)))).toEqual([
    ['GST -0.17', 'QST -0.33'], ['GST -0.16', 'QST -0.34'], ['GST -0.17', 'QST -0.33'],
  ]);
  const { rows } = await plunk.superuser.query(`SELECT energy_kwh::text, remarks FROM cdrs WHERE credit_of = 'i-1' ORDER BY "position"`);
  expect(rows).toMatchObject([{ energy_kwh: '0', remarks: ['part-credit'] }, { energy_kwh: '0', remarks: ['part-credit'] }, { energy_kwh: '-6', remarks: null }]);
});

test('parts of a CDR that come to two replicas at the same instant take its session back once', async () => {
  const second = await testLedger({ partyId: 'CPK', on: plunk.databaseUrl });
  onTestFinished(() => second.close());
  const remarks: unknown[] = [];
  for (const id of ['J-1', 'J-2', 'J-3']) {
    const original = theirs(id, { total_cost: { excl_vat: 10 } });
    await push(original);
    const part = (n: number) => toJsonBytes({ ...creditCdr(original, later), id: `${id}-C${n}`, total_cost: { excl_vat: -5 } });
    await Promise.all([plunk.ledger.receive(part(1)), second.ledger.receive(part(2))]);
    await listed();
    const { rows } = await plunk.superuser.query(`SELECT remarks::text FROM cdrs WHERE credit_of = $1`, [id.toLowerCase()]);
    remarks.push(rows.map((row) => row.remarks?.includes('part-credit') ?? false).sort());
  }
  expect(remarks).toEqual([[false, true], [false, true], [false, true]]);
});

test('of negative bills that name no CDR, and come at the same instant to whatever replica, one credits the CDR of their session, in its currency', async () => {
  const second = await testLedger({ partyId: 'CPK', on: plunk.databaseUrl });
  onTestFinished(() => second.close());
  for (const [id, other] of [['K-1', plunk], ['K-2', second], ['K-3', plunk], ['K-4', second]] as const) {
    const original = theirs(id, { total_cost: { excl_vat: 10 } });
    await push(original);
    const bill = (n: number, currency = 'cad') => toJsonBytes({ ...original, id: `${id}-REFUND${n}`, currency, total_cost: { excl_vat: -10 } });
    await plunk.ledger.receive(bill(0, 'USD'));
    await Promise.all([plunk.ledger.receive(bill(1)), other.ledger.receive(bill(2))]);
    await listed();
    const { rows } = await plunk.superuser.query(`SELECT credit_of || ' ' || currency AS of FROM cdrs WHERE cdr_key LIKE $1 ORDER BY 1`, [`${id.toLowerCase()}-%`]);
    expect(rows.map((row) => row.of)).toEqual([' CAD', ' USD', `${id.toLowerCase()} CAD`]);
  }
});

test('a part of a tax of several rates takes back that tax, with its base', async () => {
  const original = theirs('P-2', { total_cost: priceOf(10, 11) });
  await notedThen(original, { taxes: [{ code: 'VAT', rate: '', base: '10.00', amount: '1.00' }], remarks: [] });
  const part = (n: number, total_cost: Price) => push({ ...creditCdr(original, later), id: `P-2-C${n}`, total_cost });
  await part(1, priceOf(-4, -4.4));
  await part(2, priceOf(-6, -6.6));
  expect((await taxesOf('P-2-C1')).taxes).toEqual([{ code: 'VAT', rate: '', base: '-4.00', amount: '-0.40' }]);
  expect((await taxesOf('P-2-C2')).taxes).toEqual([{ code: 'VAT', rate: '', base: '-6.00', amount: '-0.60' }]);
});

test('a credit of a CDR that told no tax takes none back, and one in another currency is settled by itself', async () => {
  await notedThen(theirs('T-1', { total_cost: { excl_vat: 2.94 } }), { taxes: [], remarks: [] });
  await push({ ...creditCdr(theirs('T-1'), later), total_cost: { excl_vat: -2.94 } });
  expect(await taxesOf('T-1-C')).toEqual({ taxes: [], remarks: [] });
  await notedThen(theirs('T-2'), vat);
  await push({ ...creditCdr(theirs('T-2'), later), currency: 'USD' });
  expect(await amounts('T-2-C')).toEqual(['GST -0.15']);
  await notedThen(theirs('T-3'), vat);
  await push({ ...creditCdr(theirs('T-3'), later), total_cost: { excl_vat: -2.94 } });
  expect(await taxesOf('T-3-C')).toEqual({ taxes: [], remarks: ['no-tax-told'] });
});

test('a credit that overtakes its original, or is of a CDR of a former release, takes back what it tells', async () => {
  const original = theirs('O-1', { ...inQuebec, total_cost: priceOf(10, 11.5) });
  await push(creditCdr(original, later));
  await push(original);
  expect(await amounts('O-1-C')).toEqual(['GST -0.50', 'QST -1.00']);
  await notedThen(theirs('O-2'), undefined);
  // As that release had it in its list: its issuer credits it by the data of today, too.
  await listed();
  await plunk.superuser.query('UPDATE cdrs SET taxes = $1, remarks = $2 WHERE cdr_id = $3', [JSON.stringify(vat.taxes), JSON.stringify(vat.remarks), 'O-2']);
  await push(creditCdr(theirs('O-2'), later));
  expect(await amounts('O-2-C')).toEqual(['GST -0.15']);
  await plunk.list.rebuild();
  expect(await amounts('O-2')).toEqual(['GST 0.15']);
});

test('Credit CDRs that take back a CDR in parts take back its session, its energy and the fees on them once, with the last', async () => {
  const [oasisTerms, ours] = exampleTerms.parties as [AgreementTerms['parties'][number], AgreementTerms['parties'][number]];
  const partner = { country_code: 'CA', party_id: 'PRT' };
  const fee = { ...exampleTerms.fees[0]!, cdrs_of: partner };
  const fees = [fee, { ...fee, name: 'Energy fee', per: 'kwh' as const, amount: '0.10' }];
  const terms = { ...exampleTerms, parties: [{ ...oasisTerms, ...partner }, ours], fees };
  await plunk.settling.noteAgreement({ partner, version: 1, at: later, terms });
  const original = theirs('F-1', { ...partner, total_cost: priceOf(10, 10.5) });
  await push(original);
  // Each tells all of the energy, as OCPI has it; the second one what it takes of it.
  const part = (n: number, total_cost: Price, more: Partial<Cdr> = {}) => push({ ...creditCdr(original, later), id: `F-1-C${n}`, total_cost, ...more });
  const invoice = async () => {
    const { charging: { cdrs, credits, energy_kwh, incl_tax, part_credits }, fees: its, places: [place] } = (
      await plunk.settling.statement(partner, '2022-02')).statement.currencies[0]!.invoices[0]!;
    return { cdrs, credits, part_credits, energy_kwh, incl_tax, sessions: place!.sessions, fees: its.map(({ quantity, per, amount }) => `${quantity} ${per} ${amount}`) };
  };
  await part(1, priceOf(-4, -4.2));
  const whole = { cdrs: 1, sessions: 1, energy_kwh: '6', fees: ['6 kwh 0.60', '1 session 0.25'] };
  expect(await invoice()).toEqual({ ...whole, credits: 1, part_credits: 1, incl_tax: '6.30' });
  await part(2, priceOf(-4, -4.2), { total_energy: 2 });
  expect(await invoice()).toMatchObject({ sessions: 1, energy_kwh: '4', fees: ['4 kwh 0.40', '1 session 0.25'], incl_tax: '2.10' });
  await part(3, priceOf(-2, -2.1));
  expect(await invoice()).toEqual({ cdrs: 1, credits: 3, part_credits: 2, sessions: 0, energy_kwh: '0', fees: [], incl_tax: '0.00' });
  // What its issuer rounded to a cent less is meant to be all of it.
  const rounded = theirs('F-2', { ...partner, total_cost: priceOf(10.0049, 10.5051) });
  await push(rounded);
  await push({ ...creditCdr(rounded, later), total_cost: priceOf(-9.99, -10.49) });
  expect(await invoice()).toMatchObject({ cdrs: 2, credits: 4, part_credits: 2, sessions: 0, energy_kwh: '0', incl_tax: '0.02' });
  // And the cent after all.
  await push({ ...creditCdr(rounded, later), id: 'F-2-CENT', total_cost: priceOf(-0.01, -0.02) });
  expect(await invoice()).toMatchObject({ cdrs: 2, credits: 5, part_credits: 3, sessions: 0, energy_kwh: '0', incl_tax: '0.00' });
});

test('all rows made anew from the log are the same, and so is the statement, where each CDR and its credits come to no tax', async () => {
  const read = async () => {
    await listed();
    const { rows } = await plunk.superuser.query('SELECT * FROM cdrs ORDER BY "position"');
    return { rows, statement: await plunk.settling.statement(oasis, '2022-02') };
  };
  const before = await read();
  await plunk.list.rebuild();
  expect(await read()).toEqual(before);
  const left = (id: string, code: string) => sum(before.rows
    .filter((row) => row.cdr_id === id || row.credit_reference_id?.toUpperCase() === id)
    .flatMap(({ taxes }) => taxes ?? []).filter((tax: { code: string }) => tax.code === code)
    .map(({ amount }: { amount: string }) => decimal(amount))).toString();
  for (const [id, code] of [['N-1', 'VAT'], ['M-1', 'VAT'], ['P-1', 'GST'], ['P-1', 'QST'], ['P-2', 'VAT'], ['O-1', 'GST'], ['O-1', 'QST']])
    expect(`${id} ${code} ${left(id!, code!)}`).toBe(`${id} ${code} 0`);
});

test.each([
  ['2.94', '-2.94', 'CAD', true], ['2.94', '-2.93', 'CAD', true], ['2.94', '-2.92', 'CAD', false], ['2.94', '-5.00', 'CAD', true],
  ['-2.94', '2.93', 'CAD', true], ['0.01', '0.00', 'CAD', false], ['0.00', '0.00', 'CAD', true],
  ['100', '-99', 'JPY', true], ['100', '-98', 'JPY', false], ['1.000', '-0.999', 'KWD', true], ['1.000', '-0.998', 'KWD', false],
] as const)('of %s a credit of %s %s takes back all, but for what rounding makes of it: %s, by the rows as by the entries', async (price, back, currency, isAll) => {
  expect(isAllBack({ price: decimal(price), back: decimal(back), currency })).toBe(isAll);
  const { rows } = await plunk.db.query(`SELECT ${allBack('$1::numeric', '$2::numeric')} AS "isAll"`, [price, back]);
  expect(rows).toEqual([{ isAll }]);
});
