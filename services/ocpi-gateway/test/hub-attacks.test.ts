import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ClientInfo, exampleLocation, exampleTariff, exampleToken, type Party, routingHeaders } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { RawHttp } from './raw-http.ts';
import { call, type CallOptions, ocpi, openSide, type Side } from './side.ts';

// A hub, and Mallory, who is a member of it and would like to speak for Oasis, or to keep others from being heard.

const hubAsParty = { country_code: 'CA', party_id: 'HUB' };
const mal = { country_code: 'CA', party_id: 'MAL' };
const eoa = { country_code: 'CA', party_id: 'EOA' };
const isle = { country_code: 'CA', party_id: 'ISL' };

let hub: Side;
let mallory: HandPartner;
let oasis: HandPartner;
let island: HandPartner;

beforeAll(async () => {
  hub = await openSide({
    party: { ...hubAsParty, name: 'Open Hub', roles: ['HUB'] },
    hub: { quiet_s: 3600, offline_check_s: 3600 },
    ocpi: { ...ocpi, request_timeout_ms: 4_000, page_limit: 100 },
  });
  const asCpo = ['SENDER locations', 'SENDER tariffs', 'SENDER sessions', 'RECEIVER tokens', 'RECEIVER commands'];
  mallory = await HandPartner.open('Mallory', 'MAL', 'CPO', [...asCpo, 'SENDER commands'], ['EMSP']);
  oasis = await HandPartner.open('Oasis', 'EOA', 'CPO', asCpo);
  island = await HandPartner.open('Island', 'ISL', 'EMSP', [
    'RECEIVER locations',
    'RECEIVER tariffs',
    'RECEIVER sessions',
    'SENDER tokens',
    'SENDER commands',
    'RECEIVER hubclientinfo',
  ]);
  for (const partner of [mallory, oasis, island]) expect((await partner.register(hub)).status_code).toBe(1000);
});
afterAll(async () => {
  await Promise.all([mallory, oasis, island].map((partner) => partner?.close()));
  await hub?.close();
});
beforeEach(() => {
  for (const partner of [mallory, oasis, island]) partner.answer = () => ({});
});

const receiver = (module: string) => `/ocpi/2.2.1/receiver/${module}`;
const ask = (from: HandPartner, path: string, { to, ...more }: CallOptions & { to?: Party } = {}) =>
  call(hub, path, {
    token: from.token,
    ...more,
    headers: {
      ...routingHeaders({ ...(to ? { to } : {}), from: { country_code: 'CA', party_id: from.partyId } }),
      ...more.headers,
    },
  });
const tell = (method: string, module: string, path: string, body?: object, from = mallory) =>
  ask(from, `${receiver(module)}/${path}`, { to: hubAsParty, method, ...(body ? { body } : {}) });

/** Whatever was queued before it has been brought to Island when this one has. */
let marks = 0;
async function allBrought(): Promise<void> {
  const id = `MARK-${marks++}`;
  for (const [from, party] of [[mallory, mal], [oasis, eoa]] as const) {
    await tell('PUT', 'tariffs', `CA/${party.party_id}/${id}`, { ...exampleTariff, ...party, id }, from);
    await expect.poll(() => island.pushed(`PUT /tariffs/CA/${party.party_id}/${id}`)).toHaveLength(1);
  }
}

test("TRN-70 HUB-12: an id that spells another member's object is an id, and nothing of that member's is changed or deleted", async () => {
  const id = 'X CA*EOA DEAR';
  await tell('PUT', 'tariffs', 'CA/EOA/DEAR', { ...exampleTariff, ...eoa, id: 'DEAR' }, oasis);
  await expect.poll(() => island.pushed('PUT /tariffs/CA/EOA/DEAR')).toHaveLength(1);
  expect(
    await tell('PUT', 'tariffs', `CA/MAL/${encodeURIComponent(id)}`, { ...exampleTariff, ...mal, id }),
  ).toMatchObject({ http: 201, status_code: 1000 });
  await expect.poll(() => island.pushed('PUT /tariffs/CA/MAL/X%20CA*EOA%20DEAR')).toHaveLength(1);
  await tell('DELETE', 'tariffs', `CA/MAL/${encodeURIComponent(id)}`);
  await expect.poll(() => island.pushed('DELETE /tariffs/CA/MAL/X%20CA*EOA%20DEAR')).toHaveLength(1);
  await allBrought();
  expect(island.pushed('DELETE /tariffs/CA/EOA')).toEqual([]);
  expect(island.pushed('PUT /tariffs/CA/EOA/DEAR')).toHaveLength(1);
});

test("TRN-71: nobody tells everybody of another member's object under an id of its own", async () => {
  const location = { ...exampleLocation, ...mal, id: 'MINE' };
  const wrong: readonly [string, string, object, RegExp][] = [
    ['tariffs', 'CA/MAL/MINE', { ...exampleTariff, ...eoa, id: 'MINE' }, /party_id: "EOA" in the body, "MAL"/],
    ['tariffs', 'CA/MAL/MINE', { ...exampleTariff, ...mal, id: 'DEAR' }, /id: "DEAR" in the body/],
    ['locations', 'CA/MAL/MINE', { ...location, ...eoa }, /party_id: "EOA"/],
    ['tokens', 'CA/MAL/04AA', { ...exampleToken, ...mal, uid: '04BB' }, /uid: "04BB"/],
    ['locations', 'CA/MAL/MINE/E-1', { ...exampleLocation.evses![0]!, uid: 'E-2' }, /uid: "E-2"/],
  ];
  await tell('PUT', 'locations', 'CA/MAL/MINE', location);
  for (const [module, path, body, says] of wrong) {
    expect(await tell('PUT', module, path, body)).toMatchObject({
      http: 200,
      status_code: 2001,
      status_message: expect.stringMatching(says),
    });
  }
  const { data } = await ask(island, '/ocpi/2.2.1/sender/tariffs?limit=100', { to: hubAsParty });
  const told = (data as { id: string; party_id: string }[])
    .filter(({ id }) => !id.startsWith('MARK-'))
    .map(({ id, party_id }) => `${party_id} ${id}`);
  expect(told).toEqual(['EOA DEAR']);
});

test.each(['%2E', '%2E%2E'])('TRN-16: an id that would be resolved out of a URL, %s, holds up nothing', async (id) => {
  const name = decodeURIComponent(id);
  const raw = await RawHttp.open(hub);
  const put = (path: string, body: object) =>
    raw.write(
      [
        `PUT ${receiver(path)} HTTP/1.1`,
        'Host: x',
        `Authorization: Token ${Buffer.from(mallory.token).toString('base64')}`,
        'Content-Type: application/json',
        ...Object.entries(routingHeaders({ to: hubAsParty, from: mal })).map(
          ([header, value]) => `${header}: ${value}`,
        ),
        `Content-Length: ${Buffer.byteLength(JSON.stringify(body))}`,
        '',
        JSON.stringify(body),
      ].join('\r\n'),
    );
  put(`tariffs/CA/MAL/${id}`, { ...exampleTariff, ...mal, id: name });
  await expect
    .poll(() => raw.answer)
    .toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('cannot stand in a URL') });
  raw.close();
  const evse = { ...exampleLocation.evses![0]!, uid: name };
  expect(
    await tell('PUT', 'locations', 'CA/MAL/STEP', { ...exampleLocation, ...mal, id: 'STEP', evses: [evse] }),
  ).toMatchObject({ http: 200, status_code: 2001 });
  await allBrought();
});

test('HUB-19: a request that no HTTP could carry on makes no member OFFLINE', async () => {
  // In capitals the first two are CA*ISL: a dotless i, a long s.
  for (const party_id of ['ıSL', 'IſL', 'ISL\r\nX-Evil: 1', 'ISL\0']) {
    const session = { id: 'S-1', cdr_token: { country_code: 'CA', party_id }, status: 'ACTIVE' };
    expect(
      await ask(mallory, `${receiver('sessions')}/CA/MAL/S-1`, { method: 'PUT', body: session }),
      party_id,
    ).toMatchObject({ http: 200, status_code: expect.toSatisfy((code: number) => [2001, 4001].includes(code)) });
  }
  island.answer = () => ({ http: 201 });
  expect(
    await ask(oasis, `${receiver('sessions')}/CA/EOA/S-2`, { to: isle, method: 'PUT', body: { id: 'S-2' } }),
  ).toMatchObject({ http: 201, status_code: 1000 });
  expect(island.pushed('PUT /sessions')).toEqual(['PUT /sessions/CA/EOA/S-2']);
});

test('HUB-19 HCI-03: who asks a member for more than it answers makes it no more OFFLINE than it is', async () => {
  island.answer = (what) => (what.includes('/CA/MAL/FLOOD') ? 'never' : {});
  const many = await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      ask(mallory, `${receiver('sessions')}/CA/MAL/FLOOD-${n}`, {
        to: isle,
        method: 'PUT',
        body: { id: `FLOOD-${n}` },
      }),
    ),
  );
  expect(new Set(many.map(({ status_code }) => status_code))).toEqual(new Set([4002]));
  const infos = (await ask(oasis, '/ocpi/2.2.1/sender/hubclientinfo?limit=100')).data as { party_id: string; status: string }[];
  expect(infos.find(({ party_id }) => party_id === 'ISL')).toMatchObject({ status: 'CONNECTED' });
  island.hangUp();
  await expect
    .poll(
      async () =>
        (await ask(oasis, `${receiver('sessions')}/CA/EOA/S-4`, { to: isle, method: 'PUT', body: { id: 'S-4' } }))
          .status_code,
    )
    .toBe(1000);
});

test('TRN-81 TRN-80: a request that is played again goes on as the one it is, under one request id, so that its receiver knows it again', async () => {
  const body = { response_url: `${island.base}/r`, location_id: 'L', token: { ...exampleToken, ...isle } };
  const play = (id: string) =>
    ask(island, `${receiver('commands')}/START_SESSION`, {
      to: eoa,
      method: 'POST',
      body,
      headers: { 'X-Request-ID': id, 'X-Correlation-ID': 'c' },
    });
  oasis.seen.length = 0;
  for (const id of ['one', 'one', 'two']) expect(await play(id)).toMatchObject({ status_code: 1000 });
  const legs = oasis.seen.map(({ headers }) => headers['x-request-id']);
  expect([legs[0] === legs[1], legs[0] === legs[2], legs.includes('one')]).toEqual([true, false, false]);
  expect(new Set(oasis.seen.map((one) => JSON.stringify(one.body))).size).toBe(1);
});

test('HUB-15: what its receiver refused is not learned: it leads nobody astray', async () => {
  oasis.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
  expect(
    await tell('PUT', 'locations', 'CA/EOA/HARBOUR', { ...exampleLocation, ...eoa, id: 'HARBOUR' }, oasis),
  ).toMatchObject({ status_code: 1000 });
  island.answer = () => ({ http: 404, status: 2001 });
  await ask(mallory, `${receiver('locations')}/CA/MAL/HARBOUR`, { to: isle, method: 'PUT', body: { id: 'HARBOUR' } });
  oasis.seen.length = 0;
  const start = { response_url: `${island.base}/r`, location_id: 'HARBOUR', token: exampleToken };
  expect(await ask(island, `${receiver('commands')}/START_SESSION`, { method: 'POST', body: start })).toMatchObject({ status_code: 1000 });
  expect(oasis.pushed('POST /commands/START_SESSION')).toHaveLength(1);
});

test('HCI-02: of a party with two roles each is kept and read by itself, by `role` where it is asked for (D10)', async () => {
  const far = await HandPartner.open('Far hub', 'FAH', 'HUB', ['SENDER hubclientinfo', 'RECEIVER hubclientinfo']);
  expect((await far.register(hub)).status_code).toBe(1000);
  const url = `${receiver('hubclientinfo')}/CA/QQR`;
  const of = (role: string, status: string) => ({ country_code: 'CA', party_id: 'QQR', role, status, last_updated: '2022-02-01T17:00:00Z' });
  for (const body of [of('CPO', 'CONNECTED'), of('EMSP', 'OFFLINE')])
    expect(await call(hub, url, { token: far.token, method: 'PUT', body })).toMatchObject({ http: 200, status_code: 1000 });
  const read = async (query: string) => (await call(hub, `${url}${query}`, { token: far.token })).data as { role: string; status: string };
  expect(await read('?role=EMSP')).toMatchObject(of('EMSP', 'OFFLINE'));
  expect(await read('?role=CPO')).toMatchObject(of('CPO', 'CONNECTED'));
  expect(['CPO', 'EMSP']).toContain((await read('')).role);
  expect((await call(hub, `${url}?role=NSP`, { token: far.token })).http).toBe(404);
  await call(hub, '/ocpi/2.2.1/credentials', { token: far.token, method: 'DELETE' });
  await far.close();
});

test('HCI-04: what a hub said by a clock that was ahead is not its last word', async () => {
  const far = await HandPartner.open('Far hub', 'FAH', 'HUB', ['SENDER hubclientinfo', 'RECEIVER hubclientinfo']);
  expect((await far.register(hub)).status_code).toBe(1000);
  const url = `${receiver('hubclientinfo')}/CA/QQQ`;
  const said = async (status: string, last_updated: string) => {
    const body = { country_code: 'CA', party_id: 'QQQ', role: 'CPO', status, last_updated };
    expect(await call(hub, url, { token: far.token, method: 'PUT', body })).toMatchObject({ http: 200, status_code: 1000 });
    return ((await call(hub, url, { token: far.token })).data as { status: string }).status;
  };
  expect(await said('CONNECTED', '2022-02-01T17:00:00Z')).toBe('CONNECTED');
  expect(await said('OFFLINE', '2022-01-31T17:00:00Z'), 'older').toBe('CONNECTED');
  expect(await said('OFFLINE', '9999-12-31T23:59:59Z')).toBe('OFFLINE');
  expect(await said('CONNECTED', '2022-02-02T17:00:00Z')).toBe('CONNECTED');
  await call(hub, '/ocpi/2.2.1/credentials', { token: far.token, method: 'DELETE' });
  await far.close();
});

test('HCI-03: what a hub said between comes too late when it has said the same again since', async () => {
  const far = await HandPartner.open('Far hub', 'FAH', 'HUB', ['RECEIVER hubclientinfo']);
  expect((await far.register(hub)).status_code).toBe(1000);
  const url = `${receiver('hubclientinfo')}/CA/QQS`;
  const said = async (status: string, hour: number) => {
    const body = { country_code: 'CA', party_id: 'QQS', role: 'CPO', status, last_updated: `2022-02-01T${hour}:00:00Z` };
    expect(await call(hub, url, { token: far.token, method: 'PUT', body })).toMatchObject({ http: 200, status_code: 1000 });
    return (await call(hub, url, { token: far.token })).data;
  };
  expect(await said('OFFLINE', 17)).toMatchObject({ status: 'OFFLINE', last_updated: '2022-02-01T17:00:00Z' });
  expect(await said('OFFLINE', 20)).toMatchObject({ status: 'OFFLINE', last_updated: '2022-02-01T20:00:00Z' });
  expect(await said('CONNECTED', 19)).toMatchObject({ status: 'OFFLINE', last_updated: '2022-02-01T20:00:00Z' });
  await call(hub, '/ocpi/2.2.1/credentials', { token: far.token, method: 'DELETE' });
  await far.close();
});

test('HCI-03 HUB-22: whoever was behind a hub whose link has ended is reached by another one, and SUSPENDED without', async () => {
  const hubs = await Promise.all(['FAR', 'NEA'].map((partyId) => HandPartner.open(partyId, partyId, 'HUB', ['RECEIVER tokens', 'RECEIVER hubclientinfo'])));
  const [far, near] = hubs as [HandPartner, HandPartner];
  const info = { country_code: 'CA', party_id: 'QQU', role: 'CPO', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
  const leaves = (one: HandPartner) => call(hub, '/ocpi/2.2.1/credentials', { token: one.token, method: 'DELETE' });
  for (const one of hubs) {
    expect((await one.register(hub)).status_code).toBe(1000);
    expect(await call(hub, `${receiver('hubclientinfo')}/CA/QQU`, { token: one.token, method: 'PUT', body: info })).toMatchObject({ status_code: 1000 });
  }
  const put = async () => (await ask(island, `${receiver('tokens')}/CA/ISL/T-2`, {
    to: info, method: 'PUT', body: { ...exampleToken, ...isle, uid: 'T-2' },
  })).status_code;
  const listed = async () => ((await ask(island, '/ocpi/2.2.1/sender/hubclientinfo', { to: hubAsParty })).data as Party[])
    .filter(({ party_id }) => party_id === 'QQU');
  expect([await put(), await listed()]).toEqual([1000, [info]]);
  expect(far.pushed('PUT /tokens')).toHaveLength(1);
  await leaves(far);
  expect([await put(), await listed()]).toEqual([1000, [info]]);
  expect(near.pushed('PUT /tokens')).toHaveLength(1);
  await leaves(near);
  expect([await put(), await listed()]).toEqual([4003, [{ ...info, status: 'SUSPENDED' }]]);
  const told = () => island.seen.filter(({ what }) => what === 'PUT /hubclientinfo/CA/QQU').map(({ body }) => (body as ClientInfo).status);
  await expect.poll(() => told().at(-1)).toBe('SUSPENDED');
  expect((await near.register(hub)).status_code).toBe(1000);
  await call(hub, `${receiver('hubclientinfo')}/CA/QQU`, { token: near.token, method: 'PUT', body: info });
  expect([await put(), await listed()]).toEqual([1000, [info]]);
  await expect.poll(() => told().at(-1)).toBe('CONNECTED');
  await leaves(near);
  for (const one of hubs) await one.close();
});

test('HUB-23: who is no hub has nobody behind it, whatever it lists', async () => {
  const liar = await HandPartner.open('Liar', 'LIE', 'CPO', ['SENDER locations', 'RECEIVER tokens', 'SENDER hubclientinfo']);
  const data = [{ country_code: 'CA', party_id: 'QQT', role: 'CPO', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' }];
  liar.answer = (what) => (what.startsWith('GET /hubclientinfo') ? { data } : {});
  expect((await liar.register(hub)).status_code).toBe(1000);
  const db = await openDatabase({ url: hub.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const open = async () => (await db.query(`SELECT FROM due WHERE kind = 'pull-clients' AND done_at IS NULL`)).rowCount;
  await expect.poll(open).toBe(0);
  await db.close();
  const path = `${receiver('tokens')}/CA/ISL/T-1`;
  expect((await ask(island, path, { to: { country_code: 'CA', party_id: 'QQT' }, method: 'PUT', body: { ...exampleToken, ...isle, uid: 'T-1' } })).status_code).toBe(4001);
  expect(liar.pushed('PUT /tokens')).toEqual([]);
  await call(hub, '/ocpi/2.2.1/credentials', { token: liar.token, method: 'DELETE' });
  await liar.close();
});

test('HUB-22 HCI-03: who says that a member is behind it gets nothing that is for that member, also while that is away', async () => {
  const evil = await HandPartner.open('Evil hub', 'EVL', 'HUB', ['SENDER hubclientinfo', 'RECEIVER sessions', 'RECEIVER hubclientinfo']);
  expect((await evil.register(hub)).status_code).toBe(1000);
  const info = { ...isle, role: 'EMSP', status: 'CONNECTED', last_updated: '2031-01-01T00:00:00Z' };
  const claim = (body: typeof info) =>
    call(hub, `${receiver('hubclientinfo')}/CA/${body.party_id}`, { token: evil.token, method: 'PUT', body });
  expect(await claim(info)).toMatchObject({ status_code: 1000 });
  const put = () => ask(oasis, `${receiver('sessions')}/CA/EOA/S-3`, { to: isle, method: 'PUT', body: { id: 'S-3' } });
  const { port } = new URL(island.base);
  await island.close();
  for (const _ of ['at first', 'then']) expect(await put()).toMatchObject({ http: 200, status_code: 4003 });
  expect(evil.pushed('PUT /sessions')).toEqual([]);
  await island.reopen(Number(port));
  expect(await ask(island, '/ocpi/2.2.1/sender/tariffs', { to: hubAsParty })).toMatchObject({ status_code: 1000 });
  await expect.poll(async () => (await put()).status_code).toBe(1000);
  // HUB-23: nor does it speak for it.
  const as = await call(hub, `${receiver('sessions')}/CA/EOA/S-3`, {
    token: evil.token,
    method: 'GET',
    headers: routingHeaders({ to: eoa, from: isle }),
  });
  expect(as).toMatchObject({ status_code: 2001, status_message: expect.stringContaining('none of your roles') });

  const db = await openDatabase({ url: hub.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  await db.query(`INSERT INTO client_infos (country_code, party_id, role, partner_id, behind, status, last_updated)
    SELECT 'ZZ', 'X' || n, 'CPO', partner_id, true, 'SUSPENDED', '2030-01-01T00:00:00Z' FROM partners, generate_series(1, 10000 - 1) n WHERE name = 'Evil hub'`);
  await db.close();
  expect(await claim({ ...info, party_id: 'ONE', status: 'PLANNED' })).toMatchObject({
    http: 200,
    status_code: 2001,
    status_message: expect.stringContaining('no more than 10000'),
  });
  expect(await claim({ ...info, status: 'OFFLINE' }), 'one that is known').toMatchObject({ status_code: 1000 });
  await call(hub, '/ocpi/2.2.1/credentials', { token: evil.token, method: 'DELETE' });
  await evil.close();
});

test.each([
  'null',
  '[]',
  '"x"',
  '0',
  '{"response_url":7}',
  '{"reservation_id":{"toString":1}}',
  '{"__proto__":{"response_url":"http://127.0.0.1:9/"}}',
])('TRN-40: %s is forwarded as it is, for the receiver to judge', async (body) => {
  for (const command of ['RESERVE_NOW', 'CANCEL_RESERVATION', 'START_SESSION']) {
    oasis.answer = () => ({ status: 2001 });
    expect(await ask(island, `${receiver('commands')}/${command}`, { to: eoa, method: 'POST', body })).toMatchObject({
      http: 200,
      status_code: 2001,
      status_message: 'said 2001',
    });
    oasis.answer = () => ({});
    expect(await ask(island, `${receiver('commands')}/${command}`, { to: eoa, method: 'POST', body })).toMatchObject({
      http: 200,
      status_code: 1000,
    });
  }
  expect(oasis.seen.at(-1)!.body).toEqual(JSON.parse(body));
});

test.each([
  ['NUL', '{"x":"\\u0000"}', /\\u0000/],
  ['half a surrogate pair', '{"x":"\\ud83d"}', /\\ud83d/],
  ['the other half', '{"x":"\\ude00\\ud83d"}', /\\ude00/],
  ['a name that stands twice', '{"id":"S-9","id":"S-8"}', /twice/],
  ['one deep within', '{"x":[{"y":{"z":1,"\\u007a":2}}]}', /twice/],
])('%s in a body goes nowhere: not to a receiver, not to everybody', async (_what, body, says) => {
  const refused = { http: 200, status_code: 2001, status_message: expect.stringMatching(says) };
  expect(await ask(mallory, `${receiver('sessions')}/CA/MAL/S-9`, { to: isle, method: 'PUT', body })).toMatchObject(
    refused,
  );
  expect(await tell('PUT', 'tariffs', 'CA/MAL/T-9', { ...exampleTariff, ...mal, id: 'T-9' })).toMatchObject({
    status_code: 1000,
  });
  const whole = JSON.stringify({ ...exampleTariff, ...mal, id: 'T-9' }).replace(/}$/, `,"more":${body}}`);
  expect(
    await call(hub, `${receiver('tariffs')}/CA/MAL/T-9`, {
      token: mallory.token,
      method: 'PUT',
      body: whole,
      headers: routingHeaders({ to: hubAsParty, from: mal }),
    }),
  ).toMatchObject(refused);
  expect(island.pushed('PUT /sessions/CA/MAL/S-9')).toEqual([]);
});
