import { Rejected } from '#decider';
import { decimal, sum } from '#money';
import type { Database } from '#postgres';
import { readInstant } from './answers.ts';
import type { Finding } from './finding.ts';
import type { Following } from './follow.ts';
import type { PublicCdr } from './private-part.ts';
import { cdrOf } from './projections/listed-cdr.ts';

/**
 * All CDRs and Credit CDRs, ours and partners', as CSV (RFC 4180) or as JSON arrays line by line, in the
 * order in which they entered the ledger, without what is private. Amounts and volumes are the CDR's
 * own, as exact decimals. Its parts and `not_in_parts_excl_vat` add up to its total: what a least or highest
 * price adds or takes off, and the rounding of the total, have no field in OCPI.
 */
const CSV_COLUMNS = [
  'own',
  'country_code',
  'party_id',
  'cdr_id',
  'credit',
  'credit_reference_id',
  'credited_by',
  'session_id',
  'token_party',
  'start_date_time',
  'end_date_time',
  'last_updated',
  'location_id',
  'evse_id',
  'currency',
  'total_cost_excl_vat',
  'total_cost_incl_vat',
  'total_energy_kwh',
  'total_time_h',
  'total_parking_time_h',
  'total_fixed_cost_excl_vat',
  'total_energy_cost_excl_vat',
  'total_time_cost_excl_vat',
  'total_parking_cost_excl_vat',
  'total_reservation_cost_excl_vat',
  'not_in_parts_excl_vat',
  'findings',
  'acknowledged_at',
] as const;

interface Row {
  readonly position: bigint;
  readonly own: boolean;
  readonly data: string;
  readonly token_party: string;
  readonly credited_by: string | null;
  readonly findings: readonly Finding[];
  readonly acknowledged_at: string | null;
}

export interface CsvWindow {
  /** Of last_updated, RFC 3339: from inclusive, to exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly asJsonLines?: boolean;
}

const BATCH = 200;
const PAGE_BYTES = 400_000;

/** The verb. Whoever reads sees all that was recorded before. */
export class Csv {
  constructor(private readonly parts: { readonly db: Database; readonly list: Pick<Following, 'caughtUp'> }) {}

  /**
   * A page of lines behind the cursor; the first one begins with the columns' names. Throws
   * Rejected.
   */
  async page({ from, to, asJsonLines = false }: CsvWindow, cursor?: string): Promise<CsvPage> {
    await this.parts.list.caughtUp();
    return csvPage(this.parts.db, { from: readInstant(from), to: readInstant(to), asJsonLines }, cursor);
  }
}

export interface CsvPage {
  readonly lines: Buffer;
  readonly next: string | undefined;
}

async function csvPage(
  db: Database,
  { from, to, asJsonLines }: CsvWindow,
  cursor?: string,
): Promise<CsvPage> {
  const line = asJsonLines ? jsonLine : csvLine;
  const after = cursor === undefined ? 0n : readCursor(cursor);
  let text = cursor === undefined ? line(CSV_COLUMNS) : '';
  for (let position = after; ;) {
    const { rows } = await db.query<Row>(
      `SELECT "position", own, e.data, token_party, credited_by, findings,
         CASE WHEN own THEN acknowledged_at END AS acknowledged_at
       FROM cdrs JOIN events e USING ("position")
       WHERE "position" > $1 AND ($2::timestamptz IS NULL OR last_updated >= $2)
         AND ($3::timestamptz IS NULL OR last_updated < $3)
       ORDER BY "position" LIMIT $4`,
      [position, from ?? null, to ?? null, BATCH],
    );
    for (const row of rows) text += line(fieldsOf(row));
    position = rows.at(-1)?.position ?? position;
    const isLast = rows.length < BATCH;
    if (isLast || text.length > PAGE_BYTES)
      return { lines: Buffer.from(text), next: isLast ? undefined : String(position) };
  }
}

function fieldsOf(row: Row): readonly string[] {
  const cdr = cdrOf(row.data);
  const cost = (price: { excl_vat: number } | undefined) => number(price?.excl_vat);
  return [
    String(row.own),
    cdr.country_code,
    cdr.party_id,
    cdr.id,
    String(cdr.credit === true),
    cdr.credit_reference_id ?? '',
    row.credited_by ?? '',
    cdr.session_id ?? '',
    row.token_party,
    cdr.start_date_time,
    cdr.end_date_time,
    cdr.last_updated,
    cdr.cdr_location.id,
    cdr.cdr_location.evse_id,
    cdr.currency,
    number(cdr.total_cost.excl_vat),
    number(cdr.total_cost.incl_vat),
    number(cdr.total_energy),
    number(cdr.total_time),
    number(cdr.total_parking_time),
    cost(cdr.total_fixed_cost),
    cost(cdr.total_energy_cost),
    cost(cdr.total_time_cost),
    cost(cdr.total_parking_cost),
    cost(cdr.total_reservation_cost),
    notInParts(cdr),
    row.findings.map(({ code }) => code).join(' '),
    row.acknowledged_at ?? '',
  ];
}

/** Of a Credit CDR the parts are those of its original (CDR-04). Empty where none are told. */
function notInParts(cdr: PublicCdr): string {
  const parts = [cdr.total_fixed_cost, cdr.total_energy_cost, cdr.total_time_cost, cdr.total_parking_cost, cdr.total_reservation_cost]
    .flatMap((part) => (part === undefined ? [] : [decimal(part.excl_vat)]));
  if (parts.length === 0) return '';
  const said = sum(parts);
  return decimal(cdr.total_cost.excl_vat).sub(cdr.credit === true ? said.neg() : said).toString();
}

function number(value: number | undefined): string {
  return value === undefined ? '' : decimal(value).toString();
}

/** A partner's text that a spreadsheet would take for a formula is kept from being one. */
function field(value: string): string {
  const isFormula = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value);
  const safe = isFormula ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvLine(fields: readonly string[]): string {
  return `${fields.map(field).join(',')}\r\n`;
}

function jsonLine(fields: readonly string[]): string {
  return `${JSON.stringify(fields)}\n`;
}

function readCursor(cursor: string): bigint {
  if (/^\d{1,18}$/.test(cursor)) return BigInt(cursor);
  throw new Rejected('invalid-cursor', 'cursor: is none that this ledger gave');
}
