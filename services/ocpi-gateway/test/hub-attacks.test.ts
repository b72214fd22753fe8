import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { exampleLocation, exampleTariff, exampleToken, type Party, routingHeaders } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { RawHttp } from './raw-http.ts';
import { call, type CallOptions, openSide, type Side } from './side.ts';

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
  hub = await openSide({ party: { ...hubAsParty, name: 'Open Hub', roles: ['HUB'] }, hub: { quiet_s: 3600, offline_check_s: 3600 } });
  const asCpo = ['SENDER locations', 'SENDER tariffs', 'SENDER sessions', 'RECEIVER tokens', 'RECEIVER commands'];
  mallory = await HandPartner.open('Mallory', 'MAL', 'CPO', [...asCpo, 'SENDER commands'], ['EMSP']);
  oasis = await HandPartner.open('Oasis', 'EOA', 'CPO', asCpo);
  island = await HandPartner.open('Island', 'ISL', 'EMSP', ['RECEIVER locations', 'RECEIVER tariffs', 'RECEIVER sessions', 'SENDER tokens', 'SENDER commands', 'RECEIVER hubclientinfo']);
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
  call(hub, path, { token: from.token, ...more, headers: { ...routingHeaders({ ...(to ? { to } : {}), from: { country_code: 'CA', party_id: from.partyId } }), ...more.headers } });
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
  expect(await tell('PUT', 'tariffs', `CA/MAL/${encodeURIComponent(id)}`, { ...exampleTariff, ...mal, id })).toMatchObject({ http: 201, status_code: 1000 });
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
    expect(await tell('PUT', module, path, body)).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringMatching(says) });
  }
  const { data } = await ask(island, '/ocpi/2.2.1/sender/tariffs?limit=100', { to: hubAsParty });
  const told = (data as { id: string; party_id: string }[]).filter(({ id }) => !id.startsWith('MARK-')).map(({ id, party_id }) => `${party_id} ${id}`);
  expect(told).toEqual(['EOA DEAR']);
});

test.each(['%2E', '%2E%2E'])('TRN-16: an id that would be resolved out of a URL, %s, holds up nothing', async (id) => {
  const name = decodeURIComponent(id);
  const raw = await RawHttp.open(hub);
  const put = (path: string, body: object) => raw.write([
    `PUT ${receiver(path)} HTTP/1.1`, 'Host: x', `Authorization: Token ${Buffer.from(mallory.token).toString('base64')}`, 'Content-Type: application/json',
    ...Object.entries(routingHeaders({ to: hubAsParty, from: mal })).map(([header, value]) => `${header}: ${value}`),
    `Content-Length: ${Buffer.byteLength(JSON.stringify(body))}`, '', JSON.stringify(body),
  ].join('\r\n'));
  put(`tariffs/CA/MAL/${id}`, { ...exampleTariff, ...mal, id: name });
  await expect.poll(() => raw.answer).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('cannot stand in a URL') });
  raw.close();
  const evse = { ...exampleLocation.evses![0]!, uid: name };
  expect(await tell('PUT', 'locations', 'CA/MAL/STEP', { ...exampleLocation, ...mal, id: 'STEP', evses: [evse] })).toMatchObject({ http: 200, status_code: 2001 });
  await allBrought();
});

test('HUB-19: a request that no HTTP could carry on makes no member OFFLINE', async () => {
  // In capitals the first two are CA*ISL: a dotless i, a long s.
  for (const party_id of ['ıSL', 'IſL', 'ISL\r\nX-Evil: 1', 'ISL\0']) {
    const session = { id: 'S-1', cdr_token: { country_code: 'CA', party_id }, status: 'ACTIVE' };
    expect(await ask(mallory, `${receiver('sessions')}/CA/MAL/S-1`, { method: 'PUT', body: session }), party_id).toMatchObject({ http: 200, status_code: expect.toSatisfy((code: number) => [2001, 4001].includes(code)) });
  }
  island.answer = () => ({ http: 201 });
  expect(await ask(oasis, `${receiver('sessions')}/CA/EOA/S-2`, { to: isle, method: 'PUT', body: { id: 'S-2' } })).toMatchObject({ http: 201, status_code: 1000 });
  expect(island.pushed('PUT /sessions')).toEqual(['PUT /sessions/CA/EOA/S-2']);
});

test('HUB-15: what its receiver refused is not learned: it leads nobody astray', async () => {
  oasis.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
  expect(await tell('PUT', 'locations', 'CA/EOA/HARBOUR', { ...exampleLocation, ...eoa, id: 'HARBOUR' }, oasis)).toMatchObject({ status_code: 1000 });
  island.answer = () => ({ http: 404, status: 2001 });
  await ask(mallory, `${receiver('locations')}/CA/MAL/HARBOUR`, { to: isle, method: 'PUT', body: { id: 'HARBOUR' } });
  const start = { response_url: `${island.base}/r`, location_id: 'HARBOUR', token: exampleToken };
  expect(await ask(island, `${receiver('commands')}/START_SESSION`, { method: 'POST', body: start })).toMatchObject({ status_code: 1000 });
  expect(oasis.pushed('POST /commands/START_SESSION')).toHaveLength(1);
});

test.each(['null', '[]', '"x"', '0', '{"response_url":7}', '{"reservation_id":{"toString":1}}', '{"__proto__":{"response_url":"http://127.0.0.1:9/"}}'])(
  'TRN-40: %s is forwarded as it is, for the receiver to judge', async (body) => {
    for (const command of ['RESERVE_NOW', 'CANCEL_RESERVATION', 'START_SESSION']) {
      oasis.answer = () => ({ status: 2001 });
      expect(await ask(island, `${receiver('commands')}/${command}`, { to: eoa, method: 'POST', body })).toMatchObject({ http: 200, status_code: 2001, status_message: 'said 2001' });
      oasis.answer = () => ({});
      expect(await ask(island, `${receiver('commands')}/${command}`, { to: eoa, method: 'POST', body })).toMatchObject({ http: 200, status_code: 1000 });
    }
    expect(oasis.seen.at(-1)!.body).toEqual(JSON.parse(body));
  });

test.each([
  ['NUL', '{"x":"\\u0000"}', /\\u0000/], ['half a surrogate pair', '{"x":"\\ud83d"}', /\\ud83d/], ['the other half', '{"x":"\\ude00\\ud83d"}', /\\ude00/],
  ['a name that stands twice', '{"id":"S-9","id":"S-8"}', /twice/], ['one deep within', '{"x":[{"y":{"z":1,"\\u007a":2}}]}', /twice/],
])('%s in a body goes nowhere: not to a receiver, not to everybody', async (_what, body, says) => {
  const refused = { http: 200, status_code: 2001, status_message: expect.stringMatching(says) };
  expect(await ask(mallory, `${receiver('sessions')}/CA/MAL/S-9`, { to: isle, method: 'PUT', body })).toMatchObject(refused);
  expect(await tell('PUT', 'tariffs', 'CA/MAL/T-9', { ...exampleTariff, ...mal, id: 'T-9' })).toMatchObject({ status_code: 1000 });
  const whole = JSON.stringify({ ...exampleTariff, ...mal, id: 'T-9' }).replace(/}$/, `,"more":${body}}`);
  expect(await call(hub, `${receiver('tariffs')}/CA/MAL/T-9`, { token: mallory.token, method: 'PUT', body: whole, headers: routingHeaders({ to: hubAsParty, from: mal }) })).toMatchObject(refused);
  expect(island.pushed('PUT /sessions/CA/MAL/S-9')).toEqual([]);
});
