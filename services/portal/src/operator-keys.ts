import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a given key is one of these: all are compared, each in constant time. */
export function operatorKeys(keys: readonly string[]): (given: string) => boolean {
  const digest = (key: string) => createHash('sha256').update(key).digest();
  const known = keys.map(digest);
  return (given) => {
    const hash = digest(given);
    return known.reduce((found, key) => timingSafeEqual(key, hash) || found, false);
  };
}
