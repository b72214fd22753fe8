import { randomBytes } from 'node:crypto';
import {
  chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The folder of the checkout: the nearest one above this file whose package.json is roamwatt's. */
export function checkoutRoot(): string {
  for (let dir = import.meta.dirname; dir !== dirname(dir); dir = dirname(dir)) {
    const manifest = join(dir, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'roamwatt')
      return dir;
  }
  throw new Error(`No package.json of roamwatt above ${import.meta.dirname}.`);
}

/** `.roamwatt/` of the checkout: private servers, their data, downloaded binaries. */
export function stateRoot(): string {
  return join(checkoutRoot(), '.roamwatt');
}

/**
 * `.roamwatt/<name>`, made when absent. Other accounts may pass through it, not list it: as root the
 * database server runs as another account. What is secret in it needs a mode of its own.
 */
export function stateFolder(name: string): string {
  const folder = join(stateRoot(), name);
  for (const each of [stateRoot(), folder]) makePassable(each);
  return folder;
}

export function makePassable(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const { mode, uid } = statSync(folder);
  if (uid === process.getuid?.() && (mode & 0o011) !== 0o011) chmodSync(folder, (mode & 0o777) | 0o011);
}

const KEPT = '/var/lib/roamwatt';
const PASSING = '/var/tmp';
const MEMORY = '/dev/shm';
/** What a whole run keeps there at a time is a fraction of it. */
const ROOM_BYTES = 4 * 1024 ** 3;
const passingPrefix = (): string => `roamwatt-${process.getuid?.() ?? 0}-passing-`;
const OWNER = 'belongs-to';

/**
 * A new folder outside the checkout, for data of `dir` that lie where the server's account cannot
 * go. Nothing ever removes it but a person; its file belongs-to says whose it is.
 */
export function keptPlaceFor(dir: string, base = KEPT): string {
  mkdirSync(base, { recursive: true, mode: 0o755 });
  return newPlace(join(base, randomBytes(6).toString('hex')), dir);
}

/** The same for data of a test or a demo: a later run removes it once `dir` is gone. */
export function passingPlaceFor(dir: string): string {
  return newPlace(join(PASSING, passingPrefix() + randomBytes(6).toString('hex')), dir);
}

/** A passing place in the machine's memory; undefined where there is little of it, or what lies there cannot be run. */
export function memoryPlaceFor(dir: string): string | undefined {
  const isMemory = /^\S+ \/dev\/shm tmpfs (?!\S*noexec)/m.test(readFileSync('/proc/mounts', 'utf8'));
  if (!isMemory) return undefined;
  const { bavail, bsize } = statfsSync(MEMORY);
  if (bavail * bsize < ROOM_BYTES) return undefined;
  return newPlace(join(MEMORY, passingPrefix() + randomBytes(6).toString('hex')), dir);
}

/** Any account may pass through it. It must be new: others, too, may write where it lies. */
function newPlace(place: string, dir: string): string {
  mkdirSync(place, { mode: 0o711 });
  chmodSync(place, 0o711);
  setOwner(place, dir);
  return place;
}

export function ownerOf(place: string): string {
  const file = join(place, OWNER);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}

export function setOwner(place: string, dir: string): void {
  writeFileSync(join(place, OWNER), `${dir}\n`, { mode: 0o600 });
}

export function isPassing(place: string): boolean {
  return [PASSING, MEMORY].includes(dirname(place)) && basename(place).startsWith(passingPrefix());
}

/** Removes the places of tests and demos whose folder is gone; kept ones never have such a name. */
export function forgetPassingPlaces(): void {
  for (const place of [PASSING, MEMORY].flatMap(placesIn)) {
    try {
      // A server that still stops has its lock file; a later run removes the folder then.
      if (!isPassing(place) || existsSync(join(place, 'data/postmaster.pid'))) continue;
      const owner = ownerOf(place);
      if (lstatSync(place).uid !== process.getuid?.() || owner === '' || existsSync(owner)) continue;
      rmSync(place, { recursive: true, force: true });
    } catch {
      // Another run removes it.
    }
  }
}

function placesIn(base: string): string[] {
  return existsSync(base) ? readdirSync(base).map((name) => join(base, name)) : [];
}
