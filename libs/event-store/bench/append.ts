import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '#postgres';
import { eventStoreMigrations, postgresEventStore } from '#event-store';
import { copyBatches, createPlainTable, insertOneByOne } from './plain.ts';

export interface BenchAppendOptions {
  /** A PostgreSQL database with an administrator's login; the bench makes and drops schemas in it. */
  readonly url: string;
  /** A measurement ends after so many events … */
  readonly events: number;
  /** … or after so long, whichever is first. */
  readonly seconds: number;
}

export interface BenchAppendRow {
  readonly name: string;
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

/** An operation under way at any time per process of the store, and rows a COPY. */
const CALLERS = 2_000;
const COPY_ROWS = 500;
const INSERT_CONNECTIONS = [16, 32, 64];

const SCHEMA = 'bench_append';

/**
 * Durable appends of 1 KB events a second: the event store (single-event appends, each awaited,
 * each to a stream of its caller) from one and from two processes; one INSERT per transaction at
 * its best number of connections; and COPY in batches of 500 from one connection. The plain tables
 * have the store's columns and indexes.
 */
export async function benchAppend(options: BenchAppendOptions): Promise<BenchAppendRow[]> {
  const { url, events, seconds } = options;
  const db = await openDatabase({ url, schema: SCHEMA, migrations: eventStoreMigrations });
  await db.close();
  const rows: BenchAppendRow[] = [];
  const plain = { url, schema: SCHEMA, events, seconds };
  try {
    rows.push(await measured('one INSERT per transaction', async () => {
      const tries = [];
      for (const connections of INSERT_CONNECTIONS) {
        await createPlainTable(plain);
        tries.push(await insertOneByOne(plain, connections));
      }
      return tries.reduce((best, one) => (rate(one) > rate(best) ? one : best));
    }));
    await createPlainTable(plain);
    rows.push(await measured(`COPY, batches of ${COPY_ROWS}`, () => copyBatches(plain, COPY_ROWS)));
    rows.push(await measured('event store, 1 process', () => storeProcesses(1, options)));
    rows.push(await measured('event store, 2 processes', () => storeProcesses(2, options)));
  } finally {
    await dropSchema(url);
  }
  return rows;
}

export interface Count {
  readonly events: number;
  readonly seconds: number;
}

function rate(count: Count): number {
  return count.events / count.seconds;
}

async function measured(name: string, run: () => Promise<Count>): Promise<BenchAppendRow> {
  const count = await run();
  return { name, ...count, eventsPerSecond: Math.round(rate(count)) };
}

async function storeProcesses(processes: number, options: BenchAppendOptions): Promise<Count> {
  const children = Array.from({ length: processes }, () =>
    fork(fileURLToPath(import.meta.url), ['append', JSON.stringify({ ...options, events: options.events / processes })]));
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
  let events = 0;
  let begun = 0;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    const stream = `charge-${randomUUID()}`;
    for (let expected = 0; begun < limits.events && performance.now() < until; expected += 1) {
      begun += 1;
      const [answer] = await store.append([{ stream, expected, events: [{ id: randomUUID(), type: 'MeterRead', data }] }]);
      if (answer?.outcome === 'appended') events += 1;
    }
  }));
  return { events, seconds: (performance.now() - started) / 1000 };
}

export function oneKilobyte(): string {
  const data = { sessionId: 'CA*BCT-1', readings: [] as object[] };
  for (let n = 0; JSON.stringify(data).length < 960; n += 1) {
    data.readings.push({ at: `2022-02-01T17:00:${String(n % 60).padStart(2, '0')}Z`, energyWh: 1000 + n, powerW: 6600 });
  }
  return JSON.stringify({ ...data, pad: 'x'.repeat(1024 - JSON.stringify(data).length - 9) });
}

async function dropSchema(url: string): Promise<void> {
  const { Client } = (await import('pg')).default;
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`DROP SCHEMA ${SCHEMA} CASCADE; DROP OWNED BY roamwatt_${SCHEMA}; DROP ROLE roamwatt_${SCHEMA}`);
  await client.end();
}

if (process.argv[2] === 'append' && process.argv[1] === fileURLToPath(import.meta.url)) {
  await appendAsChild(JSON.parse(process.argv[3] ?? '{}') as BenchAppendOptions);
}
