import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { migrations } from '../migrations.ts';
import { endBatch, holdFree, noteAcknowledged, noteSending, takeLane, waitingIn } from './lane-rows.ts';
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
  const taken = await takeLane(db, { lane: partnerId, partnerId }, `batch ${round}`);
  if (!taken) return;
  const waiting = turned(await waitingIn(db, texts, taken, { now: 1, most: 64 }), round);
  const sent = (await noteSending(db, taken, waiting)).map((held) => ({ held }));
  await db.tx(async (tx) => {
    expect(await endBatch(tx, taken, undefined)).toBe(true);
    await noteAcknowledged(tx, partnerId, (await holdFree(tx, partnerId, sent)).map(({ held }) => held), 1);
  });
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

test('who queues does not wait for a sender that notes how a batch went, nor the sender for it', async () => {
  await queueTokens(LATER);
  const taken = (await takeLane(db, { lane: 'a', partnerId: 'a' }, 'slow'))!;
  const waiting = (await waitingIn(db, new LocationTexts(db), taken, { now: 1, most: 64 })).map((held) => ({ held }));
  const isDone = Promise.withResolvers<void>();
  const noting = db.tx(async (tx) => {
    await endBatch(tx, taken, undefined);
    await isDone.promise;
    return holdFree(tx, 'a', waiting);
  });
  const queueing = db.tx(async (tx) => {
    await queueAll(tx, { own: [pushOf({ partnerId: 'a', module: 'tokens', objectKey: keys[0]! }, textOf(LATER + 1))] }, 0);
    isDone.resolve();
    return (await noting).map(({ held }) => held.key.objectKey).toSorted();
  });
  expect(await queueing).toEqual(keys.slice(1));
});
