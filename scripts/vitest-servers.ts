import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { natsFor, postgresFor, removePostgres, stateRoot } from '../libs/servers/src/index.ts';
import type {} from '../libs/test-servers/src/index.ts';

/** Vitest's global set-up: one PostgreSQL and one nats-server for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = stateRoot();
  forgetDeadRuns(root);
  const dir = join(root, `test-${process.pid}`);
  const starting = [
    postgresFor(process.env['DATABASE_URL'], { dir: join(dir, 'postgres') }),
    natsFor(process.env['NATS_URL'], { dir: join(dir, 'nats') }),
  ] as const;
  const teardown = async () => {
    await Promise.allSettled(starting.map(async (server) => (await server).stop()));
    forget(dir);
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

function forgetDeadRuns(root: string): void {
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    const pid = /^test-(\d+)$/.exec(name)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) forget(join(root, name));
  }
}

function forget(dir: string): void {
  removePostgres(join(dir, 'postgres'));
  rmSync(dir, { recursive: true, force: true });
}
