import { busParty as toBus, ocpiParty as fromBus } from '#contracts/party';
import type { SteeringGrant } from '#grants';
import {
  type CredentialsRole, type Endpoint, type Interface, type InterfaceRole, type ModuleId, type Party, type Role,
  partyText, sameParty, typicalInterfaces,
} from '#ocpi';
import { rfc3339 } from '#time';
import type { OcpiRequest } from '../exchange.ts';
import type { InvitedParty } from './invited.ts';
import type { Chosen } from './quirks.ts';
import type { Viewer } from '../pushes/views.ts';

/** unapproved: it has registered, and waits for an operator to say that it is who it says. */
export type PartnerState = 'invited' | 'registering' | 'unapproved' | 'registered' | 'unregistered';

/** A platform we roam with. */
export interface Partner {
  readonly id: string;
  readonly name: string;
  readonly state: PartnerState;
  readonly version: string;
  readonly versionsUrl: string;
  readonly roles: readonly CredentialsRole[];
  /** Of a hub: the parties that it says are behind it, without those that have a link of their own. */
  readonly behind: readonly Party[];
  /** Of a hub: those behind it that are heard by a link of their own. */
  readonly aside: readonly Party[];
  readonly endpoints: readonly Endpoint[];
  /** The token we present, sealed. */
  readonly tokenOut: Buffer | undefined;
  readonly lastError: string;
  readonly quirks: Chosen;
  /** For whom the link is meant; none: an operator has not said so yet. */
  readonly invited: readonly InvitedParty[];
}

const servedModules: readonly ModuleId[] = [
  'locations', 'sessions', 'cdrs', 'tariffs', 'tokens', 'commands', 'chargingprofiles', 'hubclientinfo',
];

/** What an eMSP has for smart charging service providers alone. CHP-05. */
const forSteerers: readonly Interface[] = [{ module: 'sessions', role: 'SENDER' }, { module: 'chargingprofiles', role: 'RECEIVER' }];

/** Of ours, those that are listed to a partner: what is for a provider is nothing to who is known to be none. */
export function listedTo({ roles, invited }: Pick<Partner, 'roles' | 'invited'>, ours: readonly Interface[], own: readonly Role[]): Interface[] {
  const known: readonly string[] = roles.length > 0 ? roles.map(({ role }) => role) : invited.flatMap((one) => one.roles);
  const mayBe = known.length === 0 || known.includes('SCSP') || known.includes('HUB');
  const isTypical = (one: Interface) => own.some((role) => typicalInterfaces[role].some((other) => sameInterface(one, other)));
  return ours.filter((one) => mayBe || isTypical(one) || !forSteerers.some((other) => sameInterface(one, other)));
}

/** The interfaces that a platform with these roles offers here. VER-07. */
export function ourInterfaces(roles: readonly Role[]): Interface[] {
  const all = roles.flatMap((role) =>
    role === 'HUB'
      ? // Between hubs each hears who is behind the other. HUB-22.
        [
          ...typicalInterfaces.HUB.filter(({ module }) => servedModules.includes(module)),
          { module: 'hubclientinfo', role: 'RECEIVER' } as const,
        ]
      : [...typicalInterfaces[role], ...(role === 'EMSP' ? forSteerers : [])].filter(({ module }) => servedModules.includes(module)),
  );
  return all.filter((one, index) => all.findIndex((other) => sameInterface(one, other)) === index);
}

/** Whether a party with these roles has such an interface, whether or not it is served yet. */
export function hasInterface(roles: readonly Role[], { module, role: side }: { module: string; role: InterfaceRole }): boolean {
  return roles.some((role) => typicalInterfaces[role].some((one) => one.module === module && one.role === side))
    || (roles.includes('EMSP') && forSteerers.some((one) => one.module === module && one.role === side));
}

function sameInterface(a: Interface, b: Interface): boolean {
  return a.module === b.module && a.role === b.role;
}

/** Whether a peer lists at least one interface that is the other side of one of ours; else 3003. */
export function hasCounterpart(endpoints: readonly Endpoint[], ours: readonly Interface[]): boolean {
  return ours.some(({ module, role }) => endpoints.some((endpoint) =>
    endpoint.identifier === module && endpoint.role !== role));
}

/** Whether a partner gave us no other token in between. */
export function sameToken({ tokenOut: one }: Pick<Partner, 'tokenOut'>, { tokenOut: other }: Pick<Partner, 'tokenOut'>): boolean {
  return one !== undefined && other !== undefined && one.equals(other);
}

export function endpointOf(partner: Partner, module: ModuleId, role: InterfaceRole): string | undefined {
  return partner.endpoints.find((endpoint) => endpoint.identifier === module && endpoint.role === role)?.url;
}

/** Whether a platform speaks for a party: its own, or one behind a hub that told of it. HUB-23. */
export function hasParty(partner: Pick<Partner, 'roles' | 'behind'>, party: Party): boolean {
  return isPartyOf(partner, party) || partner.behind.some((one) => sameParty(one, party));
}

/** The same of who asks: through a hub each for itself, and the hub, which tells everybody, for all. HUB-23. */
export function maySpeakFor({ caller: { partner }, routing: { from } }: Pick<OcpiRequest, 'caller' | 'routing'>, party: Party): boolean {
  if (!hasParty(partner, party)) return false;
  const isHubs = from === undefined || partner.roles.some((role) => role.role === 'HUB' && sameParty(role, from));
  return !isHub(partner) || isHubs || sameParty(from, party);
}

/** Why it may not. */
export function notTheirs({ caller: { partner }, routing: { from } }: Pick<OcpiRequest, 'caller' | 'routing'>, party: Party): string {
  const isAnothers = from !== undefined && hasParty(partner, party);
  return `${partyText(party)} is ${isAnothers ? `not ${partyText(from)}, which OCPI-from-… names` : 'none of your roles'}`;
}

export function isPartyOf({ roles }: Pick<Partner, 'roles'>, party: Party): boolean {
  return roles.some((role) => sameParty(role, party));
}

export function isHub({ roles }: Pick<Partner, 'roles'>): boolean {
  return roles.some(({ role }) => role === 'HUB');
}

/** Tokens are drivers' cards: they are for who operates stations, or passes them on to who does. VER-07, HUB-11. */
export function takesTokens({ roles }: { readonly roles: readonly { readonly role: Role }[] }): boolean {
  return roles.some(({ role }) => role === 'CPO' || role === 'HUB');
}

/** Whom a request is for or about: all parties of its platform; through a hub, the one that it is from. */
export function askersOf({ caller: { partner }, routing }: Pick<OcpiRequest, 'caller' | 'routing'>): Party[] {
  if (!isHub(partner)) return partiesOf(partner);
  return routing.from ? [routing.from] : [];
}

/** For whom something that is pushed to a platform is: what a hub gets it tells everybody, so for nobody behind it. */
export function toldOf(partner: Partner): Party[] {
  return partiesOf(isHub(partner) ? { roles: partner.roles.filter(({ role }) => role === 'HUB'), behind: [] } : partner);
}

/**
 * Who has to be allowed to see what is sent or shown: of each group one. A platform is one group; what a
 * hub tells everybody, everybody behind it has to be allowed to see.
 */
function viewersOf(partner: Partner): Party[][] {
  return isHub(partner) ? partiesOf(partner).map((party) => [party]) : [partiesOf(partner)];
}

/** Who asks: through a hub the one that it is from. */
function viewersIn(request: Pick<OcpiRequest, 'caller' | 'routing'>): Party[][] {
  const askers = askersOf(request);
  return askers.length > 0 ? [askers] : viewersOf(request.caller.partner);
}

/** To whom something is shown that not everybody may see; never nobody, which would mean all. */
export function shownTo(request: Pick<OcpiRequest, 'caller' | 'routing'>): Party[] {
  const askers = askersOf(request);
  return askers.length > 0 ? askers : toldOf(request.caller.partner);
}

/** For whom what is pushed to a platform is. */
export function viewerOf(partner: Partner): Viewer {
  return { parties: toldOf(partner), groups: viewersOf(partner) };
}

/** For whom the answer to a request is. */
export function viewerIn(request: Pick<OcpiRequest, 'caller' | 'routing'>): Viewer {
  return { parties: shownTo(request), groups: viewersIn(request) };
}

/** The parties of a platform, each once. */
export function partiesOf(partner: Pick<Partner, 'roles' | 'behind'>): Party[] {
  const parties = new Map<string, Party>();
  // Behind a hub there may be thousands.
  for (const { country_code, party_id } of [...partner.roles, ...partner.behind]) {
    const key = partyText({ country_code, party_id });
    if (!parties.has(key)) parties.set(key, { country_code, party_id });
  }
  return [...parties.values()];
}

/** Whom of a platform a message that is meant for all of them names: HUB-04 wants a party. A hub tells all who are behind it. */
export function spokesman(partner: Partner, roles: readonly Role[], sees: (party: Party) => boolean = () => true): Party | undefined {
  const hub = partner.roles.find(({ role }) => role === 'HUB');
  const chosen = hub ?? partner.roles.find((one) => roles.includes(one.role) && sees(one)) ?? partner.roles.find(({ role }) => roles.includes(role)) ?? partner.roles[0];
  return chosen && { country_code: chosen.country_code, party_id: chosen.party_id };
}

export { fromBus, toBus };

export function steeringToBus({ own, to, tokenParty, contractIds, locations, since }: SteeringGrant) {
  return {
    own: toBus(own), to: toBus(to), tokenParty: toBus(tokenParty), contractIds: [...contractIds], locations: [...locations], since: rfc3339(since),
  };
}
