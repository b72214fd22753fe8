import { idKey, instantMs, type Party, partyText, sameId, sameParty, type Session } from '#ocpi';
import type { SmartChargingGrant } from '#settlement';
import { instant } from '#time';
import { inForce } from './offers.ts';
import { isLike } from './places.ts';
import { beginsAt, type GrantVersion, replaces } from './versions.ts';

/** Sessions that one of our parties lets a smart charging service provider see and limit. CHP-03. */
export interface SteeringGrant {
  readonly own: Party;
  readonly to: Party;
  readonly tokenParty: Party;
  /** None: of all contracts. */
  readonly contractIds: readonly string[];
  /** Ids in which `*` stands for any characters; none: anywhere. */
  readonly locations: readonly string[];
  /** Epoch ms; what was over before is not granted. */
  readonly since: number;
}

export interface Steering {
  readonly grants: readonly SteeringGrant[];
  /** When it will be otherwise by itself; epoch ms. */
  readonly until: number | undefined;
}

export type Steered = Pick<Session, 'country_code' | 'party_id' | 'cdr_token' | 'location_id' | 'status' | 'last_updated'>;

/** What all these versions grant at an instant. A consent holds in its own time, and no longer than the version that names it. */
export function steeringAt(versions: readonly GrantVersion[], atMs: number): Steering {
  const begins = versions.filter(isAboutSteering(versions)).map((version) => ({ version, ms: beginsAt(version) }));
  const begun = begins.filter(({ ms }) => ms <= atMs).map(({ version }) => version);
  const held = inForce(begun.filter((version) => !begun.some((other) => replaces(other, version))));
  const named = held.flatMap((version) => (version.grants.smart_charging ?? []).map((grant) => ({ version, grant })));
  const later = [...begins.map(({ ms }) => ms), ...named.flatMap(({ grant }) => turnsOf(grant))].filter((ms) => ms > atMs);
  return {
    grants: named.filter(({ grant }) => holds(grant, atMs)).map(({ version, grant }) => grantOf(version, grant)),
    until: later.length === 0 ? undefined : Math.min(...later),
  };
}

/** A version without a word on it ends one that has one. */
function isAboutSteering(versions: readonly GrantVersion[]) {
  const partners = versions.filter(({ grants }) => (grants.smart_charging ?? []).length > 0);
  return ({ own, partner }: GrantVersion) => partners.some((one) => one.own === own && sameParty(one.partner, partner));
}

function turnsOf({ since, until }: SmartChargingGrant): number[] {
  return [since, until].flatMap((at) => (at === undefined ? [] : [instant(at)]));
}

function holds({ since, until }: SmartChargingGrant, atMs: number): boolean {
  return (since === undefined || instant(since) <= atMs) && (until === undefined || atMs < instant(until));
}

function grantOf(version: GrantVersion, { token_party, contract_ids = [], locations = [], since }: SmartChargingGrant): SteeringGrant {
  const [country_code = '', party_id = ''] = version.own.split('*');
  return {
    own: { country_code, party_id }, to: version.partner, tokenParty: token_party, contractIds: contract_ids, locations,
    since: since === undefined ? beginsAt(version) : instant(since),
  };
}

/** What is granted to one of these. */
export function steeringFor(parties: readonly Party[], { grants }: Pick<Steering, 'grants'>): SteeringGrant[] {
  return grants.filter(({ to }) => parties.some((party) => sameParty(party, to)));
}

/** The grant that a Session falls under: at a station of the one who gave it, or of its drivers. */
export function steeringGrantOf(session: Steered, grants: readonly SteeringGrant[]): SteeringGrant | undefined {
  const { cdr_token: token, location_id: locationId, status, last_updated: updatedAt } = session;
  const isOver = status === 'COMPLETED' || status === 'INVALID';
  return grants.find(({ own, tokenParty, contractIds, locations, since }) =>
    sameParty(tokenParty, token) && !(isOver && (instantMs(updatedAt) ?? 0) < since) && (sameParty(own, session) || sameParty(own, token))
    && (contractIds.length === 0 || contractIds.some((id) => sameId(id, token.contract_id)))
    && (locations.length === 0 || locations.some((pattern) => isLike(pattern, locationId))));
}

/** Whether these parties may see and limit the same by both. */
export function isSteeringAlike(parties: readonly Party[], a: Steering, b: Steering): boolean {
  const [one, other] = [a, b].map((steering) => steeringFor(parties, steering).map(spelled).sort());
  return JSON.stringify(one) === JSON.stringify(other);
}

function spelled({ own, to, tokenParty, contractIds, locations }: SteeringGrant): string {
  const ids = (all: readonly string[]) => all.map(idKey).sort();
  return JSON.stringify([...[own, to, tokenParty].map((party) => idKey(partyText(party))), ids(contractIds), ids(locations)]);
}
