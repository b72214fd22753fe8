import { expect, test } from 'vitest';
import { decimal, sum } from '#money';
import { settledStatement } from '../test/settled-statement.ts';
import { csvFees, csvLines, CSV_HEADER, invoicesOf } from './statement-csv.ts';

const rowsOf = (csv: string) => csv.trimEnd().split('\r\n').map((row) => row.split(','));

test('the rows of an invoice add up to its total', () => {
  const { statement, lines } = settledStatement(40, '');
  const csv = CSV_HEADER + csvLines(lines, invoicesOf(statement)) + csvFees(statement);
  const [titles, ...rows] = rowsOf(csv);
  const column = (name: string) => titles!.indexOf(name);
  expect(rows.every((row) => row.length === titles!.length)).toBe(true);
  const invoices = statement.currencies.flatMap((one) => one.invoices);
  expect(invoices).toHaveLength(2);
  for (const { number, total, tax } of invoices) {
    const its = rows.filter((row) => row[column('invoice')] === number);
    const added = (name: string) => sum(its.map((row) => decimal(row[column(name)]!))).toFixed(2);
    expect([added('incl_tax'), added('tax')]).toEqual([total, tax]);
  }
});

test('a percentage is said as one', () => {
  const { statement } = settledStatement(4, '');
  const [invoice] = statement.currencies[0]!.invoices;
  const fee = { name: 'Clearing', per: 'percent' as const, quantity: '8.18', price: '1.25', amount: '0.10' };
  const csv = csvFees({ ...statement, currencies: [{ ...statement.currencies[0]!, invoices: [{ ...invoice!, fees: [fee] }] }] });
  expect(csv).toContain(',1.25 % of 8.18\r\n');
});

test.each([
  ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
  ['+1', `'+1`],
  ['-2', '-2'],
  ["-2+3+cmd|'x'!A0", `'-2+3+cmd|'x'!A0`],
  ['@x', `'@x`],
  ['a, "b"', '"a, ""b"""'],
])('an id %j of a partner is written as %s', (cdr_id, cell) => {
  const { statement, lines } = settledStatement(1);
  expect(csvLines([{ ...lines[0]!, cdr_id }], invoicesOf(statement))).toContain(`,cdr,${cell},`);
});
