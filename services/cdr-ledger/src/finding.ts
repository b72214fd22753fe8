/**
 * What was found wrong with a received CDR; it is recorded and disputable, never refused for it.
 */
export type FindingCode =
  // Price
  | 'price-differs'
  | 'split-differs'
  | 'negative-total'
  | 'credit-total-not-negative'
  | 'credit-negates-more'
  | 'not-priceable'
  | 'time-zone-unknown'
  | 'time-zone-differs'
  | 'currency-unknown'
  | 'tax-differs-from-place'
  | 'tariff-in-another-currency'
  | 'tariff-not-listed'
  | 'tariff-outside-its-validity'
  | 'tariff-not-as-published'
  | 'tariff-not-compared'
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
  | 'credit-differs-from-original'
  | 'credit-reuses-id'
  | 'reference-without-credit'
  | 'overlaps-another-charge'
  | 'session-billed-twice';

export interface Finding {
  readonly code: FindingCode;
  /** A sentence with what was expected and what was there. */
  readonly detail: string;
  /** The other CDR that it is about, `CA*BCT*id`: once that is credited, it is settled. */
  readonly about?: string;
}

export function found(code: FindingCode, detail: string): Finding[] {
  return [{ code, detail }];
}
