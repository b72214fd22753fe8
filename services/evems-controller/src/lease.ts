/**
 * A moment on two clocks. A lease ends by the charger's clock, which follows the platform's, and
 * that may be set: forwards, and we would think too early that a lease is over; so our own watch,
 * which nobody sets, has to agree.
 */
export interface Moment {
  /** The platform's clock, epoch ms. */
  readonly at: number;
  /** This process's monotonic watch, in ms of platform time. */
  readonly watch: number;
}

/** A limit that a charger may obey until then. */
export interface Lease {
  readonly limitMa: number;
  readonly until: number;
  readonly watchUntil: number;
}

export function leaseFrom(now: Moment, limitMa: number, leaseMs: number): Lease {
  return { limitMa, until: now.at + leaseMs, watchUntil: now.watch + leaseMs };
}

/** Whether a charger may still obey it. */
export function mayLast(lease: Lease, now: Moment, marginMs: number): boolean {
  return now.at < lease.until + marginMs || now.watch < lease.watchUntil + marginMs;
}

/** Whether half of it is gone, by either clock. */
export function isHalfOver(lease: Lease, now: Moment, leaseMs: number): boolean {
  return lease.until - now.at < leaseMs / 2 || lease.watchUntil - now.watch < leaseMs / 2;
}

/** With this one too; without those that another both exceeds and outlasts. */
export function withLease(leases: readonly Lease[], lease: Lease): readonly Lease[] {
  const covered = (a: Lease, b: Lease) =>
    a.limitMa <= b.limitMa && a.until <= b.until && a.watchUntil <= b.watchUntil;
  if (leases.some((other) => covered(lease, other))) return leases;
  return [...leases.filter((other) => !covered(other, lease)), lease];
}
