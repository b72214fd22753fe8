import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { migrations } from '../migrations.ts';
import { settleAcknowledged, takeBatch } from './lane-rows.ts';
import { lockLinks } from './pushed-rows.ts';
import { pushOf, queueAll, queuedOf } from './queue-rows.ts';
import { LocationTexts } from './text-rows.ts';

const hold = { isHeld: () => true, insist: () => {} };

/* Who queues and who sends, all at once, in whatever order each has its objects: PostgreSQL ends one of two who wait for each other. */

const partnerIds = ['a', 'b', 'c'];
const keys = Array.from({ length: 6 }, (_, n) => `K-${n}`);
const ROUNDS = 15;
const LATER = 100;

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  const fresh = await freshDatabase();
  drop = fresh.drop;
  db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations });
  for (const id of partnerIds)
    await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ($1, $1, 'registered', '')`, [
      id,
    ]);
});
afterAll(async () => {
  await db.close();
  await drop();
});

const turned = <T>(list: readonly T[], round: number) => (round % 2 === 0 ? list : list.toReversed());
const textOf = (round: number) => JSON.stringify({ id: 'x', last_updated: new Date(round * 1000).toISOString() });

async function queueTokens(round: number): Promise<void> {
  await db.tx(async (tx) => {
    await lockLinks(tx, 'together');
    const own = turned(keys, round).flatMap((objectKey) =>
      turned(partnerIds, round).map((partnerId) => pushOf({ partnerId, module: 'tokens', objectKey }, textOf(round))));
    await queueAll(tx, { own }, 0);
  });
}

async function queueLocations(round: number): Promise<void> {
  await db.tx(async (tx) => {
    await lockLinks(tx, 'together');
    const shared = turned([['a', 'b'], ['c']], round).map((ids, n) => ({
      partnerIds: turned(ids, round),
      objects: turned(
        keys.filter((_, place) => place % 2 === n),
        round,
      ).map((objectKey) => queuedOf({ module: 'locations', objectKey, current: textOf(round) })),
    }));
    await queueAll(tx, { shared }, 0);
  });
}

/** As `Delivery` does, of a partner that acknowledges everything. */
async function send(partnerId: string, texts: LocationTexts, round: number): Promise<void> {
  const batch = await takeBatch(db, texts, { lane: partnerId, partnerId, hold }, { now: 1, most: 64 });
  if (!batch) return;
  for (let left = turned(batch.waiting, round).map((held) => ({ held })); left.length > 0;) {
    left = (await settleAcknowledged(db, batch.taken, undefined, left, 1))!;
  }
}

test('those who queue and those who send wait for each other in no order of their objects', async () => {
  const rounds = async (work: (round: number) => Promise<void>, from = 0) => {
    for (let round = from; round < from + ROUNDS; round += 1) await work(round);
  };
  const texts = new LocationTexts(db);
  await Promise.all([
    ...[0, 1, 2].flatMap((from) => [rounds(queueTokens, from), rounds(queueLocations, from)]),
    ...partnerIds.map((partnerId) => rounds((round) => send(partnerId, texts, round))),
  ]);
  for (const partnerId of partnerIds) await send(partnerId, texts, ROUNDS);
  const { rows } = await db.query('SELECT FROM pushed WHERE queued');
  expect(rows).toEqual([]);
  expect(await notToldNewest(), 'nobody missed the newest').toEqual([]);
});

test('a Location that partners have is queued for none of them when it changes: it stands behind their position until they acknowledged it', async () => {
  const texts = new LocationTexts(db);
  const queued = async () => (await db.query(`SELECT FROM pushed WHERE queued`)).rows.length;
  const take = () => takeBatch(db, texts, { lane: 'c', partnerId: 'c', hold }, { now: LATER, most: 64 });
  await queueLocations(LATER + 2);
  expect(await queued()).toBe(0);
  const taken = (await take())!;
  const changed = taken.waiting.map(({ key: { objectKey } }) => objectKey);
  expect(changed.length).toBeGreaterThan(0);
  expect(taken.waiting.map(({ acknowledged, unclear }) => [acknowledged, unclear])).toEqual(
    changed.map(() => [expect.any(String), false]),
  );
  // Who took them has vanished, and they change once more before the next has sent them.
  const again = (await take())!;
  expect(new Set(again.waiting.map(({ key }) => key.objectKey))).toEqual(new Set(changed));
  expect(again.waiting.every(({ unclear }) => unclear)).toBe(true);
  await queueLocations(LATER + 4);
  for (let left = again.waiting.map((held) => ({ held })); left.length > 0;)
    left = (await settleAcknowledged(db, again.taken, undefined, left, LATER))!;
  const newer = (await take())!;
  expect(new Set(newer.waiting.map(({ key }) => key.objectKey))).toEqual(new Set(changed));
  expect(newer.waiting.map(({ acknowledged, unclear }) => [acknowledged, unclear])).toEqual(
    changed.map(() => [textOf(LATER + 2), false]),
  );
  expect(
    await settleAcknowledged(
      db,
      newer.taken,
      undefined,
      newer.waiting.map((held) => ({ held })),
      LATER,
    ),
  ).toEqual([]);
  expect(await take()).toBeUndefined();
  expect(await notToldNewest('c')).toEqual([]);
  for (const partnerId of partnerIds) await send(partnerId, texts, LATER);
});

test('of more changes than one batch takes each goes as it is now, none twice and none never, and what one could not be told is told as it had it', async () => {
  const texts = new LocationTexts(db);
  const many = Array.from({ length: 20 }, (_, n) => `M-${n}`);
  const changed = (round: number, objectKeys: readonly string[]) =>
    db.tx((tx) =>
      queueAll(
        tx,
        {
          shared: [
            {
              partnerIds: ['b'],
              objects: objectKeys.map((objectKey) =>
                queuedOf({ module: 'locations', objectKey, current: textOf(round) }),
              ),
            },
          ],
        },
        0,
      ),
    );
  const take = () => takeBatch(db, texts, { lane: 'b', partnerId: 'b', hold }, { now: LATER, most: 2 });
  await changed(1, many);
  for (let batch = await take(); batch; batch = await take())
    await settleAcknowledged(
      db,
      batch.taken,
      undefined,
      batch.waiting.map((held) => ({ held })),
      LATER,
    );
  for (const round of [2, 3]) await changed(round, many);
  await changed(4, many.slice(0, 5));
  const told: string[] = [];
  let refused = true;
  for (let batch = await take(); batch; batch = await take()) {
    for (const {
      key: { objectKey },
      current,
      acknowledged,
      unclear,
    } of batch.waiting) {
      expect([acknowledged, unclear], objectKey).toEqual([textOf(1), false]);
      told.push(`${objectKey} ${current}`);
    }
    // One that comes to nothing stays before the position, whatever else is acknowledged.
    const done = refused ? batch.waiting.slice(1) : batch.waiting;
    const ended = refused ? { ...batch.taken, upto: undefined } : batch.taken;
    if (refused) told.splice(told.indexOf(`${batch.waiting[0]!.key.objectKey} ${batch.waiting[0]!.current}`), 1);
    refused = false;
    await settleAcknowledged(
      db,
      ended,
      undefined,
      done.map((held) => ({ held })),
      LATER,
    );
  }
  expect(told.toSorted()).toEqual(many.map((key, n) => `${key} ${textOf(n < 5 ? 4 : 3)}`).toSorted());
  expect(await notToldNewest('b')).toEqual([]);
});

/** Locations of which a partner has not acknowledged what they are now, by its row and its lane's position. */
async function notToldNewest(partnerId?: string): Promise<object[]> {
  const { rows } = await db.query(
    `SELECT p.partner_id, object_key FROM pushed p JOIN shared_locations s USING (object_key) JOIN push_lanes l ON l.lane = p.partner_id
      WHERE p.shared AND NOT (s.version <= greatest(l.told, p.acknowledged_version)) AND ($1::text IS NULL OR p.partner_id = $1)`,
    [partnerId ?? null],
  );
  return rows;
}

test('a sender that notes how a batch went passes over what is being queued, and who queues waits for no sender', async () => {
  await queueTokens(LATER);
  const { taken, waiting } = (await takeBatch(db, new LocationTexts(db), { lane: 'a', partnerId: 'a', hold }, { now: 1, most: 64 }))!;
  const sent = waiting.map((held) => ({ held }));
  const isQueued = Promise.withResolvers<void>();
  const hasNoted = Promise.withResolvers<void>();
  const queueing = db.tx(async (tx) => {
    await queueAll(tx, { own: [pushOf({ partnerId: 'a', module: 'tokens', objectKey: keys[0]! }, textOf(LATER + 1))] }, 0);
    isQueued.resolve();
    await hasNoted.promise;
  });
  await isQueued.promise;
  const left = (await settleAcknowledged(db, taken, undefined, sent, 1))!;
  expect(left.map(({ held }) => held.key.objectKey)).toEqual([keys[0]]);
  hasNoted.resolve();
  await queueing;
  await db.tx(async (tx) => {
    expect(await settleAcknowledged(tx, taken, undefined, left, 1)).toEqual([]);
    await db.tx((other) =>
      queueAll(other, { own: [pushOf({ partnerId: 'a', module: 'tokens', objectKey: 'ANOTHER' }, textOf(LATER))] }, 0),
    );
  });
  const { rows } = await db.query('SELECT object_key FROM pushed WHERE queued AND partner_id = $1 ORDER BY object_key', ['a']);
  expect(rows).toEqual([{ object_key: 'ANOTHER' }, { object_key: keys[0] }]);
});
