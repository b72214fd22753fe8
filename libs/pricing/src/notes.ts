/** What a reader of the price should know and no number says. */
export type NoteCode =
  | 'start-unknown'
  | 'end-unknown'
  | 'periods-reordered'
  | 'period-outside-session'
  | 'period-names-unlisted-tariff'
  | 'period-names-no-tariff'
  | 'tariff-outside-its-validity'
  | 'tariff-in-another-currency'
  | 'currency-unknown'
  | 'time-differs-from-timestamps'
  | 'negative-energy'
  | 'level-unknown'
  | 'step-negative'
  | 'bounds-contradict'
  | 'reservation-outcome-inferred'
  | 'period-spans-price-change';

/** `period` is a place in charging_periods. */
export interface Note {
  readonly code: NoteCode;
  readonly period?: number;
}
