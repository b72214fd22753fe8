import { afterAll, beforeAll, expect, test } from 'vitest';
import { readings } from '#ocpp';
import type { ChargingProfile16 } from '#ocpp';
import type { ChargerEvent } from './charger-process.ts';
import { gaps, openYard, payloadOf, profile } from './charger-yard.ts';
import type { Yard } from './charger-yard.ts';

let yard: Yard;
beforeAll(async () => {
  yard = await openYard([
    { id: 'CA*BCT 1' },
    { id: 'card' },
    { id: 'group' },
    { id: 'waiting', settings: { ConnectionTimeOut: 3_000 } },
    { id: 'limits' },
    { id: 'dc', model: 'dcfc' },
    { id: 'full', settings: { MeterValueSampleInterval: 300 } },
    { id: 'noise' },
  ]);
});
afterAll(() => yard.close());

test('it boots, says its states, and charges a Leaf on a remote start until the remote stop', async () => {
  const { connection, calls, until, later, ...site } = await yard.at('CA*BCT 1');
  expect(
    calls('StatusNotification').map(({ connectorId, status }) => [connectorId, status]),
  ).toEqual([
    [0, 'Available'],
    [1, 'Available'],
  ]);
  await site.do({ do: 'plug-in', car: 'leaf', soc: 30 });
  await until({ event: 'status', status: 'Preparing' });
  const started = await connection.call('RemoteStartTransaction', {
    idTag: 'GOOD',
    connectorId: 1,
  });
  expect(started).toEqual({ outcome: 'answered', payload: { status: 'Accepted' } });
  const { transactionId } = await until({ event: 'transaction-known', status: 'Accepted' });
  await until(({ event, registerWh }) => event === 'meter' && Number(registerWh) >= 2_000);
  const stopped = await connection.call('RemoteStopTransaction', {
    transactionId: transactionId as number,
  });
  expect(stopped).toMatchObject({ payload: { status: 'Accepted' } });
  await until({ event: 'delivered', action: 'StopTransaction' });

  const [start] = calls('StartTransaction');
  const [stop] = calls('StopTransaction');
  expect(start).toMatchObject({ connectorId: 1, idTag: 'GOOD', meterStart: 1_000 });
  expect(stop).toMatchObject({ transactionId, reason: 'Remote' });
  // 6.6 kW at the most, and not much less: what a Leaf takes on 208 V × 32 A.
  const hours = (Date.parse(stop!.timestamp) - Date.parse(start!.timestamp)) / 3_600_000;
  const powerW = (stop!.meterStop! - start!.meterStart!) / hours;
  expect(powerW).toBeGreaterThan(6_300);
  expect(powerW).toBeLessThanOrEqual(6_600);
  const sampled = calls('MeterValues').map((value) => readings(value.meterValue)[0]!);
  const energies = sampled.map(({ energyWh }) => Number(energyWh));
  expect(energies).toEqual([...energies].sort((a, b) => a - b));
  expect(sampled[2]).toMatchObject({
    currentMa: { L1: expect.any(Number), L2: expect.any(Number) },
  });
  expect(new Set(gaps(sampled.map((reading) => reading.at)))).toEqual(new Set([60_000]));
  const after = later();
  await site.do({ do: 'unplug' });
  await after.until({ event: 'status', status: 'Available' });
});

test('a card starts and the same card stops; an unknown card is refused', async () => {
  const site = await yard.at('card');
  await site.do({ do: 'plug-in', car: 'bolt' });
  await site.do({ do: 'tap', idTag: 'STRANGER' });
  await site.until({ event: 'authorized', idTag: 'STRANGER', status: 'Invalid' });
  expect(site.calls('StartTransaction')).toEqual([]);
  await site.do({ do: 'tap', idTag: 'good1' });
  await site.until({ event: 'status', status: 'Charging' });
  await site.do({ do: 'tap', idTag: 'GOOD1' });
  await site.until({ event: 'delivered', action: 'StopTransaction' });
  const [stop] = site.calls('StopTransaction');
  expect(stop).toMatchObject({ idTag: 'GOOD1' });
  expect(stop).not.toHaveProperty('reason');
  const contexts = readings(stop!.transactionData ?? []).map(({ context }) => context);
  expect(contexts).toEqual(['Transaction.Begin', 'Transaction.End']);
});

test('a card of the same group stops a charge, another card does not', async () => {
  const site = await yard.at('group');
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'GOOD1' });
  await site.until({ event: 'transaction-known' });
  await site.do({ do: 'tap', idTag: 'STRANGER' });
  expect(site.calls('StopTransaction')).toEqual([]);
  await site.do({ do: 'tap', idTag: 'GOOD2' });
  await site.until({ event: 'transaction-stopped' });
});

test('a remote start without a plug waits for it, and not for ever', async () => {
  const site = await yard.at('waiting');
  await site.connection.call('RemoteStartTransaction', { idTag: 'GOOD' });
  await site.until({ event: 'status', status: 'Preparing' });
  await site.until({ event: 'waited-too-long' });
  expect(site.calls('StartTransaction')).toEqual([]);
  await site.connection.call('RemoteStartTransaction', { idTag: 'GOOD' });
  await site.do({ do: 'plug-in' });
  await site.until({ event: 'transaction-known' });
});

test('limits are obeyed: the least of station, default and transaction, and nothing below 6 A', async () => {
  const site = await yard.at('limits');
  const { connection } = site;
  const set = (connectorId: number, csChargingProfiles: ChargingProfile16) =>
    payloadOf(connection.call('SetChargingProfile', { connectorId, csChargingProfiles }));
  const stationMax = {
    chargingProfileId: 3,
    chargingProfilePurpose: 'ChargePointMaxProfile',
  } as const;
  expect(await set(0, profile({}, 16))).toEqual({ status: 'Accepted' });
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  const { transactionId } = await site.until({ event: 'transaction-known' });
  const metered = await site.until(
    (event) => event.event === 'meter' && Number(event['powerW']) > 3_000,
  );
  expect(metered['powerW']).toBeLessThanOrEqual(16 * 208);

  const purpose = {
    chargingProfilePurpose: 'TxProfile',
    transactionId: transactionId as number,
  } as const;
  const own = profile({ chargingProfileId: 2, ...purpose }, 20);
  let after = site.later();
  await set(1, own);
  await after.until({ event: 'limit', limitA: 20 });
  after = site.later();
  await set(0, profile(stationMax, 2_496, 'W'));
  expect((await after.until({ event: 'limit', limitA: 12 }))['by']).toEqual([3]);
  const wanted = { connectorId: 1, duration: 600, chargingRateUnit: 'A' } as const;
  expect(await payloadOf(connection.call('GetCompositeSchedule', wanted))).toMatchObject({
    status: 'Accepted',
    chargingSchedule: { chargingSchedulePeriod: [{ startPeriod: 0, limit: 12 }] },
  });
  after = site.later();
  await set(0, profile(stationMax, 5.9));
  expect(await after.until({ event: 'limit', limitA: 5.9 })).toMatchObject({ powerW: 0 });
  await after.until({ event: 'status', status: 'SuspendedEVSE' });
  after = site.later();
  const clear = (filter: { id?: number }) =>
    payloadOf(connection.call('ClearChargingProfile', filter));
  expect(await clear({ id: 3 })).toEqual({ status: 'Accepted' });
  await after.until({ event: 'limit', limitA: 20 });
  expect(await clear({})).toEqual({ status: 'Accepted' });
  expect(await clear({})).toEqual({ status: 'Unknown' });
  expect(await set(1, { ...own, transactionId: 1 })).toEqual({ status: 'Rejected' });
});

test('a DC charger has one power module for two cables, and tells the state of charge', async () => {
  const site = await yard.at('dc');
  await site.until({ event: 'status', connector: 2, status: 'Available' });
  await expect(site.do({ do: 'plug-in', connector: 1, car: 'leaf' })).rejects.toThrow(
    'no CCS1 inlet',
  );
  await site.do({ do: 'plug-in', connector: 2, car: 'leaf', soc: 20 });
  await site.until({ event: 'status', connector: 1, status: 'Unavailable' });
  await site.do({ do: 'tap', connector: 2, idTag: 'GOOD' });
  const metered = await site.until(
    (event) => event.event === 'meter' && Number(event['powerW']) > 40_000,
  );
  expect(metered['powerW']).toBeLessThan(50_000);
  await site.later().until({ event: 'delivered', action: 'MeterValues' });
  const last = site.calls('MeterValues').at(-1)!;
  expect(last.connectorId).toBe(2);
  expect(readings(last.meterValue)[0]).toMatchObject({
    socPercent: expect.any(String),
    currentMa: { total: expect.any(Number) },
  });
  const after = site.later();
  await site.do({ do: 'unplug', connector: 2 });
  await after.until({ event: 'status', connector: 1, status: 'Available' });
});

test('a full car takes nothing more, and the charge stays open', async () => {
  const site = await yard.at('full');
  await site.do({ do: 'plug-in', car: 'outlander', soc: 99 });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.until({ event: 'status', status: 'SuspendedEV' });
  const first = await site.later().until({ event: 'meter' });
  const second = await site.later().until({ event: 'meter' });
  expect(second['registerWh']).toBe(first['registerWh']);
  expect(site.calls('StopTransaction')).toEqual([]);
});

test('stations of one process do not breathe in step, and a command must say which one it means', async () => {
  const site = await yard.at('noise');
  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  const powers = async (): Promise<unknown[]> => {
    const next = site.later();
    const full = (event: ChargerEvent) =>
      event.event === 'meter' && Number(event['powerW']) > 6_000;
    return [(await next.until(full))['powerW'], (await next.later().until(full))['powerW']];
  };
  expect(new Set(await powers()).size).toBe(2);
  await expect(yard.charger.do({ do: 'unplug' })).rejects.toThrow('which of the stations');
  await expect(yard.charger.do({ do: 'dance', station: 'noise' })).rejects.toThrow(
    '"do" must be one of',
  );
});
