import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { tariffPublished } from '#contracts/tariff-engine';
import { listPartners } from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import { exampleLocation, exampleTariff, type Location, type Tariff } from '#ocpi';
import { openDatabase } from '#postgres';
import { migrations } from '../src/migrations.ts';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// OCPI 2.1.1 has Tariffs without a type, a beginning and an end, and Connectors with one of them.

let oasis: Side;
let partner: HandPartner;
/** What the partner has: by PUT, until DELETE. */
const held = new Map<string, unknown>();

const tariff = (id: string, more: Partial<Tariff> = {}): Tariff => ({ ...exampleTariff, id, type: 'REGULAR', ...more });
const adHoc = tariff('AT-THE-CHARGER', { type: 'AD_HOC_PAYMENT' });
const winter = tariff('WINTER');
const summer = tariff('SUMMER', { start_date_time: '2099-06-01T00:00:00Z' });
const [dc] = exampleLocation.evses!;
const [plug] = dc!.connectors;
const location: Location = {
  ...exampleLocation,
  id: 'BURNABY',
  evses: [{ ...dc!, connectors: [{ ...plug!, tariff_ids: [adHoc.id, summer.id, winter.id] }] }],
};
const withOne: Location = { ...location, id: 'HOPE', evses: [{ ...dc!, connectors: [{ ...plug!, tariff_ids: [winter.id] }] }] };

beforeAll(async () => {
  oasis = await openSide({});
  oasis.neighbours.own.locations.push(location, withOne);
  oasis.neighbours.own.tariffs.push(adHoc, summer, winter);
  partner = await HandPartner.open('Example', 'EXT', '', ['RECEIVER locations', 'RECEIVER tariffs']);
  partner.version = '2.1.1';
  partner.answer = (what) => {
    const [method = '', path = ''] = what.split(' ');
    const last = partner.seen.at(-1)!;
    if (method === 'PUT') held.set(path, last.body);
    if (method === 'DELETE') held.delete(path);
    return method === 'GET' && !held.has(path) ? { http: 404, status: 2001 } : { data: held.get(path) };
  };
  expect(await partner.register(oasis)).toMatchObject({ http: 200, status_code: 1000 });
});
afterAll(async () => {
  await partner?.close();
  await oasis?.close();
});

const tariffsHeld = () => [...held.keys()].filter((path) => path.startsWith('/tariffs/')).map((path) => path.split('/').at(-1));
const named = (place: unknown) => (place as { evses: { connectors: { tariff_id?: string }[] }[] } | undefined)?.evses[0]?.connectors[0]?.tariff_id;
const nothingWaits = () => expect.poll(async () => (await oasis.neighbours.bus.ask(listPartners, {})).partners[0]).toMatchObject({ waiting: 0, deadLetters: 0 });

test('2.1.1 a partner hears of the Tariff that holds now for drivers with a contract, and Connectors name that one', async () => {
  await expect.poll(() => named(held.get('/locations/CA/BCT/BURNABY'))).toBe('WINTER');
  expect(tariffsHeld()).toEqual(['WINTER']);
  await nothingWaits();
  const get = (path: string) => call(oasis, `/ocpi/2.1.1/${path}`, { token: partner.token });
  const lists = [await get('tariffs'), await get('tariffs?offset=2')];
  expect(lists.map(({ data }) => (data as { id: string }[]).map(({ id }) => id))).toEqual([[], ['WINTER']]);
  expect(named((await get('locations/BURNABY')).data)).toBe('WINTER');
  const { notCarried } = (await oasis.neighbours.bus.ask(listPartners, {})).partners[0]!;
  expect(notCarried).toEqual(expect.arrayContaining([
    'tariff to 2.1.1: type: AD_HOC_PAYMENT is for none who comes by contract, OCPI 2.1.1 would have it for all',
    'tariff to 2.1.1: start_date_time: the Tariff is not yet valid, OCPI 2.1.1 would have it valid at once',
  ]));
});

test('TAR-01: 2.1.1 when one Tariff ends and another begins, the other is put, Connectors name it, and then the first is deleted', async () => {
  partner.seen.length = 0;
  const at = new Date(Date.now() + 1_500).toISOString();
  const ending = { ...winter, end_date_time: at, last_updated: at };
  const beginning = { ...summer, start_date_time: at, last_updated: at };
  const { own } = oasis.neighbours;
  own.tariffs.splice(0, own.tariffs.length, adHoc, beginning, ending);
  await oasis.neighbours.tell(...[ending, beginning].map((one) => told(tariffPublished, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, tariffId: one.id, version: 2, tariffJson: toJsonBytes(one), lastUpdated: at,
  })));
  await expect.poll(() => [tariffsHeld(), named(held.get('/locations/CA/BCT/BURNABY'))]).toEqual([['SUMMER'], 'SUMMER']);
  await nothingWaits();
  expect(partner.pushed('PUT /locations/CA/BCT/HOPE'), 'where nothing changes by it, nothing is said').toEqual([]);
  const said = partner.pushed().filter((what) => !what.startsWith('GET'));
  const order = ['PUT /tariffs/CA/BCT/SUMMER', 'PUT /locations/CA/BCT/BURNABY', 'DELETE /tariffs/CA/BCT/WINTER'];
  // One that is heard of late is said when it is heard of, and again at its turn.
  expect([...new Set(said.filter((what) => order.includes(what)))]).toEqual(order);
});

test('2.1.1 a Tariff that was published before there were turns is told when it begins, after an upgrade', async () => {
  const { own } = oasis.neighbours;
  const at = new Date(Date.now() + 2_500).toISOString();
  const beginning = { ...winter, start_date_time: at, last_updated: at };
  own.tariffs.splice(0, own.tariffs.length, adHoc, beginning);
  await oasis.gateway.stop();
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  // As the release before left it: without turns, and the Connectors named the first.
  await db.query(`DELETE FROM due WHERE kind = 'tariffs-turn'`);
  for (const sql of migrations.find(({ name }) => name === 'ocpi-gateway-tariffs-turn')!.up({ schema: '', role: '' })) await db.query(sql);
  await db.close();
  held.set('/locations/CA/BCT/BURNABY', { evses: [{ connectors: [{ tariff_id: adHoc.id }] }] });
  await oasis.restart();
  await expect.poll(() => [tariffsHeld().includes('WINTER'), named(held.get('/locations/CA/BCT/BURNABY'))]).toEqual([true, 'WINTER']);
});

test('2.1.1 a Tariff that begins while its partner still answers that it has none is put all the same', async () => {
  const at = new Date(Date.now() + 1_000).toISOString();
  const beginning = tariff('AUTUMN', { start_date_time: at, last_updated: at });
  const gate = Promise.withResolvers<void>();
  const { answer } = partner;
  const path = '/tariffs/CA/BCT/AUTUMN';
  partner.answer = async (what) => {
    const said = await answer(what);
    if (what === `GET ${path}`) await gate.promise;
    return said;
  };
  oasis.neighbours.own.tariffs.push(beginning);
  await oasis.neighbours.tell(told(tariffPublished, {
    own: true, party: { countryCode: 'CA', partyId: 'BCT' }, tariffId: beginning.id, version: 1, tariffJson: toJsonBytes(beginning), lastUpdated: at,
  }));
  await expect.poll(() => partner.pushed(`GET ${path}`).length).toBe(1);
  const db = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpi_gateway', migrations: [] });
  const hasTurned = async () => (await db.query(`SELECT FROM pushed WHERE module = 'tariffs' AND object_key = 'AUTUMN' AND unclear`)).rowCount;
  await expect.poll(hasTurned).toBe(1);
  await db.close();
  gate.resolve();
  await expect.poll(() => tariffsHeld()).toContain('AUTUMN');
});
