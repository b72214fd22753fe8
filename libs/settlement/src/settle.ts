import { type Decimal, decimal, digitsOf, sum } from '#money';
import { rfc3339 } from '#time';
import type { SettlementCalendar } from './calendar.ts';
import { type FeeBill, feeBills, type FeeTax } from './fees.ts';
import type {
  ChargingTotal, CurrencyStatement, Invoice, PlaceLine, Statement, StatementLine, StatementParty,
} from './statement.ts';
import type { InvoiceKey, Tallies, TaxTotal, Total } from './tallies.ts';
import { type AgreementTerms, compare, partyKey, termsDigest } from './terms.ts';

export interface SettleInput extends Tallies {
  readonly month: string;
  readonly calendar: SettlementCalendar;
  /** What the two are called where no agreement says it. */
  readonly parties: readonly { readonly party: string; readonly name: string }[];
  /** The first lines, in their order. */
  readonly lines: readonly StatementLine[];
  /** Epoch ms: whether the month is closed. */
  readonly now: number;
}

/** A partner may send CDRs in any currency, at any place and rate: one answer has to hold what comes of it. */
const CURRENCIES_MAX = 20;
const PLACES_MAX = 400;
const TAXES_MAX = 20;

/** So long after its closing a CDR may still come into the log that was received before it. */
const ON_ITS_WAY_MS = 3_600_000;

/** The statement of a month, a pure function of what lies in it: the same history, the same bytes. */
export function settle(input: SettleInput): Statement {
  const { month, calendar, now } = input;
  const { from, to, closesAt } = calendar.scopeOf(month);
  const terms = calendar.termsOf(month);
  const parties = partiesOf(input, terms);
  const bills = terms
    ? feeBills({ periods: calendar.feePeriods(), bases: input.fees, terms, at: to - 1 })
    : [];
  const currencies = [...new Set([...input.totals, ...bills].map(({ currency }) => currency))].sort();
  const shown = shownOf(currencies, terms);
  const placesMax = Math.floor(PLACES_MAX / shown.length / 2);
  const statements = shown.map((currency) =>
    currencyStatement(input, { currency, parties, bills, terms, placesMax }),
  );
  const leftOut = currencies.length - shown.length;
  return {
    month,
    time_zone: calendar.zoneOf(month).name,
    from: rfc3339(from),
    to: rfc3339(to),
    ...(closesAt === undefined ? {} : { closes_at: rfc3339(closesAt) }),
    state: closesAt === undefined ? 'without-agreement' : now > closesAt + ON_ITS_WAY_MS ? 'closed' : 'open',
    ...(terms === undefined ? {} : { agreement: termsDigest(terms) }),
    parties,
    currencies: statements,
    currencies_left_out: leftOut,
    sentences: [
      ...sentencesOf(statements, parties),
      ...(leftOut === 0 ? [] : [`Charges in ${leftOut} more currencies are not on this statement`]),
    ],
  };
}

/** Those of the agreement before all others: what is owed in one is never left out. */
function shownOf(currencies: readonly string[], terms: AgreementTerms | undefined): string[] {
  const isOdd = (currency: string) => Number(!terms?.currencies.includes(currency));
  return [...currencies].sort((a, b) => isOdd(a) - isOdd(b)).slice(0, CURRENCIES_MAX).sort();
}

function partiesOf({ parties }: SettleInput, terms: AgreementTerms | undefined): StatementParty[] {
  return [...parties].sort((a, b) => compare(a.party, b.party)).map(({ party, name }) => {
    const agreed = terms?.parties.find((one) => partyKey(one) === party);
    if (agreed) return { party, ...agreed };
    const [country_code = '', party_id = ''] = party.split('*');
    return {
      party, country_code, party_id, name,
      address: [], country: '', state: '', postal_code: '', registrations: [],
    };
  });
}

interface Billing {
  readonly currency: string;
  readonly parties: readonly StatementParty[];
  readonly bills: readonly FeeBill[];
  readonly terms: AgreementTerms | undefined;
  /** Of one invoice. */
  readonly placesMax: number;
}

function currencyStatement(input: SettleInput, billing: Billing): CurrencyStatement {
  const { currency, parties, terms } = billing;
  const invoices = parties.flatMap(({ party: supplier }, index) => {
    const customer = parties[1 - index]?.party ?? supplier;
    return invoiceOf(input, { ...billing, supplier, customer });
  });
  const owed = (party: string) =>
    sum(invoices.filter(({ supplier }) => supplier === party).map(({ total }) => decimal(total)));
  const [a, b] = parties as [StatementParty, StatementParty];
  const balance = owed(a.party).sub(owed(b.party));
  const amount = balance.abs().toFixed(digitsOf(currency));
  const due = terms && input.calendar.closingDay(input.month, terms.payment_days);
  if (balance.isZero()) return { currency, invoices, net: { amount } };
  const [debtor, creditor] = balance.isNegative() ? [a.party, b.party] : [b.party, a.party];
  return {
    currency, invoices,
    net: { amount, debtor, creditor, ...(due === undefined ? {} : { due_on: due }) },
  };
}

function invoiceOf(
  input: SettleInput,
  { currency, bills, terms, placesMax, supplier, customer }: Billing & { supplier: string; customer: string },
): Invoice[] {
  const digits = digitsOf(currency);
  const ofInvoice = <T extends InvoiceKey>(all: readonly T[]) =>
    all.filter((one) => one.issuer === supplier && one.currency === currency);
  const totals = ofInvoice(input.totals);
  const bill = bills.find((one) => one.supplier === supplier && one.currency === currency);
  if (totals.length === 0 && !bill) return [];
  const charging = chargingOf(totals, digits);
  const late = totals.filter((total) => total.late);
  const places = ofInvoice(input.places)
    .map((place) => placeOf(place, digits)).sort((x, y) => compare(x.id, y.id));
  const lines = ofInvoice(input.lines);
  const excl = decimal(charging.excl_tax).add(decimal(bill?.excl_tax ?? '0'));
  const total = decimal(charging.incl_tax).add(decimal(bill?.incl_tax ?? '0'));
  const issued = input.calendar.closingDay(input.month);
  const due = terms && input.calendar.closingDay(input.month, terms.payment_days);
  return [{
    number: invoiceNumber({ supplier, customer, month: input.month, currency }),
    supplier, customer, currency,
    ...(issued === undefined ? {} : { issued_on: issued }),
    ...(due === undefined ? {} : { due_on: due }),
    charging,
    late: {
      cdrs: late.reduce((count, { cdrs, credits }) => count + cdrs + credits, 0),
      incl_tax: sumOf(late, 'incl_tax').toFixed(digits),
    },
    taxes: taxesOf(ofInvoice(input.taxes), digits),
    places: places.slice(0, placesMax),
    places_left_out: Math.max(places.length - placesMax, 0),
    fees: bill?.lines ?? [],
    fee_taxes: bill?.taxes ?? [],
    fees_excl_tax: bill?.excl_tax ?? decimal(0).toFixed(digits),
    fees_incl_tax: bill?.incl_tax ?? decimal(0).toFixed(digits),
    excl_tax: excl.toFixed(digits),
    tax: total.sub(excl).toFixed(digits),
    total: total.toFixed(digits),
    lines,
    // Lines are read beside the sums: meanwhile an open month may have grown.
    lines_left_out: Math.max(charging.cdrs + charging.credits - lines.length, 0),
  }];
}

/** Odd rates beyond the first are one line, of several rates. */
function taxesOf(totals: readonly TaxTotal[], digits: number): FeeTax[] {
  const sorted = [...totals].sort((x, y) =>
    compare(x.code, y.code) || decimal(x.rate || '0').compare(decimal(y.rate || '0')));
  const kept = sorted.slice(0, sorted.length > TAXES_MAX ? TAXES_MAX - 1 : TAXES_MAX);
  const rest = sorted.slice(kept.length);
  const merged = { code: 'VAT', rate: '', base: sumOf(rest, 'base').toString(), amount: sumOf(rest, 'amount').toString() };
  return [...kept, ...(rest.length === 0 ? [] : [merged])].map(({ code, rate, base, amount }) => ({
    code, rate, base: decimal(base).toFixed(digits), amount: decimal(amount).toFixed(digits),
  }));
}

function chargingOf(totals: readonly Total[], digits: number): ChargingTotal {
  const excl = sumOf(totals, 'excl_tax');
  const incl = sumOf(totals, 'incl_tax');
  const credited = sumOf(totals, 'credited').neg();
  const count = (of: 'cdrs' | 'credits' | 'part_credits') => totals.reduce((all, total) => all + total[of], 0);
  const parts = count('part_credits');
  return {
    cdrs: count('cdrs'),
    credits: count('credits'),
    ...(parts === 0 ? {} : { part_credits: parts }),
    energy_kwh: sumOf(totals, 'energy_kwh').toString(),
    charged: incl.add(credited).toFixed(digits),
    credited: credited.toFixed(digits),
    excl_tax: excl.toFixed(digits),
    tax: incl.sub(excl).toFixed(digits),
    incl_tax: incl.toFixed(digits),
  };
}

function placeOf(
  { id, name, sessions, energy_kwh, excl_tax, incl_tax }: PlaceLine,
  digits: number,
): PlaceLine {
  return {
    id, name, sessions,
    energy_kwh: decimal(energy_kwh).toString(),
    excl_tax: decimal(excl_tax).toFixed(digits),
    incl_tax: decimal(incl_tax).toFixed(digits),
  };
}

function sumOf<K extends string>(all: readonly Readonly<Record<K, string>>[], key: K): Decimal {
  return sum(all.map((one) => decimal(one[key])));
}

/** The same on both sides, and unlike that of any other month, direction or currency. */
function invoiceNumber(
  { supplier, customer, month, currency }: {
    supplier: string; customer: string; month: string; currency: string;
  },
): string {
  const plain = (party: string) => party.replace('*', '');
  return `${plain(supplier)}-${plain(customer)}-${month.replace('-', '')}-${currency}`;
}

function sentencesOf(
  statements: readonly CurrencyStatement[],
  parties: readonly StatementParty[],
): string[] {
  const nameOf = (party: string) => parties.find((one) => one.party === party)?.name ?? party;
  const both = parties.map(({ name }) => name).join(' and ');
  if (statements.length === 0) return [`${both} owe each other nothing`];
  return statements.map(({ currency, net: { amount, debtor, creditor } }) =>
    debtor === undefined || creditor === undefined
      ? `${both} owe each other nothing in ${currency}`
      : `${nameOf(debtor)} owes ${nameOf(creditor)} ${amount} ${currency}`,
  );
}
