import type { Outcome } from '../src/bill.ts';
import type { Charge } from '../src/shapes.ts';
import { TIME_ZONE } from './vector-tariffs.ts';
import { prices } from './vectors-prices.ts';
import { reservations } from './vectors-reservations.ts';
import { steps } from './vectors-steps.ts';
import { worked } from './vectors-worked.ts';

/**
 * Prices that OCPI 2.2.1 prints or that follow from it, as charges to price: the ids are those of
 * the project's checklist (W = worked in the text, I = an issue, others = a rule worked out).
 * Expected amounts are exact, before any rounding to a currency.
 */
export interface Vector {
  readonly id: string;
  readonly shows: string;
  readonly charge: Charge;
  readonly timeZone: string;
  readonly reservation?: Outcome;
  readonly excl: string;
  /** Undefined = the tariff knows no VAT. */
  readonly incl?: string;
  /** What is billed: "FLAT 1", "ENERGY 20000 @0.25" in Wh, "TIME 900 @5 reserved" in s. */
  readonly billed: readonly string[];
}

/** `price` is "excl incl", or one number where no VAT is known; `billed` is parted by commas. */
export type VectorRow = [
  id: string,
  shows: string,
  charge: Charge,
  price: string,
  billed: string,
  of?: Outcome,
];

export const vectors: readonly Vector[] = [...prices, ...reservations, ...steps, ...worked].map(
  ([id, shows, charge, price, billed, of]) => {
    const [excl, incl] = price.split(' ') as [string, string?];
    return {
      id,
      shows,
      charge,
      timeZone: TIME_ZONE,
      reservation: of,
      excl,
      incl,
      billed: billed.split(', '),
    };
  },
);
