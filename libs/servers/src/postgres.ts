import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openPlaceFor } from './places.ts';
import { mayUse, type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { type Account, freePort, givenServer, isRunning, launch, type Server, tail, until } from './server.ts';

export interface PostgresOptions {
  /** Holds the data, the password and the log; made when absent, taken up again when present. */
  readonly dir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default true. False switches fsync off: a crash of the machine may lose the data. */
  readonly durable?: boolean;
}

const SUPERUSER = 'roamwatt';

/** The server at `url` when one is given, else a private one. */
export async function postgresFor(url: string | undefined, options: PostgresOptions): Promise<Server> {
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
  mkdirSync(dir, { recursive: true });
  const account = serverAccount();
  const data = dataFolder(dir, account);
  const present = existsSync(join(data, 'PG_VERSION'));
  const binaries = postgresBinaries(account, present ? Number(readFileSync(join(data, 'PG_VERSION'), 'utf8')) : undefined);
  const password = present ? readFileSync(join(dir, 'password'), 'utf8') : initialise(binaries, { dir, data, account });
  await releaseLock(data);

  const log = join(dir, 'postgres.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? await freePort();
    const server = await launch({
      command: join(binaries.bin, 'postgres'),
      args: settings(data, port, options.durable ?? true),
      cwd: data, log, account,
    });
    const state = await until(() => (server.ended() ? 'ended' : isReady(data, server.pid) ? 'ready' : undefined), 60_000,
      () => `PostgreSQL is not ready after 60 s:\n${tail(log)}`);
    if (state === 'ready') {
      const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
      return { url, pid: server.pid, port, log, stop: () => server.stop() };
    }
    const taken = /could not create any TCP\/IP sockets|could not bind/.test(tail(log));
    if (options.port !== undefined || !taken || attempt === 5) {
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
  return ['-D', data, ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
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

/** `dir/data`, or a folder elsewhere, named in `dir/data-is-at.txt`, when the account cannot reach `dir`. */
function dataFolder(dir: string, account: Account | undefined): string {
  const note = join(dir, 'data-is-at.txt');
  if (existsSync(note)) {
    const elsewhere = readFileSync(note, 'utf8').split('\n')[0] ?? '';
    if (existsSync(elsewhere)) return elsewhere;
  }
  const inside = join(dir, 'data');
  if (account === undefined) return inside;
  mkdirSync(inside, { recursive: true, mode: 0o700 });
  chownSync(inside, account.uid, account.gid);
  if (mayUse(inside, account)) return inside;
  rmSync(inside, { recursive: true });
  const elsewhere = join(openPlaceFor(dir), 'data');
  mkdirSync(elsewhere, { recursive: true, mode: 0o700 });
  chownSync(elsewhere, account.uid, account.gid);
  writeFileSync(note, `${elsewhere}\nPostgreSQL runs as another account (uid ${account.uid}), which cannot enter ${dir}.\n`);
  return elsewhere;
}

function initialise(binaries: PostgresBinaries, place: { dir: string; data: string; account: Account | undefined }): string {
  const { data, account } = place;
  const password = randomBytes(24).toString('hex');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const handed = join(data, '..', `handed-${process.pid}`);
  writeFileSync(handed, password, { mode: 0o600 });
  if (account) chownSync(handed, account.uid, account.gid);
  try {
    const run = spawnSync(join(binaries.bin, 'initdb'), [
      '-D', data, '-U', SUPERUSER, `--pwfile=${handed}`, '--auth=scram-sha-256', '--data-checksums',
      '--encoding=UTF8', '--locale=C', '--no-instructions',
    ], { cwd: '/', encoding: 'utf8', env: { PATH: '/usr/bin:/bin', LANG: 'C', TZ: 'UTC' }, ...(account ?? {}) });
    if (run.status !== 0) throw new Error(`initdb failed in ${data}: ${run.error?.message ?? run.stderr}`);
  } finally {
    rmSync(handed, { force: true });
  }
  writeFileSync(join(place.dir, 'password'), password, { mode: 0o600 });
  return password;
}

/**
 * A postmaster.pid of a run before: waits while that server still stops (its watchdog needs a
 * moment after `kill -9`), refuses when it stays, and removes a stale file whose number now belongs
 * to some other process, at which PostgreSQL would refuse to start.
 */
async function releaseLock(data: string): Promise<void> {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number(readFileSync(lock, 'utf8').split('\n')[0]);
  await until(() => (isRunning(pid, 'postgres', data) ? undefined : true), 20_000,
    () => `${data} is in use by PostgreSQL process ${pid}: another run of Roamwatt with the same folder.`);
  rmSync(lock, { force: true });
}

/** For diagnostics: the version text of the binaries in `bin`. */
export function postgresVersion(bin: string): string {
  return execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).trim();
}
