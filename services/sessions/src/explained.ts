import type { Session, Tariff } from '#ocpi';
import { explain, type Explanation, explanationText, InvalidCharge, InvalidTariff, price } from '#pricing';
import { isTimeZone } from '#time';

/** How the price of a Session comes about. */
export interface Explained {
  readonly explanation: Explanation | { readonly notPriceable: string };
  /** For a driver, in English. */
  readonly text: string;
}

/** Of a Session as it was told last: while it runs, for the periods that it has by then. `timeZone`: of its Location, as its owner wrote it. */
export function explained(session: Session, tariffs: readonly Tariff[], timeZone: string | undefined): Explained {
  try {
    const explanation = explain(price({ ...session, tariffs }, timeZone !== undefined && isTimeZone(timeZone) ? { timeZone } : {}));
    return { explanation, text: explanationText(explanation) };
  } catch (error) {
    if (!(error instanceof InvalidCharge || error instanceof InvalidTariff)) throw error;
    return { explanation: { notPriceable: error.message }, text: `It cannot be priced: ${error.message}.\n` };
  }
}
