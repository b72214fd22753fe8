import { expect, test } from 'vitest';
import { zone } from '#time';
import { type StatementCdr, statementOf } from './statement.ts';
import { statementText } from './statement-text.ts';

const own = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS' };
const partner = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk' };
const vancouver = zone('America/Vancouver');

function cdr(cdrId: string, inclVat: string, more: Partial<StatementCdr> = {}): StatementCdr {
  return {
    cdrId,
    inclVat,
    exclVat: inclVat,
    credit: false,
    lastUpdated: '2022-02-01T19:00:00Z',
    currency: 'CAD',
    energyKwh: '10',
    findings: [],
    ...more,
  };
}

function statement(issued: readonly StatementCdr[], received: readonly StatementCdr[] = []) {
  return statementOf({ own, partner, month: '2022-02', zone: vancouver, issued, received });
}

test('a partner owes what its drivers charged, less what was credited', () => {
  const corrected = [
    cdr('S-1', '12.96', { exclVat: '12.34' }),
    cdr('S-1-C', '-12.96', { exclVat: '-12.34', credit: true, creditReferenceId: 'S-1' }),
    cdr('S-2', '10.50', { exclVat: '10' }),
  ];
  const { issued, net, sentences } = statement(corrected);
  expect(issued.totals).toEqual([
    {
      currency: 'CAD',
      cdrs: 2,
      credits: 1,
      energy_kwh: '10',
      charged: '23.46',
      credited: '12.96',
      balance_excl_vat: '10.00',
      vat: '0.50',
      balance: '10.50',
    },
  ]);
  expect(net).toEqual([{ currency: 'CAD', amount: '10.50', debtor: partner, creditor: own }]);
  expect(sentences).toEqual(['Carbon Plunk owes Energy OASIS 10.50 CAD']);
});

test('both directions are settled apart and only the payment is netted', () => {
  const { issued, received, net } = statement([cdr('A', '5.00')], [cdr('B', '8.25')]);
  expect([issued.totals[0]?.balance, received.totals[0]?.balance]).toEqual(['5.00', '8.25']);
  expect(net).toEqual([{ currency: 'CAD', amount: '3.25', debtor: own, creditor: partner }]);
});

test.each([
  [
    'each CDR is rounded once, half away from zero, and then summed',
    ['0.005', '0.005', '0.004'],
    '0.02',
  ],
  ['tenths are exact', ['0.1', '0.2'], '0.30'],
  ['a thousand small ones are exact', Array.from({ length: 1000 }, () => '0.01'), '10.00'],
  ['a total without VAT is paid as it is', ['4.33'], '4.33'],
])('%s', (_, amounts, balance) => {
  const total = statement(amounts.map((amount, n) => cdr(`C${n}`, amount))).issued.totals[0];
  expect(total?.balance).toBe(balance);
});

test('a partner who forgets the sign of a credit is understood', () => {
  const { net } = statement(
    [],
    [cdr('B', '8.00'), cdr('B-C', '8.00', { credit: true, creditReferenceId: 'B' })],
  );
  expect(net).toEqual([{ currency: 'CAD', amount: '0.00' }]);
});

test('currencies are settled one by one, in their own digits', () => {
  const { sentences } = statement(
    [cdr('A', '5.00'), cdr('B', '700.4', { currency: 'JPY' })],
    [cdr('C', '9.00')],
  );
  expect(sentences).toEqual([
    'Energy OASIS owes Carbon Plunk 4.00 CAD',
    'Carbon Plunk owes Energy OASIS 700 JPY',
  ]);
});

test('nothing charged is nothing owed', () => {
  expect(statement([]).sentences).toEqual(['Carbon Plunk and Energy OASIS owe each other nothing']);
});

test('CDRs are listed in the order of their time, whatever order they come in', () => {
  const early = cdr('Z', '1.00');
  const late = cdr('A', '2.00', { lastUpdated: '2022-02-03T19:00:00Z' });
  const there = statement([late, early]);
  expect(there.issued.lines.map(({ cdr_id }) => cdr_id)).toEqual(['Z', 'A']);
  expect(JSON.stringify(there)).toBe(JSON.stringify(statement([early, late])));
});

test('its text ends with who owes whom how much', () => {
  const text = statementText(
    statement([
      cdr('S-1', '12.96', {
        exclVat: '12.34',
        findings: ['price-differs'],
        lastUpdated: '2022-02-02T05:00:00Z',
      }),
    ]),
    vancouver,
  );
  expect(text).toContain('  2022-02-01  12.96 CAD  S-1  10 kWh  (price-differs)');
  expect(text).toContain('1 CDR 12.96 − 0 credits 0.00 = 12.96 CAD (12.34 and VAT 0.62)');
  expect(text.split('\n').at(-1)).toBe('Carbon Plunk owes Energy OASIS 12.96 CAD');
});
