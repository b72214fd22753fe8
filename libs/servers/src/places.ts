import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
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

/**
 * A folder that any account may pass through, private to this account and to `path`: for servers
 * that run as another account and cannot reach a checkout under a closed folder such as a home.
 */
export function openPlaceFor(path: string): string {
  const uid = process.getuid?.() ?? 0;
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 12);
  const place = `/var/tmp/roamwatt-${uid}-${digest}`;
  mkdirSync(place, { mode: 0o711, recursive: true });
  const found = lstatSync(place);
  // The parent is world-writable: somebody else's folder or link by that name is not ours to use.
  if (!found.isDirectory() || found.uid !== uid)
    throw new Error(`${place} belongs to another account.`);
  return place;
}
