import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { natsFor, postgresFor, removeRun, runFolder } from '../libs/servers/src/index.ts';
import type {} from '../libs/test-servers/src/index.ts';

/** Vitest's global set-up: one PostgreSQL and one nats-server for the whole run, for several platforms at a time. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = runFolder('test');
  // What the run's processes compiled, for the next that starts.
  process.env['NODE_COMPILE_CACHE'] = join(dir, 'compiled');
  const starting = [
    postgresFor(process.env['DATABASE_URL'], {
      dir: join(dir, 'postgres'), passing: true, durable: false, connections: 600,
    }),
    natsFor(process.env['NATS_URL'], { dir: join(dir, 'nats') }),
  ] as const;
  const teardown = async () => {
    await Promise.allSettled(starting.map(async (server) => (await server).stop()));
    removeRun(dir);
  };
  try {
    const [postgres, nats] = await Promise.all(starting);
    project.provide('postgresUrl', postgres.url);
    project.provide('natsUrl', nats.url);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}
