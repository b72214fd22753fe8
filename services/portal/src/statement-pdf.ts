import { decimal } from '#money';
import { type Invoice, isFor, type Statement, type StatementLine, type StatementParty } from '#settlement';
import { instant, type Zone, zone } from '#time';
import { Sheet } from './sheet.ts';

/** More lines than a person reads are in the CSV alone. */
export const PDF_LINES_MAX = 1_000;

/**
 * The statement as finance departments take it: the netting, then each invoice. Made of the statement
 * alone, which both sides have alike, so that both print the same bytes.
 */
export async function statementPdf(statement: Statement, lines: readonly StatementLine[]): Promise<Buffer> {
  const { month, parties, closes_at, to } = statement;
  const names = parties.map(({ name }) => name).join(' and ');
  const sheet = new Sheet({
    title: `Settlement ${month}: ${names}`, author: names, at: new Date(closes_at ?? to),
  });
  await cover(sheet, statement);
  for (const { invoices } of statement.currencies) {
    for (const invoice of invoices) {
      const its = lines.filter(({ issuer, currency }) => issuer === invoice.supplier && currency === invoice.currency);
      await invoicePages(sheet, statement, { invoice, lines: its });
    }
  }
  return sheet.finish(`Settlement ${month}, ${parties.map(({ party }) => party).join(' and ')}`);
}

async function cover(sheet: Sheet, statement: Statement): Promise<void> {
  const { month, parties, state, closes_at, agreement, currencies, time_zone, from, to } = statement;
  sheet.line(`Settlement statement ${month}`, { size: 18, bold: true });
  sheet.line(STATES[state](closes_at ?? ''), { grey: true });
  sheet.space(10);
  sheet.beside(...parties.map(partyLines));
  sheet.space();
  sheet.line(`CDRs last updated from ${from} until before ${to}: ${month} in ${time_zone}.`);
  if (agreement !== undefined) sheet.line(`Terms of the agreement: ${agreement} (a fingerprint, which is the same at both partners).`);
  sheet.heading('Invoices');
  await sheet.table(
    [{ title: 'Invoice' }, { title: 'Supplier', width: 130 }, { title: 'Customer', width: 130 },
      { title: 'Total incl. tax', width: 90, right: true }],
    currencies.flatMap(({ invoices }) => invoices.map(({ number, supplier, customer, total, currency }) => [
      number, nameOf(statement, supplier), nameOf(statement, customer), `${total} ${currency}`,
    ])),
  );
  sheet.heading('Payment, after netting');
  for (const [index, sentence] of statement.sentences.entries()) {
    const due = currencies[index]?.net.due_on;
    sheet.line(`${sentence}${due === undefined ? '' : `, due on ${due}`}.`, { bold: true, size: 10 });
  }
}

const STATES: Readonly<Record<Statement['state'], (closesAt: string) => string>> = {
  closed: (closesAt) => `Final: the month closed at ${closesAt}.`,
  open: (closesAt) => `Provisional: what is acknowledged until ${closesAt} counts, and the final statement comes an hour later.`,
  'without-agreement': () => 'Provisional: there is no agreement that closes the month.',
};

interface Pages {
  readonly invoice: Invoice;
  readonly lines: readonly StatementLine[];
}

async function invoicePages(sheet: Sheet, statement: Statement, { invoice, lines }: Pages): Promise<void> {
  const { supplier, customer, issued_on, due_on, currency } = invoice;
  sheet.newPage();
  // Where more is taken back than charged.
  const isCreditNote = decimal(invoice.total).isNegative();
  sheet.line(`${isCreditNote ? 'Credit note' : 'Invoice'} ${invoice.number}`, { size: 16, bold: true });
  sheet.line([
    statement.state === 'closed' ? `Date ${issued_on}` : 'Provisional, not an invoice yet',
    ...(due_on === undefined ? [] : [`due on ${due_on}`]),
    `charging in ${statement.month}`, `all amounts in ${currency}`,
  ].join('  ·  '), { grey: true });
  sheet.space(10);
  const [from, to] = [supplier, customer].map((id) => statement.parties.find(({ party }) => party === id)!);
  sheet.beside(['Supplier', ...partyLines(from!)], ['Customer', ...partyLines(to!)]);
  await chargingTable(sheet, invoice);
  await taxTable(sheet, { title: 'Taxes in the charging', taxes: invoice.taxes, supplier: from! });
  if (invoice.taxes.length > 0) sheet.line('As each CDR charges them, rounded once in each: not reckoned anew on the sum.', { size: 8 });
  await feeTable(sheet, invoice);
  await taxTable(sheet, { title: 'Taxes on the fees', taxes: invoice.fee_taxes, supplier: from! });
  sheet.heading('Total');
  await sheet.table(
    [{ title: '' }, { title: 'Excl. tax', width: 90, right: true }, { title: 'Tax', width: 90, right: true },
      { title: 'Incl. tax', width: 90, right: true }],
    [[`To be paid ${isCreditNote ? 'back by this credit note' : 'for this invoice'}, before netting`, invoice.excl_tax, invoice.tax, invoice.total]], 1,
  );
  await lineTable(sheet, { invoice, lines }, zone(statement.time_zone));
}

async function chargingTable(sheet: Sheet, { charging, places, places_left_out, late }: Invoice): Promise<void> {
  if (charging.cdrs + charging.credits === 0) return;
  sheet.heading('Charging by drivers of the customer');
  await sheet.table(
    [{ title: 'Location' }, { title: 'Sessions', width: 60, right: true }, { title: 'kWh', width: 80, right: true },
      { title: 'Excl. tax', width: 85, right: true }, { title: 'Incl. tax', width: 85, right: true }],
    [
      ...places.map(({ name, sessions, energy_kwh, excl_tax, incl_tax }) => [name, String(sessions), energy_kwh, excl_tax, incl_tax]),
      ['All charging', String(charging.cdrs - charging.credits + (charging.part_credits ?? 0)), charging.energy_kwh, charging.excl_tax, charging.incl_tax],
    ], 1,
  );
  if (places_left_out > 0) sheet.line(`${places_left_out} more Locations are in the sum, and in the CSV.`, { grey: true, size: 8 });
  const { cdrs, charged, credits, credited } = charging;
  sheet.line(`${count(cdrs, 'CDR')} of ${charged}, less ${count(credits, 'Credit CDR')} of ${credited}, incl. tax.`, { size: 8 });
  if (late.cdrs > 0) {
    const which = `${count(late.cdrs, 'CDR')} (credits included) of earlier months, of ${late.incl_tax} incl. tax in all`;
    sheet.line(`Late: ${which}, acknowledged after those months had closed.`, { size: 8 });
  }
}

interface TaxTable {
  readonly title: string;
  readonly taxes: Invoice['taxes'];
  readonly supplier: StatementParty;
}

async function taxTable(sheet: Sheet, { title, taxes, supplier }: TaxTable): Promise<void> {
  if (taxes.length === 0) return;
  sheet.heading(title);
  await sheet.table(
    [{ title: 'Tax' }, { title: 'Registration', width: 150 }, { title: 'Rate', width: 60, right: true },
      { title: 'On', width: 85, right: true }, { title: 'Amount', width: 85, right: true }],
    taxes.map(({ code, rate, base, amount }) => [
      code, registrationFor(supplier, code), rate === '' ? 'several' : `${rate} %`, base, amount,
    ]),
  );
}

function registrationFor({ registrations }: StatementParty, code: string): string {
  return registrations.find((one) => isFor(one, code))?.number ?? 'none in the agreement';
}

async function feeTable(sheet: Sheet, { fees, fees_excl_tax }: Invoice): Promise<void> {
  if (fees.length === 0) return;
  sheet.heading('Fees of the agreement');
  await sheet.table(
    [
      { title: 'Fee' },
      { title: 'Quantity', width: 110, right: true },
      { title: 'Price', width: 80, right: true },
      { title: 'Excl. tax', width: 85, right: true },
    ],
    [
      ...fees.map(({ name, per, quantity, price, amount }) => [
        name,
        per === 'session' && quantity === '1' ? '1 session' : `${quantity}${UNITS[per]}`,
        per === 'percent' ? `${price} %` : price,
        amount,
      ]),
      ['All fees', '', '', fees_excl_tax],
    ],
    1,
  );
}

const UNITS = { session: ' sessions', kwh: ' kWh', percent: ' of charging' } as const;

async function lineTable(sheet: Sheet, { invoice: { charging }, lines }: Pages, calendar: Zone): Promise<void> {
  const all = charging.cdrs + charging.credits;
  if (all === 0) return;
  sheet.heading(`CDRs, by the time of their last update in ${calendar.name}`);
  if (lines.length > 0) {
    await sheet.table(
      [
        { title: 'Last updated', width: 86 },
        { title: 'CDR' },
        { title: 'Remarks', width: 92 },
        { title: 'kWh', width: 50, right: true },
        { title: 'Excl. tax', width: 56, right: true },
        { title: 'Tax', width: 48, right: true },
        { title: 'Incl. tax', width: 56, right: true },
      ],
      lines.map((line) => [
        localTime(line.last_updated, calendar),
        line.cdr_id,
        remarksOf(line),
        line.energy_kwh,
        line.excl_tax,
        taxOf(line),
        line.incl_tax,
      ]),
    );
  }
  if (lines.length < all) {
    sheet.line(`${count(all - lines.length, 'more CDR')} in the CSV of this statement.`, { grey: true, size: 8 });
  }
}

function remarksOf({ late, credit, credit_reference_id = '', remarks }: StatementLine): string {
  return [...(late ? ['late'] : []), ...(credit ? [`credit for ${credit_reference_id}`] : []), ...remarks].join(', ');
}

/** To the second: "2022-06-01 00:00:00". The CSV has it as it was told. */
function localTime(at: string, calendar: Zone): string {
  const { year, month, day, hour, minute, second } = calendar.local(instant(at));
  const two = (value: number) => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

function taxOf({ excl_tax, incl_tax }: StatementLine): string {
  const digits = incl_tax.split('.')[1]?.length ?? 0;
  return decimal(incl_tax).sub(decimal(excl_tax)).toFixed(digits);
}

function partyLines({ name, party, address, registrations }: StatementParty): string[] {
  return [name, `Party ${party}`, ...address, ...registrations.map(({ tax, number }) => `${tax} ${number}`)];
}

function count(many: number, thing: string): string {
  return `${many} ${thing}${many === 1 ? '' : 's'}`;
}

function nameOf({ parties }: Statement, party: string): string {
  return parties.find((one) => one.party === party)?.name ?? party;
}
