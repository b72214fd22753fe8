import type { Document } from './documents.ts';

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
