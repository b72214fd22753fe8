import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase } from '#test-servers';
import { rfc3339 } from '#time';
import { hiddenFrom } from '../partners/partner-views.ts';
import { migrations } from '../migrations.ts';
import { AlikeLanes } from './alike-lanes.ts';
import { AlikeReceivers } from './alike-receivers.ts';
import { type Batch, settleAcknowledged, takeBatch, type Waiting } from './lane-rows.ts';
import { forgetAcknowledged, forgetOne, lockLinks, notePark } from './pushed-rows.ts';
import { pushOf, queueAll, queuedOf } from './queue-rows.ts';
import { LocationTexts, sweepTexts } from './text-rows.ts';

/*
 * What a partner is told of Locations against what it has: whatever happens between, of which it is said to have acknowledged
 * something has that, and in the end it has all as it is now. By two senders that take turns, the short way and the long.
 */

const hold = { isHeld: () => true, insist: () => {} };
const partnerIds = ['a', 'b', 'c'];
const keys = Array.from({ length: 5 }, (_, n) => `K-${n}`);
const NOW = 1_700_000_000_000;
const MOST = 64;
const LOST = 'nothing of what it had';

/** A batch is acknowledged as a whole, or its first object alone, or that is refused, or nobody hears what became of it. */
type End = 'well' | 'in part' | 'refused' | 'never';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  const fresh = await freshDatabase();
  drop = fresh.drop;
  db = await openDatabase({ url: fresh.url, schema: 'ocpi_gateway', migrations });
  for (const id of partnerIds)
    await db.query(`INSERT INTO partners (partner_id, name, state, versions_url) VALUES ($1, $1, 'registered', '')`, [id]);
});
afterAll(async () => {
  await db.close();
  await drop();
});

/** A platform's Locations, its senders and its partners. */
class Network {
  /** Batches that went the short way, and the long. */
  readonly ways = { short: 0, long: 0 };
  /** As each partner has them. */
  readonly have = new Map(partnerIds.map((id) => [id, new Map<string, string>()]));
  /** As each partner is to have them: its own view, where it is not that of all. */
  private readonly own = new Map<string, string>();
  private readonly now = new Map<string, string>();
  private readonly senders = [0, 1].map(() => {
    const texts = new LocationTexts(db);
    return { texts, alike: new AlikeLanes(db, texts) };
  });
  private readonly listeners = [new AlikeReceivers(), new AlikeReceivers()];
  /** Set aside until they change. */
  private readonly refused = new Set<string>();
  private at = 0;

  async change(changed: readonly string[]): Promise<void> {
    const views = changed.map((key) => ({ key, text: this.text() }));
    for (const { key, text } of views) {
      this.now.set(key, text);
      for (const id of partnerIds) if (!this.own.has(`${id} ${key}`)) this.refused.delete(`${id} ${key}`);
    }
    const shared = views.map(({ key, text }) => ({
      partnerIds: partnerIds.filter((id) => !this.own.has(`${id} ${key}`)),
      objects: [queuedOf({ module: 'locations', objectKey: key, current: text })],
    }));
    await this.queue((tx) => queueAll(tx, { shared }, NOW, this.listeners[(this.at / 1000) % 2]));
  }

  /** A partner may not see it any more; what it has of it becomes REMOVED. */
  async hide(partnerId: string, key: string): Promise<void> {
    if (!this.now.has(key) || this.own.has(`${partnerId} ${key}`)) return;
    this.own.set(`${partnerId} ${key}`, 'hidden');
    this.refused.delete(`${partnerId} ${key}`);
    const hidden = [{ partnerId, module: 'locations' as const, objectKey: key, sinceMs: NOW }];
    await this.queue(async (tx) => queueAll(tx, await hiddenFrom(tx, hidden), NOW));
  }

  /** It sees it as the others do, again. */
  async show(partnerId: string, key: string): Promise<void> {
    if (!this.own.delete(`${partnerId} ${key}`)) return;
    await this.change([key]);
  }

  /** It is gone from what a partner is told, and nothing is said of that. */
  async drop(partnerId: string, key: string): Promise<void> {
    this.own.set(`${partnerId} ${key}`, 'gone');
    await forgetOne(db, { partnerId, module: 'locations', objectKey: key });
  }

  async token(partnerId: string): Promise<void> {
    await this.queue((tx) => queueAll(tx, { own: [pushOf({ partnerId, module: 'tokens', objectKey: 'RFID T' }, '{"uid":"T"}')] }, NOW));
  }

  /** It has forgotten what it had, and is told all anew. */
  async forget(partnerId: string): Promise<void> {
    const have = this.have.get(partnerId)!;
    for (const key of have.keys()) have.set(key, LOST);
    const seen = [...this.now].filter(([key]) => !this.own.has(`${partnerId} ${key}`));
    const objects = seen.map(([objectKey, current]) => queuedOf({ module: 'locations', objectKey, current }));
    await this.queue((tx) => forgetAcknowledged(tx, partnerId, NOW));
    await this.queue((tx) => queueAll(tx, { shared: [{ partnerIds: [partnerId], objects }] }, NOW));
  }

  /** A batch of a partner's lane, by one of the senders; whether there was one. */
  async send(partnerId: string, by: number, { ends = 'well', meanwhile, most = MOST }: { ends?: End; meanwhile?: () => Promise<void>; most?: number } = {}): Promise<boolean> {
    const { alike, texts } = this.senders[by]!;
    const ours = { lane: partnerId, partnerId, hold };
    const short = await alike.take(ours, { now: NOW, most });
    const batch = short ?? await takeBatch(db, texts, ours, { now: NOW, most });
    if (!batch) return false;
    this.ways[short ? 'short' : 'long'] += 1;
    const sent = ends === 'well' ? batch.waiting : batch.waiting.slice(0, 1);
    if (ends !== 'refused') this.take(partnerId, sent);
    await meanwhile?.();
    if (ends === 'never') return true;
    if (ends === 'well' && batch.taken.isAlike && await alike.end(batch.taken)) return true;
    const taken = ends === 'well' ? batch.taken : { ...batch.taken, upto: undefined };
    if (ends === 'refused' && sent[0]) await this.park(sent[0]);
    for (let left = (ends === 'refused' ? [] : sent).map((held) => ({ held })), first = true; first || left.length > 0; first = false) {
      const rest = await settleAcknowledged(db, taken, undefined, left, NOW);
      if (!rest) return true;
      left = rest;
    }
    alike.stands(taken);
    return true;
  }

  /** What a partner lacks when all is sent. */
  async missing(): Promise<string[]> {
    for (const partnerId of partnerIds) for (let by = 0; await this.send(partnerId, by % 2); by += 1) if (by > 50) throw new Error(`${partnerId} is told without end`);
    return partnerIds.flatMap((id) => [...this.now].filter(([key, text]) => {
      const had = this.have.get(id)!.get(key);
      return !this.refused.has(`${id} ${key}`) && (this.own.has(`${id} ${key}`) ? had?.includes('AVAILABLE') : had !== text);
    }).map(([key]) => `${id} ${key}`));
  }

  private take(partnerId: string, waiting: Batch['waiting']): void {
    const have = this.have.get(partnerId)!;
    for (const { key: { objectKey }, current, acknowledged, unclear } of waiting) {
      if (!unclear) expect(acknowledged, `what ${partnerId} has of ${objectKey}`).toBe(have.get(objectKey));
      have.set(objectKey, current!);
    }
  }

  private async park({ key, version }: Waiting): Promise<void> {
    this.refused.add(`${key.partnerId} ${key.objectKey}`);
    await db.tx((tx) => notePark(tx, key, version, { reason: 'no', at: NOW }));
  }

  private async queue(work: (tx: Parameters<typeof queueAll>[0]) => Promise<void>): Promise<void> {
    await db.tx(async (tx) => {
      await lockLinks(tx, 'together');
      await work(tx);
    });
  }

  private text(): string {
    this.at += 1000;
    const last_updated = rfc3339(NOW + this.at);
    return JSON.stringify({ id: 'x', evses: [{ uid: 'E', status: 'AVAILABLE', last_updated }], last_updated });
  }
}

async function begun(): Promise<Network> {
  for (const table of ['pushed', 'push_lanes', 'shared_locations', 'location_texts', 'old_versions', 'told_otherwise'])
    await db.query(`DELETE FROM ${table}`);
  const network = new Network();
  await network.change(keys);
  return network;
}

/** All are told, and the first sender knows the short way to the first partner. */
async function known(): Promise<Network> {
  const network = await begun();
  for (let round = 0; round < 2; round += 1) {
    while (await network.send('a', 0));
    await network.change(keys);
  }
  await network.send('a', 0);
  expect(network.ways.short).toBeGreaterThan(0);
  return network;
}

type Step =
  | { readonly change: readonly string[] }
  | { readonly hide: string; readonly from: string }
  | { readonly show: string; readonly to: string }
  | { readonly forgets: string }
  | { readonly send: string; readonly by: number; readonly ends: End; readonly meanwhile: Step | null };

const [id, key] = [fc.constantFrom(...partnerIds), fc.constantFrom(...keys)];
const change: fc.Arbitrary<Step> = fc.subarray(keys, { minLength: 1 }).map((changed) => ({ change: changed }));
/** What may happen while something is being sent. */
const aside: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: change }, { weight: 2, arbitrary: fc.record({ hide: key, from: id }) }, { weight: 2, arbitrary: fc.record({ show: key, to: id }) },
  { weight: 1, arbitrary: fc.record({ forgets: id }) },
);
const end = fc.oneof({ weight: 8, arbitrary: fc.constant<End>('well') }, fc.constantFrom<End>('in part', 'refused', 'never'));
const send: fc.Arbitrary<Step> = fc.record({ send: id, by: fc.constantFrom(0, 1), ends: end, meanwhile: fc.option<Step, null>(aside, { freq: 3, nil: null }) });
const steps = fc.array(
  fc.oneof({ weight: 12, arbitrary: change }, { weight: 3, arbitrary: aside }, { weight: 32, arbitrary: send }),
  { minLength: 20, maxLength: 60, size: 'max' },
);

async function happen(network: Network, step: Step): Promise<void> {
  if ('change' in step) await network.change(step.change);
  else if ('hide' in step) await network.hide(step.from, step.hide);
  else if ('show' in step) await network.show(step.to, step.show);
  else if ('forgets' in step) await network.forget(step.forgets);
  else await network.send(step.send, step.by, { ends: step.ends, meanwhile: async () => void (step.meanwhile && await happen(network, step.meanwhile)) });
}

test('LOC-02 TRN-91 what a partner is said to have it has, and in the end all as it is now, whichever way a batch went', async () => {
  const ways = { short: 0, long: 0 };
  await fc.assert(fc.asyncProperty(steps, async (all) => {
    const network = await begun();
    for (const step of all) await happen(network, step);
    expect(await network.missing()).toEqual([]);
    ways.short += network.ways.short;
    ways.long += network.ways.long;
  }), { numRuns: 50 });
  expect(Math.min(ways.short, ways.long), JSON.stringify(ways)).toBeGreaterThan(100);
});

test('what is queued by itself does not wait behind Locations that change all the time', async () => {
  const network = await known();
  await network.change(['K-0']);
  await network.token('a');
  await network.send('a', 0);
  expect((await db.query(`SELECT module, object_key FROM pushed WHERE queued AND partner_id = 'a'`)).rows).toEqual([]);
});

test('TRN-91 of what another sender told in part nothing goes once more', async () => {
  const network = await known();
  await network.change(['K-0', 'K-1']);
  await network.send('a', 1, { ends: 'in part' });
  await network.send('a', 0);
  expect(network.have.get('a')!.size).toBe(keys.length);
});

test('LOC-02 what a partner is not told of any more it is not told when it changes', async () => {
  const network = await known();
  await network.drop('a', 'K-0');
  const had = network.have.get('a')!.get('K-0');
  await network.change(['K-0', 'K-1']);
  await network.send('a', 0);
  expect(network.have.get('a')!.get('K-0')).toBe(had);
});

test('LOC-03 what a partner may not see any more it is not told, though a clock that leapt took away what was noted of that', async () => {
  const network = await known();
  await network.hide('a', 'K-0');
  await network.send('a', 1);
  await db.query(`UPDATE told_otherwise SET at = at - interval '1 hour'`);
  await sweepTexts(db);
  await network.change(['K-0', 'K-1']);
  await network.send('a', 0);
  expect(network.have.get('a')!.get('K-0')).toContain('REMOVED');
});

/** Partner a was away: of what `changed` K-0 first, nobody has that any more, and the first sender remembers it. */
async function away(changed: readonly string[]): Promise<Network> {
  const network = await known();
  const all = ['K-0', ...changed];
  await network.change(all);
  for (const partnerId of ['a', 'b'])
    for (let round = 0; round < 2; round += 1) while (await network.send(partnerId, 0));
  for (const key of [...all, 'K-0']) {
    await network.change([key]);
    await network.send('b', 0);
  }
  await db.query(`UPDATE old_versions SET since = since - interval '1 hour'`);
  await sweepTexts(db);
  return network;
}

test('LOC-02 a partner whose line is tried with one Location first is told of the others by what it had', async () => {
  const network = await away(['K-1']);
  await db.query(`UPDATE push_lanes SET failures = 1 WHERE lane = 'a'`);
  await network.send('a', 0);
  await db.query('UPDATE push_lanes SET failures = 0');
  await network.send('a', 0);
  expect(await network.missing()).toEqual([]);
});

test('LOC-02 a partner that is told of many Locations by parts is told of the last ones by what it had', async () => {
  const network = await away(Array.from({ length: 9 }, (_, n) => `K-${n + 1}`));
  await network.send('a', 0, { most: 2 });
  await network.send('a', 0, { most: 2 });
  expect(await network.missing()).toEqual([]);
});

test('LOC-02 what a partner was told while it forgot what it had goes once more, the short way and the long', async () => {
  for (const by of [0, 1]) {
    const network = await known();
    await network.change(['K-0', 'K-1']);
    await network.send('a', by, { meanwhile: () => network.forget('a') });
    expect(await network.missing(), `by the ${by === 0 ? 'short' : 'long'} way`).toEqual([]);
  }
});

test('what a sender finds unclear just when its partner is to be told all anew is sent nonetheless', async () => {
  const network = await known();
  await network.change(['K-0']);
  await network.send('a', 0, { ends: 'never' });
  const blocked = async () =>
    (await db.query('SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()')).rowCount;
  let [sent, forgotten]: Promise<unknown>[] = [];
  await db.tx(async (tx) => {
    await tx.query(`SELECT FROM pushed WHERE partner_id = 'a' AND object_key = 'K-0' FOR UPDATE`);
    sent = network.send('a', 1);
    await expect.poll(blocked).toBe(1);
    forgotten = network.forget('a');
    await expect.poll(blocked).toBe(2);
  });
  expect(await sent).toBe(true);
  await forgotten;
  expect(await network.missing()).toEqual([]);
});

test('a partner that may not see a Location that changes all the time is told of the others the short way', async () => {
  const network = await known();
  await network.hide('a', 'K-0');
  for (let round = 0; round < 3; round += 1) {
    await network.change(['K-0', 'K-1']);
    while (await network.send('a', 0));
  }
  const { short } = network.ways;
  await network.change(['K-0', 'K-1']);
  await network.send('a', 0);
  expect(network.ways.short).toBe(short + 1);
  expect(network.have.get('a')!.get('K-0')).toContain('REMOVED');
  await network.show('a', 'K-0');
  await network.change(['K-1']);
  expect(await network.missing()).toEqual([]);
});
