import { afterEach, beforeEach, expect, test } from 'vitest';
import { busMigrations, hears, listen } from '#bus';
import {
  type ActiveProfileChanged,
  activeProfileChanged,
  clearChargingProfile,
  explainPlan,
  getActiveProfile,
  type LimitAssigned,
  limitAssigned,
  type ProfileSettled,
  profileSettled,
  setChargingProfile,
} from '#contracts/evems-controller';
import { LimitKind, Outcome } from '#contracts/ocpp-gateway';
import { openDatabase } from '#postgres';
import type { Running } from '#service';
import { BadSettings } from '#settings';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';
import { rfc3339 } from '#time';
import { GatewaySide } from './gateway-side.ts';

const A = 1_000;
const stations = Array.from({ length: 10 }, (_, i) => `OASIS-L2-${String(i + 1).padStart(2, '0')}`);
const burnaby = {
  id: 'BURNABY-L2',
  feeder: { name: 'Level-2 panel', limit_a: 192, voltage_v: 208 },
  fail_safe_a: 6,
  chargers: stations.map((station) => ({ station, connector: 1, max_a: 32 })),
};

let platform: TestPlatform;
let gateway: GatewaySide;
let services: Running[];

beforeEach(async () => {
  platform = await testPlatform({ sites: [burnaby] });
  gateway = await GatewaySide.on(platform);
  services = [await start(platform.env)];
});
afterEach(async () => {
  // Whatever happened, at no time could the chargers draw more than the feeder carries.
  expect(Math.max(0, ...gateway.sumsMa)).toBeLessThanOrEqual(192 * A);
  await Promise.all(services.map((service) => service.stop()));
  await gateway.close();
  await platform.drop();
});

const inAmps = () => stations.map((station) => gateway.mayDrawMa(station) / A);
const eventually = (...amps: number[]) => expect.poll(inAmps).toEqual(amps);
const explain = () => gateway.bus.ask(explainPlan, { siteId: 'BURNABY-L2' });

test('every station is given its fail-safe when it connects, and again when it comes back', async () => {
  await gateway.connect(...stations);
  await eventually(6, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  expect(new Set(gateway.orders.map(({ stationId }) => stationId))).toEqual(new Set(stations));
  for (const order of gateway.orders) {
    expect(order).toMatchObject({ kind: LimitKind.FAIL_SAFE, limitMa: 6 * A, connectorId: 1 });
    expect(order.leaseUntil).toBe(undefined);
  }
  await gateway.disconnect(stations[0]!);
  gateway.orders.length = 0;
  await gateway.connect(stations[0]!);
  await expect
    .poll(() => gateway.orders[0])
    .toMatchObject({ stationId: stations[0], kind: LimitKind.FAIL_SAFE });
});

test('four cars have 32 A each; ten have 19 A, the two that came first 20 A; who stays gets the rest', async () => {
  const db = await openDatabase({
    url: platform.databaseUrl,
    schema: 'somebody',
    migrations: busMigrations,
  });
  const heard: LimitAssigned[] = [];
  const listening = await listen(gateway.bus, db, {
    listener: 'somebody',
    hearings: [hears(limitAssigned, (fact) => void heard.push(fact))],
  });
  await gateway.connect(...stations);
  const transactions = new Map<string, string>();
  for (const station of stations.slice(0, 4))
    transactions.set(station, await gateway.start(station));
  await eventually(32, 32, 32, 32, 6, 6, 6, 6, 6, 6);
  const lease = gateway.orders.findLast(({ kind }) => kind === LimitKind.LEASE)!;
  expect(Date.parse(lease.leaseUntil!) - Date.now()).toBeGreaterThan(100_000);
  expect(lease.ownerEpoch).toBe(1);

  for (const station of stations.slice(4)) transactions.set(station, await gateway.start(station));
  await eventually(20, 20, 19, 19, 19, 19, 19, 19, 19, 19);
  await expect
    .poll(async () => (await explain()).limits.every((one) => one.confirmedMa === one.targetMa))
    .toBe(true);
  const plan = await explain();
  expect(plan).toMatchObject({
    feeder: 'Level-2 panel',
    limitMa: 192 * A,
    exposedMa: 192 * A,
    ownerEpoch: 1,
  });
  expect(plan.limits[9]).toMatchObject({
    stationId: 'OASIS-L2-10',
    connectorId: 1,
    wantsPower: true,
    targetMa: 19 * A,
    confirmedMa: 19 * A,
    exposedMa: 19 * A,
    why: 'fair share of 192 A among 10 cars',
  });
  await expect
    .poll(() => heard.findLast((fact) => fact.stationId === 'OASIS-L2-10'))
    .toMatchObject({
      siteId: 'BURNABY-L2',
      connectorId: 1,
      limitMa: 19 * A,
      reason: 'fair share of 192 A among 10 cars',
    });

  for (const station of stations.slice(0, 6))
    await gateway.stop(station, transactions.get(station)!);
  await eventually(6, 6, 6, 6, 6, 6, 32, 32, 32, 32);
  await listening.close();
  await db.close();
});

test('a card that may not charge gets no share', async () => {
  await gateway.connect(...stations);
  await gateway.start(stations[0]!, 'Invalid');
  await gateway.start(stations[1]!);
  await eventually(6, 32, 6, 6, 6, 6, 6, 6, 6, 6);
});

test('a charge that its station kept, and tells after the one that followed it, ends nobody\'s share', async () => {
  await gateway.connect(...stations);
  const [busy, next] = stations as [string, string];
  await gateway.start(busy);
  await eventually(32, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  const before = rfc3339(Date.now() - 3_600_000);
  await gateway.stop(busy, await gateway.start(busy, 'Accepted', before), before);
  await gateway.start(next);
  await expect.poll(() => gateway.mayDrawMa(next)).toBe(32 * A);
  expect((await explain()).limits[0]).toMatchObject({ wantsPower: true, targetMa: 32 * A });
});

test('while a station does not say that it came down, nobody gets its share', async () => {
  await gateway.connect(...stations);
  const [silent, ...others] = stations as [string, ...string[]];
  for (const station of stations.slice(0, 5)) await gateway.start(station);
  await eventually(32, 32, 32, 32, 32, 6, 6, 6, 6, 6);
  gateway.answer = ({ stationId }) => (stationId === silent ? Outcome.UNKNOWN : Outcome.ACCEPTED);
  for (const station of others.slice(4)) await gateway.start(station);
  // 160 A for nine.
  await eventually(32, 18, 18, 18, 18, 18, 18, 18, 17, 17);
  await expect.poll(async () => (await explain()).limits[0]?.exposedMa).toBe(32 * A);
  gateway.answer = () => Outcome.ACCEPTED;
  await eventually(20, 20, 19, 19, 19, 19, 19, 19, 19, 19);
});

test('a second process takes the site over, with a higher epoch, and goes on from where things are', async () => {
  await gateway.connect(...stations);
  for (const station of stations.slice(0, 6)) await gateway.start(station);
  await eventually(28, 28, 28, 28, 28, 28, 6, 6, 6, 6);
  const second = await start(platform.env);
  await services[0]!.stop();
  services = [second];
  await expect.poll(async () => (await explain()).ownerEpoch).toBe(2);
  for (const station of stations.slice(6)) await gateway.start(station);
  await eventually(20, 20, 19, 19, 19, 19, 19, 19, 19, 19);
  expect(gateway.orders.findLast(({ kind }) => kind === LimitKind.LEASE)?.ownerEpoch).toBe(2);
});

test('a site that cannot be safe is refused at the start, by name and number', async () => {
  const unsafe = await testPlatform({ sites: [{ ...burnaby, fail_safe_a: 20 }] });
  const starting = start(unsafe.env);
  await expect(starting).rejects.toThrow(BadSettings);
  await expect(starting).rejects.toThrow(/sites\.BURNABY-L2: the fail-safe limits add up to 200 A/);
  await unsafe.drop();
});

test('a site that nobody knows has no plan', async () => {
  await expect(gateway.bus.ask(explainPlan, { siteId: 'ELSEWHERE' })).rejects.toThrow(
    'unknown-site',
  );
});

test('a charging profile is obeyed, told, kept over a restart, and ends with its charge', async () => {
  const db = await openDatabase({ url: platform.databaseUrl, schema: 'somebody', migrations: busMigrations });
  const settled: ProfileSettled[] = [];
  const active: ActiveProfileChanged[] = [];
  const listening = await listen(gateway.bus, db, {
    listener: 'somebody',
    hearings: [
      hears(profileSettled, (fact) => void settled.push(fact)),
      hears(activeProfileChanged, (fact) => void active.push(fact)),
    ],
  });
  const [stationId] = stations as [string];
  await gateway.connect(...stations);
  const transactionId = await gateway.start(stationId);
  const place = { stationId, connectorId: 1, transactionId };
  await eventually(32, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  const profile = { unit: 'A', periods: [{ startS: 0, limit: '10.9' }] };
  const order = { ...place, orderId: 'P1', sessionId: 'S1', profile, wattsPerAmp: '208', timeoutS: 60 };
  await gateway.bus.ask(setChargingProfile, order);
  await gateway.bus.ask(setChargingProfile, order);
  await eventually(10, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  await expect.poll(() => settled).toMatchObject([{ orderId: 'P1', sessionId: 'S1', obeyed: true }]);
  await expect.poll(() => active.at(-1)?.profile).toMatchObject({ unit: 'A', periods: [{ startS: 0, limit: '10' }] });

  const fault = { ...order, orderId: 'P2', profile: { unit: 'A', periods: [{ startS: 0, limit: '-1' }] } };
  await expect(gateway.bus.ask(setChargingProfile, fault)).rejects.toThrow('unusable-profile');
  await expect(gateway.bus.ask(setChargingProfile, { ...order, stationId: 'ELSEWHERE' })).rejects.toThrow('unknown-charger');

  await services[0]!.stop();
  services = [await start(platform.env)];
  await eventually(10, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  const found = () => gateway.bus.ask(getActiveProfile, { ...place, wattsPerAmp: '208' });
  await expect.poll(async () => (await found()).profile?.periods[0]?.limit).toBe('10');
  await gateway.bus.ask(clearChargingProfile, { ...place, orderId: 'C1' });
  await eventually(32, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  await expect.poll(() => active.at(-1)?.profile?.periods[0]?.limit).toBe('32');
  expect(await gateway.bus.ask(clearChargingProfile, { ...place, orderId: 'C2' })).toMatchObject({ found: false });

  await gateway.bus.ask(setChargingProfile, { ...order, orderId: 'P3' });
  await eventually(10, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  await ofSeveral(order, eventually);
  await gateway.stop(stationId, transactionId);
  await gateway.start(stationId);
  await eventually(32, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  await listening.close();
  await db.close();
});

/** CHP-05: who sets by a grant waits for the profile of another to be cleared, or to end; the owner of the token does not. */
async function ofSeveral(order: { orderId: string; profile: object; stationId: string; connectorId: number; transactionId: string; sessionId: string; wattsPerAmp: string; timeoutS: number }, until: typeof eventually) {
  const { stationId, connectorId, transactionId } = order;
  const limited = (limit: string, more: object = {}) => ({ profile: { unit: 'A', periods: [{ startS: 0, limit }], ...more } });
  const set = (orderId: string, limit: string, by?: string, more: object = {}) =>
    gateway.bus.ask(setChargingProfile, { ...order, orderId, ...limited(limit, more), ...(by ? { by } : {}) });
  const clear = (orderId: string, by?: string) =>
    gateway.bus.ask(clearChargingProfile, { stationId, connectorId, transactionId, orderId, ...(by ? { by } : {}) });
  const first = (limit: number) => until(limit, 6, 6, 6, 6, 6, 6, 6, 6, 6);
  await expect(set('G1', '12', 'CA*SMC')).rejects.toThrow('set-by-another');
  await expect(clear('G2', 'CA*SMC')).rejects.toThrow('set-by-another');
  await clear('G3');
  await first(32);
  await set('G4', '12', 'CA*SMC');
  await first(12);
  await set('G5', '14', 'CA*SMC');
  await first(14);
  await expect(set('G6', '8', 'CA*AGG')).rejects.toThrow('set-by-another');
  await expect(clear('G7', 'CA*AGG')).rejects.toThrow('set-by-another');
  await set('G8', '9');
  await first(9);
  await clear('G9');
  await first(32);
  // One that is over keeps nobody out.
  await set('G10', '11', 'CA*SMC', { startAt: '2022-01-01T00:00:00Z', durationS: 60 });
  await set('G11', '13', 'CA*AGG');
  await first(13);
  await clear('G12', 'CA*AGG');
  await set('G13', '10');
  await first(10);
}
