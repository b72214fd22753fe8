import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Claim, claim } from './claim.ts';
import { findData, passingHome, passwordOf, SUPERUSER } from './data.ts';
import { makePassable } from './places.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import {
  type Account,
  givenServer,
  type Launch,
  launch,
  type Running,
  type Server,
} from './server.ts';
import { freePort, tail, until } from './waiting.ts';

export interface PostgresOptions {
  /** Holds the data, the password and the log; made when absent, taken up again when present. */
  readonly dir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default false: the data are kept, and nothing removes them but a person. True for a run's own. */
  readonly passing?: boolean;
  /** Default true. False: a crash of the machine may lose the data. No fsync, and those of a passing server lie in memory. */
  readonly durable?: boolean;
  /** Clients at a time; default 300. A platform takes some 60. */
  readonly connections?: number;
}

/** The server at `url` when one is given, else a private one. */
export async function postgresFor(
  url: string | undefined,
  options: PostgresOptions,
): Promise<Server> {
  return url ? givenServer(url, 5432) : startPostgres(options);
}

/**
 * Starts a private PostgreSQL on 127.0.0.1 with data checksums, a random superuser password
 * (kept in `dir/password`) and synchronous commit. PostgreSQL refuses to run as root, so as root it
 * runs as the account `postgres` or else `nobody`, and where that cannot enter `dir` the data lie in
 * a folder of their own under /var/lib/roamwatt (/var/tmp when `passing`), named by
 * `dir/data-is-at.txt`. Data that are there are never replaced.
 * Throws when no binaries are found, when the folder or the data are in use, or with the log's tail.
 */
export async function startPostgres(options: PostgresOptions): Promise<Server> {
  const dir = resolve(options.dir);
  makePassable(dir);
  const claims: Claim[] = [await claim(dir)];
  const release = () => {
    for (const each of claims.toReversed()) each.release();
  };
  try {
    const { passing = false, durable = true } = options;
    const data = findData(dir, { passing, inMemory: passing && !durable, account: serverAccount() });
    if (data.home !== dir) claims.push(await claim(data.home));
    const password = passwordOf(data, dir);
    const { folder, home, account } = data;
    const major = Number(readFileSync(join(folder, 'PG_VERSION'), 'utf8'));
    // Ours is stopped, or we would not hold the claims. Its number may be another process's by now,
    // at which PostgreSQL would refuse to start.
    rmSync(join(folder, 'postmaster.pid'), { force: true });
    const start = {
      command: join(postgresBinaries(account, home, major), 'postgres'),
      cwd: folder,
      log: join(dir, 'postgres.log'),
      account,
    };
    const server = await startOnSomePort(start, folder, options);
    for (const each of claims) each.servedBy(server.pid);
    const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${server.port}/postgres`;
    return {
      url,
      pid: server.pid,
      port: server.port,
      log: start.log,
      data: folder,
      stop: () => server.stop().then(release),
    };
  } catch (error) {
    release();
    throw error;
  }
}

async function startOnSomePort(
  start: Omit<Launch, 'args'>,
  data: string,
  { port: wanted, durable = true, connections = 300 }: PostgresOptions,
): Promise<Running & { port: number }> {
  const { log } = start;
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    const server = await launch({ ...start, args: settings(data, port, { durable, connections }) });
    const state = await until(
      () => (server.ended() ? 'ended' : isReady(data, server.pid) ? 'ready' : undefined),
      60_000,
      () => `PostgreSQL is not ready after 60 s:\n${tail(log)}`,
    );
    if (state === 'ready') return { ...server, port };
    const taken = tail(log).includes('could not create any TCP/IP sockets');
    if (wanted !== undefined || !taken || attempt === 5) {
      throw new Error(`PostgreSQL did not start (${server.ended()}); see ${log}:\n${tail(log)}`);
    }
  }
}

function settings(
  data: string,
  port: number,
  { durable, connections }: Required<Pick<PostgresOptions, 'durable' | 'connections'>>,
): string[] {
  const values: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    synchronous_commit: 'on',
    password_encryption: 'scram-sha-256',
    max_connections: connections,
    shared_buffers: '512MB',
    // What need not last may lie in memory.
    max_wal_size: durable ? '4GB' : '1GB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %d ',
  };
  return [
    '-D',
    data,
    ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

function isReady(data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

/** As root: an account that PostgreSQL accepts. Otherwise we are one ourselves. */
function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === 'postgres') return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65534, gid: 65534 };
}

/** Removes the folder of a passing server that is stopped, and its data when they lie outside. */
export function removePostgres(dir: string): void {
  const home = passingHome(resolve(dir));
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
  rmSync(dir, { recursive: true, force: true });
}
