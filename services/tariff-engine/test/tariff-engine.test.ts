import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import {
  deletePartnerTariff, getTariff, lintTariff, listTariffs, publishTariff, putPartnerTariff, quote, selectTariff,
} from '#contracts/tariff-engine';
import { Change } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Tariff } from '#ocpi';
import { openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { rfc3339 } from '#time';
import { start } from '../src/start.ts';

const component = (type: string, price: number) => ({ type, price, vat: 5, step_size: 1 });
const levelTwo = {
  id: 'L2', currency: 'CAD', type: 'REGULAR', elements: [{ price_components: [component('ENERGY', 0.24), component('TIME', 1.5)] }],
};
const bct = { countryCode: 'CA', partyId: 'BCT' };
const xyz = { countryCode: 'CA', partyId: 'XYZ' };

const evse = (uid: string, meter_standing: string | undefined, ...tariff_ids: string[]) => ({
  uid, evse_id: `CA*BCT*E${uid}`, ...(meter_standing && { meter_standing }), connectors: [{ id: '1', tariff_ids }],
});
const site = {
  id: 'SITE', time_zone: 'America/Vancouver', meter_standing: 'approved',
  evses: [evse('1', undefined, 'KWH'), evse('2', 'none', 'KWH', 'BARE'), evse('3', 'dispensation', 'kwh-until-2030'), evse('4', 'none')],
};

let platform: TestPlatform;
let service: Running;
let bus: Bus;

beforeAll(async () => {
  platform = await testPlatform({ tariffs: [levelTwo], locations: [site] });
  service = await start(platform.env);
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'portal' });
});
afterAll(async () => {
  await bus?.close();
  await service?.stop();
  await platform?.drop();
});

const soon = () => rfc3339(Date.now() + 1000);
/** Now, once it is over: what is published next is published later. */
async function thisMoment(): Promise<string> {
  const at = Date.now();
  await expect.poll(() => Date.now()).toBeGreaterThan(at);
  return rfc3339(at);
}
const publish = (tariff: object) => bus.ask(publishTariff, { tariffJson: toJsonBytes(tariff) });

test('a tariff of the settings is version 1, and the same content again publishes nothing', async () => {
  expect(await bus.ask(getTariff, { party: bct, tariffId: 'l2' })).toMatchObject({ version: 1 });
  expect(await publish(levelTwo)).toMatchObject({ version: 1 });
});

test('a change is a new version, and what was in force before stays answerable', async () => {
  const before = await thisMoment();
  const dearer = { ...levelTwo, elements: [{ price_components: [component('ENERGY', 0.3)] }] };
  expect(await publish(dearer)).toMatchObject({ version: 2 });
  const then = await bus.ask(getTariff, { party: bct, tariffId: 'L2', asOf: before });
  expect([then.version, fromJsonBytes<Tariff>(then.tariffJson!).elements[0]!.price_components[0]!.price]).toEqual([1, 0.24]);
  expect(await publish(levelTwo)).toMatchObject({ version: 3 });
});

test('TRN-54 our tariffs are listed as they stand', async () => {
  await expect.poll(async () => {
    const { objectsJson, total } = await bus.ask(listTariffs, { page: { offset: 0, limit: 10 } });
    return [total, objectsJson.map((json) => fromJsonBytes<Tariff>(json).elements[0]!.price_components[0]!.price)];
  }).toEqual([1, [0.24]]);
});

test('a tariff longer than sessions and CDRs could carry is refused, with its size', async () => {
  const long = { ...levelTwo, id: 'LONG', elements: Array.from({ length: 4_000 }, () => levelTwo.elements[0]!) };
  await expect(publish(long)).rejects.toMatchObject({ code: 'invalid-object', detail: expect.stringContaining('200000 are kept') });
});

test("a partner's tariff is taken, guarded by last_updated, and withdrawn", async () => {
  const theirs = { ...levelTwo, country_code: 'CA', party_id: 'XYZ', last_updated: '2022-02-01T17:00:00Z' };
  const put = (tariff: object, more = {}) => bus.ask(putPartnerTariff, { party: xyz, tariffId: 'L2', bodyJson: toJsonBytes(tariff), ...more });
  const currency = async () => fromJsonBytes<Tariff>((await bus.ask(getTariff, { party: xyz, tariffId: 'L2' })).tariffJson!).currency;
  expect(await put(theirs)).toMatchObject({ change: Change.CREATED });
  const older = { ...theirs, currency: 'USD', last_updated: '2022-02-01T16:00:00Z' };
  expect(await put(older)).toMatchObject({ change: Change.STALE });
  expect(await currency()).toBe('CAD');
  expect(await put(older, { replaces: theirs.last_updated }), 'its owner was asked').toMatchObject({ change: Change.UPDATED });
  expect(await currency()).toBe('USD');
  expect(await bus.ask(deletePartnerTariff, { party: xyz, tariffId: 'L2' })).toMatchObject({ change: Change.UPDATED });
  expect(await bus.ask(getTariff, { party: xyz, tariffId: 'L2' })).not.toHaveProperty('tariffJson');
  expect(await put({ ...theirs, last_updated: '2022-02-01T18:00:00Z' }), 'there anew').toMatchObject({ change: Change.CREATED });
});

test('a tariff without elements is refused and names them', async () => {
  await expect(publish({ id: 'BAD', currency: 'CAD' })).rejects.toMatchObject({
    code: 'invalid-object', detail: expect.stringContaining('elements'),
  });
});

test('a tariff of ours that no session could be priced by is refused', async () => {
  const [element] = levelTwo.elements;
  const winter = { ...levelTwo, id: 'WINTER', elements: [{ ...element, restrictions: { end_date: '2026-02-31' } }] };
  await expect(publish(winter)).rejects.toMatchObject({ code: 'invalid-object', detail: expect.stringContaining('end_date') });
});

test('the tariff that applies is selected with the reason, and none is refused', async () => {
  const ask = (tokenType: string) => bus.ask(selectTariff, { party: bct, tariffIds: ['L2', 'UNKNOWN'], tokenType, at: soon() });
  expect(await ask('RFID')).toMatchObject({ version: 3, why: expect.stringContaining('REGULAR') });
  await expect(ask('AD_HOC_USER')).rejects.toMatchObject({ code: 'no-tariff-applies' });
});

test('a quote says the price with VAT, a sentence, and why', async () => {
  const quoted = await bus.ask(quote, {
    party: bct, tariffIds: ['L2'], tokenType: 'RFID', timeZone: 'America/Vancouver', startAt: soon(), energyKwh: '13', durationS: 7_200,
  });
  expect(quoted).toMatchObject({ currency: 'CAD', exclVat: '6.12', inclVat: '6.43' });
  expect(quoted.sentence).toMatch(/0\.24/);
});

test('LOC-10 in a time zone that there is not a charge is quoted, unless its price depends on the local time', async () => {
  const [element] = levelTwo.elements;
  await publish({ ...levelTwo, id: 'MORNINGS', elements: [{ ...element, restrictions: { end_time: '12:00' } }, element] });
  const ask = (tariffId: string, timeZone: string) => bus.ask(quote, {
    party: bct, tariffIds: [tariffId], tokenType: 'RFID', timeZone, startAt: soon(), energyKwh: '13', durationS: 7_200,
  });
  for (const zone of ['Mars/Olympus', '']) {
    expect(await ask('L2', zone)).toMatchObject({ exclVat: '6.12' });
    await expect(ask('MORNINGS', zone)).rejects.toMatchObject({ code: 'unknown-time-zone' });
  }
});

test('LOC-10 in a time zone that there is not a charge is quoted, too, when a tariff of local times applies later', async () => {
  const [element] = levelTwo.elements;
  const startAt = soon();
  const change = rfc3339(Date.parse(startAt) + 3_600_000);
  await publish({ ...levelTwo, id: 'FLAT-NOW', end_date_time: change });
  await publish({ ...levelTwo, id: 'MORNINGS-LATER', start_date_time: change, elements: [{ ...element, restrictions: { end_time: '12:00' } }, element] });
  const ask = (timeZone: string) => bus.ask(quote, {
    party: bct, tariffIds: ['FLAT-NOW', 'MORNINGS-LATER'], tokenType: 'RFID', timeZone, startAt, energyKwh: '13', durationS: 7_200,
    alternativesWithinS: 7_200, alternativesEveryS: 1_800,
  });
  expect(await ask('America/Vancouver')).toMatchObject({ exclVat: '6.12', alternatives: { length: 4 } });
  expect(await ask('')).toMatchObject({ exclVat: '6.12', alternatives: [{ exclVat: '6.12' }, { exclVat: '6.12' }] });
});

test('TAR-03: a charge begun later is quoted by the tariff that then applies, and not at all where none does', async () => {
  const startMs = Date.now() + 60_000;
  const hour = (n: number) => rfc3339(startMs + n * 3_600_000);
  const perKwh = (price: number) => ({ currency: 'CAD', elements: [{ price_components: [component('ENERGY', price)] }] });
  await publish({ id: 'UNTIL-TWO', end_date_time: hour(2), ...perKwh(0.3) });
  await publish({ id: 'FROM-TWO', start_date_time: hour(2), end_date_time: hour(4), ...perKwh(0.1) });
  const { exclVat, alternatives } = await bus.ask(quote, {
    party: bct, tariffIds: ['UNTIL-TWO', 'FROM-TWO'], tokenType: 'RFID', timeZone: 'America/Vancouver', startAt: hour(0), energyKwh: '10',
    durationS: 1_800, alternativesWithinS: 6 * 3_600, alternativesEveryS: 3_600,
  });
  expect([exclVat, ...alternatives.map((one) => [one.startAt, one.exclVat, one.cheapest])]).toEqual([
    '3', [hour(0), '3', false], [hour(1), '3', false], [hour(2), '1', true], [hour(3), '1', false],
  ]);
});

test('TAR-03: a version that is published ahead of its start leaves the one before in force until then', async () => {
  const startMs = Date.now() + 60_000;
  const hour = (n: number) => rfc3339(startMs + n * 3_600_000);
  const ahead = (price: number, more: object = {}) =>
    publish({ id: 'AHEAD', currency: 'CAD', elements: [{ price_components: [component('ENERGY', price)] }], ...more });
  const select = async (n: number) =>
    (await bus.ask(selectTariff, { party: bct, tariffIds: ['AHEAD'], tokenType: 'RFID', at: hour(n) })).version;
  await ahead(0.3);
  await ahead(0.2, { start_date_time: hour(4) });
  await ahead(0.1, { start_date_time: hour(2) });
  expect([await select(0), await select(1), await select(2), await select(5)]).toEqual([1, 1, 3, 3]);
  const { exclVat, alternatives } = await bus.ask(quote, {
    party: bct, tariffIds: ['AHEAD'], tokenType: 'RFID', timeZone: 'America/Vancouver', startAt: hour(0), energyKwh: '10',
    durationS: 1_800, alternativesWithinS: 3 * 3_600, alternativesEveryS: 3_600,
  });
  expect([exclVat, ...alternatives.map((one) => one.exclVat)]).toEqual(['3', '3', '3', '1']);
});

test('TAR-03: a price for a time, published over one without an end, leaves that in force when it is over, and says so; another tariff comes first', async () => {
  const startMs = Date.now() + 60_000;
  const hour = (n: number) => rfc3339(startMs + n * 3_600_000);
  const of = (id: string, price: number, more: object = {}) =>
    publish({ id, currency: 'CAD', elements: [{ price_components: [component('ENERGY', price)] }], ...more });
  const select = async (n: number, tariffIds = ['SPECIAL']) => {
    const { tariffJson, version } = await bus.ask(selectTariff, { party: bct, tariffIds, tokenType: 'RFID', at: hour(n) });
    return `${fromJsonBytes<Tariff>(tariffJson).id} ${version}`;
  };
  const codes = ({ lint }: Awaited<ReturnType<typeof of>>) => lint.map(({ code }) => code);
  expect(codes(await of('SPECIAL', 0.3))).not.toContain('earlier-version-returns');
  const special = await of('SPECIAL', 0.1, { start_date_time: hour(1), end_date_time: hour(2) });
  expect(special.lint.find(({ code }) => code === 'earlier-version-returns')?.message).toContain('version 1 prices charges');
  expect([await select(0), await select(1), await select(2), await select(9)]).toEqual(['SPECIAL 1', 'SPECIAL 2', 'SPECIAL 1', 'SPECIAL 1']);
  const { exclVat, alternatives } = await bus.ask(quote, {
    party: bct, tariffIds: ['SPECIAL'], tokenType: 'RFID', timeZone: 'America/Vancouver', startAt: hour(0), energyKwh: '10',
    durationS: 600, alternativesWithinS: 3 * 3_600, alternativesEveryS: 3_600,
  });
  expect([exclVat, ...alternatives.map((one) => one.exclVat)]).toEqual(['3', '3', '1', '3']);
  // One that was given an end because another follows it stays ended.
  await of('SUCCESSOR', 0.5, { start_date_time: hour(2) });
  expect([await select(1, ['SPECIAL', 'SUCCESSOR']), await select(2, ['SPECIAL', 'SUCCESSOR'])]).toEqual(['SPECIAL 2', 'SUCCESSOR 1']);
  // The first version alone is over when it ends.
  expect(codes(await of('ONCE', 0.3, { end_date_time: hour(1) }))).not.toContain('earlier-version-returns');
  await expect(select(1, ['ONCE'])).rejects.toMatchObject({ code: 'no-tariff-applies' });
});

test('TAR-01: what a price for a time was published over is published anew when it is over, but not where another came since or it was only given an end', async () => {
  // Until then all is published, on a busy machine, too.
  const endMs = Date.now() + 8_000;
  const ends = { end_date_time: rfc3339(endMs) };
  const forATime = { start_date_time: rfc3339(endMs - 60_000), ...ends };
  const of = (id: string, price: number, more: object = {}) =>
    publish({ id, currency: 'CAD', elements: [{ price_components: [component('ENERGY', price)] }], ...more });
  for (const id of ['BACK', 'REPLACED', 'ENDED']) await of(id, 0.3);
  await of('BACK', 0.1, forATime);
  await of('REPLACED', 0.1, forATime);
  await of('REPLACED', 0.5);
  await of('ENDED', 0.1, ends);
  const offered = async () => {
    const { objectsJson } = await bus.ask(listTariffs, { page: { offset: 0, limit: 100 } });
    const all = objectsJson.map((json) => fromJsonBytes<Tariff>(json));
    return ['BACK', 'REPLACED', 'ENDED'].map((name) => all.find(({ id }) => id === name)!.elements[0]!.price_components[0]!.price);
  };
  await expect.poll(offered).toEqual([0.1, 0.5, 0.1]);
  await expect.poll(offered).toEqual([0.3, 0.5, 0.1]);
  const back = await bus.ask(getTariff, { party: bct, tariffId: 'BACK' });
  expect(back.version).toBe(3);
  const tariff = fromJsonBytes<Tariff>(back.tariffJson!);
  expect(Date.parse(tariff.last_updated)).toBeGreaterThanOrEqual(endMs);
  expect(tariff).not.toHaveProperty('end_date_time');
});

test('TAR-01: so it is where a former release, which noted no end, heard the price for a time published', async () => {
  const db = await openDatabase({ url: platform.databaseUrl, schema: 'tariff_engine', migrations: [] });
  const endMs = Date.now() + 60_000;
  const of = (price: number, more: object = {}) =>
    publish({ id: 'UPGRADED', currency: 'CAD', elements: [{ price_components: [component('ENERGY', price)] }], ...more });
  await of(0.3);
  await of(0.1, { start_date_time: rfc3339(endMs - 120_000), end_date_time: rfc3339(endMs) });
  const noted = async () => (await db.query<{ at: string }>(`SELECT at FROM due WHERE id LIKE 'return %UPGRADED 2'`)).rows.map(({ at }) => Number(at));
  await expect.poll(noted).toEqual([endMs]);
  await db.query(`DELETE FROM due WHERE id LIKE 'return %UPGRADED 2'`);
  await service.stop();
  service = await start(platform.env);
  expect(await noted()).toEqual([endMs]);
  await db.close();
});

test.each([
  ['KWH', {}, ['canada-kwh-without-approval']],
  ['BARE', { elements: [{ price_components: [component('TIME', 3)] }] }, ['canada-time-price-after-2029']],
  ['KWH-UNTIL-2030', {}, ['canada-dispensation-ends']],
  ['KWH-UNTIL-2030', { end_date_time: '2030-01-01T07:00:00Z' }, []],
  ['NOBODYS', {}, ['canada-meter-unknown']],
])('in Canada %s, published with %j, is looked at with the meters of its EVSEs: %j', async (id, more, codes) => {
  const tariff = { id, currency: 'CAD', type: 'REGULAR', elements: [{ price_components: [component('ENERGY', 0.3)] }], ...more };
  const { lint } = await publish(tariff);
  const ofCanada = (found: readonly { code: string }[]) => found.map(({ code }) => code).filter((code) => code.startsWith('canada'));
  expect(ofCanada(lint)).toEqual(codes);
  if (id === 'KWH') expect(lint.find(({ code }) => code === 'canada-kwh-without-approval')?.message).toContain('CA*BCT*E2 has neither');
  const looked = await bus.ask(lintTariff, { tariffJson: toJsonBytes(tariff) });
  expect(ofCanada(looked.lint), 'before it is published').toEqual(codes.filter((code) => code !== 'canada-meter-unknown'));
  const asked = await bus.ask(lintTariff, { tariffJson: toJsonBytes(tariff), evses: [{ name: 'E', meter: 'approved' }] });
  expect(ofCanada(asked.lint), 'EVSEs that are named go before those of the settings').not.toContain('canada-kwh-without-approval');
});
