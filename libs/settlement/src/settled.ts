import { type Decimal, decimal, digitsOf } from '#money';
import type { Cdr } from '#ocpi';
import { combinedRate, splitTax, type Tax, taxesAt } from '#taxes';
import { instant, rfc3339 } from '#time';

/** What settling needs of a CDR. */
export type CdrToSettle = Pick<
  Cdr,
  | 'id' | 'session_id' | 'credit' | 'credit_reference_id' | 'start_date_time' | 'last_updated'
  | 'currency' | 'total_cost' | 'total_energy' | 'cdr_location' | 'tariffs'
>;

/**
 * What is remarkable about the money of a CDR, seen alike by both sides. `part-credit`: a Credit CDR after which some of the
 * price still stands, and so does the session.
 */
export type Remark = 'tax-differs-from-place' | 'no-tax-told' | 'part-credit';

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
  /** kWh; negative for a credit, which takes back the energy of what it credits. Once, where several do. */
  readonly energy_kwh: string;
  readonly excl_tax: string;
  /** What is paid: incl. VAT, or excl. where the CDR names none. */
  readonly incl_tax: string;
  /** They add up to the difference of the two. */
  readonly taxes: readonly SettledTax[];
  readonly location: { readonly id: string; readonly name: string };
  readonly remarks: readonly Remark[];
}

/**
 * How the tax within a CDR was named when it was recorded: the data of taxes may be others by now. Of one of several
 * Credit CDRs, the energy that it takes back, too.
 */
export type Taxed = Pick<SettledCdr, 'taxes' | 'remarks'> & Partial<Pick<SettledCdr, 'energy_kwh'>>;

/** What is shown of a Location's name and city. */
const PLACE_CHARACTERS = 100;

/**
 * A CDR as it is settled: its totals are rounded to the currency's minor unit, half away from zero,
 * here and nowhere else. A Credit CDR counts as written: below nothing, or above where it takes back
 * a bill that paid back (a car that fed the grid); what a sloppy sender meant is found out before.
 * `noted`: what stands beside it, if anything does.
 */
export function settledCdr(cdr: CdrToSettle, noted?: Taxed): SettledCdr {
  return settledBy(cdr, vatRates(cdr), noted);
}

/** To be noted beside it. */
export function taxedOf({ taxes, remarks }: Taxed): Taxed {
  return { taxes, remarks };
}

/** What a CDR adds to the sessions that were billed, and a credit takes off: a part of a price is no session. */
export function sessionsIn({ credit, remarks }: Pick<SettledCdr, 'credit' | 'remarks'>): number {
  if (!credit) return 1;
  return remarks.includes('part-credit') ? 0 : -1;
}

/** `rates`: those that the tax of its total may be at. */
function settledBy(cdr: CdrToSettle, rates: readonly string[], noted?: Taxed): SettledCdr {
  const currency = cdr.currency.toUpperCase();
  const digits = digitsOf(currency);
  const credit = cdr.credit === true;
  const { excl_vat, incl_vat } = cdr.total_cost;
  const amount = (told: number) => decimal(told).roundTo(digits, 'half-away-from-zero');
  const excl = amount(excl_vat);
  const incl = incl_vat === undefined ? excl : amount(incl_vat);
  const { taxes, remarks } = noted ?? taxesOf(cdr, rates, { excl, tax: incl.sub(excl), digits });
  const { id, name, address, city } = cdr.cdr_location;
  return {
    cdr_id: cdr.id,
    ...(cdr.session_id === undefined ? {} : { session_id: cdr.session_id }),
    ...(credit ? { credit_reference_id: cdr.credit_reference_id ?? '' } : {}),
    credit,
    last_updated: rfc3339(instant(cdr.last_updated)),
    currency,
    energy_kwh: noted?.energy_kwh ?? energyOf(cdr).toString(),
    excl_tax: excl.toFixed(digits),
    incl_tax: incl.toFixed(digits),
    taxes,
    location: { id, name: cut([name ?? address, city].filter(Boolean).join(', ')) },
    remarks,
  };
}

/**
 * The taxes within what a driver pays for a CDR. The price is the plan's, and so is its tax: what the operator's tariffs
 * say of theirs counts only where the taxes of the place do not account for it. Of a CDR without tax all of it is the plan's.
 */
export function driverTaxes(
  cdr: CdrToSettle, paid: Pick<CdrToSettle, 'currency' | 'total_cost'>,
): readonly SettledTax[] {
  const place = cdr.total_cost.incl_vat === undefined ? taxesOfPlace(cdr) : undefined;
  const { taxes } = settledBy({ ...cdr, ...paid }, place ? [combinedRate(place).toString()] : []);
  if (taxes.every(({ code }) => code !== 'VAT')) return taxes;
  const unit = decimal('1').shift(-digitsOf(paid.currency));
  return settledCdr({ ...cdr, ...paid }).taxes.map((tax) => {
    const { code, rate, base, amount } = tax;
    const off = decimal(base).mul(decimal(rate || '0')).shift(-2).sub(decimal(amount)).abs();
    return code === 'VAT' && off.compare(unit.mul(decimal('2'))) > 0 ? { ...tax, rate: '' } : tax;
  });
}

/** CDR-04: a Credit CDR says the energy of its original, which it takes back. */
function energyOf({ credit, total_energy }: CdrToSettle): Decimal {
  const energy = decimal(total_energy);
  return credit === true ? energy.neg() : energy;
}

/** By characters: half of one makes JSON that no database takes. */
function cut(name: string): string {
  return name.length <= PLACE_CHARACTERS ? name : [...name].slice(0, PLACE_CHARACTERS).join('');
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
  rates: readonly string[],
  { excl, tax, digits }: TaxedAmount,
): Taxed {
  const place = taxesOfPlace(cdr);
  const shown = (code: string, rate: string, amount: Decimal, base = excl): SettledTax => ({
    code, rate, base: base.toFixed(digits), amount: amount.toFixed(digits),
  });
  if (cdr.total_cost.incl_vat === undefined) {
    return { taxes: [], remarks: place === undefined ? [] : ['no-tax-told'] };
  }
  const base = place && taxedPart(combinedRate(place), rates, { excl, tax, digits });
  if (place === undefined || base === undefined) {
    const [rate = '', ...others] = rates;
    const part = rate === '' || others.length > 0 ? undefined : taxedPart(decimal(rate), rates, { excl, tax, digits });
    const taxes = rate === '0' && tax.isZero() ? [] : [shown('VAT', others.length > 0 ? '' : rate, tax, part)];
    return { taxes, remarks: place === undefined ? [] : ['tax-differs-from-place'] };
  }
  if (base.isZero() && !excl.isZero()) return { taxes: [], remarks: [] };
  const parts = splitTax(tax, place, digits);
  return { taxes: parts.map(({ tax: one, amount }) => shown(one.code, one.rate, amount, base)), remarks: [] };
}

/** The taxes of a CDR's Location at the start of the charge; undefined where there is no data. */
export function taxesOfPlace(
  { cdr_location, start_date_time }: Pick<CdrToSettle, 'cdr_location' | 'start_date_time'>,
): readonly Tax[] | undefined {
  return taxesAt(cdr_location, instant(start_date_time));
}

/** The different percentages in a CDR's tariffs, smallest first. */
export function vatRates({ tariffs = [] }: Pick<CdrToSettle, 'tariffs'>): string[] {
  const told = new Set<number>();
  for (const { elements } of tariffs)
    for (const { price_components } of elements)
      for (const { vat } of price_components) if (vat !== undefined) told.add(vat);
  return [...told].sort((a, b) => a - b).map((vat) => decimal(vat).toString());
}

/**
 * How much of a price the rate was charged on, undefined where it is not what was charged: all of it,
 * where the amounts (each of which was rounded) say so; or, where the tariffs say the rate, what the
 * tax is of, since the components without a VAT are in the price, too.
 */
function taxedPart(
  rate: Decimal,
  told: readonly string[],
  { excl, tax, digits }: TaxedAmount,
): Decimal | undefined {
  if (!told.every((vat) => decimal(vat).equals(rate))) return undefined;
  const due = excl.mul(rate).shift(-2);
  // Half a unit for each of the two totals, and the tax on the half that was rounded off the first.
  const mostOff = decimal('1').add(rate.shift(-2).mul(decimal('0.5'))).shift(-digits);
  if (due.sub(tax).abs().compare(mostOff) <= 0) return excl;
  const isPart = tax.isZero() || tax.isNegative() === due.isNegative();
  if (told.length === 0 || !isPart || tax.abs().compare(due.abs()) > 0) return undefined;
  return tax.shift(2).divide(rate, digits, 'half-away-from-zero');
}
