import { macOf, type Sealed } from '#chain';
import { Cdr, type CdrToken, erasedCdrToken, namedFields } from '#ocpi';
import { instant, rfc3339 } from '#time';

/**
 * A CDR lies in the ledger in two parts. The public one (money, energy, times, place unless it is a
 * home) is stored for ever and chained. The private one (who charged, signed meter data, a partner's body as received)
 * lies under the contract's key in a row that can be deleted; the public part holds its HMAC.
 */

const PRIVATE_FIELDS = ['cdr_token', 'authorization_reference', 'signed_data', 'remark'] as const;
type PrivateField = (typeof PRIVATE_FIELDS)[number];

/** Only what OCPI names becomes public: a field of a partner's own may hold anything. */
const PUBLIC_FIELDS: readonly Exclude<keyof Cdr, PrivateField>[] = [
  'country_code',
  'party_id',
  'id',
  'start_date_time',
  'end_date_time',
  'session_id',
  'auth_method',
  'cdr_location',
  'meter_id',
  'currency',
  'tariffs',
  'charging_periods',
  'total_cost',
  'total_fixed_cost',
  'total_energy',
  'total_energy_cost',
  'total_time',
  'total_time_cost',
  'total_parking_time',
  'total_parking_cost',
  'total_reservation_cost',
  'invoice_reference_id',
  'credit',
  'credit_reference_id',
  'home_charging_compensation',
  'last_updated',
];

export type PublicCdr = Omit<Cdr, PrivateField>;
export type PrivateCdr = Pick<Cdr, PrivateField>;

/** A private row: the text and the salt without which its HMAC says nothing. */
export interface PrivatePart {
  readonly id: string;
  readonly salt: Uint8Array;
  readonly token: CdrToken;
  readonly text: string;
  /** Of a received CDR: when the token charged. */
  readonly charged?: ChargedTime | undefined;
  /** When what it is about began; absent: it is beside a CDR that is there. */
  readonly at?: string;
}

/** RFC 3339. */
export interface ChargedTime {
  readonly from: string;
  readonly to: string;
}

/** When the token of a received CDR charged; of a credit, and of times that are unknown, nothing. */
export function chargedTime({ credit, start_date_time, end_date_time }: PublicCdr): ChargedTime | undefined {
  const [from, to] = [instant(start_date_time), instant(end_date_time)];
  // An unknown time is the epoch (CDR-19).
  return credit || from <= 0 || to <= from ? undefined : { from: rfc3339(from), to: rfc3339(to) };
}

/** Drawn anew for every private part. */
export interface Randomness {
  readonly id: string;
  readonly salt: Uint8Array;
  readonly at?: string;
}

/** Also of what lies within a CDR only what OCPI names. */
export function publicOf(cdr: Cdr): PublicCdr {
  return namedFields(Cdr, only(PUBLIC_FIELDS, withPublicPlace(cdr)) as Cdr);
}

export function privateOf(cdr: Cdr): PrivateCdr {
  return only(privateFieldsOf(cdr), cdr) as PrivateCdr;
}

type AtHome = Pick<Cdr, 'home_charging_compensation'>;

/** CDR-18: who charges at home, and is paid for the energy, lives where the charger is. */
function privateFieldsOf({ home_charging_compensation: isHome }: AtHome): readonly (keyof Cdr)[] {
  return isHome === true ? [...PRIVATE_FIELDS, 'cdr_location'] : PRIVATE_FIELDS;
}

/** Of a home only what its taxes and its charger are known by: the city, and no street in it. */
export function withPublicPlace(cdr: Cdr): Cdr {
  if (cdr.home_charging_compensation !== true) return cdr;
  const { name: _, postal_code: postal, ...place } = cdr.cdr_location;
  const degrees = (text: string) => text.replace(/\.\d+$/, '.00000');
  return {
    ...cdr,
    cdr_location: {
      ...place,
      address: 'Home',
      ...(postal ? { postal_code: postal.trim().slice(0, 1) } : {}),
      coordinates: { latitude: degrees(place.coordinates.latitude), longitude: degrees(place.coordinates.longitude) },
    },
  };
}

function only(fields: readonly (keyof Cdr)[], cdr: Cdr): Partial<Cdr> {
  const some: Record<string, unknown> = {};
  for (const field of fields) if (cdr[field] !== undefined) some[field] = cdr[field];
  return some;
}

/** The private part of a CDR; `text` is a partner's body as received, or our own private fields. */
export function privatePart(token: CdrToken, text: string, own: Randomness): PrivatePart {
  return { ...own, token, text };
}

export function sealOf({ id, salt, text }: Pick<PrivatePart, 'id' | 'salt' | 'text'>): Sealed {
  return { id, mac: macOf(salt, text) };
}

/**
 * The whole CDR again. `text` is its private part, or undefined when that was erased: then only the
 * owner of the token, a company, is still named.
 */
export function wholeCdr(
  cdr: PublicCdr,
  text: string | undefined,
  owner: { readonly country_code: string; readonly party_id: string },
): Cdr {
  if (text === undefined) {
    return { ...cdr, cdr_token: erasedCdrToken(owner) };
  }
  return { ...cdr, ...(only(privateFieldsOf(cdr), JSON.parse(text) as Cdr) as PrivateCdr) };
}
