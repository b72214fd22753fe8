import type { Role } from './fields.ts';
import type { Endpoint, InterfaceRole, ModuleId, Version, VersionDetails } from './versions.ts';

/** The newest version that both sides have; `ours` newest first. Undefined: none in common (3002). */
export function newestCommon(ours: readonly string[], theirs: readonly Version[]): Version | undefined {
  for (const version of ours) {
    const found = theirs.find((their) => their.version === version);
    if (found) return found;
  }
  return undefined;
}

/** The URL of a module's interface; of credentials, whatever role it is listed with (VER-05). */
export function findEndpoint(details: VersionDetails, module: ModuleId, role: InterfaceRole): string | undefined {
  const isIt = (endpoint: Endpoint) =>
    endpoint.identifier === module && (module === 'credentials' || endpoint.role === role);
  return details.endpoints.find(isIt)?.url;
}

export interface Interface {
  readonly module: ModuleId;
  readonly role: InterfaceRole;
}

const sender = (...modules: ModuleId[]): Interface[] => modules.map((module) => ({ module, role: 'SENDER' }));
const receiver = (...modules: ModuleId[]): Interface[] => modules.map((module) => ({ module, role: 'RECEIVER' }));

/** The interfaces that a platform with a role typically has. VER-07. */
export const typicalInterfaces: Record<Role, readonly Interface[]> = {
  CPO: [
    ...sender('locations', 'sessions', 'cdrs', 'tariffs'),
    ...receiver('tokens', 'commands', 'chargingprofiles', 'hubclientinfo'),
  ],
  EMSP: [
    ...sender('tokens', 'commands', 'chargingprofiles'),
    ...receiver('locations', 'sessions', 'cdrs', 'tariffs', 'hubclientinfo'),
  ],
  HUB: [
    ...sender('locations', 'sessions', 'cdrs', 'tariffs', 'tokens', 'commands', 'chargingprofiles', 'hubclientinfo'),
    ...receiver('locations', 'sessions', 'cdrs', 'tariffs', 'tokens', 'commands', 'chargingprofiles'),
  ],
  NAP: [...sender('locations', 'tariffs'), ...receiver('locations', 'tariffs')],
  NSP: receiver('locations', 'tariffs', 'hubclientinfo'),
  OTHER: receiver('locations', 'tariffs', 'hubclientinfo'),
  SCSP: [...sender('chargingprofiles'), ...receiver('sessions', 'hubclientinfo')],
};

/**
 * Those of the interfaces we need that a peer does not list: then we must not POST credentials (step 3),
 * or answer 3003.
 */
export function missingInterfaces(details: VersionDetails, needed: readonly Interface[]): Interface[] {
  return needed.filter(({ module, role }) => findEndpoint(details, module, role) === undefined);
}
