import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '#bus';
import { listSessions, listTokenSessions } from '#contracts/sessions';
import { fromJsonBytes } from '#contracts';
import { exampleSession, type Session } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { newestOfKey, newReservation, reservationsWithId } from '../src/reservation-rows.ts';
import { listOwnSessions, storeOwnSession } from '../src/session-rows.ts';
import { start } from '../src/start.ts';

let platform: TestPlatform;
let service: Running;
let bus: Bus;
let db: Database;

beforeAll(async () => {
  platform = await testPlatform();
  service = await start(platform.env);
  bus = await connectBus({
    natsUrl: platform.env.NATS_URL!,
    platform: platform.platform,
    service: 'ocpi-gateway',
  });
  db = await openDatabase({ url: platform.databaseUrl, schema: 'sessions', migrations: [] });
});
afterAll(async () => {
  await Promise.all([bus?.close(), db?.close()]);
  await service?.stop();
  await platform?.drop();
});

const plunk = { countryCode: 'CA', partyId: 'CPK' };
const hour = (n: number) => `2022-02-01T${String(n).padStart(2, '0')}:00:00Z`;
/** A session of a day, as long as sessions get. */
const long = (n: number): Session => ({
  ...exampleSession,
  id: `S${n}`,
  start_date_time: hour(n),
  last_updated: hour(n),
  charging_periods: Array.from({ length: 400 }, () => exampleSession.charging_periods![0]!),
});
const ids = (objects: readonly Uint8Array[]) =>
  objects.map((bytes) => fromJsonBytes<Session>(bytes).id);

test('TRN-50 a page ends where a message would be too long, and the next one goes on from there', async () => {
  const all = Array.from({ length: 20 }, (_, n) => long(n));
  for (const session of all) await storeOwnSession(db, session, JSON.stringify(session));
  const found: string[] = [];
  let pages = 0;
  for (let total = Infinity; found.length < total; pages++) {
    const page = await bus.ask(listSessions, {
      tokenParties: [plunk],
      page: { offset: found.length, limit: 100 },
    });
    ({ total } = page);
    found.push(...ids(page.objectsJson));
  }
  expect(found).toEqual(all.map(({ id }) => id));
  expect(pages).toBeGreaterThan(1);
});

test('TRN-50 TRN-51 a window of last_updated includes its start and not its end', async () => {
  const page = { dateFrom: hour(3), dateTo: hour(5), offset: 0, limit: 10 };
  const { objectsJson, total } = await bus.ask(listSessions, { tokenParties: [plunk], page });
  expect([ids(objectsJson), total]).toEqual([['S3', 'S4'], 2]);
});

test('HUB-01 a list may be of the Sessions of one party of ours', async () => {
  const of = async (partyId: string) => {
    const owner = { countryCode: exampleSession.country_code, partyId };
    return (await bus.ask(listSessions, { tokenParties: [plunk], owner, page: { offset: 0, limit: 1 } })).total;
  };
  expect([await of(exampleSession.party_id.toLowerCase()), await of('XYZ')]).toEqual([20, 0]);
});

test('CMD-09 the same reservation_id of another eMSP, or at another Location, is another reservation', async () => {
  const key = (party_id: string, locationId: string, reservationId = 'R-1') => ({ party: { country_code: 'CA', party_id }, locationId, reservationId });
  const make = (party_id: string, locationId: string) => db.tx((tx) => newReservation(tx, key(party_id, locationId), `S-${party_id}-${locationId}`));
  const [first, others, there] = [await make('CPK', 'L1'), await make('XYZ', 'L1'), await make('CPK', 'L2')];
  const found = async (party_id: string, locationId: string) => (await newestOfKey(db, key(party_id, locationId, 'r-1')))?.number;
  expect([await found('CPK', 'l1'), await found('XYZ', 'L1'), await found('CPK', 'L2'), await found('XYZ', 'L2')])
    .toEqual([first.number, others.number, there.number, undefined]);
  const cancellable = await reservationsWithId(db, [{ country_code: 'CA', party_id: 'CPK' }], 'r-1');
  expect(cancellable.map(({ number }) => number), 'CMD-11').toEqual([there.number, first.number]);
});

test('Sessions of whomever\'s tokens are listed with those of parties that nobody named', async () => {
  const other = { ...long(23), id: 'S-OTHER', cdr_token: { ...exampleSession.cdr_token, party_id: 'ZZZ' } };
  await storeOwnSession(db, other, JSON.stringify(other));
  const page = { dateFrom: hour(19), offset: 0, limit: 10 };
  const { objectsJson, total } = await bus.ask(listSessions, { anyToken: true, page });
  expect([ids(objectsJson), total]).toEqual([['S19', 'S-OTHER'], 2]);
  await expect(bus.ask(listSessions, { page })).rejects.toMatchObject({ code: 'malformed' });
});

test('the sessions of a token come newest first, whatever the case of its uid', async () => {
  const tokenUid = exampleSession.cdr_token.uid.toLowerCase();
  const { sessionsJson } = await bus.ask(listTokenSessions, {
    tokenParty: plunk,
    tokenUid,
    limit: 3,
  });
  expect(ids(sessionsJson)).toEqual(['S19', 'S18', 'S17']);
});

test('CHP-03 of thousands of Sessions a grant of now shows those that are open', async () => {
  const { country_code, party_id } = exampleSession;
  const [own, tokenParty, provider] = [{ country_code, party_id }, { country_code, party_id: 'MNY' }, { country_code, party_id: 'SMC' }];
  const one = { ...exampleSession, id: 'M0', cdr_token: { ...exampleSession.cdr_token, ...tokenParty }, status: 'COMPLETED' } as const;
  await storeOwnSession(db, one, JSON.stringify(one));
  await db.query(
    `INSERT INTO own_sessions (session_id, token_party, token_uid, started_at, last_updated, session, operator, contract, place, is_open)
     SELECT 'm' || n, token_party, token_uid, started_at, last_updated,
       replace(CASE WHEN n % 1000 = 0 THEN replace(session, 'COMPLETED', 'ACTIVE') ELSE session END, '"M0"', '"M' || n || '"'),
       operator, contract, place, n % 1000 = 0
     FROM own_sessions, generate_series(1, 9999) n WHERE session_id = 'm0'`);
  await db.query('ANALYZE own_sessions');
  const grant = { own, to: provider, tokenParty, contractIds: [] as string[], locations: [] as string[], since: Date.parse('2030-01-01T00:00:00Z') };
  const elsewhere = [{ ...grant, locations: ['NOWHERE*'] }, { ...grant, contractIds: ['NOBODY'] }];
  const page = { offset: 0, limit: 100 };
  expect((await listOwnSessions(db, { parties: [tokenParty] }, page)).total).toBe(10_000);
  const granted = await listOwnSessions(db, { parties: [provider], steering: [grant, ...elsewhere] }, page);
  expect(granted.total).toBe(9);
  expect(granted.rows.map(({ text }) => (JSON.parse(text) as Session).status)).toEqual(Array(9).fill('ACTIVE'));
});
