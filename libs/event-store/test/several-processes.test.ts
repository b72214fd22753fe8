import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type FreshDatabase, freshDatabase } from '#test-servers';
import { type Database, openDatabase } from '#postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EventStore, eventStoreMigrations, NO_POSITION, postgresEventStore, type StoredEvent } from '../src/index.ts';
import { type AppenderJob, SCHEMA } from './appender.ts';
import { appendOne, event, item, newStream } from './items.ts';

/** As it was compiled: from its source it starts much later. */
const APPENDER = join(import.meta.dirname, '../../../dist/libs/event-store/test/appender.js');

let fresh: FreshDatabase;
let db: Database;
let store: EventStore;
const children: ChildProcess[] = [];

beforeEach(async () => {
  fresh = await freshDatabase();
  db = await openDatabase({ url: fresh.url, schema: SCHEMA, migrations: eventStoreMigrations });
  store = postgresEventStore(db);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await store.close();
  await db.close();
  await fresh.drop();
});

test('several processes append at once: each event once, no holes, and a follower misses none', async () => {
  const seen: StoredEvent[] = [];
  const stop = new AbortController();
  const following = store.subscribe(NO_POSITION, async (events) => void seen.push(...events), stop.signal);
  const shared = ['a', 'b', 'c'].map((seed) => start({ kind: 'shared', seed, streams: 20, rounds: 10 }));
  const own = start({ kind: 'own', seed: 'd', streams: 100, rounds: 10 });
  await Promise.all([...shared, own].map((child) => finished(child)));

  const total = 3 * 20 * 10 + 100 * 10;
  await expect.poll(() => seen.length).toBe(total);
  stop.abort();
  await following;
  expectWhole(seen);
  expect(seen.filter((stored) => stored.stream.startsWith('shared-'))).toHaveLength(600);
});

test('a process stopped at any moment of its appending does not stall the others', async () => {
  const child = start({ kind: 'own', seed: 'stopped', streams: 500, rounds: 0 });
  await once(child, 'message');
  for (let stops = 0; stops < 4; stops += 1) {
    await delay(20 + Math.random() * 100);
    child.kill('SIGSTOP');
    let stopped = true;
    let appended = 0;
    const appending = (async () => {
      for (; stopped; appended += 1) await appendOne(store, item(newStream(), 0, event()));
    })();
    // Were the stopped one to hold what the others need, not one would be answered before the server ends its transaction (15 s).
    await expect.poll(() => appended, { timeout: 10_000 }).toBeGreaterThan(2).finally(() => {
      stopped = false;
      child.kill('SIGCONT');
    });
    await appending;
  }
  expectWhole(await all());
});

test('a process killed in mid-append and started again with the same ids stores each event once', async () => {
  const job = { kind: 'own', seed: 'killed', streams: 40, rounds: 200 } as const;
  for (let kills = 0; kills < 3; kills += 1) {
    // For ever: none is done before it is killed.
    const child = start({ ...job, rounds: 0 });
    const exit = once(child, 'exit');
    await once(child, 'message');
    await delay(10 + Math.random() * 60);
    child.kill('SIGKILL');
    expect(await exit).toEqual([null, 'SIGKILL']);
  }
  await finished(start(job));
  const events = await all();
  expect(events.length).toBeGreaterThanOrEqual(job.streams * job.rounds);
  expectWhole(events);
  expect(events.find(({ data, version }) => (JSON.parse(data) as { round: number }).round !== version - 1)).toBeUndefined();
});

/** Positions 1, 2, 3 …; versions 1, 2, 3 … in each stream; no id twice. */
function expectWhole(events: readonly StoredEvent[]): void {
  expect(events.findIndex((stored, n) => stored.position !== BigInt(n + 1))).toBe(-1);
  const versions = new Map<string, number>();
  for (const { stream, version } of events) {
    if (version !== (versions.get(stream) ?? 0) + 1) expect.fail(`${stream} has a hole before version ${version}`);
    versions.set(stream, version);
  }
  expect(new Set(events.map((stored) => stored.id)).size).toBe(events.length);
}

async function all(): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await store.readAll(events.at(-1)?.position ?? NO_POSITION, 10_000);
    events.push(...page);
    if (page.length < 10_000) return events;
  }
}

function start(job: Omit<AppenderJob, 'url'>): ChildProcess {
  const child = fork(APPENDER, [JSON.stringify({ ...job, url: fresh.url })], { execArgv: [] });
  children.push(child);
  return child;
}

async function finished(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit') as [number | null];
  expect(code).toBe(0);
}
