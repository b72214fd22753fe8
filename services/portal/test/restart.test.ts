import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import pg from 'pg';
import { Rejected } from '#decider';
import { exampleLocation } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import type { ChargeView } from '../src/charge.ts';
import { start } from '../src/start.ts';
import { Client } from './client.ts';
import { Neighbours, sessionOf } from './neighbours.ts';

const driver = (name: string, uid: string, password = 'correct horse') => ({
  email: `${name}@plunk.example`, password, name, contract_id: 'CA-CPK-C00000001-J', tokens: [{ uid, type: 'APP_USER' }],
});
const party = { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'] };
const level2 = { country_code: 'CA', party_id: 'BCT', location_id: exampleLocation.id, evse_uid: 'L2-01' };

let platform: TestPlatform;
let neighbours: Neighbours | undefined;
const running: Running[] = [];
beforeEach(async () => {
  platform = await testPlatform({ party, drivers: [driver('avery', 'APP-1'), driver('blake', 'APP-2')] });
});
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  await neighbours?.close();
  neighbours = undefined;
  await platform.drop();
});

async function started(): Promise<{ service: Running; client: Client }> {
  const service = await start(platform.env);
  running.push(service);
  return { service, client: new Client(service.urls!.portal!) };
}

function settings(drivers: object[]): void {
  const file = platform.env.ROAMWATT_CONFIG!;
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')) as object, drivers }));
}

async function rows<Row>(sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: platform.databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

test('a log-in and a charge outlive a restart; beside it a second portal serves the same', async () => {
  neighbours = await Neighbours.play(platform);
  const first = await started();
  const avery = await first.client.signedIn('avery@plunk.example', 'correct horse');
  const { body: { charge_id: id } } = await avery.post('/v1/charges', level2);
  const beside = await started();
  expect((await avery.moved(beside.service.urls!.portal!).get(`/v1/charges/${id}`)).body.state).toBe('ordered');
  await first.service.stop();
  expect((await avery.moved(beside.service.urls!.portal!).get('/v1/charges')).body.charges).toHaveLength(1);
});

test('who is no longer in the settings is signed out, and so is who got a new password', async () => {
  neighbours = await Neighbours.play(platform);
  const first = await started();
  const [avery, blake] = await Promise.all(
    ['avery', 'blake'].map((name) => first.client.signedIn(`${name}@plunk.example`, 'correct horse')),
  );
  await first.service.stop();
  settings([driver('blake', 'APP-2', 'a new password'), driver('carol', 'APP-3')]);
  const { service, client } = await started();
  const url = service.urls!.portal!;
  expect((await avery!.moved(url).get('/v1/charges')).status).toBe(401);
  expect((await blake!.moved(url).get('/v1/charges')).status).toBe(401);
  const status = async (name: string, password: string) =>
    (await client.post('/v1/sign-in', { email: `${name}@plunk.example`, password })).status;
  expect(await status('avery', 'correct horse')).toBe(401);
  expect(await status('blake', 'correct horse')).toBe(401);
  expect(await status('blake', 'a new password')).toBe(200);
  expect(await status('carol', 'correct horse')).toBe(200);
});

test('a log-in ends with its time', async () => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const avery = await client.signedIn('avery@plunk.example', 'correct horse');
  await rows("UPDATE portal.log_ins SET expires_at = now() - interval '1 second'");
  expect((await avery.get('/v1/charges')).status).toBe(401);
});

test('neither passwords nor bearer tokens lie in the database', async () => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const { body: { token } } = await client.post('/v1/sign-in', { email: 'avery@plunk.example', password: 'correct horse' });
  const stored = JSON.stringify([await rows('SELECT * FROM portal.drivers'), await rows('SELECT * FROM portal.log_ins')]);
  expect(stored).toContain('scrypt$');
  expect(stored).not.toContain('correct horse');
  expect(stored).not.toContain(token);
});

test('the portal waits for tokens-auth, which may start later', async () => {
  const starting = started();
  await new Promise((resolve) => setTimeout(resolve, 700));
  neighbours = await Neighbours.play(platform);
  await starting;
  expect([...neighbours.issued.keys()]).toEqual(['APP-1', 'APP-2']);
});

test('while sessions is away an order is refused as not done, what is known stays, and later all goes on', async () => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const avery = (await client.signedIn('avery@plunk.example', 'correct horse')).with({ 'idempotency-key': 'kept' });
  const played = neighbours;
  await played.leave('orderStart', 'getOrder');
  const refused = await avery.post('/v1/charges', level2);
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 'offline', detail: expect.stringContaining('sessions') } } });
  expect(refused.headers.get('retry-after')).toBe('2');
  expect((await avery.get('/v1/charges/kept')).status).toBe(503);
  await played.comeBack('orderStart', 'getOrder');
  expect((await avery.get('/v1/charges/kept')).body).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('sessions is not there to answer; nothing was done'),
  });
  expect(await avery.post('/v1/charges', level2)).toMatchObject({ status: 202, body: { charge_id: 'kept' } });
  expect((await avery.get('/v1/charges/kept')).body).toMatchObject({ state: 'ordered' });
});

/** Sessions has the first ask for each order in hand until `goOn`; `again` is what it says to those that follow. */
function heldStarts(played: Neighbours, again: (orderId: string) => void) {
  const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
  const inHand = new Set<string>();
  played.beforeStart = async (orderId) => {
    if (inHand.has(orderId)) return again(orderId);
    inHand.add(orderId);
    await until;
  };
  return { inHand, goOn };
}

test('a charge that sessions has in hand while it stops has not failed, though it cannot be asked for again: it is shown as it is', async () => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const avery = (await client.signedIn('avery@plunk.example', 'correct horse')).with({ 'idempotency-key': 'in-hand' });
  const played = neighbours;
  const { inHand, goOn } = heldStarts(played, () => {});
  const ordering = avery.post('/v1/charges', level2);
  await expect.poll(() => inHand.size).toBe(1);
  const leaving = played.leave('orderStart');
  expect(await ordering).toMatchObject({ status: 504, body: { error: { code: 'no-answer' } } });
  expect((await avery.get('/v1/charges/in-hand')).body).toMatchObject({ state: 'unknown' });
  goOn();
  await leaving;
  await expect.poll(async () => (await avery.get('/v1/charges/in-hand')).body).toMatchObject({ state: 'ordered' });
  await played.sessionMoves(sessionOf('APP-1', { id: 'S-1', status: 'ACTIVE' }));
  await played.orderMoves('in-hand', { state: 'done', sessionId: 'S-1' });
  expect((await avery.get('/v1/charges/in-hand')).body).toMatchObject({ state: 'charging' });
});

test('that a service has no time for an order when it is asked again says nothing of the first ask', async () => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const avery = await client.signedIn('avery@plunk.example', 'correct horse');
  const { goOn } = heldStarts(neighbours, (code) => {
    throw new Rejected(code, 'nothing was done');
  });
  const codes = ['overloaded', 'too-late', 'unanswered'];
  const ordered = await Promise.all(codes.map((code) => avery.with({ 'idempotency-key': code }).post('/v1/charges', level2)));
  expect(ordered.map(({ status }) => status)).toEqual([504, 504, 504]);
  const states = async () => (await Promise.all(codes.map((code) => avery.get(`/v1/charges/${code}`)))).map(({ body }) => body.state);
  expect(await states()).toEqual(['unknown', 'unknown', 'unknown']);
  goOn();
  await expect.poll(states).toEqual(['ordered', 'ordered', 'ordered']);
});

test('a reservation that sessions has in hand is not known yet, and one that it refuses failed', async () => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const avery = await client.signedIn('avery@plunk.example', 'correct horse');
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const reserve = (key: string) => avery.with({ 'idempotency-key': key }).post('/v1/reservations', { ...level2, expires_at });
  const state = async (key: string) => (await avery.get(`/v1/reservations/${key}`)).body.state;
  const { goOn } = heldStarts(neighbours, () => {
    throw new Rejected('overloaded', 'nothing was done');
  });
  expect(await reserve('in-hand')).toMatchObject({ status: 504, body: { error: { code: 'no-answer' } } });
  expect(await state('in-hand')).toBe('unknown');
  goOn();
  await expect.poll(() => state('in-hand')).toBe('ordered');
  neighbours.refuse = { code: 'not-now', detail: 'sessions takes no orders' };
  expect(await reserve('refused')).toMatchObject({ status: 409 });
  expect((await avery.get('/v1/reservations/refused')).body).toMatchObject({ state: 'failed', message: expect.stringContaining('takes no orders') });
  neighbours.refuse = undefined;
  expect(await reserve('refused')).toMatchObject({ status: 202 });
  expect(await state('refused')).toBe('ordered');
  const inVancouver = new Date(Date.parse(expires_at) - 8 * 3_600_000).toISOString().replace('Z', '-08:00');
  const local = avery.with({ 'idempotency-key': 'local' });
  expect(await local.post('/v1/reservations', { ...level2, expires_at: inVancouver })).toMatchObject({ status: 202 });
  expect(Date.parse((await avery.get('/v1/reservations/local')).body.expires_at)).toBe(Date.parse(expires_at));
});

test.each(['unanswered', 'internal', 'too-large'])('an order that is answered with %s may have been taken', async (code) => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const avery = (await client.signedIn('avery@plunk.example', 'correct horse')).with({ 'idempotency-key': 'kept' });
  neighbours.refuse = { code: 'not-now', detail: '' };
  await avery.post('/v1/charges', level2);
  expect((await avery.get('/v1/charges/kept')).body.state).toBe('failed');
  neighbours.refuse = { code, detail: '' };
  await avery.post('/v1/charges', level2);
  expect((await avery.get('/v1/charges/kept')).body.state).toBe('unknown');
});

test.each([['charges', {}], ['reservations', { expires_at: new Date(Date.now() + 86_400_000).toISOString() }]])(
  'of %s an order of which sessions never hears is not unknown for ever, and may be given again', async (kind, more) => {
    neighbours = await Neighbours.play(platform);
    const { client } = await started();
    const avery = (await client.signedIn('avery@plunk.example', 'correct horse')).with({ 'idempotency-key': 'lost' });
    const order = () => avery.post(`/v1/${kind}`, { ...level2, ...more });
    const state = async () => (await avery.get(`/v1/${kind}/lost`)).body.state;
    neighbours.refuse = { code: 'unanswered', detail: '' };
    expect(await order()).toMatchObject({ status: 503 });
    expect(await state()).toBe('unknown');
    await rows(`UPDATE portal.${kind} SET ordered_at = '${new Date(Date.now() - 3_600_000).toISOString()}'`);
    expect((await avery.get(`/v1/${kind}/lost`)).body).toMatchObject({ state: 'failed', message: expect.stringContaining('never heard of it') });
    await order();
    expect(await state(), 'asked again, it may be in hand').toBe('unknown');
    neighbours.refuse = undefined;
    expect(await order()).toMatchObject({ status: 202 });
    expect(await state()).toBe('ordered');
  });

test('a stream stays open while sessions is away, and shows what came meanwhile', async () => {
  neighbours = await Neighbours.play(platform);
  const { client } = await started();
  const avery = await client.signedIn('avery@plunk.example', 'correct horse');
  const { body: { charge_id: id } } = await avery.post('/v1/charges', level2);
  const seen: string[] = [];
  const watching = (async () => {
    for await (const { state } of avery.events<ChargeView>(`/v1/charges/${id}/events`)) seen.push(state);
  })();
  await expect.poll(() => seen).toEqual(['ordered']);
  await neighbours.leave('getOrder');
  await neighbours.orderMoves(id, { state: 'done', sessionId: 'S-1' });
  await neighbours.sessionMoves(sessionOf('APP-1', { id: 'S-1', status: 'COMPLETED' }));
  // Time enough to look in vain.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(seen).toEqual(['ordered']);
  await neighbours.comeBack('getOrder');
  await watching;
  expect(seen).toEqual(['ordered', 'completed']);
});

test('a portal that stops ends its streams at once, and connections on which nothing was asked', async () => {
  neighbours = await Neighbours.play(platform);
  const { client, service } = await started();
  const avery = await client.signedIn('avery@plunk.example', 'correct horse');
  const { body: { charge_id: id } } = await avery.post('/v1/charges', level2);
  const stream = avery.events<ChargeView>(`/v1/charges/${id}/events`);
  expect((await stream.next()).value).toMatchObject({ state: 'ordered' });
  const { hostname, port } = new URL(service.urls!.portal!);
  const silent = connect(Number(port), hostname);
  const ended = once(silent, 'close');
  await once(silent, 'connect');
  // A connection is taken in turn: this one after the silent one.
  expect((await client.get('/healthz')).status).toBe(200);
  await service.stop();
  expect(await stream.next()).toMatchObject({ done: true });
  await ended;
});
