import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getAccountStatement } from '#contracts/accounts';
import { Limit, OcpiId } from './fields.ts';
import { driverRoute, FileAnswer, operatorRoute, type Route } from './route.ts';
import { csvCell } from './statement-csv.ts';

const Tax = z.object({ code: z.string(), rate: z.string(), amount: z.string() });

const Statement = z.object({
  account_id: z.string().optional(),
  contract_id: z.string().meta({ description: 'empty where it was erased' }),
  month: z.string(),
  time_zone: z.string().meta({ description: 'whose calendar the month is of: `ledger.time_zone`' }),
  from: z.string(),
  to: z.string(),
  closed: z.boolean().meta({ description: 'the month is over, for an hour: it does not change any more' }),
  currencies: z.array(z.object({
    currency: z.string(),
    opening_balance: z.string().meta({ description: 'below zero: owed' }),
    charges: z.string(),
    refunds: z.string(),
    payments: z.string(),
    closing_balance: z.string(),
    taxes: z.array(Tax).meta({ description: 'within its charges and refunds' }),
  })),
});

const Line = z.object({
  id: z.string(),
  kind: z.string().meta({ description: 'charge, refund or payment' }),
  at: z.string(),
  currency: z.string(),
  receipt: z.object({ country_code: z.string(), party_id: z.string(), cdr_id: z.string() }).optional(),
  started_at: z.string().optional(),
  energy_kwh: z.string().optional(),
  excl_tax: z.string().optional(),
  incl_tax: z.string().optional(),
  taxes: z.array(Tax).optional(),
  amount: z.string().meta({ description: 'as it changes the balance' }),
  balance: z.string().meta({ description: 'after it' }),
});
type Line = z.infer<typeof Line>;

const WholeStatement = Statement.extend({ lines: z.array(Line), next: z.string().optional() })
  .meta({ id: 'AccountStatement', description: 'a month of a driver\'s account, its lines oldest first' });

const Month = z.string().regex(/^2\d{3}-(0[1-9]|1[0-2])$/, 'a month, such as 2022-02');
const query = z.strictObject({
  format: z.enum(['json', 'csv']).optional(),
  after: z.string().regex(/^\d{0,18}$/, '`next` of the page before').default(''),
  limit: Limit(100, 100),
});

/** A driver's months. */
export function accountStatementRoutes(bus: Bus): Route[] {
  const shape = { method: 'GET', query, answer: WholeStatement, media: ['text/csv'] } as const;
  return [
    driverRoute({
      ...shape, path: '/v1/account/statements/:month', params: z.strictObject({ month: Month }),
      summary: 'A month of your account: balances, each charge with its receipt and taxes, refunds, payments; whole with ?format=csv',
      handle: ({ driver, params: { month }, query: asked }) => answered(bus, { contractId: driver.contractId, month }, asked),
    }),
    operatorRoute({
      ...shape, path: '/v1/operator/accounts/:contract_id/statements/:month', params: z.strictObject({ contract_id: OcpiId, month: Month }),
      summary: 'A month of a driver\'s account, as the driver sees it; whole with ?format=csv; by its account_id where the contract was erased',
      handle: ({ params: { contract_id: contractId, month }, query: asked }) => answered(bus, { contractId, month, orAccount: true }, asked),
    }),
  ];
}

interface StatementId {
  readonly contractId: string;
  readonly month: string;
  readonly orAccount?: boolean;
}

async function answered(bus: Bus, id: StatementId, { format, after, limit }: z.output<typeof query>) {
  if (format === 'csv') return csv(bus, id);
  const { next, ...page } = await pageOf(bus, id, after, limit);
  return { ...page, ...(next === '' ? {} : { next }) };
}

async function pageOf(bus: Bus, id: StatementId, after: string, limit: number) {
  const { statementJson, linesJson, next } = await bus.ask(getAccountStatement, { ...id, after, limit });
  const statement = fromJsonBytes<z.infer<typeof Statement>>(statementJson);
  return { ...statement, lines: linesJson.map((bytes) => fromJsonBytes<Line>(bytes)), next };
}

const COLUMNS = ['currency', 'kind', 'at', 'receipt', 'started_at', 'energy_kwh', 'excl_tax', 'incl_tax', 'taxes', 'amount', 'balance'] as const;
type Row = Partial<Record<(typeof COLUMNS)[number], string>>;
const rowOf = (row: Row) => `${COLUMNS.map((column) => csvCell(row[column] ?? '')).join(',')}\r\n`;
const PAGE = 1_000;

/** The first page is asked for before the answer begins: a refusal is one. */
async function csv(bus: Bus, id: StatementId): Promise<FileAnswer> {
  const first = await pageOf(bus, id, '', PAGE);
  const rows = async function* () {
    yield `${COLUMNS.join(',')}\r\n`;
    for (const { currency, opening_balance: balance } of first.currencies) yield rowOf({ currency, kind: 'opening', at: first.from, balance });
    for (let page = first; ; page = await pageOf(bus, id, page.next, PAGE)) {
      yield page.lines.map(csvLine).join('');
      if (page.next === '') break;
    }
    for (const { currency, closing_balance: balance } of first.currencies) yield rowOf({ currency, kind: 'closing', at: first.to, balance });
  };
  return new FileAnswer('text/csv; charset=utf-8', `account-${id.month}.csv`, Readable.from(rows(), { objectMode: false }));
}

function csvLine({ receipt, taxes = [], id: _, ...line }: Line): string {
  return rowOf({
    ...line,
    receipt: receipt ? `${receipt.country_code}*${receipt.party_id} ${receipt.cdr_id}` : '',
    taxes: taxes.map(({ code, rate, amount }) => `${code}${rate === '' ? '' : ` ${rate}%`} ${amount}`).join('; '),
  });
}
