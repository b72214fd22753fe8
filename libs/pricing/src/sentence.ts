import { decimal } from '#money';
import { durationText } from './reason.ts';
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
  /** "0.35 CAD per kWh" of an amount and a dimension. */
  readonly component: Readonly<Record<TariffDimension, (amount: string) => string>>;
  readonly free: string;
  readonly plus: string;
  readonly otherwise: string;
  readonly tax: (percent: string) => string;
  readonly step: Readonly<Record<TariffDimension, (size: number) => string>>;
  readonly reservation: string;
  readonly expiredReservation: string;
  readonly when: (conditions: readonly string[]) => string;
  readonly condition: Readonly<Record<string, (value: string) => string>>;
  readonly weekdays: Readonly<Record<string, string>>;
  readonly atLeast: (amount: string) => string;
  readonly atMost: (amount: string) => string;
}

const duration = (seconds: number) => durationText(seconds * 1000);

export const english: Language = {
  component: {
    ENERGY: (amount) => `${amount} per kWh`,
    TIME: (amount) => `${amount} per hour of charging`,
    PARKING_TIME: (amount) => `${amount} per hour of parking`,
    FLAT: (amount) => `${amount} once`,
  },
  free: 'free of charge',
  plus: ' plus ',
  otherwise: 'otherwise ',
  tax: (percent) => ` and ${percent} % tax`,
  step: {
    ENERGY: (size) => ` (in steps of ${decimal(size).shift(-3)} kWh)`,
    TIME: (size) => ` (in steps of ${duration(size)})`,
    PARKING_TIME: (size) => ` (in steps of ${duration(size)})`,
    FLAT: () => '',
  },
  reservation: 'for a reservation ',
  expiredReservation: 'for a reservation that expires ',
  when: (conditions) => `${conditions.join(', ')}: `,
  condition: {
    times: (window) => window,
    start_date: (date) => `from ${date} on`,
    end_date: (date) => `until before ${date}`,
    min_kwh: (kwh) => `from ${kwh} kWh on`,
    max_kwh: (kwh) => `up to ${kwh} kWh`,
    min_current: (amperes) => `at ${amperes} A or more`,
    max_current: (amperes) => `below ${amperes} A`,
    min_power: (kilowatts) => `at ${kilowatts} kW or more`,
    max_power: (kilowatts) => `below ${kilowatts} kW`,
    min_duration: (seconds) => `after ${duration(Number(seconds))}`,
    max_duration: (seconds) => `in the first ${duration(Number(seconds))}`,
    day_of_week: (days) => `on ${days}`,
  },
  weekdays: {
    MONDAY: 'Monday',
    TUESDAY: 'Tuesday',
    WEDNESDAY: 'Wednesday',
    THURSDAY: 'Thursday',
    FRIDAY: 'Friday',
    SATURDAY: 'Saturday',
    SUNDAY: 'Sunday',
  },
  atLeast: (amount) => `at least ${amount}`,
  atMost: (amount) => `at most ${amount}`,
};

/**
 * A tariff as one sentence without its full stop: "0.35 CAD per kWh plus 2.00 CAD per hour of
 * charging". Elements are parted by semicolons, in the order in which they are tried.
 */
export function sentence(tariff: Tariff, language: Language = english): string {
  const { elements, min_price, max_price, currency } = tariff;
  const clauses = elements.map((element, i) => clause(element, i > 0, currency, language));
  if (min_price) clauses.push(language.atLeast(bound(min_price, currency)));
  if (max_price) clauses.push(language.atMost(bound(max_price, currency)));
  return clauses.join('; ');
}

function clause(element: TariffElement, later: boolean, currency: string, say: Language): string {
  const { price_components, restrictions } = element;
  const prices = price_components.filter(({ price }) => !decimal(price).isZero());
  const what =
    prices.length === 0
      ? say.free
      : prices.map((component) => componentText(component, currency, say)).join(say.plus);
  const reserved = restrictions?.reservation;
  const forWhom =
    reserved == null ? '' : reserved === 'RESERVATION' ? say.reservation : say.expiredReservation;
  const conditions = restrictions ? conditionsOf(restrictions, say) : [];
  if (conditions.length > 0) return say.when(conditions) + forWhom + what;
  return (later && forWhom === '' ? say.otherwise : forWhom) + what;
}

function componentText(component: PriceComponent, currency: string, say: Language): string {
  const { type, price, vat, step_size } = component;
  const amount = `${twoDecimals(price)} ${currency}`;
  const tax = vat == null ? '' : say.tax(decimal(vat).toString());
  const step = step_size != null && step_size > 1 ? say.step[type](step_size) : '';
  return say.component[type](amount) + tax + step;
}

function conditionsOf(restrictions: TariffRestrictions, say: Language): string[] {
  const { start_time, end_time, day_of_week } = restrictions;
  const found: string[] = [];
  const add = (key: string, value: string) => found.push(say.condition[key]!(value));
  if (day_of_week?.length)
    add('day_of_week', day_of_week.map((day) => say.weekdays[day] ?? day).join(', '));
  if (start_time != null || end_time != null) {
    add(
      'times',
      `${start_time ?? '00:00'}–${end_time == null || end_time === '00:00' ? '24:00' : end_time}`,
    );
  }
  for (const key of Object.keys(say.condition)) {
    const value = restrictions[key as keyof TariffRestrictions];
    if (key !== 'day_of_week' && value != null) add(key, String(value));
  }
  return found;
}

function bound({ excl_vat, incl_vat }: Price, currency: string): string {
  const amount = `${twoDecimals(excl_vat)} ${currency}`;
  return incl_vat == null ? amount : `${amount} (${twoDecimals(incl_vat)} ${currency} with tax)`;
}

function twoDecimals(amount: Price['excl_vat']): string {
  const value = decimal(amount);
  const text = value.toString();
  const decimals = text.length - 1 - (text.includes('.') ? text.indexOf('.') : text.length - 1);
  return value.roundTo(Math.max(decimals, 2), 'toward-zero').toFixed(Math.max(decimals, 2));
}
