import { authorization, envelope, exampleCdr, exampleLocation, exampleSession } from '#ocpi';
import { type RawPartner, rawToken } from './raw-partner.ts';

/** What a partner may send that must be refused; `at` is the platform that it is sent to. */
export interface OddRequest {
  readonly what: string;
  readonly at: 'oasis' | 'plunk';
  readonly method: 'PUT' | 'PATCH' | 'POST';
  readonly url: (partner: RawPartner) => string;
  readonly body: string | object;
  /** Whose credentials it carries; the partner's own when absent. */
  readonly as?: 'nobody' | 'a stranger' | 'an invited partner';
  readonly answer: { readonly http: number; readonly status: number; readonly says?: RegExp };
}

const tokenUrl = (...owner: [string, string]) => (partner: RawPartner) => partner.at('tokens', 'RECEIVER', ...owner, 'ODD-1');
const ownToken = { method: 'PUT', at: 'oasis', url: tokenUrl('CA', 'RAW'), body: rawToken('ODD-1') } as const;
const command = (name: string) => (partner: RawPartner) => partner.at('commands', 'RECEIVER', name);
const cdrs = (partner: RawPartner) => partner.at('cdrs', 'RECEIVER');
const without = (object: object, field: string) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));
const ofRaw = <T extends object>(object: T) => ({ ...object, party_id: 'RAW' });
const oddSession = (...owner: [string, string]) => (partner: RawPartner) => partner.at('sessions', 'RECEIVER', ...owner, 'ODD-1');

const unauthorized = { http: 401, status: 2001 };
const invalid = (says: RegExp) => ({ http: 200, status: 2001, says });

export const oddRequests: readonly OddRequest[] = [
  { ...ownToken, what: 'a request without credentials', as: 'nobody', answer: unauthorized },
  { ...ownToken, what: 'a request with a token nobody was given', as: 'a stranger', answer: unauthorized },
  { ...ownToken, what: 'TOKEN_A on a module', as: 'an invited partner', answer: unauthorized },
  { ...ownToken, what: 'broken JSON', body: '{"uid": "ODD-1", ', answer: { http: 400, status: 2001 } },
  { ...ownToken, what: 'JSON that is no object', body: '[]', answer: { http: 200, status: 2001 } },
  { ...ownToken, what: 'a Token without contract_id', body: without(rawToken('ODD-1'), 'contract_id'), answer: invalid(/contract_id/) },
  {
    ...ownToken, what: 'a Token of yesterday, in words',
    body: { ...rawToken('ODD-1'), last_updated: 'yesterday' }, answer: invalid(/last_updated/),
  },
  { ...ownToken, what: "a Token in another party's place", url: tokenUrl('CA', 'CPK'), answer: { http: 404, status: 2001 } },
  {
    ...ownToken, what: "another party's Token in the partner's own place",
    body: { ...rawToken('ODD-1'), party_id: 'CPK' }, answer: invalid(/party_id/),
  },
  {
    what: "START_SESSION with another party's Token", at: 'oasis', method: 'POST', url: command('START_SESSION'),
    body: { response_url: 'http://127.0.0.1:9/r', location_id: 'BURNABY', token: { ...rawToken('ODD-1'), party_id: 'CPK' } },
    answer: invalid(/token/),
  },
  {
    what: 'START_SESSION without location_id', at: 'oasis', method: 'POST', url: command('START_SESSION'),
    body: { response_url: 'http://127.0.0.1:9/r', token: rawToken('ODD-1') }, answer: invalid(/location_id/),
  },
  {
    what: "another party's Session", at: 'plunk', method: 'PUT', url: oddSession('CA', 'BCT'),
    body: { ...exampleSession, id: 'ODD-1' }, answer: { http: 404, status: 2001 },
  },
  {
    what: 'the PATCH of a Session that was never PUT', at: 'plunk', method: 'PATCH', url: oddSession('CA', 'RAW'),
    body: { kwh: 1, last_updated: '2022-02-01T18:00:00Z' }, answer: { http: 404, status: 2001 },
  },
  { what: "another party's CDR", at: 'plunk', method: 'POST', url: cdrs, body: exampleCdr, answer: invalid(/CA\*BCT/) },
  {
    what: 'a CDR without total_cost', at: 'plunk', method: 'POST', url: cdrs,
    body: without(ofRaw(exampleCdr), 'total_cost'), answer: invalid(/total_cost/),
  },
  {
    what: 'a CDR that breaks off', at: 'plunk', method: 'POST', url: cdrs,
    body: JSON.stringify(ofRaw(exampleCdr)).slice(0, -20), answer: { http: 400, status: 2001 },
  },
  {
    what: 'a Location whose EVSE has no connectors', at: 'plunk', method: 'PUT',
    url: (partner) => partner.at('locations', 'RECEIVER', 'CA', 'RAW', 'ODD-1'),
    body: { ...ofRaw(exampleLocation), id: 'ODD-1', evses: [without(exampleLocation.evses![0]!, 'connectors')] },
    answer: invalid(/connectors/),
  },
];

/** Sends it as it is, past every client that would mend it. */
export async function sendOdd(request: OddRequest, partner: RawPartner, tokenA: string) {
  const { method, body, as = 'itself' } = request;
  const token = { nobody: undefined, 'a stranger': 'never-handed-out', 'an invited partner': tokenA, itself: partner.token }[as];
  const response = await fetch(request.url(partner), {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: authorization(token) } : {}) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = await response.json() as ReturnType<typeof envelope>;
  return { http: response.status, status: answer.status_code, message: answer.status_message ?? '' };
}
