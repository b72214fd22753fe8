import { decimal } from '#money';
import type { Cdr } from '#ocpi';
import { cdrTotals, type Cost, price, type Priced, split, splitPeriods } from '#pricing';
import { tzdbVersion } from '#time';
import type { PricingNote } from './pricing-note.ts';

/** A part of a CDR's total. CDR-12. */
export type Part =
  | 'total_fixed_cost'
  | 'total_energy_cost'
  | 'total_time_cost'
  | 'total_parking_cost'
  | 'total_reservation_cost';

/** All of a CDR that a price is, and what was used but for the energy. */
export type CdrAmounts = Pick<Cdr, 'total_cost' | 'total_time' | 'total_parking_time' | Part>;

/** What is priced, of a CDR. */
export type Priceable = Pick<
  Cdr,
  'start_date_time' | 'end_date_time' | 'currency' | 'tariffs' | 'charging_periods'
>;

export interface PricedCdr {
  readonly amounts: CdrAmounts;
  readonly pricing: PricingNote;
  readonly priced: Priced;
}

/**
 * Prices a CDR. The total is rounded once, to the minor unit of the currency; its parts keep OCPI's
 * four decimals, so that they still add up to what was rounded. Nothing is left out: a part that
 * costs nothing is 0. Throws what `price` does.
 */
export function priceCdr(cdr: Priceable, timeZone: string | undefined): PricedCdr {
  const priced = price(cdr, timeZone === undefined ? {} : { timeZone });
  const { excl, incl } = priced.unrounded;
  const nothing = incl === undefined ? { excl_vat: 0 } : { excl_vat: 0, incl_vat: 0 };
  const { total_energy: _, ...totals } = cdrTotals(priced);
  return {
    priced,
    pricing: {
      ...(timeZone === undefined ? {} : { timeZone }),
      tzdb: tzdbVersion,
      unrounded: {
        exclVat: excl.toString(),
        ...(incl === undefined ? {} : { inclVat: incl.toString() }),
      },
    },
    amounts: {
      total_fixed_cost: nothing,
      total_energy_cost: nothing,
      total_time_cost: nothing,
      total_parking_time: 0,
      total_parking_cost: nothing,
      total_reservation_cost: nothing,
      ...totals,
    },
  };
}

/** One that is to be priced by another tariff, or for another energy, than it was metered by. Throws what `price` does. */
export function cdrSplit<C extends Priceable>(cdr: C, timeZone: string | undefined): C {
  const periods = splitPeriods(cdr, timeZone === undefined ? {} : { timeZone });
  return { ...cdr, charging_periods: periods as Cdr['charging_periods'] };
}

/** The parts of a price, exact; undefined where nothing of the kind was billed. */
export function partsOf(priced: Priced): Record<Part, Cost | undefined> {
  const { fixed, energy, time, parking, reservation } = split(priced);
  return {
    total_fixed_cost: fixed,
    total_energy_cost: energy,
    total_time_cost: time,
    total_parking_cost: parking,
    total_reservation_cost: reservation,
  };
}

/** Wh, exactly, as a CDR's kWh with OCPI's four decimals. */
export function kwhOf(energyWh: string): number {
  return decimal(energyWh).divide(decimal(1000), 4, 'half-away-from-zero').toJsonNumber();
}
