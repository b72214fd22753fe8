import { type Decimal, minorUnitsOf } from '#money';
import { Amount } from './amount.ts';
import { Bill, type Outcome } from './bill.ts';
import type { CompiledTariff } from './compile.ts';
import { type Course, readCourse } from './course.ts';
import { type Line, linesOf } from './line.ts';
import type { Note } from './notes.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import type { Charge } from './shapes.ts';
import { isAtCharger } from './stretch.ts';

export interface PriceOptions {
  /** IANA name of the Location's zone; needed once a tariff has local times, dates or days. */
  readonly timeZone?: string;
  /** What became of the reservation; a CDR does not say. Absent = inferred. */
  readonly reservation?: Outcome;
  /** RFC 3339: the end so far of a charge that still runs. */
  readonly end?: string;
  readonly policy?: Policy;
}

/** An exact amount without and, where the tariffs know VAT at all, with VAT. */
export interface Cost {
  readonly excl: Amount;
  readonly incl: Amount | undefined;
}

export type BoundKind = 'min_price' | 'max_price';

export interface Priced {
  readonly currency: string;
  /** In order of first use. */
  readonly lines: readonly Line[];
  /** Sum of the lines, before min_price and max_price. */
  readonly subtotal: Cost;
  /** Which bound of the tariff replaced the subtotal without and with VAT. */
  readonly bounded: { readonly excl?: BoundKind; readonly incl?: BoundKind };
  /** The price, exact. */
  readonly unrounded: Cost;
  /** The price to pay, rounded once; `incl` undefined where no VAT is known. */
  readonly total: { readonly excl: Decimal; readonly incl: Decimal | undefined };
  readonly course: Course;
  readonly bill: Bill;
  readonly reservation: Outcome | undefined;
  readonly notes: readonly Note[];
  readonly policy: Policy;
  readonly timeZone: string | undefined;
}

/**
 * Prices a charge by OCPI 2.2.1 (mod_tariffs, mod_cdrs). Pure: a charge always gives one price.
 * Throws InvalidCharge, InvalidTariff, UnknownTimeZone.
 */
export function price(charge: Charge, options: PriceOptions = {}): Priced {
  const policy = options.policy ?? defaultPolicy;
  const course = readCourse(charge, policy, options.end);
  const reservation = outcomeOf(course, options, policy);
  const bill = new Bill(course, policy, reservation, options.timeZone);
  const lines = linesOf(bill.entries, policy);
  const subtotal = sumOf(lines, knowsVat(course, policy));
  const bounding = boundingTariff(course, policy);
  const { cost, bounded } = boundedBy(bounding, lines, subtotal, policy);
  if (isContradictory(bounding)) course.notes.push({ code: 'bounds-contradict' });
  if (lines.some(({ component }) => component.hasNegativeStep)) course.notes.push({ code: 'step-negative' });
  const decimals = decimalsOf(course, policy);
  return {
    currency: course.currency,
    lines,
    subtotal,
    bounded,
    unrounded: cost,
    total: {
      excl: cost.excl.roundTo(decimals, policy.rounding),
      incl: cost.incl?.roundTo(decimals, policy.rounding),
    },
    course,
    bill,
    reservation,
    notes: course.notes,
    policy,
    timeZone: options.timeZone,
  };
}

/** A reservation after which nobody was at the charger is taken for expired. PRC-15 */
function outcomeOf(course: Course, options: PriceOptions, policy: Policy): Outcome | undefined {
  let reserved = false;
  for (const { reservationS } of course.stretches) if (reservationS) reserved = true;
  if (!reserved) return undefined;
  if (options.reservation) return options.reservation;
  if (policy.reservationOutcome !== 'infer-from-charging') return policy.reservationOutcome;
  course.notes.push({ code: 'reservation-outcome-inferred' });
  return course.stretches.some(isAtCharger) ? 'used' : 'expired';
}

/** Sum of lines; `withVat` false = incl stays unknown. */
export function sumOf(lines: readonly Line[], withVat: boolean): Cost {
  if (lines.length === 0) return { excl: Amount.zero, incl: withVat ? Amount.zero : undefined };
  let excl = lines[0]!.excl.ninths;
  let incl = lines[0]!.incl.ninths;
  for (let i = 1; i < lines.length; i++) {
    excl = excl.add(lines[i]!.excl.ninths);
    if (withVat) incl = incl.add(lines[i]!.incl.ninths);
  }
  return { excl: new Amount(excl), incl: withVat ? new Amount(incl) : undefined };
}

/** PRC-05: where no component has a vat there is no price with VAT. */
export function knowsVat(course: Course, policy: Policy): boolean {
  if (policy.vatNowhere === 'equals-excl') return true;
  for (const { tariff } of course.stretches) if (tariff?.hasVat) return true;
  return false;
}

function boundingTariff({ stretches }: Course, policy: Policy): CompiledTariff | undefined {
  if (policy.boundsTariff === 'none') return undefined;
  const last = policy.boundsTariff === 'last';
  for (let i = 0; i < stretches.length; i++) {
    const { tariff } = stretches[last ? stretches.length - 1 - i : i]!;
    if (tariff) return tariff;
  }
  return undefined;
}

function boundedBy(
  tariff: CompiledTariff | undefined,
  lines: readonly Line[],
  subtotal: Cost,
  policy: Policy,
): { cost: Cost; bounded: Priced['bounded'] } {
  const reserved =
    policy.boundedCosts === 'all' ? [] : lines.filter(({ reservation }) => reservation);
  if (reserved.length === 0) return bound(subtotal, tariff, policy);
  if (reserved.length === lines.length) return { cost: subtotal, bounded: {} };
  const apart = sumOf(reserved, subtotal.incl !== undefined);
  const session = {
    excl: subtotal.excl.sub(apart.excl),
    incl: apart.incl && subtotal.incl?.sub(apart.incl),
  };
  const { cost, bounded } = bound(session, tariff, policy);
  const incl = apart.incl && cost.incl?.add(apart.incl);
  return { cost: { excl: cost.excl.add(apart.excl), incl }, bounded };
}

/** PRC-12: min_price and max_price bound the total without and with VAT independently. */
function bound(
  subtotal: Cost,
  tariff: CompiledTariff | undefined,
  policy: Policy,
): { cost: Cost; bounded: Priced['bounded'] } {
  if (!tariff?.min && !tariff?.max) return { cost: subtotal, bounded: {} };
  const { min, max } = tariff;
  const excl = clamp(subtotal.excl, min?.excl, max?.excl);
  if (!subtotal.incl) {
    return { cost: { excl: excl.amount, incl: undefined }, bounded: { excl: excl.by } };
  }
  const incl = clamp(subtotal.incl, min?.incl, max?.incl);
  const lacksIncl = excl.by === 'min_price' && min!.incl === undefined;
  if (lacksIncl && policy.missingInclBound === 'not-below-excl') {
    if (incl.amount.compare(excl.amount) < 0) Object.assign(incl, excl);
  }
  return {
    cost: { excl: excl.amount, incl: incl.amount },
    bounded: { excl: excl.by, incl: incl.by },
  };
}

function isContradictory(tariff: CompiledTariff | undefined): boolean {
  const { min, max } = tariff ?? {};
  if (!min || !max) return false;
  return min.excl.compare(max.excl) > 0 || (!!min.incl && !!max.incl && min.incl.compare(max.incl) > 0);
}

function clamp(
  value: Amount,
  min: Decimal | undefined,
  max: Decimal | undefined,
): { amount: Amount; by?: BoundKind } {
  if (max) {
    const most = Amount.of(max);
    if (value.compare(most) > 0) return { amount: most, by: 'max_price' };
  }
  if (min) {
    const least = Amount.of(min);
    if (value.compare(least) < 0) return { amount: least, by: 'min_price' };
  }
  return { amount: value };
}

function decimalsOf({ currency, notes, stretches }: Course, policy: Policy): number {
  for (const { tariff, index } of stretches) {
    if (tariff && tariff.source.currency != null && !isSame(tariff.source.currency, currency)) {
      notes.push({ code: 'tariff-in-another-currency', period: index });
    }
  }
  if (policy.roundingDecimals !== 'currency') return policy.roundingDecimals;
  const digits = minorUnitsOf(currency);
  if (digits === undefined) notes.push({ code: 'currency-unknown' });
  return digits ?? 2;
}

/** Either may be anything: incomplete charges are priced, too. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || String(one).toUpperCase() === String(other).toUpperCase();
}
