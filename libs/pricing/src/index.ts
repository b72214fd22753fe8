export { Amount } from './amount.ts';
export type { Outcome } from './bill.ts';
export type { ChargeState } from './changes.ts';
export { isValidAt } from './course.ts';
export { durationText } from './duration-text.ts';
export {
  type AppliedComponent,
  type ExplainedBound,
  type ExplainedDimension,
  type ExplainedPeriod,
  type ExplainedStep,
  type Explanation,
  explain,
} from './explain.ts';
export { explanationJson } from './explain-json.ts';
export { explanationText } from './explain-text.ts';
export { EXPLAIN_WORDS, type ExplainLanguage, type ExplainWords } from './explain-words.ts';
export type { Line } from './line.ts';
export {
  type Meter,
  type MeterContext,
  type MeterEnd,
  type MeterEvent,
  type MeterStart,
  type LevelRange,
  type MeterState,
  type RunningPeriod,
  type StateChange,
  meterFold,
  splitAtPriceChanges,
} from './meter.ts';
export type { Note, NoteCode } from './notes.ts';
export { defaultPolicy, FLAGS, type Policy, policyWith } from './policy.ts';
export { type Cost, type Priced, type PriceOptions, price } from './price.ts';
export type { Reason } from './reason.ts';
export { reservationStarts } from './reserved.ts';
export { inForce, type Payer, select } from './select.ts';
export { type Language, sentence } from './sentence.ts';
export { english } from './sentence-english.ts';
export { french } from './sentence-french.ts';
export {
  type CdrDimension,
  type Charge,
  type ChargingPeriod,
  InvalidCharge,
  InvalidTariff,
  type Price,
  type PriceComponent,
  type Tariff,
  type TariffDimension,
  type TariffElement,
  type TariffRestrictions,
} from './shapes.ts';
export { spanningPeriods, splitPeriods } from './spanning.ts';
export {
  type CdrTotals,
  cdrTotals,
  type PriceReport,
  priceReport,
  type Split,
  split,
  type TextPrice,
  type Usage,
} from './totals.ts';
export {
  type Alternative,
  alternatives,
  cheapest,
  type Quote,
  quote,
  type QuoteRequest,
} from './quote.ts';
export { lint, type LintFacts } from './lint.ts';
export { type EvseFacts, METER_STANDINGS, type MeterStanding } from './lint-canada.ts';
export { type Finding, LINT_CODES, type LintCode, type Severity } from './lint-finding.ts';
