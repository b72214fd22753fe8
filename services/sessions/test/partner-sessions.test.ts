import { afterAll, beforeAll, expect, test } from 'vitest';
import { outbox } from '#bus';
import { toJsonBytes } from '#contracts';
import { Marks } from '#erasure';
import { memoryEventStore } from '#event-store';
import { exampleSession, exampleToken } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { OwnParties } from '#settings';
import { freshDatabase, type FreshDatabase } from '#test-servers';
import { fixedClock } from '#time';
import { logsOf } from '../src/logs.ts';
import { migrations } from '../src/migrations.ts';
import { Orders } from '../src/orders.ts';
import { PartnerSessions } from '../src/partner-sessions.ts';
import { config } from './config.ts';

// Which order a partner's Session is of, where it does not say so.

const xyz = { country_code: 'CA', party_id: 'XYZ' };
const own = new OwnParties([{ country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' }]);

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

test.each([
  ['a charge that the card began before the order was placed', '17:00:00', false],
  ['a charge that began after it', '17:30:05', true],
  ['one that began after it, by a clock that is minutes behind', '17:27:00', true],
])('%s, at %s: its order: %s', async (_what, time, isOurs) => {
  const clock = fixedClock('2022-02-01T17:30:00Z');
  const parts = { db, clock, parties: own, config, logs: logsOf(memoryEventStore()), wake() {} };
  const orders = new Orders(parts);
  const sessions = new PartnerSessions({ ...parts, outbox: outbox('partner-sessions', db), marks: new Marks(db, Buffer.alloc(32)) });
  const orderId = `O-${time}`;
  const evseUid = `E-${time}`;
  const sessionId = `S-${time}`;
  await orders.start({ orderId, token: exampleToken, party: xyz, locationId: 'SURREY', evseUid });
  const { authorization_reference: _, end_date_time: __, ...session } = exampleSession;
  const body = toJsonBytes({
    ...session, ...xyz, id: sessionId, status: 'ACTIVE', evse_uid: evseUid, location_id: 'SURREY',
    start_date_time: `2022-02-01T${time}Z`, last_updated: clock.iso(),
    cdr_token: { ...session.cdr_token, uid: exampleToken.uid },
  });
  await sessions.put({ party: xyz, sessionId, patch: false, body });
  expect((await orders.find(orderId)).sessionId).toBe(isOurs ? sessionId : undefined);
});

test('LOC-34: an older Session takes the place of one only as its owner was asked, and nothing newer came meanwhile', async () => {
  const parts = { db, clock: fixedClock('2022-02-01T17:30:00Z'), parties: own, config, logs: logsOf(memoryEventStore()), wake() {} };
  const sessions = new PartnerSessions({ ...parts, outbox: outbox('partner-sessions', db), marks: new Marks(db, Buffer.alloc(32)) });
  const { end_date_time: _, ...session } = exampleSession;
  const put = (kwh: number, minute: number, replaces?: string, askedAt?: string) => sessions.put({
    party: xyz, sessionId: 'S-OLD', patch: false, replaces, askedAt,
    body: toJsonBytes({ ...session, ...xyz, id: 'S-OLD', status: 'ACTIVE', kwh, last_updated: `2022-02-01T18:${minute}:00Z` }),
  });
  expect(await put(1, 30)).toBe('created');
  expect(await put(2, 20)).toBe('stale');
  expect(await put(2, 20, '2022-02-01T18:29:00Z')).toBe('stale');
  const [before, after] = [-60_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
  expect(await put(2, 20, '2022-02-01T18:30:00Z', before)).toBe('stale');
  expect(await put(2, 30, undefined, before)).toBe('stale');
  expect(await put(2, 30, undefined, after)).toBe('updated');
  expect(await put(2, 20, '2022-02-01T18:30:00Z')).toBe('updated');
  expect(await put(2, 20, '2022-02-01T18:30:00Z')).toBe('unchanged');
});

test('SES-06: a Session that comes as RESERVED is kept and shown as a RESERVATION', async () => {
  const parts = { db, clock: fixedClock('2022-02-01T17:30:00Z'), parties: own, config, logs: logsOf(memoryEventStore()), wake() {} };
  const sessions = new PartnerSessions({ ...parts, outbox: outbox('partner-sessions', db), marks: new Marks(db, Buffer.alloc(32)) });
  const { end_date_time: _, ...session } = exampleSession;
  const body = toJsonBytes({ ...session, ...xyz, id: 'S-RES', status: 'RESERVED', x_unknown: 1 });
  const put = () => sessions.put({ party: xyz, sessionId: 'S-RES', patch: false, body });
  expect([await put(), await put()]).toEqual(['created', 'unchanged']);
  const {
    rows: [row],
  } = await db.query<{ session: string }>(
    "SELECT session FROM partner_sessions WHERE session_id = 'S-RES' OR session_id = 's-res'",
  );
  expect(JSON.parse(row!.session)).toMatchObject({ id: 'S-RES', status: 'RESERVATION', x_unknown: 1 });
});
