import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Due, openDue } from '#due';
import { type EventStore, memoryEventStore } from '#event-store';
import { exampleLocation, exampleSession, exampleTariff, exampleToken } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase, type FreshDatabase } from '#test-servers';
import { fixedClock, rfc3339 } from '#time';
import { logsOf } from '../src/logs.ts';
import { migrations } from '../src/migrations.ts';
import type { ParkingRules } from '../src/parking.ts';
import type { Parked } from '../src/session-events.ts';
import { watchSession, WatchSession } from '../src/watch-session.ts';
import { config as usual } from './config.ts';

/** Nobody takes over. */
const held = { isHeld: () => true, insist: () => {} };

// The timer of a car that stays; every look is another process's.

const at = '2022-02-01T17:00:00Z';
const minute = 60_000;
const config = {
  ...usual,
  updateEveryMs: { ac: 5 * minute, dc: 5 * minute },
  parkingRules: { graceMs: 0, capMs: 12 * minute, waitMs: 2 * minute },
};

let database: FreshDatabase;
let db: Database;

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'sessions', migrations });
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

const clock = fixedClock(at);

async function aStay(sessionId: string, store: EventStore, rules: ParkingRules): Promise<Parked> {
  const logs = logsOf(store);
  const { end_date_time: _, ...session } = exampleSession;
  await logs.sessions.execute(sessionId, 'start', {
    type: 'StartSession',
    session: {
      ...session,
      id: sessionId,
      status: 'ACTIVE',
      start_date_time: clock.iso(),
      charging_periods: [],
      last_updated: clock.iso(),
    },
    transaction: {
      stationId: 'OASIS-L2-01',
      transactionId: '101',
      connectorId: 1,
      meterStartWh: '0',
    },
    snapshots: {
      location: exampleLocation,
      tariff: exampleTariff,
      tariffVersion: 1,
      token: exampleToken,
    },
  });
  const { state } = await logs.sessions.execute(sessionId, 'end', {
    type: 'EndSession',
    meterStopWh: '1000',
    stoppedAt: clock.iso(),
    reason: 'Remote',
    readings: [],
    rules,
    at: clock.iso(),
  });
  return state as Parked;
}
const statesOf = async (sessionId: string, store: EventStore) => {
  const { state } = await logsOf(store).sessions.load(sessionId);
  return state as Parked;
};

async function watched(
  sessionId: string,
  store: EventStore,
  rules: ParkingRules = config.parkingRules,
): Promise<Due> {
  await watchSession(db, await aStay(sessionId, store, rules), { clock, config });
  const [row] = await openDue(db, `parking ${sessionId}`);
  return row!;
}
function looks(row: Due, store: EventStore, heard = true) {
  const heardAll = async () => heard;
  const { kinds } = new WatchSession({ clock, config, logs: logsOf(store), heardAll });
  return kinds[row.kind]!(row, 1, held);
}

test('a stay of which no status ever comes ends where the charge ended', async () => {
  const store = memoryEventStore();
  const row = await watched('S1', store);
  expect(row.at).toBe(clock.now() + 2 * minute);
  const stoppedAt = clock.iso();
  clock.advance(2 * minute);
  expect(await looks(row, store)).toBe('done');
  expect(await statesOf('S1', store)).toMatchObject({
    status: 'ended',
    session: { status: 'COMPLETED', end_date_time: stoppedAt },
  });
  expect(await looks(row, store)).toBe('done');
});

test('a stay does not end by its time while what the station said is not all heard', async () => {
  const store = memoryEventStore();
  const row = await watched('S4', store);
  const stoppedMs = clock.now();
  clock.advance(2 * minute);
  expect(await looks(row, store, false)).toEqual({ retryInMs: 1_000 });
  expect(await statesOf('S4', store)).toMatchObject({ status: 'parked' });
  // From the backlog: the car was there all the time.
  await logsOf(store).sessions.execute('S4', 'status', {
    type: 'NoteStatus',
    status: 'Finishing',
    statusAt: rfc3339(stoppedMs + 1_000),
    at: clock.iso(),
  });
  expect(await looks(row, store)).toMatchObject({ retryAt: expect.any(Number) });
  expect(await statesOf('S4', store)).toMatchObject({ status: 'parked' });
});

test('each look at a long stay tells what it costs by then', async () => {
  const store = memoryEventStore();
  const row = await watched('S3', store, { ...config.parkingRules, capMs: 10_000 * minute });
  await logsOf(store).sessions.execute('S3', 'status', {
    type: 'NoteStatus',
    status: 'Finishing',
    statusAt: clock.iso(),
    at: clock.iso(),
  });
  // From 84 hours on a thousandth of its age is more than the interval.
  clock.advance(5_300 * minute);
  for (let n = 0; n < 3; n += 1) {
    const outcome = await looks(row, store);
    expect((await statesOf('S3', store)).session.last_updated).toBe(clock.iso());
    clock.set(Math.ceil((outcome as { retryAt: number }).retryAt));
  }
});

test('a stay is looked at in between for what it costs, and ends at its cap', async () => {
  const store = memoryEventStore();
  const row = await watched('S2', store);
  const stoppedMs = clock.now();
  await logsOf(store).sessions.execute('S2', 'status', {
    type: 'NoteStatus',
    status: 'Finishing',
    statusAt: rfc3339(stoppedMs + 1_000),
    at: clock.iso(),
  });
  clock.set(row.at);
  expect(await looks(row, store)).toEqual({ retryAt: row.at + 5 * minute });
  clock.set(row.at + 5 * minute);
  expect(await looks(row, store)).toEqual({ retryAt: stoppedMs + 12 * minute });
  // Seven minutes at 3 an hour, in steps of a minute, above 1 kWh at 0.30.
  expect((await statesOf('S2', store)).session.total_cost).toMatchObject({ excl_vat: 0.65 });
  clock.set(stoppedMs + 12 * minute);
  expect(await looks(row, store)).toBe('done');
  expect((await statesOf('S2', store)).session).toMatchObject({
    status: 'COMPLETED',
    end_date_time: rfc3339(stoppedMs + 12 * minute),
    total_cost: { excl_vat: 0.9 },
  });
});

test('SES-08 a charge of whose meter nothing is heard is looked at for what its time costs', async () => {
  const logs = logsOf(memoryEventStore());
  const { end_date_time: _, total_cost: __, ...session } = exampleSession;
  const begun = { ...session, status: 'ACTIVE' as const, start_date_time: clock.iso(), charging_periods: [], last_updated: clock.iso() };
  const tariff = { ...exampleTariff, elements: [{ price_components: [{ type: 'TIME' as const, price: 6, step_size: 1 }] }] };
  await logs.sessions.execute('S5', 'start', {
    type: 'StartSession', session: { ...begun, id: 'S5' },
    transaction: { stationId: 'OASIS-L2-01', transactionId: '105', connectorId: 1, meterStartWh: '0' },
    snapshots: { location: exampleLocation, tariff, tariffVersion: 1, token: exampleToken },
  });
  const look = () => new WatchSession({ clock, config, logs, heardAll: async () => true }).kinds['watch-charge']!(
    { id: 'charge S5', key: 'charge S5', kind: 'watch-charge', at: 0, body: { sessionId: 'S5' } }, 1, held,
  );
  const cost = async () => ((await logs.sessions.load('S5')).state as Parked).session.total_cost?.excl_vat;
  clock.advance(5 * minute);
  expect([await look(), await cost()]).toEqual([{ retryAt: clock.now() + 0.5 * minute }, undefined]);
  clock.advance(minute);
  expect([await look(), await cost()]).toEqual([{ retryAt: clock.now() + 5.5 * minute }, 0.6]);
  clock.advance(6 * minute);
  expect([await look(), await cost()]).toEqual([{ retryAt: clock.now() + 5.5 * minute }, 1.2]);
  await logs.sessions.execute('S5', 'end', {
    type: 'EndSession', meterStopWh: '1000', stoppedAt: clock.iso(), reason: 'Remote', readings: [], rules: config.parkingRules, at: clock.iso(),
  });
  expect(await look()).toBe('done');
});
