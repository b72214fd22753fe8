import { decimal, digitsOf } from '#money';

/** How a language writes the digits of a number. */
type NumberText = (digits: string) => string;

const AS_IT_IS: NumberText = (digits) => digits;

/** An exact amount with at least the currency's digits; beyond six they are cut, and "…" says so. */
export function moneyText(amount: string, currency: string, number: NumberText = AS_IT_IS): string {
  const value = decimal(amount);
  const least = digitsOf(currency);
  if (value.scale <= least) return withCurrency(number(value.toFixed(least)), currency);
  const figure =
    value.scale <= 6
      ? number(value.toFixed(value.scale))
      : `${number(value.roundTo(6, 'toward-zero').toFixed(6))}…`;
  return withCurrency(figure, currency);
}

/** '' = nobody says which. */
export function withCurrency(figure: string, currency: string): string {
  return currency === '' ? figure : `${figure} ${currency}`;
}
