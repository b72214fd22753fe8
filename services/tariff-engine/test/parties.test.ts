import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { listTariffUses } from '#contracts/locations';
import { getTariff, listTariffs, publishTariff, withdrawTariff } from '#contracts/tariff-engine';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Tariff } from '#ocpi';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

// A platform of two CPOs: each tariff is one's, and is found by its id alone.

const party = (party_id: string) => ({ country_code: 'CA', party_id, name: `Party ${party_id}`, roles: ['CPO'] });
const tariffOf = (id: string, price: number, owner: object = {}) => ({
  ...owner, id, currency: 'CAD', elements: [{ price_components: [{ type: 'ENERGY', price, vat: 5, step_size: 1 }] }],
});
const nob = { country_code: 'CA', party_id: 'NOB' };

let platform: TestPlatform;
let service: Running;
let bus: Bus;
beforeAll(async () => {
  platform = await testPlatform({ parties: [party('NOA'), party('NOB')], tariffs: [tariffOf('L2', 0.2), tariffOf('DC', 0.5, nob)] });
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'neighbours' });
  await bus.answer(listTariffUses, (requests) => requests.map(() => ({ uses: [], total: 0 })));
  service = await start(platform.env);
});
afterAll(async () => {
  await service?.stop();
  await bus?.close();
  await platform?.drop();
});

const publish = async (tariff: object) =>
  fromJsonBytes<Tariff>((await bus.ask(publishTariff, { tariffJson: toJsonBytes(tariff) })).tariffJson);
const held = async (tariffId: string) => {
  const { tariffJson, version } = await bus.ask(getTariff, { tariffId });
  return tariffJson && `${fromJsonBytes<Tariff>(tariffJson).party_id} ${version}`;
};

test('a tariff is of the party that it names, else of the first CPO', async () => {
  expect([await held('l2'), await held('DC'), await held('NONE')]).toEqual(['NOA 1', 'NOB 1', undefined]);
});

test('its next version stays its party\'s, and no other party takes its id', async () => {
  expect(await publish(tariffOf('DC', 0.55))).toMatchObject({ party_id: 'NOB' });
  expect(await held('DC')).toBe('NOB 2');
  await expect(publish(tariffOf('DC', 0.6, { country_code: 'CA', party_id: 'NOA' }))).rejects.toMatchObject({
    code: 'tariff-of-another-party', detail: 'DC is a tariff of CA*NOB: under CA*NOA it needs another id',
  });
  await expect(publish(tariffOf('NEW', 0.6, { country_code: 'CA', party_id: 'BCT' }))).rejects.toMatchObject({ code: 'invalid-object' });
});

test('a list holds the tariffs of all parties of ours, or of one', async () => {
  const list = async (owner?: string) => (await bus.ask(listTariffs, {
    page: { offset: 0, limit: 10 }, ...(owner === undefined ? {} : { owner: { countryCode: 'CA', partyId: owner } }),
  })).objectsJson.map((json) => fromJsonBytes<Tariff>(json).id).sort();
  await expect.poll(() => list()).toEqual(['DC', 'L2']);
  expect(await list('nob')).toEqual(['DC']);
});

test('one of any party of ours can be withdrawn', async () => {
  await bus.ask(withdrawTariff, { tariffId: 'DC' });
  expect(await held('DC')).toBeUndefined();
  await expect(bus.ask(withdrawTariff, { tariffId: 'NONE' })).rejects.toMatchObject({ code: 'unknown-tariff' });
});
