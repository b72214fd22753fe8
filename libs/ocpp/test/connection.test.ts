import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { CallRefused, PayloadInvalid } from '#ocpp';
import { centralSystem } from './central-system.ts';
import type { CentralSystem, CentralSystemOptions } from './central-system.ts';

let central: CentralSystem | undefined;
let socket: WebSocket | undefined;
afterEach(async () => {
  socket?.terminate();
  await central?.stop();
});

const now = '2022-02-01T17:00:00Z';
const beat = async () => ({ currentTime: now });

/** A bare socket, so that a test can say what no client library would. */
async function station(options: Partial<CentralSystemOptions> = {}, name = 'CA-1') {
  central = await centralSystem({ handle: beat, ...options });
  const ws = new WebSocket(`${central.url}/${name}`, ['ocpp1.6']);
  socket = ws;
  const inbox: unknown[][] = [];
  let wake: (() => void) | undefined;
  ws.on('message', (data) => {
    inbox.push(JSON.parse(data.toString()) as unknown[]);
    wake?.();
  });
  await once(ws, 'open');
  const next = async (): Promise<unknown[]> => {
    while (inbox.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return inbox.shift()!;
  };
  return {
    ws,
    next,
    inbox,
    send: (frame: unknown) => ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    connection: await central.connection(name),
    central,
  };
}

test('a CALL is answered under its own id', async () => {
  const { send, next, central } = await station();
  send([2, '1', 'Heartbeat', {}]);
  expect(await next()).toEqual([3, '1', { currentTime: now }]);
  expect(central.received[0]).toMatchObject({
    station: 'CA-1',
    action: 'Heartbeat',
    text: '[2,"1","Heartbeat",{}]',
  });
});

test.each([
  { timestamp: '9999-12-31T23:59-12:00' },
  { timestamp: '0000-00-00 00:00:00' },
  { info: '\0' },
  { info: '\ud800' },
])('T-26: a status with %j is answered, and the connection goes on', async (odd) => {
  const { send, next } = await station({
    handle: async ({ action }) => (action === 'Heartbeat' ? beat() : {}),
  });
  const status = { connectorId: 1, errorCode: 'NoError', status: 'Available' };
  send([2, '1', 'StatusNotification', { ...status, ...odd }]);
  expect(await next()).toEqual([3, '1', {}]);
  send([2, '2', 'Heartbeat', {}]);
  expect(await next()).toEqual([3, '2', { currentTime: now }]);
});

test('an unknown action is NotImplemented, one of the other direction NotSupported', async () => {
  const { send, next } = await station();
  send([2, '1', 'MakeCoffee', {}]);
  expect((await next()).slice(0, 3)).toEqual([4, '1', 'NotImplemented']);
  send([2, '2', 'Reset', { type: 'Soft' }]);
  expect((await next()).slice(0, 3)).toEqual([4, '2', 'NotSupported']);
});

test('a payload that breaks its schema is refused by name and never handled', async () => {
  const { send, next, central } = await station();
  send([2, '1', 'Authorize', {}]);
  expect(await next()).toEqual([4, '1', 'OccurenceConstraintViolation', 'idTag: is required', {}]);
  expect(central.received).toEqual([]);
});

test('what goes wrong in a handler is an InternalError that says nothing of our insides', async () => {
  const { send, next, central } = await station({
    handle: async () => {
      throw new Error('password of the database is hunter2');
    },
  });
  send([2, '1', 'Heartbeat', {}]);
  expect(await next()).toEqual([4, '1', 'InternalError', '', {}]);
  expect(central.notices).toMatchObject([{ notice: 'handler-failed' }, { notice: 'call-refused' }]);
});

test('J-57: a handler can refuse a CALL with the code it wants', async () => {
  const { send, next } = await station({
    handle: async () => {
      throw new CallRefused('security', 'not accepted yet');
    },
  });
  send([2, '1', 'Heartbeat', {}]);
  expect(await next()).toEqual([4, '1', 'SecurityError', 'not accepted yet', {}]);
});

test('an answer of ours that breaks the schema never leaves', async () => {
  const { send, next, central } = await station({ handle: async () => ({ currentTime: 'noon' }) });
  send([2, '1', 'Heartbeat', {}]);
  expect((await next()).slice(0, 3)).toEqual([4, '1', 'InternalError']);
  expect(central.notices[0]).toMatchObject({ notice: 'own-answer-invalid', action: 'Heartbeat' });
});

test('CALLs are handled in the order received, one after the other', async () => {
  const order: string[] = [];
  const { send, next } = await station({
    handle: async ({ id }) => {
      order.push(`start ${id}`);
      await new Promise((resolve) => setTimeout(resolve, id === '1' ? 30 : 1));
      order.push(`end ${id}`);
      return { currentTime: now };
    },
  });
  for (const id of ['1', '2', '3']) send([2, id, 'Heartbeat', {}]);
  expect([(await next())[1], (await next())[1], (await next())[1]]).toEqual(['1', '2', '3']);
  expect(order).toEqual(['start 1', 'end 1', 'start 2', 'end 2', 'start 3', 'end 3']);
});

test('J-48: a CALL repeated while it is being handled is handled once and answered once', async () => {
  const { send, next, inbox, central } = await station({
    handle: async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return { currentTime: now };
    },
  });
  send([2, '1', 'Heartbeat', {}]);
  send([2, '1', 'Heartbeat', {}]);
  send([2, '2', 'Heartbeat', {}]);
  expect((await next())[1]).toBe('1');
  expect((await next())[1]).toBe('2');
  expect(inbox).toEqual([]);
  expect(central.received.length).toBe(2);
  expect(central.notices).toMatchObject([{ notice: 'call-repeated-while-open', id: '1' }]);
});

test('J-46: a handler that does not end is answered for, and the next CALL goes on', async () => {
  let aborted = false;
  const { send, next } = await station({
    limits: { answerWithinMs: 50 },
    handle: ({ id, signal }) => {
      if (id === '2') return beat();
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => {});
    },
  });
  send([2, '1', 'Heartbeat', {}]);
  send([2, '2', 'Heartbeat', {}]);
  expect((await next()).slice(0, 3)).toEqual([4, '1', 'InternalError']);
  expect(await next()).toEqual([3, '2', { currentTime: now }]);
  expect(aborted).toBe(true);
});

test('a flood of CALLs is refused, not hoarded', async () => {
  const { send, next } = await station({
    limits: { inboundWaitingMax: 2 },
    handle: () => new Promise(() => {}),
  });
  for (const id of ['1', '2', '3', '4']) send([2, id, 'Heartbeat', {}]);
  expect((await next()).slice(0, 3)).toEqual([4, '4', 'InternalError']);
});

test('J-42, J-43: one own CALL at a time, urgent ones before the rest', async () => {
  const { send, next, inbox, connection } = await station();
  const first = connection.call('TriggerMessage', { requestedMessage: 'Heartbeat' });
  const report = connection.call('GetConfiguration', {});
  const stop = connection.call('RemoteStopTransaction', { transactionId: 7 }, { priority: 'high' });
  const [, id1] = await next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(inbox).toEqual([]);
  send([3, id1, { status: 'Accepted' }]);
  const [, id2, action2] = await next();
  expect(action2).toBe('RemoteStopTransaction');
  send([3, id2, { status: 'Accepted' }]);
  const [, id3, action3] = await next();
  expect(action3).toBe('GetConfiguration');
  send([3, id3, {}]);
  expect(await first).toEqual({ outcome: 'answered', payload: { status: 'Accepted' } });
  expect((await stop).outcome).toBe('answered');
  expect((await report).outcome).toBe('answered');
});

test('J-45: the station is answered while an own CALL is out', async () => {
  const { send, next, connection } = await station();
  const out = connection.call('GetConfiguration', {});
  const [, id] = await next();
  send([2, '1', 'Heartbeat', {}]);
  expect((await next()).slice(0, 2)).toEqual([3, '1']);
  send([3, id, {}]);
  expect((await out).outcome).toBe('answered');
});

test('J-44, J-26: after a time-out the next CALL goes, and the late answer is dropped', async () => {
  const { send, next, connection, central } = await station();
  const slow = connection.call('Reset', { type: 'Soft' }, { timeoutMs: 500 });
  const queued = connection.call('GetConfiguration', {}, { timeoutMs: 20 });
  const [, id] = await next();
  expect(await queued).toEqual({ outcome: 'timeout', sent: false });
  expect(await slow).toEqual({ outcome: 'timeout', sent: true });
  const after = connection.call('UnlockConnector', { connectorId: 1 });
  const [, id2, action] = await next();
  expect(action).toBe('UnlockConnector');
  send([3, id, { status: 'Accepted' }]);
  send([3, id, { status: 'Accepted' }]);
  send([4, 'never-asked', 'GenericError', '', {}]);
  send([3, id2, { status: 'Unlocked' }]);
  expect(await after).toEqual({ outcome: 'answered', payload: { status: 'Unlocked' } });
  expect(central.notices.map((notice) => notice.notice)).toEqual(Array(3).fill('answer-dropped'));
});

test('J-56: a CALLERROR is an outcome, with its meaning in either spelling', async () => {
  const { send, next, connection } = await station();
  const out = connection.call('Reset', { type: 'Soft' });
  const [, id] = await next();
  send([4, id, 'OccurrenceConstraintViolation', 'no', { x: 1 }]);
  expect(await out).toEqual({
    outcome: 'error',
    from: 'station',
    code: 'OccurrenceConstraintViolation',
    fault: 'occurrence',
    description: 'no',
    details: { x: 1 },
  });
});

test.each([
  [(id: unknown) => [3, id, { status: 'Perhaps' }], 'PropertyConstraintViolation'],
  [(id: unknown) => [3, id], 'FormationViolation'],
  [(id: unknown) => [3, id, []], 'FormationViolation'],
])('J-27: an unusable answer fails the CALL and is not answered (%#)', async (answer, code) => {
  const { send, next, connection, inbox } = await station();
  const out = connection.call('Reset', { type: 'Soft' });
  const [, id] = await next();
  send(answer(id));
  expect(await out).toMatchObject({ outcome: 'error', from: 'us', code });
  expect(inbox).toEqual([]);
});

test('what waits or is out when the socket closes is told apart', async () => {
  const { ws, next, connection, central } = await station();
  const out = connection.call('Reset', { type: 'Soft' });
  const queued = connection.call('GetConfiguration', {});
  await next();
  ws.close(1000);
  expect(await out).toEqual({ outcome: 'closed', sent: true });
  expect(await queued).toEqual({ outcome: 'closed', sent: false });
  expect(await connection.call('GetConfiguration', {})).toEqual({ outcome: 'closed', sent: false });
  expect(central.closed).toEqual([{ cause: 'peer', code: 1000, reason: '' }]);
});

test("an own payload that breaks its schema is the caller's mistake and is not sent", async () => {
  const { connection } = await station();
  await expect(
    connection.call('RemoteStartTransaction', { idTag: 'x'.repeat(21) }),
  ).rejects.toThrow(PayloadInvalid);
});

test('a full queue refuses, but a stop still gets in', async () => {
  const { connection } = await station({ limits: { callsWaitingMax: 2 } });
  void connection.call('GetConfiguration', {});
  void connection.call('GetConfiguration', {});
  expect(await connection.call('GetConfiguration', {})).toEqual({ outcome: 'queue-full' });
  const stop = connection.call('RemoteStopTransaction', { transactionId: 1 }, { priority: 'high' });
  expect(connection.callsWaiting).toBe(3);
  connection.close();
  expect(await stop).toEqual({ outcome: 'closed', sent: false });
});

test('J-60: a station that neither speaks nor pongs is dropped', async () => {
  const { ws, central } = await station({ limits: { pingIntervalMs: 30 } });
  // Reading nothing is what a half-open socket looks like.
  ws.pause();
  while (central.closed.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(central.closed[0]).toMatchObject({ cause: 'silent', code: 1006 });
});

test('J-60: a silent station that pongs stays', async () => {
  const { ws, central, connection } = await station({ limits: { pingIntervalMs: 100 } });
  let pings = 0;
  ws.on('ping', () => (pings += 1));
  await expect.poll(() => pings).toBeGreaterThan(3);
  expect(central.closed).toEqual([]);
  expect(connection.open).toBe(true);
  expect(ws.readyState).toBe(WebSocket.OPEN);
});

test('unreadable frames are noticed, and too many end the connection', async () => {
  const { ws, send, central } = await station({ limits: { badFramesMax: 3 } });
  const closed = once(ws, 'close');
  for (const text of ['{', '', '[]', '[9,"1"]']) send(text);
  expect((await closed)[0]).toBe(1002);
  expect(central.notices.map((notice) => notice.notice)).toEqual(Array(4).fill('frame-unreadable'));
});

test('a binary frame is noticed and not read', async () => {
  const { ws, send, next, central } = await station();
  ws.send(Buffer.from('[2,"1","Heartbeat",{}]'), { binary: true });
  send([2, '2', 'Heartbeat', {}]);
  expect((await next())[1]).toBe('2');
  expect(central.notices).toMatchObject([{ notice: 'frame-unreadable', problem: 'binary' }]);
});

test('a message above the limit closes the socket with 1009', async () => {
  const { ws, send } = await station();
  const closed = once(ws, 'close');
  send(`[2,"1","DataTransfer",{"vendorId":"${'x'.repeat(600_000)}"}]`);
  expect((await closed)[0]).toBe(1009);
});
