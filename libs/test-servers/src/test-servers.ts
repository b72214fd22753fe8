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
  const server = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    adminUrl: url.href,
    drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
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

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
