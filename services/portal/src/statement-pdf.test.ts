import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { extractText, getDocumentProxy } from 'unpdf';
import { settledStatement } from '../test/settled-statement.ts';
import { statementPdf } from './statement-pdf.ts';

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function read(bytes: Buffer) {
  const { totalPages, text } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: false });
  return { totalPages, pages: text, text: text.join('\n') };
}

test('the invoice names all that a finance department asks for', async () => {
  const { statement, lines } = settledStatement(3);
  const { text, totalPages } = await read(await statementPdf(statement, lines));
  for (const said of [
    'Settlement statement 2022-02', 'Final: the month closed at 2022-03-11T08:00:00Z.',
    'Invoice CABCT-CACPK-202202-CAD', 'Date 2022-03-10', 'due on 2022-04-09',
    'Energy OASIS Inc.', '3700 Willingdon Avenue', 'GST/HST 123456789 RT0001',
    'Carbon Plunk Ltée', '1250, boulevard René-Lévesque Ouest', 'Montréal QC H3B 4W8', 'QST 1234567890 TQ0001',
    'Energy OASIS Burnaby, Burnaby', 'Taxes in the charging', 'Fees of the agreement', 'Roaming fee', '3 sessions',
    'Taxes on the fees', 'To be paid for this invoice, before netting', 'S-0', 'S-2', 'Payment, after netting',
    `${statement.sentences[0]}, due on 2022-04-09.`, `Page 1 of ${totalPages}`, `Page ${totalPages} of ${totalPages}`,
  ]) expect(text).toContain(said);
  expect(text).toContain(`${statement.currencies[0]?.invoices[0]?.total} CAD`);
});

test('a statement of a month that is not closed says when it is final, the hour after the closing as well', async () => {
  const { statement, lines } = settledStatement(1);
  const { text } = await read(await statementPdf({ ...statement, state: 'open' }, lines));
  expect(text).toContain('Provisional: what is acknowledged until 2022-03-11T08:00:00Z counts, and the final statement comes an hour later.');
  expect(text).toContain('Provisional, not an invoice yet');
});

test('an invoice by which more is taken back than charged is a credit note', async () => {
  const { statement, lines } = settledStatement(1);
  const currencies = statement.currencies.map((one) => ({
    ...one, invoices: one.invoices.map((invoice) => ({ ...invoice, excl_tax: '-10.00', tax: '-0.50', total: '-10.50' })),
  }));
  const { text } = await read(await statementPdf({ ...statement, currencies }, lines));
  expect(text).toContain('Credit note CABCT-CACPK-202202-CAD');
  expect(text).toContain('To be paid back by this credit note, before netting');
});

test('the same statement is the same bytes, with its fonts inside', async () => {
  const { statement, lines } = settledStatement(5);
  const [one, other] = [await statementPdf(statement, lines), await statementPdf(structuredClone(statement), lines)];
  expect(digest(one)).toBe(digest(other));
  expect(one.includes('NotoSans')).toBe(true);
  expect(one.includes('FontFile2')).toBe(true);
});

test('a long month has the titles of its table on every page, and more lines than a person reads are counted', async () => {
  const { statement, lines } = settledStatement(300);
  const { pages, totalPages } = await read(await statementPdf(statement, lines.slice(0, 200)));
  expect(totalPages).toBeGreaterThan(4);
  expect(pages.filter((page) => page.includes('Last updated')).length).toBeGreaterThan(3);
  expect(pages.at(-1)).toContain('100 more CDRs in the CSV of this statement.');
  expect(pages.every((page, n) => page.includes(`Page ${n + 1} of ${totalPages}`))).toBe(true);
});

test('what does not fit its cell goes on in the next line, and is never cut off', async () => {
  const { statement, lines } = settledStatement(2);
  const id = '6f1f7a52-58c1-4f0e-9a3e-0d7f0f3c2b11';
  const odd = {
    ...lines[0]!, cdr_id: `${id}-C`, credit: true, credit_reference_id: id, late: true,
    last_updated: '2022-03-01T07:59:59.999Z', remarks: ['tax-differs-from-place' as const],
  };
  const { text } = await read(await statementPdf(statement, [odd, lines[1]!]));
  const whole = text.replaceAll(/\s/g, '');
  expect(text).not.toContain('…');
  for (const said of [`${id}-C`, `late,creditfor${id},tax-differs-from-place`]) expect(whole).toContain(said);
  // In the calendar of the agreement, which says the month.
  expect(text).toContain('2022-02-28 23:59:59');
});

test('a month in which nothing was charged is one page', async () => {
  const { statement } = settledStatement(0);
  const { totalPages, text } = await read(await statementPdf(statement, []));
  expect(totalPages).toBe(1);
  expect(text).toContain('Energy OASIS Inc. and Carbon Plunk Ltée owe each other nothing');
});
