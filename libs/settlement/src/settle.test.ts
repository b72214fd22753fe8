import { expect, test } from 'vitest';
import { decimal, sum } from '#money';
import { instant, zone } from '#time';
import { SettlementCalendar } from './calendar.ts';
import { exampleCdr, exampleTerms } from './example.ts';
import { settle } from './settle.ts';
import { type CdrToSettle, settledCdr } from './settled.ts';
import { statementText } from './statement-text.ts';
import { type HeldCdr, tallied } from './tally.ts';
import { type AgreementTerms, termsDigest } from './terms.ts';

const OASIS = 'CA*BCT';
const PLUNK = 'CA*CPK';
const parties = [{ party: PLUNK, name: 'Carbon Plunk' }, { party: OASIS, name: 'Energy OASIS' }];

function cdr(id: string, more: Partial<CdrToSettle> = {}, held: Partial<HeldCdr> = {}): HeldCdr {
  const settled = settledCdr({ ...exampleCdr, id, ...more });
  return { ...settled, issuer: OASIS, acknowledged_at: settled.last_updated, ...held };
}

const paid = (incl_vat: number, currency = 'CAD') => ({ currency, total_cost: { excl_vat: incl_vat } });

function statement(cdrs: readonly HeldCdr[], versions: readonly AgreementTerms[] = [], month = '2022-02') {
  const calendar = new SettlementCalendar(versions, zone('America/Vancouver'));
  const now = instant('2022-04-20T00:00:00Z');
  return settle({ month, calendar, now, parties, ...tallied(cdrs, { calendar, month, now }) });
}

const credit = { credit: true, credit_reference_id: 'S-1', total_cost: { excl_vat: -10, incl_vat: -10.5 } };

test('a partner owes what its drivers charged, less what was credited', () => {
  const { currencies: [cad], sentences } = statement([
    cdr('S-1', { total_cost: { excl_vat: 12.34, incl_vat: 12.96 } }),
    cdr('S-1-C', { ...credit, total_cost: { excl_vat: -12.34, incl_vat: -12.96 } }),
    cdr('S-2', { total_cost: { excl_vat: 10, incl_vat: 10.5 } }),
  ]);
  expect(cad?.invoices[0]?.charging).toEqual({
    cdrs: 2, credits: 1, energy_kwh: '20', charged: '23.46', credited: '12.96',
    excl_tax: '10.00', tax: '0.50', incl_tax: '10.50',
  });
  expect(cad?.net).toEqual({ amount: '10.50', debtor: PLUNK, creditor: OASIS });
  expect(sentences).toEqual(['Carbon Plunk owes Energy OASIS 10.50 CAD']);
});

test('a month is called closed an hour after its closing, when nothing that was received before is on its way to the log', () => {
  const calendar = new SettlementCalendar([exampleTerms], zone('America/Vancouver'));
  const month = '2022-02';
  const stateAt = (now: string) =>
    settle({ month, calendar, parties, now: instant(now), ...tallied([], { calendar, month, now: instant(now) }) }).state;
  expect(['2022-03-11T08:00:00Z', '2022-03-11T08:00:01Z', '2022-03-11T09:00:00Z', '2022-03-11T09:00:01Z'].map(stateAt))
    .toEqual(['open', 'open', 'open', 'closed']);
});

test('each direction has its own invoice and only the payment is netted', () => {
  const { currencies: [cad] } = statement([cdr('A', paid(5)), cdr('B', paid(8.25), { issuer: PLUNK })]);
  expect(cad?.invoices.map(({ number, total }) => `${number} ${total}`)).toEqual([
    'CABCT-CACPK-202202-CAD 5.00', 'CACPK-CABCT-202202-CAD 8.25',
  ]);
  expect(cad?.net).toEqual({ amount: '3.25', debtor: OASIS, creditor: PLUNK });
});

test.each([
  ['each CDR is rounded once, half away from zero, and then summed', [0.005, 0.005, 0.004], '0.02'],
  ['tenths are exact', [0.1, 0.2], '0.30'],
  ['a thousand small ones are exact', Array.from({ length: 1000 }, () => 0.01), '10.00'],
])('%s', (_, amounts, total) => {
  const cdrs = amounts.map((amount, n) => cdr(`C${n}`, paid(amount)));
  expect(statement(cdrs).currencies[0]?.invoices[0]?.total).toBe(total);
});

test('there is one statement for each currency, in its own digits, and nothing is converted', () => {
  const { sentences } = statement([
    cdr('A', paid(5)), cdr('B', paid(700.4, 'JPY')), cdr('C', paid(9), { issuer: PLUNK }), cdr('D', paid(1.0005, 'KWD')),
  ]);
  expect(sentences).toEqual([
    'Energy OASIS owes Carbon Plunk 4.00 CAD',
    'Carbon Plunk owes Energy OASIS 700 JPY',
    'Carbon Plunk owes Energy OASIS 1.001 KWD',
  ]);
});

test('nothing charged is nothing owed', () => {
  expect(statement([]).sentences).toEqual(['Energy OASIS and Carbon Plunk owe each other nothing']);
});

test('a fee for each session carries the taxes of its payer, where its supplier is registered for them', () => {
  const cdrs = [cdr('S-1'), cdr('S-1-C', { ...credit }), cdr('S-2'), cdr('T-1')];
  // In Quebec GST and QST are due, but Energy OASIS is registered for the GST alone.
  const { currencies: [cad] } = statement(cdrs, [exampleTerms]);
  expect(cad?.invoices[0]).toMatchObject({
    issued_on: '2022-03-10', due_on: '2022-04-09',
    fees: [{ name: 'Roaming fee', per: 'session', quantity: '2', price: '0.25', amount: '0.50' }],
    fee_taxes: [{ code: 'GST', rate: '5', base: '0.50', amount: '0.03' }],
    excl_tax: '20.50', tax: '1.03', total: '21.53',
  });
});

const fee = exampleTerms.fees[0]!;

test.each([
  [{ ...fee, per: 'kwh' as const, amount: '0.0125' }, '40', '0.50', OASIS],
  [{ ...fee, per: 'percent' as const, amount: '2.5', currency: '' }, '20.00', '0.50', OASIS],
  [{ ...fee, per: 'percent' as const, amount: '2.5', currency: '', paid_by: 'CPO' as const }, '20.00', '0.50', PLUNK],
  [{ ...fee, paid_by: 'CPO' as const }, '2', '0.50', PLUNK],
])('a fee %j of two sessions', (agreed, quantity, amount, supplier) => {
  const { currencies: [cad] } = statement([cdr('S-1'), cdr('T-1')], [{ ...exampleTerms, fees: [agreed] }]);
  const invoice = cad?.invoices.find(({ fees }) => fees.length > 0);
  expect(invoice).toMatchObject({ supplier, fees: [{ quantity, amount }] });
});

test('a fee in a currency is for sessions in that currency only', () => {
  const { currencies } = statement([cdr('S-1', paid(700, 'JPY'))], [exampleTerms]);
  expect(currencies.map(({ invoices }) => invoices.map(({ fees }) => fees))).toEqual([[[]]]);
});

test('a credit takes back the fee that its original paid, though another is agreed by then', () => {
  const later = { ...exampleTerms, valid_from: '2022-03', fees: [{ ...fee, amount: '0.40' }] };
  const march = { last_updated: '2022-03-05T18:00:00Z' };
  const cdrs = [cdr('S-1'), cdr('S-1-C', { ...credit, ...march }), cdr('S-2', march)];
  const { currencies: [cad] } = statement(cdrs, [exampleTerms, later], '2022-03');
  expect(cad?.invoices[0]?.fees.map(({ quantity, price, amount }) => `${quantity} × ${price} = ${amount}`)).toEqual([
    '-1 × 0.25 = -0.25', '1 × 0.4 = 0.40',
  ]);
  // An original that is acknowledged after March had closed changes nothing of March.
  const [original, ...others] = cdrs as [HeldCdr, ...HeldCdr[]];
  const overtaken = { ...original, acknowledged_at: '2022-04-11T08:00:00Z' };
  const closed = [others, [...others, overtaken]].map((all) => JSON.stringify(statement(all, [exampleTerms, later], '2022-03')));
  expect(closed[1]).toBe(closed[0]);
});

test('a CDR acknowledged after the closing instant is named as late on the next statement', () => {
  const late = { acknowledged_at: '2022-03-11T08:00:00.001Z' };
  const cdrs = [cdr('S-1'), cdr('S-2', {}, late)];
  const [february, march] = ['2022-02', '2022-03'].map((month) => statement(cdrs, [exampleTerms], month));
  expect(february?.currencies[0]?.invoices[0]?.lines.map(({ cdr_id }) => cdr_id)).toEqual(['S-1']);
  expect(march?.currencies[0]?.invoices[0]).toMatchObject({
    late: { cdrs: 1, incl_tax: '10.50' }, lines: [{ cdr_id: 'S-2', late: true }],
  });
  expect(statementText(march!)).toContain('S-2  20 kWh  (late)');
});

test('one that nobody acknowledged is on the open statement and on no closed one', () => {
  const unacknowledged = [cdr('S-1', {}, { acknowledged_at: undefined })];
  expect(statement(unacknowledged, [exampleTerms]).currencies).toEqual([]);
  const april = statement(unacknowledged, [exampleTerms], '2022-04');
  expect(april).toMatchObject({ state: 'open', currencies: [{ invoices: [{ late: { cdrs: 1 } }] }] });
});

test('the taxes of Quebec are shown one by one and add up to the tax of the CDRs', () => {
  const cdr_location = { ...exampleCdr.cdr_location, state: 'QC' };
  const cdrs = [1, 2, 3].map((n) => cdr(`Q-${n}`, { cdr_location, total_cost: { excl_vat: 10.01, incl_vat: 11.51 } }));
  expect(statement(cdrs).currencies[0]?.invoices[0]?.taxes).toEqual([
    { code: 'GST', rate: '5', base: '30.03', amount: '1.50' },
    { code: 'QST', rate: '9.975', base: '30.03', amount: '3.00' },
  ]);
});

test('a partner who makes up currencies, places and rates makes no statement that an answer cannot hold', () => {
  const odd = Array.from({ length: 3_000 }, (_, n) => cdr(`C-${n}`, {
    currency: `X${String.fromCharCode(65 + (n % 26), 65 + (n % 25))}`, total_cost: { excl_vat: 1, incl_vat: 2 },
    cdr_location: { ...exampleCdr.cdr_location, id: `L-${n}`, name: 'é'.repeat(255), country: 'DEU' },
    tariffs: [{ elements: [{ price_components: [{ type: 'FLAT', price: 1, vat: n / 100, step_size: 1 }] }] }] as never,
  }));
  const one = statement(odd);
  // The ledger gives it 300 lines, at most 600 bytes each.
  const withoutLines = JSON.stringify(one, (key, value: unknown) => (key === 'lines' ? [] : value));
  expect(Buffer.byteLength(withoutLines)).toBeLessThan(400_000);
  expect(one.currencies).toHaveLength(20);
  expect(one.currencies_left_out).toBeGreaterThan(0);
  for (const { invoices } of one.currencies) {
    for (const { taxes, charging, places, places_left_out } of invoices) {
      expect(taxes).toHaveLength(Math.min(charging.cdrs, 20));
      expect(sum(taxes.map(({ amount }) => decimal(amount))).equals(decimal(charging.tax))).toBe(true);
      expect(places.length + places_left_out).toBe(charging.cdrs);
    }
  }
});

test('what is owed in a currency of the agreement is on the statement, whatever others a partner makes up', () => {
  const odd = Array.from({ length: 25 }, (_, n) => cdr(`C-${n}`, paid(1, `A${String.fromCharCode(65 + n)}X`)));
  const { currencies, currencies_left_out, sentences } = statement([...odd, cdr('S-1', paid(10.5))], [exampleTerms]);
  expect([currencies.length, currencies_left_out]).toEqual([20, 6]);
  expect(sentences.at(-1)).toBe('Charges in 6 more currencies are not on this statement');
  expect(currencies.find(({ currency }) => currency === 'CAD')?.invoices[0]?.charging.incl_tax).toBe('10.50');
});

test('the order in which terms are written down is not part of them', () => {
  const other = { ...exampleTerms, parties: [...exampleTerms.parties].reverse() };
  expect(termsDigest(other)).toBe(termsDigest(exampleTerms));
  expect(termsDigest({ ...exampleTerms, closing_days: 11 })).not.toBe(termsDigest(exampleTerms));
});

test('its text ends with who owes whom how much', () => {
  const later = cdr('S-1', { last_updated: '2022-02-02T05:00:00Z' });
  const notes = { awaiting: 1, disputed: [], findings: [{ issuer: OASIS, cdr_id: 'S-1', codes: ['price-differs'] }] };
  const text = statementText(statement([later], [exampleTerms]), notes);
  expect(text).toContain('  2022-02-01  10.50 CAD  S-1  20 kWh  (price-differs)');
  expect(text).toContain('1 CDR 10.50 − 0 credits 0.00 = 10.50 CAD (10.00 and tax 0.50)');
  expect(text).toContain('    GST 5 % on 10.00: 0.50 CAD');
  expect(text).toContain('Not acknowledged by the partner so far: 1 CDR');
  expect(text.split('\n').at(-1)).toBe('Carbon Plunk Ltée owes Energy OASIS Inc. 10.76 CAD');
  expect(text).toContain('America/Vancouver; closed 2022-03-11T08:00:00Z\n');
});

test('its text names once what the statement remarks on and the receiver found, too', () => {
  const odd = { ...cdr('S-1'), remarks: ['tax-differs-from-place' as const] };
  const findings = [{ issuer: OASIS, cdr_id: 'S-1', codes: ['tax-differs-from-place', 'price-differs'] }];
  const text = statementText(statement([odd], [exampleTerms]), { awaiting: 0, disputed: [], findings });
  expect(text).toContain('S-1  20 kWh  (tax-differs-from-place, price-differs)');
});

test('the text of a provisional statement says until when counts what is acknowledged, the hour after the closing as well', () => {
  const text = statementText({ ...statement([cdr('S-1')], [exampleTerms]), state: 'open' });
  expect(text).toContain('America/Vancouver; provisional: what is acknowledged until 2022-03-11T08:00:00Z counts\n');
});
