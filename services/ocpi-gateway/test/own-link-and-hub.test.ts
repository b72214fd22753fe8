import { afterAll, beforeAll, expect, test } from 'vitest';
import { getPartnerProfile, listDifferences, listPartners, pullPartner, sendProfileRequest } from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import { exampleCdr, exampleLocation, exampleTariff, routingHeaders } from '#ocpi';
import { openDatabase } from '#postgres';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, plunkParty, type Side } from './side.ts';

// An eMSP with a link to a CPO, and to a hub that both are behind.

let plunk: Side;
let hub: HandPartner;
let oasis: HandPartner;
/** What the hub lists, by module. */
const lists: Record<string, object[]> = {};
const listing = (what: string) => {
  const data = lists[/^GET \/(\w+)/.exec(what)?.[1] ?? ''] ?? [];
  return { data, headers: { 'X-Total-Count': String(data.length), 'X-Limit': '100' } };
};

beforeAll(async () => {
  plunk = await openSide({ party: plunkParty });
  hub = await HandPartner.open('Open Hub', 'HUB', 'HUB', ['SENDER locations', 'SENDER tariffs', 'SENDER cdrs', 'RECEIVER tokens', 'RECEIVER chargingprofiles', 'SENDER hubclientinfo']);
  oasis = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['SENDER locations']);
  hub.answer = listing;
  for (const partner of [hub, oasis]) await partner.register(plunk);
  const info = { country_code: 'CA', party_id: 'EOA', role: 'CPO', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' };
  await told(hub, 'hubclientinfo/CA/EOA', 'PUT', info);
  for (const party_id of ['FAR', 'BAD']) await told(hub, `hubclientinfo/CA/${party_id}`, 'PUT', { ...info, party_id });
});
afterAll(async () => {
  await Promise.all([hub?.close(), oasis?.close()]);
  await plunk?.close();
});

const told = (by: HandPartner, path: string, method: string, body?: object, from = '') =>
  call(plunk, `/ocpi/2.2.1/receiver/${path}`, {
    token: by.token, method, ...(body ? { body } : {}), headers: from === '' ? {} : routingHeaders({ from: { country_code: 'CA', party_id: from } }),
  });
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

test('HUB-23: behind a hub each speaks for itself: nobody pushes, reads or bills as another; the hub, which tells everybody, does for all', async () => {
  const far = of(exampleLocation, 'FAR');
  expect((await told(hub, 'locations/CA/FAR/X', 'PUT', { ...far, name: 'Bad' }, 'BAD')).http).toBe(404);
  expect((await told(hub, 'locations/CA/FAR/X', 'GET', undefined, 'BAD')).http).toBe(404);
  const cdr = { ...exampleCdr, country_code: 'CA', party_id: 'FAR', id: 'C-BAD' };
  expect((await told(hub, 'cdrs', 'POST', cdr, 'BAD')).status_code).toBe(2001);
  expect([...plunk.neighbours.partners.keys()].filter((key) => key.startsWith('CDR'))).toEqual([]);
  for (const from of ['FAR', 'HUB', '']) {
    expect((await told(hub, 'locations/CA/FAR/X', 'PUT', { ...far, name: `Far ${from}` }, from)).status_code, from).toBe(1000);
    expect((await told(hub, 'locations/CA/FAR/X', 'GET', undefined, from)).data, from).toMatchObject({ name: `Far ${from}` });
  }
  expect((await told(hub, 'cdrs', 'POST', cdr, 'FAR')).status_code).toBe(1000);
});

/** All lists of the hub, whole. */
async function pullHub(): Promise<void> {
  const { bus } = plunk.neighbours;
  const { partnerId } = (await bus.ask(listPartners, {})).partners.find(({ name }) => name === 'Open Hub')!;
  const ended = async () => (await bus.ask(listDifferences, { partnerId, limit: 1 })).pulls.find(({ module }) => module === 'locations')?.endedAt;
  const before = await ended();
  await bus.ask(pullPartner, { partnerId, full: true });
  await expect.poll(ended, { timeout: 30_000 }).not.toBe(before);
}

test('HUB-16, TRN-57: what a hub brought to us alone is on no list of it, and does not end by that; what was on its list does', async () => {
  await told(hub, 'locations/CA/FAR/ALONE', 'PUT', { ...of(exampleLocation, 'FAR'), id: 'ALONE' }, 'FAR');
  lists.locations = [{ ...of(exampleLocation, 'FAR'), id: 'FOR-ALL' }];
  await pullHub();
  expect([...plunk.neighbours.partners.keys()]).toContain('LOCATION CA*FAR FOR-ALL');
  lists.locations = [];
  await pullHub();
  expect(plunk.neighbours.taken.map(({ what }) => what).filter((what) => what.startsWith('DROP'))).toEqual(['DROP locations for-all']);
});

test('HCI-04: who came behind a hub while nobody here heard it is known with the lists of the hub', async () => {
  const late = { country_code: 'CA', party_id: 'LTE', role: 'CPO', status: 'CONNECTED', last_updated: '2022-02-01T18:00:00Z' };
  lists.hubclientinfo = [late];
  lists.locations = [of(exampleLocation, 'LTE')];
  await pullHub();
  expect([...plunk.neighbours.partners.keys()]).toContain('LOCATION CA*LTE X');
  lists.hubclientinfo = [{ ...late, status: 'SUSPENDED', last_updated: '2022-02-01T19:00:00Z' }];
  await pullHub();
  expect((await told(hub, 'locations/CA/LTE/X', 'GET')).http).toBe(404);
});

test('CHP-02, HUB-23: of two Sessions with one id behind a hub an active profile is of the one whose operator tells it', async () => {
  const { bus } = plunk.neighbours;
  const charging_profile = { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10 }] };
  const party = (partyId: string) => ({ countryCode: 'CA', partyId });
  for (const partyId of ['FAR', 'BAD'])
    await bus.ask(sendProfileRequest, { orderId: `P-${partyId}`, party: party(partyId), sessionId: 'S', method: 'PUT', durationS: 0, bodyJson: toJsonBytes(charging_profile) });
  const active = (from: string) => call(plunk, '/ocpi/2.2.1/sender/chargingprofiles/S', {
    token: hub.token, method: 'PUT', body: { start_date_time: '2022-02-01T17:00:00Z', charging_profile }, headers: routingHeaders({ from: { country_code: 'CA', party_id: from } }),
  });
  const known = async (partyId: string) => (await bus.ask(getPartnerProfile, { party: party(partyId), sessionId: 'S' })).activeJson !== undefined;
  expect((await active('FAR')).status_code).toBe(1000);
  expect([await known('FAR'), await known('BAD')]).toEqual([true, false]);
  await told(hub, 'hubclientinfo/CA/ODD', 'PUT', { country_code: 'CA', party_id: 'ODD', role: 'CPO', status: 'CONNECTED', last_updated: '2022-02-01T17:00:00Z' });
  expect((await active('ODD')).http).toBe(404);
});

test('TRN-14, HCI-03: that a party behind a hub is away makes nobody ask again and again, the hub no more than others behind it', async () => {
  hub.answer = (what) => (what.startsWith('GET /cdrs') ? { status: 4003 } : listing(what));
  hub.seen.length = 0;
  await pullHub();
  const db = await openDatabase({ url: plunk.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  await expect.poll(async () => (await db.query(`SELECT FROM due WHERE kind = 'pull-once' AND done_at IS NULL`)).rowCount).toBe(0);
  await db.close();
  const asked = hub.seen.filter(({ what }) => what.startsWith('GET /cdrs')).map(({ headers }) => headers['ocpi-to-party-id']);
  expect(asked.toSorted()).toEqual([...new Set(asked)].toSorted());
  expect(hub.pushed('GET /locations').length).toBeLessThanOrEqual(2);
});
