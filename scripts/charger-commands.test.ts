import { afterAll, beforeAll, expect, test } from 'vitest';
import { readings } from '#ocpp';
import { openYard, payloadOf } from './charger-yard.ts';
import type { Yard } from './charger-yard.ts';

let yard: Yard;
beforeAll(async () => {
  yard = await openYard([{ id: 'commands' }]);
});
afterAll(() => yard.close());

test('configuration is changed and read by key, without regard to case', async () => {
  const { connection } = await yard.at('commands');
  const change = (key: string, value: string) =>
    payloadOf(connection.call('ChangeConfiguration', { key, value }));
  expect(await change('metervaluesampleinterval', '30')).toEqual({ status: 'Accepted' });
  expect(await change('MeterValueSampleInterval', 'often')).toEqual({ status: 'Rejected' });
  expect(await change('NumberOfConnectors', '2')).toEqual({ status: 'Rejected' });
  expect(await change('Nonsense', '1')).toEqual({ status: 'NotSupported' });
  const key = ['MeterValueSampleInterval', 'Nonsense'];
  expect(await payloadOf(connection.call('GetConfiguration', { key }))).toEqual({
    configurationKey: [{ key: 'MeterValueSampleInterval', readonly: false, value: '30' }],
    unknownKey: ['Nonsense'],
  });
});

test('trigger, availability, reservation, unlock, fault and reset', async () => {
  const site = await yard.at('commands');
  const { connection, calls } = site;
  const accepted = { status: 'Accepted' };
  const rejected = { status: 'Rejected' };
  const meter = { requestedMessage: 'MeterValues', connectorId: 1 } as const;
  expect(await payloadOf(connection.call('TriggerMessage', meter))).toEqual(accepted);
  await expect.poll(() => calls('MeterValues').length).toBe(1);
  expect(readings(calls('MeterValues')[0]!.meterValue)).toMatchObject([
    { context: 'Trigger', energyWh: '1000' },
  ]);

  const availability = (connectorId: number, type: 'Inoperative' | 'Operative') =>
    payloadOf(connection.call('ChangeAvailability', { connectorId, type }));
  const remoteStart = (idTag: string) =>
    payloadOf(connection.call('RemoteStartTransaction', { idTag, connectorId: 1 }));
  expect(await availability(0, 'Inoperative')).toEqual(accepted);
  await site.until({ event: 'status', connector: 1, status: 'Unavailable' });
  expect(await remoteStart('GOOD')).toEqual(rejected);
  await availability(1, 'Operative');

  const expiryDate = '2022-02-03T17:00:00Z';
  const wanted = { connectorId: 1, idTag: 'GOOD', reservationId: 5, expiryDate };
  const cancel = (reservationId: number) =>
    payloadOf(connection.call('CancelReservation', { reservationId }));
  expect(await payloadOf(connection.call('ReserveNow', wanted))).toEqual(accepted);
  await site.until({ event: 'status', connector: 1, status: 'Reserved' });
  expect(await remoteStart('GOOD2')).toEqual(rejected);
  expect(await cancel(6)).toEqual(rejected);
  expect(await cancel(5)).toEqual(accepted);

  await site.do({ do: 'plug-in' });
  await site.do({ do: 'tap', idTag: 'GOOD' });
  await site.until({ event: 'transaction-known' });
  expect(await availability(1, 'Inoperative')).toEqual({ status: 'Scheduled' });
  await availability(1, 'Operative');
  const unlock = (connectorId: number) =>
    payloadOf(connection.call('UnlockConnector', { connectorId }));
  expect(await unlock(1)).toEqual({ status: 'Unlocked' });
  await site.until({ event: 'transaction-stopped', reason: 'UnlockCommand' });
  expect(await unlock(7)).toEqual({ status: 'NotSupported' });
  await site.do({ do: 'fault', code: 'GroundFailure' });
  await site.until({ event: 'status', connector: 1, status: 'Faulted' });
  expect(calls('StatusNotification').at(-1)?.errorCode).toBe('GroundFailure');
  await site.do({ do: 'clear-fault' });

  const after = site.later();
  expect(await payloadOf(connection.call('Reset', { type: 'Soft' }))).toEqual(accepted);
  await after.until({ event: 'booted' });
  expect(calls('BootNotification').length).toBe(2);
});
