import {
  type Endpoint, type Interface, type InterfaceRole, type ModuleId, type Party, type Role, type Route,
  typicalInterfaces,
} from '#ocpi';
import { type Body, type Kind, type OtherVersion, type SpokenVersion, spokenVersions, tokenTypeUp } from '#ocpi-versions';
import { interfacePath } from './exchange.ts';

// Which versions of OCPI are spoken, what each has of modules and URLs, and what travels on each route.

export { type SpokenVersion, spokenVersions };

export function isSpoken(version: string): version is SpokenVersion {
  return (spokenVersions as readonly string[]).includes(version);
}

/** Undefined where nothing has to be converted: the platform's own model is 2.2.1. */
export function otherVersion(version: string): OtherVersion | undefined {
  return version === '2.1.1' || version === '2.3.0' ? version : undefined;
}

const without: Readonly<Record<SpokenVersion, readonly ModuleId[]>> = {
  '2.1.1': ['chargingprofiles', 'hubclientinfo'], '2.2.1': [], '2.3.0': ['hubclientinfo'],
};

/** Whether a version has a request: 2.1.1 knows no charging preferences and cancels no reservation. */
export function hasRoute(version: SpokenVersion, { module, role, method, path }: Route): boolean {
  if (without[version].includes(module as ModuleId)) return false;
  if (version !== '2.1.1') return true;
  return path !== '/CANCEL_RESERVATION' && !(module === 'sessions' && role === 'SENDER' && method === 'PUT');
}

/** What version details list. 2.1.1 knows no roles and lists a module once. */
export function listedEndpoints(version: SpokenVersion, ours: readonly Interface[], base: string): object[] {
  const offered = ours.filter(({ module }) => !without[version].includes(module));
  const credentials = { identifier: 'credentials', url: `${base}/ocpi/${version}/credentials` };
  const urlOf = (one: Interface) => `${base}${interfacePath(one, version)}`;
  if (version === '2.1.1') {
    const modules = [...new Set(offered.map(({ module }) => module))];
    return [credentials, ...modules.map((module) => ({ identifier: module, url: urlOf({ module, role: 'SENDER' }) }))];
  }
  return [{ ...credentials, role: 'SENDER' }, ...offered.map((one) => ({ identifier: one.module, role: one.role, url: urlOf(one) }))];
}

/**
 * What a partner of 2.1.1 is, which does not say: the other side of what we are. Where we are both, its URL tells, as
 * 2.1.1's own examples do (…/cpo/…, …/emsp/…); else it is taken for both.
 */
export function rolesOfPeer(ours: readonly Role[], versionsUrl: string): Role[] {
  const opposite: Role[] = [...(ours.includes('EMSP') ? ['CPO' as const] : []), ...(ours.includes('CPO') ? ['EMSP' as const] : [])];
  const named = /\/(cpo|emsp)(\/|$)/i.exec(versionsUrl.split('?')[0]!)?.[1]?.toUpperCase();
  const told = opposite.filter((role) => role === named);
  if (told.length > 0) return told;
  return opposite.length > 0 ? opposite : ['CPO', 'EMSP'];
}

/** Endpoints of 2.1.1 with the interfaces that a platform with these roles has at them. */
export function withRoles(endpoints: readonly { identifier: string; url: string }[], roles: readonly Role[]): Endpoint[] {
  const typical = roles.flatMap((role) => typicalInterfaces[role]);
  return endpoints.flatMap(({ identifier, url }) => {
    if (identifier === 'credentials') return [{ identifier, role: 'SENDER' as const, url }];
    const sides = new Set(typical.filter(({ module }) => module === identifier).map(({ role }) => role));
    return [...sides].map((role: InterfaceRole) => ({ identifier, role, url }));
  });
}

/** What is in the body of a route's request, and in the data of its answer. */
export interface Bodies {
  readonly asked?: Body;
  readonly answered?: Body;
}

export function bodiesOf(route: Route): Bodies {
  const { module, role, method, path } = route;
  const patch = method === 'PATCH';
  if (module === 'credentials')
    return {
      ...(route.body ? { asked: { kind: 'credentials' } } : {}),
      ...(route.data ? { answered: { kind: 'credentials' } } : {}),
    };
  if (path.endsWith('/authorize')) return { asked: { kind: 'references' }, answered: { kind: 'authorization' } };
  if (module === 'commands') {
    return role === 'SENDER' ? { asked: { kind: 'result' } } : { asked: { kind: path.slice(1) as Kind }, answered: { kind: 'response' } };
  }
  const kind = kindOf(route);
  if (!kind) return {};
  return { ...(route.body ? { asked: { kind, patch } } : {}), ...(route.data ? { answered: { kind } } : {}) };
}

/** A query as 2.2.1 has it: a type of Token that 2.3.0 alone knows is OTHER in a URL, too; one that is written otherwise is no other. */
export function queryIn(version: SpokenVersion, { module }: Route, query: unknown): unknown {
  const { type } = (query ?? {}) as { type?: unknown };
  if (version !== '2.3.0' || module !== 'tokens' || typeof type !== 'string' || tokenTypeUp(type.toUpperCase()) !== 'OTHER') return query;
  return { ...(query as object), type: type.toUpperCase() === 'OTHER' ? type : 'OTHER' };
}

function kindOf({ module, path }: Route): Kind | undefined {
  if (path.endsWith('/charging_preferences')) return undefined;
  switch (module) {
    case 'locations': return path.endsWith('/:connector_id') ? 'connector' : path.endsWith('/:evse_uid') ? 'evse' : 'location';
    case 'sessions': return 'session';
    case 'cdrs': return 'cdr';
    case 'tariffs': return 'tariff';
    case 'tokens': return 'token';
    default: return undefined;
  }
}

/** The parameters of a path that fits a pattern such as `/:country_code/:party_id`. */
export function matched(pattern: string, path: string): Record<string, string> | undefined {
  const [names, values] = [pattern, path].map((one) => one.split('/').filter(Boolean));
  if (names!.length !== values!.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, name] of names!.entries()) {
    if (name.startsWith(':')) params[name.slice(1)] = decodeURIComponent(values![i]!);
    else if (name !== values![i]) return undefined;
  }
  return params;
}

/** The party that a URL names. */
export function partyIn(params: Readonly<Record<string, string>>): Party | undefined {
  const { country_code, party_id } = params;
  return country_code === undefined || party_id === undefined ? undefined : { country_code, party_id };
}
