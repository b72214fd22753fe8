import { afterAll, beforeAll, expect, test } from 'vitest';
import { listPartners, pullPartner } from '#contracts/ocpi-gateway';
import { exampleLocation, exampleToken, routingHeaders } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// OCPI 2.3.0 beside 2.2.1: types of Tokens that 2.2.1 does not know, in URLs, too; hubs.

let oasis: Side;
let plunk: Side;
const partners: HandPartner[] = [];

beforeAll(async () => {
  [oasis, plunk] = await Promise.all([openSide({}), openSide({ party: plunkParty })]);
});
afterAll(async () => {
  await Promise.all(partners.map((partner) => partner.close()));
  await oasis?.close();
  await plunk?.close();
});

async function registered(side: Side, partyId: string, role: string, version: string): Promise<HandPartner> {
  const partner = await HandPartner.open('Example', partyId, role, [role === 'CPO' ? 'RECEIVER tokens' : 'RECEIVER locations']);
  partner.version = version;
  partners.push(partner);
  expect(await partner.register(side)).toMatchObject({ http: 200, status_code: 1000 });
  return partner;
}

test('2.3.0 an EMAID, which 2.2.1 has no word for, is pushed, read and changed as an OTHER Token', async () => {
  const { token } = await registered(oasis, 'TDA', 'EMSP', '2.3.0');
  const url = '/ocpi/2.3.0/receiver/tokens/CA/TDA/CA-TDA-C1?type=EMAID';
  const body = { ...exampleToken, party_id: 'TDA', uid: 'CA-TDA-C1', type: 'EMAID' };
  expect(await call(oasis, url, { token, method: 'PUT', body })).toMatchObject({ http: 201, status_code: 1000 });
  expect((await call(oasis, url, { token })).data).toMatchObject({ uid: 'CA-TDA-C1', type: 'OTHER' });
  const change = { valid: false, last_updated: '2030-01-01T00:00:00Z' };
  expect(await call(oasis, url, { token, method: 'PATCH', body: change })).toMatchObject({ http: 200, status_code: 1000 });
  expect(oasis.neighbours.partners.get('TOKEN CA*TDA OTHER CA-TDA-C1')).toMatchObject({ valid: false });
});

test('2.3.0 who asks to authorize an EMAID that is none of ours hears that it is unknown', async () => {
  const { token } = await registered(plunk, 'TDB', 'CPO', '2.3.0');
  const answer = await call(plunk, '/ocpi/2.3.0/sender/tokens/CA-CPK-C9/authorize?type=EMAID', { token, method: 'POST' });
  expect([answer.http, answer.status_code]).toEqual([404, 2004]);
});

test('2.3.0 a hub lists the parties behind it beside itself: what is for all of them is told to the hub, once', async () => {
  oasis.neighbours.own.locations.push({ ...exampleLocation, id: 'BURNABY' });
  const hub = await HandPartner.open('Hub', 'HMA', 'EMSP', ['RECEIVER locations'], ['EMSP HMB']);
  hub.version = '2.3.0';
  hub.hubPartyId = 'CAHUB';
  partners.push(hub);
  expect(await hub.register(oasis)).toMatchObject({ http: 200, status_code: 1000 });
  await expect.poll(() => hub.pushed('PUT /locations/')).toEqual(['PUT /locations/CA/BCT/BURNABY']);
  const { headers } = hub.seen.find(({ what }) => what.startsWith('PUT /locations/'))!;
  expect([headers['ocpi-to-country-code'], headers['ocpi-to-party-id']]).toEqual(['CA', 'HUB']);
  expect(await standing('Hub')).toEqual([['HUB HUB'], ['HMA', 'HMB']]);
});

/** The roles of a partner, and who is behind it. */
async function standing(hubName: string): Promise<[string[], string[]]> {
  const { roles, behind } = (await oasis.neighbours.bus.ask(listPartners, {})).partners.find(({ name }) => name === hubName)!;
  return [roles.map(({ role, party }) => `${role} ${party!.partyId}`), behind.map(({ partyId }) => partyId).sort()];
}

test('2.3.0 a hub may list who has a link of its own, and ourselves: it is heard there as long as that stands, and comes and goes with the list', async () => {
  const direct = await registered(oasis, 'DIR', 'EMSP', '2.2.1');
  const hub = await HandPartner.open('Hub of all', 'DIR', 'EMSP', ['RECEIVER locations'], ['EMSP VIA', 'CPO BCT']);
  hub.version = '2.3.0';
  hub.hubPartyId = 'CAHUD';
  partners.push(hub);
  // As an operator invites it: nobody names each of those behind it.
  hub.parties = () => [{ party: { countryCode: 'CA', partyId: 'HUD' }, roles: ['HUB'] }];
  expect(await hub.register(oasis)).toMatchObject({ http: 200, status_code: 1000 });
  expect(await standing('Hub of all')).toEqual([['HUB HUD'], ['VIA']]);
  await call(oasis, '/ocpi/2.2.1/credentials', { token: direct.token, method: 'DELETE' });
  expect(await standing('Hub of all')).toEqual([['HUB HUD'], ['DIR', 'VIA']]);
  const via = await registered(oasis, 'VIA', 'EMSP', '2.2.1');
  expect(via.token).not.toBe('');
  expect(await standing('Hub of all')).toEqual([['HUB HUD'], ['DIR']]);
  const { roles, ...others } = hub.credentials() as { roles: { party_id: string }[] };
  const body = { ...others, roles: roles.filter(({ party_id }) => party_id !== 'DIR') };
  expect(await call(oasis, '/ocpi/2.3.0/credentials', { token: hub.token, method: 'PUT', body })).toMatchObject({ http: 200, status_code: 1000 });
  expect(await standing('Hub of all')).toEqual([['HUB HUD'], []]);
});

test('2.3.0 TRN-14 of a hub that lists the parties behind it the CDRs of each are pulled', async () => {
  const hub = await HandPartner.open('Hub of CPOs', 'HCA', 'CPO', ['SENDER cdrs', 'RECEIVER tokens'], ['CPO HCB']);
  hub.version = '2.3.0';
  hub.hubPartyId = 'CAHUC';
  hub.answer = (what) => (what.startsWith('GET /cdrs') ? { data: [], headers: { 'X-Total-Count': '0', 'X-Limit': '100' } } : {});
  partners.push(hub);
  expect(await hub.register(plunk)).toMatchObject({ http: 200, status_code: 1000 });
  const { bus } = plunk.neighbours;
  const { partnerId } = (await bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Hub of CPOs')!;
  await bus.ask(pullPartner, { partnerId, full: true });
  const asked = () => hub.seen.filter(({ what }) => what.startsWith('GET /cdrs')).map(({ headers }) => headers['ocpi-to-party-id']);
  await expect.poll(() => asked().sort()).toEqual(['HCA', 'HCB']);
});

test('what a party behind a hub is, that hub says, and no other one, least of all one that nobody has approved', async () => {
  const hub = await HandPartner.open('Hub of eMSPs', 'HUE', 'HUB', ['RECEIVER tokens']);
  const liar = await HandPartner.open('Hub of nobody', 'HLA', 'CPO', ['RECEIVER tokens'], ['CPO HEB']);
  liar.version = '2.3.0';
  liar.hubPartyId = 'CAHUL';
  liar.parties = () => [];
  partners.push(hub, liar);
  expect(await hub.register(plunk)).toMatchObject({ http: 200, status_code: 1000 });
  const party = { country_code: 'CA', party_id: 'HEB' };
  const info = { ...party, role: 'EMSP', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
  expect(await call(plunk, '/ocpi/2.2.1/receiver/hubclientinfo/CA/HEB', { token: hub.token, method: 'PUT', body: info })).toMatchObject({ status_code: 1000 });
  const tokens = async () => (await call(plunk, '/ocpi/2.2.1/sender/tokens', {
    token: hub.token, headers: routingHeaders({ from: party, to: { country_code: 'CA', party_id: 'CPK' } }),
  })).http;
  expect(await tokens()).toBe(404);
  expect(await liar.register(plunk)).toMatchObject({ http: 200, status_code: 1000 });
  expect(await call(plunk, '/ocpi/2.3.0/sender/tokens', { token: liar.token })).toMatchObject({ http: 403 });
  expect(await tokens()).toBe(404);
  const { partners: all } = await plunk.neighbours.bus.ask(listPartners, {});
  expect(all.find(({ name }) => name === 'Hub of nobody')).toMatchObject({ state: 'unapproved', behind: [{ partyId: 'HEB' }, { partyId: 'HLA' }] });
});

test('2.1.1 an unknown Token is 404 with a status code that 2.1.1 has', async () => {
  const { token } = await registered(plunk, 'TDC', '', '2.1.1');
  const answer = await call(plunk, '/ocpi/2.1.1/tokens/04FF/authorize', { token, method: 'POST' });
  expect([answer.http, answer.status_code]).toEqual([404, 2001]);
});
