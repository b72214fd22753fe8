import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { migrations } from '../migrations.ts';
import { settleAcknowledged, takeBatch } from './lane-rows.ts';
import { lockLinks } from './pushed-rows.ts';
import { pushOf, queueAll, queuedOf } from './queue-rows.ts';
import { LocationTexts } from './text-rows.ts';

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
  for (const id of partnerIds) await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ($1, $1, 'registered', '')`, [id]);
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
      objects: turned(keys.filter((_, place) => place % 2 === n), round).map((objectKey) => queuedOf({ module: 'locations', objectKey, current: textOf(round) })),
    }));
    await queueAll(tx, { shared }, 0);
  });
}

/** As `Delivery` does, of a partner that acknowledges everything. */
async function send(partnerId: string, texts: LocationTexts, round: number): Promise<void> {
  const batch = await takeBatch(db, texts, { lane: partnerId, partnerId }, { now: 1, most: 64 });
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
});

test('a sender that notes how a batch went passes over what is being queued, and who queues waits for no sender', async () => {
  await queueTokens(LATER);
  const { taken, waiting } = (await takeBatch(db, new LocationTexts(db), { lane: 'a', partnerId: 'a' }, { now: 1, most: 64 }))!;
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
    await db.tx((other) => queueAll(other, { own: [pushOf({ partnerId: 'a', module: 'tokens', objectKey: 'ANOTHER' }, textOf(LATER))] }, 0));
  });
  const { rows } = await db.query('SELECT object_key FROM pushed WHERE queued AND partner_id = $1 ORDER BY object_key', ['a']);
  expect(rows).toEqual([{ object_key: 'ANOTHER' }, { object_key: keys[0] }]);
});
