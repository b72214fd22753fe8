import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { getLocation, listLocations, searchEvses } from '#contracts/locations';
import { fromJsonBytes } from '#contracts';
import type { Location } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

// Locations that are private, and who finds those that are not published.

const described = (id: string, more: object = {}) => ({
  id, publish: true, address: '3700 Willingdon Avenue', city: 'Burnaby', country: 'CAN',
  coordinates: { latitude: '49.25120', longitude: '-123.00310' }, time_zone: 'America/Vancouver',
  evses: [{
    uid: `E-${id}`, connectors: [{
      id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32,
    }],
  }],
  ...more,
});
const home = described('HOME_1', {
  publish: undefined, private: true,
  publish_allowed_to: [{ uid: '04AA', type: 'RFID' }, { visual_number: 'N-7', issuer: 'Co-op' }, { group_id: 'FLEET' }],
});
const staff = described('STAFF', { publish: false });
const bct = { countryCode: 'CA', partyId: 'BCT' };

let platform: TestPlatform;
let service: Running;
let bus: Bus;

const [evse] = described('OPEN').evses;
const open = described('OPEN', { evses: [{ ...evse, connectors: evse!.connectors.map((one) => ({ ...one, tariff_ids: ['T-9'] })) }] });

beforeAll(async () => {
  platform = await testPlatform({ locations: [home, staff, open, described('HOMEX1')] });
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'portal' });
  service = await start(platform.env);
});
afterAll(async () => {
  await service?.stop();
  await bus?.close();
  await platform?.drop();
});

async function restartedWith(...locations: object[]): Promise<void> {
  await service.stop();
  const file = platform.env.ROAMWATT_CONFIG!;
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')) as object, locations }));
  service = await start(platform.env);
}

const listed = async (more: object = {}) => {
  const { objectsJson, total } = await bus.ask(listLocations, { page: { offset: 0, limit: 10 }, ...more });
  expect(objectsJson).toHaveLength(total);
  return objectsJson.map((json) => fromJsonBytes<Location>(json).id);
};
const get = async (locationId: string) => {
  const { locationJson, private: isPrivate } = await bus.ask(getLocation, { party: bct, locationId });
  return { location: fromJsonBytes<Location>(locationJson!), isPrivate };
};
const found = async (...tokens: object[]) =>
  (await bus.ask(searchEvses, { tokens: tokens as never })).evses.map(({ locationId }) => locationId).sort();

test('LOC-07: a private Location is listed only when it is asked for, and says that it is', async () => {
  expect(await listed()).toEqual(['STAFF', 'OPEN', 'HOMEX1']);
  expect(await listed({ withPrivate: true })).toEqual(['HOME_1', 'STAFF', 'OPEN', 'HOMEX1']);
  const { location, isPrivate } = await get('HOME_1');
  expect([isPrivate, location.publish, 'private' in location]).toEqual([true, false, false]);
  expect((await get('STAFF')).isPrivate).toBe(false);
});

test('TRN-51: dates are held against since when who asks sees a Location, where that is later', async () => {
  const from = { page: { offset: 0, limit: 10, dateFrom: '2090-01-01T00:00:00Z' } };
  const to = { page: { offset: 0, limit: 10, dateTo: '2090-01-01T00:00:00Z' } };
  const seen = (...parties: { ids: string[]; until?: string }[][]) => ({ seenSince: [{ owner: bct, parties: parties.map((spans) => ({ spans })) }] });
  const until = '2090-01-01T00:00:00Z';
  expect(await listed(from)).toEqual([]);
  const openBefore = seen([{ ids: ['open'], until }]);
  expect([await listed({ ...from, ...openBefore }), await listed({ ...to, ...openBefore })]).toEqual([['STAFF', 'HOMEX1'], ['OPEN']]);
  // Of several parties the first that may see it, of several spans the last in which it was hidden.
  expect(await listed({ ...from, ...seen([{ ids: ['open'], until }], [{ ids: ['s*'], until }]) })).toEqual(['HOMEX1']);
  expect(await listed({ ...from, ...seen([{ ids: ['open'] }], [{ ids: ['x'], until }]) })).toEqual(['STAFF', 'HOMEX1']);
  expect(await listed({ ...from, ...seen([{ ids: ['home*'], until: '2022-01-01T00:00:00Z' }, { ids: ['s*'], until }]) })).toEqual(['OPEN', 'HOMEX1']);
  const others = { seenSince: [{ owner: { ...bct, partyId: 'XYZ' }, parties: [{ spans: [{ ids: [], until }] }] }] };
  expect(await listed({ ...from, ...others })).toEqual([]);
  const naming = (...tariffIds: string[]) => listed({ ...from, namingSince: { tariffIds, since: until } });
  expect([await naming('t-9'), await naming('T-8')]).toEqual([['OPEN'], []]);
});

test('a list may be limited to ids that are like others; of several lists each has to have one', async () => {
  const granted = (...lists: string[][]) => listed({ withPrivate: true, granted: lists.map((ids) => ({ owner: bct, ids })) });
  expect(await granted(['home_*'])).toEqual(['HOME_1']);
  expect(await granted(['home*', 'open'])).toEqual(['HOME_1', 'OPEN', 'HOMEX1']);
  expect(await granted(['home*', 'open'], ['*X1'])).toEqual(['HOMEX1']);
  expect(await granted(['%'])).toEqual([]);
  expect(await granted([])).toEqual([]);
});

test('LOC-06: what is not published is found only by the owner of a token that has all that one entry names', async () => {
  const open = ['HOMEX1', 'OPEN'];
  expect(await found()).toEqual(open);
  expect(await found({ uid: '04aa', type: 'RFID' })).toEqual(['HOMEX1', 'HOME_1', 'OPEN']);
  expect(await found({ uid: '04AA', type: 'APP_USER' })).toEqual(open);
  expect(await found({ uid: 'X', type: 'RFID', visualNumber: 'N-7', issuer: 'Co-op' })).toEqual(['HOMEX1', 'HOME_1', 'OPEN']);
  expect(await found({ uid: 'X', type: 'RFID', visualNumber: 'N-7', issuer: 'Other' })).toEqual(open);
  // Not half by one token, half by another.
  expect(await found({ uid: 'X', type: 'RFID', visualNumber: 'N-7' }, { uid: 'Y', type: 'RFID', issuer: 'Co-op' })).toEqual(open);
  expect(await found({ uid: 'X', type: 'RFID', groupId: 'fleet' })).toEqual(['HOMEX1', 'HOME_1', 'OPEN']);
});

test('one that turns private, or is no longer so, is new with all its EVSEs; the same once more is not', async () => {
  const before = (await get('OPEN')).location;
  const turned = described('OPEN', { publish: false, private: true });
  await restartedWith(home, staff, turned);
  const { location, isPrivate } = await get('OPEN');
  expect(isPrivate).toBe(true);
  expect(Date.parse(location.last_updated)).toBeGreaterThan(Date.parse(before.last_updated));
  expect(location.evses![0]!.last_updated).toBe(location.last_updated);
  await restartedWith(home, staff, turned);
  expect((await get('OPEN')).location).toEqual(location);
  await restartedWith(home, staff, described('OPEN', { publish: false }));
  const again = await get('OPEN');
  expect(again.isPrivate).toBe(false);
  expect(Date.parse(again.location.evses![0]!.last_updated)).toBeGreaterThan(Date.parse(location.last_updated));
});

test('LOC-07: one that is private and published is refused at the start', async () => {
  const wrong = await testPlatform({ locations: [described('OPEN', { private: true })] });
  await expect(start(wrong.env)).rejects.toThrow(/locations: OPEN: is private, and so cannot have publish: true/);
  await wrong.drop();
});
