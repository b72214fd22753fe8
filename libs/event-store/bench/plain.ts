import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Count, oneKilobyte } from './append.ts';

/** What the event store is compared with: a table like its own, without its promises. */
export interface PlainOptions extends Count {
  readonly url: string;
  readonly schema: string;
}

export async function createPlainTable({ url, schema }: PlainOptions): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`DROP TABLE IF EXISTS ${schema}.plain`);
  await client.query(`CREATE TABLE ${schema}.plain (
    "position" bigserial PRIMARY KEY, stream text COLLATE "C" NOT NULL, version int NOT NULL,
    id uuid NOT NULL UNIQUE, type text COLLATE "C" NOT NULL, data text NOT NULL, trace text,
    recorded_at timestamptz NOT NULL DEFAULT now(), UNIQUE (stream, version))`);
  await client.end();
}

export async function insertOneByOne(options: PlainOptions, connections: number): Promise<Count> {
  const data = oneKilobyte();
  const pool = new pg.Pool({ connectionString: options.url, max: connections });
  // Connections that the server's stop ends first.
  pool.on('error', () => {});
  await Promise.all(Array.from({ length: connections }, () => pool.query('SELECT pg_sleep(0.01)')));
  const text = `INSERT INTO ${options.schema}.plain (stream, version, id, type, data)
    VALUES ($1, $2, $3, $4, $5)`;
  return counted(options, connections, async (stream, version) => {
    const values = [stream, version, randomUUID(), 'MeterRead', data];
    await pool.query({ name: 'insert_one', text, values });
    return 1;
  }).finally(() => pool.end());
}

export async function copyBatches(options: PlainOptions, rows: number): Promise<Count> {
  const client = new pg.Client({ connectionString: options.url });
  await client.connect();
  // As COPY's text format wants it: the data holds neither tab nor newline.
  const data = oneKilobyte().replaceAll('\\', '\\\\');
  const text = `COPY ${options.schema}.plain (stream, version, id, type, data) FROM STDIN`;
  return counted(options, 1, async (stream, batch) => {
    let body = '';
    for (let n = 0; n < rows; n += 1) {
      body += `${stream}-${n}\t${batch}\t${randomUUID()}\tMeterRead\t${data}\n`;
    }
    await copyIn(client, text, Buffer.from(body));
    return rows;
  }).finally(() => client.end());
}

/** `callers` that each repeat `once(stream, version)` until the events or the time are used up. */
async function counted(
  limits: Count,
  callers: number,
  once: (stream: string, version: number) => Promise<number>,
): Promise<Count> {
  const started = performance.now();
  const until = started + limits.seconds * 1000;
  let events = 0;
  await Promise.all(Array.from({ length: callers }, async () => {
    const stream = `charge-${randomUUID()}`;
    for (let version = 1; events < limits.events && performance.now() < until; version += 1) {
      const done = await once(stream, version);
      events += done;
    }
  }));
  return { events, seconds: (performance.now() - started) / 1000 };
}

interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** COPY … FROM STDIN with one chunk: the few messages of the protocol that `pg` leaves to others. */
function copyIn(client: pg.Client, text: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const copy = {
      submit: (connection: CopyConnection) => connection.query(text),
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(body);
        connection.endCopyFrom();
      },
      handleCommandComplete() {},
      handleError: (error: Error) => { failure = error; reject(error); },
      handleReadyForQuery: () => { if (!failure) resolve(); },
    };
    client.query(copy as unknown as pg.Submittable);
  });
}
