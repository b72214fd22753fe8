export { Amount } from './amount.ts';
export { type Outcome } from './bill.ts';
export { isValidAt } from './course.ts';
export type { Line } from './line.ts';
export type { Note, NoteCode } from './notes.ts';
export { defaultPolicy, FLAGS, type Policy, policyWith } from './policy.ts';
export { type Cost, type Priced, type PriceOptions, price } from './price.ts';
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
