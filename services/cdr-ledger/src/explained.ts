import { decimal } from '#money';
import { explain, type ExplainLanguage, type Explanation, explanationText, InvalidCharge, InvalidTariff } from '#pricing';
import { type Taxed, taxesOfPlace } from '#settlement';
import { combinedRate } from '#taxes';
import { priceCdr } from './amounts.ts';
import type { NamedTax } from './plan.ts';
import { WORDS } from './plan-words.ts';
import type { ListedCdr } from './projections/listed-cdr.ts';
import { TOO_MANY_DIGITS } from './review-price.ts';

/** How the price of a CDR comes about, by our own arithmetic. */
export interface Explained {
  readonly explanation: Explanation | { readonly notPriceable: string };
  /** For a driver. */
  readonly text: string;
  /** What it costs then, rounded, as decimal text; negative for a Credit CDR. */
  readonly repriced?: { readonly exclVat: string; readonly inclVat?: string };
}

/** From the sealed CDR itself, in the zone that was recorded with it. */
export function explained(
  { cdr, pricing, findings, taxed }: Pick<ListedCdr, 'cdr' | 'pricing' | 'findings' | 'taxed'>,
  language: ExplainLanguage = 'en',
): Explained {
  const words = WORDS[language].explained;
  const remarks = findings.map((finding) => `${words.found(finding)}\n`).join('');
  try {
    const { priced } = priceCdr(cdr, pricing?.timeZone);
    const { excl, incl } = priced.total;
    const amount = (value: typeof excl) => (cdr.credit ? value.neg() : value).toString();
    const explanation = explain(priced, language);
    const credited = cdr.credit ? `${words.credited(cdr.credit_reference_id ?? '')}\n` : '';
    return {
      explanation,
      text: `${credited}${explanationText(explanation, taxTextOf(taxesNamed(cdr, taxed), language))}${remarks}`,
      repriced: { exclVat: amount(excl), ...(incl === undefined ? {} : { inclVat: amount(incl) }) },
    };
  } catch (error) {
    const why = whyNotPriced(error);
    return {
      explanation: { notPriceable: why.message },
      text: `${words.notPriceable(why)}\n${remarks}`,
    };
  }
}

/** Throws an error that says nothing of the CDR. */
function whyNotPriced(error: unknown): { readonly path: string; readonly message: string } {
  if (error instanceof RangeError) return { path: 'tariffs', message: TOO_MANY_DIGITS };
  if (error instanceof InvalidCharge || error instanceof InvalidTariff) return error;
  throw error;
}

/** As they were noted with it, or those of the place. */
function taxesNamed(cdr: ListedCdr['cdr'], taxed: Taxed | undefined): readonly NamedTax[] {
  const noted = taxed?.taxes ?? [];
  return noted.length > 0 ? noted.filter(({ code }) => code !== 'VAT') : (taxesOfPlace(cdr) ?? []);
}

/** The taxes one by one, where they are what a component's one VAT comes to. */
function taxTextOf(taxes: readonly NamedTax[], language: ExplainLanguage): (percent: string) => string | undefined {
  const { number, percent: of, and, taxNames, explained: words } = WORDS[language];
  const named = taxes.map(({ code, rate }) => words.tax(taxNames[code] ?? code, of(number(rate)))).join(and);
  return (percent) => (taxes.length > 0 && combinedRate(taxes).equals(decimal(percent)) ? named : undefined);
}
