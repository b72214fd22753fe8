import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { getLocation, resolveEvse } from '#contracts/locations';
import { Rejected } from '#decider';
import { memoryEventStore } from '#event-store';
import { exampleToken } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { log } from '#telemetry';
import { freshDatabase, type FreshDatabase, freshPlatform, natsUrl } from '#test-servers';
import { fixedClock } from '#time';
import { Commands } from '../src/commands.ts';
import { EndReservations } from '../src/end-reservations.ts';
import { logsOf } from '../src/logs.ts';
import { migrations } from '../src/migrations.ts';
import { Reservations } from '../src/reservations.ts';
import { config } from './config.ts';

// What becomes of a command whose place cannot be looked up.

let database: FreshDatabase;
let db: Database;
let bus: Bus;
let says: Rejected;

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'sessions', migrations });
  const platform = freshPlatform();
  bus = await connectBus({ natsUrl: natsUrl(), platform, service: 'sessions' });
  await bus.answer(resolveEvse, async (asked) => asked.map(() => says));
  await bus.answer(getLocation, async (asked) => asked.map(() => says));
});
afterAll(async () => {
  await bus?.close();
  await db?.close();
  await database?.drop();
});

function taken(command: 'START_SESSION' | 'RESERVE_NOW') {
  const clock = fixedClock('2022-02-01T17:00:00Z');
  const parts = { bus, db, clock, config, log: log('sessions'), logs: logsOf(memoryEventStore()), platform: 'test', wake() {} };
  const commands = new Commands(parts);
  const wish = { orderId: 'O1', token: exampleToken, locationId: 'BURNABY', evseUid: 'DC-01' };
  if (command === 'START_SESSION') return commands.start(wish, 'partner');
  const reservations = new Reservations({ ...parts, commands, ends: new EndReservations({ ...parts, heardAll: async () => true }) });
  return reservations.reserve({ ...wish, expiresAt: '2022-02-01T18:00:00Z', reservationId: 'R1' }, 'partner');
}

test.each((['START_SESSION', 'RESERVE_NOW'] as const).flatMap((command) =>
  ['overloaded', 'too-late', 'unanswered', 'internal'].map((code) => [command, code] as const)))(
  '%s is not rejected where whoever knows the Locations says %s: nothing is known against it',
  async (command, code) => {
    says = new Rejected(code, '');
    await expect(taken(command)).rejects.toMatchObject({ code });
  },
);

test.each(['START_SESSION', 'RESERVE_NOW'] as const)('%s is rejected where the Locations are against it', async (command) => {
  says = new Rejected('not-capable', 'it starts nothing from afar');
  expect(await taken(command)).toMatchObject({ result: 'REJECTED', message: 'it starts nothing from afar', unknownLocation: false });
  says = new Rejected('unknown-location', 'there is none');
  expect(await taken(command)).toMatchObject({ result: 'REJECTED', unknownLocation: true });
});
