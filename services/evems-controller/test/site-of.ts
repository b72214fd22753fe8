import { type Charger, chargerKey, type Site } from '../src/feeder.ts';

export interface SiteShape {
  readonly chargers: number;
  readonly limitMa: number;
  readonly failSafeMa: number;
}

export const LEASE_MS = 120_000;
export const MARGIN_MS = 5_000;

export function siteOf({ chargers, limitMa, failSafeMa }: SiteShape): Site {
  return {
    id: 'SITE',
    feeder: { name: 'panel', limitMa, voltageV: 208 },
    failSafeMa,
    minMa: 6_000,
    stepMa: 1_000,
    chargers: Array.from({ length: chargers }, (_, i): Charger => {
      // Two connectors a station: the orders of a station go one after the other.
      const [stationId, connectorId] = [`S${i >> 1}`, (i & 1) + 1];
      return { key: chargerKey(stationId, connectorId), stationId, connectorId, maxMa: 32_000 };
    }),
    timing: {
      leaseMs: LEASE_MS,
      clockMarginMs: MARGIN_MS,
      rotateAfterMs: 900_000,
      taperAfterMs: 120_000,
      taperMarginMa: 2_000,
      settleMs: 30_000,
      retryMs: 1_000,
      longestRetryMs: 30_000,
    },
  };
}
