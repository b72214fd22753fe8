import { decimal, digitsOf } from '#money';
import type { ExplainLanguage } from '#pricing';
import { passesThrough, type PlanTerms, type PlanVersion, type Prices, type RetailPrice, type RetailStep } from './plan.ts';
import { type PlanWords, WORDS } from './plan-words.ts';

/** A plan and its prices in words, for a driver. What a charge costs there is not among them. */

/** `currency`: whose prices are said; all where it is absent. */
export function termsText(terms: PlanTerms, currency?: string, language: ExplainLanguage = 'en'): string {
  const words = WORDS[language];
  const said = (prices: Prices | undefined, unit: keyof PlanWords['units']): string[] =>
    Object.entries(prices ?? {})
      .filter(([code]) => currency === undefined || code === currency)
      .map(([code, price]) => `${words.money(words.number(price), code)} ${words.units[unit]}`);
  switch (terms.kind) {
    case 'pass-through':
      return words.asCharged;
    case 'mark-up': {
      const onTop = [
        ...said(terms.perSession, 'session'),
        ...said(terms.perKwh, 'kwh'),
        ...(terms.percent === undefined ? [] : [words.ofIt(words.percent(words.number(terms.percent)))]),
      ];
      return onTop.length === 0 ? words.asCharged : words.onTop(listed(onTop, words), taxText(terms.tax, words));
    }
    case 'flat': {
      const prices = [...said(terms.perSession, 'session'), ...said(terms.perKwh, 'kwh'), ...said(terms.perHour, 'hour')];
      return prices.length === 0 ? words.asCharged : words.flat(listed(prices, words), taxText(terms.tax, words));
    }
  }
}

/** How a driver's price comes about. */
export function retailText(
  price: RetailPrice, plan: Pick<PlanVersion, 'name' | 'terms'>, language: ExplainLanguage = 'en',
): string {
  const words = WORDS[language];
  const { currency, payable, exception, steps } = price;
  const digits = digitsOf(currency);
  const total = words.money(words.number(decimal(payable).roundTo(digits, 'half-away-from-zero').toFixed(digits)), currency);
  const why = exception === undefined ? termsText(plan.terms, currency, language) : words.exceptions[exception];
  const lines = [words.byPlan(total, plan.name, why)];
  if (plan.terms.kind === 'flat' && exception === undefined) lines.push(...reckoned(price, words));
  const tax = steps.find(({ what }) => what === 'tax');
  if (tax && !passesThrough(plan.terms, price)) lines.push(placeTaxText(tax, words));
  return `${lines.join('\n')}\n`;
}

/** One by one: the sum of several rates is nothing that may be on a bill (Revenu Québec, "Calculating the taxes"). */
function placeTaxText({ rate = '', taxes = [] }: RetailStep, words: PlanWords): string {
  const percent = (text: string) => words.percent(words.number(text));
  const named = taxes.map(({ code, rate: of }) => `${words.taxNames[code] ?? code} ${percent(of)}`);
  return words.placeTax(named.length > 0 ? listed(named, words) : percent(rate), named.length);
}

const units: Readonly<Record<string, string>> = { 'per-kwh': 'kWh', 'per-hour': 'h', 'per-session': '' };

function reckoned({ currency, steps }: RetailPrice, words: PlanWords): string[] {
  const money = (text: string) => words.money(words.number(text), currency);
  return steps.flatMap(({ what, rate, volume, exclVat }) => {
    if (rate === undefined || units[what] === undefined) return [];
    return volume === undefined
      ? [words.aSession(money(exclVat))]
      : [`${words.number(volume)} ${units[what]} × ${money(rate)} = ${money(exclVat)}`];
  });
}

function listed(parts: readonly string[], { and }: PlanWords): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(', ')}${and}${parts.at(-1)}`;
}

function taxText(tax: 'of-place' | 'none', { plusTax }: PlanWords): string {
  return tax === 'of-place' ? plusTax : '';
}
