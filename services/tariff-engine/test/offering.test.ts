import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Bus, busMigrations, connectBus, hears, listen, type Listening, outbox, type Relay, startRelay, told } from '#bus';
import { agreementChanged, agreementOf } from '#contracts/agreements';
import { listTariffUses } from '#contracts/locations';
import {
  getTariff, listTariffs, listTariffVersions, publishTariff, putPartnerTariff, selectTariff, type TariffPublished, tariffPublished,
  type TariffWithdrawn, tariffWithdrawn, withdrawTariff,
} from '#contracts/tariff-engine';
import { Change } from '#contracts/party';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Tariff } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { exampleTerms } from '#settlement';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { rfc3339 } from '#time';
import { start } from '../src/start.ts';

const tariffOf = (id: string, price: number) => ({
  id, currency: 'CAD', elements: [{ price_components: [{ type: 'ENERGY', price, vat: 5, step_size: 1 }] }],
});
const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };

let platform: TestPlatform;
let service: Running;
let bus: Bus;
let db: Database;
let listening: Listening;
let relay: Relay;
const published: TariffPublished[] = [];
const withdrawn: TariffWithdrawn[] = [];
/** How many Connectors name a tariff, as locations would say. */
const uses = new Map<string, number>();
let asked = 0;

beforeAll(async () => {
  platform = await testPlatform({
    tariffs: [tariffOf('L2', 0.24), tariffOf('NIGHT', 0.1), tariffOf('PLUNK', 0.2)],
  });
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'neighbours' });
  db = await openDatabase({ url: platform.databaseUrl, schema: 'neighbours', migrations: busMigrations });
  await bus.answer(listTariffUses, (requests) => requests.map(({ tariffId }) => {
    asked += 1;
    const use = { locationId: 'BURNABY', evseUid: 'L2-01', connectorId: '1' };
    const total = uses.get(tariffId) ?? 0;
    return { uses: Array.from({ length: total }, () => use), total };
  }));
  const agreements = outbox('agreements', db);
  relay = startRelay(bus, agreements);
  await db.tx((tx) => agreements.tell(tx, [told(agreementChanged, {
    partner: cpk, version: 1, at: '2022-01-01T00:00:00Z', agreement: agreementOf({ ...exampleTerms, grants: { tariffs: ['PLUNK'] } }),
  })]));
  service = await start(platform.env);
  listening = await listen(bus, db, {
    listener: 'neighbours',
    hearings: [
      hears(tariffPublished, (fact) => void published.push(fact)),
      hears(tariffWithdrawn, (fact) => void withdrawn.push(fact)),
    ],
  });
});
afterAll(async () => {
  await listening?.close();
  await relay?.close();
  await service?.stop();
  await bus?.close();
  await db?.close();
  await platform?.drop();
});

async function restartedWith(tariffs: object[], locations: object[] = []): Promise<void> {
  await service.stop();
  const file = platform.env.ROAMWATT_CONFIG!;
  const settings = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...settings, tariffs, locations }));
  service = await start(platform.env);
}

const publish = (tariff: object, commandId?: string) =>
  bus.ask(publishTariff, { tariffJson: toJsonBytes(tariff) }, commandId === undefined ? {} : { commandId });
const held = async (tariffId: string) => {
  const { tariffJson, version } = await bus.ask(getTariff, { party: bct, tariffId });
  const tariff = tariffJson && fromJsonBytes<Tariff>(tariffJson);
  return { version, price: tariff?.elements[0]!.price_components[0]!.price, lastUpdated: tariff?.last_updated ?? '' };
};
const offered = async () => {
  const { objectsJson } = await bus.ask(listTariffs, { page: { offset: 0, limit: 10 } });
  return objectsJson.map((json) => fromJsonBytes<Tariff>(json).id).sort();
};

test('an operator\'s change is the next version, with a later last_updated, told to all', async () => {
  const before = await held('L2');
  const { version, change, tariffJson } = await publish(tariffOf('L2', 0.3));
  expect([version, change]).toEqual([2, Change.UPDATED]);
  const { last_updated } = fromJsonBytes<Tariff>(tariffJson);
  expect(Date.parse(last_updated)).toBeGreaterThan(Date.parse(before.lastUpdated));
  expect(await held('L2')).toEqual({ version: 2, price: 0.3, lastUpdated: last_updated });
  await expect.poll(() => published.filter(({ tariffId }) => tariffId === 'L2').map((fact) => fact.version)).toEqual([1, 2]);
});

test('the same content in another spelling is no news, and an order repeated late is not carried out again', async () => {
  const { elements, currency, id } = tariffOf('L2', 0.3);
  expect(await publish({ tariff_alt_text: null, elements, currency, id })).toMatchObject({ version: 2, change: Change.UNCHANGED });
  expect(await publish(tariffOf('L2', 0.4), 'order-7')).toMatchObject({ version: 3 });
  expect(await publish(tariffOf('L2', 0.3))).toMatchObject({ version: 4 });
  expect(await publish(tariffOf('L2', 0.4), 'order-7')).toMatchObject({ version: 3, change: Change.UNCHANGED });
  expect((await held('L2')).price).toBe(0.3);
});

test('changes at the same time are all versions, and the last one stands', async () => {
  const prices = [0.51, 0.52, 0.53, 0.54, 0.55];
  const taken = await Promise.all(prices.map((price) => publish(tariffOf('RACE', price))));
  expect(taken.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5]);
  const { version, price } = await held('RACE');
  expect([version, prices[taken.findIndex((one) => one.version === 5)]]).toEqual([5, price]);
});

test('what an operator changed stays when the platform starts again with the same settings', async () => {
  await restartedWith([tariffOf('L2', 0.24), tariffOf('NIGHT', 0.1), tariffOf('PLUNK', 0.2)]);
  expect(await held('L2')).toMatchObject({ version: 4, price: 0.3 });
  expect(await held('NIGHT')).toMatchObject({ version: 1 });
});

test('every version that we held is listed, the newest first, with when it was in force', async () => {
  const { versions, total } = await bus.ask(listTariffVersions, { party: bct, tariffId: 'L2', offset: 0, limit: 2 });
  expect([total, versions.map(({ version, source }) => `${version} ${source}`)]).toEqual([4, ['4 operator', '3 operator']]);
  const [newest, before] = versions;
  expect([newest!.heldUntil, before!.heldUntil]).toEqual([undefined, newest!.heldSince]);
});

test('the version of a session\'s start is selected, whatever was published since', async () => {
  const select = async (at: string) => {
    const { version, tariffJson } = await bus.ask(selectTariff, { party: bct, tariffIds: ['L2'], tokenType: 'RFID', at });
    return [version, fromJsonBytes<Tariff>(tariffJson).id];
  };
  const startedMs = Date.now();
  // What is published in the same millisecond would be in force then, too.
  await expect.poll(() => Date.now()).toBeGreaterThan(startedMs);
  const started = rfc3339(startedMs);
  await publish(tariffOf('L2', 0.6));
  expect(await select(started)).toEqual([4, 'L2']);
  expect(await select(rfc3339(Date.now() + 1_000))).toEqual([5, 'L2']);
});

test('only what a partner is offered is listed for it, and counted', async () => {
  const offeredTo = async (...parties: (typeof cpk)[]) => {
    const { objectsJson, total } = await bus.ask(listTariffs, { page: { offset: 0, limit: 10 }, offeredTo: parties });
    expect(total).toBe(objectsJson.length);
    return objectsJson.map((json) => fromJsonBytes<Tariff>(json).id).sort();
  };
  await expect.poll(() => offeredTo({ countryCode: 'CA', partyId: 'XYZ' })).not.toContain('PLUNK');
  expect(await offeredTo(cpk)).toEqual(await offeredTo());
  expect(await offeredTo({ countryCode: 'CA', partyId: 'XYZ' })).toEqual((await offeredTo()).filter((id) => id !== 'PLUNK'));
});

test('the agreement with a partner decides first, and the others say why they do not apply', async () => {
  const select = (tokenParty?: typeof cpk) => bus.ask(selectTariff, {
    party: bct, tariffIds: ['L2', 'PLUNK', 'NEVER'], tokenType: 'RFID', at: rfc3339(Date.now() + 1_000),
    ...(tokenParty ? { tokenParty } : {}),
  });
  const plunk = await select(cpk);
  expect(fromJsonBytes<Tariff>(plunk.tariffJson).id).toBe('PLUNK');
  expect(plunk.why).toContain('by the agreement with CA*CPK');
  const anyone = await select();
  expect(fromJsonBytes<Tariff>(anyone.tariffJson).id).toBe('L2');
  expect(anyone.others.map(({ tariffId, why }) => `${tariffId} ${why}`)).toEqual([
    'PLUNK is offered to CA*CPK only', 'NEVER no version of it was in force then',
  ]);
});

test('what we agreed on says nothing of a partner\'s tariff of the same name', async () => {
  const xyz = { countryCode: 'CA', partyId: 'XYZ' };
  const theirs = { ...tariffOf('PLUNK', 0.9), country_code: 'CA', party_id: 'XYZ', last_updated: '2022-02-01T17:00:00Z' };
  await bus.ask(putPartnerTariff, { party: xyz, tariffId: 'PLUNK', bodyJson: toJsonBytes(theirs) });
  const at = rfc3339(Date.now() + 1_000);
  const chosen = await bus.ask(selectTariff, { party: xyz, tariffIds: ['PLUNK'], tokenType: 'RFID', at });
  expect(fromJsonBytes<Tariff>(chosen.tariffJson).party_id).toBe('XYZ');
});

test('TAR-01 a tariff that a Connector names is not withdrawn; one that none names is', async () => {
  uses.set('RACE', 2);
  await expect(bus.ask(withdrawTariff, { tariffId: 'RACE' })).rejects.toMatchObject({
    code: 'tariff-in-use', detail: '2 Connectors name RACE: BURNABY L2-01 1, BURNABY L2-01 1',
  });
  uses.set('RACE', 1);
  await expect(bus.ask(withdrawTariff, { tariffId: 'RACE' })).rejects.toMatchObject({
    code: 'tariff-in-use', detail: '1 Connector names RACE: BURNABY L2-01 1',
  });
  await expect(bus.ask(withdrawTariff, { tariffId: 'NEVER' })).rejects.toMatchObject({ code: 'unknown-tariff' });
  uses.delete('RACE');
  expect(await bus.ask(withdrawTariff, { tariffId: 'RACE' })).toMatchObject({ change: Change.UPDATED });
  expect(await bus.ask(withdrawTariff, { tariffId: 'RACE' })).toMatchObject({ change: Change.UNCHANGED });
  await expect.poll(() => withdrawn.map(({ tariffId }) => tariffId)).toEqual(['RACE']);
  expect(await held('RACE')).toMatchObject({ version: 0 });
});

test('a tariff that the settings dropped is withdrawn once no Connector names it', async () => {
  uses.set('NIGHT', 1);
  asked = 0;
  await restartedWith([tariffOf('L2', 0.24), tariffOf('PLUNK', 0.2)]);
  await expect.poll(() => asked).toBeGreaterThan(0);
  expect(await held('NIGHT')).toMatchObject({ version: 1 });
  uses.delete('NIGHT');
  await expect.poll(async () => (await held('NIGHT')).version).toBe(0);
  await expect.poll(offered).toEqual(['L2', 'PLUNK']);
  await expect.poll(() => withdrawn.map(({ tariffId }) => tariffId)).toEqual(['RACE', 'NIGHT']);
});

test('one that comes back is the next version, and one that an operator published is never dropped', async () => {
  await publish(tariffOf('EXTRA', 0.7));
  await restartedWith([tariffOf('L2', 0.24), tariffOf('NIGHT', 0.1), tariffOf('PLUNK', 0.2)]);
  expect(await held('NIGHT')).toMatchObject({ version: 2, price: 0.1 });
  await restartedWith([tariffOf('NIGHT', 0.1), tariffOf('PLUNK', 0.2), tariffOf('L2', 0.24)]);
  expect(await held('EXTRA')).toMatchObject({ version: 1 });
  expect(await held('NIGHT')).toMatchObject({ version: 2 });
});

const evse = (uid: string, ...tariff_ids: string[]) => ({ uid, connectors: [{ id: '1', tariff_ids }] });

/** What a start with these settings says aloud. */
async function warningsOf(tariffs: object[], locations: object[], about: string): Promise<object[]> {
  const said: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
  try {
    await restartedWith(tariffs, locations);
  } finally {
    stderr.mockRestore();
  }
  return said.filter((line) => line.includes(about)).map((line) => JSON.parse(line) as object);
}

test('Connectors of the settings whose tariff nobody published are named at a start: a charge there is free', async () => {
  expect(await warningsOf([tariffOf('L2', 0.24), tariffOf('NIGHT', 0.1), tariffOf('PLUNK', 0.2)], [
    { id: 'BURNABY', evses: [evse('1', 'l2', 'EXTRA'), evse('2', 'TYPO'), evse('3', 'typo', 'GONE')] },
  ], 'that nobody published')).toMatchObject([{ tariff: 'TYPO', evses: ['2', '3'] }, { tariff: 'GONE', evses: ['3'] }]);
});

test('Connectors of the settings whose tariffs are all for some alone are named at a start, unless the place is private', async () => {
  const tariffs = [
    tariffOf('L2', 0.24), { ...tariffOf('NIGHT', 0.1), offered_to: 'own' }, { ...tariffOf('PLUNK', 0.2), offered_to: 'agreed' },
  ];
  const evses = [evse('1', 'night'), evse('2', 'PLUNK', 'NIGHT'), evse('3', 'NIGHT', 'L2'), evse('4')];
  const warnings = await warningsOf(tariffs, [{ id: 'BURNABY', evses }, { id: 'HOME', private: true, evses: [evse('5', 'NIGHT')] }], 'for some alone');
  expect(warnings).toMatchObject([{ evses: ['1', '2'], count: 2 }]);
  await restartedWith([tariffOf('L2', 0.24), tariffOf('NIGHT', 0.1), tariffOf('PLUNK', 0.2)]);
});

test('an order that found its tariff so already does nothing when it comes again after another, and is no version', async () => {
  const versionOf = async (price: number, commandId: string) => {
    const { version, change } = await publish(tariffOf('ONCE', price), commandId);
    return [version, change];
  };
  expect(await versionOf(0.2, 'first')).toEqual([1, Change.CREATED]);
  expect(await versionOf(0.2, 'again')).toEqual([1, Change.UNCHANGED]);
  expect(await versionOf(0.3, 'dearer')).toEqual([2, Change.UPDATED]);
  expect(await versionOf(0.2, 'again')).toEqual([1, Change.UNCHANGED]);

  const withdraw = async (commandId: string) => (await bus.ask(withdrawTariff, { tariffId: 'ONCE' }, { commandId })).change;
  expect([await withdraw('gone'), await withdraw('twice')]).toEqual([Change.UPDATED, Change.UNCHANGED]);
  expect(await versionOf(0.2, 'back')).toEqual([3, Change.CREATED]);
  expect([await withdraw('gone'), await withdraw('twice')]).toEqual([Change.UNCHANGED, Change.UNCHANGED]);
  const { versions } = await bus.ask(listTariffVersions, { party: bct, tariffId: 'ONCE', offset: 0, limit: 9 });
  expect(versions.map(({ version, heldUntil }) => [version, heldUntil !== undefined])).toEqual([[3, false], [2, true], [1, true]]);
});

test('a dropped tariff is withdrawn also where its price for a time ended meanwhile, and the earlier one was published anew', async () => {
  uses.set('SEASON', 1);
  const kept = [tariffOf('L2', 0.24), tariffOf('NIGHT', 0.1), tariffOf('PLUNK', 0.2)];
  await restartedWith([...kept, tariffOf('SEASON', 0.3)]);
  // Until then it has started again, on a busy machine, too.
  const endMs = Date.now() + 8_000;
  const times = { start_date_time: rfc3339(endMs - 60_000), end_date_time: rfc3339(endMs) };
  await restartedWith([...kept, { ...tariffOf('SEASON', 0.1), ...times }]);
  await restartedWith(kept);
  await expect.poll(() => held('SEASON')).toMatchObject({ version: 3, price: 0.3 });
  uses.delete('SEASON');
  await expect.poll(() => held('SEASON')).toMatchObject({ version: 0 });
});
