import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectBus } from '#bus';
import { requestProfile } from '#contracts/sessions';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { type ChargerProcess, startCharger } from '../../../scripts/charger-process.ts';
import { type Charge, type FoundEvse, Portal, type Receipt } from '../../../scripts/portal.ts';
import { DEMO_EPOCH, energyOasis, levelTwoStation } from '../../../scripts/demo-settings.ts';
import { start } from '../src/start.ts';

// One operator with drivers of its own: the nine services in this process, a charger beside it, no partner.

const EVERY_S = 120;
const station = levelTwoStation(1);
const password = 'one operator, one driver';
const sam = {
  email: 'sam@energy-oasis.example', password, name: 'Sam', contract_id: 'CA-BCT-C00000001-X',
  tokens: [{ uid: 'OASIS-APP-1', type: 'APP_USER' }, { uid: '04BC7700112233', type: 'RFID' }],
};

let platform: TestPlatform;
let services: Running;
let charger: ChargerProcess;
let driver: Portal;

beforeAll(async () => {
  const clock = { ROAMWATT_CLOCK_EPOCH: DEMO_EPOCH, ROAMWATT_CLOCK_STARTED: new Date().toISOString(), ROAMWATT_CLOCK_RATE: '300' };
  const settings = energyOasis();
  platform = await testPlatform({ ...settings, drivers: [sam], sessions: { update_every_s: EVERY_S } }, clock);
  services = await start(platform.env);
  charger = startCharger({
    env: clock,
    config: {
      url: services.urls!.ocpp!,
      settings: { MeterValueSampleInterval: EVERY_S },
      stations: settings.stations.filter(({ id }) => id === station).map(({ id, password: secret }) => (
        { id, password: secret, seed: 1, meterStartWh: 100_000, model: 'level2' })),
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

async function freeHere(): Promise<FoundEvse | undefined> {
  const { evses } = await driver.get<{ evses: FoundEvse[] }>('/v1/evses?latitude=49.2512&longitude=-123.0031&available=true');
  return evses.find(({ evse_uid: uid }) => uid === 'L2-01');
}

async function receiptFor(session: string): Promise<Receipt> {
  let found: Receipt | undefined;
  await expect.poll(async () => {
    const { receipts } = await driver.get<{ receipts: Receipt[] }>('/v1/receipts');
    return (found = receipts.find(({ session_id: id }) => id === session)) !== undefined;
  }).toBe(true);
  return found!;
}

/** A provider that has the driver's consent limits the charge, and the driver reads who that was. */
async function limits(id: string, sessionId: string): Promise<void> {
  const bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'ocpi-gateway' });
  const view = () => driver.get<{ limited_by?: object }>(`/v1/charges/${id}/profile`);
  const [own, to] = [{ countryCode: 'CA', partyId: 'BCT' }, { countryCode: 'CA', partyId: 'SMC' }];
  try {
    expect(await view()).toEqual({ requests: [] });
    const asked = await bus.ask(requestProfile, {
      orderId: randomUUID(), sessionId, method: 'PUT', parties: [to],
      steering: [{ own, to, tokenParty: own, contractIds: [sam.contract_id], locations: [], since: '2020-01-01T00:00:00Z' }],
      profile: { unit: 'A', periods: [{ startS: 0, limit: '10' }] },
    });
    expect(asked).toMatchObject({ result: 'ACCEPTED' });
    await expect.poll(async () => (await view()).limited_by).toEqual({ country_code: 'CA', party_id: 'SMC' });
  } finally {
    await bus.close();
  }
}

test('a driver of the operator finds, starts, watches and stops a charge at the operator\'s own station', async () => {
  await expect.poll(async () => (await freeHere())?.connectors[0]?.price?.quote?.currency).toBe('CAD');
  await charger.do({ do: 'plug-in', station, car: 'leaf', soc: 40 });
  const { charge_id: id } = await driver.post<{ charge_id: string }>('/v1/charges', {
    country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY', evse_uid: 'L2-01',
  });
  const seen: Charge[] = [];
  let stopping: Promise<unknown> | undefined;
  let limited: Promise<void> | undefined;
  for await (const charge of driver.watch(id, AbortSignal.timeout(90_000))) {
    seen.push(charge);
    if (charge.session && Number(charge.session.kwh) > 0.1) await (limited ??= limits(id, charge.session.session_id));
    if (Number(charge.session?.kwh) > 0.3) stopping ??= driver.post(`/v1/charges/${id}/stop`);
  }
  await stopping;
  const last = seen.at(-1)!;
  expect(last).toMatchObject({ state: 'completed', session: { status: 'COMPLETED', country_code: 'CA', party_id: 'BCT' } });
  expect(seen.map(({ state }) => state)).toContain('charging');
  const drawn = seen.flatMap(({ session }) => (session?.kw === undefined ? [] : [Number(session.kw)]));
  expect(Math.max(...drawn)).toBeGreaterThan(3);
  expect(Math.max(...drawn)).toBeLessThan(7);

  const receipt = await receiptFor(last.session!.session_id);
  expect(receipt).toMatchObject({ kwh: last.session!.kwh, total: last.session!.cost });
  const whole = await driver.get<{ explanation: { text: string }; findings: unknown[] }>(
    `/v1/receipts/CA/BCT/${encodeURIComponent(receipt.cdr_id)}`,
  );
  expect(whole.explanation.text).toContain('kWh');
  expect(whole.findings).toEqual([]);
  await charger.do({ do: 'unplug', station });
});

test('the same driver\'s card: the charge is in the list by its session, and the card ends it', async () => {
  await expect.poll(async () => (await freeHere())?.status).toBe('AVAILABLE');
  const tap = () => charger.do({ do: 'tap', station, idTag: sam.tokens[1]!.uid });
  await charger.do({ do: 'plug-in', station, car: 'leaf', soc: 50 });
  await tap();
  const newest = async () => (await driver.get<{ charges: Charge[] }>('/v1/charges')).charges[0]!;
  await expect.poll(async () => (await newest()).charge_id).toMatch(/^CA\*BCT\*/);
  await expect.poll(async () => Number((await newest()).session?.kwh ?? 0)).toBeGreaterThan(0);
  const { charge_id: id } = await newest();
  const ending = (async () => {
    let last: Charge | undefined;
    for await (const charge of driver.watch(id, AbortSignal.timeout(90_000))) last = charge;
    return last;
  })();
  await tap();
  const last = await ending;
  expect(last).toMatchObject({ state: 'completed' });
  expect((await receiptFor(last!.session!.session_id)).kwh).toBe(last!.session!.kwh);
});
