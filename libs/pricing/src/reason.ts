import { Decimal } from '#money';
import { civilFromDays, weekdayOf } from '#time';
import type { Component, Phase } from './compile.ts';
import type { Policy } from './policy.ts';
import { type Check, holds, type Moment, WEEKDAYS, wallDay, wallMinute } from './restriction.ts';
import type { TariffDimension } from './shapes.ts';

/** Why an element did not price a quantity. */
export type Reason =
  | { readonly why: 'no-component' }
  | { readonly why: 'for-reservations' | 'not-for-this-reservation' }
  | {
      readonly why: 'restriction';
      /** OCPI's field, what it asks for and what was the case. */
      readonly restriction: string;
      readonly asks: string;
      readonly was: string;
    };

/** The first thing that kept a component from applying, or undefined if nothing did. */
function reasonAgainst(
  component: Component,
  phases: readonly Phase[],
  moment: Moment,
  policy: Policy,
): Reason | undefined {
  if (!phases.includes(component.phase)) {
    const why = phases[0] === 'session' ? 'for-reservations' : 'not-for-this-reservation';
    return { why };
  }
  for (const check of component.checks) {
    if (!holds(check, moment, policy)) return { why: 'restriction', ...describe(check, moment) };
  }
  return undefined;
}

function describe(
  check: Check,
  moment: Moment,
): { restriction: string; asks: string; was: string } {
  const { kind } = check;
  switch (kind) {
    case 'time': {
      const asks = `${clockText(check.from)}–${clockText(check.to)}`;
      return {
        restriction: 'start_time/end_time',
        asks,
        was: clockText(wallMinute(moment.wallMs)),
      };
    }
    case 'start_date':
    case 'end_date': {
      const asks = `${kind === 'start_date' ? 'from' : 'before'} ${dateText(check.day)}`;
      return { restriction: kind, asks, was: dateText(wallDay(moment.wallMs)) };
    }
    case 'day_of_week': {
      const asks = WEEKDAYS.filter((_, i) => check.days & (1 << (i + 1))).join(', ');
      const was = WEEKDAYS[weekdayOf(wallDay(moment.wallMs)) - 1]!;
      return { restriction: kind, asks, was };
    }
    case 'min_duration':
    case 'max_duration': {
      const asks = `${asked(kind)} ${durationText(check.ms)}`;
      return { restriction: kind, asks, was: durationText(moment.elapsedMs) };
    }
    case 'min_kwh':
    case 'max_kwh': {
      const asks = `${asked(kind)} ${check.bound.shift(-3)} kWh`;
      return { restriction: kind, asks, was: `${moment.energyWh.shift(-3)} kWh` };
    }
    default: {
      const unit = kind.endsWith('power') ? 'kW' : 'A';
      const level = moment.levels[kind];
      const asks = `${asked(kind)} ${check.bound} ${unit}`;
      return { restriction: kind, asks, was: level ? `${level} ${unit}` : 'unknown' };
    }
  }
}

function asked(kind: string): string {
  return kind.startsWith('min_') ? 'at least' : 'less than';
}

/** HH:MM of a minute of the day, 24:00 included. */
export function clockText(minuteOfDay: number): string {
  const minute = Math.floor(minuteOfDay);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** YYYY-MM-DD of a day since 1970-01-01. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days);
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** "1 h 5 min", "42 min 30 s", "0 s". */
export function durationText(ms: number): string {
  const seconds = Decimal.of(Math.round(ms)).shift(-3);
  const whole = Math.floor(ms / 1000);
  const parts = [];
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = seconds.sub(Decimal.of(hours * 3600 + minutes * 60));
  if (hours > 0) parts.push(`${hours} h`);
  if (minutes > 0) parts.push(`${minutes} min`);
  if (!rest.isZero() || parts.length === 0) parts.push(`${rest} s`);
  return parts.join(' ');
}

/** The elements before the one that applied (all, if none did), and why each did not. */
export function passedOver(
  dimension: TariffDimension,
  phases: readonly Phase[],
  moment: Moment,
  of: { readonly applied: Component | undefined; readonly components: readonly Component[] } & {
    readonly elements: number;
    readonly policy: Policy;
  },
): { readonly element: number; readonly reason: Reason }[] {
  const found = [];
  const until = of.applied?.element ?? of.elements;
  for (let element = 0; element < until; element++) {
    const own = of.components.find(
      (component) => component.element === element && component.dimension === dimension,
    );
    const reason: Reason | undefined = own
      ? reasonAgainst(own, phases, moment, of.policy)
      : { why: 'no-component' };
    if (reason) found.push({ element, reason });
  }
  return found;
}
