import type { Document } from './documents.ts';

/** What no Location has, of objects that are taken for one by mistake. */
const NO_LOCATION: readonly (readonly [kind: string, field: string])[] = [
  ['a Tariff', 'elements'],
  ['a CDR', 'cdr_location'],
  ['a CDR', 'charging_periods'],
  ['a Session', 'location_id'],
  ['a Token', 'contract_id'],
];

/** What only one kind of OCPI's objects has, of those that are taken for a Tariff by mistake. */
const MARKS: readonly (readonly [kind: string, ...fields: string[]])[] = [
  ['a Location', 'evses'],
  ['a Location', 'coordinates', 'time_zone'],
  ['an EVSE', 'connectors'],
  ['a CDR without tariffs', 'cdr_location'],
  ['a Session', 'location_id', 'kwh'],
  ['a CDR without tariffs', 'charging_periods'],
  ['a Token', 'contract_id', 'uid'],
];

/** Of an object that is no Tariff; undefined where nothing tells. */
export function otherKind(value: Document['value']): string | undefined {
  if (value.elements !== undefined) return undefined;
  return MARKS.find(([, ...fields]) => fields.every((field) => value[field] !== undefined))?.[0];
}

/** Of an object without anything to price, with what to do; undefined where nothing tells. */
export function otherThanCharge(value: Document['value']): string | undefined {
  if (value.charging_periods !== undefined) return undefined;
  const kind = value.elements === undefined ? otherKind(value) : 'a Tariff';
  const option = kind === 'a Tariff' ? '--tariff' : kind === 'a Location' ? '--location' : undefined;
  return option && `this is ${kind}, and CDRs and Sessions are priced. Give it with ${option}, beside them.`;
}

/** Of an object that is no Location; undefined where nothing tells. */
export function otherThanLocation(value: Document['value']): string | undefined {
  return NO_LOCATION.find(([, field]) => value[field] !== undefined)?.[0];
}
