import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { getLocation, listLocations, resolveEvse, resolveStation } from '#contracts/locations';
import { fromJsonBytes } from '#contracts';
import type { Location } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

// A platform of two CPOs: each Location is one's, and is found by its id alone.

const party = (party_id: string, ...roles: string[]) => ({ country_code: 'CA', party_id, name: `Party ${party_id}`, roles });
const connector = { id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32 };
const described = (id: string, owner: object = {}) => ({
  ...owner, id, publish: true, address: '1 Main Street', city: 'Burnaby', country: 'CAN',
  coordinates: { latitude: '49.25120', longitude: '-123.00310' }, time_zone: 'America/Vancouver',
  evses: [{ uid: `${id}-1`, evse_id: `CA*NOA*E${id}`, station: `${id}-S`, connectors: [connector] }],
});
const nob = { country_code: 'CA', party_id: 'NOB' };

let platform: TestPlatform;
let service: Running | undefined;
let bus: Bus;
beforeAll(async () => {
  platform = await testPlatform({
    parties: [party('NOE', 'EMSP'), party('NOA', 'CPO'), party('NOB', 'CPO')],
    locations: [described('HERE'), described('THERE', nob)],
  });
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'portal' });
  service = await start(platform.env);
});
afterAll(async () => {
  await service?.stop();
  await bus?.close();
  await platform?.drop();
});

async function startWith(...locations: object[]): Promise<void> {
  await service?.stop();
  service = undefined;
  const file = platform.env.ROAMWATT_CONFIG!;
  const settings = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...settings, locations }));
  service = await start(platform.env);
}

test('a Location is of the party that it names, else of the first CPO', async () => {
  const ownerOf = async (locationId: string) =>
    fromJsonBytes<Location>((await bus.ask(getLocation, { locationId })).locationJson!).party_id;
  expect([await ownerOf('here'), await ownerOf('THERE')]).toEqual(['NOA', 'NOB']);
  expect((await bus.ask(resolveStation, { stationId: 'THERE-S', stationConnector: 1 })).party).toMatchObject({ partyId: 'NOB' });
});

test('CMD-08: an EVSE is found at any party of ours, or only at the one that is asked for', async () => {
  const there = { locationId: 'THERE', evseUid: 'THERE-1' };
  expect(await bus.ask(resolveEvse, there)).toMatchObject({ party: { partyId: 'NOB' }, stationId: 'THERE-S' });
  expect(await bus.ask(resolveEvse, { ...there, party: { countryCode: 'CA', partyId: 'NOB' } })).toMatchObject({ stationId: 'THERE-S' });
  await expect(bus.ask(resolveEvse, { ...there, party: { countryCode: 'CA', partyId: 'NOA' } })).rejects.toMatchObject({
    code: 'unknown-location', detail: 'THERE is none of our Locations',
  });
});

test('a list holds the Locations of all parties of ours, or of one', async () => {
  const list = async (owner?: string) => (await bus.ask(listLocations, {
    page: { offset: 0, limit: 10 }, ...(owner === undefined ? {} : { owner: { countryCode: 'ca', partyId: owner } }),
  })).objectsJson.map((json) => fromJsonBytes<Location>(json).id);
  expect(await list()).toEqual(['HERE', 'THERE']);
  expect(await list('nob')).toEqual(['THERE']);
  expect(await list('NOE')).toEqual([]);
});

test.each<[string, object[], RegExp]>([
  [
    'of a party that is none of ours',
    [described('NEW', { country_code: 'CA', party_id: 'BCT' })],
    /NEW: party_id: CA\*BCT is no CPO of this platform; CA\*NOA, CA\*NOB is/,
  ],
  ['of a party that is no CPO', [described('NEW', { country_code: 'CA', party_id: 'NOE' })], /CA\*NOE is no CPO/],
  [
    'with half a party',
    [described('NEW', { party_id: 'NOB' })],
    /NEW: country_code and party_id name a party together/,
  ],
  ["whose id is another one's, too", [described('SAME'), described('same', nob)], /is the id of locations\.0, too/],
  [
    "that was another party's",
    [described('HERE', nob)],
    /HERE: is a Location of CA\*NOA: under CA\*NOB it needs another id/,
  ],
])('a Location %s is refused at the start', async (_what, locations, said) => {
  await expect(startWith(...locations)).rejects.toThrow(said);
});

test('a dropped Location is REMOVED under the party that had it', async () => {
  await startWith(described('HERE'));
  const { evses, party_id } = fromJsonBytes<Location>((await bus.ask(getLocation, { locationId: 'THERE' })).locationJson!);
  expect([party_id, evses!.map(({ status }) => status)]).toEqual(['NOB', ['REMOVED']]);
});
