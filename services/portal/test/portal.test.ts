import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '#service';
import { exampleLocation } from '#ocpi';
import { testPlatform, type TestPlatform } from '#test-servers';
import type { ChargeView } from '../src/charge.ts';
import { start } from '../src/start.ts';
import { Client } from './client.ts';
import { cdrOf, Neighbours, sessionOf } from './neighbours.ts';

const operatorKey = 'an-operator-key-for-this-test';
const drivers = [
  {
    email: 'avery@plunk.example', password: 'correct horse', name: 'Avery', contract_id: 'CA-CPK-C00000001-J',
    tokens: [{ uid: 'CARD-1', type: 'RFID', visual_number: '0001' }, { uid: 'APP-1', type: 'APP_USER' }],
  },
  {
    email: 'blake@plunk.example', password: 'battery staple', name: 'Blake', contract_id: 'CA-CPK-C00000002-H',
    tokens: [{ uid: 'CARD-2', type: 'RFID' }],
  },
];

let platform: TestPlatform;
let neighbours: Neighbours;
let service: Running;
let anyone: Client;
let avery: Client;
let blake: Client;
let operator: Client;

beforeAll(async () => {
  const plunk = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' };
  platform = await testPlatform({ party: plunk, drivers, portal: { operator_keys: ['another-operator-key', operatorKey] } });
  neighbours = await Neighbours.play(platform);
  service = await start(platform.env);
  anyone = new Client(service.urls!.portal!);
  avery = await anyone.signedIn('avery@plunk.example', 'correct horse');
  blake = await anyone.signedIn('blake@plunk.example', 'battery staple');
  operator = anyone.with({ 'x-api-key': operatorKey });
});
afterAll(async () => {
  await service?.stop();
  await neighbours?.close();
  await platform?.drop();
});

const level2 = { country_code: 'CA', party_id: 'BCT', location_id: exampleLocation.id, evse_uid: 'L2-01' };
const orderOf = async (driver: Client, wanted: object = level2) => {
  const { status, body } = await driver.post('/v1/charges', wanted);
  expect(status).toBe(202);
  return body.charge_id as string;
};
const ofSession = (id: string) => ({ id, authorization_reference: id });

test('at the start the drivers\' tokens are issued', () => {
  expect([...neighbours.issued.keys()]).toEqual(['CARD-1', 'APP-1', 'CARD-2']);
  expect(neighbours.issued.get('CARD-1')).toMatchObject({ contract_id: 'CA-CPK-C00000001-J', visual_number: '0001', type: 'RFID' });
});

test('a driver signs in, whatever the case of the e-mail', async () => {
  const { status, body } = await anyone.post('/v1/sign-in', { email: ' Avery@Plunk.example', password: 'correct horse' });
  expect([status, body]).toEqual([200, {
    token: expect.stringMatching(/^[\w-]{43}$/),
    driver: { name: 'Avery', contract_id: 'CA-CPK-C00000001-J', tokens: drivers[0]!.tokens },
  }]);
});

test('a driver finds EVSEs with what a charge would cost, and those without a known price too', async () => {
  const { body } = await avery.get('/v1/evses?latitude=49.2488&longitude=-123.0023&radius_m=5000&available=true');
  const [fast, slow] = body.evses;
  expect(slow).toMatchObject({
    evse_uid: 'L2-01', evse_id: 'CA*BCT*EL201', status: 'AVAILABLE', operator: 'Energy OASIS', distance_m: 120, city: 'Burnaby',
    connectors: [{
      id: '1', standard: 'IEC_62196_T1', power_kw: '6.656',
      price: {
        sentence: '0.30 CAD a kWh, for 10818 s',
        quote: { energy_kwh: '20', duration_min: 181, excl_vat: '6.00', incl_vat: '6.30', currency: 'CAD' },
      },
    }],
  });
  expect(fast.connectors.map(({ price }: { price: unknown }) => price)).toEqual([null, null]);
  const chademo = await avery.get('/v1/evses?connector=CHADEMO');
  expect(chademo.body.evses.map(({ evse_uid: uid }: { evse_uid: string }) => uid)).toEqual(['DC1']);
});

test('CRE-12: a Location that names no operator is its party\'s, by the business name of its credentials', async () => {
  neighbours.namesNoOperator = true;
  const { body } = await avery.get('/v1/evses');
  neighbours.namesNoOperator = false;
  expect(body.evses[0].operator).toBe('OASIS Charging Ltd.');
});

test('the sentence of a price is in the language that the driver asks for, else in that of the browser', async () => {
  const sentenceBy = async (query: string, headers: Record<string, string> = {}) => (
    (await avery.with(headers).get(`/v1/evses?${query}`)).body.evses.at(-1).connectors[0].price.sentence);
  const french = { 'accept-language': 'fr-CA,fr;q=0.9,en;q=0.8' };
  expect(await sentenceBy('language=fr')).toBe('0,30 CAD par kWh');
  expect(await sentenceBy('', french)).toBe('0,30 CAD par kWh');
  expect(await sentenceBy('language=en', french)).toContain('0.30 CAD a kWh');
  expect(await sentenceBy('')).toContain('0.30 CAD a kWh');
  expect(await avery.get('/v1/evses?language=de')).toMatchObject({ status: 400, body: { error: { code: 'invalid-request' } } });
});

test('a driver sees what the same charge costs when it begins later, and when it is cheapest', async () => {
  const priceBy = async (query: string) => (await avery.get(`/v1/evses?${query}`)).body.evses.at(-1).connectors[0].price;
  const { alternatives } = await priceBy('limit=10&alternatives_within_h=3&alternatives_every_min=60');
  const [now, cheaper, last] = alternatives;
  expect(alternatives).toHaveLength(3);
  expect(now).toEqual({ start_at: now.start_at, excl_vat: '6.00', incl_vat: '6.30', currency: 'CAD', cheapest: false });
  expect(cheaper).toEqual({ start_at: cheaper.start_at, excl_vat: '4.00', incl_vat: '4.20', currency: 'CAD', cheapest: true });
  expect(Date.parse(cheaper.start_at) - Date.parse(now.start_at)).toBe(3_600_000);
  expect(last.cheapest).toBe(false);
  expect((await priceBy('limit=1&alternatives_within_h=24')).alternatives).toHaveLength(48);
  expect(await priceBy('limit=10')).not.toHaveProperty('alternatives');
});

test.each([
  ['alternatives_within_h=3', 'query.limit: at most 10 beside alternatives_within_h'],
  ['limit=10&alternatives_within_h=25', 'query.alternatives_within_h: a whole number from 1 to 24'],
  ['limit=10&alternatives_within_h=0', 'query.alternatives_within_h: a whole number from 1 to 24'],
  ['limit=10&alternatives_within_h=3&alternatives_every_min=1', 'query.alternatives_every_min: a whole number from 30 to 240'],
  ['alternatives_every_min=30', 'query.alternatives_within_h: is required beside alternatives_every_min'],
])('other starts by "%s" are refused: %s', async (query, detail) => {
  expect(await avery.get(`/v1/evses?${query}`)).toMatchObject({ status: 400, body: { error: { detail } } });
});

test('a charge is watched from the order to its end, and the stream ends with it', async () => {
  const id = await orderOf(avery);
  expect(neighbours.orders.get(id)!.request).toMatchObject({ locationId: exampleLocation.id, evseUid: 'L2-01' });
  const seen: ChargeView[] = [];
  const watching = (async () => {
    for await (const charge of avery.events<ChargeView>(`/v1/charges/${id}/events`)) seen.push(charge);
  })();
  const states = () => seen.map(({ state }) => state);
  await expect.poll(states).toEqual(['ordered']);
  await neighbours.orderMoves(id, { state: 'accepted', result: 'ACCEPTED' });
  await expect.poll(states).toEqual(['ordered', 'accepted']);
  await neighbours.sessionMoves(sessionOf('APP-1', { ...ofSession('S-1'), kwh: 0, charging_periods: [] }));
  await neighbours.orderMoves(id, { state: 'done', sessionId: 'S-1' });
  await expect.poll(states).toEqual(['ordered', 'accepted', 'charging']);
  await neighbours.sessionMoves(sessionOf('APP-1', ofSession('S-1')));
  await expect
    .poll(() => seen.at(-1)!.session)
    .toMatchObject({
      session_id: 'S-1',
      kwh: '1.6',
      kw: '6.4',
      started_at: '2022-02-01T17:00:00Z',
      cost: { excl_vat: '0.48', incl_vat: '0.504', currency: 'CAD' },
    });
  const { status, body } = await avery.post(`/v1/charges/${id}/stop`);
  expect([status, neighbours.stops.at(-1)]).toEqual([202, { orderId: body.stop_id, sessionId: 'S-1' }]);
  await neighbours.sessionMoves(sessionOf('APP-1', { ...ofSession('S-1'), status: 'COMPLETED', end_date_time: '2022-02-01T18:00:00Z' }));
  await watching;
  expect(seen.at(-1)).toMatchObject({ state: 'completed', session: { ended_at: '2022-02-01T18:00:00Z' } });
  expect(seen.at(-1)!.session).not.toHaveProperty('kw');
  expect(await avery.get(`/v1/charges/${id}`)).toMatchObject({ status: 200, body: seen.at(-1) });
  expect(await avery.post(`/v1/charges/${id}/stop`)).toMatchObject({ status: 409, body: { error: { code: 'charge-is-over' } } });
});

test('an order that the operator refuses says why and ends the stream', async () => {
  const id = await orderOf(avery);
  await neighbours.orderMoves(id, { state: 'refused', result: 'REJECTED', message: 'the EVSE is closed' });
  const seen: ChargeView[] = [];
  for await (const charge of avery.events<ChargeView>(`/v1/charges/${id}/events`)) seen.push(charge);
  expect(seen).toEqual([{ charge_id: id, state: 'refused', message: 'The operator refused. (REJECTED: the EVSE is closed)' }]);
});

test('the same idempotency key is the same charge; for another charge or driver it is refused', async () => {
  const keyed = avery.with({ 'idempotency-key': 'mine-1' });
  expect(await keyed.post('/v1/charges', level2)).toMatchObject({ status: 202, body: { charge_id: 'mine-1' } });
  expect(await keyed.post('/v1/charges', level2)).toMatchObject({ status: 202, body: { charge_id: 'mine-1' } });
  const reused = { status: 409, body: { error: { code: 'idempotency-key-reused' } } };
  expect(await keyed.post('/v1/charges', { ...level2, evse_uid: 'DC1', connector_id: '2' })).toMatchObject(reused);
  expect(await blake.with({ 'idempotency-key': 'mine-1' }).post('/v1/charges', level2)).toMatchObject(reused);
});

test('an order that was not taken is a failed charge, until it is tried again under its key', async () => {
  const keyed = avery.with({ 'idempotency-key': 'try-again' });
  neighbours.refuse = { code: 'not-now', detail: 'sessions takes no orders' };
  expect(await keyed.post('/v1/charges', level2)).toMatchObject({ status: 409, body: { error: { code: 'not-now' } } });
  neighbours.refuse = undefined;
  expect((await avery.get('/v1/charges/try-again')).body).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('takes no orders'),
  });
  await keyed.post('/v1/charges', level2);
  expect((await avery.get('/v1/charges/try-again')).body).toMatchObject({ state: 'ordered' });
});

test.each([
  [{ location_id: 'NOWHERE' }, 404, 'unknown-location'],
  [{ evse_uid: 'L2-99' }, 404, 'unknown-evse'],
  [{ connector_id: '9' }, 404, 'unknown-connector'],
])('a charge at a place that is not there is refused before it is ordered: %j', async (changes, status, code) => {
  expect(await avery.post('/v1/charges', { ...level2, ...changes })).toMatchObject({ status, body: { error: { code } } });
});

test('a charge that has not begun cannot be stopped yet', async () => {
  const id = await orderOf(avery);
  expect(await avery.post(`/v1/charges/${id}/stop`)).toMatchObject({ status: 409, body: { error: { code: 'charge-has-not-begun' } } });
});

test('a charge begun with a card is seen and stopped by its session reference', async () => {
  await neighbours.sessionMoves(sessionOf('CARD-2', { id: 'S-CARD', start_date_time: '2022-02-01T19:00:00Z' }));
  const { body } = await blake.get('/v1/charges');
  expect(body.charges[0]).toMatchObject({ charge_id: 'CA*BCT*S-CARD', state: 'charging', session: { session_id: 'S-CARD' } });
  const path = `/v1/charges/${encodeURIComponent('CA*BCT*S-CARD')}`;
  expect((await blake.get(path)).body).toEqual(body.charges[0]);
  expect((await blake.post(`${path}/stop`)).status).toBe(202);
  expect(neighbours.stops.at(-1)!.sessionId).toBe('S-CARD');
  expect(await avery.get(path)).toMatchObject({ status: 404, body: { error: { code: 'unknown-charge' } } });
  expect((await avery.post(`${path}/stop`)).status).toBe(404);
});

test('charges are listed newest first, an ordered one once, with its session', async () => {
  const { body } = await avery.get('/v1/charges?limit=100');
  const ids = body.charges.map(({ charge_id: id }: ChargeView) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).not.toContain('CA*BCT*S-1');
  expect(body.charges.find(({ session }: ChargeView) => session?.session_id === 'S-1')).toMatchObject({ state: 'completed' });
});

test('receipts come with the price explained; another driver\'s is not there', async () => {
  neighbours.cdrs.set('R-1', cdrOf('APP-1', { id: 'R-1', last_updated: '2022-02-01T20:00:00Z' }));
  neighbours.cdrs.set(
    'R-1-C',
    cdrOf('APP-1', {
      id: 'R-1-C',
      credit: true,
      credit_reference_id: 'R-1',
      total_cost: { excl_vat: -4.47, incl_vat: -4.69 },
      last_updated: '2022-02-02T20:00:00Z',
    }),
  );
  const { body } = await avery.get('/v1/receipts');
  expect(body.receipts).toMatchObject([
    {
      cdr_id: 'R-1-C',
      credit: true,
      total: { excl_vat: '-4.47', incl_vat: '-4.69', currency: 'CAD' },
      taxes: [{ code: 'GST', rate: '5', amount: '-0.22' }],
    },
    {
      cdr_id: 'R-1',
      credit: false,
      kwh: '12.4',
      total: { excl_vat: '4.47' },
      location: 'Energy OASIS, 3700 Willingdon Avenue, Burnaby',
    },
  ]);
  expect((await avery.get('/v1/receipts/ca/bct/R-1')).body).toMatchObject({
    ...body.receipts[1], cdr: { id: 'R-1' }, explanation: { text: '12.4 kWh at 0.30', tree: { periods: [] } },
    findings: [{ code: 'total-differs', detail: 'by 0.01', figures: { told: '0.01' } }],
  });
  expect((await blake.get('/v1/receipts')).body).toEqual({ receipts: [] });
  expect(await blake.get('/v1/receipts/CA/BCT/R-1')).toMatchObject({ status: 404, body: { error: { code: 'unknown-receipt' } } });
});

test('TRN-04: an operator sees what is suggested of a partner\'s quirks, and chooses', async () => {
  const path = '/v1/operator/partners/p1/quirks';
  const about = {
    name: 'unencoded-token',
    what: 'writes it as it is',
    rule: 'TRN-04',
    seen: 'a request',
    accepted: 'both',
    choice: 'it goes as it is',
  };
  expect((await operator.get(path)).body).toEqual({
    quirks: [
      {
        ...about,
        times: 3,
        first_at: '2022-02-01T17:00:00Z',
        last_at: '2022-02-01T17:10:00Z',
        detail: 'GET of locations',
        suggested: true,
      },
    ],
  });
  expect((await operator.post(path, { set: ['unencoded-token'] })).body).toEqual({
    quirks: [{ ...about, times: 0, suggested: false, chosen_at: '2022-02-01T17:20:00Z' }],
  });
  expect((await operator.post(path, { unset: ['unencoded-token'] })).body.quirks[0]).not.toHaveProperty('chosen_at');
  expect(await operator.post(path, { set: ['no-linc'] })).toMatchObject({ status: 400, body: { error: { code: 'no-such-quirk' } } });
  expect((await operator.post(path, { set: ['No Link'] })).status).toBe(400);
  expect((await operator.post(path, { set: ['no-link'], unset: ['no-link'] })).status).toBe(400);
});

test('the operator\'s verbs answer from the services behind', async () => {
  expect(await operator.post('/v1/operator/invitations', { name: 'Plunk' })).toMatchObject({
    status: 201, body: { partner_id: 'p1', token_a: 'A-1', versions_url: 'https://plunk.example/ocpi/versions' },
  });
  const partner = { name: 'OASIS', versions_url: 'http://127.0.0.1:1/ocpi/versions', token_a: 'A-2' };
  const partnerView = { partner_id: 'p1', state: 'registered', roles: ['EMSP', 'CPO'].map((role) => ({ role, country_code: 'CA', party_id: 'BCT' })), waiting: 2, behind: [{ country_code: 'CA', party_id: 'BHD' }] };
  expect(await operator.post('/v1/operator/partners', partner)).toMatchObject({ status: 201, body: partnerView });
  expect(await operator.post('/v1/operator/partners', { ...partner, versions_url: 'https://down.example' })).toMatchObject({
    status: 502, body: { error: { code: 'partner-unreachable', detail: 'connection refused' } },
  });
  expect((await operator.get('/v1/operator/partners')).body).toMatchObject({ partners: [partnerView] });
  const letter = {
    module: 'tariffs',
    object: 'L2',
    reason: 'HTTP 200, 2001: no',
    since: '2022-02-01T17:00:00Z',
    version: '2.1.1',
    body: { id: 'L2' },
  };
  expect((await operator.get('/v1/operator/partners/p1/dead-letters')).body).toEqual({ letters: [letter], total: 1 });
  expect((await operator.get('/v1/operator/partners/p1/dead-letters?after_module=tariffs&after_object=L2')).body.letters).toEqual([]);
  expect((await operator.get('/v1/operator/partners/p9/dead-letters')).status).toBe(404);
  expect((await operator.post('/v1/operator/partners/p1/replay', {})).body).toEqual({ queued: 1 });
  expect(await operator.post('/v1/operator/partners/p1/replay', { module: 'tariffs', object: 'GONE' })).toMatchObject({
    status: 404,
    body: { error: { code: 'unknown-letter' } },
  });
  expect((await operator.post('/v1/operator/partners/p1/replay', { object: 'L2' })).status).toBe(400);
  expect((await operator.post('/v1/operator/partners/p1/renew')).body).toMatchObject(partnerView);
  expect((await operator.get('/v1/operator/stations')).body.stations[0].connectors[0]).toEqual({
    connector_id: 1, status: 'Charging', status_at: '2022-02-01T17:00:00Z', transaction_id: '7',
  });
  expect((await operator.get('/v1/operator/sessions/CA/BCT/S-1')).body).toMatchObject({
    own: false, session: { id: 'S-1' }, explanation: { text: 'To pay: 4.47 CAD.', tree: { currency: 'CAD' } },
  });
  expect((await operator.get('/v1/operator/sessions/CA/BCT/S-9')).status).toBe(404);
  neighbours.explains = false;
  expect((await operator.get('/v1/operator/sessions/CA/BCT/S-1')).body).toMatchObject({
    session: { id: 'S-1' }, explanation: { text: 'It cannot be explained now: tariff-engine does not answer\n', tree: null },
  });
  neighbours.explains = true;
  const close = (id: string, body: object) => operator.post(`/v1/operator/sessions/CA/BCT/${id}/close`, body);
  expect((await close('S-1', { reason: ' it burned down ' })).body).toEqual({ closed: true });
  expect(await close('S-2', { reason: 'it burned down' })).toMatchObject({ status: 409, body: { error: { code: 'station-connected' } } });
  expect((await close('S-1', { reason: ' ' })).status).toBe(400);
  expect((await operator.get('/v1/operator/cdrs/CA/BCT/R-1')).body).toMatchObject({
    cdr: { id: 'R-1' },
    repriced: { excl_vat: '4.47', incl_vat: '4.69' },
  });
  expect((await operator.post('/v1/operator/cdrs/R-1/correct', { reason: 'meter', energy_wh: '12000' })).body).toEqual({
    credit_cdr_id: 'R-1-C', replacement_cdr_id: 'R-2', warnings: [],
  });
  neighbours.olderPartners.push({ partnerId: 'p0', name: 'OASIS of 2017', version: '2.1.1' });
  expect((await operator.post('/v1/operator/cdrs/R-1/correct', { reason: 'meter' })).body).toMatchObject({
    credit_cdr_id: 'R-1-C', warnings: [expect.stringMatching(/^OASIS of 2017 speaks OCPI 2\.1\.1, which has no Credit CDR: neither/)],
  });
  neighbours.olderPartners.length = 0;
  expect((await operator.post('/v1/operator/cdrs/GONE/correct', { reason: 'meter' })).status).toBe(404);
  expect((await operator.get('/v1/operator/ledger')).body).toEqual({ chains: [{ chain: 'CA*BCT', entries: 3, head: 'ab', intact: true }] });
  expect((await operator.get('/v1/operator/sites/BURNABY-L2/plan')).body).toMatchObject({
    limit_ma: 192_000,
    limits: [{ target_ma: 32_000 }],
  });
  expect((await operator.get('/v1/operator/sites/ELSEWHERE/plan')).status).toBe(404);
});

test('the OpenAPI document describes every route, and every reference in it leads somewhere', async () => {
  const { body } = await anyone.get('/openapi.json');
  expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/v1/operator/tariffs/{tariff_id}', '/v1/operator/disputes']));
  expect(body.paths['/v1/charges'].post).toMatchObject({ security: [{ driver: [] }], responses: { 202: {}, default: {} } });
  expect(body.paths['/v1/evses'].get.parameters.find(({ name }: { name: string }) => name === 'latitude')).toMatchObject({
    required: false, schema: { type: 'number', minimum: -90, maximum: 90 },
  });
  const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!);
  expect(references.filter((name) => !(name in body.components.schemas))).toEqual([]);
  expect(await anyone.get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
});
