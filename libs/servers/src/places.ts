import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

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

const OPEN = '/var/tmp';

/**
 * A folder that any account may pass through, private to this account and to `path`: for servers
 * that run as another account and cannot reach a checkout under a closed folder such as a home.
 * Folders of this kind whose `path` is gone are removed.
 */
export function openPlaceFor(path: string, version = ''): string {
  const uid = process.getuid?.() ?? 0;
  forgetPlacesOf(uid);
  const digest = createHash('sha256').update(`${path}\0${version}`).digest('hex').slice(0, 12);
  const place = join(OPEN, `roamwatt-${uid}-${digest}`);
  mkdirSync(place, { mode: 0o711, recursive: true });
  const found = lstatSync(place);
  // The parent is world-writable: somebody else's folder or link by that name is not ours to use.
  if (!found.isDirectory() || found.uid !== uid) {
    throw new Error(`${place} belongs to another account.`);
  }
  writeFileSync(join(place, 'belongs-to'), path, { mode: 0o600 });
  return place;
}

function forgetPlacesOf(uid: number): void {
  for (const name of readdirSync(OPEN)) {
    if (!name.startsWith(`roamwatt-${uid}-`)) continue;
    const place = join(OPEN, name);
    try {
      // A server that still stops has its lock file; a later run removes the folder then.
      const isIdle = !existsSync(join(place, 'data/postmaster.pid'));
      const isOurs = lstatSync(place).uid === uid;
      if (isOurs && isIdle && !existsSync(readFileSync(join(place, 'belongs-to'), 'utf8'))) {
        rmSync(place, { recursive: true, force: true });
      }
    } catch {
      // Another run removes it, or is just making it.
    }
  }
}
