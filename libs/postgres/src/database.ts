import pg from 'pg';
import { DatabaseFailure, named, namedWhileConnecting } from './failure.ts';
import { asBigint, asBigints, asInstant } from './values.ts';

/** A statement that each connection parses and plans once: for hot paths. One text per name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface Rows<Row> {
  readonly rows: Row[];
  /** Rows returned, or, without RETURNING, rows changed. */
  readonly rowCount: number;
}

export interface Queryable {
  /**
   * One statement. Columns arrive as: bigint → `bigint`, numeric → `string`, timestamptz →
   * RFC 3339 in UTC (`string`), date → `string`, json → parsed, bytea → `Buffer`, else as `pg` does.
   * Throws `DatabaseFailure`.
   */
  query<Row extends object = Record<string, unknown>>(
    sql: string | Statement,
    values?: readonly unknown[],
  ): Promise<Rows<Row>>;
}

export interface Tx extends Queryable {
  /** Runs `fn` once it is known to have committed: a wake-up, never work that must happen. */
  afterCommit(fn: () => void): void;
  /**
   * The last statement, in one message with the COMMIT: what it locks is held for no way to us and back, however busy we
   * are. Its values stand in its text as literals of no type.
   */
  atCommit(sql: string, values: readonly string[]): void;
}

export interface TxOptions {
  /**
   * Default true. False does not wait for the disk: a crash of the server may undo the transaction,
   * as a whole, and all after it that do not wait either. For rows that can be made again.
   */
  readonly durable?: boolean;
  /**
   * Default false. True: rows are looked up by index, whatever the statistics say. For tables that
   * grow from empty: a plan made while a scan was cheap would be kept.
   */
  readonly byIndex?: boolean;
  /**
   * Default false. True: `fn` asks the database also outside of its transaction. Only so many of
   * these run at once that there is a connection left for what they ask: else all would wait for
   * each other.
   */
  readonly asksBeside?: boolean;
}

export interface Database extends Queryable {
  readonly schema: string;
  /**
   * `fn` in one READ COMMITTED transaction: committed when `fn` resolves, rolled back when it
   * rejects (its error is passed on). `outcome-unknown` when the connection broke during COMMIT.
   */
  tx<T>(fn: (tx: Tx) => Promise<T>, options?: TxOptions): Promise<T>;
  /** Waits for the statements under way, then ends the connections. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly url: string;
  readonly schema: string;
  readonly role: string;
  readonly poolMax: number;
}

const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
/** A machine that stood still for a while is no reason to give up. */
export const CONNECT_TIMEOUT_MS = 20_000;

const MOST_BESIDE = 3;

export function openPool(options: PoolOptions): Database {
  const pool = new pg.Pool({
    connectionString: withSettings(options.url, {
      search_path: options.schema,
      role: options.role,
      timezone: 'UTC',
      datestyle: 'ISO',
      // Compiling takes 50 to 100 ms, also of a statement that is wrongly taken for a large one.
      jit: 'off',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    }),
    application_name: `roamwatt ${options.schema}`,
    max: options.poolMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    // The server's own timeout comes first; this one is for a server that went silent.
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    keepAlive: true,
    types: valueParsers(),
  });
  // A dropped connection reports itself to the pool when idle and to the client when in use. The
  // statement under way rejects on its own, so there is nothing to do but to stay alive.
  pool.on('error', () => {});
  pool.on('connect', (client) => void client.on('error', () => {}));
  return new PooledDatabase(options.schema, pool, new Turns(Math.max(1, Math.min(MOST_BESIDE, Math.floor(options.poolMax / 2)))));
}

const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED';
const NOT_DURABLE = '; SET LOCAL synchronous_commit TO off';
const BY_INDEX = ['seqscan', 'hashjoin', 'mergejoin'].map((way) => `; SET LOCAL enable_${way} TO off`).join('');

class PooledDatabase implements Database {
  constructor(
    readonly schema: string,
    private readonly pool: pg.Pool,
    private readonly beside: Turns,
  ) {}

  async query<Row extends object>(sql: string | Statement, values?: readonly unknown[]): Promise<Rows<Row>> {
    const client = await this.connect();
    let broken: Error | undefined;
    try {
      return await run<Row>(client, sql, values);
    } catch (error) {
      broken = breaks(error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  tx<T>(fn: (tx: Tx) => Promise<T>, options: TxOptions = {}): Promise<T> {
    return options.asksBeside ? this.beside.take(() => this.transact(fn, options)) : this.transact(fn, options);
  }

  private async transact<T>(fn: (tx: Tx) => Promise<T>, { durable = true, byIndex = false }: TxOptions): Promise<T> {
    const client = await this.connect();
    const work = new Transaction(client);
    let broken: Error | undefined;
    try {
      await run(client, `${BEGIN}${durable ? '' : NOT_DURABLE}${byIndex ? BY_INDEX : ''}`);
      const result = await fn(work);
      await work.end();
      await commit(client, work.last);
      work.committed();
      return result;
    } catch (error) {
      await work.end();
      broken = breaks(error) ?? await rollback(client);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async connect(): Promise<pg.PoolClient> {
    try {
      return await this.pool.connect();
    } catch (error) {
      throw namedWhileConnecting(error);
    }
  }
}

/** So many at once; the others wait for their turn, the first first. */
class Turns {
  private readonly waiting: (() => void)[] = [];
  constructor(private left: number) {}

  async take<T>(fn: () => Promise<T>): Promise<T> {
    if (this.left > 0) this.left -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await fn();
    } finally {
      // Whoever waits takes over this turn.
      const next = this.waiting.shift();
      if (next) next();
      else this.left += 1;
    }
  }
}

/** Runs its statements one after the other, also when the caller does not wait in between. */
class Transaction implements Tx {
  private tail: Promise<unknown> = Promise.resolve();
  private ended = false;
  private readonly after: (() => void)[] = [];
  readonly last: string[] = [];

  constructor(private readonly client: pg.PoolClient) {}

  query<Row extends object>(sql: string | Statement, values?: readonly unknown[]): Promise<Rows<Row>> {
    if (this.ended) return Promise.reject(new Error('a transaction was used after its end'));
    const answer = this.tail.then(() => run<Row>(this.client, sql, values));
    this.tail = answer.catch(() => {});
    return answer;
  }

  afterCommit(fn: () => void): void {
    this.after.push(fn);
  }

  atCommit(sql: string, values: readonly string[]): void {
    this.last.push(sql.replace(/\$(\d+)/g, (_, place) => pg.escapeLiteral(values[Number(place) - 1]!)));
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.tail;
  }

  committed(): void {
    for (const fn of this.after) fn();
  }
}

async function run<Row extends object>(
  client: pg.PoolClient,
  sql: string | Statement,
  values?: readonly unknown[],
): Promise<Rows<Row>> {
  try {
    const text = typeof sql === 'string' ? { text: sql } : sql;
    const result = await client.query<Row>({ ...text, ...(values && { values: values as unknown[] }) });
    const { rows, rowCount } = result;
    // What is left of a result outlives many collections of the nursery: with its rows they would all be copied out of it.
    result.rows = [];
    return { rows, rowCount: rowCount ?? 0 };
  } catch (error) {
    throw named(error);
  }
}

async function commit(client: pg.PoolClient, last: readonly string[]): Promise<void> {
  let answer: pg.QueryResult;
  try {
    // Of several statements there are several results.
    answer = [await client.query([...last, 'COMMIT'].join('; ')) as pg.QueryResult | pg.QueryResult[]].flat().at(-1)!;
  } catch (error) {
    const failure = named(error);
    if (breaks(failure) === undefined) throw failure;
    throw new DatabaseFailure('outcome-unknown', 'the connection broke during COMMIT', { cause: error });
  }
  // The server answers a COMMIT of a failed transaction with ROLLBACK, and no error.
  if (answer.command === 'ROLLBACK') {
    throw new DatabaseFailure('rolled-back', 'a statement had failed and its error was swallowed');
  }
}

async function rollback(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The error when it leaves the connection unusable or in doubt: the pool then drops it. */
function breaks(error: unknown): Error | undefined {
  if (!(error instanceof DatabaseFailure)) return undefined;
  const clientGaveUp = error.failure === 'statement-timeout' && error.origin.sqlState === undefined;
  const isLost = error.failure === 'connection-lost' || error.failure === 'outcome-unknown';
  return isLost || clientGaveUp ? error : undefined;
}

/** The URL with run-time settings (`-c name=value`) added to those that it may carry already. */
export function withSettings(url: string, settings: Readonly<Record<string, string | number>>): string {
  const full = new URL(url);
  const given = full.searchParams.get('options');
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  full.searchParams.set('options', [...(given ? [given] : []), ...ours].join(' '));
  return full.href;
}

/** pg's list of built-in types has no arrays. */
const INT8_ARRAY: number = 1016;

function valueParsers(): pg.TypeOverrides {
  const parsers = new pg.TypeOverrides();
  parsers.setTypeParser(pg.types.builtins.INT8, asBigint);
  parsers.setTypeParser(INT8_ARRAY, asBigints);
  parsers.setTypeParser(pg.types.builtins.TIMESTAMPTZ, asInstant);
  parsers.setTypeParser(pg.types.builtins.DATE, (text: string) => text);
  return parsers;
}
