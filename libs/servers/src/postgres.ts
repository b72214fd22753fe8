import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { claim } from './claim.ts';
import { openPlaceFor } from './places.ts';
import { mayUse, postgresBinaries } from './postgres-binaries.ts';
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
  /** Default true. False switches fsync off: a crash of the machine may lose the data. */
  readonly durable?: boolean;
}

const SUPERUSER = 'roamwatt';
const NOTE = 'data-is-at.txt';

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
 * runs as the account `postgres` or else `nobody`.
 * Throws when no binaries are found, when the folder is in use, or with the log's tail.
 */
export async function startPostgres(options: PostgresOptions): Promise<Server> {
  const dir = resolve(options.dir);
  const claimed = await claim(dir);
  try {
    const account = serverAccount();
    const data = dataFolder(dir, account);
    const password = existsSync(join(dir, 'password'))
      ? readFileSync(join(dir, 'password'), 'utf8')
      : initialise(dir, data, account);
    const major = Number(readFileSync(join(data, 'PG_VERSION'), 'utf8'));
    // Ours is stopped, or we would not hold the claim. Its number may be another process's by now,
    // at which PostgreSQL would refuse to start.
    rmSync(join(data, 'postmaster.pid'), { force: true });
    const start = {
      command: join(postgresBinaries(account, major), 'postgres'),
      cwd: data,
      log: join(dir, 'postgres.log'),
      account,
    };
    const server = await startOnSomePort(start, data, options);
    claimed.servedBy(server.pid);
    const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${server.port}/postgres`;
    return {
      url,
      pid: server.pid,
      port: server.port,
      log: start.log,
      stop: () => server.stop().then(claimed.release),
    };
  } catch (error) {
    claimed.release();
    throw error;
  }
}

async function startOnSomePort(
  start: Omit<Launch, 'args'>,
  data: string,
  { port: wanted, durable = true }: PostgresOptions,
): Promise<Running & { port: number }> {
  const { log } = start;
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    const server = await launch({ ...start, args: settings(data, port, durable) });
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

function settings(data: string, port: number, durable: boolean): string[] {
  const values: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    synchronous_commit: 'on',
    password_encryption: 'scram-sha-256',
    max_connections: 300,
    shared_buffers: '512MB',
    max_wal_size: '4GB',
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

/** `dir/data`, or a folder that `dir/data-is-at.txt` names when the account cannot reach `dir`. */
function dataFolder(dir: string, account: Account | undefined): string {
  const elsewhere = dataElsewhere(dir);
  if (elsewhere !== undefined) return elsewhere;
  const inside = join(dir, 'data');
  if (account === undefined) return inside;
  makeFor(account, inside);
  if (mayUse(inside, account)) return inside;
  rmSync(inside, { recursive: true });
  const open = join(openPlaceFor(dir), 'data');
  const reason = `PostgreSQL runs as another account (uid ${account.uid}), which cannot enter ${dir}.`;
  writeFileSync(join(dir, NOTE), `${open}\n${reason}\n`);
  return open;
}

function dataElsewhere(dir: string): string | undefined {
  const note = join(dir, NOTE);
  return existsSync(note) ? readFileSync(note, 'utf8').split('\n')[0] : undefined;
}

function makeFor(account: Account | undefined, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account) chownSync(folder, account.uid, account.gid);
}

/**
 * The password is written last: data without one is what an interrupted set-up left, or a checkout
 * that was removed since.
 */
function initialise(dir: string, data: string, account: Account | undefined): string {
  rmSync(data, { recursive: true, force: true });
  makeFor(account, data);
  const password = randomBytes(24).toString('hex');
  const handed = join(data, '..', `handed-${process.pid}`);
  writeFileSync(handed, password, { mode: 0o600 });
  if (account) chownSync(handed, account.uid, account.gid);
  try {
    const run = spawnSync(
      join(postgresBinaries(account), 'initdb'),
      [
        '-D',
        data,
        '-U',
        SUPERUSER,
        `--pwfile=${handed}`,
        '--auth=scram-sha-256',
        '--data-checksums',
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
      ],
      {
        cwd: '/',
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin', LANG: 'C', TZ: 'UTC' },
        ...(account ?? {}),
      },
    );
    if (run.status !== 0)
      throw new Error(`initdb failed in ${data}: ${run.error?.message ?? run.stderr}`);
  } finally {
    rmSync(handed, { force: true });
  }
  writeFileSync(join(dir, 'password'), password, { mode: 0o600 });
  return password;
}

/** Removes a stopped server's folder, and its data when they lie elsewhere. */
export function removePostgres(dir: string): void {
  const data = dataElsewhere(resolve(dir));
  if (data !== undefined) rmSync(dirname(data), { recursive: true, force: true });
  rmSync(dir, { recursive: true, force: true });
}
