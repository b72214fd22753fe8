import { afterAll, beforeAll, expect, test } from 'vitest';
import { approvePartner, invitePartner, listPartners } from '#contracts/ocpi-gateway';
import { exampleCdr, exampleLocation, exampleToken } from '#ocpi';
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

const partnerNamed = (partyId: string, role: string) =>
  HandPartner.open(`${role} ${partyId}`, partyId, role, ['SENDER tokens', 'SENDER locations']);
const get = (partner: HandPartner, path: string, more: object = {}) =>
  call(oasis, `/ocpi/2.2.1/${path}`, { token: partner.token, ...more });

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

/** POSTs its credentials with a TOKEN_A that names these parties. */
async function registerAs(partner: HandPartner, name: string, parties: ReturnType<HandPartner['parties']>) {
  const { tokenA, partnerId } = await oasis.neighbours.bus.ask(invitePartner, { name, parties });
  const post = async () => {
    const answer = await call(oasis, '/ocpi/2.2.1/credentials', { token: tokenA, method: 'POST', body: partner.credentials() });
    partner.token = (answer.data as { token: string } | undefined)?.token ?? '';
    return answer;
  };
  return {
    post,
    partnerId,
    view: async () =>
      (await oasis.neighbours.bus.ask(listPartners, {})).partners.find((one) => one.partnerId === partnerId)!,
  };
}

/** A CDR of Vancouver waits for whoever registers as its owner. */
function waitingFor(partyId: string): void {
  const cdr = { ...exampleCdr, id: `OF-${partyId}`, cdr_token: { ...exampleCdr.cdr_token, party_id: partyId } };
  oasis.neighbours.own.cdrs.push(cdr);
}

test.each([
  [
    'another party',
    [{ party: { countryCode: 'CA', partyId: 'ISL' }, roles: [] }],
    'CA*VAN as EMSP is not what this link is for, which is CA*ISL',
  ],
  [
    'another role',
    [{ party: { countryCode: 'CA', partyId: 'van' }, roles: ['CPO', 'NSP'] }],
    'CA*VAN as EMSP is not what this link is for, which is CA*VAN:CPO,NSP',
  ],
])(
  'CRE-10 an invitation for %s is not for those who come: they are refused, and the operator sees it',
  async (_of, parties, why) => {
    const mallory = await partnerNamed('VAN', 'EMSP');
    impostors.push(mallory);
    waitingFor('VAN');
    const { post, view } = await registerAs(mallory, 'Islands', parties);
    expect(await post()).toMatchObject({ http: 200, status_code: 2000, status_message: expect.stringContaining(why) });
    expect(mallory.seen, 'its platform was not asked for anything').toEqual([]);
    expect(await view()).toMatchObject({ state: 'invited', lastError: expect.stringMatching(/^2\d{3}-.*Z credentials were refused: /) });
    expect((await view()).lastError).toContain(why);
  },
);

test('HUB-23 a party that is invited without roles is no hub by that; one that is invited as a hub is', async () => {
  const mallory = await HandPartner.open('Hub', 'HBB', 'HUB', ['SENDER hubclientinfo']);
  impostors.push(mallory);
  const plain = await registerAs(mallory, 'Not said', [{ party: { countryCode: 'CA', partyId: 'HBB' }, roles: [] }]);
  expect(await plain.post()).toMatchObject({ status_code: 2000, status_message: expect.stringContaining('CA*HBB as HUB') });
  await oasis.neighbours.bus.ask(approvePartner, { partnerId: plain.partnerId, parties: mallory.parties() });
  expect(await plain.post(), 'the operator has said so since').toMatchObject({ status_code: 1000 });
  expect(await plain.view()).toMatchObject({ state: 'registered', lastError: '' });
});

test('who comes by an invitation that names nobody gets nothing and says nothing until an operator approves, and then all that waited', async () => {
  const vancouver = await HandPartner.open('Vancouver', 'VAN', 'EMSP', ['SENDER tokens', 'RECEIVER locations']);
  impostors.push(vancouver);
  oasis.neighbours.own.locations.push(exampleLocation);
  const { post, partnerId, view } = await registerAs(vancouver, 'Vancouver', []);
  expect(await post()).toMatchObject({ http: 200, status_code: 1000 });
  expect(await view()).toMatchObject({ state: 'unapproved', roles: [{ role: 'EMSP', party: { partyId: 'VAN' } }] });
  const waits = { http: 403, status_code: 2000, status_message: expect.stringContaining('approve') };
  expect(await get(vancouver, 'sender/cdrs')).toMatchObject(waits);
  const card = { ...exampleToken, party_id: 'VAN', uid: 'VAN-1' };
  expect(await get(vancouver, 'receiver/tokens/CA/VAN/VAN-1', { method: 'PUT', body: card })).toMatchObject(waits);
  expect(
    await get(vancouver, 'credentials', { method: 'PUT', body: vancouver.credentials() }),
    'new tokens it may have',
  ).toMatchObject({ status_code: 1000, data: { roles: expect.anything() } });
  vancouver.token = (
    (await get(vancouver, 'credentials', { method: 'PUT', body: vancouver.credentials() })).data as { token: string }
  ).token;
  await oasis.gateway.stop();
  await oasis.restart();
  expect(await get(vancouver, 'sender/cdrs')).toMatchObject(waits);
  expect(vancouver.pushed('PUT')).toEqual([]);
  const approved = await oasis.neighbours.bus.ask(approvePartner, { partnerId, parties: [] });
  expect(approved).toMatchObject({ state: 'registered', invited: [{ party: { partyId: 'VAN' }, roles: ['EMSP'] }] });
  expect(((await get(vancouver, 'sender/cdrs')).data as { id: string }[])[0]).toMatchObject({ id: 'OF-VAN' });
  expect(await get(vancouver, 'receiver/tokens/CA/VAN/VAN-1', { method: 'PUT', body: card })).toMatchObject({
    status_code: 1000,
  });
  await expect.poll(() => vancouver.pushed('PUT')).toEqual([`PUT /locations/CA/BCT/${exampleLocation.id}`]);
  const isHub = await get(vancouver, 'credentials', {
    method: 'PUT',
    body: {
      ...vancouver.credentials(),
      roles: [{ role: 'HUB', country_code: 'CA', party_id: 'VAN', business_details: { name: 'V' } }],
    },
  });
  expect(isHub, 'later, too').toMatchObject({
    status_code: 2000,
    status_message: expect.stringContaining('CA*VAN as HUB'),
  });
});

test('an approval is refused for nobody, for an ended link, and for parties that are not those that came', async () => {
  const { bus } = oasis.neighbours;
  const later = await partnerNamed('LTR', 'EMSP');
  impostors.push(later);
  const { post, partnerId } = await registerAs(later, 'Later', []);
  await expect(bus.ask(approvePartner, { partnerId, parties: [] })).rejects.toMatchObject({
    code: 'not-registered',
    detail: expect.stringContaining('name the parties'),
  });
  await post();
  const other = [{ party: { countryCode: 'CA', partyId: 'OTH' }, roles: [] }];
  await expect(bus.ask(approvePartner, { partnerId, parties: other })).rejects.toMatchObject({ code: 'party-not-invited' });
  await get(later, 'credentials', { method: 'DELETE' });
  await expect(bus.ask(approvePartner, { partnerId, parties: [] })).rejects.toMatchObject({ code: 'not-registered' });
  await expect(bus.ask(approvePartner, { partnerId: 'nobody', parties: [] })).rejects.toMatchObject({ code: 'unknown-partner' });
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
  // An operator was taken in: what protects Montreal is that its link stands.
  const parties = [...mallory.parties(), ...montreal.parties()];
  await (await registerAs(mallory, 'Mallory', parties)).post();
  const asMontreal = { ...montreal.credentials(), token: 'of-mallory' };
  const { tokenA } = await oasis.neighbours.bus.ask(invitePartner, { name: 'Mallory again', parties });
  const refused = { http: 200, status_code: 2000, status_message: expect.stringContaining('answers to any token') };
  expect(await get(mallory, 'credentials', { method: 'PUT', body: asMontreal })).toMatchObject(refused);
  expect(await call(oasis, '/ocpi/2.2.1/credentials', { token: tokenA, method: 'POST', body: asMontreal })).toMatchObject(refused);
  montreal.asksForToken = true;
  expect(
    await call(oasis, '/ocpi/2.2.1/credentials', { token: tokenA, method: 'POST', body: asMontreal }),
  ).toMatchObject({ http: 200, status_code: 3001 });
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
  expect(await put({ ...card, more: 'x'.repeat(950_000) })).toMatchObject({
    http: 413,
    status_code: 2001,
    status_message: expect.stringContaining('too long'),
  });
  expect(await put({ ...card, more: 'x'.repeat(1_000_000) })).toMatchObject({ http: 413, status_code: 2001 });
  const many = { ...montreal.credentials(), roles: `[${'{},'.repeat(300_000)}{}]` };
  const body = JSON.stringify(many).replace(/"(\[.*\])"/, '$1');
  expect(await call(oasis, '/ocpi/2.2.1/credentials', { token, method: 'POST', body })).toMatchObject({
    http: 200,
    status_code: 2001,
    status_message: expect.stringContaining('values'),
  });
  expect(await put(`{"more":1${'0'.repeat(900_000)}1}`)).toMatchObject({
    http: 200,
    status_code: 2001,
    status_message: expect.stringContaining('digits'),
  });
  expect(await get(montreal, 'sender/tariffs?offset=999999999999999')).toMatchObject({ http: 200, status_code: 1000, data: [] });
});
