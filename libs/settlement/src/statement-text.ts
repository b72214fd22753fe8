import { instant, type Zone, zone } from '#time';
import { localDay } from './month.ts';
import type {
  CurrencyStatement, Invoice, Statement, StatementLine, StatementNotes,
} from './statement.ts';

const NO_NOTES: StatementNotes = { awaiting: 0, disputed: [], findings: [] };

/** The statement for people to read; its last lines say who owes whom how much. */
export function statementText(statement: Statement, notes: StatementNotes = NO_NOTES): string {
  const { month, parties, time_zone, closes_at, state, currencies, sentences } = statement;
  const [a, b] = parties.map(({ name, party }) => `${name} (${party})`);
  const closes = state === 'closed' ? `closed ${closes_at}` : `provisional: what is acknowledged until ${closes_at} counts`;
  const closing = closes_at === undefined ? '' : `; ${closes}`;
  const waiting = `Not acknowledged by the partner so far: ${count(notes.awaiting, 'CDR')}`;
  return [
    `Settlement ${month} between ${a} and ${b}`,
    `CDRs by the time of their last update in ${time_zone}${closing}`,
    ...currencies.flatMap((one) => currencyText(one, statement, notes)),
    ...(currencies.length === 0 ? ['', '  nothing was charged'] : []),
    ...(notes.awaiting === 0 ? [] : ['', waiting]),
    ...(notes.disputed.length === 0 ? [] : ['', ...notes.disputed.map(disputedText)]),
    '',
    sentences.join('\n'),
  ].join('\n');
}

/** No money of the statement: what is in dispute stays on it until it is credited. */
function disputedText({ issuer, currency, cdrs, amount }: StatementNotes['disputed'][number]): string {
  return `In dispute, and on this statement until credited: ${count(cdrs, 'CDR')} of ${issuer}, ${amount} ${currency}`;
}

function currencyText(
  { invoices }: CurrencyStatement,
  statement: Statement,
  notes: StatementNotes,
): string[] {
  return invoices.flatMap((invoice) => invoiceText(invoice, statement, notes));
}

function invoiceText(
  invoice: Invoice,
  { parties, time_zone }: Statement,
  notes: StatementNotes,
): string[] {
  const nameOf = (party: string) => parties.find((one) => one.party === party)?.name ?? party;
  const { supplier, customer, currency, charging, lines, lines_left_out, fees, late } = invoice;
  const calendar = zone(time_zone);
  const width = Math.max(...lines.map(({ incl_tax }) => incl_tax.length), 0);
  const found = new Map(
    notes.findings.map(({ issuer, cdr_id, codes }) => [`${issuer} ${cdr_id}`, codes]),
  );
  const codesOf = ({ issuer, cdr_id }: StatementLine) => found.get(`${issuer} ${cdr_id}`);
  return [
    '',
    `${nameOf(supplier)} to ${nameOf(customer)}, invoice ${invoice.number}`,
    ...lines.map((line) => lineText(line, { width, calendar, codes: codesOf(line) })),
    ...(lines_left_out === 0 ? [] : [`  … and ${lines_left_out} more`]),
    ...(charging.cdrs + charging.credits === 0 ? [] : [chargingText(invoice)]),
    ...(late.cdrs === 0 ? [] : [
      `  of which late, of earlier months: ${count(late.cdrs, 'CDR')} ${late.incl_tax} ${currency}`,
    ]),
    ...invoice.taxes.map((tax) => taxText(tax, currency)),
    ...fees.map(({ name, amount, quantity, per, price }) => {
      const each = per === 'percent' ? `${price} %` : price;
      const unit = per === 'session' && quantity === '1' ? 'session' : UNIT[per];
      return `  ${name}: ${quantity} ${unit} × ${each} = ${amount} ${currency}`;
    }),
    ...invoice.fee_taxes.map((tax) => taxText(tax, currency)),
    `  invoice total ${invoice.total} ${currency}`,
  ];
}

const UNIT = { session: 'sessions', kwh: 'kWh', percent: 'of charging' } as const;

function chargingText({ charging, currency }: Invoice): string {
  const { cdrs, credits, charged, credited, incl_tax, excl_tax, tax } = charging;
  return (
    `  ${count(cdrs, 'CDR')} ${charged} − ${count(credits, 'credit')} ${credited}` +
    ` = ${incl_tax} ${currency} (${excl_tax} and tax ${tax})`
  );
}

function taxText(
  { code, rate, base, amount }: Invoice['taxes'][number],
  currency: string,
): string {
  return `    ${code}${rate === '' ? '' : ` ${rate} %`} on ${base}: ${amount} ${currency}`;
}

interface Shown {
  readonly width: number;
  readonly calendar: Zone;
  readonly codes: readonly string[] | undefined;
}

function lineText(line: StatementLine, { width, calendar, codes = [] }: Shown): string {
  const what = line.credit ? `credit for ${line.credit_reference_id}` : `${line.energy_kwh} kWh`;
  const remarks = [...new Set([...(line.late ? ['late'] : []), ...line.remarks, ...codes])];
  const flagged = remarks.length === 0 ? '' : `  (${remarks.join(', ')})`;
  const day = localDay(instant(line.last_updated), calendar);
  const amount = `${line.incl_tax.padStart(width)} ${line.currency}`;
  return `  ${day}  ${amount}  ${line.cdr_id}  ${what}${flagged}`;
}

function count(many: number, thing: string): string {
  return `${many} ${thing}${many === 1 ? '' : 's'}`;
}
