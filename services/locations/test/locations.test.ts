import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Bus, busMigrations, connectBus, hears, listen, type Outbox, outbox, type Relay, startRelay, told,
} from '#bus';
import {
  evseStatusChanged, getLocation, listLocations, locationChanged, partnerEvsesChanged, partnerLocationChanged,
  putPartnerLocation, resolveEvse, resolveStation, searchEvses,
} from '#contracts/locations';
import { connectorStatusChanged, stationConnected, stationDisconnected } from '#contracts/ocpp-gateway';
import { partyLinkChanged } from '#contracts/ocpi-gateway';
import { Change } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Location } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

const connector = {
  standard: 'IEC_62196_T1',
  format: 'CABLE',
  power_type: 'AC_2_PHASE',
  max_voltage: 208,
  max_amperage: 32,
  tariff_ids: ['L2'],
};
const burnaby = {
  id: 'BURNABY', publish: true, address: '3700 Willingdon Avenue', city: 'Burnaby', country: 'CAN',
  coordinates: { latitude: '49.25120', longitude: '-123.00310' }, time_zone: 'America/Vancouver',
  evses: [
    { uid: 'L2-01', evse_id: 'CA*BCT*EL201', station: 'OASIS-L2-01', connectors: [{ id: '1', ...connector }] },
    {
      uid: 'DC-01', evse_id: 'CA*BCT*EDC01', station: 'OASIS-DC-01', capabilities: ['START_SESSION_CONNECTOR_REQUIRED'],
      connectors: [{ id: 'ccs', ...connector, standard: 'IEC_62196_T1_COMBO' }, { id: 'cha', ...connector, standard: 'CHADEMO' }],
    },
  ],
};
const bct = { countryCode: 'CA', partyId: 'BCT' };

let platform: TestPlatform;
let service: Running;
let bus: Bus;
/** The neighbour's side: ocpp-gateway's own log and relay. */
let gatewayDb: Database;
let gateway: Outbox;
let relay: Relay;

beforeAll(async () => {
  platform = await testPlatform({ locations: [burnaby] });
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'ocpp-gateway' });
  gatewayDb = await openDatabase({ url: platform.databaseUrl, schema: 'ocpp_gateway', migrations: busMigrations });
  gateway = outbox('ocpp-gateway', gatewayDb);
  relay = startRelay(bus, gateway);
  service = await start(platform.env);
});
afterAll(async () => {
  await service?.stop();
  await relay?.close();
  await bus?.close();
  await gatewayDb?.close();
  await platform?.drop();
});

async function statusOf(evseUid: string): Promise<string | undefined> {
  const { locationJson } = await bus.ask(getLocation, { party: bct, locationId: 'BURNABY' });
  return fromJsonBytes<Location>(locationJson!).evses?.find(({ uid }) => uid === evseUid)?.status;
}
const say = (...facts: Parameters<Outbox['tell']>[1]) => gatewayDb.tx((tx) => gateway.tell(tx, facts));
const at = (second: number) => `2022-02-01T17:00:${String(second).padStart(2, '0')}Z`;
const connected = (stationId: string, epoch = 1) => told(stationConnected, { stationId, at: at(0), epoch });
const status = (stationId: string, connectorId: number, is: string, second: number) =>
  told(connectorStatusChanged, { stationId, connectorId, status: is, errorCode: 'NoError', at: at(second) });

test('an EVSE that was never heard of is UNKNOWN, and takes its connector\'s status once it is', async () => {
  expect(await statusOf('L2-01')).toBe('UNKNOWN');
  await say(connected('OASIS-L2-01'), status('OASIS-L2-01', 1, 'Available', 1));
  await expect.poll(() => statusOf('L2-01')).toBe('AVAILABLE');
});

test('S16-34 a late queued status does not overwrite a newer one', async () => {
  await say(status('OASIS-L2-01', 1, 'Charging', 10), status('OASIS-L2-01', 1, 'Preparing', 5));
  await expect.poll(() => statusOf('L2-01')).toBe('CHARGING');
});

test('a lost socket makes the EVSE UNKNOWN; back again, it is what it was; an older socket\'s end is no news', async () => {
  await say(told(stationDisconnected, { stationId: 'OASIS-L2-01', at: at(20), epoch: 1 }));
  await expect.poll(() => statusOf('L2-01')).toBe('UNKNOWN');
  await say(connected('OASIS-L2-01', 3), told(stationDisconnected, { stationId: 'OASIS-L2-01', at: at(21), epoch: 2 }));
  await expect.poll(() => statusOf('L2-01')).toBe('CHARGING');
});

test('two cables of one charger are one EVSE', async () => {
  await say(connected('OASIS-DC-01'), status('OASIS-DC-01', 1, 'Charging', 1), status('OASIS-DC-01', 2, 'Available', 2));
  await expect.poll(() => statusOf('DC-01')).toBe('CHARGING');
});

test('LOC-01 a new status raises last_updated of the EVSE and of its Location', async () => {
  const read = async () => fromJsonBytes<Location>((await bus.ask(getLocation, { party: bct, locationId: 'burnaby' })).locationJson!);
  const before = await read();
  await say(status('OASIS-L2-01', 1, 'Finishing', 30));
  await expect.poll(() => statusOf('L2-01')).toBe('BLOCKED');
  const after = await read();
  expect(Date.parse(after.last_updated)).toBeGreaterThan(Date.parse(before.last_updated));
  expect(after.evses![0]!.last_updated).toBe(after.last_updated);
  expect(after.evses![1]!.last_updated).toBe(before.evses![1]!.last_updated);
});

test('an EVSE is found by its OCPI ids and by its station, with the Location as it is', async () => {
  expect(await bus.ask(resolveEvse, { locationId: 'BURNABY', evseUid: 'DC-01', connectorId: 'cha' })).toMatchObject({
    stationId: 'OASIS-DC-01', stationConnector: 2, connectorId: 'cha', party: bct,
  });
  expect(await bus.ask(resolveStation, { stationId: 'OASIS-DC-01', stationConnector: 1 })).toMatchObject({
    locationId: 'BURNABY', evseUid: 'DC-01', connectorId: 'ccs', evseStatus: 'CHARGING',
  });
});

test.each([
  [{ locationId: 'ELSEWHERE' }, 'unknown-location'],
  [{ locationId: 'BURNABY', evseUid: 'L2-99' }, 'unknown-evse'],
  [{ locationId: 'BURNABY', evseUid: 'DC-01', connectorId: '9' }, 'unknown-connector'],
  [{ locationId: 'BURNABY', evseUid: 'DC-01' }, 'connector-required'],
])('%j is refused: %s', async (request, code) => {
  await expect(bus.ask(resolveEvse, request)).rejects.toMatchObject({ code });
});

const surrey = {
  country_code: 'CA', party_id: 'XYZ', id: 'SURREY', publish: true, address: '1 King George Boulevard', city: 'Surrey',
  country: 'CAN', coordinates: { latitude: '49.18870', longitude: '-122.84720' }, time_zone: 'America/Vancouver',
  evses: [{ uid: 'E1', status: 'AVAILABLE', connectors: [{ id: '1', ...connector, last_updated: at(0) }], last_updated: at(0) }],
  last_updated: at(0),
};
const xyz = { countryCode: 'CA', partyId: 'XYZ' };

test("a partner's Location is kept, patched at the level of its EVSE, and guarded by last_updated", async () => {
  const put = (body: object, more: object = {}) =>
    bus.ask(putPartnerLocation, { party: xyz, locationId: 'SURREY', patch: false, bodyJson: toJsonBytes(body), ...more });
  expect(await put(surrey)).toMatchObject({ change: Change.CREATED });
  expect(await put(surrey)).toMatchObject({ change: Change.UNCHANGED });
  const patch = { evseUid: 'E1', patch: true };
  expect(await put({ status: 'CHARGING', last_updated: at(9) }, patch)).toMatchObject({ change: Change.UPDATED });
  expect(await put({ status: 'AVAILABLE', last_updated: at(5) }, patch)).toMatchObject({ change: Change.STALE });
  await expect(put({ status: 'CHARGING', last_updated: at(9) }, { evseUid: 'E9', patch: true })).rejects.toMatchObject({
    code: 'unknown-evse',
  });
  await expect(put({ ...surrey, time_zone: undefined, last_updated: at(40) })).rejects.toMatchObject({ code: 'invalid-object' });
  const { locationJson, own } = await bus.ask(getLocation, { party: xyz, locationId: 'SURREY' });
  expect(own).toBe(false);
  expect(fromJsonBytes<Location>(locationJson!)).toMatchObject({ last_updated: at(9), evses: [{ status: 'CHARGING' }] });
});

test('LOC-34: an older Location takes the place of one only as its owner was asked, and nothing newer came meanwhile', async () => {
  const delta = { ...surrey, id: 'DELTA', publish: false };
  const put = (body: object, replaces?: string) => bus.ask(putPartnerLocation, {
    party: xyz, locationId: 'DELTA', patch: false, bodyJson: toJsonBytes({ ...delta, ...body }), ...(replaces ? { replaces } : {}),
  });
  await put({ last_updated: at(30) });
  expect(await put({ name: 'Older', last_updated: at(20) })).toMatchObject({ change: Change.STALE });
  expect(await put({ name: 'Older', last_updated: at(20) }, at(29))).toMatchObject({ change: Change.STALE });
  expect(await put({ name: 'Older', last_updated: at(20) }, at(30))).toMatchObject({ change: Change.UPDATED });
  expect(await put({ name: 'Older', last_updated: at(20) }, at(30))).toMatchObject({ change: Change.UNCHANGED });
  const { locationJson } = await bus.ask(getLocation, { party: xyz, locationId: 'DELTA' });
  expect(fromJsonBytes(locationJson!)).toEqual({ ...delta, name: 'Older', last_updated: at(20) });
});

test('a driver finds the nearest EVSEs, and only those that are free or fit when asked for', async () => {
  const here = { latitude: 49.2512, longitude: -123.0031 };
  const uids = async (search: object) => (await bus.ask(searchEvses, { ...here, ...search })).evses.map(({ evseUid }) => evseUid);
  expect(await uids({})).toEqual(['DC-01', 'L2-01', 'E1']);
  expect(await uids({ radiusM: 5_000 })).toEqual(['DC-01', 'L2-01']);
  expect(await uids({ connectorStandards: ['CHADEMO'] })).toEqual(['DC-01']);
  expect(await uids({ availableOnly: true })).toEqual([]);
  const [, , far] = (await bus.ask(searchEvses, here)).evses;
  expect(far!.distanceM).toBeGreaterThan(10_000);
  expect(far!.distanceM).toBeLessThan(15_000);
});

test('CRE-08: the EVSEs of a partner whose link has ended are found by nobody, until its next link', async () => {
  const db = await openDatabase({ url: platform.databaseUrl, schema: 'ocpi_gateway', migrations: busMigrations });
  const partners = outbox('ocpi-gateway', db);
  const telling = startRelay(bus, partners);
  const link = (linked: boolean) =>
    db.tx((tx) => partners.tell(tx, [told(partyLinkChanged, { party: { countryCode: 'ca', partyId: 'xyz' }, linked, at: at(50) })]));
  const uids = async () => (await bus.ask(searchEvses, {})).evses.map(({ evseUid }) => evseUid).toSorted();
  await link(false);
  await expect.poll(uids).toEqual(['DC-01', 'L2-01']);
  await link(true);
  await expect.poll(uids).toEqual(['DC-01', 'E1', 'L2-01']);
  await telling.close();
  await db.close();
});

test('without a position EVSEs are found without a distance', async () => {
  const { evses } = await bus.ask(searchEvses, {});
  expect(evses.map(({ distanceM }) => distanceM)).toEqual(evses.map(() => undefined));
  expect(evses.length).toBeGreaterThan(1);
});

test('TRN-51 TRN-54 our own Locations are listed by last_updated, without those of partners', async () => {
  const all = await bus.ask(listLocations, { page: { offset: 0, limit: 10 } });
  expect([all.total, all.objectsJson.length]).toEqual([1, 1]);
  const future = await bus.ask(listLocations, { page: { dateFrom: '2999-01-01T00:00:00Z', offset: 0, limit: 10 } });
  expect(future.total).toBe(0);
});

test('each change is told: what changed by status alone as such, anything else as the Location', async () => {
  const heard: string[] = [];
  const listenerDb = await openDatabase({ url: platform.databaseUrl, schema: 'listener', migrations: busMigrations });
  const listening = await listen(bus, listenerDb, {
    listener: 'listener',
    hearings: [
      hears(locationChanged, ({ locationId }) => void heard.push(`location ${locationId}`)),
      hears(evseStatusChanged, ({ evseUid, status: is }) => void heard.push(`${evseUid} ${is}`)),
      hears(partnerLocationChanged, ({ locationId }) => void heard.push(`partner's ${locationId}`)),
      hears(
        partnerEvsesChanged,
        ({ statuses }) => void heard.push(...statuses.map(({ evseUid, status: is }) => `partner's ${evseUid} ${is}`)),
      ),
    ],
  });
  await expect
    .poll(() => heard)
    .toEqual(
      expect.arrayContaining(['location BURNABY', 'L2-01 AVAILABLE', "partner's SURREY", "partner's E1 CHARGING"]),
    );
  expect(heard).not.toContain('location SURREY');
  await listening.close();
  await listenerDb.close();
});

test.each([
  ['a time zone that nobody knows', { ...burnaby, time_zone: 'Mars/Olympus' }, /time_zone: an IANA time zone/],
  ['a field that OCPI does not allow', { ...burnaby, country: 'Canada' }, /\/roamwatt\.yaml: locations: BURNABY: country: must be /],
  ['hours that end before they begin', {
    ...burnaby, opening_times: { twentyfourseven: false, regular_hours: [{ weekday: 1, period_begin: '20:00', period_end: '08:00' }] },
  }, /BURNABY: opening_times\.regular_hours\[0\]: ends at 08:00/],
  ['two EVSEs at one connector of a station', {
    ...burnaby, evses: [...burnaby.evses, { uid: 'L2-02', station: 'OASIS-L2-01', connectors: [{ id: '1', ...connector }] }],
  }, /connector 1 of station OASIS-L2-01 is at EVSEs L2-01 and L2-02/],
])('LOC-08 %s in the settings is named at the start', async (_what, location, message) => {
  const wrong = await testPlatform({ locations: [location] });
  await expect(start(wrong.env)).rejects.toThrow(message);
  await wrong.drop();
});

test('replicas that start together have the same plugs', async () => {
  const replicas = await Promise.all(Array.from({ length: 4 }, () => start(platform.env)));
  expect(await bus.ask(resolveStation, { stationId: 'OASIS-L2-01', stationConnector: 1 })).toMatchObject({ evseUid: 'L2-01' });
  await Promise.all(replicas.map((replica) => replica.stop()));
});

test('TRN-54 Locations too large for one answer come in several', async () => {
  const directions = Array.from({ length: 400 }, () => ({ language: 'en', text: 'Turn left. '.repeat(45) }));
  const large = await testPlatform({ locations: ['A', 'B', 'C'].map((id) => ({ ...burnaby, id: `LARGE-${id}`, evses: [], directions })) });
  const other = await start(large.env);
  const asker = await connectBus({ natsUrl: large.env.NATS_URL!, platform: large.platform, service: 'ocpi-gateway' });
  const page = async (offset: number) => {
    const { objectsJson, total } = await asker.ask(listLocations, { page: { offset, limit: 100 } });
    return { total, ids: objectsJson.map((json) => fromJsonBytes<Location>(json).id) };
  };
  expect(await page(0)).toEqual({ total: 3, ids: ['LARGE-A', 'LARGE-B'] });
  expect(await page(2)).toEqual({ total: 3, ids: ['LARGE-C'] });
  await asker.close();
  await other.stop();
  await large.drop();
});
