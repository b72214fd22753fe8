import { randomFillSync } from 'node:crypto';

const RANDOM_BYTES = 8;
const pool = Buffer.alloc(RANDOM_BYTES * 256);
let used = pool.length;
let lastMs = 0;
let count = 0;

/**
 * A new UUID (version 7, RFC 9562) that is larger than those made before it: when it was made, in milliseconds, a count
 * within them, and 62 random bits. Rows that are written one after the other then lie side by side in its index, where
 * those of random ones are each on a page of their own. It says when it was made: none for what must not be guessed.
 */
export function timeUuid(nowMs = Date.now()): string {
  count += 1;
  // A clock that is set back, or more in a millisecond than can be counted: the next one is begun before it is there.
  if (nowMs > lastMs || count > 0xfff) {
    lastMs = Math.max(nowMs, lastMs + 1);
    count = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const random = randomHex();
  const variant = '89ab'[random.charCodeAt(0) & 3]!;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count.toString(16).padStart(3, '0')}-${variant}${random.slice(1, 4)}-${random.slice(4)}`;
}

function randomHex(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES;
  return pool.toString('hex', used - RANDOM_BYTES, used);
}
