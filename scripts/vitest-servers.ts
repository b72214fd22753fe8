import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { natsFor, postgresFor, removeRun, runFolder } from '../libs/servers/src/index.ts';
import type {} from '../libs/test-servers/src/index.ts';

/** Vitest's global set-up: one PostgreSQL and one nats-server for the whole run, for several platforms at a time. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = runFolder('test');
  const run = randomBytes(4).toString('hex');
  // What the run's processes compiled, for the next that starts.
  process.env['NODE_COMPILE_CACHE'] = join(dir, 'compiled');
  const starting = [
    postgresFor(process.env['DATABASE_URL'], {
      dir: join(dir, 'postgres'), passing: true, durable: false, connections: 600,
    }),
    natsFor(process.env['NATS_URL'], { dir: join(dir, 'nats') }),
  ] as const;
  const teardown = async () => {
    const given = process.env['DATABASE_URL'];
    await Promise.allSettled([given && dropTemplates(given, run), ...starting.map(async (server) => (await server).stop())]);
    removeRun(dir);
  };
  try {
    const [postgres, nats] = await Promise.all(starting);
    project.provide('postgresUrl', postgres.url);
    project.provide('natsUrl', nats.url);
    project.provide('run', run);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

/** What the run's files had copied, on a server that goes on: no other run asks for it. */
async function dropTemplates(server: string, run: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)', [`test_${run}_`]);
    for (const { name } of rows) {
      await client.query(`ALTER DATABASE ${name} IS_TEMPLATE false`);
      await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  } finally {
    await client.end();
  }
}
