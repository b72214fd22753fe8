import type { ChargingProfile16 } from '#ocpp';

/** A station whose clock is that far behind ours obeys a lease at once all the same. */
const CLOCK_SKEW_MS = 60_000;

/** What the site's owner wants of one connector, per phase. */
export interface Limit {
  readonly connectorId: number;
  readonly kind: 'fail-safe' | 'lease';
  readonly limitMa: number;
  /** Of a lease, epoch milliseconds of the platform clock. */
  readonly leaseUntilMs?: number | undefined;
}

/**
 * A limit as a TxDefaultProfile: it holds for a running transaction as for the next one (S16-99), so
 * that no transaction id has to be known. The fail-safe is stack level 0 and has no end; a lease lies
 * above it and, once its duration is over, the station falls back by itself (S16-97). A new profile
 * of the same purpose and level takes the old one's place (S16-92).
 */
export function chargingProfile(limit: Limit, nowMs: number): ChargingProfile16 {
  const lease = limit.kind === 'lease';
  const schedule = {
    chargingRateUnit: 'A' as const,
    // At most one decimal; rounded down, since more than was granted is never right. S16-95
    chargingSchedulePeriod: [{ startPeriod: 0, limit: Math.floor(limit.limitMa / 100) / 10 }],
  };
  if (!lease) {
    return {
      chargingProfileId: 1 + limit.connectorId * 2,
      stackLevel: 0,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Relative',
      chargingSchedule: schedule,
    };
  }
  const startMs = Math.floor((nowMs - CLOCK_SKEW_MS) / 1000) * 1000;
  const durationS = Math.ceil(((limit.leaseUntilMs ?? nowMs) - startMs) / 1000);
  return {
    chargingProfileId: 2 + limit.connectorId * 2,
    stackLevel: 1,
    chargingProfilePurpose: 'TxDefaultProfile',
    chargingProfileKind: 'Absolute',
    chargingSchedule: {
      ...schedule,
      duration: durationS,
      startSchedule: new Date(startMs).toISOString(),
    },
  };
}
