import { type Decimal, decimal, digitsOf, sum } from '#money';
import { taxesAt } from '#taxes';
import type { FeeBase } from './tallies.ts';
import {
  type AgreementTerms, compare, type Fee, partyKey, spelled, type TaxRegistration,
} from './terms.ts';

/** One fee on an invoice. */
export interface FeeLine {
  readonly name: string;
  readonly per: Fee['per'];
  /** Sessions, kWh, or the money that the percentage is of. */
  readonly quantity: string;
  /** Money for each, or the percentage. */
  readonly price: string;
  /** Without tax, rounded once; negative when more was credited than charged. */
  readonly amount: string;
}

export interface FeeTax {
  readonly code: string;
  readonly rate: string;
  readonly base: string;
  readonly amount: string;
}

/** The fees that one party owes another in one currency. */
export interface FeeBill {
  readonly supplier: string;
  readonly customer: string;
  readonly currency: string;
  readonly lines: readonly FeeLine[];
  readonly taxes: readonly FeeTax[];
  readonly excl_tax: string;
  readonly incl_tax: string;
}

export interface FeeInput {
  readonly periods: readonly { readonly terms: AgreementTerms }[];
  readonly bases: readonly FeeBase[];
  /** Of the statement's month: whom the taxes of all its fees follow. */
  readonly terms: AgreementTerms;
  /** The last instant of the month, epoch ms, by which the rates are chosen. */
  readonly at: number;
}

/**
 * The fees of a statement. A CDR pays the fees of the version that held at its last_updated; a credit
 * takes back those of its original. A fee that several versions have alike is one line.
 */
export function feeBills({ periods, bases, terms, at }: FeeInput): FeeBill[] {
  const lines = new Map<string, { fee: Fee; currency: string; quantity: Decimal }>();
  for (const base of bases) {
    for (const fee of periods[base.period]?.terms.fees ?? []) {
      if (partyKey(fee.cdrs_of) !== base.issuer) continue;
      if (fee.per !== 'percent' && fee.currency !== base.currency) continue;
      const key = `${base.currency} ${spelled(fee)}`;
      const before = lines.get(key)?.quantity ?? decimal(0);
      lines.set(key, { fee, currency: base.currency, quantity: before.add(quantityOf(fee, base)) });
    }
  }
  const owed = [...lines].sort(([a], [b]) => compare(a, b)).map(([, line]) => line)
    .filter(({ quantity }) => !quantity.isZero());
  const bills = Map.groupBy(owed, ({ fee, currency }) => `${supplierOf(fee, terms)} ${currency}`);
  return [...bills.values()].map((fees) => billOf(fees, { terms, at }));
}

function quantityOf({ per }: Fee, { sessions, energy_kwh, excl_tax }: FeeBase): Decimal {
  switch (per) {
    case 'session': return decimal(sessions);
    case 'kwh': return decimal(energy_kwh);
    case 'percent': return decimal(excl_tax);
  }
}

/** The payer's other: who pays for CDRs of its own pays the one who received them. */
function supplierOf({ cdrs_of, paid_by }: Fee, { parties }: AgreementTerms): string {
  const issuer = partyKey(cdrs_of);
  if (paid_by === 'EMSP') return issuer;
  return parties.map(partyKey).find((party) => party !== issuer) ?? issuer;
}

function billOf(
  fees: readonly { fee: Fee; currency: string; quantity: Decimal }[],
  { terms, at }: Pick<FeeInput, 'terms' | 'at'>,
): FeeBill {
  const [{ fee, currency }] = fees as [(typeof fees)[number]];
  const digits = digitsOf(currency);
  const supplier = supplierOf(fee, terms);
  const customer = terms.parties.map(partyKey).find((party) => party !== supplier) ?? supplier;
  const lines = fees.map((line): FeeLine => ({
    name: line.fee.name,
    per: line.fee.per,
    quantity: line.fee.per === 'percent' ? line.quantity.toFixed(digits) : line.quantity.toString(),
    price: decimal(line.fee.amount).toString(),
    amount: amountOf(line.fee, line.quantity)
      .roundTo(digits, 'half-away-from-zero').toFixed(digits),
  }));
  const excl = sum(lines.map(({ amount }) => decimal(amount)));
  const taxes = feeTaxes(terms, { supplier, customer, at }).map(({ code, rate }): FeeTax => ({
    code, rate, base: excl.toFixed(digits),
    amount: excl.mul(decimal(rate)).shift(-2).roundTo(digits, 'half-away-from-zero').toFixed(digits),
  }));
  const incl = sum([excl, ...taxes.map(({ amount }) => decimal(amount))]);
  return {
    supplier, customer, currency, lines, taxes,
    excl_tax: excl.toFixed(digits), incl_tax: incl.toFixed(digits),
  };
}

function amountOf({ per, amount }: Fee, quantity: Decimal): Decimal {
  const exact = quantity.mul(decimal(amount));
  return per === 'percent' ? exact.shift(-2) : exact;
}

/**
 * A fee is a service: it carries the taxes of the place of its recipient (or of its supplier, where
 * the agreement says so) on the last day of the month, each only where its supplier is registered
 * for it. Each is reckoned once, on the sum of the invoice's fees. (Excise Tax Act, New Harmonized
 * Value-added Tax System Regulations, s. 13; CRA GST/HST Technical Information Bulletin B-103.)
 */
function feeTaxes(
  { parties, fee_tax_place }: AgreementTerms,
  { supplier, customer, at }: { supplier: string; customer: string; at: number },
) {
  const find = (party: string) => parties.find((one) => partyKey(one) === party);
  const place = find(fee_tax_place === 'supplier' ? supplier : customer);
  const registrations = find(supplier)?.registrations ?? [];
  if (!place) return [];
  return (taxesAt(place, at) ?? []).filter(({ code }) => registrations.some((one) => isFor(one, code)));
}

/** Whether a registration is for a tax: `GST/HST` for GST and for HST. */
export function isFor({ tax }: Pick<TaxRegistration, 'tax'>, code: string): boolean {
  return tax.toUpperCase().split('/').includes(code);
}
