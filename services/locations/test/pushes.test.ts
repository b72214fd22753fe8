import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Outbox, outbox } from '#bus';
import { fromBinary } from '@bufbuild/protobuf';
import { PartnerEvsesChangedSchema, PartnerLocationChangedSchema } from '#contracts/locations';
import { toJsonBytes } from '#contracts';
import { exampleLocation, type Location } from '#ocpi';
import { type Database, DatabaseFailure, openDatabase } from '#postgres';
import { type FreshDatabase, freshDatabase } from '#test-servers';
import { findLocation } from '../src/location-rows.ts';
import { migrations } from '../src/migrations.ts';
import type { Push } from '../src/push.ts';
import { Pushes } from '../src/pushes.ts';
import { searchEvses } from '../src/search.ts';

let fresh: FreshDatabase;
let db: Database;
let log: Outbox;
let pushes: Pushes;

beforeAll(async () => {
  fresh = await freshDatabase();
  // Something that only the database knows to refuse.
  const refusing = { name: 'test-1', up: () => [`ALTER TABLE locations ADD CONSTRAINT none_is_x CHECK (location_id <> 'x')`] };
  db = await openDatabase({ url: fresh.url, schema: 'locations', migrations: [...migrations, refusing] });
  log = outbox('locations', db);
  pushes = new Pushes({ db, outbox: log });
});
beforeEach(() => db.query('DELETE FROM evses; DELETE FROM locations; DELETE FROM outbox'));
afterAll(async () => {
  await db?.close();
  await fresh?.drop();
});

const second = (n: number) => `2022-02-01T17:00:${String(n).padStart(2, '0')}Z`;
const evse = { ...exampleLocation.evses![0]!, last_updated: second(0) };
const party = { countryCode: 'CA', partyId: 'XYZ' };
const location = (id: string, uids = ['E1', 'E2', 'E3']): Location => ({
  ...exampleLocation, country_code: 'CA', party_id: 'XYZ', id, last_updated: second(0),
  evses: uids.map((uid) => ({ ...evse, uid, status: 'AVAILABLE' })),
});
const whole = (id: string, more: object = {}): Push =>
  ({ ...party, locationId: id, patch: false, body: toJsonBytes({ ...location(id), ...more }) });
const status = (id: string, evseUid: string, is: string, at: number): Push =>
  ({ ...party, locationId: id, evseUid, patch: true, body: toJsonBytes({ status: is, last_updated: second(at) }) });

const outcomes = async (...given: Push[]) =>
  (await pushes.take(given)).map((one) => (one instanceof Error ? (one as Error & { code?: string }).code ?? one.message : one));
/** A moment later than what was stored before; what follows is not of the same millisecond. */
async function now(): Promise<string> {
  const { rows: [row] } = await db.query<{ now: string }>('SELECT clock_timestamp() AS now FROM pg_sleep(0.002)');
  return row!.now;
}
const held = async (id: string) => (await findLocation(db, { ...party, locationId: id }))?.location;
const statuses = async (id: string) => (await held(id))?.evses?.map(({ status: is }) => is).join(' ');
const searched = async () => (await db.query<{ row: string }>(
  `SELECT location_id || ' ' || evse_uid || ' ' || status AS row FROM evses ORDER BY 1`)).rows.map(({ row }) => row);

/** What was told, in order: a status, or a Location, and its statuses as they were then. */
async function told(): Promise<string[]> {
  const { rows } = await log.readAfter(0n, 1_000);
  return rows.flatMap(({ kind, bytes }) => {
    if (kind === 'partner-evses.status-changed.v1') {
      return fromBinary(PartnerEvsesChangedSchema, bytes).statuses.map(
        ({ locationId, evseUid, status: is }) => `${locationId} ${evseUid} ${is}`,
      );
    }
    const fact = fromBinary(PartnerLocationChangedSchema, bytes);
    const { evses = [] } = JSON.parse(Buffer.from(fact.locationJson).toString()) as Location;
    return [`${fact.locationId}: ${evses.map(({ status: is }) => is).join(' ')}`];
  });
}

const child = (id: string, path: { evseUid: string; connectorId?: string }, body: object): Push =>
  ({ ...party, locationId: id, ...path, patch: false, body: toJsonBytes(body) });

test('LOC-02: an EVSE or a Connector that was not there is created, one that was is updated or unchanged', async () => {
  const connector = { ...evse.connectors[0]!, last_updated: second(0) };
  const pushed = [
    whole('A'),
    child('A', { evseUid: 'E9' }, { ...evse, uid: 'E9' }),
    child('A', { evseUid: 'e9' }, { ...evse, uid: 'e9', floor_level: '2', last_updated: second(1) }),
    child('A', { evseUid: 'E9', connectorId: '7' }, { ...connector, id: '7' }),
    child('A', { evseUid: 'E9', connectorId: '7' }, { ...connector, id: '7', last_updated: second(2) }),
    child('A', { evseUid: 'E9', connectorId: '7' }, { ...connector, id: '7', last_updated: second(2) }),
  ];
  const answers = await outcomes(...pushed);
  expect(answers).toEqual(['created', 'created', 'updated', 'created', 'updated', 'unchanged']);
});

test('LOC-04: EVSEs whose uids differ in case only are kept as they came; what is said of either is said of the first', async () => {
  expect(await outcomes(whole('A', { evses: location('A', ['e1', 'E1']).evses }), status('A', 'E1', 'BLOCKED', 1))).toEqual(['created', 'updated']);
  expect(await statuses('A')).toBe('BLOCKED AVAILABLE');
  expect(await searched()).toEqual(['a E1 AVAILABLE', 'a e1 BLOCKED']);
});

test('many pushes at once are as one after the other: a Location, then its EVSEs, each told as it then was', async () => {
  expect(await outcomes(whole('A'), status('A', 'E1', 'CHARGING', 1), whole('B'), status('A', 'E2', 'BLOCKED', 2))).toEqual(
    ['created', 'updated', 'created', 'updated']);
  expect(await told()).toEqual([
    'A: AVAILABLE AVAILABLE AVAILABLE', 'A E1 CHARGING', 'B: AVAILABLE AVAILABLE AVAILABLE', 'A E2 BLOCKED',
  ]);
  expect(await held('A')).toMatchObject({ last_updated: second(2), evses: [{ status: 'CHARGING' }, { status: 'BLOCKED' }, {}] });
  expect(await searched()).toEqual([
    'a E1 CHARGING',
    'a E2 BLOCKED',
    'a E3 AVAILABLE',
    'b E1 AVAILABLE',
    'b E2 AVAILABLE',
    'b E3 AVAILABLE',
  ]);
});

test("statuses that come of one partner at once are one fact; another partner's are another; a Location is told before what comes of it", async () => {
  const other = (push: Push): Push => ({ ...push, partyId: 'ABC' });
  await outcomes(whole('A'), other(whole('A', { party_id: 'ABC' })));
  await outcomes(
    status('A', 'E1', 'CHARGING', 1),
    other(status('A', 'E1', 'BLOCKED', 1)),
    status('A', 'E2', 'CHARGING', 1),
    whole('B'),
    status('B', 'E1', 'RESERVED', 1),
  );
  const { rows } = await log.readAfter(2n, 1_000);
  expect(rows.map(({ key, kind }) => `${key} ${kind}`)).toEqual([
    'CA*XYZ partner-evses.status-changed.v1',
    'CA*ABC partner-evses.status-changed.v1',
    'CA*XYZ partner-location.changed.v1',
    'CA*XYZ partner-evses.status-changed.v1',
  ]);
  expect((await told()).slice(2)).toEqual([
    'A E1 CHARGING',
    'A E2 CHARGING',
    'A E1 BLOCKED',
    'B: AVAILABLE AVAILABLE AVAILABLE',
    'B E1 RESERVED',
  ]);
});

test('LOC-34 two pushes of one EVSE at once keep their order; one that is older than the first is stale', async () => {
  await outcomes(whole('A'));
  expect(await outcomes(status('A', 'E1', 'BLOCKED', 1), status('A', 'E1', 'CHARGING', 2), status('A', 'E1', 'AVAILABLE', 1))).toEqual(
    ['updated', 'updated', 'stale']);
  expect(await statuses('A')).toBe('CHARGING AVAILABLE AVAILABLE');
  expect((await told()).slice(1)).toEqual(['A E1 BLOCKED', 'A E1 CHARGING']);
});

test('LOC-34: what a list says gives way to what came since it was asked for, be it a status alone, unless it is newer', async () => {
  const asked = await now();
  await outcomes(whole('L', { name: 'pushed' }));
  const listed = (more: object, askedAt: string): Push => ({ ...whole('L', { name: 'listed', ...more }), askedAt });
  expect(await outcomes(listed({}, asked))).toEqual(['stale']);
  expect(await outcomes(listed({}, await now()))).toEqual(['updated']);
  const between = await now();
  await outcomes(status('L', 'E2', 'CHARGING', 5));
  expect(await outcomes(listed({ last_updated: second(5) }, between), listed({ last_updated: second(6) }, between))).toEqual(['stale', 'updated']);
  // Of what came in the same message, too.
  expect(await outcomes(whole('L', { name: 'pushed', last_updated: second(6) }), listed({ last_updated: second(6) }, await now()))).toEqual(['updated', 'stale']);
});

test('a push twice at once, and again later, is one change', async () => {
  expect(await outcomes(whole('A'), whole('A'), status('A', 'E1', 'CHARGING', 1), status('A', 'E1', 'CHARGING', 1))).toEqual(
    ['created', 'unchanged', 'updated', 'unchanged']);
  expect(await outcomes(status('A', 'E1', 'CHARGING', 1))).toEqual(['unchanged']);
  expect(await told()).toHaveLength(2);
});

test('a push that is refused changes nothing, and nothing of those beside it', async () => {
  const bad: Push = { ...status('A', 'E1', 'CHARGING', 5), body: toJsonBytes({ connectors: [], last_updated: second(5) }) };
  const noJson: Push = { ...status('A', 'E1', 'CHARGING', 5), body: Buffer.from('{"status":') };
  const ghost: Push = { ...whole('C'), patch: true };
  const plug = (connectorId: string): Push => ({
    ...status('A', 'E1', '', 5),
    connectorId,
    body: toJsonBytes({ max_voltage: 'high', last_updated: second(5) }),
  });
  const connector = evse.connectors[0]!.id;
  expect(await outcomes(
    whole('A'), status('A', 'E1', 'BLOCKED', 1), bad, status('A', 'E9', 'CHARGING', 2), noJson, ghost, plug('none'), plug(connector),
    whole('B', { time_zone: undefined }), status('B', 'E1', 'CHARGING', 2), status('A', 'E2', 'CHARGING', 3),
  )).toEqual([
    'created', 'updated', 'invalid-object', 'unknown-evse', 'invalid-object', 'unknown-location', 'unknown-connector', 'invalid-object',
    'invalid-object', 'unknown-location', 'updated',
  ]);
  expect(await statuses('A')).toBe('BLOCKED CHARGING AVAILABLE');
  expect(await held('B')).toBeUndefined();
  expect(await told()).toHaveLength(3);
});

test('what the database refuses of one push fails that one alone', async () => {
  const answers = await pushes.take([whole('A'), whole('X'), whole('B')]);
  expect([answers[0], answers[2]]).toEqual(['created', 'created']);
  expect(answers[1]).toMatchObject({ failure: 'check-violation' });
  expect(await told()).toHaveLength(2);
});

test('LOC-03 an EVSE that a PUT leaves out is REMOVED, and found no more; one that comes is found', async () => {
  await outcomes(whole('A'));
  const next = { ...location('A', ['E1', 'E4']), last_updated: second(5) };
  expect(await outcomes(whole('A', next))).toEqual(['updated']);
  expect(await searched()).toEqual(['a E1 AVAILABLE', 'a E4 AVAILABLE']);
  expect((await held('A'))!.evses!.map(({ uid, status: is }) => `${uid} ${is}`)).toEqual([
    'E1 AVAILABLE',
    'E4 AVAILABLE',
    'E2 REMOVED',
    'E3 REMOVED',
  ]);
});

test('replicas that take the same new Locations at once, in any order, store and tell each once', async () => {
  const replicas = [0, 1, 2, 3].map(() => new Pushes({ db, outbox: log }));
  const ids = Array.from({ length: 20 }, (_, n) => `L${n}`);
  const all = await Promise.all(replicas.map((one, n) => one.take((n % 2 ? ids : ids.toReversed()).map((id) => whole(id)))));
  expect(all.flat().filter((one) => one === 'created')).toHaveLength(20);
  expect(all.flat().filter((one) => one === 'unchanged')).toHaveLength(60);
  expect(await told()).toHaveLength(20);
});

test('a status alone leaves the JSON of its Location as it is; who gets or finds the Location has the status and its instant', async () => {
  const text = async () => (await db.query<{ location: string }>('SELECT location FROM locations')).rows[0]!.location;
  await outcomes(whole('A'));
  const before = await text();
  expect(await outcomes(status('A', 'E2', 'CHARGING', 1), status('a', 'E2', 'CHARGING', 1))).toEqual(['updated', 'unchanged']);
  expect(await text()).toBe(before);
  const is = { last_updated: second(1), evses: [{ status: 'AVAILABLE' }, { status: 'CHARGING', last_updated: second(1) }, {}] };
  expect(await held('A')).toMatchObject(is);
  const found = await searchEvses(db, { standards: [], availableOnly: true, limit: 9, tokens: [] });
  expect(found.map(({ evseUid, text: json }) => [evseUid, JSON.parse(json) as Location])).toMatchObject([['E1', is], ['E3', is]]);
  // What changes more than a status takes over what stood beside.
  expect(await outcomes(whole('A', { last_updated: second(2), name: 'Anew' }))).toEqual(['updated']);
  expect(await statuses('A')).toBe('AVAILABLE AVAILABLE AVAILABLE');
});

test('LOC-34 a status that is older than the one that stands beside the Location is stale, also within a PUT of the EVSE', async () => {
  await outcomes(whole('A'));
  await outcomes(status('A', 'E1', 'CHARGING', 5));
  expect(await outcomes(status('A', 'E1', 'BLOCKED', 4))).toEqual(['stale']);
  expect(await outcomes(child('A', { evseUid: 'E1' }, { ...evse, uid: 'E1', status: 'RESERVED', last_updated: second(4) }))).toEqual(['stale']);
  expect(await statuses('A')).toBe('CHARGING AVAILABLE AVAILABLE');
});

test('an EVSE of which a release before wrote no instant beside the Location is patched by what the Location says', async () => {
  await outcomes(whole('A'));
  await db.query(`UPDATE evses SET last_updated = NULL`);
  expect(await outcomes(status('A', 'E1', 'BLOCKED', 0), status('A', 'E2', 'CHARGING', 1))).toEqual(['updated', 'updated']);
  expect(await statuses('A')).toBe('BLOCKED CHARGING AVAILABLE');
  expect(await outcomes(status('A', 'E2', 'RESERVED', 0), status('A', 'E2', 'BLOCKED', 2))).toEqual(['stale', 'updated']);
  expect(await statuses('A')).toBe('BLOCKED BLOCKED AVAILABLE');
});

test('a status and other changes of one Location, taken in by two replicas at once: none is lost, and the newest stands', async () => {
  const other = new Pushes({ db, outbox: log });
  await outcomes(whole('A'));
  const named = (n: number): Push => ({ ...party, locationId: 'A', patch: true, body: toJsonBytes({ name: `N${n}`, last_updated: second(n) }) });
  const older = (n: number) => child('A', { evseUid: 'E2' }, { ...evse, uid: 'E2', status: 'OUTOFORDER', last_updated: second(n - 1) });
  for (let n = 1; n < 60; n += 1) {
    const newest = [
      status('A', 'E1', n % 2 ? 'CHARGING' : 'BLOCKED', n), status('A', 'E2', 'AVAILABLE', n), status('A', 'E3', n % 2 ? 'RESERVED' : 'CHARGING', n),
    ];
    await Promise.all([pushes.take(newest), other.take([named(n), older(n)])]);
    expect(await held('A')).toMatchObject({ name: `N${n}`, last_updated: second(n) });
    expect(await statuses('A')).toBe(n % 2 ? 'CHARGING AVAILABLE RESERVED' : 'BLOCKED AVAILABLE CHARGING');
  }
});

test('sessions of the database that break lose and double no status: what was answered is held and told once, in order', async () => {
  const ids = ['A', 'B', 'C'];
  await outcomes(...ids.map((id) => whole(id)));
  let broken = 0;
  const takeSurely = async (some: Push[]): Promise<void> => {
    await pushes.take(some).catch((error: unknown) => {
      expect(error).toBeInstanceOf(DatabaseFailure);
      broken += 1;
      return takeSurely(some);
    });
  };
  // A superuser: the service's own role may not end what a superuser began.
  const superuser = new pg.Client({ connectionString: fresh.adminUrl });
  await superuser.connect();
  const ours = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'roamwatt%'`;
  // At another moment of each, and once: a slow machine is not broken again before it is done.
  for (let [n, tookMs] = [1, 8]; n < 60; n += 1) {
    const breaking = new Promise((done) => setTimeout(done, (tookMs * (n % 12)) / 12)).then(() => superuser.query(ours));
    const fromMs = performance.now();
    await takeSurely(ids.map((id) => status(id, 'E1', n % 2 ? 'CHARGING' : 'BLOCKED', n)));
    tookMs = performance.now() - fromMs;
    await breaking;
  }
  await superuser.end();
  expect(broken).toBeGreaterThan(0);
  const once = Array.from({ length: 59 }, (_, n) => (n % 2 ? 'BLOCKED' : 'CHARGING'));
  for (const id of ids) {
    // One that was idle may not have heard of its end yet.
    await expect.poll(async () => (await told()).filter((one) => one.startsWith(`${id} E1`))).toEqual(once.map((is) => `${id} E1 ${is}`));
    await expect.poll(() => held(id)).toMatchObject({ last_updated: second(59) });
  }
});

test('however pushes come together, the outcome is that of one after the other', async () => {
  const push = fc
    .tuple(
      fc.constantFrom('A', 'B'),
      fc.constantFrom('E1', 'E2', 'E9'),
      fc.constantFrom('AVAILABLE', 'CHARGING', 'wrong'),
      fc.integer({ min: 0, max: 9 }),
    )
    .map(([id, uid, is, at]) =>
      uid === 'E9' ? whole(id, { last_updated: second(at), publish: at % 2 === 0 }) : status(id, uid, is, at),
    );
  await fc.assert(fc.asyncProperty(fc.array(push, { maxLength: 12 }), async (given) => {
    // In order of each Location: its statuses alone may be taken in before what changes another.
    const toldInOrder = async () => Object.groupBy(await told(), (one) => one[0]!);
    const state = async () => [await toldInOrder(), await searched(), await held('A'), await held('B')];
    const clear = () => db.query('DELETE FROM evses; DELETE FROM locations; DELETE FROM outbox');
    await clear();
    const single: string[] = [];
    for (const one of given) single.push(...await outcomes(one));
    const expected = await state();
    await clear();
    expect(await outcomes(...given)).toEqual(single);
    expect(await state()).toEqual(expected);
    expect(await outcomes(...given).then((again) => again.filter((one) => one === 'created'))).toEqual([]);
  }), { numRuns: 25 });
});
