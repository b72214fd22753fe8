import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { evseStatusChanged } from '#contracts/locations';
import {
  authorizeAtPartner, invitePartner, listPartners, registerPartner, sendCommand, SendOutcome,
} from '#contracts/ocpi-gateway';
import { commandFinished, sessionEnded, sessionStarted, sessionUpdated } from '#contracts/sessions';
import { tariffPublished, tariffWithdrawn } from '#contracts/tariff-engine';
import { tokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import {
  type AuthorizationInfo, authorization, type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff,
  exampleToken, type Location, type Session, type Tariff, type Token,
} from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';
import { Neighbours } from './neighbours.ts';

const ocpi = { allow_private_urls: true, page_limit: 2, first_retry_ms: 50, longest_retry_ms: 400, request_timeout_ms: 2_000 };
const plunkParty = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' };

interface Side {
  readonly platform: TestPlatform;
  readonly neighbours: Neighbours;
  gateway: Running;
  /** Of the listener, so that it can come back where it was. */
  readonly env: Record<string, string>;
}

let oasis: Side;
let plunk: Side;

async function side(settings: Record<string, unknown>): Promise<Side> {
  const platform = await testPlatform(settings);
  const neighbours = await Neighbours.open(platform);
  const gateway = await start(platform.env);
  return { platform, neighbours, gateway, env: { ...platform.env, OCPI_PORT: new URL(gateway.urls!.ocpi!).port } };
}

const location: Location = { ...exampleLocation, id: 'BURNABY' };
const tariffs: Tariff[] = ['L2', 'DC-FAST', 'FREE'].map((id) => ({ ...exampleTariff, id }));
const card: Token = { ...exampleToken, uid: '04AA' };

beforeAll(async () => {
  [oasis, plunk] = await Promise.all([side({ ocpi }), side({ ocpi, party: plunkParty })]);
  oasis.neighbours.own.locations.push(location);
  oasis.neighbours.own.tariffs.push(...tariffs);
  plunk.neighbours.own.tokens.push(card);
});
afterAll(async () => {
  for (const one of [oasis, plunk]) {
    await one?.gateway.stop();
    await one?.neighbours.close();
    await one?.platform.drop();
  }
});

const versionsUrl = (of: Side) => of.gateway.urls!.ocpi!;
const origin = (of: Side) => new URL(versionsUrl(of)).origin;
const takenBy = ({ neighbours }: Side) => neighbours.taken.map(({ what }) => what);
const taken = (of: Side, what: string) => of.neighbours.taken.findLast((one) => one.what === what)?.body;

async function call(of: Side, path: string, { token = '', method = 'GET', body, headers = {} }: {
  token?: string; method?: string; body?: unknown; headers?: Record<string, string>;
} = {}) {
  const response = await fetch(path.startsWith('http') ? path : `${origin(of)}${path}`, {
    method,
    headers: {
      ...(token ? { Authorization: authorization(token) } : {}),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { http: response.status, headers: response.headers, ...(JSON.parse(text) as { status_code: number; status_message: string; data?: unknown }) };
}

let tokenA = '';
/** A partner with a token that the test holds: what it is allowed to do by hand. */
let outsider = '';

test('CRE a partner registers with TOKEN_A; both sides know each other, and TOKEN_A is dead', async () => {
  const invitation = await oasis.neighbours.bus.ask(invitePartner, { name: 'Carbon Plunk' });
  tokenA = invitation.tokenA;
  expect(invitation.versionsUrl).toBe(versionsUrl(oasis));
  expect((await call(oasis, '/ocpi/versions', { token: tokenA })).data).toEqual([{ version: '2.2.1', url: `${origin(oasis)}/ocpi/2.2.1` }]);
  expect((await call(oasis, '/ocpi/2.2.1/sender/locations', { token: tokenA })).http, 'TRN-06').toBe(401);
  expect((await call(oasis, '/ocpi/2.2.1/credentials', { token: tokenA, method: 'DELETE' })).http, 'CRE-04').toBe(405);
  const view = await plunk.neighbours.bus.ask(registerPartner, { name: 'Energy OASIS', versionsUrl: versionsUrl(oasis), tokenA }, { timeoutMs: 10_000 });
  expect(view).toMatchObject({ state: 'registered', version: '2.2.1', roles: [{ role: 'CPO', party: { partyId: 'BCT' } }] });
  const { partners } = await oasis.neighbours.bus.ask(listPartners, {});
  expect(partners).toMatchObject([{ name: 'Carbon Plunk', state: 'registered', versionsUrl: versionsUrl(plunk), roles: [{ role: 'EMSP' }] }]);
  expect((await call(oasis, '/ocpi/versions', { token: tokenA })).http).toBe(401);
});

test('tariffs go first, then locations, and tokens go the other way', async () => {
  await expect.poll(() => takenBy(plunk).length).toBe(4);
  expect(takenBy(plunk)).toEqual([
    'PUT TARIFF CA*BCT L2', 'PUT TARIFF CA*BCT DC-FAST', 'PUT TARIFF CA*BCT FREE', 'PUT LOCATION CA*BCT BURNABY',
  ]);
  expect(taken(plunk, 'PUT LOCATION CA*BCT BURNABY')).toEqual(location);
  await expect.poll(() => takenBy(oasis)).toEqual(['PUT TOKEN CA*CPK RFID 04AA']);
});

test('CRE-01 CRE-03 a registration whose callback fails is refused, and TOKEN_A stays good', async () => {
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Nobody' });
  const roles = [{ role: 'EMSP', party_id: 'XYZ', country_code: 'CA', business_details: { name: 'Nobody' } }];
  const post = (url: string) => call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body: { token: 'theirs', url, roles } });
  expect(await post('http://127.0.0.1:9/ocpi/versions')).toMatchObject({ http: 200, status_code: 3001 });
  expect(await post(versionsUrl(plunk)), 'our token is unknown there').toMatchObject({ http: 200, status_code: 3001 });
  expect(await call(oasis, '/ocpi/versions', { token })).toMatchObject({ http: 200, status_code: 1000 });
  const wrong = await call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body: { token: 'theirs', roles } });
  expect(wrong).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('url: is missing') });
});

test('LOC-02 an EVSE that changes its status is a PATCH of the EVSE alone', async () => {
  const at = '2022-02-01T17:00:00Z';
  const evses = location.evses!.map((evse) => (evse.uid === 'L2-01' ? { ...evse, status: 'CHARGING' as const, last_updated: at } : evse));
  const now = { ...location, evses, last_updated: at };
  await oasis.neighbours.tell(told(evseStatusChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, locationId: 'BURNABY', evseUid: 'L2-01', status: 'CHARGING',
    lastUpdated: at, locationJson: toJsonBytes(now),
  }));
  await expect.poll(() => taken(plunk, 'PATCH LOCATION CA*BCT BURNABY L2-01')).toEqual({ status: 'CHARGING', last_updated: at });
  expect(plunk.neighbours.partners.get('LOCATION CA*BCT BURNABY')).toEqual(now);
});

test('a tariff that changed is PUT, one that was withdrawn is DELETEd', async () => {
  const party = { countryCode: 'CA', partyId: 'BCT' };
  const dearer = { ...tariffs[2]!, last_updated: '2022-02-02T00:00:00Z' };
  await oasis.neighbours.tell(
    told(tariffPublished, { own: true, party, tariffId: 'FREE', version: 2, tariffJson: toJsonBytes(dearer), lastUpdated: dearer.last_updated }),
  );
  await expect.poll(() => taken(plunk, 'PUT TARIFF CA*BCT FREE')).toEqual(dearer);
  await oasis.neighbours.tell(told(tariffWithdrawn, { own: true, party, tariffId: 'FREE', at: '2022-02-03T00:00:00Z' }));
  await expect.poll(() => takenBy(plunk)).toContain('DELETE TARIFF CA*BCT FREE');
});

test('TOK-02 a token that is no longer valid is PATCHed', async () => {
  const blocked = { ...card, valid: false, last_updated: '2022-02-01T18:00:00Z' };
  await plunk.neighbours.tell(told(tokenChanged, {
    own: true, party: { countryCode: 'CA', partyId: 'CPK' }, uid: card.uid, type: card.type, tokenJson: toJsonBytes(blocked), lastUpdated: blocked.last_updated,
  }));
  await expect.poll(() => taken(oasis, 'PATCH TOKEN CA*CPK RFID 04AA')).toEqual({ valid: false, last_updated: blocked.last_updated });
});

const [firstPeriod, lastPeriod] = exampleSession.charging_periods!;
const { end_date_time: _end, total_cost: _cost, charging_periods: _periods, ...begun } = exampleSession;
const active: Session = { ...begun, id: 'S-1', kwh: 0, status: 'ACTIVE', cdr_token: { ...exampleSession.cdr_token, party_id: 'CPK' }, last_updated: '2022-02-01T17:00:00Z' };
const refreshed: Session = { ...active, kwh: 12.4, charging_periods: [firstPeriod!], total_cost: { excl_vat: 3.72 }, last_updated: '2022-02-01T19:00:00Z' };
const completed: Session = { ...refreshed, charging_periods: [firstPeriod!, lastPeriod!], status: 'COMPLETED', end_date_time: '2022-02-01T19:15:00Z', last_updated: '2022-02-01T19:15:00Z' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };

test("SES-03 a Session goes to its token's owner: PUT, then PATCHes with only the new charging periods", async () => {
  const told1 = (session: Session) => ({ sessionId: session.id, tokenParty: cpk, sessionJson: toJsonBytes(session) });
  await oasis.neighbours.tell(told(sessionStarted, told1(active)));
  await expect.poll(() => taken(plunk, 'PUT SESSION CA*BCT S-1')).toEqual(active);
  await oasis.neighbours.tell(told(sessionUpdated, told1(refreshed)));
  await expect.poll(() => taken(plunk, 'PATCH SESSION CA*BCT S-1')).toEqual({
    kwh: 12.4, total_cost: { excl_vat: 3.72 }, charging_periods: [firstPeriod], last_updated: refreshed.last_updated,
  });
  const foreign = { ...active, id: 'S-2', cdr_token: { ...active.cdr_token, party_id: 'ELS' } };
  await oasis.neighbours.tell(
    told(sessionStarted, { ...told1(foreign), tokenParty: { countryCode: 'CA', partyId: 'ELS' } }),
    told(sessionEnded, {
      ...told1(completed), locationJson: toJsonBytes(location), tariffJson: toJsonBytes(tariffs[0]), tariffVersion: 1,
      tokenJson: toJsonBytes(card), energyWh: '12400',
    }),
  );
  await expect.poll(() => plunk.neighbours.partners.get('SESSION CA*BCT S-1')).toEqual(completed);
  expect(takenBy(plunk).filter((what) => what.includes('S-2'))).toEqual([]);
});

const cdr: Cdr = { ...exampleCdr, id: 'S-1-1', session_id: 'S-1', cdr_token: active.cdr_token };
const issued = (one: Cdr) => told(cdrIssued, {
  cdrId: one.id, sessionId: 'S-1', credit: false, tokenParty: cpk, cdrJson: toJsonBytes(one),
});

test('CDR-01 a CDR is delivered although the partner was down when it was issued, and once only', async () => {
  await plunk.gateway.stop();
  await oasis.neighbours.tell(issued(cdr));
  const view = async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Carbon Plunk')!;
  await expect.poll(async () => (await view()).lastError).toContain('cdrs S-1-1: unreachable');
  expect((await view()).waiting).toBe(1);
  plunk.gateway = await start(plunk.env);
  await expect.poll(() => taken(plunk, 'POST CDR CA*BCT S-1-1')).toEqual(cdr);
  await expect.poll(async () => (await view()).waiting).toBe(0);
  expect(takenBy(plunk).filter((what) => what.startsWith('POST CDR'))).toHaveLength(1);
});

test('a command is answered at once, and its result comes to the response_url afterwards', async () => {
  oasis.neighbours.answers.startSession = async ({ orderId }) => {
    // The station may be faster than our own answer: the result still comes after it.
    await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'ACCEPTED', message: '' }));
    return { result: 'ACCEPTED' };
  };
  const command = { token: card, location_id: 'BURNABY', evse_uid: 'L2-01', authorization_reference: 'order-1' };
  const send = (orderId: string, body: object = command, name = 'START_SESSION') => plunk.neighbours.bus.ask(sendCommand, {
    orderId, party: { countryCode: 'CA', partyId: 'BCT' }, command: name, bodyJson: toJsonBytes(body),
  });
  const sent = await send('order-1');
  expect(sent).toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'ACCEPTED', timeoutS: 30, statusCode: 1000 });
  await expect.poll(() => plunk.neighbours.results).toEqual([{ orderId: 'order-1', result: 'ACCEPTED', message: '' }]);
  expect(await send('order-1'), 'the same order again').toMatchObject({ result: 'ACCEPTED' });
  expect(oasis.neighbours.orders).toHaveLength(1);

  oasis.neighbours.answers.startSession = async () => ({ result: 'REJECTED', unknownLocation: true });
  expect(await send('order-2')).toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'REJECTED', statusCode: 2003 });
  expect(await send('order-3', { session_id: 'S-9' }, 'STOP_SESSION')).toMatchObject({ result: 'UNKNOWN_SESSION', statusCode: 1000 });
  expect(await send('order-4', { reservation_id: 'R1' }, 'CANCEL_RESERVATION')).toMatchObject({ result: 'NOT_SUPPORTED' });
  expect(await send('order-5', { location_id: 'BURNABY' })).toMatchObject({ result: 'REJECTED', statusCode: 2001 });
  expect(await plunk.neighbours.bus.ask(sendCommand, {
    orderId: 'order-6', party: { countryCode: 'CA', partyId: 'NON' }, command: 'START_SESSION', bodyJson: toJsonBytes(command),
  })).toMatchObject({ outcome: SendOutcome.NO_PARTNER });
});

test("a token's owner is asked in real time; TOK-06 one it does not know has no answer in it", async () => {
  const ask = (uid: string) => oasis.neighbours.bus.ask(authorizeAtPartner, { party: cpk, uid, type: 'RFID', timeoutMs: 2_000 });
  const known = await ask('04AA');
  expect(known.outcome).toBe(SendOutcome.ANSWERED);
  expect(fromJsonBytes<AuthorizationInfo>(known.authorizationInfoJson!)).toMatchObject({ allowed: 'ALLOWED', authorization_reference: 'A1' });
  const unknown = await ask('04FF');
  expect([unknown.outcome, unknown.authorizationInfoJson]).toEqual([SendOutcome.ANSWERED, undefined]);
});

test('CRE-06 CRE-07 credentials are renewed by PUT; the old token is good until the new one is used', async () => {
  outsider = (await register('Rogue', 'ROG')).token;
  const body = { token: rogue.token, url: rogue.url, roles: rogue.roles('ROG') };
  const put = await call(oasis, '/ocpi/2.2.1/credentials', { token: outsider, method: 'PUT', body });
  const renewed = (put.data as { token: string }).token;
  expect([put.status_code, renewed === outsider]).toEqual([1000, false]);
  expect((await call(oasis, '/ocpi/2.2.1/sender/locations', { token: outsider })).http).toBe(200);
  expect((await call(oasis, '/ocpi/2.2.1/sender/locations', { token: renewed })).http).toBe(200);
  expect((await call(oasis, '/ocpi/2.2.1/sender/locations', { token: outsider })).http).toBe(401);
  outsider = renewed;
  expect((await call(oasis, '/ocpi/2.2.1/credentials', { token: renewed, method: 'POST', body })).http, 'CRE-04').toBe(405);
});

/** A partner's own versions endpoint, as small as it may be. */
import { createServer, type Server } from 'node:http';
const rogue = {
  token: 'rogue-token',
  url: '',
  seen: [] as string[],
  server: undefined as Server | undefined,
  roles: (party_id: string) => [{ role: 'EMSP', party_id, country_code: 'CA', business_details: { name: 'Rogue' } }],
};

async function register(name: string, partyId: string): Promise<{ token: string }> {
  rogue.server = createServer((request, response) => {
    rogue.seen.push(`${request.method} ${request.url}`);
    const base = `http://${request.headers.host}`;
    const data = request.url === '/versions' ? [{ version: '2.2.1', url: `${base}/221` }, { version: '9.9', url: 'not a url' }]
      : request.url === '/221' ? { version: '2.2.1', endpoints: [
        { identifier: 'credentials', role: 'RECEIVER', url: `${base}/credentials` },
        { identifier: 'commands', role: 'SENDER', url: `${base}/commands` },
      ] } : undefined;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ data, status_code: 1000, timestamp: '2022-02-01T17:00:00Z' }));
  });
  await new Promise<void>((resolve) => rogue.server!.listen(0, '127.0.0.1', resolve));
  rogue.url = `http://127.0.0.1:${(rogue.server.address() as { port: number }).port}/versions`;
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name });
  const body = { token: rogue.token, url: rogue.url, roles: rogue.roles(partyId) };
  const answer = await call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body });
  expect(answer).toMatchObject({ http: 200, status_code: 1000 });
  expect(rogue.seen).toEqual(['GET /versions', 'GET /221']);
  return answer.data as { token: string };
}
afterAll(() => rogue.server?.close());

test('TRN-05 without a known token every request is 401, in the envelope', async () => {
  for (const token of ['', 'nonsense']) {
    const answer = await call(oasis, '/ocpi/2.2.1/sender/locations', { token });
    expect(answer).toMatchObject({ http: 401, status_code: 2001, timestamp: expect.any(String) });
  }
  const raw = await call(oasis, '/ocpi/versions', { headers: { Authorization: `token ${outsider}` } });
  expect(raw.http, 'TRN-04: unencoded').toBe(200);
});

test('TRN-52 lists come in pages with X-Total-Count, X-Limit and Link', async () => {
  const first = await call(oasis, '/ocpi/2.2.1/sender/tariffs?date_from=2000-01-01T00:00:00', {
    token: outsider, headers: { 'X-Request-ID': 'r-1', 'X-Correlation-ID': 'c-1', 'OCPI-from-party-id': 'ROG', 'OCPI-from-country-code': 'CA', 'OCPI-to-party-id': 'BCT', 'OCPI-to-country-code': 'CA' },
  });
  expect((first.data as Tariff[]).map(({ id }) => id)).toEqual(['L2', 'DC-FAST']);
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'x-total-count': '3', 'x-limit': '2', 'x-request-id': 'r-1', 'x-correlation-id': 'c-1',
    'ocpi-to-party-id': 'ROG', 'ocpi-from-party-id': 'BCT',
    link: `<${origin(oasis)}/ocpi/2.2.1/sender/tariffs?date_from=2000-01-01T00%3A00%3A00&offset=2&limit=2>; rel="next"`,
  });
  const last = await call(oasis, /<(.*)>/.exec(first.headers.get('link')!)![1]!, { token: outsider });
  expect((last.data as Tariff[]).map(({ id }) => id)).toEqual(['FREE']);
  expect(last.headers.get('link')).toBeNull();
  expect(await call(oasis, '/ocpi/2.2.1/sender/sessions', { token: outsider })).toMatchObject({ http: 200, status_code: 2001 });
  expect(await call(oasis, '/ocpi/2.2.1/sender/tariffs?offset=-1', { token: outsider })).toMatchObject({ http: 200, status_code: 2001 });
});

test('an object is read at its three levels, and what is not there is 404', async () => {
  const get = (path: string) => call(oasis, `/ocpi/2.2.1/sender/locations/${path}`, { token: outsider });
  expect((await get('BURNABY')).data).toEqual(location);
  expect((await get('BURNABY/L2-01/')).data).toEqual(location.evses![1]);
  expect((await get('BURNABY/L2-01/1')).data).toEqual(location.evses![1]!.connectors[0]);
  expect(await get('ELSEWHERE')).toMatchObject({ http: 404, status_code: 2001 });
  expect(await get('BURNABY/L2-99')).toMatchObject({ http: 404, status_code: 2001 });
});

test('a foreign party, ids that differ, broken JSON, a wrong method and an unknown path are refused by the book', async () => {
  const put = (path: string, body: unknown) => call(oasis, `/ocpi/2.2.1/receiver/tokens/${path}`, { token: outsider, method: 'PUT', body });
  expect(await put('CA/CPK/04AA', card)).toMatchObject({ http: 404, status_message: expect.stringContaining('none of your roles') });
  const own = { ...card, party_id: 'ROG' };
  expect(await put('ca/rog/04BB', own)).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('uid: "04AA" in the body') });
  expect(await put('ca/rog/04aa', own), 'TRN-72').toMatchObject({ http: 201, status_code: 1000 });
  expect(await put('ca/rog/04aa', own)).toMatchObject({ http: 200, status_code: 1000 });
  expect(await put('CA/ROG/04AA', '{"uid":')).toMatchObject({ http: 400, status_code: 2001 });
  expect(await put('CA/ROG/04AA', { ...own, valid: 'yes' })).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('valid: must be true or false') });
  expect(await call(oasis, '/ocpi/2.2.1/receiver/tokens/CA/ROG/04AA', { token: outsider, method: 'DELETE' })).toMatchObject({ http: 405, status_code: 2000 });
  expect(await call(oasis, '/ocpi/2.2.1/nowhere', { token: outsider })).toMatchObject({ http: 404 });
  expect(await call(oasis, '/ocpi/2.2.1/sender/locations', {
    token: outsider, headers: { 'OCPI-to-party-id': 'ELS', 'OCPI-to-country-code': 'CA' },
  })).toMatchObject({ http: 200, status_code: 2001 });
  const huge = await call(oasis, '/ocpi/2.2.1/receiver/tokens/CA/ROG/04AA', { token: outsider, method: 'PUT', body: JSON.stringify({ x: 'x'.repeat(6_000_000) }) });
  expect(huge).toMatchObject({ http: 413, status_code: 2001 });
});

test('CMD-06 a command with a foreign token is refused, and a response_url inside is not called', async () => {
  const start = (body: object) => call(oasis, '/ocpi/2.2.1/receiver/commands/START_SESSION', { token: outsider, method: 'POST', body });
  const command = { response_url: 'http://127.0.0.1:9/x', location_id: 'BURNABY' };
  expect(await start({ ...command, token: card })).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('none of your roles') });
  const ftp = { ...command, token: { ...card, party_id: 'ROG' }, response_url: 'http://user:secret@127.0.0.1:9/x' };
  expect(await start(ftp)).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('response_url') });
  const result = { result: 'ACCEPTED' };
  expect(await call(plunk, '/ocpi/2.2.1/sender/commands/START_SESSION/order-1', { method: 'POST', body: result })).toMatchObject({ http: 401 });
});

test('a fault of ours is 200 and 3000, and says nothing of its inside', async () => {
  oasis.neighbours.answers.startSession = async () => {
    throw new Error('a secret of the inside');
  };
  const answer = await call(oasis, '/ocpi/2.2.1/receiver/commands/START_SESSION', {
    token: outsider, method: 'POST', body: { response_url: 'http://127.0.0.1:9/x', location_id: 'BURNABY', token: { ...card, party_id: 'ROG' } },
  });
  expect(answer).toMatchObject({ http: 200, status_code: 3000, status_message: 'Server error' });
  expect(JSON.stringify(answer)).not.toMatch(/secret|\.ts/);
});

test('CDR-21 the same CDR twice is the same CDR, with the same Location; another one under its id is refused', async () => {
  const credentials = await plunk.neighbours.bus.ask(invitePartner, { name: 'Rogue CPO' });
  const roles = rogue.roles('ROG').map((role) => ({ ...role, role: 'CPO' }));
  const { data } = await call(plunk, '/ocpi/2.2.1/credentials', { token: credentials.tokenA, method: 'POST', body: { token: rogue.token, url: rogue.url, roles } });
  expect(data, 'a partner without any counterpart').toBeUndefined();
  // The one CPO that Carbon Plunk has is Energy OASIS: its own gateway is the one to ask with its token.
  expect(plunk.neighbours.partners.get('CDR CA*BCT S-1-1')).toEqual(cdr);
});

test('CRE-08 after DELETE the link is dead on this side at once', async () => {
  expect(await call(oasis, '/ocpi/2.2.1/credentials', { token: outsider, method: 'DELETE' })).toMatchObject({ http: 200, status_code: 1000 });
  expect((await call(oasis, '/ocpi/versions', { token: outsider })).http).toBe(401);
  const { partners } = await oasis.neighbours.bus.ask(listPartners, {});
  expect(partners.find(({ name }) => name === 'Rogue')).toMatchObject({ state: 'unregistered' });
});
