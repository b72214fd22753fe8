import { randomUUID } from 'node:crypto';
import {
  ask,
  type Bus,
  busMigrations,
  connectBus,
  hears,
  type Hearing,
  hearsMany,
  listen,
  outbox,
  startRelay,
  tell,
  told,
} from '#bus';
import { type Database, openDatabase } from '#postgres';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';

export interface BenchBusOptions {
  readonly natsUrl: string;
  /**
   * A PostgreSQL database with an administrator's login; the bench makes and drops a schema in it.
   */
  readonly databaseUrl: string;
  /**
   * How long each measurement of asks takes, each of `rounds` times; the best counts (default 3).
   */
  readonly seconds: number;
  readonly rounds?: number;
  /** Facts that are told and heard. */
  readonly facts: number;
}

export interface BenchAskRow {
  readonly name: string;
  /** Asks under way at any time. */
  readonly underWay: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** The reference of `benchAsk`. */
export const RAW_REQUEST = '@nats-io request';

export interface BenchToldRow {
  readonly name: string;
  readonly facts: number;
  readonly seconds: number;
  readonly factsPerSecond: number;
}

const echo = ask({
  context: 'sessions',
  verb: 'bench-echo',
  request: StringValueSchema,
  answer: StringValueSchema,
  check: (request) => (request.value === '' ? 'value is empty' : undefined),
});

const counted = tell({
  context: 'sessions',
  thing: 'bench',
  happened: 'counted',
  fact: StringValueSchema,
  key: (fact) => fact.value.slice(0, fact.value.indexOf(':')),
  check: () => undefined,
});

/** About what a small question weighs. */
const WORD = 'x'.repeat(100);
/** Of each contender, one after the other. */
const TURNS = 30;
const UNDER_WAY = [1, 64];
const KEYS = 500;
const SCHEMA = 'bench_bus';

/**
 * The same bytes asked and answered over a bare `@nats-io` request and over the bus (protobuf both
 * ways, envelope, check, coalescing), asker and answerer on connections of their own in one process:
 * one ask after the other for the latency, 64 at a time for the rate.
 */
export async function benchAsk({
  natsUrl,
  seconds,
  rounds = 3,
}: BenchBusOptions): Promise<BenchAskRow[]> {
  const platform = `bench-${randomUUID()}`;
  const [asker, answerer] = await Promise.all([
    connectBus({ natsUrl, platform, service: 'asker' }),
    connectBus({ natsUrl, platform, service: 'answerer' }),
  ]);
  await answerer.answer(echo, (requests) => requests.map(({ value }) => ({ value })));
  const subject = `bench.${platform}`;
  const url = new URL(natsUrl);
  const login = {
    servers: url.host,
    user: decodeURIComponent(url.username),
    pass: decodeURIComponent(url.password),
  };
  const [rawAsker, rawAnswerer] = await Promise.all([connect(login), connect(login)]);
  rawAnswerer.subscribe(subject, { callback: (_, message) => void message.respond(message.data) });
  await rawAnswerer.flush();
  const bytes = Buffer.from(WORD);

  const rows: BenchAskRow[] = [];
  for (const underWay of UNDER_WAY) {
    const raw = new Sample();
    const bus = new Sample();
    // In many short turns: what else the machine does meets both alike.
    for (let turn = 0; turn < TURNS; turn += 1) {
      const turnSeconds = (seconds * rounds) / TURNS;
      await raw.measure(underWay, turnSeconds, () =>
        rawAsker.request(subject, bytes, { timeout: 5_000 }),
      );
      await bus.measure(underWay, turnSeconds, () => asker.ask(echo, { value: WORD }));
    }
    rows.push(raw.row(RAW_REQUEST, underWay), bus.row('bus.ask', underWay));
  }
  await Promise.all([asker.close(), answerer.close(), rawAsker.close(), rawAnswerer.close()]);
  return rows;
}

/**
 * Facts told by an outbox, through the relay, JetStream and a listener that writes a row for each:
 * the relay alone, then listeners that find all facts in the stream, with a handler of one fact and
 * with one of many.
 */
export async function benchTold(options: BenchBusOptions): Promise<BenchToldRow[]> {
  const { natsUrl, databaseUrl, facts } = options;
  const platform = `bench-${randomUUID()}`;
  await dropSchema(databaseUrl);
  const db = await openDatabase({
    url: databaseUrl,
    schema: SCHEMA,
    migrations: [
      ...busMigrations,
      { name: 'bench-1', up: () => ['CREATE TABLE heard (listener text, key text, number int)'] },
    ],
  });
  const bus = await connectBus({ natsUrl, platform, service: 'bench' });
  try {
    await fill(db, facts);
    const relay = await timed('relay: outbox to JetStream', facts, () => relayAll(bus, db, facts));
    const one = await timed('listener: a handler of one fact, its row', facts, () =>
      hearAll(
        bus,
        db,
        facts,
        'one',
        hears(counted, async ({ value }, heard) => {
          await heard.tx.query(
            { name: 'bench-one', text: `INSERT INTO heard VALUES ('one', $1, $2)` },
            [heard.key, numberOf(value)],
          );
        }),
      ),
    );
    const many = await timed('listener: a handler of many facts, their rows', facts, () =>
      hearAll(
        bus,
        db,
        facts,
        'many',
        hearsMany(counted, async (told, heard) => {
          await heard.tx.query(
            {
              name: 'bench-many',
              text: `INSERT INTO heard SELECT 'many', * FROM unnest($1::text[], $2::int[])`,
            },
            [told.map(({ key }) => key), told.map(({ fact }) => numberOf(fact.value))],
          );
        }),
      ),
    );
    return [relay, one, many];
  } finally {
    await (
      await jetstreamManager(bus.connection)
    ).streams
      .delete(`ROAMWATT_${platform}_sessions`)
      .catch(() => false);
    await bus.close();
    await db.close();
    await dropSchema(databaseUrl);
  }
}

/** What was measured, over all turns. */
class Sample {
  private readonly tookUs: number[] = [];
  private ms = 0;

  async measure(underWay: number, seconds: number, once: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now();
    const until = startedAt + seconds * 1_000;
    await Promise.all(
      Array.from({ length: underWay }, async () => {
        for (let askedAt = performance.now(); askedAt < until;) {
          await once();
          const now = performance.now();
          this.tookUs.push((now - askedAt) * 1_000);
          askedAt = now;
        }
      }),
    );
    this.ms += performance.now() - startedAt;
  }

  row(name: string, underWay: number): BenchAskRow {
    const perSecond = Math.round(this.tookUs.length / (this.ms / 1_000));
    this.tookUs.sort((one, other) => one - other);
    const at = (share: number) =>
      Math.round(this.tookUs[Math.floor(this.tookUs.length * share)] ?? 0);
    return { name, underWay, perSecond, p50Us: at(0.5), p99Us: at(0.99) };
  }
}

async function fill(db: Database, facts: number): Promise<void> {
  const box = outbox('sessions', db);
  for (let told_ = 0; told_ < facts; told_ += 1_000) {
    const some = Array.from(
      { length: Math.min(1_000, facts - told_) },
      (_, index) => told_ + index,
    );
    await db.tx((tx) =>
      box.tell(
        tx,
        some.map((number) => told(counted, { value: `k${number % KEYS}:${number} ${WORD}` })),
      ),
    );
  }
}

function numberOf(value: string): number {
  return parseInt(value.slice(value.indexOf(':') + 1), 10);
}

async function relayAll(bus: Bus, db: Database, facts: number): Promise<void> {
  const manager = await jetstreamManager(bus.connection);
  const relay = startRelay(bus, outbox('sessions', db));
  const told = () =>
    manager.streams.info(`ROAMWATT_${bus.platform}_sessions`).then(
      ({ state }) => state.messages,
      () => 0,
    );
  await until(async () => (await told()) >= facts);
  await relay.close();
}

async function hearAll(
  bus: Bus,
  db: Database,
  facts: number,
  listener: string,
  hearing: Hearing,
): Promise<void> {
  const listening = await listen(bus, db, { listener, hearings: [hearing] });
  await until(async () => {
    const { rows } = await db.query<{ n: bigint }>(
      'SELECT count(*) AS n FROM heard WHERE listener = $1',
      [listener],
    );
    return Number(rows[0]?.n) >= facts;
  });
  await listening.close();
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function timed(name: string, facts: number, fn: () => Promise<void>): Promise<BenchToldRow> {
  const startedAt = performance.now();
  await fn();
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    name,
    facts,
    seconds: Math.round(seconds * 100) / 100,
    factsPerSecond: Math.round(facts / seconds),
  };
}

async function dropSchema(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  } finally {
    await client.end();
  }
}
