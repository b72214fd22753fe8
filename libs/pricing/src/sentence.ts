import { type DecimalLike, decimal, digitsOf } from '#money';
import { durationText } from './duration-text.ts';
import { english } from './sentence-english.ts';
import type {
  Price,
  PriceComponent,
  Tariff,
  TariffDimension,
  TariffElement,
  TariffRestrictions,
} from './shapes.ts';

/** How one language says a tariff. */
export interface Language {
  /** "1,234.50" or "1 234,50" of "1234.50". */
  readonly number: (digits: string) => string;
  /** "$0.35" of "0.35" and CAD. */
  readonly money: (number: string, currency: string) => string;
  /** "$0.35 per kWh" of an amount and a dimension. */
  readonly component: Readonly<Record<TariffDimension, (amount: string) => string>>;
  /** TIME of a reservation: nothing is charged meanwhile. */
  readonly reservedHour: (amount: string) => string;
  readonly free: string;
  /** One dimension that costs nothing while others cost something. */
  readonly freePart: Readonly<Record<TariffDimension, string>>;
  readonly plus: string;
  readonly otherwise: string;
  readonly inAnyCase: string;
  /** Of one component, and of all. */
  readonly tax: (percent: string) => string;
  readonly taxOnAll: (percent: string) => string;
  readonly step: (size: string) => string;
  readonly reservation: string;
  readonly expiredReservation: string;
  readonly when: (conditions: readonly string[]) => string;
  /** Values come formatted, with their unit. */
  readonly condition: Readonly<Record<Condition, (value: string) => string>>;
  /** From and to, as HH:MM; 24:00 ends the day. */
  readonly times: (from: string, to: string) => string;
  /** Both windows of a day. */
  readonly bothTimes: (first: string, second: string) => string;
  /** Runs of days as places, 0 = Monday: [[0, 4]] is Monday to Friday. */
  readonly days: (runs: readonly (readonly [number, number])[]) => string;
  readonly atLeast: (amount: string) => string;
  readonly atMost: (amount: string) => string;
  readonly withTax: (amount: string) => string;
}

export type Condition = Exclude<
  keyof TariffRestrictions,
  'start_time' | 'end_time' | 'day_of_week' | 'reservation'
>;

/**
 * A tariff as one sentence without its full stop: "$0.35 per kWh plus $2.00 per hour of charging".
 * Elements are parted by semicolons, in the order in which they are tried. Throws InvalidDecimal
 * where a price is none.
 */
export function sentence(tariff: Tariff, language: Language = english): string {
  const { min_price, max_price, currency } = tariff;
  const elements = applying(tariff.elements.map(restricting));
  const teller = new Teller(language, currency ?? '', elements);
  const clauses = elements.map((element, i) => teller.clause(element, i));
  if (teller.taxOnAll !== undefined) clauses.push(language.taxOnAll(teller.taxOnAll));
  if (min_price) clauses.push(language.atLeast(teller.bound(min_price)));
  if (max_price) clauses.push(language.atMost(teller.bound(max_price)));
  return clauses.join('; ');
}

/** Without the restrictions that restrict nothing: a whole day, all days. */
function restricting(element: TariffElement): TariffElement {
  if (element.restrictions == null) return element;
  const { start_time, end_time, day_of_week, ...others } = element.restrictions;
  const isWholeDay = minuteOf(start_time ?? '00:00') === minuteOf(end_time ?? '00:00');
  const isWeek = DAYS.every((day) => day_of_week?.includes(day));
  const restrictions = { ...others, ...(isWholeDay ? {} : { start_time, end_time }), ...(isWeek ? {} : { day_of_week }) };
  return { ...element, restrictions };
}

/** PRC-02: without the components that never apply, for one before them always does. */
function applying(elements: readonly TariffElement[]): TariffElement[] {
  const always = new Set<TariffDimension>();
  return elements.flatMap((element): TariffElement[] => {
    const { price_components, restrictions } = element;
    if (restrictions?.reservation != null) return [element];
    const types = price_components.map(({ type }) => type);
    const left = price_components.filter(({ type }, i) => !always.has(type) && types.indexOf(type) === i);
    const isBound = Object.values(restrictions ?? {}).some((value) => value != null && (!Array.isArray(value) || value.length > 0));
    if (!isBound) for (const type of types) always.add(type);
    return left.length === 0 && types.length > 0 ? [] : [{ ...element, price_components: left }];
  });
}

class Teller {
  readonly #say: Language;
  readonly #currency: string;
  readonly #elements: readonly TariffElement[];
  /** The percentage that all prices have; else each says its own. */
  readonly taxOnAll: string | undefined;

  constructor(language: Language, currency: string, elements: readonly TariffElement[]) {
    this.#say = language;
    this.#currency = currency;
    this.#elements = elements;
    this.taxOnAll = this.#commonTax();
  }

  #commonTax(): string | undefined {
    const priced = this.#elements.flatMap(({ price_components }) => price_components.filter((one) => !isFree(one)));
    const taxes = new Set(priced.map(({ vat }) => (vat == null ? undefined : decimal(vat).toString())));
    const [only] = taxes;
    return taxes.size === 1 && only !== undefined && priced.length > 1 ? this.#say.number(only) : undefined;
  }

  clause(element: TariffElement, index: number): string {
    const say = this.#say;
    const { price_components, restrictions } = element;
    const conditions = restrictions ? this.#conditions(restrictions) : [];
    if (conditions.length > 0)
      return say.when(conditions) + this.#prices(price_components, restrictions?.reservation != null);
    // PRC-02: what no earlier element prices is charged beside them, too.
    const defaults = price_components.filter(({ type }) => this.#isPricedBefore(type, index));
    const rest = price_components.filter((one) => !defaults.includes(one));
    if (defaults.length === 0) return this.#prices(rest, false);
    const otherwise = say.otherwise + this.#prices(defaults, false);
    if (rest.every(isFree)) return otherwise;
    return `${otherwise}; ${say.inAnyCase}${this.#prices(rest, false)}`;
  }

  bound({ excl_vat, incl_vat }: Price): string {
    const amount = this.#money(excl_vat);
    return incl_vat == null ? amount : `${amount} ${this.#say.withTax(this.#money(incl_vat))}`;
  }

  /** Whether one of the session's elements before this one prices it. */
  #isPricedBefore(dimension: TariffDimension, index: number): boolean {
    return this.#ofSession(dimension, this.#elements.slice(0, index)).length > 0;
  }

  #ofSession(dimension: TariffDimension, elements = this.#elements): PriceComponent[] {
    return elements
      .filter(({ restrictions }) => restrictions?.reservation == null)
      .flatMap(({ price_components }) => price_components.filter(({ type }) => type === dimension));
  }

  #prices(components: readonly PriceComponent[], isReserved: boolean): string {
    const say = this.#say;
    if (components.every(isFree)) {
      const allFree = this.#elements.every((element) => element.price_components.every(isFree));
      const parts = components.map(({ type }) => say.freePart[type]);
      return allFree || parts.length === 0 ? say.free : parts.join(say.plus);
    }
    // What is free here is worth a word where it costs something at other times.
    const costs = ({ type }: PriceComponent) => this.#ofSession(type).some((one) => !isFree(one));
    return components
      .filter((component) => !isFree(component) || (!isReserved && costs(component)))
      .map((one) => (isFree(one) ? say.freePart[one.type] : this.#component(one, isReserved)))
      .join(say.plus);
  }

  #component({ type, price, vat, step_size }: PriceComponent, isReserved: boolean): string {
    const say = this.#say;
    const tax = vat == null || this.taxOnAll !== undefined ? '' : say.tax(say.number(decimal(vat).toString()));
    const size = type === 'FLAT' || step_size == null || !(step_size > 1) ? undefined : step_size;
    const stepText =
      size === undefined
        ? ''
        : say.step(
            type === 'ENERGY'
              ? this.#quantity('min_kwh', decimal(size).shift(-3))
              : durationText(size, say.number),
          );
    const said = type === 'TIME' && isReserved ? say.reservedHour : say.component[type];
    return said(this.#money(price)) + tax + stepText;
  }

  #money(amount: DecimalLike): string {
    const value = decimal(amount);
    const text = value.toString();
    const shown = text.includes('.') ? text.length - 1 - text.indexOf('.') : 0;
    const digits = value.roundTo(shown, 'toward-zero').toFixed(Math.max(shown, digitsOf(this.#currency)));
    const number = this.#say.number(digits);
    return this.#currency === '' ? number : this.#say.money(number, this.#currency);
  }

  #conditions(restrictions: TariffRestrictions): string[] {
    const say = this.#say;
    const { day_of_week, reservation } = restrictions;
    const found: string[] = [];
    if (reservation != null)
      found.push(reservation === 'RESERVATION' ? say.reservation : say.expiredReservation);
    if (day_of_week?.length) found.push(say.days(runsOf(day_of_week)));
    if (restrictions.start_time != null || restrictions.end_time != null) found.push(this.#times(restrictions));
    for (const key of Object.keys(say.condition) as Condition[]) {
      const value = restrictions[key];
      if (value != null) found.push(say.condition[key](this.#quantity(key, value)));
    }
    return found;
  }

  /** With days or dates, a window over midnight is told as it counts: day by day. */
  #times({ start_time, end_time, ...others }: TariffRestrictions): string {
    const say = this.#say;
    const from = start_time ?? '00:00';
    const to = end_time == null || end_time === '00:00' ? '24:00' : end_time;
    const byDays = (others.day_of_week?.length ?? 0) > 0 || others.start_date != null || others.end_date != null;
    if (minuteOf(from) < minuteOf(to) || !byDays) return say.times(from, to);
    return say.bothTimes(say.times('00:00', to), say.times(from, '24:00'));
  }

  #quantity(key: Condition, value: DecimalLike): string {
    const say = this.#say;
    if (key.endsWith('_date')) return String(value);
    if (key.endsWith('_duration')) return durationText(value, say.number);
    const unit = key.endsWith('kwh') ? 'kWh' : key.endsWith('power') ? 'kW' : 'A';
    return `${say.number(decimal(value).toString())} ${unit}`;
  }
}

function isFree({ price }: PriceComponent): boolean {
  return decimal(price).isZero();
}

function minuteOf(time: string): number {
  const [hour, minute] = time.split(':');
  return Number(hour) * 60 + Number(minute);
}

const DAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];

function runsOf(days: readonly string[]): [number, number][] {
  const runs: [number, number][] = [];
  DAYS.forEach((name, day) => {
    if (!days.includes(name)) return;
    const last = runs.at(-1);
    if (last && last[1] === day - 1) last[1] = day;
    else runs.push([day, day]);
  });
  return runs;
}
