export { jurisdictionOf, type Place } from './place.ts';
export { splitTax, type TaxPart } from './split.ts';
export { combinedRate, type Tax, taxCodesIn, taxesAt } from './taxes.ts';
