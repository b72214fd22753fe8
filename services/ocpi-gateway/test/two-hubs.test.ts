import { afterAll, beforeAll, expect, test } from 'vitest';
import { invitePartner, registerPartner } from '#contracts/ocpi-gateway';
import { authorization, exampleCdr, exampleLocation, nextLink, type Party, routingHeaders } from '#ocpi';
import { start } from '../src/start.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side, versionsUrl } from './side.ts';

// A CPO behind one hub, an eMSP behind another, the two hubs registered with each other.

const oasis = { country_code: 'CA', party_id: 'EOA' };
const plunk = { country_code: 'CA', party_id: 'CPK' };
const west = { country_code: 'CA', party_id: 'HWE' };
const hubOf = (name: string, party_id: string) => ({
  party: { country_code: 'CA', party_id, name, roles: ['HUB'] },
  hub: { quiet_s: 3600 },
});

let westHub: Side;
let eastHub: Side;
let cpo: HandPartner;
let emsp: HandPartner;

beforeAll(async () => {
  [westHub, eastHub] = await Promise.all([openSide(hubOf('West', 'HWE')), openSide(hubOf('East', 'HEA'))]);
  cpo = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', [
    'SENDER locations',
    'RECEIVER commands',
    'RECEIVER tokens',
    'RECEIVER hubclientinfo',
  ]);
  emsp = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', [
    'RECEIVER locations',
    'RECEIVER sessions',
    'RECEIVER cdrs',
    'SENDER commands',
    'RECEIVER hubclientinfo',
  ]);
  await cpo.register(westHub);
  await emsp.register(eastHub);
  const { tokenA } = await westHub.neighbours.bus.ask(invitePartner, {
    name: 'East',
    parties: [{ party: { countryCode: 'CA', partyId: 'HEA' }, roles: ['HUB'] }],
  });
  await eastHub.neighbours.bus.ask(registerPartner, { name: 'West', versionsUrl: versionsUrl(westHub), tokenA }, { timeoutMs: 30_000 });
});
afterAll(async () => {
  await Promise.all([cpo?.close(), emsp?.close()]);
  await Promise.all([westHub?.close(), eastHub?.close()]);
});

const asked = (hub: Side, from: HandPartner, to: Party, path: string, method: string, body: object) =>
  call(hub, `/ocpi/2.2.1/receiver/${path}`, {
    token: from.token,
    method,
    body,
    headers: routingHeaders({ to, from: { country_code: 'CA', party_id: from.partyId } }),
  });
const party = (headers: Headers, side: string) => `${headers.get(`ocpi-${side}-country-code`)}*${headers.get(`ocpi-${side}-party-id`)}`;

test('HUB-22: who is behind one hub is known behind the other', async () => {
  await expect.poll(() => cpo.pushed('PUT /hubclientinfo/CA/CPK')).toHaveLength(1);
  await expect.poll(() => emsp.pushed('PUT /hubclientinfo/CA/EOA')).toHaveLength(1);
});

test('HUB-22, TRN-81: a request goes over both hubs with TO and FROM end to end, and its result comes back the same way', async () => {
  const session = {
    ...oasis,
    id: 'S1',
    start_date_time: '2022-02-01T17:00:00Z',
    kwh: 1,
    cdr_token: { ...plunk, uid: '04E2', type: 'RFID', contract_id: 'C1' },
    auth_method: 'WHITELIST',
    location_id: 'L',
    evse_uid: '1',
    connector_id: '1',
    currency: 'CAD',
    status: 'ACTIVE',
    last_updated: '2022-02-01T17:00:00Z',
  };
  const answer = await asked(westHub, cpo, plunk, 'sessions/CA/EOA/S1', 'PUT', session);
  expect([answer.status_code, party(answer.headers, 'from'), party(answer.headers, 'to')]).toEqual([1000, 'CA*CPK', 'CA*EOA']);
  const leg = emsp.seen.find(({ what }) => what === 'PUT /sessions/CA/EOA/S1')!;
  expect(leg.body).toEqual(session);
  expect(leg.headers).toMatchObject({ 'ocpi-from-party-id': 'EOA', 'ocpi-to-party-id': 'CPK', via: '1.1 CA*HWE, 1.1 CA*HEA' });

  cpo.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
  await asked(eastHub, emsp, oasis, 'commands/STOP_SESSION', 'POST', { session_id: 'S1', response_url: `${emsp.base}/results/1` });
  const { response_url: url } = cpo.seen.find(({ what }) => what === 'POST /commands/STOP_SESSION')!.body as { response_url: string };
  const result = await call(westHub, url, {
    token: cpo.token,
    method: 'POST',
    body: { result: 'ACCEPTED' },
    headers: routingHeaders({ to: plunk, from: oasis }),
  });
  expect(result.status_code).toBe(1000);
  expect(emsp.pushed('POST /results/1')).toHaveLength(1);
});

test('HUB-20 HUB-22 CDR-01: the next page of a list and the Location of a CDR lead back over both hubs', async () => {
  const get = (hub: Side, from: HandPartner, to: Party, url: string) => call(hub, url, {
    token: from.token, headers: routingHeaders({ to, from: { country_code: 'CA', party_id: from.partyId } }),
  });
  cpo.answer = (what) => {
    const offset = Number(new URL(what.split(' ')[1]!, cpo.base).searchParams.get('offset') ?? 0);
    const next = `<${cpo.base}/locations?date_from=2022-01-01T00%3A00%3A00Z&offset=${offset + 1}&limit=1>; rel="next"`;
    return { data: [{ ...exampleLocation, ...oasis, id: `L-${offset}` }], headers: { 'X-Total-Count': '3', 'X-Limit': '1', ...(offset < 2 ? { Link: next } : {}) } };
  };
  const ids: string[] = [];
  for (let url: string | undefined = '/ocpi/2.2.1/sender/locations?date_from=2022-01-01T00:00:00Z&limit=1'; url;) {
    const page = await get(eastHub, emsp, oasis, url);
    expect([page.status_code, page.headers.get('x-total-count'), page.headers.get('x-limit')]).toEqual([1000, '3', '1']);
    ids.push(...(page.data as { id: string }[]).map(({ id }) => id));
    url = nextLink(page.headers.get('link') ?? undefined);
    if (url) expect(new URL(url).origin).toBe(new URL(versionsUrl(eastHub)).origin);
  }
  expect(ids).toEqual(['L-0', 'L-1', 'L-2']);
  expect(cpo.pushed('GET /locations').slice(1)).toEqual([1, 2].map((n) => `GET /locations?date_from=2022-01-01T00%3A00%3A00Z&offset=${n}&limit=1`));

  const cdr = { ...exampleCdr, ...oasis, cdr_token: { ...exampleCdr.cdr_token, ...plunk } };
  emsp.answer = (what) => (what.startsWith('GET') ? { data: cdr } : { http: 201, headers: { Location: `${emsp.base}/kept/7?by=EOA` } });
  const posted = await asked(westHub, cpo, plunk, 'cdrs', 'POST', cdr);
  expect([posted.http, posted.status_code]).toEqual([201, 1000]);
  const location = posted.headers.get('location')!;
  expect(new URL(location).origin).toBe(new URL(versionsUrl(westHub)).origin);
  expect(await get(westHub, cpo, plunk, location)).toMatchObject({ status_code: 1000, data: cdr });
  expect(emsp.seen.at(-1)).toMatchObject({
    what: 'GET /kept/7?by=EOA', headers: { 'ocpi-from-party-id': 'EOA', 'ocpi-to-party-id': 'CPK', authorization: authorization(emsp.given) },
  });
  // A URL is its holder's alone, on either hub.
  expect((await get(eastHub, emsp, oasis, new URL(location).pathname)).http).toBe(404);
});

test('HUB-22: a request that has gone through a hub before goes round, whichever of its processes it comes back to', async () => {
  const other = await start({ ...westHub.platform.env, OCPI_PORT: '0' });
  const asked = (via: string) => call({ ...westHub, gateway: other }, '/ocpi/2.2.1/receiver/commands/STOP_SESSION', {
    token: cpo.token, method: 'POST', body: { session_id: 'S1', response_url: `${cpo.base}/results/2` },
    headers: { ...routingHeaders({ to: plunk, from: oasis }), Via: via },
  });
  expect(await asked('1.1 proxy, 1.1 CA*HWE, 1.1 CA*HEA')).toMatchObject({ status_code: 4001, status_message: expect.stringContaining('leads from this hub back') });
  expect((await asked('1.1 proxy, 1.1 CA*HEA')).status_message).not.toContain('leads from this hub back');
  await other.stop();
});

test('HUB-22: what is told to everybody behind one hub reaches those behind the other once, each leg from its hub', async () => {
  const location = { ...exampleLocation, ...oasis, id: 'ALL' };
  expect((await asked(westHub, cpo, west, 'locations/CA/EOA/ALL', 'PUT', location)).status_code).toBe(1000);
  await expect.poll(() => emsp.pushed('PUT /locations/CA/EOA/ALL')).toHaveLength(1);
  const leg = emsp.seen.find(({ what }) => what === 'PUT /locations/CA/EOA/ALL')!;
  expect(leg.body).toEqual(location);
  expect(leg.headers).toMatchObject({ 'ocpi-from-party-id': 'HEA', 'ocpi-to-party-id': 'CPK' });
});

test('HCI-03 HUB-22: a party that has a link to both hubs and ends the one is not gone at the other, nor twice in its list', async () => {
  const page = async (offset: number) =>
    (await call(eastHub, `/ocpi/2.2.1/sender/hubclientinfo?offset=${offset}`, { token: emsp.token })).data as { party_id: string; status: string }[];
  const statusesOf = async (id: string) =>
    [...await page(0), ...await page(2)].filter(({ party_id }) => party_id === id).map(({ status }) => status);
  const west = await HandPartner.open('Northern', 'NOR', 'CPO', ['RECEIVER commands']);
  const east = await HandPartner.open('Northern', 'NOR', 'CPO', ['RECEIVER commands']);
  await west.register(westHub);
  await expect.poll(() => statusesOf('NOR')).toEqual(['CONNECTED']);
  await east.register(eastHub);
  expect(await statusesOf('NOR')).toEqual(['CONNECTED']);
  await call(westHub, '/ocpi/2.2.1/credentials', { token: west.token, method: 'DELETE' });
  await call(westHub, '/ocpi/2.2.1/credentials', { token: cpo.token, method: 'DELETE' });
  // What West says of both goes in its order.
  await expect.poll(() => statusesOf('EOA')).toEqual(['SUSPENDED']);
  await expect.poll(() => emsp.pushed('PUT /hubclientinfo/CA/EOA')).toHaveLength(2);
  expect(await statusesOf('NOR')).toEqual(['CONNECTED']);
  const heard = emsp.seen.filter(({ what }) => what === 'PUT /hubclientinfo/CA/NOR').map(({ body }) => (body as { status: string }).status);
  expect(new Set(heard)).toEqual(new Set(['CONNECTED']));
  await Promise.all([west.close(), east.close()]);
});
