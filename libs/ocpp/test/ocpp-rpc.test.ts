import { RPCClient } from 'ocpp-rpc';
import { afterEach, expect, test } from 'vitest';
import type { ReceivedCall } from '#ocpp';
import { centralSystem } from './central-system.ts';
import type { CentralSystem } from './central-system.ts';

const now = '2022-02-01T17:00:00Z';
let central: CentralSystem;
let client: InstanceType<typeof RPCClient>;
afterEach(async () => {
  await client.close({ force: true });
  await central.stop();
});

async function handle(call: ReceivedCall): Promise<object> {
  switch (call.action) {
    case 'BootNotification':
      return { status: 'Accepted', currentTime: now, interval: 300 };
    case 'Authorize':
      return { idTagInfo: { status: 'Accepted' } };
    case 'StartTransaction':
      return { transactionId: 12, idTagInfo: { status: 'Accepted' } };
    case 'StopTransaction':
      return call.payload.idTag === undefined ? {} : { idTagInfo: { status: 'Accepted' } };
    case 'Heartbeat':
      return { currentTime: now };
    default:
      return {};
  }
}

async function connected() {
  central = await centralSystem({
    handle,
    admit: (_, password) =>
      password?.toString() === 'pass' ? { status: 101, enabled: ['ocpp1.6'] } : { status: 401 },
  });
  const options = {
    endpoint: central.url,
    identity: 'CA*BCT 1',
    password: 'pass',
    protocols: ['ocpp1.6'],
    strictMode: true,
    reconnect: false,
  };
  client = new RPCClient(options as ConstructorParameters<typeof RPCClient>[0]);
  await client.connect();
  return central.connection('CA*BCT 1');
}

test('the independent client in strict mode runs a whole charge with us', async () => {
  await connected();
  expect(client.protocol).toBe('ocpp1.6');
  const boot = { chargePointVendor: 'v', chargePointModel: 'm' };
  expect(await client.call('BootNotification', boot)).toMatchObject({ status: 'Accepted' });
  expect(await client.call('Authorize', { idTag: 'A' })).toEqual({
    idTagInfo: { status: 'Accepted' },
  });
  const start = { connectorId: 1, idTag: 'A', meterStart: 0, timestamp: now };
  expect(await client.call('StartTransaction', start)).toMatchObject({ transactionId: 12 });
  const meterValue = [{ timestamp: now, sampledValue: [{ value: '100' }] }];
  expect(
    await client.call('MeterValues', { connectorId: 1, transactionId: 12, meterValue }),
  ).toEqual({});
  const stop = { transactionId: 12, meterStop: 100, timestamp: now };
  expect(await client.call('StopTransaction', stop)).toEqual({});
  expect(central.received.map((call) => call.action)).toEqual([
    'BootNotification',
    'Authorize',
    'StartTransaction',
    'MeterValues',
    'StopTransaction',
  ]);
});

test('our CALLs pass its strict validation, and its answers ours', async () => {
  const connection = await connected();
  client.handle('RemoteStartTransaction', (async () => ({ status: 'Accepted' })) as never);
  client.handle('GetConfiguration', (async () => ({
    configurationKey: [{ key: 'HeartbeatInterval', readonly: false, value: '300' }],
  })) as never);
  expect(await connection.call('RemoteStartTransaction', { idTag: 'A', connectorId: 1 })).toEqual({
    outcome: 'answered',
    payload: { status: 'Accepted' },
  });
  expect(await connection.call('GetConfiguration', {})).toMatchObject({ outcome: 'answered' });
});

test('what it does not handle comes back as an outcome', async () => {
  const connection = await connected();
  expect(await connection.call('Reset', { type: 'Soft' })).toMatchObject({
    outcome: 'error',
    from: 'station',
    fault: 'not-implemented',
  });
});

test('our refusals arrive as its typed errors', async () => {
  await connected();
  await expect(client.call('Reset', { type: 'Soft' })).rejects.toMatchObject({
    rpcErrorCode: 'NotSupported',
  });
});
