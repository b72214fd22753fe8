import { z } from 'zod';
import { BadSettings, type Settings } from '#settings';
import { chargerKey, faultOf, type Site } from './feeder.ts';

const amps = z.number().nonnegative().max(10_000);

const charger = z.strictObject({
  station: z.string().min(1),
  connector: z.int().positive().default(1),
  max_a: amps,
});

const site = z.strictObject({
  id: z.string().min(1),
  feeder: z.strictObject({
    name: z.string().min(1),
    /** Continuous: a 240 A breaker carries 192 A without end. */
    limit_a: amps.positive(),
    voltage_v: z.number().positive(),
  }),
  /** What every charger falls back to without us: 0 or at least min_a. */
  fail_safe_a: amps,
  /** J1772 knows no less than 6 A. */
  min_a: amps.positive().default(6),
  step_a: z.number().positive().default(1),
  /** How long a limit above the fail-safe holds without a word from us, platform time. */
  lease_s: z.number().min(30).max(3_600).default(120),
  rotate_after_s: z.number().min(60).default(900),
  chargers: z.array(charger).min(1),
});

/**
 * Commands travel in real time however fast the platform's clock runs: an order may take 5 s, so
 * that a lease has to last clearly longer.
 */
export const REAL = {
  orderTimeoutMs: 5_000,
  leaseMs: 20_000,
  clockMarginMs: 1_000,
  settleMs: 3_000,
  retryMs: 1_000,
  longestRetryMs: 30_000,
} as const;

/** The sites, of which each can be safe. Throws BadSettings that says which is not, and why. */
export function sitesOf(settings: Settings): Site[] {
  const sites = settings
    .list('sites', site)
    .map((given) => siteOf(given, settings.clock.rate));
  const taken = new Set<string>();
  for (const one of sites) {
    const fault = taken.has(one.id) ? 'the id is given twice' : faultOf(one);
    if (fault !== undefined) throw new BadSettings(`${settings.file}: sites.${one.id}: ${fault}`);
    taken.add(one.id);
    for (const { key } of one.chargers) {
      if (taken.has(`charger ${key}`))
        throw new BadSettings(`${settings.file}: sites.${one.id}: ${key} is at another site, too`);
      taken.add(`charger ${key}`);
    }
  }
  return sites;
}

function siteOf(given: z.output<typeof site>, rate: number): Site {
  const ma = (a: number) => Math.round(a * 1_000);
  return {
    id: given.id,
    feeder: {
      name: given.feeder.name,
      limitMa: ma(given.feeder.limit_a),
      voltageV: given.feeder.voltage_v,
    },
    failSafeMa: ma(given.fail_safe_a),
    minMa: ma(given.min_a),
    stepMa: ma(given.step_a),
    chargers: given.chargers.map(({ station, connector, max_a }) => ({
      key: chargerKey(station, connector),
      stationId: station,
      connectorId: connector,
      maxMa: ma(max_a),
    })),
    timing: {
      leaseMs: Math.max(given.lease_s * 1_000, REAL.leaseMs * rate),
      clockMarginMs: Math.max(5_000, REAL.clockMarginMs * rate),
      rotateAfterMs: given.rotate_after_s * 1_000,
      taperAfterMs: 120_000,
      taperMarginMa: 2_000,
      settleMs: Math.max(30_000, REAL.settleMs * rate),
      retryMs: REAL.retryMs * rate,
      longestRetryMs: REAL.longestRetryMs * rate,
    },
  };
}
