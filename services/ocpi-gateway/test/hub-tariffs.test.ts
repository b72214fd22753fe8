import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleLocation, exampleTariff, routingHeaders } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, ocpi, openSide, type Side } from './side.ts';

// What two CPOs tell a hub of Tariffs and of the Locations that name them, as an eMSP hears it.

const toHub = { country_code: 'CA', party_id: 'HUB' };

let hub: Side;
let cpo: HandPartner;
let harbour: HandPartner;
let emsp: HandPartner;

beforeAll(async () => {
  hub = await openSide({
    party: { ...toHub, name: 'Open Hub', roles: ['HUB'] },
    hub: { quiet_s: 3600 },
    ocpi: { ...ocpi, refusals_before_parking: 1_000 },
  });
  // A hub has no tariffs of its own, and who cannot be asked may have one.
  hub.neighbours.own.tariffs.push(tariff('T-1'), tariff('T-2'));
  cpo = await HandPartner.open('Energy OASIS', 'EOA', 'CPO', ['SENDER locations', 'SENDER tariffs']);
  harbour = await HandPartner.open('Harbour', 'HBR', 'CPO', ['SENDER locations', 'SENDER tariffs']);
  emsp = await HandPartner.open('Carbon Plunk', 'CPK', 'EMSP', ['RECEIVER locations', 'RECEIVER tariffs']);
  for (const partner of [cpo, harbour, emsp]) expect((await partner.register(hub)).status_code).toBe(1000);
});
afterAll(async () => {
  await Promise.all([cpo, harbour, emsp].map((partner) => partner?.close()));
  await hub?.close();
});

async function tell(from: HandPartner, method: string, path: string, body?: object): Promise<void> {
  const owner = { country_code: 'CA', party_id: from.partyId };
  const answer = await call(hub, `/ocpi/2.2.1/receiver/${path.replace('/', `/CA/${from.partyId}/`)}`, {
    token: from.token,
    method,
    ...(body ? { body: { ...body, ...owner } } : {}),
    headers: routingHeaders({ to: toHub, from: owner }),
  });
  expect([answer.status_code, answer.status_message]).toEqual([1000, expect.any(String)]);
}

let second = 0;
const now = () => `2022-02-01T17:00:${String((second += 1)).padStart(2, '0')}Z`;
const tariff = (id: string) => ({ ...exampleTariff, id, last_updated: now() });
const location = (id: string, tariffs: string[], status: 'AVAILABLE' | 'REMOVED' = 'AVAILABLE') => {
  const last_updated = now();
  const evses = exampleLocation.evses!.slice(0, 1).map((evse) => ({
    ...evse, status, last_updated, connectors: evse.connectors.map((one) => ({ ...one, tariff_ids: tariffs, last_updated })),
  }));
  return { ...exampleLocation, id, evses, last_updated };
};

test('a Location goes to the members behind the Tariff of its owner that it names, and without one of which nobody told', async () => {
  await tell(cpo, 'PUT', 'locations/ONE', location('ONE', ['t-2']));
  await tell(cpo, 'PUT', 'tariffs/T-1', tariff('T-1'));
  await tell(cpo, 'PUT', 'locations/TWO', location('TWO', ['T-1']));
  await expect.poll(() => emsp.pushed()).toEqual(
    expect.arrayContaining(['PUT /tariffs/CA/EOA/T-1', 'PUT /locations/CA/EOA/ONE', 'PUT /locations/CA/EOA/TWO']),
  );
});

test('TAR-01: a Tariff is deleted behind the Connectors of its owner that named it, whatever others call theirs', async () => {
  await tell(harbour, 'PUT', 'locations/THREE', location('THREE', ['T-1']));
  await expect.poll(() => emsp.pushed()).toContain('PUT /locations/CA/HBR/THREE');
  emsp.answer = (what) => (what.includes('locations') ? { http: 404, status: 2001 } : {});
  emsp.seen.length = 0;
  await tell(cpo, 'PUT', 'locations/ONE', location('ONE', ['T-1'], 'REMOVED'));
  await tell(cpo, 'PUT', 'locations/TWO', location('TWO', ['T-1'], 'REMOVED'));
  await tell(cpo, 'DELETE', 'tariffs/T-1');
  await expect.poll(() => emsp.pushed().length).toBeGreaterThan(6);
  expect(emsp.pushed('DELETE')).toEqual([]);
  emsp.answer = () => ({});
  await expect.poll(() => emsp.pushed('DELETE')).toEqual(['DELETE /tariffs/CA/EOA/T-1']);
});
