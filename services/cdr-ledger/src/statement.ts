import { type Decimal, decimal, isCurrency, minorUnits, sum } from '#money';
import { instant, type Zone } from '#time';

/**
 * The settlement with one partner for one month, as a pure function of the CDRs that lie in it:
 * the same history gives the same statement, byte for byte. Each CDR is rounded once to the minor
 * unit of its currency, half away from zero, and then summed; nothing is converted.
 */

export interface StatementParty {
  readonly country_code: string;
  readonly party_id: string;
  readonly name: string;
}

/** One CDR or Credit CDR as it is settled. */
export interface StatementCdr {
  readonly cdrId: string;
  readonly sessionId?: string;
  readonly credit: boolean;
  readonly creditReferenceId?: string;
  readonly lastUpdated: string;
  readonly currency: string;
  /** As in the CDR's total_cost, decimal text. */
  readonly exclVat: string;
  readonly inclVat?: string;
  readonly energyKwh: string;
  /** Codes of what was found wrong with it. */
  readonly findings: readonly string[];
}

export interface StatementInput {
  readonly own: StatementParty;
  readonly partner: StatementParty;
  readonly month: string;
  readonly zone: Zone;
  /** Ours, of the partner's tokens: the partner owes. */
  readonly issued: readonly StatementCdr[];
  /** The partner's, of our tokens: we owe. */
  readonly received: readonly StatementCdr[];
}

export interface StatementLine {
  readonly cdr_id: string;
  readonly session_id?: string;
  readonly credit_reference_id?: string;
  readonly last_updated: string;
  readonly energy_kwh: string;
  readonly currency: string;
  /** Negative for a credit. */
  readonly excl_vat: string;
  /** What is paid: incl. VAT, or excl. where no VAT applies. */
  readonly payable: string;
  readonly findings?: readonly string[];
}

export interface StatementTotal {
  readonly currency: string;
  readonly cdrs: number;
  readonly credits: number;
  readonly energy_kwh: string;
  /** Payable of the CDRs, of the credits (positive), and what is left. */
  readonly charged: string;
  readonly credited: string;
  readonly balance_excl_vat: string;
  readonly vat: string;
  readonly balance: string;
}

export interface StatementDirection {
  readonly creditor: StatementParty;
  readonly debtor: StatementParty;
  readonly totals: readonly StatementTotal[];
  readonly lines: readonly StatementLine[];
  /** Lines beyond the first 700; they are in the totals. */
  readonly lines_left_out: number;
}

export interface Statement {
  readonly month: string;
  readonly time_zone: string;
  readonly own: StatementParty;
  readonly partner: StatementParty;
  readonly issued: StatementDirection;
  readonly received: StatementDirection;
  /** One for each currency; without a debtor when nothing is owed. */
  readonly net: readonly {
    currency: string;
    amount: string;
    debtor?: StatementParty;
    creditor?: StatementParty;
  }[];
  /** One sentence for each currency. */
  readonly sentences: readonly string[];
}

/** Both directions, as JSON and as text, have to fit in one answer. */
const LINES_MAX = 700;

export function statementOf({
  own,
  partner,
  month,
  zone,
  issued,
  received,
}: StatementInput): Statement {
  const owedToUs = direction(own, partner, issued);
  const owedByUs = direction(partner, own, received);
  const currencies = [
    ...new Set([...owedToUs.totals, ...owedByUs.totals].map(({ currency }) => currency)),
  ].sort();
  const net = currencies.map((currency) => {
    const balance = balanceIn(owedToUs, currency).sub(balanceIn(owedByUs, currency));
    const amount = balance.abs().toFixed(digitsOf(currency));
    if (balance.isZero()) return { currency, amount };
    return balance.isNegative()
      ? { currency, amount, debtor: own, creditor: partner }
      : { currency, amount, debtor: partner, creditor: own };
  });
  const sentences =
    net.length === 0
      ? [`${partner.name} and ${own.name} owe each other nothing`]
      : net.map(({ currency, amount, debtor, creditor }) =>
          debtor && creditor
            ? `${debtor.name} owes ${creditor.name} ${amount} ${currency}`
            : `${partner.name} and ${own.name} owe each other nothing in ${currency}`,
        );
  return {
    month,
    time_zone: zone.name,
    own,
    partner,
    issued: owedToUs,
    received: owedByUs,
    net,
    sentences,
  };
}

function direction(
  creditor: StatementParty,
  debtor: StatementParty,
  cdrs: readonly StatementCdr[],
): StatementDirection {
  const ordered = cdrs.map(settled).sort(byTime);
  const currencies = [...new Set(ordered.map(({ currency }) => currency))].sort();
  return {
    creditor,
    debtor,
    totals: currencies.map((currency) =>
      totalOf(
        currency,
        ordered.filter((line) => line.currency === currency),
      ),
    ),
    lines: ordered.slice(0, LINES_MAX).map(lineOf),
    lines_left_out: Math.max(ordered.length - LINES_MAX, 0),
  };
}

interface Settled {
  readonly cdr: StatementCdr;
  readonly atMs: number;
  readonly currency: string;
  readonly excl: Decimal;
  readonly payable: Decimal;
}

/** A credit reduces what is owed, whichever sign its sender gave it. */
function settled(cdr: StatementCdr): Settled {
  const currency = cdr.currency.toUpperCase();
  const amount = (text: string) => {
    const rounded = decimal(text).roundTo(digitsOf(currency), 'half-away-from-zero');
    return cdr.credit ? rounded.abs().neg() : rounded;
  };
  const excl = amount(cdr.exclVat);
  const payable = cdr.inclVat === undefined ? excl : amount(cdr.inclVat);
  return { cdr, atMs: instant(cdr.lastUpdated), currency, excl, payable };
}

function byTime(a: Settled, b: Settled): number {
  return a.atMs - b.atMs || (a.cdr.cdrId < b.cdr.cdrId ? -1 : a.cdr.cdrId > b.cdr.cdrId ? 1 : 0);
}

function lineOf({ cdr, currency, excl, payable }: Settled): StatementLine {
  const digits = digitsOf(currency);
  return {
    cdr_id: cdr.cdrId,
    ...(cdr.sessionId === undefined ? {} : { session_id: cdr.sessionId }),
    ...(cdr.credit ? { credit_reference_id: cdr.creditReferenceId ?? '' } : {}),
    last_updated: cdr.lastUpdated,
    energy_kwh: decimal(cdr.energyKwh).toString(),
    currency,
    excl_vat: excl.toFixed(digits),
    payable: payable.toFixed(digits),
    ...(cdr.findings.length === 0 ? {} : { findings: cdr.findings }),
  };
}

function totalOf(currency: string, settledCdrs: readonly Settled[]): StatementTotal {
  const charges = settledCdrs.filter(({ cdr }) => !cdr.credit);
  const credits = settledCdrs.filter(({ cdr }) => cdr.credit);
  const energy = (of: readonly Settled[]) => sum(of.map(({ cdr }) => decimal(cdr.energyKwh)));
  const payable = (of: readonly Settled[]) => sum(of.map((line) => line.payable));
  const balance = payable(settledCdrs);
  const balanceExcl = sum(settledCdrs.map(({ excl }) => excl));
  const digits = digitsOf(currency);
  return {
    currency,
    cdrs: charges.length,
    credits: credits.length,
    // A Credit CDR keeps the energy of what it credits.
    energy_kwh: energy(charges).sub(energy(credits)).toString(),
    charged: payable(charges).toFixed(digits),
    credited: payable(credits).neg().toFixed(digits),
    balance_excl_vat: balanceExcl.toFixed(digits),
    vat: balance.sub(balanceExcl).toFixed(digits),
    balance: balance.toFixed(digits),
  };
}

function balanceIn({ totals }: StatementDirection, currency: string): Decimal {
  return decimal(totals.find((total) => total.currency === currency)?.balance ?? '0');
}

/** A partner's odd currency is recorded and flagged; it settles with two digits. */
function digitsOf(currency: string): number {
  return isCurrency(currency) ? minorUnits(currency) : 2;
}
