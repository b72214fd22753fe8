import type { PlaceLine } from './statement.ts';

/**
 * What a statement is made of: sums over the CDRs of one month between two parties, in exact decimal
 * text. The ledger has its database sum them up; `tallied` does the same in memory, for tests.
 */

/** Whose CDRs, in which currency: one invoice. */
export interface InvoiceKey {
  /** Who issued the CDRs, `CA*BCT`. */
  readonly issuer: string;
  readonly currency: string;
}

export interface Total extends InvoiceKey {
  /** CDRs of earlier months that were acknowledged too late for theirs. */
  readonly late: boolean;
  readonly cdrs: number;
  readonly credits: number;
  /** Of the credits, those after which their session still stands. */
  readonly part_credits: number;
  /** Of the CDRs less the credits. */
  readonly energy_kwh: string;
  readonly excl_tax: string;
  readonly incl_tax: string;
  /** Of the credits alone, negative, incl. tax. */
  readonly credited: string;
}

export interface TaxTotal extends InvoiceKey {
  readonly code: string;
  readonly rate: string;
  readonly base: string;
  readonly amount: string;
}

export interface PlaceTotal extends InvoiceKey, PlaceLine {}

/** What fees are reckoned on; `period` is the index of the version of the agreement. */
export interface FeeBase extends InvoiceKey {
  readonly period: number;
  readonly sessions: number;
  readonly energy_kwh: string;
  readonly excl_tax: string;
}

export interface Tallies {
  readonly totals: readonly Total[];
  readonly taxes: readonly TaxTotal[];
  readonly places: readonly PlaceTotal[];
  readonly fees: readonly FeeBase[];
}
