import { decimal } from '#money';
import { explain, type Explanation, explanationText, InvalidCharge, InvalidTariff } from '#pricing';
import { taxesOfPlace } from '#settlement';
import { combinedRate } from '#taxes';
import { priceCdr } from './amounts.ts';
import type { ListedCdr } from './projections/listed-cdr.ts';

/** How the price of a CDR comes about, by our own arithmetic. */
export interface Explained {
  readonly explanation: Explanation | { readonly notPriceable: string };
  /** For a driver, in English. */
  readonly text: string;
  /** What it costs then, rounded, as decimal text; negative for a Credit CDR. */
  readonly repriced?: { readonly exclVat: string; readonly inclVat?: string };
}

/** From the sealed CDR itself, in the zone that was recorded with it. */
export function explained({
  cdr,
  pricing,
  findings,
}: Pick<ListedCdr, 'cdr' | 'pricing' | 'findings'>): Explained {
  const remarks = findings.map(({ code, detail }) => `Found: ${detail} (${code}).\n`).join('');
  try {
    const { priced } = priceCdr(cdr, pricing?.timeZone);
    const { excl, incl } = priced.total;
    const amount = (value: typeof excl) => (cdr.credit ? value.neg() : value).toString();
    const explanation = explain(priced);
    const credited = cdr.credit ? `Paid back, of CDR ${cdr.credit_reference_id}:\n` : '';
    return {
      explanation,
      text: `${credited}${explanationText(explanation, taxTextOf(cdr))}${remarks}`,
      repriced: { exclVat: amount(excl), ...(incl === undefined ? {} : { inclVat: amount(incl) }) },
    };
  } catch (error) {
    if (!(error instanceof InvalidCharge || error instanceof InvalidTariff)) throw error;
    return {
      explanation: { notPriceable: error.message },
      text: `It cannot be priced: ${error.message}.\n${remarks}`,
    };
  }
}

/** The taxes of the place one by one, where they are what a component's one VAT comes to. */
function taxTextOf(cdr: ListedCdr['cdr']): (percent: string) => string {
  const taxes = taxesOfPlace(cdr) ?? [];
  const named = taxes.map(({ code, rate }) => `${rate} % ${code}`).join(' and ');
  return (percent) =>
    taxes.length > 0 && combinedRate(taxes).equals(decimal(percent)) ? named : `${percent} % tax`;
}
