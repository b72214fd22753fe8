import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { type ChargerProcess, startCharger } from '../../../scripts/charger-process.ts';
import { type Charge, Portal, type Receipt } from '../../../scripts/portal.ts';
import { DEMO_EPOCH, energyOasis, levelTwoStation } from '../../../scripts/demo-settings.ts';
import { start } from '../src/start.ts';

// A charger's own words from plug to plug, through all nine services, at a tariff that prices parking.

const EVERY_S = 120;
const station = levelTwoStation(1);
const password = 'a driver who stays';
const uid = '04BC7700112233';
const sam = {
  email: 'sam@energy-oasis.example',
  password,
  name: 'Sam',
  contract_id: 'CA-BCT-C00000001-X',
  tokens: [{ uid, type: 'RFID' }],
};
const component = (type: string, price: number) => ({ type, price, step_size: 1 });

let platform: TestPlatform;
let services: Running;
let charger: ChargerProcess;
let driver: Portal;

beforeAll(async () => {
  const clock = {
    ROAMWATT_CLOCK_EPOCH: DEMO_EPOCH,
    ROAMWATT_CLOCK_STARTED: new Date().toISOString(),
    ROAMWATT_CLOCK_RATE: '300',
  };
  const settings = energyOasis();
  const tariffs = settings.tariffs.map((tariff) => ({
    ...tariff,
    elements: [
      {
        price_components: [
          component('ENERGY', 0.2),
          component('TIME', 2),
          component('PARKING_TIME', 6),
        ],
      },
    ],
  }));
  platform = await testPlatform(
    { ...settings, tariffs, drivers: [sam], sessions: { update_every_s: EVERY_S } },
    clock,
  );
  services = await start(platform.env);
  charger = startCharger({
    env: clock,
    config: {
      url: services.urls!.ocpp!,
      settings: { MeterValueSampleInterval: EVERY_S },
      stations: settings.stations
        .filter(({ id }) => id === station)
        .map(({ id, password: secret }) => ({
          id,
          password: secret,
          seed: 1,
          meterStartWh: 100_000,
          model: 'level2',
        })),
    },
  });
  await charger.until({ event: 'booted', station });
  driver = await Portal.driver(services.urls!.portal!, sam.email, password);
});
afterAll(async () => {
  await charger?.stop();
  await services?.stop();
  await platform?.drop();
});

const newest = async () =>
  (await driver.get<{ charges: Charge[] }>('/v1/charges')).charges[0] as Charge | undefined;
const tap = () => charger.do({ do: 'tap', station, idTag: uid });

test('a car that stays after its charge: the cost goes on until it is unplugged, then it is billed', async () => {
  await charger.do({ do: 'plug-in', station, car: 'leaf', soc: 50 });
  await tap();
  await expect.poll(async () => Number((await newest())?.session?.kwh ?? 0)).toBeGreaterThan(0.2);
  const since = charger.events.length;
  await tap();
  await charger.until({ event: 'transaction-stopped', station }, { since });
  const cost = async () => Number((await newest())?.session?.cost?.excl_vat ?? 0);
  await expect.poll(async () => (await newest())?.session?.kw).toBe('0.0');
  const stopped = await cost();
  await expect.poll(cost).toBeGreaterThan(stopped + 1);
  expect((await newest())?.state).toBe('charging');

  await charger.do({ do: 'unplug', station });
  await expect.poll(async () => (await newest())?.state).toBe('completed');
  const { session } = (await newest())!;
  const receiptOf = async () =>
    (await driver.get<{ receipts: Receipt[] }>('/v1/receipts')).receipts.find(
      ({ session_id: id }) => id === session!.session_id,
    );
  await expect.poll(receiptOf).toBeDefined();
  const receipt = (await receiptOf())!;
  expect(receipt).toMatchObject({ kwh: session!.kwh, total: session!.cost });
  expect(Number(receipt.total.excl_vat)).toBeGreaterThan(stopped + 1);
  const { explanation, findings } = await driver.get<{
    explanation: { text: string };
    findings: unknown[];
  }>(`/v1/receipts/CA/BCT/${encodeURIComponent(receipt.cdr_id)}`);
  expect(explanation.text).toMatch(/parking/i);
  expect(findings).toEqual([]);
});
