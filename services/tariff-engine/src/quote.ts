import { type Charge, price } from '#pricing';
import type { Tariff } from '#ocpi';
import { rfc3339 } from '#time';

export interface QuoteRequest {
  readonly startMs: number;
  readonly durationS: number;
  readonly energyWh: number;
  readonly timeZone: string;
}

const MINUTE_MS = 60_000;
const LONGEST_S = 48 * 3600;

/**
 * What a charge would cost if its energy came evenly: priced minute by minute of the clock, so that
 * every price by the time of day counts where it does. A price that changes with the energy so far
 * is right to the minute.
 */
export function quotedPrice(tariff: Tariff, { startMs, durationS, energyWh, timeZone }: QuoteRequest) {
  const endMs = startMs + Math.min(durationS, LONGEST_S) * 1000;
  const charge: Charge = {
    start_date_time: rfc3339(startMs),
    end_date_time: rfc3339(endMs),
    currency: tariff.currency,
    tariffs: [tariff],
    charging_periods: minutes(startMs, endMs, energyWh),
  };
  return price(charge, { timeZone });
}

function minutes(startMs: number, endMs: number, energyWh: number) {
  const periods = [];
  const energyBy = (ms: number) => Math.round((energyWh * (ms - startMs)) / (endMs - startMs));
  for (let fromMs = startMs; fromMs < endMs;) {
    const toMs = Math.min(endMs, (Math.floor(fromMs / MINUTE_MS) + 1) * MINUTE_MS);
    periods.push({
      start_date_time: rfc3339(fromMs),
      dimensions: [
        { type: 'ENERGY', volume: (energyBy(toMs) - energyBy(fromMs)) / 1000 },
        { type: 'TIME', volume: Math.round((toMs - fromMs) / 360) / 10_000 },
      ],
    });
    fromMs = toMs;
  }
  return periods;
}
