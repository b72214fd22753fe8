import { amountText, decimal } from '#money';
import {
  type Exception, passesThrough, type PlanTerms, type PlanVersion, type Prices, type RetailPrice, type RetailStep,
} from './plan.ts';

/** A plan and its prices in words, for a driver. What a charge costs there is not among them. */

/** `currency`: whose prices are said; all where it is absent. */
export function termsText(terms: PlanTerms, currency?: string): string {
  switch (terms.kind) {
    case 'pass-through':
      return 'You pay what the charge costs there.';
    case 'mark-up': {
      const onTop = [
        ...said(terms.perSession, 'a session', currency),
        ...said(terms.perKwh, 'a kWh', currency),
        ...(terms.percent === undefined ? [] : [`${terms.percent} % of it`]),
      ];
      return onTop.length === 0
        ? 'You pay what the charge costs there.'
        : `You pay what the charge costs there, and ${listed(onTop)} on top${taxText(terms.tax)}.`;
    }
    case 'flat': {
      const prices = [
        ...said(terms.perSession, 'a session', currency),
        ...said(terms.perKwh, 'a kWh', currency),
        ...said(terms.perHour, 'an hour', currency),
      ];
      return `You pay ${listed(prices)}, wherever you charge${taxText(terms.tax)}.`;
    }
  }
}

const exceptions: Readonly<Record<Exception, string>> = {
  'own-station': 'At our own stations you pay what the tariff there says.',
  'nothing-charged': 'No energy was drawn and nothing is asked for it, so the plan asks for nothing.',
  'paid-back': 'It pays back what was charged before.',
  'no-price-in-currency': 'The plan has no price in this currency: you pay what the charge costs there.',
};

/** How a driver's price comes about. */
export function retailText(price: RetailPrice, plan: Pick<PlanVersion, 'name' | 'terms'>): string {
  const { currency, payable, exception, steps } = price;
  const total = amountText(decimal(payable), currency);
  const why = exception === undefined ? termsText(plan.terms, currency) : exceptions[exception];
  const lines = [`${total} by your plan ${plan.name}. ${why}`];
  if (plan.terms.kind === 'flat' && exception === undefined) lines.push(...reckoned(price));
  const tax = steps.find(({ what }) => what === 'tax');
  if (tax && !passesThrough(plan.terms, price)) lines.push(placeTaxText(tax));
  return `${lines.join('\n')}\n`;
}

/** One by one: the sum of several rates is nothing that may be on a bill (Revenu Québec, "Calculating the taxes"). */
function placeTaxText({ rate = '', taxes = [] }: RetailStep): string {
  const named = taxes.map((tax) => `${tax.code} ${tax.rate} %`);
  return named.length > 1
    ? `The taxes of the place are ${listed(named)}.`
    : `The tax of the place is ${named[0] ?? `${rate} %`}.`;
}

const units: Readonly<Record<string, string>> = { 'per-kwh': 'kWh', 'per-hour': 'h', 'per-session': '' };

function reckoned({ currency, steps }: RetailPrice): string[] {
  return steps.flatMap(({ what, rate, volume, exclVat }) => {
    if (rate === undefined || units[what] === undefined) return [];
    return volume === undefined
      ? [`A session: ${exclVat} ${currency}`]
      : [`${volume} ${units[what]} × ${rate} ${currency} = ${exclVat} ${currency}`];
  });
}

function said(prices: Prices | undefined, unit: string, currency: string | undefined): string[] {
  const entries = Object.entries(prices ?? {}).filter(([code]) => currency === undefined || code === currency);
  return entries.map(([code, price]) => `${price} ${code} ${unit}`);
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? 'nothing') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function taxText(tax: 'of-place' | 'none'): string {
  return tax === 'of-place' ? ', plus the tax of the place' : '';
}
