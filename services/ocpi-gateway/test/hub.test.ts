// tidy: long because one hub and its four members, once started, serve every case
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listPartners } from '#contracts/ocpi-gateway';
import { exampleCdr, exampleLocation, exampleTariff, exampleToken, nextLink, type Party, routingHeaders } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, type CallOptions, openSide, type Side } from './side.ts';

const hubParty = { country_code: 'CA', party_id: 'HUB', name: 'Open Hub', roles: ['HUB'] };
const oasis = { country_code: 'CA', party_id: 'EOA' };
const plunk = { country_code: 'CA', party_id: 'CPK' };
const harbour = { country_code: 'CA', party_id: 'HBR' };
const shy = { country_code: 'CA', party_id: 'SHY' };
const hubAsParty = { country_code: 'CA', party_id: 'HUB' };

let hub: Side;
let cpo: HandPartner;
let emsp: HandPartner;
let other: HandPartner;
let unseen: HandPartner;

beforeAll(async () => {
  hub = await openSide({
    party: hubParty,
    hub: { quiet_s: 3600, offline_check_s: 1, never: [['CA*EOA', 'CA*SHY'], ['CA*EOA', 'CA*DU2'], ['CA*EOA', 'CA*FAR']],
      planned: [{ country_code: 'CA', party_id: 'SOO', role: 'CPO' }, { country_code: 'CA', party_id: 'FAR', role: 'EMSP' }], planned_since: '2022-01-01T00:00:00Z' },
  });
  cpo = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', [
    'SENDER locations', 'SENDER sessions', 'SENDER cdrs', 'SENDER tariffs', 'RECEIVER tokens', 'RECEIVER commands', 'RECEIVER chargingprofiles', 'RECEIVER hubclientinfo',
  ]);
  const asEmsp = ['RECEIVER locations', 'RECEIVER sessions', 'RECEIVER cdrs', 'RECEIVER tariffs', 'SENDER tokens', 'SENDER commands', 'RECEIVER hubclientinfo'];
  emsp = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', asEmsp);
  other = await HandPartner.open('Harbour', 'HBR', 'EMSP', asEmsp);
  unseen = await HandPartner.open('Shy', 'SHY', 'EMSP', asEmsp);
  for (const partner of [cpo, emsp, other, unseen]) expect((await partner.register(hub)).status_code).toBe(1000);
});
afterAll(async () => {
  await Promise.all([cpo, emsp, other, unseen].map((partner) => partner?.close()));
  await hub?.close();
});
beforeEach(() => {
  for (const partner of [cpo, emsp, other, unseen]) partner.answer = () => ({});
});

const sender = (module: string) => `/ocpi/2.2.1/sender/${module}`;
const receiver = (module: string) => `/ocpi/2.2.1/receiver/${module}`;

function ask(from: HandPartner, path: string, { to, as, ...more }: CallOptions & { to?: Party; as?: Party } = {}) {
  return call(hub, path, { token: from.token, ...more, headers: { ...routingHeaders({ ...(to ? { to } : {}), from: as ?? { country_code: 'CA', party_id: from.partyId } }), ...more.headers } });
}
const routed = (headers: Headers | Readonly<Record<string, unknown>>) => {
  const text = (name: string) => (headers instanceof Headers ? headers.get(name) : headers[name.toLowerCase()]) as string | null | undefined;
  const party = (side: string) => `${text(`ocpi-${side}-country-code`) ?? ''}*${text(`ocpi-${side}-party-id`) ?? ''}`;
  return { from: party('from'), to: party('to') };
};
const last = (partner: HandPartner, start: string) => partner.seen.filter(({ what }) => what.startsWith(start)).at(-1)!;
const session = (id: string, token: Party = plunk) => ({
  country_code: 'CA', party_id: 'EOA', id, start_date_time: '2022-02-01T17:00:00Z', kwh: 1.5,
  cdr_token: { ...token, uid: '04E2', type: 'RFID', contract_id: 'CA-CPK-C1' }, auth_method: 'WHITELIST',
  location_id: 'BURNABY', evse_uid: '1', connector_id: '1', currency: 'CAD', status: 'ACTIVE', last_updated: '2022-02-01T17:00:00Z',
});

describe('a request to one party', () => {
  test('HUB-01, HUB-04, HUB-21: goes to the platform of that party, and TO and FROM are swapped in the answer', async () => {
    emsp.answer = () => ({ http: 201 });
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/S1`, { to: plunk, method: 'PUT', body: session('S1') });
    expect([answer.http, answer.status_code]).toEqual([201, 1000]);
    expect(routed(answer.headers)).toEqual({ from: 'CA*CPK', to: 'CA*EOA' });
    const { body, headers, what } = last(emsp, 'PUT /sessions');
    expect(what).toBe('PUT /sessions/CA/EOA/S1');
    expect(body).toEqual(session('S1'));
    expect(routed(headers)).toEqual({ from: 'CA*EOA', to: 'CA*CPK' });
    expect(other.pushed('PUT /sessions')).toEqual([]);
  });

  test('HUB-12, HUB-17: the owner in the URL and last_updated stay as they were, and unknown fields pass', async () => {
    const body = { ...session('S2'), x_unknown: { deep: [1, 2] }, last_updated: '2021-01-01T00:00:00Z' };
    await ask(cpo, `${receiver('sessions')}/CA/EOA/S2`, { to: plunk, method: 'PUT', body });
    expect(last(emsp, 'PUT /sessions')).toMatchObject({ what: 'PUT /sessions/CA/EOA/S2', body });
  });

  test('TRN-81: the leg has a new request id and the same correlation id; the answer has the requester\'s own', async () => {
    const headers = { 'X-Request-ID': 'asked-by-oasis', 'X-Correlation-ID': 'one-exchange' };
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/S3`, { to: plunk, method: 'PUT', body: session('S3'), headers });
    const leg = last(emsp, 'PUT /sessions').headers;
    expect(leg['x-correlation-id']).toBe('one-exchange');
    expect(leg['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('x-request-id')).toBe('asked-by-oasis');
    expect(answer.headers.get('x-correlation-id')).toBe('one-exchange');
  });

  test('HUB-20: the receiver\'s token is presented on the leg, never the requester\'s', async () => {
    await ask(cpo, `${receiver('sessions')}/CA/EOA/S3`, { to: plunk, method: 'PUT', body: session('S3') });
    expect(last(emsp, 'PUT /sessions').headers['authorization']).toBe(`Token ${Buffer.from('token-of-CPK').toString('base64')}`);
  });

  test('HUB-22: of the way a request came, its receiver is told the hubs alone, and not what the proxies of others are called', async () => {
    const headers = { Via: '1.1 CA*HWE, 2.0 edge-7.inner.example:8443 (nginx), 1.1 proxy' };
    await ask(cpo, `${receiver('sessions')}/CA/EOA/S3`, { to: plunk, method: 'PUT', body: session('S3'), headers });
    expect(last(emsp, 'PUT /sessions').headers['via']).toBe('1.1 CA*HWE, 1.1 CA*HUB');
  });

  test('TRN-40: what the receiver refuses is passed on as it said it', async () => {
    emsp.answer = () => ({ status: 2001 });
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/S4`, { to: plunk, method: 'PUT', body: session('S4') });
    expect([answer.http, answer.status_code, answer.status_message]).toEqual([200, 2001, 'said 2001']);
    emsp.answer = () => ({ http: 404, status: 2001 });
    expect((await ask(cpo, `${receiver('sessions')}/CA/EOA/S4`, { to: plunk })).http).toBe(404);
  });

  test('HUB-19: 4001 for a party that nobody has', async () => {
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/S5`, { to: { country_code: 'NL', party_id: 'NOB' }, method: 'PUT', body: session('S5') });
    expect([answer.http, answer.status_code]).toEqual([200, 4001]);
    expect(answer.status_message).toContain('NL*NOB');
  });

  test('HUB-19, HCI-03: 4003 for one that is planned, but 4001 where the hub keeps it apart', async () => {
    const put = (to: Party, from = cpo) => ask(from, `${receiver('sessions')}/CA/EOA/S6`, { to, method: 'PUT', body: session('S6') });
    const planned = await put({ country_code: 'ca', party_id: 'SOO' });
    expect([planned.http, planned.status_code, planned.status_message]).toEqual([200, 4003, expect.stringContaining('PLANNED')]);
    expect((await put({ country_code: 'CA', party_id: 'FAR' })).status_code).toBe(4001);
  });

  test('a member that the hub keeps apart is as unknown as one that is not there', async () => {
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/S5`, { to: shy, method: 'PUT', body: session('S5', shy) });
    expect(answer.status_code).toBe(4001);
    expect(unseen.pushed('PUT /sessions')).toEqual([]);
  });

  test('HUB-23: nobody sends as somebody else', async () => {
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/S5`, { to: plunk, as: harbour, method: 'PUT', body: session('S5') });
    expect(answer.status_code).toBe(2001);
    expect(answer.status_message).toContain('CA*HBR');
  });

  test('HUB-23: nobody pushes or reads an object of somebody else at its receiver', async () => {
    cpo.seen.length = 0;
    const token = { ...exampleToken, ...harbour, uid: 'NOT-MINE' };
    for (const [method, to] of [['PUT', oasis], ['GET', oasis], ['PUT', undefined]] as const) {
      const answer = await ask(emsp, `${receiver('tokens')}/CA/HBR/NOT-MINE`, { ...(to ? { to } : {}), method, ...(method === 'PUT' ? { body: token } : {}) });
      expect(answer).toMatchObject({ http: 404, status_message: expect.stringContaining('none of your roles') });
    }
    expect(cpo.pushed()).toEqual([]);
  });

  test('HUB-19: an answer that is no OCPI, or a refusal of the hub\'s own token, is 4000 and not the requester\'s fault', async () => {
    emsp.answer = () => ({ http: 401, status: 2001 });
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/S6`, { to: plunk, method: 'PUT', body: session('S6') });
    expect([answer.http, answer.status_code]).toEqual([200, 4000]);
    emsp.answer = () => ({ http: 700 });
    expect(await ask(cpo, `${receiver('sessions')}/CA/EOA/S6`, { to: plunk, method: 'PUT', body: session('S6') }), 'no HTTP status').toMatchObject({
      http: 200, status_code: 4000,
    });
    emsp.answer = () => ({ http: 205 });
    expect(await ask(cpo, `${receiver('sessions')}/CA/EOA/S6`, { to: plunk, method: 'PUT', body: session('S6') }), 'TRN-20').toMatchObject({
      http: 200, status_code: 1000,
    });
  });

  test('broken JSON is refused here and goes nowhere', async () => {
    expect((await ask(cpo, `${receiver('sessions')}/CA/EOA/S7`, { to: plunk, method: 'PUT', body: '{"id":' })).http).toBe(400);
    expect(emsp.pushed('PUT /sessions/CA/EOA/S7')).toEqual([]);
  });
});

describe('Open Routing', () => {
  test('HUB-15: a Session without OCPI-to goes to its token\'s owner, and later PATCHes follow it', async () => {
    const answer = await ask(cpo, `${receiver('sessions')}/CA/EOA/OPEN-1`, { method: 'PUT', body: session('OPEN-1', harbour) });
    expect(routed(answer.headers)).toEqual({ from: 'CA*HBR', to: 'CA*EOA' });
    await ask(cpo, `${receiver('sessions')}/CA/EOA/OPEN-1`, { method: 'PATCH', body: { kwh: 2, last_updated: '2022-02-01T17:01:00Z' } });
    expect(last(other, 'PATCH /sessions')).toMatchObject({ what: 'PATCH /sessions/CA/EOA/OPEN-1' });
    expect(routed(last(other, 'PATCH /sessions').headers)).toEqual({ from: 'CA*EOA', to: 'CA*HBR' });
  });

  test('HUB-15: STOP_SESSION finds the operator of its Session, START_SESSION that of its Location', async () => {
    cpo.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
    await ask(cpo, `${receiver('sessions')}/CA/EOA/OPEN-2`, { to: plunk, method: 'PUT', body: session('OPEN-2') });
    const stop = await ask(emsp, `${receiver('commands')}/STOP_SESSION`, { method: 'POST', body: { session_id: 'OPEN-2', response_url: `${emsp.base}/results/1` } });
    expect(stop.data).toEqual({ result: 'ACCEPTED', timeout: 30 });
    const location = { ...exampleLocation, ...oasis, id: 'OPEN-LOC' };
    await ask(cpo, `${receiver('locations')}/CA/EOA/OPEN-LOC`, { to: hubAsParty, method: 'PUT', body: location });
    const start = await ask(emsp, `${receiver('commands')}/START_SESSION`, { method: 'POST', body: { location_id: 'open-loc', response_url: `${emsp.base}/results/2`, token: exampleToken } });
    expect(start.status_code).toBe(1000);
    expect(routed(start.headers)).toEqual({ from: 'CA*EOA', to: 'CA*CPK' });
    const one = await ask(emsp, `${sender('locations')}/OPEN-LOC`);
    expect(one.status_code).toBe(1000);
    expect(last(cpo, 'GET /locations').what).toBe('GET /locations/OPEN-LOC');
  });

  test('HUB-15: what tells no receiver is 4001, and says what to do', async () => {
    const answer = await ask(emsp, `${receiver('commands')}/STOP_SESSION`, { method: 'POST', body: { session_id: 'NEVER-SEEN', response_url: `${emsp.base}/results/3` } });
    expect(answer.status_code).toBe(4001);
    expect(answer.status_message).toContain('OCPI-to');
    expect((await ask(emsp, sender('locations'))).status_code).toBe(2001);
    // A result goes to the response_url alone.
    expect(await ask(cpo, `${sender('commands')}/STOP_SESSION/X`, { method: 'POST', body: { result: 'ACCEPTED' } })).toMatchObject({
      http: 200, status_code: 4001, status_message: expect.stringContaining('OCPI-to'),
    });
  });

  test('HUB-15: a reservation, a Session, a Token and a Location that was told to one find who keeps them', async () => {
    cpo.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
    const response_url = `${emsp.base}/results/open`;
    const order = (name: string, body: object, to?: Party) =>
      ask(emsp, `${receiver('commands')}/${name}`, { method: 'POST', body: { response_url, ...body }, ...(to ? { to } : {}) });
    await order('RESERVE_NOW', { reservation_id: 'OPEN-R', location_id: 'X', expiry_date: '2030-01-01T00:00:00Z', token: exampleToken }, oasis);
    await ask(cpo, `${receiver('sessions')}/CA/EOA/OPEN-3`, { to: plunk, method: 'PUT', body: session('OPEN-3') });
    await ask(cpo, `${receiver('locations')}/CA/EOA/OPEN-ONE`, { to: plunk, method: 'PUT', body: { ...exampleLocation, ...oasis, id: 'OPEN-ONE' } });
    await ask(emsp, `${receiver('tokens')}/CA/CPK/OPEN-T`, { to: hubAsParty, method: 'PUT', body: { ...exampleToken, ...plunk, uid: 'OPEN-T' } });
    const charging_profile = { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10 }] };
    const put = (path: string, body: object) => ask(emsp, path, { method: 'PUT', body });
    for (const answer of [
      await order('CANCEL_RESERVATION', { reservation_id: 'open-r' }),
      await order('START_SESSION', { location_id: 'open-one', token: exampleToken }),
      await put(`${receiver('chargingprofiles')}/open-3`, { response_url, charging_profile }),
      await put(`${sender('sessions')}/OPEN-3/charging_preferences`, { profile_type: 'FAST' }),
    ]) expect([answer.status_code, routed(answer.headers)], answer.status_message).toEqual([1000, { from: 'CA*EOA', to: 'CA*CPK' }]);
    const asked = await ask(cpo, `${sender('tokens')}/OPEN-T/authorize`, { method: 'POST' });
    expect([asked.status_code, routed(asked.headers)], asked.status_message).toEqual([1000, { from: 'CA*CPK', to: 'CA*EOA' }]);
    const active = { start_date_time: '2022-02-01T17:00:00Z', charging_profile };
    expect(await ask(cpo, `${sender('chargingprofiles')}/OPEN-3`, { method: 'PUT', body: active }), 'which is not among its interfaces')
      .toMatchObject({ status_code: 4001, status_message: expect.stringContaining('CA*CPK has no chargingprofiles SENDER') });
  });
});

describe('Broadcast Push', () => {
  test('HUB-12, TRN-72: ids go on as their owner writes them, in the URL as in the body', async () => {
    const [location, tariff, token] = [{ ...exampleLocation, ...oasis, id: 'Ab-c1' }, { ...exampleTariff, ...oasis, id: 'Day-t1' }, { ...exampleToken, ...plunk, uid: 'Card x9', type: 'APP_USER' }];
    await ask(cpo, `${receiver('tariffs')}/CA/EOA/Day-t1`, { to: hubAsParty, method: 'PUT', body: tariff });
    await ask(cpo, `${receiver('locations')}/CA/EOA/AB-C1`, { to: hubAsParty, method: 'PUT', body: location });
    await ask(emsp, `${receiver('tokens')}/CA/CPK/Card%20x9?type=APP_USER`, { to: hubAsParty, method: 'PUT', body: token });
    await expect.poll(() => other.pushed('PUT /locations/CA/EOA/Ab-c1')).toHaveLength(1);
    await expect.poll(() => other.pushed('PUT /tariffs/CA/EOA/Day-t1')).toHaveLength(1);
    await expect.poll(() => cpo.pushed('PUT /tokens/CA/CPK/Card%20x9?type=APP_USER')).toHaveLength(1);
    await ask(cpo, `${receiver('tariffs')}/CA/EOA/DAY-T1`, { to: hubAsParty, method: 'DELETE' });
    await expect.poll(() => other.pushed('DELETE /tariffs/CA/EOA/Day-t1')).toHaveLength(1);
  });

  test('HUB-10, HUB-11, HUB-14, TRN-81: a Location for the hub goes to every eMSP of its own, from the hub, and the hub answers at once', async () => {
    const location = { ...exampleLocation, ...oasis, id: 'ALL-1' };
    const answer = await ask(cpo, `${receiver('locations')}/CA/EOA/ALL-1`, { to: hubAsParty, method: 'PUT', body: location, headers: { 'X-Request-ID': 'mine', 'X-Correlation-ID': 'told-to-all' } });
    expect([answer.http, answer.status_code]).toEqual([201, 1000]);
    expect(routed(answer.headers)).toEqual({ from: 'CA*HUB', to: 'CA*EOA' });
    for (const partner of [emsp, other]) {
      await expect.poll(() => partner.pushed('PUT /locations/CA/EOA/ALL-1')).toHaveLength(1);
      const leg = last(partner, 'PUT /locations/CA/EOA/ALL-1');
      expect(leg.body).toEqual(location);
      expect(routed(leg.headers)).toEqual({ from: 'CA*HUB', to: `CA*${partner.partyId}` });
      expect(leg.headers['x-request-id']).not.toBe('mine');
      expect(leg.headers['x-correlation-id']).toBe('told-to-all');
    }
    expect(unseen.pushed('PUT /locations/CA/EOA/ALL-1')).toEqual([]);
    expect(cpo.pushed('PUT /locations')).toEqual([]);
  });

  test('an EVSE\'s status goes on as a PATCH of the EVSE with its own last_updated', async () => {
    const location = { ...exampleLocation, ...oasis, id: 'ALL-2' };
    await ask(cpo, `${receiver('locations')}/CA/EOA/ALL-2`, { to: hubAsParty, method: 'PUT', body: location });
    await expect.poll(() => emsp.pushed('PUT /locations/CA/EOA/ALL-2')).toHaveLength(1);
    const uid = exampleLocation.evses![0]!.uid;
    const patch = { status: 'OUTOFORDER', last_updated: '2031-01-01T00:00:00Z' };
    expect((await ask(cpo, `${receiver('locations')}/CA/EOA/ALL-2/${uid}`, { to: hubAsParty, method: 'PATCH', body: patch, headers: { 'X-Correlation-ID': 'of-a-status' } })).status_code).toBe(1000);
    await expect.poll(() => emsp.pushed(`PATCH /locations/CA/EOA/ALL-2/${uid}`)).toHaveLength(1);
    expect(last(emsp, `PATCH /locations/CA/EOA/ALL-2/${uid}`)).toMatchObject({ body: patch, headers: { 'x-correlation-id': 'of-a-status' } });
  });

  test('LOC-34: an EVSE\'s status that comes late is no news, though its Location was told of something else since', async () => {
    const location = { ...exampleLocation, ...oasis, id: 'ALL-3' };
    await ask(cpo, `${receiver('locations')}/CA/EOA/ALL-3`, { to: hubAsParty, method: 'PUT', body: location });
    const [evse] = exampleLocation.evses!;
    const said = (path: string, body: object) => ask(cpo, `${receiver('locations')}/CA/EOA/ALL-3/${evse!.uid}${path}`, { to: hubAsParty, method: 'PATCH', body });
    const [connector] = evse!.connectors;
    for (const [path, body] of [
      ['', { status: 'CHARGING', last_updated: '2031-01-01T00:00:02Z' }], ['', { status: 'AVAILABLE', last_updated: '2031-01-01T00:00:01Z' }],
      [`/${connector!.id}`, { tariff_ids: ['NEW'], last_updated: '2031-01-01T00:00:02Z' }], [`/${connector!.id}`, { tariff_ids: ['OLD'], last_updated: '2031-01-01T00:00:01Z' }],
    ] as const) expect((await said(path, body)).status_code).toBe(1000);
    const { data } = await ask(emsp, `${sender('locations')}?date_from=2031-01-01T00:00:00Z`, { to: hubAsParty });
    const listed = (data as (typeof exampleLocation)[]).find(({ id }) => id === 'ALL-3')!.evses![0]!;
    expect([listed.status, listed.connectors[0]!.tariff_ids]).toEqual(['CHARGING', ['NEW']]);
  });

  test('D13: a deleted Tariff is deleted at all of them; a Token goes to operators only', async () => {
    const tariff = { ...exampleTariff, ...oasis, id: 'FOR-ALL' };
    await ask(cpo, `${receiver('tariffs')}/CA/EOA/FOR-ALL`, { to: hubAsParty, method: 'PUT', body: tariff });
    await expect.poll(() => other.pushed('PUT /tariffs/CA/EOA/FOR-ALL')).toHaveLength(1);
    await ask(cpo, `${receiver('tariffs')}/CA/EOA/FOR-ALL`, { to: hubAsParty, method: 'DELETE', headers: { 'X-Correlation-ID': 'of-an-end' } });
    await expect.poll(() => other.pushed('DELETE /tariffs/CA/EOA/FOR-ALL')).toHaveLength(1);
    expect(last(other, 'DELETE /tariffs/CA/EOA/FOR-ALL').headers['x-correlation-id']).toBe('of-an-end');
    const token = { ...exampleToken, ...plunk, uid: 'TO-ALL' };
    await ask(emsp, `${receiver('tokens')}/CA/CPK/TO-ALL`, { to: hubAsParty, method: 'PUT', body: token });
    await expect.poll(() => cpo.pushed('PUT /tokens/CA/CPK/TO-ALL?type=RFID')).toHaveLength(1);
    expect(other.pushed('PUT /tokens')).toEqual([]);
  });

  test('HUB-13: Sessions, CDRs and commands are not for everybody; HUB-10: nor is a GET of one object', async () => {
    for (const [path, method, body] of [
      [`${receiver('sessions')}/CA/EOA/X`, 'PUT', session('X')], [receiver('cdrs'), 'POST', exampleCdr],
      [`${receiver('locations')}/CA/EOA/ALL-1`, 'GET', undefined],
    ] as const) {
      expect((await ask(cpo, path, { to: hubAsParty, method, ...(body ? { body } : {}) })).status_code).toBe(2001);
    }
    expect((await ask(emsp, `${sender('locations')}/ALL-1`, { to: hubAsParty })).status_code).toBe(2001);
  });

  test('nobody tells everybody of somebody else\'s objects, and what OCPI\'s schema refuses is kept nowhere', async () => {
    const foreign = { ...exampleLocation, country_code: 'NL', party_id: 'ABC', id: 'F' };
    expect((await ask(cpo, `${receiver('locations')}/NL/ABC/F`, { to: hubAsParty, method: 'PUT', body: foreign })).http).toBe(404);
    const { coordinates: _, ...broken } = { ...exampleLocation, ...oasis, id: 'BROKEN' };
    expect((await ask(cpo, `${receiver('locations')}/CA/EOA/BROKEN`, { to: hubAsParty, method: 'PUT', body: broken })).status_code).toBe(2001);
    const { data } = await ask(emsp, sender('locations'), { to: hubAsParty });
    expect((data as { id: string }[]).map(({ id }) => id)).not.toContain('BROKEN');
    // TOK-01: the type is RFID where the URL names none.
    const app = { ...exampleToken, ...plunk, uid: 'APP', type: 'APP_USER' };
    const untyped = await ask(emsp, `${receiver('tokens')}/CA/CPK/APP`, { to: hubAsParty, method: 'PUT', body: app });
    expect(untyped).toMatchObject({ status_code: 2001, status_message: expect.stringContaining('type: "APP_USER"') });
  });
});

describe('GET All', () => {
  test('HUB-16: the hub lists what was told to everybody, in the order of creation, in pages, and nothing that it forwarded', async () => {
    for (const id of ['GA-1', 'GA-2', 'GA-3']) {
      await ask(cpo, `${receiver('locations')}/CA/EOA/${id}`, { to: hubAsParty, method: 'PUT', body: { ...exampleLocation, ...oasis, id } });
    }
    await ask(cpo, `${receiver('locations')}/CA/EOA/ONLY-PLUNK`, { to: plunk, method: 'PUT', body: { ...exampleLocation, ...oasis, id: 'ONLY-PLUNK' } });
    const ids: string[] = [];
    for (let url: string | undefined = sender('locations'); url;) {
      const page = await ask(other, url, { to: hubAsParty });
      expect(routed(page.headers)).toEqual({ from: 'CA*HUB', to: 'CA*HBR' });
      expect((page.data as unknown[]).length).toBeLessThanOrEqual(2);
      ids.push(...(page.data as { id: string }[]).map(({ id }) => id));
      url = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(ids.filter((id) => id.startsWith('GA-'))).toEqual(['GA-1', 'GA-2', 'GA-3']);
    expect(ids).not.toContain('ONLY-PLUNK');
    expect((await ask(unseen, sender('locations'), { to: hubAsParty })).data).toEqual([]);
  });

  const ids = ({ data }: { data?: unknown }) => (data as { id: string }[]).map(({ id }) => id);
  const linkOf = ({ headers }: { headers: Headers }) => nextLink(headers.get('link') ?? undefined);

  test('TRN-54: a page of the hub goes on behind the one before, whatever left its list meanwhile', async () => {
    const told = ['GT-1', 'GT-2', 'GT-3', 'GT-4', 'GT-5'];
    for (const id of told) {
      await ask(cpo, `${receiver('tariffs')}/CA/EOA/${id}`, { to: hubAsParty, method: 'PUT', body: { ...exampleTariff, ...oasis, id } });
    }
    const read: string[] = [];
    for (let url: string | undefined = `${sender('tariffs')}?limit=2`; url;) {
      const page = await ask(other, url, { to: hubAsParty });
      read.push(...ids(page));
      // What was read before goes: by its offset the list would skip the next one.
      if (read.includes('GT-2')) await ask(cpo, `${receiver('tariffs')}/CA/EOA/GT-1`, { to: hubAsParty, method: 'DELETE' });
      url = linkOf(page);
    }
    expect(read.filter((id) => id.startsWith('GT-'))).toEqual(told);
  });

  test('a page of the hub ends where it would be too long for anybody to take', async () => {
    const tariff_alt_text = Array.from({ length: 800 }, () => ({ language: 'en', text: 'x'.repeat(500) }));
    const long = { ...exampleTariff, ...oasis, tariff_alt_text, last_updated: '2040-01-01T00:00:00Z' };
    const tell = (id: string, more: CallOptions) => ask(cpo, `${receiver('tariffs')}/CA/EOA/${id}`, { to: hubAsParty, ...more });
    for (const id of ['LONG-1', 'LONG-2']) expect(await tell(id, { method: 'PUT', body: { ...long, id } })).toMatchObject({ status_code: 1000 });
    const first = await ask(other, `${sender('tariffs')}?date_from=2040-01-01T00:00:00Z`, { to: hubAsParty });
    expect([ids(first), first.headers.get('x-total-count')]).toEqual([['LONG-1'], '2']);
    const last = await ask(other, linkOf(first)!, { to: hubAsParty });
    expect([ids(last), linkOf(last)]).toEqual([['LONG-2'], undefined]);
    for (const id of ['LONG-1', 'LONG-2']) await tell(id, { method: 'DELETE' });
  });

  test('HUB-16: a hub keeps no Sessions: it says whom to ask', async () => {
    const answer = await ask(emsp, `${sender('sessions')}?date_from=2022-01-01T00:00:00Z`, { to: hubAsParty });
    expect(answer.status_code).toBe(2001);
  });
});

describe('URLs that cross the hub', () => {
  test('HUB-20: the result of a command comes back through the hub to its own response_url, once only from whom it was given to', async () => {
    cpo.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
    await ask(emsp, `${receiver('commands')}/STOP_SESSION`, { to: oasis, method: 'POST', body: { session_id: 'S1', response_url: `${emsp.base}/results/stop-1` } });
    const { response_url: given } = last(cpo, 'POST /commands/STOP_SESSION').body as { response_url: string };
    expect(given).toMatch(/\/ocpi\/2\.2\.1\/crossing\/[\w-]{27}$/);
    const result = { result: 'ACCEPTED' };
    const answer = await ask(cpo, given, { to: plunk, method: 'POST', body: result });
    expect([answer.http, answer.status_code]).toEqual([200, 1000]);
    expect(last(emsp, 'POST /results/stop-1').body).toEqual(result);
    expect(routed(last(emsp, 'POST /results/stop-1').headers)).toEqual({ from: 'CA*EOA', to: 'CA*CPK' });
    expect((await ask(other, given, { to: plunk, method: 'POST', body: result })).http).toBe(404);
  });

  test('CMD-10, HUB-20: the response_url of a reservation can be called for as long as the reservation may hold', async () => {
    const days = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString();
    for (const [reservation_id, expiry_date] of [['R-LONG', days(10)], ['R-ENDLESS', days(9_999)], ['R-ODD', 'tomorrow']]) {
      const body = { response_url: `${emsp.base}/result/${reservation_id}`, reservation_id, expiry_date, location_id: 'ALL-1', token: exampleToken };
      expect((await ask(emsp, `${receiver('commands')}/RESERVE_NOW`, { to: oasis, method: 'POST', body })).status_code).toBe(1000);
    }
    const db = await openDatabase({ url: hub.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
    const { rows } = await db.query(`SELECT substring(url from 'R-.*') AS id, round(extract(epoch FROM until - now()) / 86400)::int AS days
      FROM crossings WHERE url LIKE '%/result/R-%' ORDER BY 1`);
    await db.close();
    expect(rows).toEqual([{ id: 'R-ENDLESS', days: 61 }, { id: 'R-LONG', days: 11 }, { id: 'R-ODD', days: 1 }]);
  });

  test('HUB-20: in the query of a charging profile, too', async () => {
    cpo.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
    const url = `${receiver('chargingprofiles')}/S1?duration=900&response_url=${encodeURIComponent(`${emsp.base}/results/profile?x=1`)}`;
    expect((await ask(emsp, url, { to: oasis })).status_code).toBe(1000);
    const asked = new URL(last(cpo, 'GET /chargingprofiles/S1').what.slice(4), cpo.base);
    expect(asked.searchParams.get('duration')).toBe('900');
    await ask(cpo, asked.searchParams.get('response_url')!, { to: plunk, method: 'POST', body: { result: 'REJECTED' } });
    expect(last(emsp, 'POST /results/profile').what).toBe('POST /results/profile?x=1');
  });

  test('HUB-20: the next page of a list is asked through the hub, with the filters as the owner wrote them', async () => {
    cpo.answer = (what) => (what.includes('offset=50')
      ? { data: ['second'], headers: { 'X-Total-Count': '51', 'X-Limit': '50' } }
      : { data: ['first'], headers: { 'X-Total-Count': '51', 'X-Limit': '50', Link: `<${cpo.base}/locations?date_from=2022-01-01T00:00:00Z&offset=50&limit=50>; rel="next"` } });
    const first = await ask(emsp, `${sender('locations')}?date_from=2022-01-01T00:00:00Z`, { to: oasis });
    expect(first.headers.get('x-total-count')).toBe('51');
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')![1]!;
    expect(next).not.toContain(cpo.base);
    const second = await ask(emsp, next, { to: oasis });
    expect(second.data).toEqual(['second']);
    expect(second.headers.get('link')).toBeNull();
    expect(last(cpo, 'GET /locations').what).toBe('GET /locations?date_from=2022-01-01T00:00:00Z&offset=50&limit=50');
  });

  test('a response_url that is no URL to call is refused before anything goes on; one in an answer is left out', async () => {
    for (const url of ['ftp://plunk.example/x', 'no url', 'http://user:secret@127.0.0.1/x']) {
      const commands = () => cpo.pushed('POST /commands').length;
      const before = commands();
      const answer = await ask(emsp, `${receiver('commands')}/STOP_SESSION`, { to: oasis, method: 'POST', body: { session_id: 'S1', response_url: url } });
      expect([answer.status_code, commands()]).toEqual([2001, before]);
    }
    emsp.answer = () => ({ http: 201, headers: { Location: 'http://[no', 'X-Limit': 'un\u00e9' } });
    const posted = await ask(cpo, receiver('cdrs'), { to: plunk, method: 'POST', body: { ...exampleCdr, ...oasis } });
    expect([posted.http, posted.headers.get('location'), posted.headers.get('x-limit')]).toEqual([201, null, null]);
    cpo.answer = () => ({ data: [], headers: { Link: '<locations?offset=50>; rel="next"' } });
    const page = await ask(emsp, sender('locations'), { to: oasis });
    await ask(emsp, /<([^>]+)>/.exec(page.headers.get('link')!)![1]!, { to: oasis });
    expect(last(cpo, 'GET /locations?').what).toBe('GET /locations?offset=50');
  });

  test('CDR-01, HUB-20: the Location of a CDR leads through the hub, for as long as the CDR does', async () => {
    emsp.answer = (what) => (what.startsWith('POST /cdrs') ? { http: 201, headers: { Location: `${emsp.base}/cdrs/of-them/77` } } : { data: exampleCdr });
    const posted = await ask(cpo, receiver('cdrs'), { to: plunk, method: 'POST', body: { ...exampleCdr, ...oasis } });
    expect(posted.http).toBe(201);
    const location = posted.headers.get('location')!;
    expect(location).not.toContain(emsp.base);
    const found = await ask(cpo, location, { to: plunk });
    expect((found.data as { id: string }).id).toBe(exampleCdr.id);
    expect(last(emsp, 'GET /cdrs').what).toBe('GET /cdrs/of-them/77');
  });
});

describe('who is there', () => {
  test('HCI-01, HCI-04: each member is told of each other that it may see, never of itself; planned ones are named', async () => {
    const { data } = await call(hub, sender('hubclientinfo'), { token: emsp.token });
    const first = data as { party_id: string; role: string; status: string }[];
    expect(first).toHaveLength(2);
    const all: typeof first = [];
    for (let offset = 0; offset < 6; offset += 2) {
      all.push(...((await call(hub, `${sender('hubclientinfo')}?offset=${offset}`, { token: emsp.token })).data as typeof first));
    }
    expect(all.map(({ party_id, role, status }) => `${party_id} ${role} ${status}`).sort()).toEqual([
      'EOA CPO CONNECTED', 'FAR EMSP PLANNED', 'HBR EMSP CONNECTED', 'SHY EMSP CONNECTED', 'SOO CPO PLANNED',
    ]);
    const within = async (dates: string) =>
      ((await call(hub, `${sender('hubclientinfo')}?${dates}`, { token: emsp.token })).data as typeof first).map(({ party_id }) => party_id);
    // The planned ones are as of the settings' planned_since; TRN-50.
    const begin = '2022-01-01T00:00:00Z';
    expect(await within(`date_from=${begin}&date_to=2022-01-01T00:00:01Z`)).toEqual(['SOO', 'FAR']);
    expect([await within(`date_to=${begin}`), await within('date_from=2022-01-01T00:00:01Z')]).toEqual([[], ['EOA', 'HBR']]);
    await expect.poll(() => other.pushed('PUT /hubclientinfo/CA/EOA')).toHaveLength(1);
    const put = last(other, 'PUT /hubclientinfo/CA/EOA');
    expect(put.body).toMatchObject({ country_code: 'CA', party_id: 'EOA', role: 'CPO', status: 'CONNECTED' });
    expect(put.headers['ocpi-to-party-id']).toBeUndefined();
    expect(cpo.pushed('PUT /hubclientinfo/CA/SHY')).toEqual([]);
  });

  test('HUB-18: the hub\'s own credentials name the hub alone', async () => {
    const { data } = await call(hub, '/ocpi/2.2.1/credentials', { token: emsp.token });
    expect((data as { roles: { role: string; party_id: string }[] }).roles.map(({ role, party_id }) => `${role} ${party_id}`)).toEqual(['HUB HUB']);
  });

  test('HUB-19, HUB-24, HCI-03: a member that cannot be reached is OFFLINE and answered with 4003 at once; all hear of it, and when it is back', async () => {
    const gone = await HandPartner.open('Away', 'AWY', 'EMSP', ['RECEIVER sessions', 'RECEIVER locations', 'RECEIVER hubclientinfo']);
    await gone.register(hub);
    const away = { country_code: 'CA', party_id: 'AWY' };
    await expect.poll(() => other.pushed('PUT /hubclientinfo/CA/AWY')).toHaveLength(1);
    const { port } = new URL(gone.base);
    await gone.close();
    const put = () => ask(cpo, `${receiver('sessions')}/CA/EOA/OFF-1`, { to: away, method: 'PUT', body: session('OFF-1', away) });
    expect((await put()).status_code).toBe(4003);
    await expect.poll(() => (last(other, 'PUT /hubclientinfo/CA/AWY').body as { status: string }).status).toBe('OFFLINE');
    const seen = async () => (await hub.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Away');
    expect((await seen())?.reached, 'the operator sees it, too').toMatchObject({ status: 'OFFLINE', since: expect.stringMatching(/^\d{4}-/) });
    const second = await put();
    expect([second.http, second.status_code, second.status_message]).toEqual([200, 4003, 'CA*AWY is OFFLINE']);
    await gone.reopen(Number(port));
    await ask(gone, sender('locations'), { to: hubAsParty });
    await expect.poll(() => (last(other, 'PUT /hubclientinfo/CA/AWY').body as { status: string }).status).toBe('CONNECTED');
    expect((await seen())?.reached?.status).toBe('CONNECTED');
    expect((await put()).status_code).toBe(1000);
    await call(hub, '/ocpi/2.2.1/credentials', { token: gone.token, method: 'DELETE' });
    await expect.poll(() => (last(other, 'PUT /hubclientinfo/CA/AWY').body as { status: string }).status).toBe('SUSPENDED');
    expect((await put()).status_code).toBe(4003);
    await gone.close();
  });

  test('a member that joins later gets what was told to everybody before', async () => {
    const late = await HandPartner.open('Late', 'LAT', 'EMSP', ['RECEIVER locations', 'RECEIVER hubclientinfo']);
    await ask(cpo, `${receiver('locations')}/CA/EOA/BEFORE-LATE`, { to: hubAsParty, method: 'PUT', body: { ...exampleLocation, ...oasis, id: 'BEFORE-LATE' } });
    await late.register(hub);
    await expect.poll(() => late.pushed('PUT /locations/CA/EOA/BEFORE-LATE')).toHaveLength(1);
    await late.close();
  });

  test('HCI-02: a party with two roles has a ClientInfo for each', async () => {
    const both = await HandPartner.open('Both', 'BTH', 'EMSP', ['RECEIVER locations'], ['CPO']);
    await both.register(hub);
    await expect.poll(() => other.seen.filter(({ what }) => what === 'PUT /hubclientinfo/CA/BTH').map(({ body }) => (body as { role: string }).role).sort())
      .toEqual(['CPO', 'EMSP']);
    // HUB-11: it goes on as a CPO alone, and is watched as before.
    const { roles, ...given } = both.credentials() as { roles: { role: string }[] };
    const body = { ...given, roles: roles.filter(({ role }) => role === 'CPO') };
    expect((await call(hub, '/ocpi/2.2.1/credentials', { token: both.token, method: 'PUT', body })).status_code).toBe(1000);
    both.seen.length = 0;
    await ask(cpo, `${receiver('locations')}/CA/EOA/FOR-EMSPS`, { to: hubAsParty, method: 'PUT', body: { ...exampleLocation, ...oasis, id: 'FOR-EMSPS' } });
    await expect.poll(() => other.pushed('PUT /locations/CA/EOA/FOR-EMSPS')).toHaveLength(1);
    const db = await openDatabase({ url: hub.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
    const { rows } = await db.query(`SELECT (SELECT count(*) FROM due d WHERE d.key = 'watch ' || p.partner_id AND d.done_at IS NULL)::int AS watches,
      (SELECT count(*) FROM pushed o WHERE o.partner_id = p.partner_id AND o.object_key LIKE '%FOR-EMSPS')::int AS told FROM partners p WHERE name = 'Both'`);
    await db.close();
    expect(rows).toEqual([{ watches: 1, told: 0 }]);
    await both.close();
  });

  test('HUB-24, HCI-05: a member that is silent is asked for its versions, and is OFFLINE when it gives none', async () => {
    const nervous = await openSide({ party: hubParty, hub: { quiet_s: 1, offline_check_s: 1 } });
    const [quiet, witness] = await Promise.all([
      HandPartner.open('Quiet', 'QUI', 'CPO', ['SENDER locations']), HandPartner.open('Witness', 'WIT', 'EMSP', ['RECEIVER hubclientinfo', 'RECEIVER locations']),
    ]);
    await quiet.register(nervous);
    await witness.register(nervous);
    const asked = () => quiet.seen.filter(({ what }) => what === 'GET /versions').length;
    const before = asked();
    await expect.poll(asked).toBeGreaterThan(before);
    const { port } = new URL(quiet.base);
    await quiet.close();
    const status = () => (witness.seen.filter(({ what }) => what === 'PUT /hubclientinfo/CA/QUI').at(-1)?.body as { status: string } | undefined)?.status;
    await expect.poll(status).toBe('OFFLINE');
    await quiet.reopen(Number(port));
    await expect.poll(status).toBe('CONNECTED');
    await Promise.all([quiet.close(), witness.close()]);
    await nervous.close();
  });
});

test('HUB-20: who is kept apart does not go on where another party of its platform began', async () => {
  const duo = await HandPartner.open('Duo', 'DUO', 'EMSP', ['RECEIVER locations'], ['EMSP DU2']);
  expect((await duo.register(hub)).status_code).toBe(1000);
  cpo.answer = () => ({ data: ['one'], headers: { 'X-Total-Count': '2', 'X-Limit': '1', Link: `<${cpo.base}/locations?offset=1&limit=1>; rel="next"` } });
  const [, next] = /<(.*)>/.exec((await ask(duo, sender('locations'), { to: oasis })).headers.get('link')!)!;
  expect(await ask(duo, next!, { to: oasis })).toMatchObject({ http: 200, status_code: 1000 });
  const asked = cpo.pushed('GET /locations').length;
  expect(await ask(duo, next!, { to: oasis, as: { country_code: 'CA', party_id: 'DU2' } })).toMatchObject({ http: 404, status_code: 2001 });
  expect(cpo.pushed('GET /locations')).toHaveLength(asked);
  await call(hub, '/ocpi/2.2.1/credentials', { token: duo.token, method: 'DELETE' });
  await duo.close();
});

test('HUB-15: of two operators whose Sessions have one id each is found by whose driver charges', async () => {
  const twin = await HandPartner.open('Twin', 'TWN', 'CPO', ['SENDER sessions', 'RECEIVER commands']);
  expect((await twin.register(hub)).status_code).toBe(1000);
  const told = async (by: HandPartner, token: Party) => {
    const body = { ...session('1001', token), party_id: by.partyId };
    expect((await ask(by, `${receiver('sessions')}/CA/${by.partyId}/1001`, { method: 'PUT', body })).status_code).toBe(1000);
  };
  await told(cpo, plunk);
  await told(twin, harbour);
  for (const [by, to] of [[cpo, emsp], [twin, other]] as const) {
    const path = `/sessions/CA/${by.partyId}/1001`;
    expect((await ask(by, `/ocpi/2.2.1/receiver${path}`, { method: 'PATCH', body: { kwh: 2, last_updated: '2022-02-01T18:00:00Z' } })).status_code).toBe(1000);
    expect(to.pushed(`PATCH ${path}`)).toHaveLength(1);
    by.seen.length = 0;
    const stop = { response_url: `${to.base}/r`, session_id: '1001' };
    expect((await ask(to, `${receiver('commands')}/STOP_SESSION`, { method: 'POST', body: stop })).status_code).toBe(1000);
    expect(by.pushed('POST /commands/STOP_SESSION')).toHaveLength(1);
  }
  await call(hub, '/ocpi/2.2.1/credentials', { token: twin.token, method: 'DELETE' });
  await twin.close();
});
