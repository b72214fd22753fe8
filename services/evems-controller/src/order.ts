import type { Lease } from './lease.ts';

/** What a station is asked to do with one of its connectors. */
export type Order = FailSafeOrder | LeaseOrder;

interface AnyOrder {
  readonly key: string;
  readonly stationId: string;
  readonly connectorId: number;
  readonly limitMa: number;
  readonly reason: string;
}

/** Stands without end, below every lease. */
export interface FailSafeOrder extends AnyOrder {
  readonly kind: 'fail-safe';
}

export interface LeaseOrder extends AnyOrder {
  readonly kind: 'lease';
  readonly lease: Lease;
}

/**
 * accepted: the station obeys. refused: it said no. unsupported: it knows no limits. undelivered: it
 * never got it. unknown: no answer, so that it may obey, now or later. stale: another owner has
 * spoken to it since.
 */
export type Outcome = 'accepted' | 'refused' | 'unsupported' | 'undelivered' | 'unknown' | 'stale';
