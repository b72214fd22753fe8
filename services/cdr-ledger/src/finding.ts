/**
 * What was found wrong with a received CDR; it is recorded and disputable, never refused for it.
 */
export type FindingCode =
  // Price
  | 'price-differs'
  | 'split-differs'
  | 'negative-total'
  | 'credit-total-not-negative'
  | 'not-priceable'
  | 'time-zone-unknown'
  | 'currency-unknown'
  | 'tariff-in-another-currency'
  | 'tariff-not-listed'
  | 'tariff-outside-its-validity'
  // Volumes and times
  | 'energy-differs-from-periods'
  | 'time-differs-from-timestamps'
  | 'period-outside-session'
  | 'ends-before-it-starts'
  | 'time-in-the-future'
  // Whom and what it is for
  | 'token-of-another-party'
  | 'credit-of-unknown-original'
  | 'second-credit'
  | 'credit-differs-from-original';

export interface Finding {
  readonly code: FindingCode;
  /** A sentence with what was expected and what was there. */
  readonly detail: string;
}
