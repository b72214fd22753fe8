import { createHook } from 'node:async_hooks';
import { get } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '#service';
import { exampleLocation } from '#ocpi';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';
import { Client } from './client.ts';
import { Neighbours } from './neighbours.ts';

const key = 'an-operator-key-for-this-test';
const driver = (name: string, uid: string) => ({
  email: `${name}@plunk.example`, password: 'correct horse', name, contract_id: 'CA-CPK-C00000001-J', tokens: [{ uid, type: 'APP_USER' }],
});

let platform: TestPlatform;
let neighbours: Neighbours;
let service: Running;
let url: string;
let anyone: Client;
let avery: Client;
let mallory: Client;

beforeAll(async () => {
  const plunk = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'] };
  platform = await testPlatform({
    party: plunk,
    drivers: [driver('avery', 'APP-1'), driver('mallory', 'APP-2'), driver('carol', 'APP-3')],
    portal: { operator_keys: [key] },
  });
  neighbours = await Neighbours.play(platform);
  service = await start(platform.env);
  url = service.urls!.portal!;
  anyone = new Client(url);
  [avery, mallory] = (await Promise.all(
    ['avery', 'mallory'].map((name) => anyone.signedIn(`${name}@plunk.example`, 'correct horse')),
  )) as [Client, Client];
});
afterAll(async () => {
  await service?.stop();
  await neighbours?.close();
  await platform?.drop();
});

const level2 = { country_code: 'CA', party_id: 'BCT', location_id: exampleLocation.id, evse_uid: 'L2-01' };
const refusal = (status: number, code: string, detail: unknown = expect.any(String)) =>
  ({ status, body: { error: { code, detail } } });

/** How many passwords this process weighs meanwhile: what a sign-in takes is that. */
async function weighed(meanwhile: () => Promise<unknown>): Promise<number> {
  let n = 0;
  const hook = createHook({ init: (_, type) => void (n += type === 'SCRYPTREQUEST' ? 1 : 0) }).enable();
  await meanwhile().finally(() => hook.disable());
  return n;
}

test('a wrong e-mail and a wrong password are refused in the same words, and each weighs one password', async () => {
  const answers: { body: unknown }[] = [];
  for (const email of ['carol@plunk.example', 'nobody@plunk.example']) {
    expect(await weighed(async () => answers.push(await anyone.post('/v1/sign-in', { email, password: 'wrong wrong' })))).toBe(1);
  }
  for (const answer of answers) {
    expect(answer).toMatchObject(refusal(401, 'wrong-email-or-password'));
    expect(answer.body).toEqual(answers[0]!.body);
  }
});

test('after five wrong passwords a driver has to wait, also with the right one; others do not', async () => {
  const wrong = () => anyone.post('/v1/sign-in', { email: 'x@plunk.example', password: 'guess' });
  const answers = await Promise.all(Array.from({ length: 8 }, wrong));
  expect(answers.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  const held = await wrong();
  expect(held).toMatchObject(refusal(429, 'too-many-attempts'));
  expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(500);
  expect((await anyone.post('/v1/sign-in', { email: 'avery@plunk.example', password: 'correct horse' })).status).toBe(200);
});

test('a caller without a proxy of ours before it cannot pretend to be at many addresses', async () => {
  const from = (n: number) => anyone.with({ 'x-forwarded-for': `198.51.100.${n}`, forwarded: `for=198.51.100.${n}` })
    .post('/v1/sign-in', { email: 'y@plunk.example', password: 'guess' });
  const answers = await Promise.all(Array.from({ length: 7 }, (_, n) => from(n)));
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
});

test.each([
  ['none', {}], ['another scheme', { authorization: 'Basic YTpi' }], ['not a token', { authorization: 'Bearer x' }],
  ['a token nobody has', { authorization: `Bearer ${'A'.repeat(43)}` }], ['SQL', { authorization: "Bearer ' OR 1=1 --" }],
  ['an operator\'s key', { 'x-api-key': key }],
])('a driver\'s verbs need a driver\'s token: %s', async (_what, headers) => {
  const answer = await anyone.with(headers as Record<string, string>).get('/v1/charges');
  expect(answer).toMatchObject(refusal(401, 'not-signed-in'));
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
});

test('the operator\'s verbs need an operator\'s key: none, a wrong one, a part of it, a driver\'s token', async () => {
  const paths = ['/v1/operator/partners', '/v1/operator/stations', '/v1/operator/ledger', '/v1/operator/sites/X/plan',
    '/v1/operator/sessions/CA/BCT/1', '/v1/operator/cdrs/CA/BCT/1', '/v1/operator/statements/CA/BCT/2022-02',
    '/v1/operator/statements/CA/BCT/2022-02?format=pdf', '/v1/operator/statements/CA/BCT/2022-02/lines',
    '/v1/operator/partners/CA/BCT/agreement'];
  for (const client of [anyone, avery, ...['wrong', key.slice(0, -1), `${key}x`].map((given) => anyone.with({ 'x-api-key': given }))]) {
    for (const path of paths) expect(await client.get(path)).toMatchObject(refusal(401, 'wrong-operator-key'));
    for (const path of ['invitations', 'partners', 'cdrs/1/correct']) {
      expect((await client.post(`/v1/operator/${path}`, {})).status).toBe(401);
    }
  }
});

test("guesses of an operator's key and of a driver's token are soon not looked at; who has one is let in, and others elsewhere are not held up", async () => {
  const status = (headers: Record<string, string>, localAddress: string) =>
    new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
      get(`${url}/v1/operator/partners`, { headers, localAddress }, (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
      }).on('error', reject);
    });
  const guesses = await Promise.all(
    Array.from({ length: 400 }, (_, n) => status({ 'x-api-key': `a-wrong-operator-key-${n}` }, '127.0.0.2')),
  );
  expect(guesses.filter((one) => one.status === 401).length).toBeLessThan(300);
  expect(guesses.findLast((one) => one.status === 429)?.retryAfter).toMatch(/^[1-9]\d*$/);
  expect(await status({ 'x-api-key': 'a-wrong-operator-key' }, '127.0.0.3')).toMatchObject({ status: 401 });
  expect(await status({ 'x-api-key': key }, '127.0.0.3')).toMatchObject({ status: 200 });
  expect(await status({ 'x-api-key': key }, '127.0.0.2'), 'it was let in lately').toMatchObject({ status: 200 });
});

test('a driver neither sees, watches nor stops another\'s charge', async () => {
  const { body: { charge_id: id } } = await avery.post('/v1/charges', level2);
  expect(await mallory.get(`/v1/charges/${id}`)).toMatchObject(refusal(404, 'unknown-charge'));
  expect(await mallory.get(`/v1/charges/${id}/events`)).toMatchObject(refusal(404, 'unknown-charge'));
  expect(await mallory.post(`/v1/charges/${id}/stop`)).toMatchObject(refusal(404, 'unknown-charge'));
  expect((await mallory.get('/v1/charges')).body.charges.map(({ charge_id }: { charge_id: string }) => charge_id)).not.toContain(id);
});

test('another\'s order is not reached by its id in other letters, nor by an id it has for a stop', async () => {
  await avery.with({ 'idempotency-key': 'secret-order' }).post('/v1/charges', level2);
  expect(await mallory.with({ 'idempotency-key': 'SECRET-Order' }).post('/v1/charges', level2))
    .toMatchObject(refusal(409, 'idempotency-key-reused'));
  expect(await mallory.get('/v1/charges/SECRET-Order')).toMatchObject(refusal(404, 'unknown-charge'));
  // Known to sessions alone, such as an order from before the portal's database was made anew.
  neighbours.orders.set('older', { ...neighbours.orders.get('secret-order')! });
  expect(await mallory.with({ 'idempotency-key': 'older' }).post('/v1/charges', level2)).toMatchObject(
    refusal(409, 'idempotency-key-reused'),
  );
  expect((await mallory.get('/v1/charges/older')).body).toMatchObject({ state: 'unknown' });
});

test('a body above 64 kB is refused unread', async () => {
  expect(await avery.post('/v1/charges', { ...level2, more: 'x'.repeat(70_000) })).toMatchObject(refusal(413, 'body-too-large'));
  expect(await anyone.post('/v1/sign-in', { email: 'x'.repeat(70_000), password: 'y' })).toMatchObject(refusal(413, 'body-too-large'));
});

test('nobody who is not signed in holds up the others with a number of many digits', async () => {
  const body = `{"email":1${'0'.repeat(60_000)}1,"password":"x"}`;
  expect(await anyone.send('POST', '/v1/sign-in', body)).toMatchObject(refusal(400, 'number-too-precise'));
});

test('an e-mail that no database takes is refused by name', async () => {
  for (const email of ['a\u0000@plunk.example', '\ud800@plunk.example']) {
    expect(await anyone.post('/v1/sign-in', { email, password: 'x' })).toMatchObject(refusal(400, 'unfit-text'));
  }
  for (const email of ['x'.repeat(255), ' ']) {
    expect(await anyone.post('/v1/sign-in', { email, password: 'x' })).toMatchObject(
      refusal(400, 'invalid-request', expect.stringContaining('body.email')),
    );
  }
});

test.each([
  ['{"country_code":', 'not-json'],
  ['\ud800', 'not-json'],
  [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, 'too-deep'],
  [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'too-deep'],
  ['[]', 'invalid-request'],
  ['null', 'invalid-request'],
  ['"text"', 'invalid-request'],
  ['{"__proto__":{"country_code":"CA"}}', 'invalid-request'],
  ['', 'invalid-request'],
])('a body that is none is refused by name: %#', async (body, code) => {
  expect(await avery.send('POST', '/v1/charges', body)).toMatchObject(refusal(400, code));
});

test('a body of another kind is refused', async () => {
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', 'application/xml']) {
    expect(await avery.send('POST', '/v1/charges', 'a=1', { 'content-type': type })).toMatchObject(refusal(415, 'not-json'));
  }
});

test.each([
  [{ ...level2, country_code: 'Canada' }, 'body.country_code: two letters, such as CA'],
  [{ ...level2, evse_uid: '' }, 'body.evse_uid: 1 to 36 printable ASCII characters'],
  [{ ...level2, evse_uid: "E'; DROP TABLE charges; --\u0007" }, 'body.evse_uid: 1 to 36 printable ASCII characters'],
  [{ ...level2, location_id: { $ne: null } }, expect.stringContaining('body.location_id: ')],
  [{ ...level2, location_id: undefined }, 'body.location_id: is missing'],
  [{ ...level2, evse_uid: 7 }, 'body.evse_uid: has to be a text, not a number'],
  [{ ...level2, evse_uid: null }, 'body.evse_uid: has to be a text, not null'],
  [{ ...level2, price: 0 }, 'body: has no "price"; /openapi.json lists what there is'],
  [[], 'body: has to be an object, not a list'],
  [{}, expect.stringMatching(/^body.country_code: is missing; .*; and 1 more$/)],
])('a body with a wrong field names the field and the rule: %j', async (body, detail) => {
  expect(await avery.post('/v1/charges', body)).toMatchObject(refusal(400, 'invalid-request', detail));
});

test.each([
  ['latitude=91&longitude=0', 'query.latitude'],
  ['latitude=1', 'query.longitude: is required beside latitude'],
  ['latitude=0x10&longitude=0', 'query.latitude'],
  ['latitude=&longitude=', 'query.latitude'],
  ['latitude=NaN&longitude=1', 'query.latitude'],
  ['latitude=1&latitude=2&longitude=0', 'query.latitude'],
  ['limit=0', 'query.limit'],
  ['limit=1000', 'query.limit'],
  ['limit=1.5', 'query.limit'],
  ['connector=CCS', 'query.connector'],
  ['available=yes', 'query.available'],
  ['radius_m=5', 'query.latitude: is required beside radius_m'],
  ['nearby=1', 'nearby'],
  ['limit[]=5', 'limit[]'],
  ['__proto__[x]=1', '__proto__'],
])('a query with a wrong field names it: %s', async (query, named) => {
  expect(await avery.get(`/v1/evses?${query}`)).toMatchObject(
    refusal(400, 'invalid-request', expect.stringContaining(named)),
  );
});

test.each([
  "1' OR '1'='1", "'; DROP TABLE charges; --", '../../etc/passwd', 'CA*BCT*', '*', '>', 'CA*BCT*>', '%00', 'roamwatt.*.x', 'a'.repeat(36),
])('an id that means something elsewhere is just an unknown or wrong one here: %s', async (id) => {
  const answer = await avery.get(`/v1/charges/${encodeURIComponent(id)}`);
  expect([400, 404]).toContain(answer.status);
  expect(answer.body.error.code).toMatch(/^(unknown-charge|invalid-request)$/);
  expect((await avery.get('/v1/charges')).status).toBe(200);
});

test('ids in a path have their form', async () => {
  const operator = anyone.with({ 'x-api-key': key });
  for (const path of ['sessions/Canada/BCT/1', 'cdrs/CA/BC/1', 'statements/CA/BCT/2022-13', 'statements/CA/BCT/2022-02-01',
    `cdrs/CA/BCT/${'x'.repeat(40)}`, 'sites/%0A/plan']) {
    expect(await operator.get(`/v1/operator/${path}`)).toMatchObject(refusal(400, 'invalid-request'));
  }
  expect(await operator.post('/v1/operator/partners', { name: 'x', versions_url: 'file:///etc/passwd', token_a: 'a' }))
    .toMatchObject(refusal(400, 'invalid-request', 'body.versions_url: an http or https URL'));
  expect(await operator.get('/v1/operator/statements/CA/BCT/2022-02?format=xls'))
    .toMatchObject(refusal(400, 'invalid-request', 'query.format: is one of json, csv, pdf'));
  expect(await operator.post('/v1/operator/cdrs/R-1/correct', { reason: 'x', energy_wh: '-1' }))
    .toMatchObject(refusal(400, 'invalid-request', expect.stringContaining('body.energy_wh')));
});

test('an idempotency key has its form', async () => {
  for (const bad of ['', 'a b', 'x'.repeat(37), "';--", '*', '>']) {
    expect(await avery.with({ 'idempotency-key': bad }).post('/v1/charges', level2))
      .toMatchObject(refusal(400, 'invalid-request', expect.stringContaining('idempotency-key')));
  }
});

test('a path or method that is not there, and a URL that is none, are refused in the same shape', async () => {
  expect(await avery.get('/v1/nothing')).toMatchObject(refusal(404, 'unknown-path'));
  expect(await avery.send('DELETE', '/v1/charges')).toMatchObject(refusal(404, 'unknown-path'));
  expect(await avery.get('/v1/charges/%zz')).toMatchObject({ status: 400, body: { error: { code: 'invalid-request' } } });
  expect(await avery.get(`/v1/charges/${'a'.repeat(300)}`)).toMatchObject({ body: { error: { code: expect.any(String) } } });
});

/** Bytes over a bare socket; the answer until the server closes. */
function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (part) => { text += part; }).on('close', () => resolve(text)).on('error', reject);
  });
}

test.each([
  ['GARBAGE\r\n\r\n', /^HTTP\/1.1 400 [^]*invalid-request/],
  [`GET /v1/charges HTTP/1.1\r\nhost: x\r\nx-junk: ${'j'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1.1 431 [^]*16 kB/],
  ['GET /v1/charges HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \x01\x02\r\n\r\n', /^HTTP\/1.1 400 /],
  [
    'POST /v1/sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    /^HTTP\/1.1 400 /,
  ],
  [
    'GET /v1/charges HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: a\r\nx-api-key: b\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n',
    /^HTTP\/1.1 401 /,
  ],
])('what is not HTTP, or too much of it, is refused and the portal goes on: %#', async (bytes, answer) => {
  expect(await raw(bytes)).toMatch(answer);
  expect((await anyone.get('/healthz')).status).toBe(200);
});

test('a driver has at most five streams at once', async () => {
  const { body: { charge_id: id } } = await mallory.post('/v1/charges', level2);
  const streams = Array.from({ length: 5 }, () => mallory.events(`/v1/charges/${id}/events`));
  await Promise.all(streams.map((stream) => stream.next()));
  expect(await mallory.get(`/v1/charges/${id}/events`)).toMatchObject(refusal(429, 'too-many-streams'));
  await Promise.all(streams.map((stream) => stream.return(undefined)));
  const opens = async () => {
    const again = mallory.events(`/v1/charges/${id}/events`);
    return again.next().then(() => again.return(undefined)).then(() => 'open', () => 'refused');
  };
  await expect.poll(opens).toBe('open');
});
