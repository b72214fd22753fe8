import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleLocation, exampleTariff } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// An eMSP with a link to a CPO, and to a hub that both are behind.

let plunk: Side;
let hub: HandPartner;
let oasis: HandPartner;

beforeAll(async () => {
  plunk = await openSide({ party: plunkParty });
  hub = await HandPartner.open('Open Hub', 'HUB', 'HUB', ['SENDER locations', 'RECEIVER tokens']);
  oasis = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['SENDER locations']);
  for (const partner of [hub, oasis]) await partner.register(plunk);
  const info = { country_code: 'CA', party_id: 'EOA', role: 'CPO', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
  await told(hub, 'hubclientinfo/CA/EOA', 'PUT', info);
  await told(hub, 'hubclientinfo/CA/FAR', 'PUT', { ...info, party_id: 'FAR' });
});
afterAll(async () => {
  await Promise.all([hub?.close(), oasis?.close()]);
  await plunk?.close();
});

const told = (by: HandPartner, path: string, method: string, body?: object) =>
  call(plunk, `/ocpi/2.2.1/receiver/${path}`, { token: by.token, method, ...(body ? { body } : {}) });
const of = <T extends object>(object: T, party_id: string) => ({ ...object, country_code: 'CA', party_id, id: 'X' });

test('HUB-11: what a hub tells everybody of a party with a link of its own is acknowledged and left out, of anybody unknown it is refused', async () => {
  for (const [path, body] of [['locations', of(exampleLocation, 'EOA')], ['tariffs', of(exampleTariff, 'EOA')]] as const) {
    const answer = await told(hub, `${path}/CA/EOA/X`, 'PUT', body);
    expect([answer.http, answer.status_code, answer.status_message]).toEqual([200, 1000, expect.stringContaining('link of its own')]);
  }
  expect((await told(hub, 'tariffs/CA/EOA/X', 'DELETE')).status_code).toBe(1000);
  expect([...plunk.neighbours.partners.keys()]).toEqual([]);
  expect((await told(hub, 'locations/CA/EOA/X', 'GET')).http, 'nothing is to be read there').toBe(404);
  expect((await told(hub, 'locations/CA/NOB/X', 'PUT', of(exampleLocation, 'NOB'))).http).toBe(404);
  await told(hub, 'locations/CA/FAR/X', 'PUT', of(exampleLocation, 'FAR'));
  await told(oasis, 'locations/CA/EOA/X', 'PUT', of(exampleLocation, 'EOA'));
  expect([...plunk.neighbours.partners.keys()]).toEqual(['LOCATION CA*FAR X', 'LOCATION CA*EOA X']);
});
