import { CountryCode, type ModuleId, object, type Party, PartyId, partyText, read, type Role, type Route, sameParty } from '#ocpi';
import { refuse } from '../refusals.ts';

/** Where a request that reached a hub goes. HUB-10 to HUB-16. */
export type Way =
  | { readonly kind: 'party'; readonly party: Party }
  /** Broadcast Push: the hub answers itself and brings it to all that are to have it. */
  | { readonly kind: 'everybody' }
  /** GET All: the hub's own list of what was told to everybody. */
  | { readonly kind: 'list' }
  /** Open Routing: the hub has to find out. */
  | { readonly kind: 'open' };

/** Of what is meant for everybody, who hears it; Sessions and CDRs are for their token's owner. HUB-11, HUB-13. */
const audience: Readonly<Partial<Record<ModuleId, readonly Role[]>>> = {
  locations: ['EMSP', 'NSP', 'OTHER'],
  tariffs: ['EMSP', 'NSP', 'OTHER'],
  tokens: ['CPO'],
};

/** Who is like an eMSP tells operators alone, whatever it is. HUB-11. */
const LIKE_EMSP: readonly Role[] = ['EMSP', 'NSP', 'OTHER'];

export function audienceOf(module: ModuleId, tellers: readonly Role[]): readonly Role[] {
  return tellers.length > 0 && tellers.every((role) => LIKE_EMSP.includes(role)) ? ['CPO'] : audience[module] ?? [];
}

export function wayOf(route: Route, to: Party | undefined, hub: Party): Way {
  if (to && !sameParty(to, hub)) return { kind: 'party', party: to };
  if (to) return toHub(route);
  if (route.list)
    throw refuse(
      'invalid-parameters',
      'a list is asked of one party, or of the hub itself: name it in OCPI-to-… (OCPI 2.2.1, Open Routing)',
    );
  return { kind: 'open' };
}

function toHub({ module, role, method, list }: Route): Way {
  const forAll = Object.hasOwn(audience, module);
  if (method !== 'GET') {
    if (forAll && role === 'RECEIVER') return { kind: 'everybody' };
    throw refuse('invalid-parameters', `${module} are not for everybody: name the receiver in OCPI-to-… (OCPI 2.2.1, Broadcast Push)`);
  }
  if (role === 'SENDER' && list) {
    if (forAll) return { kind: 'list' };
    throw refuse('invalid-parameters', `a hub keeps no ${module}: ask the party that has them (OCPI-to-…)`);
  }
  throw refuse(
    'invalid-parameters',
    'one object is asked of the party that has it, or without OCPI-to-…, never of the hub (OCPI 2.2.1, Broadcast Push)',
  );
}

/** Which members of a hub meet: see and reach each other. */
export interface Meetings {
  /** If given, these pairs alone. */
  readonly only?: readonly (readonly [string, string])[] | undefined;
  readonly never: readonly (readonly [string, string])[];
}

export function mayMeet({ only, never }: Meetings, a: Party, b: Party): boolean {
  const [one, other] = [partyText(a), partyText(b)];
  const isPair = ([first, second]: readonly [string, string]) =>
    (first === one && second === other) || (first === other && second === one);
  return !never.some(isPair) && (only === undefined || only.some(isPair));
}

/** What of a request tells an Open Routing Request's receiver. */
export type Clue =
  /** The token's owner. */
  | { readonly by: 'party'; readonly party: Party }
  /** Whoever keeps the Location, Token, Session or reservation with this id. */
  | { readonly by: 'location' | 'token' | 'session' | 'session-token' | 'reservation'; readonly id: string }
  | { readonly by: 'everybody' };

/** Nothing else may get into a routing header, and no letter that only looks like another one. */
const Owner = object('Party', { country_code: CountryCode, party_id: PartyId });

interface Asked {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: unknown;
}

/** HUB-15: a body names its token's owner or its Location, a URL its Session; a push of what is for all goes to all. */
export function clueOf({ module, role, method, path }: Route, { params, query, body }: Asked): Clue | undefined {
  const given = (body ?? {}) as { cdr_token?: Partial<Party>; location_id?: string; session_id?: string; reservation_id?: string };
  const session = params.session_id;
  switch (`${role} ${module}`) {
    case 'RECEIVER sessions':
    case 'RECEIVER cdrs': {
      const { country_code, party_id } = given.cdr_token ?? {};
      const owner = read(Owner, { country_code, party_id });
      if (owner.ok) return { by: 'party', party: owner.value };
      return session === undefined ? undefined : { by: 'session-token', id: session };
    }
    case 'RECEIVER commands':
      if (path === '/CANCEL_RESERVATION') return clue('reservation', given.reservation_id);
      return clue('location', given.location_id) ?? clue('session', given.session_id);
    case 'RECEIVER chargingprofiles':
    case 'SENDER sessions': return clue('session', session);
    case 'SENDER chargingprofiles': return clue('session-token', session);
    case 'SENDER locations': return clue('location', params.location_id);
    case 'SENDER tokens': return clue('token', `${String(query['type'] ?? 'RFID')} ${params.token_uid}`);
    // Only what tells Receivers is for everybody: a result without the way back is for nobody.
    default: return method === 'GET' || role === 'SENDER' ? undefined : { by: 'everybody' };
  }
}

function clue(by: 'location' | 'token' | 'session' | 'session-token' | 'reservation', id: unknown): Clue | undefined {
  return typeof id === 'string' && id !== '' ? { by, id } : undefined;
}
