import { Decimal, decimal, digitsOf, sum } from '#money';
import type { SettledCdr, SettledTax, Taxed } from '#settlement';
import { combinedRate, splitTax } from '#taxes';

/** As statements have it. */
export type Settled = Pick<SettledCdr, 'currency' | 'excl_tax' | 'incl_tax' | 'energy_kwh'> & Taxed;

/** A CDR that is credited, and what Credit CDRs took back of it before. */
export interface CreditedSoFar {
  readonly original: Settled;
  readonly before: readonly Settled[];
}

/**
 * A Credit CDR as it is settled: it takes back what its original was charged as tax, and the one that makes the price whole
 * takes back the session and what is left of its energy, whatever it tells of that. (CDR-04: each tells all of the energy.)
 * Nothing where it is what it tells: the only one, that takes back all.
 */
export function creditSettled(credit: Settled, soFar: CreditedSoFar): Partial<Taxed> {
  const taxed = takenBack(credit, soFar);
  const { original, before } = soFar;
  const others = before.filter(({ currency }) => currency === credit.currency);
  const told = decimal(credit.energy_kwh);
  const isMore = isMoreBack(priceBack(original, [credit, ...others]));
  const wasWhole = isWhole(original, others);
  if (credit.currency !== original.currency || (wasWhole && isMore)) return taxed ?? {};
  if (!wasWhole && isWhole(original, [credit, ...others])) {
    const back = sum([original, ...others].map(({ energy_kwh }) => decimal(energy_kwh))).neg();
    return { ...taxed, ...(others.length > 0 || !back.equals(told) ? { energy_kwh: back.toString() } : {}) };
  }
  const isAllTold = told.abs().compare(decimal(original.energy_kwh).abs()) >= 0;
  const remarks = [...(taxed ?? credit).remarks, 'part-credit' as const];
  return { ...taxed, remarks, energy_kwh: wasWhole || isAllTold ? '0' : told.toString() };
}

/** A price, and what Credit CDRs took back of it: both without tax, which a Credit CDR may forget. */
export interface PriceBack {
  readonly price: Decimal;
  readonly back: Decimal;
  readonly currency: string;
}

/**
 * Whether all of a CDR is taken back: its price, but for what rounding makes of it. Then its session is, too, and all that
 * its driver was charged.
 */
export function isAllBack({ price, back, currency }: PriceBack): boolean {
  return missingOf(price, back).compare(back.isZero() ? Decimal.zero : minorUnit(currency)) <= 0;
}

/** The same of rows, whose prices have as many decimals as their currency. */
export const allBack = (price: string, back: string) =>
  `(abs(${price}) - abs(${back}) <= CASE WHEN ${back} = 0 THEN 0 ELSE 10::numeric ^ -scale(${price}) END)`;

/** Whether more is taken back than there was, and than rounding makes of it. */
export function isMoreBack({ price, back, currency }: PriceBack): boolean {
  return missingOf(price, back).neg().compare(minorUnit(currency)) > 0;
}

/** Below nothing where more is back. */
function missingOf(price: Decimal, back: Decimal): Decimal {
  return price.abs().sub(back.abs());
}

function minorUnit(currency: string): Decimal {
  return decimal(1).shift(-digitsOf(currency));
}

export function isWhole(original: Settled, credits: readonly Settled[]): boolean {
  return credits.length > 0 && isAllBack(priceBack(original, credits));
}

function priceBack({ excl_tax, currency }: Settled, credits: readonly Settled[]): PriceBack {
  return { price: decimal(excl_tax), back: sum(credits.map((credit) => decimal(credit.excl_tax))), currency };
}

/** The taxes that were charged, with the sign of what takes all of them back. */
export function negated({ taxes, remarks }: Taxed, digits: number): Taxed {
  const back = (amount: string) => decimal(amount).neg().toFixed(digits);
  return { taxes: taxes.map((tax) => ({ ...tax, base: back(tax.base), amount: back(tax.amount) })), remarks };
}

/**
 * The taxes that a Credit CDR takes back: those of its original, of a part of it their share, and of each exactly
 * what was charged once all is back. Undefined where what it tells is none of them, or more than is left of them.
 */
export function takenBack(credit: Settled, { original, before }: CreditedSoFar): Taxed | undefined {
  const { taxes, remarks } = original;
  const digits = digitsOf(credit.currency);
  if (credit.currency !== original.currency) return undefined;
  const excl = decimal(credit.excl_tax);
  const tax = taxIn(credit);
  const isAll = excl.equals(decimal(original.excl_tax).neg()) && tax.equals(taxIn(original).neg());
  if (isAll) return negated(original, digits);
  if (taxes.length === 0 || credit.taxes.length === 0) return undefined;
  const others = before.filter(({ currency }) => currency === credit.currency);
  const soFar = taxes.map((one) => others.flatMap((its) => its.taxes.filter((other) => isSame(other, one))));
  const amounts = soFar.map((its) => sum(its.map(({ amount }) => decimal(amount))));
  const taxSoFar = sum([tax, ...amounts]);
  if (!isWithin(taxSoFar.neg(), taxIn(original))) return undefined;
  const back = backOf(taxes, taxSoFar, digits);
  const isLast = sum([excl, ...others.map(({ excl_tax }) => decimal(excl_tax))]).equals(decimal(original.excl_tax).neg())
    && taxSoFar.equals(taxIn(original).neg());
  return {
    remarks,
    taxes: taxes.map(({ code, rate, base }, n) => {
      const bases = soFar[n]!.map((its) => decimal(its.base));
      const part = isLast ? sum([decimal(base), ...bases]).neg() : basePart({ excl, tax, digits }, original);
      return { code, rate, base: part.toFixed(digits), amount: back[n]!.sub(amounts[n]!).toFixed(digits) };
    }),
  };
}

/** Of each tax, where all Credit CDRs together take back so much. */
function backOf(taxes: readonly SettledTax[], tax: Decimal, digits: number): Decimal[] {
  const charged = taxes.map(({ amount }) => decimal(amount));
  if (tax.equals(sum(charged).neg())) return charged.map((amount) => amount.neg());
  return taxes.length === 1 ? [tax] : splitTax(tax, taxes, digits).map(({ amount }) => amount);
}

/** What a part of a tax is charged on, where that may be a part of the price alone. */
function basePart(
  { excl, tax, digits }: { excl: Decimal; tax: Decimal; digits: number }, { taxes, excl_tax }: Settled,
): Decimal {
  const isOnAll = taxes.every(({ base, rate }) => rate === '' || decimal(base).equals(decimal(excl_tax)));
  return isOnAll ? excl : tax.shift(2).divide(combinedRate(taxes), digits, 'half-away-from-zero');
}

function isWithin(part: Decimal, whole: Decimal): boolean {
  return part.isZero() || (part.isNegative() === whole.isNegative() && part.abs().compare(whole.abs()) <= 0);
}

function taxIn({ excl_tax, incl_tax }: Settled): Decimal {
  return decimal(incl_tax).sub(decimal(excl_tax));
}

function isSame(a: SettledTax, b: SettledTax): boolean {
  return a.code === b.code && a.rate === b.rate;
}
