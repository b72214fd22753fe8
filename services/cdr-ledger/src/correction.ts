import { type Decimal, decimal, sum } from '#money';
import { type Cdr, type ChargingPeriod, creditCdr, type Tariff } from '#ocpi';
import { cdrSplit, kwhOf, priceCdr } from './amounts.ts';
import { checked } from './bill.ts';
import { cdrIdOf } from './cdr.ts';
import type { PricingNote } from './pricing-note.ts';

/** What a review of a charge came to; nothing given = the same charge, priced by today's rules. */
export interface Review {
  /** Instead of the session's own. */
  readonly tariff?: Tariff;
  /** Decimal text; the periods are scaled to it. */
  readonly energyWh?: string;
}

/** The Credit CDR of a CDR of ours. `at` is the time of the correction. */
export function creditOf(cdr: Cdr, at: string): Cdr {
  return checked(creditCdr(cdr, at));
}

/** What is billed instead of the CDR with that number. Throws what `price` does. */
export function replacementOf(
  {
    cdr,
    number,
    sessionId,
    pricing,
  }: { cdr: Cdr; number: number; sessionId: string; pricing: PricingNote },
  review: Review,
  at: string,
): { readonly cdr: Cdr; readonly pricing: PricingNote } {
  const { tariff, energyWh } = review;
  const periods =
    energyWh === undefined
      ? cdr.charging_periods
      : scaled(cdr.charging_periods, decimal(kwhOf(energyWh)));
  const given = {
    ...cdr,
    ...(tariff ? { tariffs: [tariff] } : {}),
    charging_periods: tariff
      ? periods.map((period) => ({ ...period, tariff_id: tariff.id }))
      : periods,
  };
  const charge = tariff || energyWh !== undefined ? cdrSplit(given, pricing.timeZone) : given;
  const priced = priceCdr(charge, pricing.timeZone);
  const { tariffVersion } = pricing;
  return {
    cdr: checked({
      ...charge,
      ...priced.amounts,
      id: cdrIdOf(sessionId, number + 1),
      ...(energyWh === undefined ? {} : { total_energy: kwhOf(energyWh) }),
      last_updated: at,
    }),
    pricing: {
      ...priced.pricing,
      ...(tariff || tariffVersion === undefined ? {} : { tariffVersion }),
    },
  };
}

/**
 * Periods whose energy adds up to `kwh` exactly, each in its old proportion: the sum so far is
 * rounded, not each part. Where there was no energy at all, the first period that is no reservation gets it.
 */
function scaled(periods: readonly ChargingPeriod[], kwh: Decimal): ChargingPeriod[] {
  const before = sum(periods.map(energyOf));
  if (before.isZero()) {
    const isReserved = ({ dimensions }: ChargingPeriod) => dimensions.some(({ type }) => type === 'RESERVATION_TIME');
    const first = periods.find((period) => !isReserved(period)) ?? periods[0];
    return periods.map((period) => (period === first ? withEnergy(period, kwh) : period));
  }
  let soFar = decimal(0);
  let given = decimal(0);
  return periods.map((period) => {
    if (!period.dimensions.some(({ type }) => type === 'ENERGY')) return period;
    soFar = soFar.add(energyOf(period));
    const due = soFar.mul(kwh).divide(before, 4, 'half-away-from-zero');
    const part = due.sub(given);
    given = due;
    return withEnergy(period, part);
  });
}

function energyOf({ dimensions }: ChargingPeriod): Decimal {
  return sum(
    dimensions.filter(({ type }) => type === 'ENERGY').map(({ volume }) => decimal(volume)),
  );
}

function withEnergy(period: ChargingPeriod, kwh: Decimal): ChargingPeriod {
  const others = period.dimensions.filter(({ type }) => type !== 'ENERGY');
  return { ...period, dimensions: [{ type: 'ENERGY', volume: kwh.toJsonNumber() }, ...others] };
}
