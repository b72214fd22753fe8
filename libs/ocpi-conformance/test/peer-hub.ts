import { randomUUID } from 'node:crypto';
import {
  type Answer, answers, authorization, type Credentials, findEndpoint, type InterfaceRole, type ModuleId, type Party,
  type Routing, routingHeaders, joinUrl, sameParty, type VersionDetails,
} from '#ocpi';
import { Calls } from './peer-pushes.ts';
import type { Asked, Peer, Said } from './peer.ts';

/** What a hub does with a request of a member: of the kit's two parties, that is. */
export async function hubbed(peer: Peer, asked: Asked, side: string, module: string): Promise<Said> {
  if (module === 'hubclientinfo') return clients(peer);
  if (module === 'crossing') return crossed(peer, asked);
  const { from, to } = asked.routing;
  if (!from || (!peer.isClients(from) && !peer.has('a hub lets anybody speak for anybody'))) return { answer: answers.invalid };
  if (to && sameParty(to, peer.party)) return toHub(peer, asked, side, module);
  const found = to ?? ownerOf(peer, asked);
  if (!found) return { answer: peer.has('a hub needs TO') ? answers.invalid : answers.unknownReceiver };
  if (!peer.isClients(found))
    return { answer: peer.has('a hub says 2000 for an unknown receiver') ? answers.refused : answers.unknownReceiver };
  const endpoint = findEndpoint(peer.partner!.details, module as ModuleId, side.toUpperCase() as InterfaceRole)!;
  return passed(peer, asked, [endpoint, ...asked.path].join('/'), { from, to: found });
}

function ownerOf(peer: Peer, { body }: Asked): Party | undefined {
  return peer.has('a hub needs TO') ? undefined : (body as { cdr_token?: Party } | undefined)?.cdr_token;
}

function clients(peer: Peer): Said {
  const info = { country_code: 'CA', party_id: 'ELS', role: 'CPO', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
  const odd = peer.has('a hub lists a party without its status') ? [{ ...info, status: undefined }] : [info];
  const all = peer.has('a hub lists a role twice') ? [...odd, info] : odd;
  return { data: all, headers: { 'X-Total-Count': String(all.length), 'X-Limit': '100' } };
}

/** Another member registers, and leaves. */
export async function joinedBy(peer: Peer, { method, body }: Asked, token: string): Promise<Said> {
  if (method === 'DELETE') return {};
  const credentials = body as Credentials;
  const calls = new Calls(peer.has, credentials.token);
  const [newest] = await calls.get(credentials.url) as { url: string }[];
  peer.member = { credentials, details: await calls.get(newest!.url) as VersionDetails };
  const { country_code, party_id, role } = credentials.roles[0]!;
  const info = { country_code, party_id, role, status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
  const endpoint = findEndpoint(peer.partner!.details, 'hubclientinfo', 'RECEIVER')!;
  const tell = () => new Calls(peer.has, peer.partner!.credentials.token).send('PUT', joinUrl(endpoint, country_code, party_id), info);
  return {
    data: peer.ours(token),
    ...(peer.has('a hub does not say who joined') ? {} : { afterwards: () => void tell().catch(() => {}) }),
  };
}

/** The other member hears it, and the list has it. */
function tellAll(peer: Peer, { method, path, body, routing }: Asked, module: string): () => void {
  const key = `${module}/${path.join('/')}`;
  if (method === 'DELETE') peer.told.delete(key);
  else if (!peer.has('a hub lists nothing')) peer.told.set(key, body as object);
  const { member } = peer;
  if (!member || peer.has('a hub tells nobody')) return () => {};
  const [role] = member.credentials.roles;
  const from = peer.has('a hub names the sender in what is for everybody') ? routing.from : peer.party;
  const url = joinUrl(findEndpoint(member.details, module as ModuleId, 'RECEIVER')!, ...path);
  return () =>
    void new Calls(peer.has, member.credentials.token, { from, to: role })
      .send(method, url, method === 'DELETE' ? undefined : body)
      .catch(() => {});
}

function toHub(peer: Peer, asked: Asked, side: string, module: string): Said {
  const { method, routing, path } = asked;
  const back = { ...(peer.isLiberal && method !== 'GET' ? {} : { from: peer.party }), to: routing.from };
  if (method === 'GET' && side === 'sender' && path.length === 0) {
    return { data: [...peer.told.values()], headers: { 'X-Total-Count': String(peer.told.size), 'X-Limit': '100' }, routing: back };
  }
  if (method === 'GET')
    return peer.has('a hub answers a GET for one object')
      ? { data: {}, routing: back }
      : { answer: answers.invalid, routing: back };
  const isForAll = ['locations', 'tariffs', 'tokens'].includes(module)
    ? !peer.has('a hub refuses what is for everybody')
    : peer.has('a hub takes CDRs for everybody');
  return { ...(isForAll ? { afterwards: tellAll(peer, asked, module) } : { answer: answers.invalid }), routing: back };
}

async function crossed(peer: Peer, asked: Asked): Promise<Said> {
  const url = peer.crossings.get(asked.path[0] ?? '');
  return url === undefined ? { answer: answers.notFound } : passed(peer, asked, url, asked.routing);
}

function crossing(peer: Peer, url: string): string {
  const id = randomUUID();
  peer.crossings.set(id, url);
  return `${peer.url}/sender/crossing/${id}`;
}

async function passed(peer: Peer, { method, body, ids }: Asked, url: string, { from, to }: Routing): Promise<Said> {
  const given = body as { response_url?: string; last_updated?: string } | undefined;
  const rewritten =
    given?.response_url === undefined || peer.has('a hub passes a response_url on')
      ? given
      : { ...given, response_url: crossing(peer, given.response_url) };
  const sent =
    peer.has('a hub changes last_updated') && rewritten?.last_updated
      ? { ...rewritten, last_updated: '2022-02-01T17:00:00Z' }
      : rewritten;
  const headers = {
    Authorization: authorization(peer.partner!.credentials.token), 'Content-Type': 'application/json',
    'X-Request-ID': peer.has('a hub passes the request id on') ? ids.requestId : randomUUID(),
    'X-Correlation-ID': peer.has('a hub makes a new correlation id') ? randomUUID() : ids.correlationId,
    ...routingHeaders({ from: peer.has('a hub names itself in FROM') ? peer.party : from, to }),
  };
  const response = await fetch(url, {
    method,
    headers,
    signal: AbortSignal.timeout(url.includes('SILENT') ? 500 : 30_000),
    ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
  }).catch((error: Error) => error.name);
  if (typeof response === 'string') return { answer: failed(peer, response), routing: { from: to, to: from } };
  const envelope = await response.json() as { status_code: number; data?: unknown };
  const location = response.headers.get('location');
  const status = peer.has('a hub answers for the receiver') && envelope.status_code >= 2000 ? 1000 : envelope.status_code;
  return {
    answer: { http: response.status, status: status as 1000 }, data: envelope.data,
    headers: location === null ? {} : { Location: peer.has('a hub passes a Location on') ? location : crossing(peer, location) },
    routing: { from: peer.has('a hub names itself in its answer') ? peer.party : to, to: from },
  };
}

function failed(peer: Peer, name: string): Answer {
  if (name === 'TimeoutError') return peer.has('a hub says 4000 of one who is silent') ? answers.hubError : answers.receiverTimeout;
  return peer.has('a hub says 4002 of one who is away') ? answers.receiverTimeout : answers.receiverNotConnected;
}
