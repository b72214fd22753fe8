import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isPassing, keptPlaceFor, memoryPlaceFor, ownerOf, passingPlaceFor, setOwner } from './places.ts';
import { mayPass, postgresBinaries } from './postgres-binaries.ts';
import type { Account } from './server.ts';

/** Where a server's data are, and as whom it runs. */
export interface Data {
  /** PostgreSQL's own folder. */
  readonly folder: string;
  /** Holds that folder: the server's, or a place outside when the account cannot go there. */
  readonly home: string;
  /** Absent: our own. */
  readonly account: Account | undefined;
}

export interface DataRules {
  /** False: nothing removes the data but a person. */
  readonly passing: boolean;
  /** Default false: on a disk. True: new data lie in memory, where there is enough of it. */
  readonly inMemory?: boolean;
  /** As whom a new server runs; absent: as we do. */
  readonly account: Account | undefined;
  /** Default /var/lib/roamwatt. */
  readonly keptIn?: string;
}

export const SUPERUSER = 'roamwatt';
const NOTE = 'data-is-at.txt';
const MAKING = 'making';
const PASSWORD = 'password';
const NEXT_PASSWORD = 'password-of-new-data';

/** The data of the server in `dir`, or where they are to be made. Throws in a sentence; removes nothing. */
export function findData(dir: string, rules: DataRules): Data {
  const noted = notedFolder(dir);
  if (noted !== undefined) {
    takeUpPlace(dirname(noted), dir);
    return { folder: noted, home: dirname(noted), account: accountOf(noted, rules.account) };
  }
  const folder = join(dir, 'data');
  const account = accountOf(folder, rules.account);
  const memory = rules.inMemory && !existsSync(folder) ? memoryPlaceFor(realpathSync(dir)) : undefined;
  if (memory !== undefined) return placedIn(memory, { dir, account, why: 'They lie in memory: a crash of the machine may take them.' });
  if (account === undefined || mayPass(dir, account)) return { folder, home: dir, account };
  if (existsSync(folder)) {
    throw new Error(
      `The data are in ${folder}, but PostgreSQL runs as the account with the uid ${account.uid}, which cannot ` +
        `pass through all the folders above. Let it (chmod o+x, folder by folder), or move the checkout.`,
    );
  }
  const home = newHome(dir, rules, account);
  return placedIn(home, { dir, account, why: `PostgreSQL runs as another account (uid ${account.uid}), which cannot enter ${dir}.` });
}

function placedIn(home: string, { dir, account, why }: { dir: string; account: Account | undefined; why: string }): Data {
  const folder = join(home, 'data');
  writeFileSync(join(dir, NOTE), `${folder}\n${why}\n`);
  return { folder, home, account };
}

function newHome(dir: string, { passing, keptIn }: DataRules, account: Account): string {
  try {
    return passing ? passingPlaceFor(realpathSync(dir)) : keptPlaceFor(realpathSync(dir), keptIn);
  } catch (error) {
    throw new Error(
      `PostgreSQL runs as the account with the uid ${account.uid}, which cannot enter ${dir}, and there is no ` +
        `place outside (${(error as Error).message}). Move the checkout, or set DATABASE_URL.`,
    );
  }
}

function notedFolder(dir: string): string | undefined {
  const note = join(dir, NOTE);
  return existsSync(note) ? readFileSync(note, 'utf8').split('\n')[0] : undefined;
}

/** A checkout that was moved goes on with its data; a copy of one that still has them does not. */
function takeUpPlace(home: string, dir: string): void {
  if (!existsSync(home)) {
    throw new Error(
      `The data of ${dir} are in ${home}, which is not there. Bring it back (a disk that is not mounted?); ` +
        `to begin without the data, move ${dirname(dir)} away.`,
    );
  }
  const here = realpathSync(dir);
  const owner = ownerOf(home);
  if (owner === here) return;
  if (owner !== '' && notedFolder(owner) === join(home, 'data') && !sameFile(owner, here)) {
    throw new Error(
      `${home} holds the data of ${owner}, of which ${dir} is a copy: two platforms cannot share them. ` +
        `To begin with an empty database here, move ${dirname(dir)} away.`,
    );
  }
  setOwner(home, here);
}

function sameFile(one: string, other: string): boolean {
  const [a, b] = [statSync(one), statSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** Data are served by whom they belong to, whoever starts the server and whatever accounts came later. */
function accountOf(folder: string, otherwise: Account | undefined): Account | undefined {
  if (!existsSync(folder)) return otherwise;
  const { uid, gid } = statSync(folder);
  const own = process.getuid?.();
  if (own === 0) {
    if (uid !== 0) return { uid, gid };
    throw new Error(
      `${folder} belongs to root, as whom PostgreSQL does not run: chown -R ${otherwise?.uid ?? 'postgres'} ${folder}`,
    );
  }
  if (uid === own) return otherwise;
  throw new Error(`${folder} belongs to the account with the uid ${uid}: start as that account, or as root.`);
}

/** The superuser's password of the data; makes both when there are none. Never replaces data that are there. */
export function passwordOf(data: Data, dir: string): string {
  const file = join(dir, PASSWORD);
  const next = join(dir, NEXT_PASSWORD);
  const hasData = existsSync(join(data.folder, 'PG_VERSION'));
  if (!existsSync(file)) {
    if (!hasData) initialise(data, next);
    else if (!existsSync(next)) throw new Error(`${data.folder} has a database, but ${file} is not there: bring it back.`);
    renameSync(next, file);
  } else if (!hasData) {
    throw new Error(
      `${data.folder}, where the database was, has none any more. Bring it back (a disk that is not mounted?); ` +
        `to begin with an empty one, move ${dirname(dir)} away.`,
    );
  }
  return readFileSync(file, 'utf8');
}

/** Makes the data beside their place and moves them there whole: what is half made is never taken for data. */
function initialise({ folder, home, account }: Data, passwordFile: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Error(`${folder} is not empty, and holds no database: move it away.`);
  const making = join(home, MAKING);
  rmSync(making, { recursive: true, force: true });
  makeFor(account, making);
  const password = randomBytes(24).toString('hex');
  const handed = join(home, `handed-${process.pid}`);
  writeFileSync(handed, password, { mode: 0o600 });
  if (account) chownSync(handed, account.uid, account.gid);
  try {
    const initdb = join(postgresBinaries(account, home), 'initdb');
    const run = spawnSync(
      initdb,
      [
        '-D',
        making,
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
      throw new Error(`initdb failed in ${making}: ${run.error?.message ?? run.stderr}`);
  } finally {
    rmSync(handed, { force: true });
  }
  writeFileSync(passwordFile, password, { mode: 0o600 });
  renameSync(making, folder);
}

function makeFor(account: Account | undefined, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account) chownSync(folder, account.uid, account.gid);
}

/** The place outside that belongs to a passing server's folder: what goes when the folder goes. */
export function passingHome(dir: string): string | undefined {
  const home = dirname(notedFolder(dir) ?? '/nowhere');
  return isPassing(home) && ownerOf(home) === realpathSync(dir) ? home : undefined;
}
