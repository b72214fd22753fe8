import { randomFillSync } from 'node:crypto';

const SALT_BYTES = 32;
const drawn = Buffer.alloc(128 * SALT_BYTES);
let used = drawn.length;

/** 32 random bytes. Many are drawn at a time: a call for each costs more than its bytes. */
export function newSalt(): Uint8Array {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += SALT_BYTES;
  return Buffer.from(drawn.subarray(used - SALT_BYTES, used));
}
