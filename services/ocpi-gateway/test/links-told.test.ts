import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { partyLinkChanged } from '#contracts/ocpi-gateway';
import { openDatabase } from '#postgres';
import { lockLinks } from '../src/pushes/pushed-rows.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// What is told of parties whose platform names others, or ends its link, at a bad moment.

let oasis: Side;
let wattle: HandPartner;
let elder: HandPartner;
/** As `CPK yes`. */
const links: string[] = [];
let watching: { stop(): void };

beforeAll(async () => {
  oasis = await openSide({});
  watching = await oasis.neighbours.bus.watch(partyLinkChanged, ({ party, linked }) => void links.push(`${party!.partyId} ${linked ? 'yes' : 'no'}`));
  wattle = await HandPartner.open('Wattle', 'WTL', 'EMSP', ['SENDER tokens'], ['EMSP WTX']);
  elder = await HandPartner.open('Elder', 'ELD', 'EMSP', ['SENDER tokens']);
});
afterAll(async () => {
  watching?.stop();
  await Promise.all([wattle?.close(), elder?.close()]);
  await oasis?.close();
});
beforeEach(() => {
  links.length = 0;
});

const told = (...expected: string[]) => expect.poll(() => links.toSorted()).toEqual(expected);
const credentials = (partner: HandPartner, method: string, body?: object) =>
  call(oasis, '/ocpi/2.2.1/credentials', { token: partner.token, method, ...(body && { body }) });

test('a party that its platform names no more has no link', async () => {
  await wattle.register(oasis);
  await told('WTL yes', 'WTX yes');
  links.length = 0;
  const { roles, ...others } = wattle.credentials() as { roles: object[] };
  const renewed = await credentials(wattle, 'PUT', { ...others, roles: roles.slice(0, 1) });
  wattle.token = (renewed.data as { token: string }).token;
  await told('WTL yes', 'WTX no');
});

test('a party whose link ends while another platform comes to have it, has a link', async () => {
  await elder.register(oasis);
  await told('ELD yes');
  links.length = 0;
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const { ends } = await db.tx(async (tx) => {
    await lockLinks(tx, 'alone');
    const ending = credentials(elder, 'DELETE');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const role = { role: 'CPO', country_code: 'CA', party_id: 'ELD', business_details: { name: 'Elder' } };
    await tx.query(`UPDATE partners SET roles = (roles::jsonb || $1::jsonb)::json WHERE name = 'Wattle'`, [JSON.stringify([role])]);
    return { ends: ending };
  });
  await db.close();
  expect((await ends).status_code).toBe(1000);
  await told('ELD yes');
});
