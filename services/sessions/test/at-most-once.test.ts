import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { sendCommand, SendOutcome } from '#contracts/ocpi-gateway';
import { Outcome, startCharging } from '#contracts/ocpp-gateway';
import { openDue } from '#due';
import { memoryEventStore } from '#event-store';
import { exampleToken } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { PartySettings } from '#settings';
import { log } from '#telemetry';
import { freshDatabase, type FreshDatabase, freshPlatform, natsUrl } from '#test-servers';
import { fixedClock } from '#time';
import { CarryOut } from '../src/carry-out.ts';
import { Commands } from '../src/commands.ts';
import { logsOf } from '../src/logs.ts';
import { migrations } from '../src/migrations.ts';
import { Orders } from '../src/orders.ts';
import { SendOrder } from '../src/send-order.ts';

// What a worker does that takes over from one that was killed in the middle: `attempt` is then above 1.

const at = '2022-02-01T17:00:00Z';
const party: PartySettings = {
  country_code: 'CA',
  party_id: 'BCT',
  name: 'Energy OASIS',
  roles: ['CPO'],
  currency: 'CAD',
};
const config = {
  updateEveryMs: 60_000,
  startTimeoutS: 60,
  stopTimeoutS: 60,
  chargerTimeoutMs: 1_000,
  partnerTimeoutMs: 1_000,
};
const task = {
  kind: 'start',
  stationId: 'OASIS-L2-01',
  stationConnector: 1,
  token: JSON.stringify(exampleToken),
  evseStatus: 'AVAILABLE',
} as const;

let database: FreshDatabase;
let db: Database;
let bus: Bus;
let asked: string[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'sessions', migrations });
  bus = await connectBus({ natsUrl: natsUrl(), platform: freshPlatform(), service: 'sessions' });
  await bus.hold(startCharging, 'OASIS-L2-01', async (orders) =>
    orders.map(({ orderId }) => {
      asked.push(orderId);
      return { outcome: Outcome.ACCEPTED, detail: '' };
    }),
  );
  await bus.answer(sendCommand, async (orders) =>
    orders.map(({ orderId }) => {
      asked.push(orderId);
      return { outcome: SendOutcome.ANSWERED, result: 'ACCEPTED', timeoutS: 30 };
    }),
  );
});
afterAll(async () => {
  await bus?.close();
  await db?.close();
  await database?.drop();
});

function aService() {
  asked = [];
  const clock = fixedClock(at);
  const logs = logsOf(memoryEventStore());
  const parts = { bus, db, clock, party, config, log: log('sessions'), logs, wake() {} };
  const commands = new Commands(parts);
  const orders = new Orders(parts);
  const carryOut = new CarryOut(parts);
  const sendOrder = new SendOrder({ ...parts, commands });
  const row = (kind: string, orderId: string) => ({
    id: `${kind} ${orderId}`,
    key: orderId,
    kind,
    at: 0,
    body: { orderId },
  });
  return {
    clock,
    logs,
    async takes(orderId: string) {
      await logs.commands.execute(orderId, `take ${orderId}`, {
        type: 'TakeCommand',
        task,
        from: 'partner',
        timeoutS: 60,
        at,
      });
    },
    places: (orderId: string) =>
      orders.start({
        orderId,
        token: exampleToken,
        party: { country_code: 'CA', party_id: 'XYZ' },
        locationId: 'SURREY',
        evseUid: 'E1',
      }),
    carryOut: (orderId: string, attempt: number) =>
      carryOut.kinds['carry-out']!(row('carry-out', orderId), attempt),
    send: (orderId: string, attempt: number) =>
      sendOrder.kinds['send-order']!(row('send-order', orderId), attempt),
    giveUp: (orderId: string) =>
      sendOrder.kinds['give-up-order']!(row('give-up-order', orderId), 1),
    result: (orderId: string, result: string) => orders.recordResult(orderId, result, ''),
    resultOf: async (orderId: string) => (await logs.commands.load(orderId)).state.finished?.result,
    stateOf: async (orderId: string) => (await orders.find(orderId)).state,
  };
}

test('a station is asked once, and its answer ends the command', async () => {
  const service = aService();
  await service.takes('C1');
  expect(await service.carryOut('C1', 1)).toBe('done');
  expect(await service.carryOut('C1', 2)).toBe('done');
  expect([asked, await service.resultOf('C1')]).toEqual([['C1'], 'ACCEPTED']);
});

test('a station whose answer was lost is not asked again: the charge may still begin, until the time-out', async () => {
  const service = aService();
  await service.takes('C2');
  expect(await service.carryOut('C2', 2)).toEqual({ retryAt: service.clock.now() + 60_000 });
  expect(await service.resultOf('C2')).toBeUndefined();
  service.clock.advance(60_000);
  expect(await service.carryOut('C2', 3)).toBe('done');
  expect([asked, await service.resultOf('C2')]).toEqual([[], 'TIMEOUT']);
});

test('a charge that begins while the answer is lost is the answer', async () => {
  const service = aService();
  await service.takes('C3');
  await service.logs.commands.execute('C3', 'heard', { type: 'NoteCharge', sessionId: 'S3', at });
  expect(await service.carryOut('C3', 2)).toBe('done');
  expect([asked, await service.resultOf('C3')]).toEqual([[], 'ACCEPTED']);
});

test('a command or order whose event is later than its row does not end in silence', async () => {
  const service = aService();
  const early = await Promise.all([service.carryOut('C4', 1), service.send('O4', 1)]);
  expect(early).toEqual([{ retryInMs: 1_000 }, { retryInMs: 1_000 }]);
  await service.takes('C4');
  await service.places('O4');
  service.clock.advance(60_000);
  expect([await service.carryOut('C4', 2), await service.send('O4', 2)]).toEqual(['done', 'done']);
  expect([await service.resultOf('C4'), await service.stateOf('O4')]).toEqual(['TIMEOUT', 'unknown']);
});

test('a row whose event never comes is let go after minutes', async () => {
  const service = aService();
  const last = await Promise.all([service.carryOut('C5', 8), service.send('O5', 8)]);
  expect(last).toEqual(['done', 'done']);
});

test('an order that may have been sent is not sent again', async () => {
  const service = aService();
  await service.places('O1');
  expect(await service.send('O1', 2)).toBe('done');
  expect([asked, await service.stateOf('O1')]).toEqual([[], 'unknown']);
  await service.places('O2');
  expect(await service.send('O2', 1)).toBe('done');
  expect(await service.send('O2', 2)).toBe('done');
  expect([asked, await service.stateOf('O2')]).toEqual([['O2'], 'accepted']);
});

test('an order whose result never comes is unknown when its time is over, and known when the result comes late', async () => {
  const service = aService();
  await service.places('O3');
  await service.send('O3', 1);
  const [row] = await openDue(db, 'give up o3');
  expect(row).toMatchObject({
    kind: 'give-up-order',
    at: service.clock.now() + 30_000 + config.partnerTimeoutMs,
  });
  expect(await service.giveUp('O3')).toBe('done');
  expect(await service.stateOf('O3')).toBe('unknown');
  expect(await service.result('O3', 'ACCEPTED')).toMatchObject({
    state: 'done',
    result: 'ACCEPTED',
  });
});

test('an order with more characters than an authorization_reference is refused', async () => {
  await expect(aService().places('X'.repeat(37))).rejects.toMatchObject({
    code: 'order-id-too-long',
  });
});
