import { type Decimal, decimal, isCurrency, minorUnits } from '#money';
import type { Cdr } from '#ocpi';
import { combinedRate, splitTax, type Tax, taxesAt } from '#taxes';
import { instant, rfc3339 } from '#time';

/** What settling needs of a CDR. */
export type CdrToSettle = Pick<
  Cdr,
  | 'id' | 'session_id' | 'credit' | 'credit_reference_id' | 'start_date_time' | 'last_updated'
  | 'currency' | 'total_cost' | 'total_energy' | 'cdr_location' | 'tariffs'
>;

/** What is remarkable about the money of a CDR, seen alike by both sides. */
export type Remark = 'tax-differs-from-place' | 'no-tax-told';

/** A tax within a CDR's total; `base` is what it is charged on. Both have the sign of the CDR. */
export interface SettledTax {
  /** `GST`, `HST`, `QST`; `VAT` where the place's taxes do not account for it. */
  readonly code: string;
  /** Percent; empty where several rates went into it. */
  readonly rate: string;
  readonly base: string;
  readonly amount: string;
}

/** A CDR or Credit CDR as it is settled: rounded once, with the sign that it counts with. */
export interface SettledCdr {
  readonly cdr_id: string;
  readonly session_id?: string;
  /** Of a Credit CDR. */
  readonly credit_reference_id?: string;
  readonly credit: boolean;
  readonly last_updated: string;
  readonly currency: string;
  /** kWh; negative for a credit, which takes back the energy of what it credits. */
  readonly energy_kwh: string;
  readonly excl_tax: string;
  /** What is paid: incl. VAT, or excl. where the CDR names none. */
  readonly incl_tax: string;
  /** They add up to the difference of the two. */
  readonly taxes: readonly SettledTax[];
  readonly location: { readonly id: string; readonly name: string };
  readonly remarks: readonly Remark[];
}

/** What is shown of a Location's name and city. */
const PLACE_CHARACTERS = 100;

/** A partner's odd currency is recorded and flagged; it settles with two digits. */
export function digitsOf(currency: string): number {
  return isCurrency(currency) ? minorUnits(currency) : 2;
}

/**
 * A CDR as it is settled: its totals are rounded to the currency's minor unit, half away from zero,
 * here and nowhere else. A credit reduces what is owed, whichever sign its sender gave it.
 */
export function settledCdr(cdr: CdrToSettle): SettledCdr {
  const currency = cdr.currency.toUpperCase();
  const digits = digitsOf(currency);
  const credit = cdr.credit === true;
  const signed = (value: Decimal) => (credit ? value.abs().neg() : value);
  const amount = (told: number) =>
    signed(decimal(told).roundTo(digits, 'half-away-from-zero'));
  const { excl_vat, incl_vat } = cdr.total_cost;
  const excl = amount(excl_vat);
  const incl = incl_vat === undefined ? excl : amount(incl_vat);
  const { taxes, remarks } = taxesOf(cdr, { excl, tax: incl.sub(excl), digits });
  const { id, name, address, city } = cdr.cdr_location;
  return {
    cdr_id: cdr.id,
    ...(cdr.session_id === undefined ? {} : { session_id: cdr.session_id }),
    ...(credit ? { credit_reference_id: cdr.credit_reference_id ?? '' } : {}),
    credit,
    last_updated: rfc3339(instant(cdr.last_updated)),
    currency,
    energy_kwh: signed(decimal(cdr.total_energy)).toString(),
    excl_tax: excl.toFixed(digits),
    incl_tax: incl.toFixed(digits),
    taxes,
    location: { id, name: cut([name ?? address, city].filter(Boolean).join(', ')) },
    remarks,
  };
}

/** By characters: half of one makes JSON that no database takes. */
function cut(name: string): string {
  return [...name].slice(0, PLACE_CHARACTERS).join('');
}

interface TaxedAmount {
  readonly excl: Decimal;
  readonly tax: Decimal;
  readonly digits: number;
}

/**
 * OCPI 2.2.1 has one `vat`: it is split into the taxes of the place at the start of the charge, when
 * the price was fixed. Where it is another rate than the place's, it stays one tax and is remarked on.
 */
function taxesOf(
  cdr: CdrToSettle,
  { excl, tax, digits }: TaxedAmount,
): Pick<SettledCdr, 'taxes' | 'remarks'> {
  const place = taxesOfPlace(cdr);
  const shown = (code: string, rate: string, amount: Decimal): SettledTax => ({
    code, rate, base: excl.toFixed(digits), amount: amount.toFixed(digits),
  });
  if (cdr.total_cost.incl_vat === undefined) {
    return { taxes: [], remarks: place === undefined ? [] : ['no-tax-told'] };
  }
  const rates = vatRates(cdr);
  if (place === undefined || !accountsFor(combinedRate(place), rates, { excl, tax, digits })) {
    const rate = rates.length === 1 ? rates[0]! : '';
    const taxes = rate === '0' && tax.isZero() ? [] : [shown('VAT', rate, tax)];
    return { taxes, remarks: place === undefined ? [] : ['tax-differs-from-place'] };
  }
  const parts = splitTax(tax, place, digits);
  return { taxes: parts.map(({ tax: one, amount }) => shown(one.code, one.rate, amount)), remarks: [] };
}

/** The taxes of a CDR's Location at the start of the charge; undefined where there is no data. */
export function taxesOfPlace(
  { cdr_location, start_date_time }: Pick<CdrToSettle, 'cdr_location' | 'start_date_time'>,
): readonly Tax[] | undefined {
  return taxesAt(cdr_location, instant(start_date_time));
}

/** The different percentages in a CDR's tariffs, smallest first. */
export function vatRates({ tariffs = [] }: Pick<CdrToSettle, 'tariffs'>): string[] {
  const components = tariffs.flatMap(({ elements }) =>
    elements.flatMap(({ price_components }) => price_components),
  );
  const told = components.flatMap(({ vat }) => (vat === undefined ? [] : [decimal(vat).toString()]));
  return [...new Set(told)].sort((a, b) => decimal(a).compare(decimal(b)));
}

/** By the rates that the tariffs say; without any, by the amounts, each of which was rounded. */
function accountsFor(
  rate: Decimal,
  told: readonly string[],
  { excl, tax, digits }: TaxedAmount,
): boolean {
  if (told.length > 0) return told.every((vat) => decimal(vat).equals(rate));
  const off = excl.mul(rate).shift(-2).sub(tax).abs();
  return off.compare(decimal('1').shift(-digits)) <= 0;
}
