export { type FeePeriod, type MonthScope, SettlementCalendar } from './calendar.ts';
export { exampleCdr as exampleCdrToSettle, exampleTerms } from './example.ts';
export { type FeeLine, type FeeTax, isFor } from './fees.ts';
export {
  isMonth, localMonth, monthStart, type MonthWindow, monthWindow, nextMonth,
} from './month.ts';
export {
  type CdrToSettle, driverTaxes, type Remark, type SettledCdr, settledCdr, type SettledTax,
  type Taxed, taxedOf, taxesOfPlace, vatRates,
} from './settled.ts';
export { settle, type SettleInput } from './settle.ts';
export {
  type ChargingTotal, type CurrencyStatement, type Invoice, type PlaceLine, type Statement,
  type StatementLine, type StatementNotes, type StatementParty,
} from './statement.ts';
export { statementText } from './statement-text.ts';
export type { FeeBase, InvoiceKey, PlaceTotal, Tallies, TaxTotal, Total } from './tallies.ts';
export { type HeldCdr, type Tallied, tallied } from './tally.ts';
export {
  type AgreementTerms, compare, type Fee, type Grants, type PartyId, type PartyTerms, sameTerms,
  type SmartChargingGrant, type TaxRegistration, termsDigest,
} from './terms.ts';
export { termsProblem } from './terms-problem.ts';
