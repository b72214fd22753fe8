import { randomBytes } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's URL of the run's PostgreSQL. */
    postgresUrl: string;
    natsUrl: string;
    /** Names the run in what several of its files use. */
    run: string;
  }
}

export interface FreshDatabase {
  /** A superuser's URL of the new database. */
  readonly url: string;
  /** The same: what migrations and grants are made with. */
  readonly adminUrl: string;
  /** Removes the database, ending the connections that are left. */
  drop(): Promise<void>;
}

/** A new, empty database with a name of its own on the run's one PostgreSQL. */
export async function freshDatabase(): Promise<FreshDatabase> {
  return copied('template1');
}

/**
 * A new database as `prepare` makes one, which it does once in a run for all that ask for the same `what` (`[a-z0-9_]`).
 */
export async function copiedDatabase(what: string, prepare: (url: string) => Promise<void>): Promise<FreshDatabase> {
  const template = `test_${inject('run')}_${what}`;
  await withServer(async (client) => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [template]);
    const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate', [template]);
    if (rows.length > 0) return;
    await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${template}`);
    await prepare(urlOf(template));
    await client.query(`ALTER DATABASE ${template} IS_TEMPLATE true`);
  });
  return copied(template);
}

async function copied(template: string): Promise<FreshDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withServer((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  const url = urlOf(name);
  return {
    url,
    adminUrl: url,
    drop: () => withServer(async (client) => void await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

function urlOf(database: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${database}`;
  return url.href;
}

/** The run's one nats-server, with JetStream. */
export function natsUrl(): string {
  return inject('natsUrl');
}

/** A platform's name that no other test uses: its subjects and streams are then ours alone. */
export function freshPlatform(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

/**
 * Removes what a platform told; stop its services first. For each stream that is made the server compares all
 * subjects of all that there are: left behind by a hundred platforms they would take a second of every next one.
 */
export async function dropStreams(platform: string): Promise<void> {
  const url = new URL(natsUrl());
  const connection = await connect({ servers: url.host, user: url.username, pass: url.password });
  try {
    const { streams } = await jetstreamManager(connection, { checkAPI: false, timeout: 60_000 });
    const names: string[] = [];
    for await (const name of streams.names(`roamwatt.${platform}.>`)) names.push(name);
    for (const name of names) await streams.delete(name);
  } finally {
    await connection.close();
  }
}

async function withServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
