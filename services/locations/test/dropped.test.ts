import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { getLocation, listLocations, listTariffUses, resolveEvse, resolveStation, searchEvses } from '#contracts/locations';
import { fromJsonBytes } from '#contracts';
import type { Location } from '#ocpi';
import type { Running } from '#service';
import { instant, rfc3339 } from '#time';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

const connector = {
  id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32,
};
const described = (id: string, ...tariffs: string[]) => ({
  id, publish: true, address: '3700 Willingdon Avenue', city: 'Burnaby', country: 'CAN',
  coordinates: { latitude: '49.25120', longitude: '-123.00310' }, time_zone: 'America/Vancouver',
  evses: [
    { uid: `${id}-1`, evse_id: `CA*BCT*E${id}1`, station: `${id}-S`, connectors: [{ ...connector, tariff_ids: tariffs }] },
    { uid: `${id}-2`, evse_id: `CA*BCT*E${id}2`, connectors: [connector] },
  ],
});
const bct = { countryCode: 'CA', partyId: 'BCT' };
const [kept, dropped] = [described('KEPT', 'L2'), described('GONE', 'L2', 'NIGHT')];

let platform: TestPlatform;
let service: Running;
let bus: Bus;

beforeAll(async () => {
  platform = await testPlatform({ locations: [kept, dropped] });
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
  const settings = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...settings, locations }));
  service = await start(platform.env);
}

async function held(locationId: string): Promise<Location> {
  return fromJsonBytes<Location>((await bus.ask(getLocation, { party: bct, locationId })).locationJson!);
}

const statuses = async (id: string) => (await held(id)).evses!.map(({ status }) => status);
const uses = async (tariffId: string) =>
  (await bus.ask(listTariffUses, { tariffId })).uses.map(({ locationId, evseUid }) => `${locationId} ${evseUid}`);

test('a tariff says which Connectors name it', async () => {
  expect(await uses('l2')).toEqual(['KEPT KEPT-1', 'GONE GONE-1']);
  expect(await uses('NIGHT')).toEqual(['GONE GONE-1']);
  expect(await uses('NEVER')).toEqual([]);
});

test('LOC-03 a Location that the settings dropped stays, and all its EVSEs are REMOVED', async () => {
  const before = await held('GONE');
  await restartedWith(kept);
  const after = await held('GONE');
  expect(after.evses!.map(({ status }) => status)).toEqual(['REMOVED', 'REMOVED']);
  expect(instant(after.last_updated)).toBeGreaterThan(instant(before.last_updated));
  expect(after.evses!.every(({ last_updated }) => last_updated === after.last_updated)).toBe(true);
  const { objectsJson } = await bus.ask(listLocations, { page: { offset: 0, limit: 10 } });
  expect(objectsJson.map((json) => fromJsonBytes<Location>(json).id)).toEqual(['KEPT', 'GONE']);
});

test('nobody finds, resolves or charges there any more', async () => {
  const { evses } = await bus.ask(searchEvses, { limit: 10 });
  expect(evses.map(({ evseUid }) => evseUid)).toEqual(['KEPT-1', 'KEPT-2']);
  await expect(bus.ask(resolveEvse, { locationId: 'GONE', evseUid: 'GONE-1' })).rejects.toMatchObject({ code: 'unknown-evse' });
  await expect(bus.ask(resolveStation, { stationId: 'GONE-S', stationConnector: 1 })).rejects.toMatchObject({ code: 'unknown-station' });
  expect(await uses('NIGHT')).toEqual([]);
});

test('the same settings again change nothing', async () => {
  const before = await held('GONE');
  await restartedWith(kept);
  expect(await held('GONE')).toEqual(before);
});

test('a Location that comes back is there again', async () => {
  await restartedWith(kept, dropped);
  expect(await statuses('GONE')).toEqual(['UNKNOWN', 'UNKNOWN']);
  expect(await uses('NIGHT')).toEqual(['GONE GONE-1']);
});

test('a station is where it was when its charge began, with the tariffs of then; who may see it is not kept', async () => {
  const seenBy = { publish: false, publish_allowed_to: [{ uid: 'CARD-OF-A-DRIVER', type: 'RFID' }] };
  await restartedWith({ ...kept, ...seenBy });
  const began = rfc3339(Date.now());
  const changed = described('KEPT', 'L3');
  await restartedWith(changed);
  const at = async (instantOfStart?: string) => {
    const asked = { stationId: 'KEPT-S', stationConnector: 1, ...(instantOfStart === undefined ? {} : { at: instantOfStart }) };
    return fromJsonBytes<Location>((await bus.ask(resolveStation, asked)).locationJson);
  };
  const tariffs = ({ evses }: Location) => evses![0]!.connectors[0]!.tariff_ids;
  expect(tariffs(await at(began))).toEqual(['L2']);
  expect(JSON.stringify(await at(began))).not.toContain('CARD-OF-A-DRIVER');
  expect(tariffs(await at())).toEqual(['L3']);
  expect(tariffs(await at(rfc3339(Date.now() + 60_000)))).toEqual(['L3']);
  expect(tariffs(await at(rfc3339(Date.now() - 40 * 86_400_000)))).toEqual(['L3']);
});
