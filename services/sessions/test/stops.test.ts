import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { closeTransaction, Outcome, stopCharging } from '#contracts/ocpp-gateway';
import { Rejected } from '#decider';
import { type DueOutcome } from '#due';
import { memoryEventStore } from '#event-store';
import { exampleLocation, exampleSession, exampleTariff, exampleToken } from '#ocpi';
import type { Database } from '#postgres';
import { OwnParties } from '#settings';
import { log } from '#telemetry';
import { freshPlatform, natsUrl } from '#test-servers';
import { fixedClock, rfc3339 } from '#time';
import { CarryOut } from '../src/carry-out.ts';
import { logsOf } from '../src/logs.ts';
import { Sessions } from '../src/sessions.ts';
import { config, noReservations } from './config.ts';

/** Nobody takes over. */
const held = { isHeld: () => true, insist: () => {} };

// How charges are stopped: each look of a worker may be another process's, for the log is all it has.

const at = '2022-02-01T17:00:00Z';
const stationId = 'OASIS-L2-01';

const operator = { country_code: exampleSession.country_code, party_id: exampleSession.party_id };

let bus: Bus;
let isConnected = true;
/** Words: why it is REJECTED. */
type Answer = Outcome | Rejected | string;
let answers: Answer[] = [];
let asked: string[] = [];

beforeAll(async () => {
  bus = await connectBus({ natsUrl: natsUrl(), platform: freshPlatform(), service: 'sessions' });
  await bus.hold(stopCharging, stationId, async (orders) =>
    orders.map(({ transactionId }) => {
      asked.push(transactionId);
      const answer = answers.shift() ?? Outcome.ACCEPTED;
      if (typeof answer === 'string') return { outcome: Outcome.REJECTED, detail: answer };
      return answer instanceof Rejected ? answer : { outcome: answer, detail: '' };
    }),
  );
});
afterAll(() => bus?.close());
beforeAll(() => bus.answer(closeTransaction, async (all) => all.map(({ isUnknownThere }) =>
  (isConnected && !isUnknownThere ? new Rejected('station-connected', 'it ends its charges itself') : { closed: true }))));

/** One running charge S1 at a station that answers as listed, then with yes. */
async function aCharge(...outcomes: Answer[]) {
  [asked, answers] = [[], outcomes];
  const clock = fixedClock(at);
  const logs = logsOf(memoryEventStore());
  const { kinds } = new CarryOut({
    bus,
    clock,
    config,
    log: log('sessions'),
    logs,
    keepFree: noReservations,
    openingOf: async () => undefined,
  });
  const { end_date_time: _, ...session } = exampleSession;
  await logs.sessions.execute('S1', 'start', {
    type: 'StartSession',
    session: { ...session, status: 'ACTIVE', start_date_time: at, charging_periods: [] },
    transaction: { stationId, transactionId: '101', connectorId: 1, meterStartWh: '0' },
    snapshots: {
      location: exampleLocation,
      tariff: exampleTariff,
      tariffVersion: 1,
      token: exampleToken,
    },
  });
  const due = (kind: string, body: object) => ({ id: kind, key: kind, kind, at: 0, body });
  return {
    clock,
    async ends() {
      await logs.sessions.execute('S1', 'end', {
        type: 'EndSession',
        meterStopWh: '10',
        stoppedAt: clock.iso(),
        reason: 'Remote',
        readings: [],
        rules: config.parkingRules,
        at: clock.iso(),
      });
    },
    /** By its operator. */
    close(party: { country_code: string; party_id: string } = exampleSession) {
      const parties = new OwnParties([{ ...operator, name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' }]);
      return new Sessions({ db: {} as Database, bus, logs, parties }).close(party, 'S1', 'it burned down');
    },
    says: (status: string) => logs.sessions.execute('S1', `says ${status}`, {
      type: 'NoteStatus', status, statusAt: rfc3339(clock.now() + 60_000), at: clock.iso(),
    }),
    async isToStop() {
      await logs.commands.execute('C1', 'take', {
        type: 'TakeCommand',
        task: { kind: 'stop', stationId, transactionId: '101', sessionId: 'S1' },
        from: 'partner',
        timeoutS: 60,
        at,
      });
    },
    carryOut: (attempt: number): Promise<DueOutcome> =>
      kinds['carry-out']!(due('carry-out', { orderId: 'C1' }), attempt, held),
    stopLate: (attempt: number): Promise<DueOutcome> =>
      kinds['stop-late']!(due('stop-late', { sessionId: 'S1' }), attempt, held),
    result: async () => (await logs.commands.load('C1')).state.finished?.result,
  };
}

test('a station that says that it stops is asked once', async () => {
  const charge = await aCharge(Outcome.ACCEPTED);
  await charge.isToStop();
  expect([await charge.carryOut(1), await charge.result()]).toEqual(['done', 'ACCEPTED']);
  expect([await charge.carryOut(2), asked]).toEqual(['done', ['101']]);
});

test('a station that did not answer is asked again, by whichever worker', async () => {
  const charge = await aCharge(Outcome.UNKNOWN, Outcome.ACCEPTED);
  await charge.isToStop();
  expect(await charge.carryOut(1)).toEqual({ retryAt: charge.clock.now() + 2_000 });
  expect(await charge.result()).toBeUndefined();
  expect([await charge.carryOut(2), await charge.result()]).toEqual(['done', 'ACCEPTED']);
});

test('a charge that is over is the answer, whatever else was lost', async () => {
  const charge = await aCharge(Outcome.UNKNOWN, Outcome.REJECTED);
  await charge.isToStop();
  await charge.carryOut(1);
  expect(await charge.carryOut(2)).toEqual({ retryAt: charge.clock.now() + 2_000 });
  await charge.ends();
  expect([await charge.carryOut(3), await charge.result()]).toEqual(['done', 'ACCEPTED']);
  expect(asked).toHaveLength(2);
});

test.each(['too-late', 'overloaded', 'unanswered', 'internal'])('a station is asked to stop again where whoever holds it said %s', async (code) => {
  const charge = await aCharge(new Rejected(code, ''), Outcome.ACCEPTED);
  await charge.isToStop();
  expect(await charge.carryOut(1)).toEqual({ retryAt: charge.clock.now() + 2_000 });
  expect(await charge.result()).toBeUndefined();
  expect([await charge.carryOut(2), await charge.result()]).toEqual(['done', 'ACCEPTED']);
});

test('a station that left after it was asked to stop may have stopped: it is asked until the time is over', async () => {
  const charge = await aCharge(Outcome.UNKNOWN, Outcome.INOPERATIVE);
  await charge.isToStop();
  await charge.carryOut(1);
  expect(await charge.carryOut(2)).toEqual({ retryAt: charge.clock.now() + 2_000 });
  await charge.ends();
  expect([await charge.carryOut(3), await charge.result()]).toEqual(['done', 'ACCEPTED']);
});

test('a station that refuses at once has refused', async () => {
  const charge = await aCharge(Outcome.REJECTED);
  await charge.isToStop();
  expect([await charge.carryOut(1), await charge.result()]).toEqual(['done', 'REJECTED']);
});

test('a station that never answers is a TIMEOUT when the time is over', async () => {
  const charge = await aCharge(Outcome.UNKNOWN, Outcome.UNKNOWN);
  await charge.isToStop();
  await charge.carryOut(1);
  charge.clock.advance(60_000);
  expect([await charge.carryOut(2), await charge.result()]).toEqual(['done', 'TIMEOUT']);
  expect(asked).toHaveLength(1);
});

test('a station that is not heard of for a day is not told to stop any more', async () => {
  const charge = await aCharge();
  charge.clock.advance(24 * 3_600_000);
  expect(await charge.stopLate(1_440)).toEqual({ retryInMs: 60_000 });
  charge.clock.advance(1);
  expect([await charge.stopLate(1_441), asked.length]).toEqual(['done', 1]);
});

test('a charge that nobody waits for is stopped until it has ended, with bounded pauses', async () => {
  const charge = await aCharge(Outcome.UNKNOWN, Outcome.REJECTED);
  const pauses = [];
  for (const attempt of [1, 2, 3, 50, 100_000]) pauses.push(await charge.stopLate(attempt));
  expect(pauses).toEqual([1, 2, 4, 60, 60].map((s) => ({ retryInMs: s * 1_000 })));
  await charge.ends();
  expect([await charge.stopLate(100_001), asked.length]).toEqual(['done', 5]);
});

test.each<[string, { is: boolean; status?: string; says?: Answer }, boolean | 'station-connected', number]>([
  ['whose station is away', { is: false }, true, 0],
  ['whose station is there, and charges for all that it says', { is: true, status: 'Charging' }, 'station-connected', 0],
  ['of whose connector its station says nothing', { is: true }, 'station-connected', 0],
  ['whose connector is free, and whose station stops it', { is: true, status: 'Available', says: Outcome.ACCEPTED }, 'station-connected', 1],
  ['whose connector is free, and whose station does not answer', { is: true, status: 'Available', says: Outcome.UNKNOWN }, 'station-connected', 1],
  ['whose connector is free, and whose station does not know it', { is: true, status: 'Available', says: 'Rejected' }, true, 1],
  ['whose connector is free, and whose station was not asked after all', { is: true, status: 'Available', says: 'it was not sent' }, 'station-connected', 1],
  ['whose connector is free, and whose station fails', { is: true, status: 'Available', says: 'InternalError: ' }, 'station-connected', 1],
])('S16-57, S16-68 a charge %s, that its operator ends: %j', async (_, { is, status, says }, closed, asks) => {
  const charge = await aCharge(...(says === undefined ? [] : [says]));
  isConnected = is;
  if (status) await charge.says(status);
  const outcome = await charge.close().catch(({ code }: { code: string }) => code);
  expect([outcome, asked.length]).toEqual([closed, asks]);
});

test('only a charge of ours that runs is ended by us', async () => {
  const charge = await aCharge();
  isConnected = false;
  await expect(charge.close({ country_code: 'CA', party_id: 'XYZ' })).rejects.toMatchObject({ code: 'unknown-session' });
  await charge.ends();
  await expect(charge.close()).rejects.toMatchObject({ code: 'session-not-charging' });
});
