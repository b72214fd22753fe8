import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { told } from '#bus';
import { invitePartner, listPartners, registerPartner, sendCommand, SendOutcome } from '#contracts/ocpi-gateway';
import { Outcome, unlockConnector } from '#contracts/ocpp-gateway';
import { commandFinished } from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import {
  authorization, type Cdr, exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken, type Location,
  type Tariff, type Token,
} from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { RawHttp } from './raw-http.ts';
import { call, openSide, origin, type Side } from './side.ts';

// One gateway, and partners worked by hand: an eMSP of Montreal and a CPO of the Islands.

const location: Location = { ...exampleLocation, id: 'BURNABY' };
const tariffs: Tariff[] = ['L2', 'DC-FAST', 'FREE'].map((id) => ({ ...exampleTariff, id }));
const receivers = ['RECEIVER locations', 'RECEIVER tariffs', 'RECEIVER sessions', 'RECEIVER cdrs', 'SENDER tokens', 'SENDER commands'];
const card: Token = { ...exampleToken, party_id: 'MTL', uid: '04AA' };

let oasis: Side;
let montreal: HandPartner;
let islands: HandPartner;

beforeAll(async () => {
  const party = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' };
  oasis = await openSide({ party });
  oasis.neighbours.own.tariffs.push(...tariffs);
  oasis.neighbours.own.locations.push(location);
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', receivers);
  islands = await HandPartner.open('Islands', 'ISL', 'CPO', ['SENDER locations', 'SENDER cdrs']);
});
afterAll(async () => {
  await Promise.all([montreal, islands].map((one) => one?.close()));
  await oasis?.close();
});

const viewOf = async (name: string) =>
  (await oasis.neighbours.bus.ask(listPartners, {})).partners.findLast((one) => one.name === name)!;
const get = (path: string, more: object = {}) => call(oasis, `/ocpi/2.2.1/${path}`, { token: montreal.token, ...more });

test('CRE-01 CRE-02 CRE-03 a registration whose callback fails is refused, and TOKEN_A stays good', async () => {
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Nobody' });
  const post = (body: object) => call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body });
  const given = montreal.credentials() as { url: string };
  expect(await post({ ...given, url: 'http://127.0.0.1:9/versions' })).toMatchObject({ http: 200, status_code: 3001 });
  expect(await post({ ...given, url: undefined })).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('url: is missing') });
  const bare = await HandPartner.open('Bare', 'BAR', 'EMSP', []);
  expect(await post(bare.credentials())).toMatchObject({ http: 200, status_code: 3003 });
  await bare.close();
  expect(await call(oasis, '/ocpi/versions', { token })).toMatchObject({ http: 200, status_code: 1000 });
});

test('CRE-04 a TOKEN_A registers once, also when it is used twice at the same time', async () => {
  const twin = await HandPartner.open('Twin', 'TWI', 'EMSP', ['RECEIVER cdrs']);
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Twin', parties: twin.parties() });
  const post = () => call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body: twin.credentials() });
  const both = await Promise.all([post(), post()]);
  const https = both.map(({ http }) => http).sort();
  // One that comes when the other is through finds the token dead.
  expect([[200, 405], [200, 401]]).toContainEqual(https);
  await twin.close();
});

test('TRN-15 the callback comes before the answer, and then everything of ours goes to the endpoints that it listed', async () => {
  expect(await montreal.register(oasis)).toMatchObject({ http: 200, status_code: 1000, data: { roles: [{ role: 'CPO', party_id: 'BCT' }, { role: 'EMSP' }] } });
  expect(montreal.seen.slice(0, 2).map(({ what }) => what)).toEqual(['GET /versions', 'GET /2.2.1']);
  await expect.poll(() => montreal.pushed()).toEqual([
    'PUT /tariffs/CA/BCT/L2', 'PUT /tariffs/CA/BCT/DC-FAST', 'PUT /tariffs/CA/BCT/FREE', 'PUT /locations/CA/BCT/BURNABY',
  ]);
});

test('CRE-04 CRE-05 CRE-06 CRE-07 credentials are renewed by PUT; the old token is good until the new one is used', async () => {
  const old = montreal.token;
  const put = await get('credentials', { method: 'PUT', body: montreal.credentials() });
  const { token } = put.data as { token: string };
  expect([put.status_code, token === old]).toEqual([1000, false]);
  expect((await get('sender/locations')).http).toBe(200);
  expect((await get('sender/locations', { token })).http).toBe(200);
  expect((await get('sender/locations')).http).toBe(401);
  montreal.token = token;
  expect((await get('credentials', { method: 'POST', body: montreal.credentials() })).http, 'CRE-04').toBe(405);
  expect((await get('credentials')).data, 'CRE-05').toMatchObject({ token, url: `${origin(oasis)}/ocpi/versions` });
});

test('CRE-07 whose PUT gets no answer PUTs again with the token it has, as often as it takes; the one it uses at last ends those before', async () => {
  const old = montreal.token;
  const given: string[] = [];
  for (let n = 0; n < 6; n += 1) {
    const put = await get('credentials', { method: 'PUT', body: montreal.credentials() });
    expect([put.http, put.status_code]).toEqual([200, 1000]);
    given.push((put.data as { token: string }).token);
  }
  const opens = (token: string) => get('sender/locations', { token }).then(({ http }) => http);
  expect(await opens(given[4]!), 'an answer that came late').toBe(200);
  expect([await opens(old), await opens(given[3]!)], 'of what was given before it').toEqual([401, 401]);
  expect(await opens(given[5]!)).toBe(200);
  expect(await opens(given[4]!)).toBe(401);
  montreal.token = given[5]!;
});

test('CRE-01 a partner that fails is asked once', async () => {
  const broken = await HandPartner.open('Broken', 'BRK', 'EMSP', ['SENDER tokens']);
  broken.url = `${broken.base}/broken`;
  broken.answer = () => ({ http: 500, status: 3000 });
  expect(await broken.register(oasis)).toMatchObject({ http: 200, status_code: 3001 });
  expect(broken.seen.map(({ what }) => what)).toEqual(['GET /broken']);
  await broken.close();
});

test('TRN-05 without a known token every request is 401, in the envelope; unencoded it is understood', async () => {
  for (const token of ['', 'nonsense']) {
    expect(await get('sender/locations', { token })).toMatchObject({ http: 401, status_code: 2001, timestamp: expect.any(String) });
  }
  for (const header of [`Token ${montreal.token}`, authorization(montreal.token).toUpperCase().slice(0, 6) + authorization(montreal.token).slice(6)]) {
    expect((await get('sender/locations', { token: '', headers: { Authorization: header } })).http, header.slice(0, 6)).toBe(200);
  }
});

test('TRN-50 TRN-52 TRN-53 TRN-56 TRN-80 HUB-04 lists come in pages, with their headers, ids echoed and parties swapped', async () => {
  const first = await get('sender/tariffs?date_from=2000-01-01T00:00:00', {
    headers: {
      'X-Request-ID': 'r-1', 'X-Correlation-ID': 'c-1', 'OCPI-from-party-id': 'MTL', 'OCPI-from-country-code': 'CA',
      'OCPI-to-party-id': 'bct', 'OCPI-to-country-code': 'ca',
    },
  });
  expect((first.data as Tariff[]).map(({ id }) => id)).toEqual(['L2', 'DC-FAST']);
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'x-total-count': '3', 'x-limit': '2', 'x-request-id': 'r-1', 'x-correlation-id': 'c-1',
    'ocpi-to-party-id': 'MTL', 'ocpi-from-party-id': 'BCT',
    link: `<${origin(oasis)}/ocpi/2.2.1/sender/tariffs?date_from=2000-01-01T00%3A00%3A00&offset=2&limit=2>; rel="next"`,
  });
  const last = await call(oasis, /<(.*)>/.exec(first.headers.get('link')!)![1]!, { token: montreal.token });
  expect((last.data as Tariff[]).map(({ id }) => id)).toEqual(['FREE']);
  expect(last.headers.get('link')).toBeNull();
  expect(await get('sender/tariffs?offset=9')).toMatchObject({ http: 200, data: [] });
  expect(await get('sender/tariffs?offset=-1')).toMatchObject({ http: 200, status_code: 2001 });
  expect(await get('sender/sessions'), 'TRN-50').toMatchObject({ http: 200, status_code: 2001 });
});

test('lists that are asked for at once on one connection are each whole; who leaves before a list has come disturbs nobody', async () => {
  const path = '/ocpi/2.2.1/sender/tariffs';
  const asked = `GET ${path} HTTP/1.1\r\nHost: here\r\nAuthorization: ${authorization(montreal.token)}\r\n\r\n`;
  for (let n = 0; n < 5; n += 1) {
    const leaving = await RawHttp.open(oasis);
    leaving.write(asked);
    leaving.close();
  }
  const raw = await RawHttp.open(oasis);
  raw.write(asked.repeat(3));
  const lists = () => raw.text.split('HTTP/1.1 200 OK').slice(1).map((one) => one.split('\r\n\r\n'));
  await expect.poll(() => lists().map(([, body]) => body?.endsWith('}'))).toEqual([true, true, true]);
  for (const [head, body] of lists()) {
    expect(head).toContain(`content-length: ${body!.length}`);
    expect((JSON.parse(body!) as { data: Tariff[] }).data.map(({ id }) => id)).toEqual(['L2', 'DC-FAST']);
  }
  raw.close();
});

test("TRN-07 Sessions and CDRs are listed for their tokens' owner alone", async () => {
  const mine = { ...exampleSession.cdr_token, party_id: 'MTL' };
  oasis.neighbours.own.sessions.push({ ...exampleSession, id: 'S-mine', cdr_token: mine }, { ...exampleSession, id: 'S-other' });
  oasis.neighbours.own.cdrs.push({ ...exampleCdr, id: 'C-mine', cdr_token: mine }, { ...exampleCdr, id: 'C-other' });
  const ids = ({ data }: { data?: unknown }) => (data as { id: string }[]).map(({ id }) => id);
  const sessions = await get('sender/sessions?date_from=2000-01-01T00:00:00Z');
  expect([ids(sessions), sessions.headers.get('x-total-count')]).toEqual([['S-mine'], '1']);
  expect(ids(await get('sender/cdrs'))).toEqual(['C-mine']);
});

test('a Location is read at its three levels, and what is not there is 404', async () => {
  expect((await get('sender/locations/BURNABY')).data).toEqual(location);
  expect((await get('sender/locations/BURNABY/L2-01/')).data).toEqual(location.evses![1]);
  expect((await get('sender/locations/BURNABY/L2-01/1')).data).toEqual(location.evses![1]!.connectors[0]);
  expect(await get('sender/locations/ELSEWHERE')).toMatchObject({ http: 404, status_code: 2001 });
  expect(await get('sender/locations/BURNABY/L2-99')).toMatchObject({ http: 404, status_code: 2001 });
});

test('TRN-62 TRN-71 TRN-72 a pushed object has to be its own, under its own ids', async () => {
  const put = (path: string, body: unknown) => get(`receiver/tokens/${path}`, { method: 'PUT', body });
  expect(await put('CA/CPK/04AA', card)).toMatchObject({ http: 404, status_message: expect.stringContaining('none of your roles') });
  expect(await put('CA/MTL/04BB', card)).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('uid: "04AA" in the body') });
  expect(await put('CA/MTL/04AA?type=OTHER', card)).toMatchObject({ http: 200, status_code: 2001 });
  expect(await put('ca/mtl/04aa', card)).toMatchObject({ http: 201, status_code: 1000 });
  expect(await put('ca/mtl/04aa', card)).toMatchObject({ http: 200, status_code: 1000 });
  expect((await get('receiver/tokens/CA/MTL/04AA')).data).toEqual(card);
  expect(await get('receiver/tokens/CA/MTL/04FF', { method: 'PATCH', body: { valid: false, last_updated: '2022-02-01T00:00:00Z' } }))
    .toMatchObject({ http: 404, status_code: 2001 });
  expect(await get('receiver/tokens/CA/MTL/04AA', { method: 'PATCH', body: { valid: false } }), 'TRN-62')
    .toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('last_updated') });
});

test('TRN-10 TRN-30 HUB-01 broken JSON, wrong content, a wrong method, a wrong party, too much, and an unknown path are refused by the book', async () => {
  const put = (body: unknown) => get('receiver/tokens/CA/MTL/04AA', { method: 'PUT', body });
  expect(await put('{"uid":')).toMatchObject({ http: 400, status_code: 2001 });
  expect(await put({ ...card, valid: 'yes' })).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('valid: must be true or false') });
  expect(await put('['.repeat(100_000) + ']'.repeat(100_000))).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('deeper') });
  expect(await put(`"${'x'.repeat(6_000_000)}"`)).toMatchObject({ http: 413, status_code: 2001 });
  const wrongMethod = await get('receiver/tokens/CA/MTL/04AA', { method: 'DELETE' });
  expect([wrongMethod.http, wrongMethod.status_code, wrongMethod.headers.get('allow')]).toEqual([405, 2000, 'GET, PUT, PATCH']);
  for (const method of ['HEAD', 'OPTIONS']) {
    const { status, headers } = await fetch(`${origin(oasis)}/ocpi/versions`, { method, headers: { Authorization: authorization(montreal.token) } });
    expect([method, status, headers.get('allow')]).toEqual([method, 405, 'GET']);
  }
  expect(await get('nowhere')).toMatchObject({ http: 404, status_code: 2001 });
  expect(await get('sender/locations/%zz')).toMatchObject({ http: 400 });
  const to = (party: string) => ({ headers: { 'OCPI-to-party-id': party, 'OCPI-to-country-code': 'CA' } });
  expect(await get('sender/locations', to('ELS'))).toMatchObject({ http: 200, status_code: 2001 });
  expect(await get('sender/locations', { headers: { 'OCPI-from-party-id': 'MTL' } }), 'half a pair').toMatchObject({ status_code: 2001 });
});

test('what is logged of a request that could not be answered names no token', async () => {
  const lines = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const keeping = vi.spyOn(oasis.neighbours.partners, 'set').mockImplementation(() => {
    throw new Error('nobody keeps it');
  });
  try {
    const token = { ...card, uid: '04SECRETUID' };
    const said = await get(`receiver/tokens/CA/MTL/${token.uid}`, { method: 'PUT', body: token });
    expect(said).toMatchObject({ status_code: 3000 });
    const logged = () => lines.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('could not be answered'));
    await expect.poll(() => logged().length).toBe(1);
    expect(logged()[0]).toContain('/receiver/tokens/:country_code/:party_id/:token_uid');
    expect(logged()[0]).not.toContain(token.uid);
  } finally {
    keeping.mockRestore();
    lines.mockRestore();
  }
});

test('CMD-06 a command with a foreign token, or with a response_url that may not be called, is refused', async () => {
  const start = (body: object) => get('receiver/commands/START_SESSION', { method: 'POST', body });
  const command = { response_url: 'http://127.0.0.1:9/x', location_id: 'BURNABY' };
  expect(await start({ ...command, token: exampleToken })).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('none of your roles') });
  expect(await start({ ...command, token: card, response_url: 'http://user:secret@127.0.0.1:9/x' }))
    .toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('response_url') });
  expect(oasis.neighbours.orders).toEqual([]);
  expect(await get('sender/commands/START_SESSION/order-1', { method: 'POST', body: { result: 'ACCEPTED' } }), 'nobody was ordered that')
    .toMatchObject({ http: 404, status_code: 2001 });
});

test('CMD-01 no result follows a command that was not accepted; CMD-04 a result is not wrapped', async () => {
  const response_url = `${new URL(montreal.url).origin}/results/1`;
  const start = () => get('receiver/commands/START_SESSION', { method: 'POST', body: { response_url, location_id: 'BURNABY', token: card } });
  const answering = (result: string) => async ({ orderId }: { orderId: string }) => {
    await oasis.neighbours.tell(told(commandFinished, { orderId, result: 'EVSE_OCCUPIED', message: 'a car is there' }));
    return { result };
  };
  oasis.neighbours.answers.startSession = answering('REJECTED');
  expect(await start()).toMatchObject({ http: 200, status_code: 1000, data: { result: 'REJECTED', timeout: 30 } });
  oasis.neighbours.answers.startSession = answering('ACCEPTED');
  expect(await start()).toMatchObject({ data: { result: 'ACCEPTED' } });
  await expect.poll(() => montreal.pushed('POST /results')).toHaveLength(1);
  const { body } = montreal.seen.find(({ what }) => what.startsWith('POST /results'))!;
  expect(body).toEqual({ result: 'EVSE_OCCUPIED', message: [{ language: 'en', text: 'a car is there' }] });
});

test('CMD-11 UNLOCK_CONNECTOR opens the lock at the station and says how it went', async () => {
  const response_url = `${new URL(montreal.url).origin}/unlocked/1`;
  const unlock = (more: object = {}) => get('receiver/commands/UNLOCK_CONNECTOR', {
    method: 'POST', body: { response_url, location_id: 'BURNABY', evse_uid: 'L2-01', connector_id: '1', ...more },
  });
  expect(await unlock({ evse_uid: 'L2-99' })).toMatchObject({ http: 200, status_code: 2003, data: { result: 'REJECTED' } });
  oasis.neighbours.charging = { ...exampleSession, cdr_token: { ...exampleSession.cdr_token, country_code: 'CA', party_id: 'XYZ' } };
  expect(await unlock(), "another party's driver charges there").toMatchObject({ status_code: 1000, data: { result: 'REJECTED' } });
  oasis.neighbours.charging = undefined;
  oasis.neighbours.refusesSessionAt = true;
  expect(await unlock(), 'the place is known, and not who charges there').toMatchObject({ status_code: 1000, data: { result: 'REJECTED' } });
  oasis.neighbours.refusesSessionAt = false;
  oasis.neighbours.refusesPlaces = new Rejected('too-late', 'nothing was done');
  expect(await unlock(), 'nobody has time to look where it is').toMatchObject({ status_code: 3000, status_message: expect.stringContaining('try again') });
  expect(await unlock()).toMatchObject({ status_code: 1000, data: { result: 'ACCEPTED' } });
  const said = () => montreal.seen.findLast(({ what }) => what === 'POST /unlocked/1')?.body;
  await expect.poll(said).toMatchObject({ result: 'EVSE_INOPERATIVE' });
  const says = [{ outcome: Outcome.ACCEPTED, detail: '' }, new Rejected('internal', '')];
  const station = await oasis.neighbours.bus.hold(unlockConnector, 'station of L2-01', async ([ask]) => (
    [ask!.connectorId === 1 ? says.shift()! : new Rejected('another connector', '')]));
  for (const result of ['ACCEPTED', 'TIMEOUT']) {
    await unlock();
    await expect.poll(said).toMatchObject({ result });
  }
  await station.release();
});

test('a fault of ours is 200 and 3000, and says nothing of its inside', async () => {
  oasis.neighbours.answers.startSession = async () => {
    throw new Error('a secret of the inside');
  };
  const body = { response_url: 'http://127.0.0.1:9/x', location_id: 'BURNABY', token: card };
  const answer = await get('receiver/commands/START_SESSION', { method: 'POST', body });
  expect(answer).toMatchObject({ http: 200, status_code: 3000, status_message: 'Server error' });
  expect(JSON.stringify(answer)).not.toMatch(/secret|\.ts/);
});

test('CDR-01 CDR-21 the same CDR twice is one CDR with one Location; another under its id, or a foreign one, is refused', async () => {
  await islands.register(oasis);
  const cdr: Cdr = { ...exampleCdr, party_id: 'ISL', id: 'C*1 / a' };
  const post = (body: object) => call(oasis, '/ocpi/2.2.1/receiver/cdrs', { token: islands.token, method: 'POST', body });
  const [first, again] = [await post(cdr), await post(cdr)];
  expect([first.http, again.http, first.status_code, again.status_code]).toEqual([201, 200, 1000, 1000]);
  expect(again.timestamp, 'a repeat hears when it was recorded first').toBe(first.timestamp);
  const url = first.headers.get('location')!;
  expect([url.startsWith(`${origin(oasis)}/`), again.headers.get('location')]).toEqual([true, url]);
  expect((await call(oasis, url, { token: islands.token })).data).toEqual(cdr);
  expect(await call(oasis, url, { token: montreal.token }), 'not its own').toMatchObject({ http: 404 });
  expect(await post({ ...cdr, total_energy: 99 })).toMatchObject({ http: 200, status_code: 2001 });
  expect(await post(exampleCdr)).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('none of your roles') });
});

test('TOK-03 TOK-04 TOK-06 a partner asks about a token of ours, with or without a place', async () => {
  const own: Token = { ...exampleToken, party_id: 'BCT', uid: 'OURS' };
  oasis.neighbours.own.tokens.push(own);
  const ask = (uid: string, body?: unknown) => call(oasis, `/ocpi/2.2.1/sender/tokens/${uid}/authorize`, { token: islands.token, method: 'POST', body });
  for (const nothing of [undefined, 'null', ' { } '])
    expect(await ask('OURS', nothing), nothing).toMatchObject({ http: 200, status_code: 1000, data: { allowed: 'ALLOWED', token: own } });
  expect(await ask('OURS', { location_id: 'L1' })).toMatchObject({ http: 200, status_code: 1000 });
  expect(await ask('OURS', { evse_uids: ['E1'] })).toMatchObject({ http: 200, status_code: 2001 });
  const unknown = await ask('THEIRS');
  expect([unknown.http, unknown.status_code, 'data' in unknown]).toEqual([404, 2004, false]);
});

test('a registration of ours that the partner does not take leaves nothing behind', async () => {
  const shy = await HandPartner.open('Shy', 'SHY', 'CPO', ['RECEIVER commands']);
  const register = (versionsUrl = shy.url) => oasis.neighbours.bus.ask(registerPartner, { name: 'Shy', versionsUrl, tokenA: 'a' });
  await expect(register('http://127.0.0.1:9/versions')).rejects.toMatchObject({ code: 'partner-unreachable' });
  await expect(register('file:///etc/passwd')).rejects.toMatchObject({ code: 'partner-unreachable', detail: expect.stringContaining('scheme') });
  shy.answer = () => ({ http: 405, status: 2000 });
  await expect(register()).rejects.toMatchObject({ code: 'registration-refused', detail: expect.stringContaining('405') });
  shy.answer = () => ({ data: { token: 'c', url: shy.url } });
  await expect(register()).rejects.toMatchObject({ code: 'registration-refused', detail: expect.stringContaining('roles: ') });
  expect(await viewOf('Shy')).toBeUndefined();
  shy.answer = () => ({ data: { ...shy.credentials(), token: 'c' } });
  expect(await register()).toMatchObject({ state: 'registered', roles: [{ role: 'CPO' }] });

  const send = (orderId: string) => oasis.neighbours.bus.ask(sendCommand, {
    orderId, party: { countryCode: 'CA', partyId: 'SHY' }, command: 'STOP_SESSION', bodyJson: toJsonBytes({ session_id: 'S' }),
  });
  shy.answer = () => 'hang up';
  expect(await send('u-1'), 'perhaps taken: never sent a second time').toMatchObject({ outcome: SendOutcome.UNCLEAR });
  shy.answer = () => ({ data: { result: 'ACCEPTED', timeout: 5 } });
  expect(await send('u-1')).toMatchObject({ outcome: SendOutcome.UNCLEAR });
  expect(await send('u-2')).toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'ACCEPTED', timeoutS: 5 });
  shy.answer = () => ({ data: { result: 'ACCEPTED', timeout: Number.MAX_SAFE_INTEGER } });
  expect(await send('u-6'), 'for ever').toMatchObject({ outcome: SendOutcome.ANSWERED, result: 'ACCEPTED', timeoutS: 4_294_967_295 });
  const busy = (http: number, status: number) => () => ({ http, status, message: 'too busy', headers: { 'Retry-After': '30' } });
  shy.answer = busy(429, 2000);
  const refused = { outcome: SendOutcome.ANSWERED, result: 'REJECTED', message: 'the operator takes no more requests for the moment, nothing was done; try again in 30 s' };
  expect(await send('u-4'), 'CMD-05').toMatchObject(refused);
  shy.answer = busy(503, 3000);
  const trouble = { outcome: SendOutcome.UNCLEAR, message: expect.stringMatching(/^the operator has a problem of its own: HTTP 503, 3000: too busy; try again in 30 s$/) };
  expect(await send('u-5')).toMatchObject(trouble);
  const pushes = shy.pushed().length;
  shy.answer = () => ({ data: { result: 'ACCEPTED', timeout: 5 } });
  expect(await send('u-4'), 'the same order is not sent again, and is answered the same').toMatchObject(refused);
  expect(await send('u-5')).toMatchObject(trouble);
  expect(shy.pushed()).toHaveLength(pushes);
  expect((await viewOf('Shy'))!.lastError, 'for the operator').toContain('STOP_SESSION: HTTP 503, 3000: too busy');
  await shy.close();
  expect(await send('u-3')).toMatchObject({ outcome: SendOutcome.UNREACHABLE });
});

test('TRN-07 a partner of 2.1.1, which does not say what it is, is what its invitation says: our drivers are no eMSP\'s to know', async () => {
  const { tokens } = oasis.neighbours.own;
  tokens.push({ ...exampleToken, party_id: 'BCT', uid: '04DD' });
  const everything = ['RECEIVER locations', 'RECEIVER tariffs', 'RECEIVER tokens'];
  const [emsp, cpo] = [await HandPartner.open('Old eMSP', 'OLE', 'EMSP', everything), await HandPartner.open('Old CPO', 'OLC', 'CPO', everything)];
  for (const partner of [emsp, cpo]) {
    partner.version = '2.1.1';
    expect(await partner.register(oasis)).toMatchObject({ http: 200, status_code: 1000 });
  }
  const heard = (partner: HandPartner) => new Set(partner.pushed('PUT').map((what) => what.split('/')[1]));
  await expect.poll(() => heard(emsp)).toEqual(new Set(['tariffs', 'locations']));
  await expect.poll(() => heard(cpo)).toEqual(new Set(['tokens']));
  for (const name of ['Old eMSP', 'Old CPO']) await expect.poll(async () => (await viewOf(name)).waiting).toBe(0);
  expect([heard(emsp), heard(cpo)]).toEqual([new Set(['tariffs', 'locations']), new Set(['tokens'])]);
  tokens.pop();
  await Promise.all([emsp.close(), cpo.close()]);
});

test('CRE-08 after DELETE the link is dead on this side at once', async () => {
  expect(await get('credentials', { method: 'DELETE' })).toMatchObject({ http: 200, status_code: 1000 });
  expect((await call(oasis, '/ocpi/versions', { token: montreal.token })).http).toBe(401);
  expect(await viewOf('Montreal')).toMatchObject({ state: 'unregistered', waiting: 0 });
});

test('without leave to call private addresses none is called, whoever names it', async () => {
  const strict = await openSide({ ocpi: {} });
  const { tokenA: token } = await strict.neighbours.bus.ask(invitePartner, { name: 'Inside' });
  const seen = islands.seen.length;
  const answer = await call(strict, '/ocpi/2.2.1/credentials', { token, method: 'POST', body: islands.credentials() });
  expect(answer).toMatchObject({ http: 200, status_code: 3001, status_message: expect.stringContaining('is not https') });
  const metadata = { ...islands.credentials(), url: 'https://169.254.169.254/versions' };
  expect(await call(strict, '/ocpi/2.2.1/credentials', { token, method: 'POST', body: metadata }))
    .toMatchObject({ http: 200, status_code: 3001, status_message: expect.stringContaining('private address') });
  await expect(strict.neighbours.bus.ask(registerPartner, { name: 'Inside', versionsUrl: islands.url, tokenA: 'a' }))
    .rejects.toMatchObject({ code: 'partner-unreachable', detail: expect.stringMatching(/versions_url is not https: .*ocpi\.allow_private_urls/) });
  expect(islands.seen.length).toBe(seen);
  await strict.close();
});
