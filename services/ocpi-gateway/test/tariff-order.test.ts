import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fact, told } from '#bus';
import { locationChanged } from '#contracts/locations';
import { listPartners } from '#contracts/ocpi-gateway';
import { tariffPublished, tariffWithdrawn } from '#contracts/tariff-engine';
import { toJsonBytes } from '#contracts';
import { exampleLocation, exampleTariff, type Location } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { openSide, type Side } from './side.ts';

// Tariffs before the Connectors that name them, and away after them.

const bct = { countryCode: 'CA', partyId: 'BCT' };
let oasis: Side;
let montreal: HandPartner;
let second = 0;

beforeAll(async () => {
  oasis = await openSide({});
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', ['RECEIVER locations', 'RECEIVER tariffs']);
  await montreal.register(oasis);
});
afterAll(async () => {
  await montreal?.close();
  await oasis?.close();
});

const now = () => `2022-02-01T17:00:${String((second += 1)).padStart(2, '0')}Z`;
/** There is one from now on; told, everybody hears of it. */
const published = (id: string) => {
  const at = now();
  const tariff = { ...exampleTariff, id, last_updated: at };
  const others = oasis.neighbours.own.tariffs.filter((one) => one.id !== id);
  oasis.neighbours.own.tariffs.splice(0, Infinity, ...others, tariff);
  return told(tariffPublished, { own: true, party: bct, tariffId: id, version: second, tariffJson: toJsonBytes(tariff), lastUpdated: at });
};
const withdrawn = (id: string) => told(tariffWithdrawn, { own: true, party: bct, tariffId: id, at: now() });
const located = (id: string, tariffs: string[], status: 'AVAILABLE' | 'REMOVED' = 'AVAILABLE') => {
  const at = now();
  const evses = exampleLocation.evses!.slice(0, 1).map((evse) => ({
    ...evse, status, last_updated: at, connectors: evse.connectors.map((one) => ({ ...one, tariff_ids: tariffs, last_updated: at })),
  }));
  const location: Location = { ...exampleLocation, id, evses, last_updated: at };
  return told(locationChanged, { own: true, party: bct, locationId: id, locationJson: toJsonBytes(location), lastUpdated: at });
};
const tell = (...facts: Fact[]) => oasis.neighbours.tell(...facts);
const idle = () =>
  expect.poll(async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners[0]!.waiting).toBe(0);

test('a Tariff goes before the Location that names it, though it was told after it', async () => {
  await tell(located('ONE', ['new']), published('NEW'));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /tariffs/CA/BCT/NEW', 'PUT /locations/CA/BCT/ONE']);
});

test('a Location waits for a Tariff that there is until it is told, and nothing waits for that Location', async () => {
  montreal.seen.length = 0;
  const late = published('LATE');
  await tell(located('WAITS', ['late']));
  await expect.poll(async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners[0]!.waiting).toBe(1);
  await tell(located('GOES', []), located('GOES-TOO', []));
  await expect.poll(() => montreal.pushed().toSorted()).toEqual(['PUT /locations/CA/BCT/GOES', 'PUT /locations/CA/BCT/GOES-TOO']);
  await tell(late);
  await expect.poll(() => montreal.pushed().slice(2)).toEqual(['PUT /tariffs/CA/BCT/LATE', 'PUT /locations/CA/BCT/WAITS']);
});

test('a Location whose Tariff was never published goes all the same', async () => {
  montreal.seen.length = 0;
  await tell(located('TWO', ['NOBODY-HAS-IT']));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /locations/CA/BCT/TWO']);
});

test('TAR-01 a Tariff is deleted only when no Connector at the partner names it any more', async () => {
  montreal.seen.length = 0;
  await tell(withdrawn('NEW'));
  await tell(published('OTHER'));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /tariffs/CA/BCT/OTHER']);
  await tell(located('ONE', ['OTHER']));
  await expect.poll(() => montreal.pushed().at(-1)).toBe('DELETE /tariffs/CA/BCT/NEW');
  expect(montreal.pushed().slice(1).map((what) => what.split('/').slice(0, 2).join('/'))).toEqual(['PUT /locations', 'DELETE /tariffs']);
});

test('Connectors of a REMOVED EVSE name nothing', async () => {
  montreal.seen.length = 0;
  await tell(located('ONE', ['OTHER'], 'REMOVED'), withdrawn('OTHER'));
  await expect.poll(() => montreal.pushed().at(-1)).toBe('DELETE /tariffs/CA/BCT/OTHER');
  expect(montreal.pushed()).toHaveLength(2);
  await idle();
});

test('a Tariff that comes back before it was deleted is sent as it is', async () => {
  await tell(published('BACK'), located('THREE', ['BACK']));
  await expect.poll(() => montreal.pushed().at(-1)).toBe('PUT /locations/CA/BCT/THREE');
  montreal.seen.length = 0;
  await tell(withdrawn('BACK'));
  await tell(published('BACK'));
  await expect.poll(() => montreal.pushed()).toEqual(['PUT /tariffs/CA/BCT/BACK']);
  await idle();
  expect(montreal.pushed()).toEqual(['PUT /tariffs/CA/BCT/BACK']);
});
