import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { exampleLocation, exampleToken, type Party, routes, routingHeaders } from '#ocpi';
import { openDatabase } from '#postgres';
import { interfacePath } from '../src/exchange.ts';
import { HandPartner } from './hand-partner.ts';
import { call, type CallOptions, ocpi, openSide, type Side } from './side.ts';

// A hub reads little of what it passes on: whatever a member writes, it goes on as it is or is refused by name.

const hubAsParty = { country_code: 'CA', party_id: 'HUB' };
const eoa = { country_code: 'CA', party_id: 'EOA' };
const isle = { country_code: 'CA', party_id: 'ISL' };

let hub: Side;
let oasis: HandPartner;
let island: HandPartner;

beforeAll(async () => {
  hub = await openSide({
    party: { ...hubAsParty, name: 'Open Hub', roles: ['HUB'] },
    hub: { quiet_s: 3600, offline_check_s: 3600 },
    ocpi,
  });
  oasis = await HandPartner.open('Oasis', 'EOA', 'CPO', [
    'SENDER locations', 'SENDER sessions', 'RECEIVER tokens', 'RECEIVER commands', 'RECEIVER chargingprofiles', 'RECEIVER hubclientinfo',
  ]);
  island = await HandPartner.open('Island', 'ISL', 'EMSP', [
    'RECEIVER locations', 'RECEIVER sessions', 'RECEIVER cdrs', 'RECEIVER tariffs', 'SENDER tokens', 'SENDER commands', 'SENDER chargingprofiles',
  ]);
  for (const partner of [oasis, island]) expect((await partner.register(hub)).status_code).toBe(1000);
});
afterAll(async () => {
  await Promise.all([oasis, island].map((partner) => partner?.close()));
  await hub?.close();
});
beforeEach(() => {
  for (const partner of [oasis, island]) {
    partner.answer = () => ({});
    partner.seen.length = 0;
  }
});

const receiver = (module: string) => `/ocpi/2.2.1/receiver/${module}`;
const ask = (from: HandPartner, path: string, { to, ...more }: CallOptions & { to?: Party } = {}) =>
  call(hub, path, {
    token: from.token,
    ...more,
    headers: routingHeaders({ ...(to ? { to } : {}), from: { country_code: 'CA', party_id: from.partyId } }),
  });

test.each([
  ['/ocpi/2.2.1/receive%72/sessions/CA/EOA/S-1', '/sessions/CA/EOA/S-1'],
  ['/%6fcpi/2.2.1/receiver/sessions/CA/%45OA/S%2D1?x=%31', '/sessions/CA/%45OA/S%2D1?x=%31'],
])('HUB-21 TRN-16: however the letters of a URL are written, %s, its receiver has what is below the endpoint', async (path, below) => {
  expect(await ask(oasis, path, { to: isle, method: 'PUT', body: { id: 'S-1' } })).toMatchObject({ http: 200, status_code: 1000 });
  expect(island.pushed()).toEqual([`PUT ${below}`]);
});

test('HUB-15: without a receiver named, each request about a charge finds its operator, or its driver\'s eMSP', async () => {
  const tell = (path: string, body: object, from: HandPartner, to?: Party, method = 'PUT') =>
    ask(from, `/ocpi/2.2.1/${path}`, { method, body, ...(to ? { to } : {}) });
  const cdr_token = { ...isle, uid: '04E2', type: 'RFID', contract_id: 'C1' };
  const back = `response_url=${encodeURIComponent(`${island.base}/r`)}`;
  await tell('receiver/sessions/CA/EOA/S-5', { ...eoa, id: 'S-5', cdr_token }, oasis);
  await tell('receiver/tokens/CA/ISL/04E2', { ...exampleToken, ...isle, uid: '04E2' }, island, hubAsParty);
  await expect.poll(() => oasis.pushed('PUT /tokens/CA/ISL/04E2')).toHaveLength(1);
  for (const partner of [oasis, island]) partner.seen.length = 0;
  const asked: [string, string, object | undefined, HandPartner, HandPartner][] = [
    ['PATCH', 'receiver/sessions/CA/EOA/s-5', { kwh: 2 }, oasis, island],
    ['PUT', 'sender/chargingprofiles/S-5', { start_date_time: '2022-02-01T17:00:00Z', charging_profile: {} }, oasis, island],
    ['POST', 'receiver/cdrs', { ...eoa, id: 'S-5-1', cdr_token }, oasis, island],
    ['POST', 'sender/tokens/04e2/authorize', {}, oasis, island],
    ['PUT', 'receiver/chargingprofiles/S-5', { charging_profile: {}, response_url: `${island.base}/r` }, island, oasis],
    ['GET', `receiver/chargingprofiles/S-5?duration=900&${back}`, undefined, island, oasis],
    ['DELETE', `receiver/chargingprofiles/S-5?${back}`, undefined, island, oasis],
    ['PUT', 'sender/sessions/S-5/charging_preferences', { profile_type: 'FAST' }, island, oasis],
    ['POST', 'receiver/commands/STOP_SESSION', { session_id: 'S-5', response_url: `${island.base}/r` }, island, oasis],
  ];
  for (const [method, path, body, from, to] of asked) {
    to.seen.length = 0;
    const answer = await call(hub, `/ocpi/2.2.1/${path}`, {
      token: from.token, method, ...(body ? { body } : {}), headers: routingHeaders({ from: { country_code: 'CA', party_id: from.partyId } }),
    });
    expect([answer.status_code, answer.headers.get('ocpi-from-party-id'), answer.headers.get('ocpi-to-party-id')], path).toEqual([1000, to.partyId, from.partyId]);
    expect(to.seen, path).toHaveLength(1);
    expect(to.seen[0]!.what, path).toContain(`${method} /${path.split('/').slice(1).join('/').split('?')[0]}`);
    expect(to.seen[0]!.headers, path).toMatchObject({ 'ocpi-from-party-id': from.partyId, 'ocpi-to-party-id': to.partyId });
    expect(JSON.stringify([to.seen[0]!.what, to.seen[0]!.body ?? '']), path).not.toContain('/r"');
  }
});

test('HUB-16: of what goes to one alone a hub keeps the ids that show the way, and nothing of what was said or answered', async () => {
  const secret = 'NOBODY-ELSES';
  const cdr_token = { ...isle, uid: secret, type: 'RFID', contract_id: secret };
  const said: [string, string, object, HandPartner, Party][] = [
    ['PUT', 'receiver/sessions/CA/EOA/S-7', { ...eoa, id: 'S-7', cdr_token }, oasis, isle],
    ['PATCH', 'receiver/sessions/CA/EOA/S-7', { meter_id: secret }, oasis, isle],
    ['POST', 'receiver/cdrs', { ...eoa, id: 'S-7-1', cdr_token, remark: secret }, oasis, isle],
    ['PUT', 'receiver/locations/CA/EOA/L-7', { ...exampleLocation, ...eoa, id: 'L-7', name: secret }, oasis, isle],
    ['PUT', 'receiver/tariffs/CA/EOA/T-7', { ...eoa, id: 'T-7', tariff_alt_text: secret }, oasis, isle],
    ['PUT', 'receiver/tokens/CA/ISL/04FF', { ...exampleToken, ...isle, uid: '04FF', visual_number: secret }, island, eoa],
    ['POST', 'sender/tokens/04FF/authorize', { location_id: secret }, oasis, isle],
    ['POST', 'receiver/commands/START_SESSION', { token: cdr_token, location_id: 'L-7', response_url: `${island.base}/r` }, island, eoa],
    ['PUT', 'receiver/chargingprofiles/S-7', { charging_profile: { x: secret }, response_url: `${island.base}/r` }, island, eoa],
  ];
  for (const partner of [oasis, island]) partner.answer = () => ({ data: { answered: secret } });
  for (const [method, path, body, from, to] of said)
    expect(await ask(from, `/ocpi/2.2.1/${path}`, { method, body, to }), path).toMatchObject({ status_code: 1000, data: { answered: secret } });
  await ask(oasis, '/ocpi/2.2.1/receiver/sessions/CA/EOA/S-7', { to: isle });
  const db = await openDatabase({ url: hub.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const { rows: tables } = await db.query<{ name: string }>(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'ocpi_gateway' AND tablename <> 'migrations'`);
  const rows = await Promise.all(tables.map(async ({ name }) =>
    (await db.query<{ row: string }>(`SELECT t::text AS row FROM ocpi_gateway."${name}" t`)).rows.map(({ row }) => `${name} ${row}`)));
  await db.close();
  expect(rows.flat().filter((row) => row.includes('S-7')), 'it knows the way').not.toEqual([]);
  expect(rows.flat().filter((row) => row.includes(secret))).toEqual([]);
});

test('HUB-19: what the receiver took is answered as it said it, however long the ids in it are', async () => {
  oasis.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
  const reservation_id = Array.from({ length: 20_000 }, (_, n) => ((n * n * 7919 + n * 104_729) % 1_679_616).toString(36)).join('');
  const body = { response_url: `${island.base}/r`, token: exampleToken, location_id: 'L', reservation_id, expiry_date: '2040-01-01T00:00:00Z' };
  expect(await ask(island, `${receiver('commands')}/RESERVE_NOW`, { to: eoa, method: 'POST', body })).toMatchObject({
    http: 200, status_code: 1000, data: { result: 'ACCEPTED' },
  });
  const cancel = { response_url: `${island.base}/r`, reservation_id };
  expect(await ask(island, `${receiver('commands')}/CANCEL_RESERVATION`, { method: 'POST', body: cancel })).toMatchObject({ http: 200, status_code: 4001 });
});

test('TRN-17 HUB-12: only of what is called back the response_url leads through the hub; a field of that name elsewhere goes on as it is', async () => {
  const body = { ...exampleLocation, ...eoa, id: 'L-1', response_url: 'of our own make' };
  expect(await ask(oasis, `${receiver('locations')}/CA/EOA/L-1`, { to: isle, method: 'PUT', body })).toMatchObject({ status_code: 1000 });
  expect(island.seen[0]).toMatchObject({ what: 'PUT /locations/CA/EOA/L-1', body });
});

test('HUB-19: a member that goes in the midst of a request is 4002, for it may have been done; who is not there any more is 4003', async () => {
  const put = () => ask(oasis, `${receiver('sessions')}/CA/EOA/S-9`, { to: isle, method: 'PUT', body: { id: 'S-9' } });
  island.answer = () => 'hang up';
  expect(await put()).toMatchObject({ http: 200, status_code: 4002 });
  expect(island.pushed()).toEqual(['PUT /sessions/CA/EOA/S-9']);
  island.answer = () => ({});
  expect(await put()).toMatchObject({ status_code: 1000 });
  const port = Number(new URL(island.base).port);
  await island.close();
  expect([await put(), await put()]).toMatchObject([{ http: 200, status_code: 4003 }, { http: 200, status_code: 4003 }]);
  await island.reopen(port);
  await ask(island, '/ocpi/2.2.1/sender/hubclientinfo');
  expect(await put()).toMatchObject({ status_code: 1000 });
});

const deep = `${'[{"x":'.repeat(20_000)}1${'}]'.repeat(20_000)}`;
const odd = [
  'null', '0', '""', '[]', '{}', '[null]', '[[]]', '"x"', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{}}}', '{"response_url":null}',
  '{"response_url":{}}', '{"response_url":["http://x"]}', '{"response_url":"http://[::1","token":3}', '{"cdr_token":"x","location_id":{},"session_id":[]}',
  '{"cdr_token":[{"country_code":{}}],"expiry_date":{}}', '{"expiry_date":"9999-99-99T99:99:99Z","reservation_id":1}', deep, `"${'x'.repeat(1_000_001)}"`, '{"x":1e999}',
  '{"id":', '\u0000', '{"last_updated":{},"evses":{}}', '{"last_updated":"2022-02-01T17:00:00Z","evses":[null],"connectors":3}',
];

test.each(routes.filter(({ routingHeaders: routed, method, body }) => routed && (body || method !== 'GET')).map((route) =>
  [`${route.method} ${route.role} ${route.module}${route.path}`, route] as const))(
  'TRN-30 HUB-15: %s: no body is a fault of the hub\'s, whether it is for one, for all or for whom the hub finds', async (_name, route) => {
    const path = `${interfacePath({ module: route.module as 'locations', role: route.role })}${route.path}`
      .replace(':country_code', 'CA').replace(':party_id', 'EOA').replace(/:\w+/g, 'X-1');
    const from = route.role === 'RECEIVER' && !['commands', 'chargingprofiles', 'tokens'].includes(route.module) ? oasis : island;
    const found = new Map<string, string>();
    for (const to of [isle, eoa, hubAsParty, undefined]) {
      for (const body of odd) {
        const { http, status_code } = await ask(from, path, { method: route.method, body, ...(to ? { to } : {}) });
        if (http >= 500 || (status_code >= 3000 && status_code < 4000)) found.set(body.slice(0, 60), `${http} ${status_code}`);
      }
    }
    expect([...found]).toEqual([]);
  },
);
