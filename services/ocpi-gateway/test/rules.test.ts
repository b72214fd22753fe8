import { afterAll, beforeAll, expect, test } from 'vitest';
import { invitePartner } from '#contracts/ocpi-gateway';
import {
  authorization, type Cdr, exampleCdr, exampleLocation, exampleTariff, exampleToken, type Location, type Token,
  type VersionDetails,
} from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, origin, type Side, versionsUrl } from './side.ts';

// The rules of OCPI that any partner sees at this edge, one after the other: a partner of both roles asks.

const location: Location = { ...exampleLocation, party_id: 'MTL' };
const card: Token = { ...exampleToken, party_id: 'BCT', uid: '04AA' };
const blocked: Token = { ...card, uid: '04BB', valid: false };

let oasis: Side;
let montreal: HandPartner;

beforeAll(async () => {
  const party = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' };
  oasis = await openSide({ party });
  oasis.neighbours.own.tariffs.push(exampleTariff);
  oasis.neighbours.own.tokens.push(card, blocked);
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER tariffs', 'SENDER locations', 'SENDER cdrs'], ['CPO']);
});
afterAll(async () => {
  await montreal?.close();
  await oasis?.close();
});

const get = (path: string, more: object = {}) =>
  call(oasis, path.startsWith('http') ? path : `/ocpi/2.2.1/${path}`, { token: montreal.token, ...more });

test('TRN-01 TRN-02 a token is raw in Credentials and Base64 in the header that presents it', async () => {
  const { data } = await montreal.register(oasis) as { data: { token: string } };
  expect(data.token).toMatch(/^[\x21-\x7e]{1,64}$/);
  expect((await get('credentials')).http, 'presented as Base64').toBe(200);
  const given = (montreal.credentials() as { token: string }).token;
  expect(montreal.seen[0]).toMatchObject({ what: 'GET /versions', headers: { authorization: authorization(given) } });
});

test('VER-01 VER-02 VER-03 VER-04 the versions lead to endpoints, each of a module and an interface', async () => {
  const versions = (await get(versionsUrl(oasis))).data as { version: string; url: string }[];
  const newest = versions.find(({ version }) => version === '2.2.1')!;
  const { version, endpoints } = (await get(newest.url)).data as VersionDetails;
  expect(version).toBe('2.2.1');
  for (const { url } of endpoints) expect(url).toMatch(origin(oasis));
  const listed = endpoints.map(({ identifier, role }) => `${identifier} ${role}`);
  expect(new Set(listed).size).toBe(listed.length);
  expect(listed.filter((one) => one.startsWith('credentials'))).toHaveLength(1);
  for (const one of ['locations SENDER', 'tokens RECEIVER', 'commands RECEIVER', 'tokens SENDER', 'cdrs RECEIVER'])
    expect(listed).toContain(one);
});

test('TOK-11 who sends tokens also answers for them', async () => {
  expect(((await get('sender/tokens')).data as Token[]).map(({ uid }) => uid)).toEqual(['04AA', '04BB']);
  expect(await get('sender/tokens/04AA/authorize', { method: 'POST' })).toMatchObject({ http: 200, data: { allowed: 'ALLOWED' } });
});

test('TOK-05 a token that is blocked is the answer of a success', async () => {
  expect(await get('sender/tokens/04BB/authorize', { method: 'POST' }))
    .toMatchObject({ http: 200, status_code: 1000, data: { allowed: 'BLOCKED', token: blocked } });
});

test('HUB-01 HUB-02 HUB-04 routing headers come back swapped from functional modules, and never from the others', async () => {
  const headers = { 'OCPI-from-party-id': 'MTL', 'OCPI-from-country-code': 'CA', 'OCPI-to-party-id': 'BCT', 'OCPI-to-country-code': 'CA' };
  const routing = async (path: string, method = 'GET') =>
    [...(await get(path, { headers, method })).headers.keys()].filter((name) => name.startsWith('ocpi-')).sort();
  const all = ['ocpi-from-country-code', 'ocpi-from-party-id', 'ocpi-to-country-code', 'ocpi-to-party-id'];
  expect(await routing('sender/tariffs')).toEqual(all);
  expect(await routing('sender/locations/NOWHERE'), 'also of a refusal').toEqual(all);
  expect(await routing('receiver/tokens/CA/MTL/04AA', 'DELETE'), 'of a method that is not offered').toEqual(all);
  expect(await routing('sender/locations/NOWHERE/1/2/3'), 'of no endpoint').toEqual(all);
  expect(await routing('credentials', 'PATCH')).toEqual([]);
  expect(await routing(versionsUrl(oasis))).toEqual([]);
  expect(await routing('credentials')).toEqual([]);
});

test('TRN-05 TRN-06 what a module does not offer is told to partners alone, with a TOKEN_A as with no token it is 401', async () => {
  const { tokenA } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Early' });
  const notOffered: [method: string, path: string, http: number][] = [
    ['GET', 'receiver/tokens', 404], ['POST', 'receiver/locations/CA/MTL', 404], ['POST', 'receiver/commands/DANCE', 404],
    ['DELETE', 'receiver/tokens/CA/MTL/04AA', 405], ['GET', 'receiver/cdrs', 405], ['OPTIONS', 'sender/locations', 405],
  ];
  for (const [method, path, http] of notOffered) {
    const asked = async (token: string) => (await get(path, { method, token })).http;
    expect([await asked('nonsense'), await asked(tokenA), await asked(montreal.token)], `${method} ${path}`).toEqual([401, 401, http]);
  }
  expect((await get('credentials', { method: 'PATCH', token: 'nonsense' })).http).toBe(401);
  expect((await get('credentials', { method: 'PATCH', token: tokenA })).http).toBe(405);
});

test('TRN-20 TRN-30 TRN-80 whatever is answered is an envelope with the ids of the request', async () => {
  const headers = { 'X-Request-ID': 'r-7', 'X-Correlation-ID': 'c-7' };
  const asked: [string, object][] = [
    ['sender/tariffs', {}], ['sender/tariffs', { token: 'nobody' }], ['nowhere', {}], ['sender/tariffs', { method: 'DELETE' }],
    ['receiver/locations/CA/MTL/L1', { method: 'PUT', body: '{' }], ['credentials', {}],
  ];
  const seen: number[] = [];
  for (const [path, more] of asked) {
    const answer = await get(path, { ...more, headers });
    seen.push(answer.http);
    expect(answer, path).toMatchObject({ status_code: expect.any(Number), timestamp: expect.stringMatching(/Z$/) });
    expect([answer.headers.get('x-request-id'), answer.headers.get('x-correlation-id')], path).toEqual(['r-7', 'c-7']);
  }
  expect(seen).toEqual([200, 401, 404, 405, 400, 200]);
});

test('LOC-30 a Location or EVSE without what it must have is 2001, and is not kept', async () => {
  const { city: _, ...noCity } = location;
  const { connectors: __, ...noConnectors } = location.evses![0]!;
  const put = (path: string, body: object) => get(`receiver/locations/CA/MTL/${path}`, { method: 'PUT', body });
  expect(await put(location.id, noCity)).toMatchObject({
    http: 200,
    status_code: 2001,
    status_message: expect.stringContaining('city: is missing'),
  });
  expect(await put(`${location.id}/DC1`, noConnectors)).toMatchObject({
    http: 200,
    status_code: 2001,
    status_message: expect.stringContaining('connectors: '),
  });
  expect(oasis.neighbours.taken).toEqual([]);
});

test('LOC-31 a PATCH without last_updated is 2001', async () => {
  expect(await get(`receiver/locations/CA/MTL/${location.id}`, { method: 'PUT', body: location })).toMatchObject({
    http: 201,
    status_code: 1000,
  });
  for (const path of [location.id, `${location.id}/DC1`, `${location.id}/DC1/1`]) {
    expect(await get(`receiver/locations/CA/MTL/${path}`, { method: 'PATCH', body: {} }), path)
      .toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('last_updated: is missing') });
  }
});

test('CMD-12 a command that is none is 404', async () => {
  for (const command of ['DANCE', 'start_session', ''])
    expect((await get(`receiver/commands/${command}`, { method: 'POST', body: {} })).http, command).toBe(404);
});

test('CDR-02 CDR-01 a CDR has an address, where it can be read and nothing else', async () => {
  const cdr: Cdr = { ...exampleCdr, party_id: 'MTL' };
  const posted = await get('receiver/cdrs', { method: 'POST', body: cdr });
  const url = posted.headers.get('location')!;
  expect((await get(url)).data).toEqual(cdr);
  for (const method of ['PUT', 'PATCH', 'DELETE']) expect((await get(url, { method, body: cdr })).http, method).toBe(405);
  expect((await get(url)).data).toEqual(cdr);
});

test('LOC-03 TOK-02 SES-01 TRN-10 nothing but a tariff is deleted, and a tariff is not patched', async () => {
  const http = async (method: string, path: string) => (await get(`receiver/${path}`, { method, body: {} })).http;
  expect(await http('DELETE', `locations/CA/MTL/${location.id}`)).toBe(405);
  expect(await http('DELETE', `locations/CA/MTL/${location.id}/DC1`)).toBe(405);
  expect(await http('DELETE', 'tokens/CA/MTL/04AA')).toBe(405);
  expect(await http('DELETE', 'sessions/CA/MTL/S-1')).toBe(405);
  expect(await http('PATCH', 'tariffs/CA/MTL/L2')).toBe(405);
  expect(await http('DELETE', 'tariffs/CA/MTL/L2')).toBe(200);
});

test('CRE-06 credentials are renewed while everything of ours is on its way to the partner', async () => {
  for (let n = 0; n < 20; n += 1) {
    // Each renewal sends all again, and the next one comes in its midst.
    const renewed = await get('credentials', { method: 'PUT', body: montreal.credentials() });
    expect(renewed).toMatchObject({ http: 200, status_code: 1000 });
    montreal.token = (renewed.data as { token: string }).token;
  }
});
