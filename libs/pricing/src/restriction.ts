import { type Decimal, type DecimalLike, decimal } from '#money';
import { civilFromDays, daysFromCivil, weekdayOf } from '#time';
import type { Policy } from './policy.ts';
import { InvalidTariff, type TariffRestrictions } from './shapes.ts';

const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;

/** One restriction of an element, read and ready to be asked. OCPI 2.2.1 mod_tariffs. */
export type Check =
  | { readonly kind: 'time'; readonly from: number; readonly to: number }
  | { readonly kind: 'start_date' | 'end_date'; readonly day: number; readonly wrapTo: number }
  | { readonly kind: 'min_kwh' | 'max_kwh'; readonly bound: Decimal }
  | { readonly kind: LevelKind; readonly bound: Decimal }
  | { readonly kind: 'min_duration' | 'max_duration'; readonly ms: number }
  | { readonly kind: 'day_of_week'; readonly days: number; readonly wrapTo: number };

// `wrapTo`: where the element's window wraps over midnight, the minute at which it ends; else 0.

export type LevelKind = 'min_current' | 'max_current' | 'min_power' | 'max_power';

/** Lowest and highest current (A, over all phases) and power (kW) of a stretch, where known. */
export type Levels = Partial<Record<LevelKind, Decimal>>;

/** What the restrictions are held against. */
export interface Moment {
  readonly atMs: number;
  /** Wall-clock ms of the Location (`Zone.wallMs`); only read by checks that look at the clock. */
  readonly wallMs: number;
  /** Since the session's (or the reservation's) start. */
  readonly elapsedMs: number;
  /** Energy of the session so far. */
  readonly energyWh: Decimal;
  readonly levels: Levels;
}

export const WEEKDAYS = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
] as const;

/** Reads the restrictions of the element at that place, all but `reservation`. */
export function readChecks(restrictions: TariffRestrictions, element: number): Check[] {
  const checks: Check[] = [];
  const window = readWindow(restrictions, element);
  if (window) checks.push(window);
  const wrapTo = window && window.to < window.from ? window.to : 0;
  // Only what is there is read: most restrictions are absent from most elements.
  for (const key in restrictions) {
    const value = restrictions[key as keyof TariffRestrictions];
    if (value == null) continue;
    const check = readCheck(key as keyof TariffRestrictions, value, wrapTo, element);
    if (check) checks.push(check);
  }
  return checks;
}

type Value = NonNullable<TariffRestrictions[keyof TariffRestrictions]>;

function readCheck(
  kind: keyof TariffRestrictions,
  value: Value,
  wrapTo: number,
  element: number,
): Check | undefined {
  switch (kind) {
    case 'start_date':
    case 'end_date':
      return { kind, day: dayNumber(value, kind, element), wrapTo };
    case 'day_of_week': {
      const days = weekdays(value, element);
      return days === 0 ? undefined : { kind, days, wrapTo };
    }
    case 'min_kwh':
    case 'max_kwh':
      return { kind, bound: exact(value, kind, element).shift(3) };
    case 'min_current':
    case 'max_current':
    case 'min_power':
    case 'max_power':
      return { kind, bound: exact(value, kind, element) };
    case 'min_duration':
    case 'max_duration':
      if (Number.isFinite(value)) {
        return { kind, ms: Math.min((value as number) * 1000, Number.MAX_SAFE_INTEGER) };
      }
      throw invalid(element, kind, 'seconds expected');
    default:
      return undefined;
  }
}

type TimeWindow = Extract<Check, { kind: 'time' }>;

function readWindow(restrictions: TariffRestrictions, element: number): TimeWindow | undefined {
  const { start_time, end_time } = restrictions;
  if (start_time == null && end_time == null) return undefined;
  const from = start_time == null ? 0 : minuteOfDay(start_time, 'start_time', element);
  const to = end_time == null ? 0 : minuteOfDay(end_time, 'end_time', element);
  return { kind: 'time', from, to: to === 0 ? DAY_MINUTES : to };
}

/** HH:MM; a missing leading zero, seconds of zero and 24:00 are tolerated. */
function minuteOfDay(text: string, field: string, element: number): number {
  if (typeof text === 'string' && text.length === 5 && text.charCodeAt(2) === COLON) {
    const hour = pair(text, 0);
    const minute = pair(text, 3);
    if (hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59) return hour * 60 + minute;
  }
  const match = typeof text === 'string' ? /^(\d{1,2}):([0-5]\d)(?::00)?$/.exec(text) : null;
  const minute = match ? Number(match[1]) * 60 + Number(match[2]) : Number.NaN;
  if (minute <= DAY_MINUTES) return minute % DAY_MINUTES;
  throw invalid(element, field, 'a local time HH:MM expected');
}

const COLON = 58;

/** The two digits at a place as a number, or a negative one. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1000;
}

function dayNumber(text: Value, field: string, element: number): number {
  const match = typeof text === 'string' ? /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) : null;
  if (match) {
    const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
    const days = daysFromCivil(year, month, day);
    const back = civilFromDays(days);
    if (back.year === year && back.month === month && back.day === day) return days;
  }
  throw invalid(element, field, 'a date YYYY-MM-DD expected');
}

function weekdays(names: Value, element: number): number {
  if (!Array.isArray(names)) throw invalid(element, 'day_of_week', 'a list expected');
  let days = 0;
  for (const name of names) {
    const index = WEEKDAYS.indexOf(name as (typeof WEEKDAYS)[number]);
    if (index < 0) throw invalid(element, 'day_of_week', 'MONDAY to SUNDAY expected');
    days |= 1 << (index + 1);
  }
  return days;
}

function exact(value: Value, field: string, element: number): Decimal {
  try {
    return decimal(value as DecimalLike);
  } catch {
    throw invalid(element, field, 'a decimal number expected');
  }
}

function invalid(element: number, field: string, rule: string): InvalidTariff {
  return new InvalidTariff(`elements[${element}].restrictions.${field}`, rule);
}

/** What a check has to be told beside the session's own energy and duration. */
export function needs({ kind }: Check): 'clock' | 'current' | 'power' | undefined {
  switch (kind) {
    case 'time':
    case 'start_date':
    case 'end_date':
    case 'day_of_week':
      return 'clock';
    case 'min_current':
    case 'max_current':
      return 'current';
    case 'min_power':
    case 'max_power':
      return 'power';
    default:
      return undefined;
  }
}

/** Does this restriction let its element be active at that moment? */
export function holds(check: Check, moment: Moment, policy: Policy): boolean {
  switch (check.kind) {
    case 'time':
      return inWindow(check.from, check.to, wallMinute(moment.wallMs), policy);
    case 'start_date':
      return dayOf(check.wrapTo, moment, policy) >= check.day;
    case 'end_date':
      return dayOf(check.wrapTo, moment, policy) < check.day;
    case 'min_kwh':
      return moment.energyWh.compare(check.bound) >= 0;
    case 'max_kwh':
      return moment.energyWh.compare(check.bound) < 0;
    case 'min_current':
    case 'min_power': {
      const level = moment.levels[check.kind];
      return level === undefined
        ? policy.missingLevel !== 'fails'
        : level.compare(check.bound) >= 0;
    }
    case 'max_current':
    case 'max_power': {
      const level = moment.levels[check.kind];
      return level === undefined ? policy.missingLevel !== 'fails' : level.compare(check.bound) < 0;
    }
    case 'min_duration':
      return moment.elapsedMs >= check.ms;
    case 'max_duration':
      return moment.elapsedMs < check.ms;
    case 'day_of_week':
      return (check.days & (1 << weekdayOf(dayOf(check.wrapTo, moment, policy)))) !== 0;
  }
}

function inWindow(from: number, to: number, minute: number, policy: Policy): boolean {
  if (from === to) return policy.equalTimes === 'whole-day';
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** The local day that dates and weekdays are held against. */
function dayOf(wrapTo: number, moment: Moment, policy: Policy): number {
  const day = wallDay(moment.wallMs);
  if (wrapTo === 0 || policy.wrappedWindowDay === 'moment') return day;
  return wallMinute(moment.wallMs) < wrapTo ? day - 1 : day;
}

export function wallMinute(wallMs: number): number {
  return (wallMs - wallDay(wallMs) * DAY_MS) / 60_000;
}

export function wallDay(wallMs: number): number {
  return Math.floor(wallMs / DAY_MS);
}
