import { Decimal, decimal, digitsOf, sum } from '#money';
import { driverTaxes } from '#settlement';
import type { RetailPrice } from './plan.ts';
import type { PublicCdr } from './private-part.ts';
import type { AccountMonth, MonthLine } from './projections/account-month.ts';

/** A driver's month, from the lines of the account alone: the same month, the same bytes. */

export interface AccountStatement {
  readonly currencies: readonly {
    readonly currency: string;
    readonly opening_balance: string;
    readonly charges: string;
    readonly refunds: string;
    readonly payments: string;
    readonly closing_balance: string;
    /** Of its charges and refunds. */
    readonly taxes: readonly StatementTax[];
  }[];
  readonly lines: readonly StatementLine[];
}

export interface StatementTax {
  readonly code: string;
  readonly rate: string;
  readonly amount: string;
}

/** `amount`: as it changes the balance, which is `balance` after it. Prices are above zero where they are owed. */
export interface StatementLine {
  readonly id: string;
  readonly kind: MonthLine['kind'];
  readonly at: string;
  readonly currency: string;
  readonly receipt?: { readonly country_code: string; readonly party_id: string; readonly cdr_id: string };
  readonly started_at?: string;
  readonly energy_kwh?: string;
  readonly excl_tax?: string;
  readonly incl_tax?: string;
  readonly taxes?: readonly StatementTax[];
  readonly amount: string;
  readonly balance: string;
}

export function accountStatement({ opening, lines }: AccountMonth): AccountStatement {
  const balances = new Map([...opening].map(([currency, text]) => [currency, decimal(text)]));
  const made = lines.map((line): StatementLine => {
    const { position, kind, at, currency, amount, party, cdrId } = line;
    const [country_code = '', party_id = ''] = party?.split('*') ?? [];
    const balance = (balances.get(currency) ?? Decimal.zero).add(decimal(amount));
    balances.set(currency, balance);
    return {
      id: String(position), kind, at, currency,
      ...(cdrId === null ? {} : { receipt: { country_code, party_id, cdr_id: cdrId } }),
      ...pricedOf(line), amount: inCurrency(decimal(amount), currency), balance: inCurrency(balance, currency),
    };
  });
  const currencies = [...balances.keys()].sort().map((currency) => {
    const its = made.filter((line) => line.currency === currency);
    const total = (kind: MonthLine['kind']) => (
      inCurrency(sum(its.filter((line) => line.kind === kind).map(({ amount }) => decimal(amount))), currency));
    return {
      currency,
      opening_balance: inCurrency(decimal(opening.get(currency) ?? '0'), currency),
      charges: total('charge'), refunds: total('refund'), payments: total('payment'),
      closing_balance: inCurrency(balances.get(currency)!, currency),
      taxes: taxTotals(its, currency),
    };
  });
  return { currencies, lines: made };
}

type PricedLine = Pick<StatementLine, 'started_at' | 'energy_kwh' | 'excl_tax' | 'incl_tax' | 'taxes'>;

/** What was charged or paid back, with its taxes as the receipt has them. */
function pricedOf({ entry, cdr, currency }: MonthLine): PricedLine {
  if (entry.type !== 'ChargeBooked' && entry.type !== 'ChargeRefunded') return {};
  const { exclVat, inclVat } = entry.type === 'ChargeBooked' ? entry.price : entry;
  const charged = entry.type === 'ChargeBooked' ? { started_at: entry.startedAt, energy_kwh: entry.energyKwh } : {};
  const taxes = entry.taxes ?? (cdr ? taxesWithin(cdr, { currency, exclVat, inclVat }) : []);
  return {
    ...charged,
    excl_tax: inCurrency(decimal(exclVat), currency),
    incl_tax: inCurrency(decimal(inclVat ?? exclVat), currency),
    taxes: taxes.map(({ code, rate, amount }) => ({ code, rate, amount })),
  };
}

/** The taxes within what a driver pays for a CDR, by the data of today: to be noted with the charge. */
export function taxesWithin(
  cdr: PublicCdr, { currency, exclVat, inclVat }: Pick<RetailPrice, 'currency' | 'exclVat'> & { inclVat?: string | undefined },
): StatementTax[] {
  const total_cost = { excl_vat: Number(exclVat), ...(inclVat === undefined ? {} : { incl_vat: Number(inclVat) }) };
  return driverTaxes(cdr, { currency, total_cost }).map(({ code, rate, amount }) => ({ code, rate, amount }));
}

function taxTotals(lines: readonly StatementLine[], currency: string): StatementTax[] {
  const totals = new Map<string, { code: string; rate: string; amount: Decimal }>();
  for (const { code, rate, amount } of lines.flatMap(({ taxes = [] }) => taxes)) {
    const key = `${code} ${rate}`;
    totals.set(key, { code, rate, amount: (totals.get(key)?.amount ?? Decimal.zero).add(decimal(amount)) });
  }
  return [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { amount, ...tax }]) => ({ ...tax, amount: inCurrency(amount, currency) }));
}

const inCurrency = (amount: Decimal, currency: string) => amount.toFixed(digitsOf(currency));
