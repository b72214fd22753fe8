import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '#postgres';
import pg from 'pg';
import { eventStoreMigrations, postgresEventStore } from '#event-store';
import { copyBatches, createPlainTable, insertOneByOne } from './plain.ts';

export interface BenchAppendOptions {
  /** A PostgreSQL database with an administrator's login; the bench makes and drops a schema in it. */
  readonly url: string;
  /** A measurement ends after so many events … */
  readonly events: number;
  /** … or after so long, whichever is first. */
  readonly seconds: number;
  /** Every contender is measured so often, in turns, and its best counts (default 3). */
  readonly rounds?: number;
}

export interface BenchAppendRow {
  readonly name: string;
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

/** Appends under way at any time per process of the store. */
const CALLERS = 4_000;
const COPY_ROWS = 500;
const INSERT_CONNECTIONS = [16, 32, 64];

const SCHEMA = 'bench_append';

/**
 * Durable appends of 1 KB events a second: one INSERT per transaction at its best number of
 * connections; COPY in batches of 500 from one connection, both into a table with the store's
 * columns and indexes; and the event store (single-event appends, each awaited, each caller on a
 * stream of its own) from one and from two processes. A busy machine slows down whom it meets:
 * hence the turns, and the best of them. A first round, which does not count, leaves the server
 * with WAL files to use again, as one that has run for a while.
 */
export async function benchAppend({ rounds = 3, ...options }: BenchAppendOptions): Promise<BenchAppendRow[]> {
  const plain = { ...options, schema: SCHEMA };
  const insert = async (connections: number) => {
    await createPlainTable(plain);
    return { connections, ...await insertOneByOne(plain, connections) };
  };
  await freshSchema(options.url);
  const { connections } = best(await inTurn(INSERT_CONNECTIONS, insert));
  const contenders: Record<string, () => Promise<Count>> = {
    [`one INSERT per transaction, ${connections} connections`]: () => insert(connections),
    [`COPY, batches of ${COPY_ROWS}`]: async () => {
      await createPlainTable(plain);
      return copyBatches(plain, COPY_ROWS);
    },
    'event store, 1 process': () => storeProcesses(1, options),
    'event store, 2 processes': () => storeProcesses(2, options),
  };
  const counts = new Map<string, Count[]>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of Object.entries(contenders)) {
      await freshSchema(options.url);
      const count = await measure();
      if (round > 0) counts.set(name, [...counts.get(name) ?? [], count]);
    }
  }
  await dropSchema(options.url);
  return [...counts].map(([name, all]) => {
    const { events, seconds } = best(all);
    return { name, events, seconds, eventsPerSecond: Math.round(events / seconds) };
  });
}

export interface Count {
  readonly events: number;
  readonly seconds: number;
}

function rate(count: Count): number {
  return count.events / count.seconds;
}

function best<T extends Count>(counts: readonly T[]): T {
  return counts.reduce((most, one) => (rate(one) > rate(most) ? one : most));
}

async function inTurn<T, R>(values: readonly T[], run: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await run(value));
  return results;
}

async function storeProcesses(processes: number, options: BenchAppendOptions): Promise<Count> {
  const share = { ...options, events: options.events / processes };
  const children = Array.from({ length: processes }, () =>
    fork(fileURLToPath(import.meta.url), ['append', JSON.stringify(share)]));
  try {
    // All are ready, then all start.
    await Promise.all(children.map((child) => once(child, 'message')));
    const counts = children.map(async (child) => (await once(child, 'message'))[0] as Count);
    for (const child of children) child.send('go');
    const all = await Promise.all(counts);
    return {
      events: all.reduce((sum, count) => sum + count.events, 0),
      seconds: Math.max(...all.map((count) => count.seconds)),
    };
  } finally {
    for (const child of children) child.kill();
  }
}

async function appendAsChild(options: BenchAppendOptions): Promise<void> {
  const db = await openDatabase({ url: options.url, schema: SCHEMA, migrations: eventStoreMigrations });
  const store = postgresEventStore(db);
  await callers(store, { events: CALLERS, seconds: 1 });
  process.send?.('ready');
  await once(process, 'message');
  const count = await callers(store, options);
  await store.close();
  await db.close();
  process.send?.(count);
  process.disconnect();
}

async function callers(store: ReturnType<typeof postgresEventStore>, limits: Count): Promise<Count> {
  const data = oneKilobyte();
  const started = performance.now();
  const until = started + limits.seconds * 1000;
  let appended = 0;
  let begun = 0;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    const stream = `charge-${randomUUID()}`;
    for (let expected = 0; begun < limits.events && performance.now() < until; expected += 1) {
      begun += 1;
      const events = [{ id: randomUUID(), type: 'MeterRead', data }];
      const [answer] = await store.append([{ stream, expected, events }]);
      if (answer?.outcome === 'appended') appended += 1;
    }
  }));
  return { events: appended, seconds: (performance.now() - started) / 1000 };
}

export function oneKilobyte(): string {
  const data = { sessionId: 'CA*BCT-1', readings: [] as object[] };
  for (let n = 0; JSON.stringify(data).length < 960; n += 1) {
    const at = `2022-02-01T17:00:${String(n % 60).padStart(2, '0')}Z`;
    data.readings.push({ at, energyWh: 1000 + n, powerW: 6600 });
  }
  return JSON.stringify({ ...data, pad: 'x'.repeat(1024 - JSON.stringify(data).length - 9) });
}

async function freshSchema(url: string): Promise<void> {
  await dropSchema(url);
  await (await openDatabase({ url, schema: SCHEMA, migrations: eventStoreMigrations })).close();
}

async function dropSchema(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  await client.query('CHECKPOINT');
  await client.end();
}

if (process.argv[2] === 'append' && process.argv[1] === fileURLToPath(import.meta.url)) {
  await appendAsChild(JSON.parse(process.argv[3] ?? '{}') as BenchAppendOptions);
}
