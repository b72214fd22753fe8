import { createHash } from 'node:crypto';

/**
 * What two partners agreed on for their settlement, the same object on both sides: parties are
 * named by their ids, never as "we" and "they". A version holds from its month until the next one.
 */
export interface AgreementTerms {
  /** The first month it holds for, "2022-02". */
  readonly valid_from: string;
  /** IANA zone in whose calendar months begin and end. */
  readonly time_zone: string;
  /** A month closes so many days after its last. */
  readonly closing_days: number;
  /** An invoice is due so many days after the closing day. */
  readonly payment_days: number;
  /** Those that CDRs are expected in; one in another is settled all the same, and remarked on. */
  readonly currencies: readonly string[];
  /** Whose address decides on the taxes of a fee; in Canada it is the payer's (the recipient's). */
  readonly fee_tax_place: 'payer' | 'supplier';
  /** Both. */
  readonly parties: readonly PartyTerms[];
  readonly fees: readonly Fee[];
  /** What the one who keeps these terms grants the other, and is nobody else's business. */
  readonly grants?: Grants;
}

/** Not a part of what both sides settle by: each keeps its own. */
export interface Grants {
  /**
   * Tariffs of ours for this partner, and whom else they are granted to, only. Where a Connector has
   * one it gets no other; what is granted to nobody is for all.
   */
  readonly tariffs?: readonly string[];
  /**
   * Where several parties issued a uid its card is of the partner with the highest; without one, or
   * where two have the same, it is refused.
   */
  readonly token_priority?: number;
  /**
   * Our Locations that this partner may see, by ids in which `*` stands for any characters. Absent: all
   * that are not private; empty: none.
   */
  readonly locations?: readonly string[];
  /** Sessions that this partner, a smart charging service provider, may see and limit. Without: not one. */
  readonly smart_charging?: readonly SmartChargingGrant[];
}

/** Sessions at our stations, or of our drivers anywhere, whose token is of this party. */
export interface SmartChargingGrant {
  readonly token_party: PartyId;
  /** Of these contracts only; none: of all of the party. */
  readonly contract_ids?: readonly string[];
  /** At these Locations only, ids in which `*` stands for any characters; none: anywhere. */
  readonly locations?: readonly string[];
  /** Who allowed it, and where that is written. */
  readonly consent: string;
  /** OCPI DateTime; absent: as long as the version holds. */
  readonly since?: string;
  readonly until?: string;
}

export interface PartyId {
  readonly country_code: string;
  readonly party_id: string;
}

/** As a party stands on an invoice. */
export interface PartyTerms extends PartyId {
  readonly name: string;
  readonly address: readonly string[];
  /** ISO 3166-1 alpha-3. */
  readonly country: string;
  readonly state: string;
  readonly postal_code: string;
  readonly registrations: readonly TaxRegistration[];
}

export interface TaxRegistration {
  /** The taxes that it is for: `GST/HST`, `QST`, `VAT`. */
  readonly tax: string;
  readonly number: string;
}

/** What is paid beside the CDRs themselves. */
export interface Fee {
  readonly name: string;
  /** Whose CDRs it is reckoned on. */
  readonly cdrs_of: PartyId;
  /** Each session billed, each kWh, or a percentage of the CDRs' totals without tax. */
  readonly per: 'session' | 'kwh' | 'percent';
  /** Decimal text: money for a session or a kWh, or the percentage. */
  readonly amount: string;
  /** Of `amount`; empty for a percentage, which is of every currency. */
  readonly currency: string;
  /** The CPO issued those CDRs, the EMSP received them. */
  readonly paid_by: 'CPO' | 'EMSP';
}

/** Whether these are the same terms, and the same is granted. */
export function sameTerms(one: AgreementTerms, other: AgreementTerms): boolean {
  return termsDigest(one) === termsDigest(other) && grantsText(one) === grantsText(other);
}

function grantsText({ grants }: AgreementTerms): string {
  const sorted = (ids: readonly string[]) => ids.map((id) => id.toLowerCase()).sort();
  const steering = (grants?.smart_charging ?? []).map(({ token_party, contract_ids = [], locations = [], ...rest }) =>
    spelled({ ...rest, token_party: partyKey(token_party), contract_ids: sorted(contract_ids), locations: sorted(locations) }));
  return JSON.stringify([
    grants?.token_priority ?? 0, sorted(grants?.tariffs ?? []), grants?.locations && sorted(grants.locations),
    ...(steering.length > 0 ? [steering.sort(compare)] : []),
  ]);
}

/** One spelling of the terms: both sides' statements show its hash, and it tells whether they agree. */
export function termsDigest(terms: AgreementTerms): string {
  const { parties, fees, currencies, grants: _, ...rest } = terms;
  const sorted = {
    ...rest,
    currencies: [...currencies].sort(),
    parties: [...parties].sort((a, b) => compare(partyKey(a), partyKey(b))),
    fees: [...fees].sort((a, b) => compare(spelled(a), spelled(b))),
  };
  return createHash('sha256').update(spelled(sorted)).digest('hex').slice(0, 16);
}

/** `CA*BCT`. */
export function partyKey({ country_code, party_id }: PartyId): string {
  return `${country_code}*${party_id}`.toUpperCase();
}

/** The order of code units, the same on every machine and in the database. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** JSON with its members in the order of their names. */
export function spelled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => compare(a, b));
  return `{${members.map(([name, its]) => `${JSON.stringify(name)}:${spelled(its)}`).join(',')}}`;
}
