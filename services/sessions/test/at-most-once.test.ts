import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { sendCommand, SendOutcome } from '#contracts/ocpi-gateway';
import { Outcome, reserve, startCharging } from '#contracts/ocpp-gateway';
import { Rejected } from '#decider';
import { type Hold, openDue } from '#due';
import { memoryEventStore } from '#event-store';
import { exampleToken } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { OwnParties } from '#settings';
import { log } from '#telemetry';
import { freshDatabase, type FreshDatabase, freshPlatform, natsUrl } from '#test-servers';
import { fixedClock } from '#time';
import { CarryOut } from '../src/carry-out.ts';
import type { Task } from '../src/command.ts';
import { Commands } from '../src/commands.ts';
import { EndReservations } from '../src/end-reservations.ts';
import { KeepFree } from '../src/keep-free.ts';
import { logsOf } from '../src/logs.ts';
import { migrations } from '../src/migrations.ts';
import { Orders } from '../src/orders.ts';
import { SendOrder } from '../src/send-order.ts';
import { WatchOrder } from '../src/watch-order.ts';
import { config, noReservations } from './config.ts';

/** Nobody takes over. */
const held: Hold = { isHeld: () => true, insist: () => {} };

// What a worker does that takes over from one that was killed in the middle: `attempt` is then above 1.

const at = '2022-02-01T17:00:00Z';
const parties = new OwnParties([
  { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' },
]);
const starting = {
  kind: 'start',
  stationId: 'OASIS-L2-01',
  stationConnector: 1,
  token: JSON.stringify(exampleToken),
  evseStatus: 'AVAILABLE',
} as const;
const place = { stationId: 'OASIS-L2-01', stationConnector: 1, evseUid: 'L2-01', connectorId: '1' };

let database: FreshDatabase;
let db: Database;
let bus: Bus;
let asked: string[] = [];
let broken: Rejected | undefined;
/** What the station says, and at which connector it was asked; whom an order was from. */
let says = Outcome.ACCEPTED;
let askedAt = 0;
let reserved: object | undefined;
let from: object | undefined;

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'sessions', migrations });
  bus = await connectBus({ natsUrl: natsUrl(), platform: freshPlatform(), service: 'sessions' });
  await bus.hold(startCharging, 'OASIS-L2-01', async (orders) =>
    orders.map(({ orderId, connectorId }) => {
      asked.push(orderId);
      askedAt = connectorId;
      return broken ?? { outcome: says, detail: '' };
    }),
  );
  await bus.hold(reserve, 'OASIS-L2-01', async (orders) =>
    orders.map((order) => {
      reserved = { ...order, tokenJson: fromJsonBytes(order.tokenJson) };
      return broken ?? { outcome: Outcome.INOPERATIVE, detail: '' };
    }));
  await bus.answer(sendCommand, async (orders) =>
    orders.map(({ orderId, ...order }) => {
      asked.push(orderId);
      ({ from } = order);
      return { outcome: SendOutcome.ANSWERED, result: 'ACCEPTED', timeoutS: 30 };
    }),
  );
});
afterAll(async () => {
  await bus?.close();
  await db?.close();
  await database?.drop();
});

function aService(rate = 1) {
  asked = [];
  const clock = { ...fixedClock(at), rate };
  const logs = logsOf(memoryEventStore());
  const parts = { bus, db, clock, parties, config, log: log('sessions'), logs, wake() {} };
  const commands = new Commands(parts);
  const orders = new Orders(parts);
  const carryOut = new CarryOut({ ...parts, keepFree: new KeepFree({ ...parts, ends: new EndReservations({ ...parts, heardAll: async () => true }) }), openingOf: async () => undefined });
  const sendOrder = new SendOrder({ ...parts, commands, reservations: noReservations });
  const watchOrder = new WatchOrder(parts);
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
    async takes(orderId: string, task: Task = starting) {
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
    carryOut: (orderId: string, attempt: number, hold: Hold = held) =>
      carryOut.kinds['carry-out']!(row('carry-out', orderId), attempt, hold),
    send: (orderId: string, attempt: number, hold: Hold = held) =>
      sendOrder.kinds['send-order']!(row('send-order', orderId), attempt, hold),
    watch: (orderId: string) => watchOrder.kinds['watch-order']!(row('watch-order', orderId), 1, held),
    link: (orderId: string, sessionId: string) =>
      logs.orders.execute(orderId, `link ${orderId}`, { type: 'LinkSession', sessionId, at }),
    orderOf: (orderId: string) => orders.find(orderId),
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

test.each([
  [Outcome.REJECTED, 'AVAILABLE', 'REJECTED'],
  [Outcome.REJECTED, 'CHARGING', 'EVSE_OCCUPIED'],
  [Outcome.OCCUPIED, 'AVAILABLE', 'EVSE_OCCUPIED'],
  [Outcome.INOPERATIVE, 'AVAILABLE', 'EVSE_INOPERATIVE'],
  [Outcome.NOT_SUPPORTED, 'AVAILABLE', 'NOT_SUPPORTED'],
  [Outcome.UNKNOWN, 'AVAILABLE', 'TIMEOUT'],
  [Outcome.STALE, 'AVAILABLE', 'FAILED'],
])('CMD-02 a station that says %i while its EVSE is %s: %s', async (outcome, evseStatus, result) => {
  const service = aService();
  says = outcome;
  await service.takes('C20', { ...starting, stationConnector: 2, evseStatus });
  expect(await service.carryOut('C20', 1)).toBe('done');
  says = Outcome.ACCEPTED;
  expect([askedAt, await service.resultOf('C20')]).toEqual([2, result]);
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

test('whoever holds the station broke off: it may have begun the charge', async () => {
  const service = aService();
  broken = new Rejected('unanswered', 'the database cannot be used now');
  await service.takes('C30');
  expect(await service.carryOut('C30', 1)).toBe('done');
  broken = undefined;
  expect([asked, await service.resultOf('C30')]).toEqual([['C30'], 'TIMEOUT']);
});

test.each<[string, number, Rejected | undefined, number]>([
  ['lets go what it may have reserved', 2, undefined, 2],
  ['lets go what it may have reserved, though nobody has time for it', 2, new Rejected('overloaded', ''), 2],
  ['has nothing to let go when it was never asked before', 1, undefined, 0],
])('a station that is away %s', async (_what, attempt, no, lettingGo) => {
  const service = aService();
  const number = 100 + attempt;
  await service.takes(`R${attempt}`, {
    kind: 'reserve', number, sessionId: 'S-R', token: JSON.stringify(exampleToken), expiresAt: '2022-02-01T19:00:00Z',
    reservationId: 'R-1', locationId: 'SURREY', operator: { country_code: 'CA', party_id: 'BCT' },
    places: [{ ...place, stationConnector: 2 }, { ...place, stationConnector: 2, evseUid: 'L2-02' }],
  });
  await db.query('DELETE FROM due');
  broken = no;
  await service.carryOut(`R${attempt}`, attempt);
  broken = undefined;
  expect((await db.query("SELECT FROM due WHERE kind = 'forget-reservation'")).rowCount).toBe(lettingGo);
  expect(reserved).toMatchObject({
    stationId: 'OASIS-L2-01', connectorId: 2, reservationId: number, expiresAt: '2022-02-01T19:00:00Z', tokenJson: exampleToken,
  });
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
  expect(from, 'HUB-04: of whom the driver is').toMatchObject({ countryCode: exampleToken.country_code, partyId: exampleToken.party_id });
});

test('who slept while another took over neither asks the station nor sends the order: that one has said how it ended', async () => {
  const service = aService();
  const lost: Hold = { isHeld: () => false, insist() { throw new Error('lost'); } };
  await service.takes('C6');
  await service.places('O6');
  await expect(service.carryOut('C6', 1, lost)).rejects.toThrow('lost');
  await expect(service.send('O6', 1, lost)).rejects.toThrow('lost');
  expect([asked, await service.resultOf('C6'), await service.stateOf('O6')]).toEqual([[], undefined, 'sent']);
});

test('a clock at any rate leaves an order that was taken accepted', async () => {
  const service = aService(1 / 3);
  await service.places('O10');
  expect(await service.send('O10', 1)).toBe('done');
  expect(await service.stateOf('O10')).toBe('accepted');
});

test('CMD-03 an order whose result never comes is unknown when its time is over, and known when the result comes late', async () => {
  const service = aService();
  await service.places('O3');
  const [row] = await openDue(db, 'watch o3');
  expect(row).toMatchObject({ kind: 'watch-order', at: service.clock.now() + config.orderLookMs });
  await service.send('O3', 1);
  const resultDueMs = service.clock.now() + 30_000 + config.partnerTimeoutMs;
  expect(await service.watch('O3')).toEqual({ retryAt: resultDueMs });
  service.clock.set(resultDueMs);
  expect(await service.watch('O3')).toEqual({ retryAt: resultDueMs + 600_000 });
  expect(await service.stateOf('O3')).toBe('unknown');
  expect(await service.result('O3', 'ACCEPTED')).toMatchObject({
    state: 'done',
    result: 'ACCEPTED',
  });
});

test('an order that the station took, and whose charge never begins, fails with the reason', async () => {
  const service = aService();
  await service.places('O6');
  await service.send('O6', 1);
  await service.result('O6', 'ACCEPTED');
  const untilMs = service.clock.now() + 300_000;
  expect(await service.watch('O6')).toEqual({ retryAt: untilMs });
  expect(await service.stateOf('O6')).toBe('done');
  service.clock.set(untilMs);
  expect(await service.watch('O6')).toBe('done');
  expect(await service.orderOf('O6')).toMatchObject({
    state: 'failed',
    result: 'ACCEPTED',
    message: 'no charge began in time',
  });
  await service.link('O6', 'S6');
  expect(await service.orderOf('O6')).toMatchObject({ state: 'done', sessionId: 'S6' });
  expect(await service.watch('O6')).toBe('done');
});

test('an order whose answer was lost is what is found: its charge, or nothing when its time is over', async () => {
  const service = aService();
  for (const orderId of ['O7', 'O8']) {
    await service.places(orderId);
    await service.send(orderId, 2);
  }
  const untilMs = service.clock.now() + 600_000;
  expect(await service.watch('O7')).toEqual({ retryAt: untilMs });
  await service.link('O7', 'S7');
  expect([await service.watch('O7'), await service.stateOf('O7')]).toEqual(['done', 'done']);
  service.clock.set(untilMs);
  expect(await service.watch('O8')).toBe('done');
  expect(await service.orderOf('O8')).toMatchObject({
    state: 'failed',
    message: 'it may or may not have been sent, and no charge began',
  });
});

test('an order that no worker ever sent does not wait for ever', async () => {
  const service = aService();
  await service.places('O9');
  const soon = service.clock.now() + config.orderLookMs;
  expect(await service.watch('O9')).toEqual({ retryAt: soon });
  service.clock.advance(15_000 + 600_000);
  expect(await service.watch('O9')).toEqual({ retryAt: service.clock.now() + 600_000 });
  expect(await service.stateOf('O9')).toBe('unknown');
  expect([await service.send('O9', 1), asked]).toEqual(['done', []]);
});

test('an order with more characters than an authorization_reference is refused', async () => {
  await expect(aService().places('X'.repeat(37))).rejects.toMatchObject({
    code: 'order-id-too-long',
  });
});
