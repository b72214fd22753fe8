import { Decimal } from '#money';
import { civilFromDays, weekdayOf } from '#time';
import type { Component, Phase } from './compile.ts';
import { durationText } from './duration-text.ts';
import type { ExplainWords } from './explain-words.ts';
import type { Policy } from './policy.ts';
import { type Check, holds, type Moment, WEEKDAYS, wallDay, wallMinute } from './restriction.ts';
import type { TariffDimension } from './shapes.ts';

/** Why an element did not price a quantity. */
export type Reason =
  | { readonly why: 'no-component' }
  | { readonly why: 'for-reservations' | 'not-for-this-reservation' }
  | {
      readonly why: 'restriction';
      readonly restriction: Restriction;
      /** As OCPI writes that field, whatever the language: what the tariff says, and what was the case, where it is known. */
      readonly bound: string;
      readonly value?: string;
      /** The same in words. */
      readonly asks: string;
      readonly was: string;
    };

/** OCPI's field. */
export type Restriction = 'start_time/end_time' | Exclude<Check['kind'], 'time'>;

/** The first thing that kept a component from applying, or undefined if nothing did. */
function reasonAgainst(
  component: Component,
  phases: readonly Phase[],
  moment: Moment,
  { policy, words }: { readonly policy: Policy; readonly words: ExplainWords },
): Reason | undefined {
  if (!phases.includes(component.phase)) {
    const why = phases[0] === 'session' ? 'for-reservations' : 'not-for-this-reservation';
    return { why };
  }
  for (const check of component.checks) {
    if (!holds(check, moment, policy)) return { why: 'restriction', ...describe(check, moment, words) };
  }
  return undefined;
}

function describe(
  check: Check,
  moment: Moment,
  words: ExplainWords,
): Omit<Extract<Reason, { why: 'restriction' }>, 'why'> {
  const { kind } = check;
  const asked = (quantity: string) => (kind.startsWith('min_') ? words.atLeast : words.lessThan)(quantity);
  switch (kind) {
    case 'time': {
      const [from, to, value] = [check.from, check.to, wallMinute(moment.wallMs)].map(clockText) as [string, string, string];
      return { restriction: 'start_time/end_time', bound: `${from}/${to}`, value, asks: words.times(from, to), was: words.clock(value) };
    }
    case 'start_date':
    case 'end_date': {
      const [bound, value] = [dateText(check.day), dateText(wallDay(moment.wallMs))];
      return { restriction: kind, bound, value, asks: words.dates[kind](bound), was: value };
    }
    case 'day_of_week': {
      const days = WEEKDAYS.flatMap((_, day) => (check.days & (1 << (day + 1)) ? [day] : []));
      const day = weekdayOf(wallDay(moment.wallMs)) - 1;
      const bound = days.map((one) => WEEKDAYS[one]).join(',');
      return { restriction: kind, bound, value: WEEKDAYS[day]!, asks: words.days(days), was: words.day(day) };
    }
    case 'min_duration':
    case 'max_duration': {
      const [bound, value] = [secondsOf(check.ms).toString(), secondsOf(moment.elapsedMs).toString()];
      return { restriction: kind, bound, value, asks: asked(durationText(bound, words.number)), was: durationText(value, words.number) };
    }
    case 'min_kwh':
    case 'max_kwh': {
      const [bound, value] = [check.bound, moment.energyWh].map((wh) => wh.shift(-3).toString()) as [string, string];
      const kwh = (digits: string) => `${words.number(digits)} kWh`;
      return { restriction: kind, bound, value, asks: asked(kwh(bound)), was: kwh(value) };
    }
    default: {
      const [bound, value] = [check.bound.toString(), moment.levels[kind]?.toString()];
      const said = (digits: string) => `${words.number(digits)} ${kind.endsWith('power') ? 'kW' : 'A'}`;
      const known = value === undefined ? {} : { value };
      return { restriction: kind, bound, ...known, asks: asked(said(bound)), was: value === undefined ? words.unknown : said(value) };
    }
  }
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

export function secondsOf(ms: number): Decimal {
  return Decimal.of(Math.round(ms)).shift(-3);
}

/** The elements before the one that applied (all, if none did), and why each did not. */
export function passedOver(
  dimension: TariffDimension,
  phases: readonly Phase[],
  moment: Moment,
  of: { readonly applied: Component | undefined; readonly components: readonly Component[] } & {
    readonly elements: number;
    readonly policy: Policy;
    readonly words: ExplainWords;
  },
): { readonly element: number; readonly reason: Reason }[] {
  const found = [];
  const until = of.applied?.element ?? of.elements;
  for (let element = 0; element < until; element++) {
    const own = of.components.find(
      (component) => component.element === element && component.dimension === dimension,
    );
    const reason: Reason | undefined = own
      ? reasonAgainst(own, phases, moment, of)
      : { why: 'no-component' };
    if (reason) found.push({ element, reason });
  }
  return found;
}
