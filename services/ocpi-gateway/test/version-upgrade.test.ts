import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleToken, type Token } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// An operator that spoke 2.1.1 comes to speak 2.2.1 while Tokens are on their way to it.

let plunk: Side;
let oasis: HandPartner;
const card: Token = { ...exampleToken, country_code: 'CA', party_id: 'CPK', uid: '04AA', group_id: 'FLEET-7', default_profile_type: 'GREEN' };

beforeAll(async () => {
  plunk = await openSide({ party: plunkParty });
  plunk.neighbours.own.tokens.push(card);
});
afterAll(async () => {
  await oasis?.close();
  await plunk?.close();
});

test('CRE-06 what is on its way in the older version while a link moves to a newer one is said again in that', async () => {
  oasis = await HandPartner.open('Energy OASIS', 'BCT', 'CPO', ['RECEIVER tokens', 'SENDER locations']);
  const put = () => oasis.seen.filter(({ what }) => what.startsWith('PUT /tokens/CA/CPK/04AA')).map(({ body }) => body);
  let release = (): void => {};
  const held = new Promise<void>((resolve) => { release = resolve; });
  oasis.answer = async (what) => {
    if (what.startsWith('PUT /tokens/')) await held;
    return {};
  };
  oasis.version = '2.1.1';
  expect(await oasis.register(plunk)).toMatchObject({ status_code: 1000 });
  await expect.poll(() => put().length).toBe(1);
  expect(put()[0]).not.toHaveProperty('group_id');
  oasis.version = '2.2.1';
  const renewed = await call(plunk, '/ocpi/2.2.1/credentials', { token: oasis.token, method: 'PUT', body: oasis.credentials() });
  expect(renewed).toMatchObject({ http: 200, status_code: 1000 });
  release();
  await expect.poll(() => put().at(-1)).toEqual(card);
});
