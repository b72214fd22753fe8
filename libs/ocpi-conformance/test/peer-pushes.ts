import { randomUUID } from 'node:crypto';
import {
  authorization, type Cdr, exampleCdr, exampleSession, findEndpoint, joinUrl, type Location, type ModuleId, type Routing,
  routingHeaders, type Session, type StartSession, Tariff,
} from '#ocpi';
import type { Fault } from './peer-faults.ts';
import type { Peer } from './peer.ts';

/** The requests that the platform makes of its partner. */
export class Calls {
  constructor(
    private readonly has: (fault: Fault) => boolean,
    private readonly token: string,
    private readonly routing?: Routing,
    private readonly ids: Record<string, string> = {},
    private readonly isLiberal = false,
  ) {}

  async send(method: string, url: string, body?: unknown): Promise<{ data?: unknown } | undefined> {
    const { has, token } = this;
    const from = has('requests say no FROM') ? { to: this.routing?.to } : this.routing;
    const headers = {
      Authorization: has('requests encode a newline with the token')
        ? authorization(`${token}\n`)
        : authorization(token, has('requests have their token unencoded') ? 'raw' : 'base64'),
      ...(has('requests have no ids') ? {} : { 'X-Request-ID': randomUUID(), 'X-Correlation-ID': randomUUID(), ...this.ids }),
      ...(has('requests have one id') ? { 'X-Request-ID': 'one' } : {}),
      ...(body === undefined
        ? {}
        : { 'Content-Type': has('requests have no Content-Type') ? 'text/plain' : 'application/json' }),
      ...routingHeaders(from ?? {}),
    };
    const response = await fetch(this.isLiberal ? url.replace(/(\/receiver\/[^?]*|\/sender\/[^?]*)/, '$1/') : url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return response.ok ? await response.json() as { data?: unknown } : undefined;
  }

  async get(url: string): Promise<unknown> {
    return (await this.send('GET', url).catch(() => undefined))?.data;
  }
}

/** What a new partner is told. */
export async function pushAll(peer: Peer): Promise<void> {
  const calls = peer.calls();
  const owned = peer.owned();
  const { country_code, party_id } = peer.has('pushes name our party in the URL') ? peer.clientParty() : peer.party;
  const at = (module: ModuleId, ...ids: string[]) => joinUrl(findEndpoint(peer.partner!.details, module, 'RECEIVER')!, ...ids);
  if (peer.has('requests guess where our endpoints are')) {
    const { origin } = new URL(peer.partner!.credentials.url);
    await calls.get(`${origin}/ocpi/2.2.1/tariffs`);
  }
  const isOther = peer.has('pushes name another id in the URL');
  const tariff = { ...owned.tariffs[0] as Tariff, elements: [{ price_components: [{ type: 'ENERGY', price: 0.3, step_size: 1 }] }] };
  await calls.send(peer.has('a Tariff is pushed by PATCH') ? 'PATCH' : 'PUT', at('tariffs', country_code, party_id, isOther ? 'T-9' : tariff.id), tariff);
  if (peer.has('the URL of a push cannot be decoded')) await calls.send('PUT', `${at('tariffs', country_code, party_id)}/%ZZ`, tariff);
  const location = owned.locations.at(-1) as Location;
  const sound = {
    ...location,
    country: 'CAN',
    coordinates: { latitude: '49.248809', longitude: '-123.002300' },
    last_updated: '2022-02-01T17:00:00Z',
  };
  await calls.send('PUT', at('locations', country_code, party_id, location.id), sound);
  const patch = { status: 'CHARGING', ...(peer.has('a pushed PATCH has no last_updated') ? {} : { last_updated: '2022-02-01T18:00:00Z' }) };
  const evse = at('locations', country_code, party_id, location.id, location.evses![0]!.uid);
  const isTaken = await calls.send('PATCH', evse, patch);
  if (!isTaken && !peer.has('a PATCH that fails is left at that')) {
    if (await calls.get(evse) === undefined) await calls.send('PUT', at('locations', country_code, party_id, location.id), sound);
  }
  await calls.send(peer.has('a CDR is pushed by PUT') ? 'PUT' : 'POST', at('cdrs'), owned.cdrs[1] as Cdr);
  if (peer.has('a CDR of another eMSP is pushed')) await calls.send('POST', at('cdrs'), exampleCdr);
  if (peer.has('a Session of another eMSP is pushed')) await calls.send('PUT', at('sessions', country_code, party_id, exampleSession.id), { ...exampleSession, ...peer.party });
}

/** A new partner's Tariffs, as it lists them. */
export async function pullTariffs(peer: Peer): Promise<void> {
  const url = findEndpoint(peer.partner!.details, 'tariffs', 'SENDER');
  const objects = url === undefined ? [] : (await peer.calls().get(url) as unknown[] | undefined) ?? [];
  const valid = objects.flatMap((object) => (Tariff.safeParse(object).success ? [object as Tariff] : []));
  if (valid.length < objects.length && peer.has('one invalid object costs its page')) return;
  const cased = (id: string) => (peer.has('ids are compared with their case') ? id : id.toLowerCase());
  for (const one of valid) peer.received.set(`tariffs ${one.country_code}*${one.party_id} ${cased(one.id)} `, one);
}

/** The charge that a command led to. */
export async function pushSession(peer: Peer, { token, authorization_reference }: StartSession): Promise<void> {
  const { country_code, party_id } = peer.has('pushes name our party in the URL') ? peer.clientParty() : peer.party;
  const { uid, type, contract_id } = token;
  const isKept = authorization_reference !== undefined && !peer.has('a Session forgets the reference of its command');
  const session: Session = {
    ...exampleSession, id: 'S-CHARGE', status: 'ACTIVE', ...(isKept ? { authorization_reference } : {}),
    cdr_token: { ...peer.clientParty(), uid, type, contract_id },
  };
  const url = joinUrl(findEndpoint(peer.partner!.details, 'sessions', 'RECEIVER')!, country_code, party_id, session.id);
  peer.charge = session;
  await peer.calls().send('PUT', url, peer.has('pushes name our party in the body') ? { ...session, ...peer.clientParty() } : session);
}

/** What the charge came to. */
export async function pushCdr(peer: Peer): Promise<void> {
  if (!peer.charge) return;
  const { id: session_id, cdr_token, authorization_reference } = peer.charge;
  const cdr: Cdr = {
    ...exampleCdr,
    id: 'C-CHARGE',
    cdr_token,
    ...(peer.has('the CDR of a charge names no Session') ? {} : { session_id }),
    ...(peer.has('the CDR of a charge forgets the reference of its command') ? {} : { authorization_reference }),
  };
  await peer.calls().send('POST', joinUrl(findEndpoint(peer.partner!.details, 'cdrs', 'RECEIVER')!), cdr);
}
