import { decimal } from '#money';
import type { Invoice, Statement, StatementLine } from '#settlement';

const COLUMNS = [
  'invoice', 'currency', 'supplier', 'customer', 'kind', 'reference', 'credit_reference', 'session_id', 'last_updated',
  'late', 'location_id', 'location', 'energy_kwh', 'excl_tax', 'tax', 'incl_tax', 'taxes', 'remarks',
] as const;
type Row = Partial<Record<(typeof COLUMNS)[number], string>>;

export const CSV_HEADER = `${COLUMNS.join(',')}\r\n`;

/** CDRs as rows. */
export function csvLines(lines: readonly StatementLine[], invoices: ReadonlyMap<string, Invoice>): string {
  return lines.map((line) => csvRow({
    ...heading(invoices.get(`${line.issuer} ${line.currency}`)),
    currency: line.currency,
    kind: line.credit ? 'credit' : 'cdr',
    reference: line.cdr_id,
    credit_reference: line.credit_reference_id ?? '',
    session_id: line.session_id ?? '',
    last_updated: line.last_updated,
    late: line.late ? 'late' : '',
    location_id: line.location.id,
    location: line.location.name,
    energy_kwh: line.energy_kwh,
    excl_tax: line.excl_tax,
    tax: difference(line.incl_tax, line.excl_tax),
    incl_tax: line.incl_tax,
    taxes: line.taxes.map(({ code, rate, amount }) => `${code}${rate === '' ? '' : ` ${rate}%`} ${amount}`).join('; '),
    remarks: line.remarks.join('; '),
  })).join('');
}

/** Fees, and the taxes on them: with the CDRs, the rows of an invoice add up to its total. */
export function csvFees({ currencies }: Statement): string {
  return currencies.flatMap(({ invoices }) => invoices).flatMap((invoice) => {
    const zero = difference(invoice.total, invoice.total);
    const of = { ...heading(invoice), currency: invoice.currency };
    return [
      ...invoice.fees.map(({ name, per, quantity, price, amount }) => csvRow({
        ...of, kind: 'fee', reference: name, excl_tax: amount, tax: zero, incl_tax: amount,
        remarks: per === 'percent' ? `${price} % of ${quantity}` : `${quantity} × ${price} per ${per}`,
      })),
      ...invoice.fee_taxes.map(({ code, rate, base, amount }) => csvRow({
        ...of, kind: 'fee-tax', reference: code, excl_tax: zero, tax: amount, incl_tax: amount,
        taxes: `${code} ${rate}% ${amount}`, remarks: `on ${base}`,
      })),
    ];
  }).join('');
}

/** By issuer and currency, as lines name them. */
export function invoicesOf({ currencies }: Statement): ReadonlyMap<string, Invoice> {
  return new Map(currencies.flatMap(({ invoices }) => (
    invoices.map((invoice) => [`${invoice.supplier} ${invoice.currency}`, invoice]))));
}

function heading(invoice: Invoice | undefined): Row {
  return { invoice: invoice?.number ?? '', supplier: invoice?.supplier ?? '', customer: invoice?.customer ?? '' };
}

function difference(a: string, b: string): string {
  return decimal(a).sub(decimal(b)).toFixed(a.split('.')[1]?.length ?? 0);
}

/** RFC 4180. */
function csvRow(row: Row): string {
  return `${COLUMNS.map((column) => csvCell(row[column] ?? '')).join(',')}\r\n`;
}

/** Text that a spreadsheet would take for a formula is marked as text: ids come from partners. */
export function csvCell(text: string): string {
  const isFormula = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
