import { Decimal, decimal, digitsOf, max } from '#money';
import { combinedRate } from '#taxes';

/**
 * Price plans: what a driver of ours pays for a charge. A plan is a row of dated versions that never
 * change; a charge is priced by the one that holds when it begins. Prices are given per currency and
 * never converted. All amounts are exact until the one rounding to the currency's minor unit (half
 * away from zero), separately without and with tax.
 */

/** Decimal text by currency: `{ CAD: '0.50' }`. */
export type Prices = Readonly<Record<string, string>>;

/** Whether what the plan adds carries the tax of the place of charging, or none. */
export type PlanTax = 'of-place' | 'none';

export type PlanTerms =
  /** What the charge costs there. */
  | { readonly kind: 'pass-through' }
  /** What the charge costs there, and something on top: for roaming, not at our own stations. */
  | {
      readonly kind: 'mark-up';
      readonly perSession?: Prices | undefined;
      readonly perKwh?: Prices | undefined;
      /** Of what the charge costs without tax. */
      readonly percent?: string | undefined;
      readonly tax: PlanTax;
    }
  /** The same everywhere, whatever the charge costs there. */
  | {
      readonly kind: 'flat';
      readonly perSession?: Prices | undefined;
      readonly perKwh?: Prices | undefined;
      readonly perHour?: Prices | undefined;
      readonly tax: PlanTax;
    };

export interface PlanVersion {
  readonly planId: string;
  readonly name: string;
  /** RFC 3339: holds for charges that begin then or later. */
  readonly from: string;
  readonly terms: PlanTerms;
}

/** A tax as a bill names it, in percent. */
export interface NamedTax {
  readonly code: string;
  readonly rate: string;
}

/** A charge as it is priced for its driver. */
export interface Charged {
  readonly currency: string;
  /** What it costs there. */
  readonly exclVat: Decimal;
  readonly inclVat?: Decimal | undefined;
  readonly energyKwh: Decimal;
  readonly hours: Decimal;
  /** At our own station, where the tariff is already a price of ours. */
  readonly own: boolean;
  /** Taxes of the place; undefined where they are not known. */
  readonly taxes?: readonly NamedTax[] | undefined;
}

export type StepKind =
  | 'charge' | 'per-session' | 'per-kwh' | 'per-hour' | 'percent' | 'tax' | 'tax-unknown' | 'rounding';

/** One step of a price, exact decimal text. */
export interface RetailStep {
  readonly what: StepKind;
  /** A price or a percentage. */
  readonly rate?: string;
  /** What the percentage of a tax is made of. */
  readonly taxes?: readonly NamedTax[];
  /** kWh or hours. */
  readonly volume?: string;
  readonly exclVat: string;
  readonly inclVat?: string;
}

/** Why a plan that asks for something else leaves a price as the charge costs there. */
export type Exception = 'own-station' | 'nothing-charged' | 'paid-back' | 'no-price-in-currency';

export interface RetailPrice {
  readonly currency: string;
  /** Rounded decimal text. */
  readonly exclVat: string;
  readonly inclVat?: string;
  /** What the account is charged: incl. tax where it is known. */
  readonly payable: string;
  readonly exception?: Exception;
  readonly steps: readonly RetailStep[];
}

/** The version that holds at an instant (epoch ms); before the first one, the first. */
export function versionAt(
  versions: readonly PlanVersion[],
  atMs: number,
  msOf: (text: string) => number,
): PlanVersion | undefined {
  const inOrder = [...versions].sort((a, b) => msOf(a.from) - msOf(b.from));
  return inOrder.findLast(({ from }) => msOf(from) <= atMs) ?? inOrder[0];
}

export function retailPrice(charged: Charged, terms: PlanTerms): RetailPrice {
  const exception = exceptionFor(charged, terms);
  if (terms.kind === 'pass-through' || exception !== undefined) {
    return rounded(charged, [asCharged(charged)], exception);
  }
  if (terms.kind === 'flat') return rounded(charged, taxed(charged, terms, flatSteps(charged, terms)));
  const onTop = taxed(charged, terms, markUpSteps(charged, terms));
  return rounded(charged, [asCharged(charged), ...onTop]);
}

/** Whether the driver pays just what the charge costs, by the plan and not by an exception of it. */
export function passesThrough(terms: PlanTerms, { exception }: Pick<RetailPrice, 'exception'>): boolean {
  return terms.kind === 'pass-through' || exception === 'own-station';
}

function exceptionFor(charged: Charged, terms: PlanTerms): Exception | undefined {
  if (terms.kind === 'pass-through') return undefined;
  if (charged.exclVat.isNegative()) return 'paid-back';
  if (charged.exclVat.isZero() && charged.energyKwh.compare(Decimal.zero) <= 0) return 'nothing-charged';
  if (terms.kind === 'mark-up') return charged.own ? 'own-station' : undefined;
  const { perSession, perKwh, perHour } = terms;
  const isPriced = [perSession, perKwh, perHour].some((prices) => priceIn(prices, charged) !== undefined);
  return isPriced ? undefined : 'no-price-in-currency';
}

interface Part {
  readonly step: RetailStep;
  readonly excl: Decimal;
  readonly incl: Decimal | undefined;
}

function asCharged({ exclVat, inclVat }: Charged): Part {
  return partOf({ what: 'charge' }, exclVat, inclVat);
}

function markUpSteps(charged: Charged, terms: Extract<PlanTerms, { kind: 'mark-up' }>): Part[] {
  const { percent } = terms;
  return [
    ...priced('per-session', terms.perSession, charged, undefined),
    ...priced('per-kwh', terms.perKwh, charged, charged.energyKwh),
    ...(percent === undefined
      ? []
      : [partOf({ what: 'percent', rate: percent }, charged.exclVat.mul(decimal(percent)).shift(-2))]),
  ];
}

function flatSteps(charged: Charged, terms: Extract<PlanTerms, { kind: 'flat' }>): Part[] {
  return [
    ...priced('per-session', terms.perSession, charged, undefined),
    ...priced('per-kwh', terms.perKwh, charged, charged.energyKwh),
    ...priced('per-hour', terms.perHour, charged, charged.hours),
  ];
}

function priced(
  what: StepKind,
  prices: Prices | undefined,
  charged: Charged,
  told: Decimal | undefined,
): Part[] {
  const price = priceIn(prices, charged);
  if (price === undefined) return [];
  // What a car feeds back is paid for by whoever charges it there, not by the plan.
  const volume = told && max(told, Decimal.zero);
  const amount = volume === undefined ? decimal(price) : decimal(price).mul(volume);
  const step = { what, rate: price, ...(volume === undefined ? {} : { volume: volume.toString() }) };
  return [partOf(step, amount)];
}

function priceIn(prices: Prices | undefined, { currency }: Charged): string | undefined {
  return prices !== undefined && Object.hasOwn(prices, currency) ? prices[currency] : undefined;
}

/** What the plan asks for, with the tax that it carries. */
function taxed(charged: Charged, { tax }: { readonly tax: PlanTax }, parts: readonly Part[]): Part[] {
  if (tax === 'none' || parts.length === 0) return [...parts];
  const excl = parts.reduce((sum, part) => sum.add(part.excl), Decimal.zero);
  const { taxes } = charged;
  if (taxes === undefined) return [...parts, partOf({ what: 'tax-unknown' }, Decimal.zero)];
  const percent = combinedRate(taxes);
  const amount = excl.mul(percent).shift(-2);
  const named = taxes.map(({ code, rate }) => ({ code, rate }));
  return [...parts, partOf({ what: 'tax', rate: percent.toString(), taxes: named }, Decimal.zero, amount)];
}

/** Without `incl` a step costs the same without and with tax. */
function partOf(step: Omit<RetailStep, 'exclVat' | 'inclVat'>, excl: Decimal, incl?: Decimal): Part {
  const texts = { exclVat: excl.toString(), ...(incl === undefined ? {} : { inclVat: incl.toString() }) };
  return { step: { ...step, ...texts }, excl, incl };
}

function rounded({ currency }: Charged, parts: readonly Part[], exception?: Exception): RetailPrice {
  const excl = parts.reduce((sum, part) => sum.add(part.excl), Decimal.zero);
  const hasTax = parts.some(({ incl }) => incl !== undefined);
  const incl = parts.reduce((sum, part) => sum.add(part.incl ?? part.excl), Decimal.zero);
  const digits = digitsOf(currency);
  const round = (amount: Decimal) => amount.roundTo(digits, 'half-away-from-zero').toString();
  const price = { exclVat: round(excl), ...(hasTax ? { inclVat: round(incl) } : {}) };
  const exact = {
    what: 'rounding' as const,
    exclVat: excl.toString(),
    ...(hasTax ? { inclVat: incl.toString() } : {}),
  };
  const isExact = price.exclVat === exact.exclVat && (!hasTax || price.inclVat === exact.inclVat);
  return {
    currency,
    ...price,
    payable: price.inclVat ?? price.exclVat,
    ...(exception === undefined ? {} : { exception }),
    steps: [...parts.map(({ step }) => step), ...(isExact ? [] : [exact])],
  };
}
