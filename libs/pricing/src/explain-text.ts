import { decimal } from '#money';
import type { ExplainedDimension, ExplainedPeriod, ExplainedStep, Explanation } from './explain.ts';
import { mergedPeriods } from './merged-periods.ts';
import type { NoteCode } from './notes.ts';
import { durationText, type Reason } from './reason.ts';
import type { TariffDimension } from './shapes.ts';
import type { TextPrice } from './totals.ts';

const NAMES: Readonly<Record<TariffDimension, string>> = {
  ENERGY: 'Energy',
  TIME: 'Charging time',
  PARKING_TIME: 'Parking time',
  FLAT: 'Fee',
};
const PER: Readonly<Record<TariffDimension, string>> = {
  ENERGY: ' per kWh',
  TIME: ' per hour',
  PARKING_TIME: ' per hour',
  FLAT: '',
};

/** What a note says, for people. */
export const NOTES: Readonly<Record<NoteCode, string>> = {
  'start-unknown': 'when the session started is unknown; its first period is taken for it',
  'end-unknown': 'when the session ended is unknown; it is taken to last as long as its volumes',
  'periods-reordered': 'the periods came out of order and were sorted',
  'period-outside-session': 'it lies outside the session’s start and end',
  'period-names-unlisted-tariff': 'its tariff is not among the tariffs given',
  'period-names-no-tariff': 'it names no tariff while others do',
  'tariff-outside-its-validity': 'no tariff was valid at the start; the first one is used',
  'tariff-in-another-currency': 'its tariff is in another currency',
  'currency-unknown': 'the currency is unknown; two decimals are assumed',
  'time-differs-from-timestamps': 'its hours differ from its timestamps; the hours are billed',
  'negative-energy': 'energy flowed back',
  'level-unknown': 'the tariff asks for a current or a power that nobody told',
  'reservation-outcome-inferred': 'whether the reservation was used is inferred from what followed',
  'period-spans-price-change': 'the price changes within it; it is priced as it began',
};

/**
 * An explanation in English, one thing a line, for people: neighbouring periods priced alike are one.
 * `taxText` names the VAT of a component, of which only the percentage is known here.
 */
export function explanationText(
  explanation: Explanation,
  taxText: (percent: string) => string = (percent) => `${percent} % tax`,
): string {
  const { periods, steps, subtotal, bounds, unrounded, total, rounding } = explanation;
  const { currency, notes } = explanation;
  const money = new MoneyText(currency, rounding.decimals, taxText);
  const lines = mergedPeriods(periods).flatMap((period) => periodLines(period, explanation, money));
  for (const step of steps) lines.push(stepLine(step, money));
  lines.push(`Sum: ${money.price(subtotal)}.`);
  for (const { side, by, from, to, difference } of bounds) {
    const bound = by === 'min_price' ? 'least' : 'highest';
    const vat = side === 'excl_vat' ? 'before tax' : 'with tax';
    lines.push(
      `The tariff’s ${bound} price ${vat} holds: ${money.change(difference)}, ${money.of(to)} and not ${money.of(from)}.`,
    );
  }
  const exact = total.excl_vat === unrounded.excl_vat && total.incl_vat === unrounded.incl_vat;
  const how = exact ? '' : `, rounded ${rounding.mode.replaceAll('-', ' ')}`;
  lines.push(`To pay: ${money.price(total)}${how}.`);
  for (const { code, period } of notes) {
    lines.push(`Note${period === undefined ? '' : ` on period ${period + 1}`}: ${NOTES[code]}.`);
  }
  return `${lines.join('\n')}\n`;
}

/** Amounts with at least the currency's digits; beyond six they are cut, and "…" says so. */
class MoneyText {
  readonly currency: string;
  readonly taxText: (percent: string) => string;
  readonly #decimals: number;

  constructor(currency: string, decimals: number, taxText: (percent: string) => string) {
    this.currency = currency;
    this.taxText = taxText;
    this.#decimals = decimals;
  }

  of(amount: string): string {
    const value = decimal(amount);
    if (value.scale <= this.#decimals) return this.unit(value.toFixed(this.#decimals));
    return this.unit(value.scale <= 6 ? `${value}` : `${value.roundTo(6, 'toward-zero').toFixed(6)}…`);
  }

  /** "+ 0.80 CAD". */
  change(amount: string): string {
    const [sign, figure] = amount.startsWith('-') ? ['−', amount.slice(1)] : ['+', amount];
    return `${sign} ${this.of(figure)}`;
  }

  /** With the currency, where one is known. */
  unit(figure: string): string {
    return this.currency === '' ? figure : `${figure} ${this.currency}`;
  }

  price({ excl_vat, incl_vat }: TextPrice): string {
    if (incl_vat === undefined || incl_vat === excl_vat) return this.of(excl_vat);
    return `${this.of(excl_vat)}, with tax ${this.of(incl_vat)}`;
  }
}

function periodLines(
  period: ExplainedPeriod,
  { timeZone }: Explanation,
  money: MoneyText,
): string[] {
  const from = period.localStart ?? period.start;
  const to = period.localEnd ?? period.end;
  const sameDay = from.slice(0, 10) === to.slice(0, 10) && period.localEnd !== undefined;
  const heading = `${from} to ${sameDay ? to.slice(11) : to}${timeZone ? ` (${timeZone})` : ''}`;
  if (period.tariffId === undefined) return [`${heading}: no tariff applies.`];
  if (period.dimensions.length === 0) return [`${heading}: nothing to price.`];
  const { dimensions } = period;
  return [`${heading}:`, ...dimensions.flatMap((dimension) => dimensionLines(dimension, money))];
}

function dimensionLines(explained: ExplainedDimension, money: MoneyText): string[] {
  const { dimension, applied, cost, volume } = explained;
  const quantity = dimension === 'FLAT' ? '' : ` ${quantityText(dimension, volume)}`;
  const lines = [];
  if (!applied || !cost) {
    lines.push(`  ${nameOf(explained)}${quantity}: no part of the tariff prices it.`);
  } else {
    const at = ` at ${money.unit(applied.price)}${PER[dimension]}`;
    const vat = applied.vat === undefined ? '' : ` and ${money.taxText(applied.vat)}`;
    const part = `part ${applied.element + 1} of the tariff`;
    lines.push(`  ${nameOf(explained)}${quantity}${at}${vat} (${part}): ${money.price(cost)}.`);
  }
  for (const { element, reason } of explained.passedOver) {
    const text = reasonText(reason);
    if (text) lines.push(`    Part ${element + 1} does not apply: ${text}.`);
  }
  return lines;
}

function nameOf(of: { dimension: TariffDimension; reservation: boolean }): string {
  if (!of.reservation) return NAMES[of.dimension];
  return of.dimension === 'FLAT' ? 'Reservation fee' : 'Reservation time';
}

/** A part without a price for this quantity is passed over in silence. */
function reasonText(reason: Reason): string | undefined {
  switch (reason.why) {
    case 'no-component':
      return undefined;
    case 'for-reservations':
      return 'it is for reservations';
    case 'not-for-this-reservation':
      return 'it is not for this reservation';
    case 'restriction':
      return `${RESTRICTIONS[reason.restriction]} ${reason.asks}, and it was ${reason.was}`;
  }
}

const RESTRICTIONS: Readonly<Record<string, string>> = {
  'start_time/end_time': 'only at',
  start_date: 'only',
  end_date: 'only',
  day_of_week: 'only on',
  min_kwh: 'only once the session has',
  max_kwh: 'only while the session has',
  min_current: 'only with a current of',
  max_current: 'only with a current of',
  min_power: 'only with a power of',
  max_power: 'only with a power of',
  min_duration: 'only once the session lasts',
  max_duration: 'only while the session lasts',
};

function stepLine(step: ExplainedStep, money: MoneyText): string {
  const { dimension, stepSize, used, billed, surplusCost } = step;
  return (
    `Billed in steps of ${quantityText(dimension, stepSize)}: ${nameOf(step).toLowerCase()} ` +
    `${quantityText(dimension, used)} becomes ${quantityText(dimension, billed)}, ` +
    `which adds ${money.price(surplusCost)}.`
  );
}

/** "20.45 kWh" of Wh, "1 h 5 min" of seconds. */
function quantityText(dimension: TariffDimension, quantity: string): string {
  if (dimension === 'ENERGY') return `${decimal(quantity).shift(-3)} kWh`;
  return durationText(Number(quantity) * 1000);
}
