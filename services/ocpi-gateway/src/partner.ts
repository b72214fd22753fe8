import type { Party as BusParty } from '#contracts/party';
import {
  type CredentialsRole, type Endpoint, type Interface, type InterfaceRole, type ModuleId, type Party, type Role,
  sameParty, typicalInterfaces,
} from '#ocpi';

export type PartnerState = 'invited' | 'registering' | 'registered' | 'unregistered';

/** A platform we roam with. */
export interface Partner {
  readonly id: string;
  readonly name: string;
  readonly state: PartnerState;
  readonly version: string;
  readonly versionsUrl: string;
  readonly roles: readonly CredentialsRole[];
  readonly endpoints: readonly Endpoint[];
  /** The token we present, sealed. */
  readonly tokenOut: Buffer | undefined;
  readonly lastError: string;
}

/** What this service serves so far: charging profiles and preferences are not among it. */
const servedModules: readonly ModuleId[] = ['locations', 'sessions', 'cdrs', 'tariffs', 'tokens', 'commands'];
/** A hub serves what its members do. */
const hubModules: readonly ModuleId[] = [...servedModules, 'chargingprofiles', 'hubclientinfo'];

/** The interfaces that a platform with these roles offers here. VER-07. */
export function ourInterfaces(roles: readonly Role[]): Interface[] {
  const all = roles.flatMap((role) => typicalInterfaces[role].filter(({ module }) => (role === 'HUB' ? hubModules : servedModules).includes(module)));
  return all.filter((one, index) => all.findIndex((other) => sameInterface(one, other)) === index);
}

function sameInterface(a: Interface, b: Interface): boolean {
  return a.module === b.module && a.role === b.role;
}

/** Whether a peer lists at least one interface that is the other side of one of ours; else 3003. */
export function hasCounterpart(endpoints: readonly Endpoint[], ours: readonly Interface[]): boolean {
  return ours.some(({ module, role }) => endpoints.some((endpoint) =>
    endpoint.identifier === module && endpoint.role !== role));
}

export function endpointOf(partner: Partner, module: ModuleId, role: InterfaceRole): string | undefined {
  return partner.endpoints.find((endpoint) => endpoint.identifier === module && endpoint.role === role)?.url;
}

export function hasParty(partner: Pick<Partner, 'roles'>, party: Party): boolean {
  return partner.roles.some((role) => sameParty(role, party));
}

/** The parties of a platform, each once. */
export function partiesOf(partner: Pick<Partner, 'roles'>): Party[] {
  const parties = partner.roles.map(({ country_code, party_id }) => ({ country_code, party_id }));
  return parties.filter((party, index) => parties.findIndex((other) => sameParty(party, other)) === index);
}

/** Whom of a platform a message that is meant for all of them names: HUB-04 wants a party. */
export function spokesman(partner: Partner, roles: readonly Role[]): Party | undefined {
  const chosen = partner.roles.find(({ role }) => roles.includes(role)) ?? partner.roles[0];
  return chosen && { country_code: chosen.country_code, party_id: chosen.party_id };
}

export function toBus({ country_code: countryCode, party_id: partyId }: Party): Pick<BusParty, 'countryCode' | 'partyId'> {
  return { countryCode, partyId };
}

export function fromBus({ countryCode: country_code, partyId: party_id }: Pick<BusParty, 'countryCode' | 'partyId'>): Party {
  return { country_code, party_id };
}
