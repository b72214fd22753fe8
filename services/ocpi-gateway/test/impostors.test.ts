import { afterAll, beforeAll, expect, test } from 'vitest';
import { invitePartner, listPartners } from '#contracts/ocpi-gateway';
import { exampleCdr, exampleToken } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// Montreal is registered; Mallory has a TOKEN_A of her own and would like to be somebody else.

let oasis: Side;
let montreal: HandPartner;
const impostors: HandPartner[] = [];

beforeAll(async () => {
  oasis = await openSide({ party: { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' } });
  oasis.neighbours.own.cdrs.push({ ...exampleCdr, cdr_token: { ...exampleCdr.cdr_token, party_id: 'MTL' } });
  montreal = await partnerNamed('MTL', 'EMSP');
  await montreal.register(oasis);
});
afterAll(async () => {
  await Promise.all([montreal, ...impostors].map((one) => one?.close()));
  await oasis?.close();
});

const partnerNamed = (partyId: string, role: string) => HandPartner.open(`${role} ${partyId}`, partyId, role, ['SENDER tokens', 'SENDER locations']);
const get = (partner: HandPartner, path: string, more: object = {}) => call(oasis, `/ocpi/2.2.1/${path}`, { token: partner.token, ...more });

test.each([
  ['MTL', 'EMSP', 'CA*MTL is on another platform'], ['mtl', 'CPO', 'CA*MTL is on another platform'],
  ['BCT', 'EMSP', 'CA*BCT is this platform'], ['bct', 'CPO', 'CA*BCT is this platform'],
])('who is invited cannot register as %s, %s', async (partyId, role, why) => {
  const mallory = await partnerNamed(partyId, role);
  impostors.push(mallory);
  expect(await mallory.register(oasis)).toMatchObject({ http: 200, status_code: 2000, status_message: expect.stringContaining(why) });
  expect((await get(montreal, 'sender/cdrs')).data, 'the link of the real one stands').toHaveLength(1);
  const { partners } = await oasis.neighbours.bus.ask(listPartners, {});
  expect(partners.filter(({ state }) => state === 'registered').map(({ name }) => name)).toEqual(['EMSP MTL']);
});

test('HUB-23 who is registered cannot take another name by PUT, and keeps its own', async () => {
  const mallory = await partnerNamed('MAL', 'EMSP');
  impostors.push(mallory);
  await mallory.register(oasis);
  const own = mallory.credentials() as { roles: object[] };
  for (const party_id of ['MTL', 'BCT']) {
    const body = { ...own, roles: [...own.roles, { ...own.roles[0], party_id }] };
    expect(await get(mallory, 'credentials', { method: 'PUT', body })).toMatchObject({ http: 200, status_code: 2000 });
  }
  expect((await get(mallory, 'sender/cdrs')).data).toEqual([]);
  expect(await get(mallory, 'credentials', { method: 'PUT', body: own })).toMatchObject({ status_code: 1000 });
});

test("CRE-11 who names another's URL, where any token is answered, proves nothing and takes nobody's place", async () => {
  const mallory = await partnerNamed('MLY', 'EMSP');
  impostors.push(mallory);
  await mallory.register(oasis);
  const asMontreal = { ...montreal.credentials(), token: 'of-mallory' };
  const { tokenA } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Mallory again' });
  const refused = { http: 200, status_code: 2000, status_message: expect.stringContaining('answers to any token') };
  expect(await get(mallory, 'credentials', { method: 'PUT', body: asMontreal })).toMatchObject(refused);
  expect(await call(oasis, '/ocpi/2.2.1/credentials', { token: tokenA, method: 'POST', body: asMontreal })).toMatchObject(refused);
  montreal.asksForToken = true;
  expect(await call(oasis, '/ocpi/2.2.1/credentials', { token: tokenA, method: 'POST', body: asMontreal })).toMatchObject({ http: 200, status_code: 3001 });
  expect((await get(montreal, 'sender/cdrs')).data, 'the link of the real one stands').toHaveLength(1);
});

test('a partner that starts over at its own URL takes the place of its older link', async () => {
  montreal.asksForToken = true;
  const old = montreal.token;
  expect(await montreal.register(oasis)).toMatchObject({ status_code: 1000 });
  expect((await call(oasis, '/ocpi/2.2.1/sender/cdrs', { token: old })).http).toBe(401);
  expect((await get(montreal, 'sender/cdrs')).data).toHaveLength(1);
});

test('TRN-72 an id in the URL that no id can be is refused by name', async () => {
  for (const id of ['%00', 'a%00b', '%0D%0AX-Evil:1', '%C3%A9']) {
    const message = { status_code: 2001, status_message: expect.stringContaining('in the URL: holds a character') };
    expect(await get(montreal, `sender/locations/${id}`), id).toMatchObject({ http: 200, ...message });
    expect(await get(montreal, `receiver/tokens/CA/MTL/${id}`), id).toMatchObject({ http: 200, ...message });
  }
});

test('an object that is too long for any answer is refused with its size; one of countless values, too', async () => {
  const { tokenA: token } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Long' });
  const put = (body: unknown) => get(montreal, 'receiver/tokens/CA/MTL/LONG', { method: 'PUT', body });
  const card = { ...exampleToken, party_id: 'MTL', uid: 'LONG' };
  expect(await put({ ...card, more: 'x'.repeat(950_000) })).toMatchObject({ http: 413, status_code: 2001, status_message: expect.stringContaining('too long') });
  expect(await put({ ...card, more: 'x'.repeat(1_000_000) })).toMatchObject({ http: 413, status_code: 2001 });
  const many = { ...montreal.credentials(), roles: `[${'{},'.repeat(300_000)}{}]` };
  const body = JSON.stringify(many).replace(/"(\[.*\])"/, '$1');
  expect(await call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body })).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('values') });
  expect(await put(`{"more":1${'0'.repeat(900_000)}1}`)).toMatchObject({ http: 200, status_code: 2001, status_message: expect.stringContaining('digits') });
  expect(await get(montreal, 'sender/tariffs?offset=999999999999999')).toMatchObject({ http: 200, status_code: 1000, data: [] });
});
