import { decimal } from '#money';
import { durationText } from './duration-text.ts';
import type { ExplainedDimension, ExplainedPeriod, ExplainedStep, Explanation } from './explain.ts';
import { EXPLAIN_WORDS, type ExplainWords } from './explain-words.ts';
import { mergedPeriods } from './merged-periods.ts';
import type { Reason } from './reason.ts';
import type { TariffDimension } from './shapes.ts';
import type { TextPrice } from './totals.ts';

/** Names the VAT of a component, of which only the percentage is known here. */
type TaxText = (percent: string) => string | undefined;

/**
 * An explanation in its language, one thing a line, for people: neighbouring periods priced alike are one.
 */
export function explanationText(explanation: Explanation, taxText?: TaxText): string {
  const { periods, steps, subtotal, bounds, unrounded, total, rounding } = explanation;
  const { currency, notes } = explanation;
  const words = EXPLAIN_WORDS[explanation.language];
  const { colon } = words;
  const money = new MoneyText({ currency, decimals: rounding.decimals, words, taxText });
  const lines = mergedPeriods(periods).flatMap((period) => periodLines(period, explanation, money));
  for (const step of steps) lines.push(stepLine(step, money));
  lines.push(`${words.sum}${colon} ${money.price(subtotal)}.`);
  for (const { side, by, from, to, difference } of bounds) {
    const amounts = { change: money.change(difference), to: money.of(to), from: money.of(from) };
    lines.push(`${words.bound({ by, side }, amounts)}.`);
  }
  const exact = total.excl_vat === unrounded.excl_vat && total.incl_vat === unrounded.incl_vat;
  const how = exact ? '' : `, ${words.rounded[rounding.mode]}`;
  lines.push(`${words.toPay}${colon} ${money.price(total)}${how}.`);
  for (const { code, period } of notes) {
    lines.push(`${words.note(period === undefined ? undefined : period + 1)}${colon} ${words.notes[code]}.`);
  }
  return `${lines.join('\n')}\n`;
}

/** Amounts with at least the currency's digits; beyond six they are cut, and "…" says so. */
class MoneyText {
  readonly words: ExplainWords;
  readonly #currency: string;
  readonly #decimals: number;
  readonly #taxText: TaxText | undefined;

  constructor({ currency, decimals, words, taxText }: { currency: string; decimals: number; words: ExplainWords; taxText: TaxText | undefined }) {
    this.words = words;
    this.#currency = currency;
    this.#decimals = decimals;
    this.#taxText = taxText;
  }

  of(amount: string): string {
    const value = decimal(amount);
    if (value.scale <= this.#decimals) return this.unit(value.toFixed(this.#decimals));
    return value.scale <= 6 ? this.unit(`${value}`) : this.unit(value.roundTo(6, 'toward-zero').toFixed(6), '…');
  }

  /** "+ 0.80 CAD". */
  change(amount: string): string {
    const [sign, figure] = amount.startsWith('-') ? ['−', amount.slice(1)] : ['+', amount];
    return `${sign} ${this.of(figure)}`;
  }

  /** With the currency, where one is known. */
  unit(digits: string, cut = ''): string {
    const figure = this.words.number(digits) + cut;
    return this.#currency === '' ? figure : this.words.money(figure, this.#currency);
  }

  price({ excl_vat, incl_vat }: TextPrice): string {
    if (incl_vat === undefined || incl_vat === excl_vat) return this.of(excl_vat);
    return this.words.withTax(this.of(excl_vat), this.of(incl_vat));
  }

  tax(percent: string): string {
    const { andTax, tax, number } = this.words;
    return andTax(this.#taxText?.(percent) ?? tax(number(percent)));
  }
}

function periodLines(
  period: ExplainedPeriod,
  { timeZone }: Explanation,
  money: MoneyText,
): string[] {
  const { words } = money;
  const from = period.localStart ?? period.start;
  const to = period.localEnd ?? period.end;
  const sameDay = from.slice(0, 10) === to.slice(0, 10) && period.localEnd !== undefined;
  const span = words.span(from, sameDay ? to.slice(11) : to);
  const heading = `${span}${timeZone ? ` (${timeZone})` : ''}${words.colon}`;
  if (period.tariffId === undefined) return [`${heading} ${words.noTariff}.`];
  if (period.dimensions.length === 0) return [`${heading} ${words.nothingToPrice}.`];
  const { dimensions } = period;
  return [heading, ...dimensions.flatMap((dimension) => dimensionLines(dimension, money))];
}

function dimensionLines(explained: ExplainedDimension, money: MoneyText): string[] {
  const { words } = money;
  const { dimension, applied, cost, volume, reservation } = explained;
  const quantity = dimension === 'FLAT' ? '' : ` ${quantityText(dimension, volume, words)}`;
  const name = reservation ? words.reserved[dimension === 'FLAT' ? 'FLAT' : 'TIME'] : words.dimensions[dimension];
  const lines = [];
  if (!applied || !cost) {
    lines.push(`  ${name}${quantity}${words.colon} ${words.noPart}.`);
  } else {
    const at = words.at[dimension](money.unit(applied.price));
    const vat = applied.vat === undefined ? '' : money.tax(applied.vat);
    const part = words.ofPart(applied.element + 1);
    lines.push(`  ${name}${quantity}${at}${vat}${part}${words.colon} ${money.price(cost)}.`);
  }
  for (const { element, reason } of explained.passedOver) {
    const text = reasonText(reason, words);
    if (text) lines.push(`    ${words.passedOver(element + 1, text)}.`);
  }
  return lines;
}

/** A part without a price for this quantity is passed over in silence. */
function reasonText(reason: Reason, words: ExplainWords): string | undefined {
  switch (reason.why) {
    case 'no-component':
      return undefined;
    case 'for-reservations':
      return words.forReservations;
    case 'not-for-this-reservation':
      return words.notForThisReservation;
    case 'restriction':
      return words.restricted[reason.restriction](reason.asks, reason.was);
  }
}

function stepLine(step: ExplainedStep, money: MoneyText): string {
  const said = (quantity: string) => quantityText(step.dimension, quantity, money.words);
  const figures = { size: said(step.stepSize), used: said(step.used), billed: said(step.billed), surplus: money.price(step.surplusCost) };
  return `${money.words.step(step, figures)}.`;
}

/** "20.45 kWh" of Wh, "1 h 5 min" of seconds, to the millisecond. */
function quantityText(dimension: TariffDimension, quantity: string, { number }: ExplainWords): string {
  if (dimension === 'ENERGY') return `${number(decimal(quantity).shift(-3).toString())} kWh`;
  return durationText(decimal(quantity).roundTo(3, 'half-away-from-zero'), number);
}
