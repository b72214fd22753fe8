import { hash } from 'node:crypto';

/**
 * The hashes of the ledger, all SHA-256, 32 bytes. A prefix tells a leaf from what is made of two
 * hashes, so that no entry ever passes for a link or a node (RFC 6962, 2.1).
 */
export function sha256(bytes: Uint8Array): Buffer {
  // As text, then as bytes: half of what it costs to be handed a Buffer.
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary');
}

const LEAF = 0;
const PAIR = 1;
const HASH_BYTES = 32;

let scratch = Buffer.alloc(64 * 1024);

/** SHA-256(0x00‖entry) of an entry's stored text, or of its UTF-8 bytes. */
export function leafOf(entry: string | Uint8Array): Buffer {
  return Buffer.from(leafHex(entry), 'hex');
}

/** SHA-256(0x01‖previous link‖leaf): the chain after this entry. */
export function linkOf(previous: Uint8Array, leaf: Uint8Array): Buffer {
  return nodeOf(previous, leaf);
}

const pair = Buffer.alloc(1 + 2 * HASH_BYTES, PAIR);

/** SHA-256(0x01‖left‖right): a node of the Merkle tree, as RFC 6962 has it. */
export function nodeOf(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** `leafOf` and `linkOf` in hex, for who has many to do: less to allocate. */
export function leafHex(entry: string | Uint8Array): string {
  const most = 1 + (typeof entry === 'string' ? entry.length * 3 : entry.length);
  if (scratch.length < most) scratch = Buffer.alloc(most * 2);
  scratch[0] = LEAF;
  if (typeof entry === 'string') return hash('sha256', scratch.subarray(0, 1 + scratch.write(entry, 1)), 'hex');
  scratch.set(entry, 1);
  return hash('sha256', scratch.subarray(0, most), 'hex');
}

export function linkHex(previous: string, leaf: string): string {
  pair.write(previous, 1, 'hex');
  pair.write(leaf, 1 + HASH_BYTES, 'hex');
  return hash('sha256', pair, 'hex');
}

const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;
let inner = Buffer.alloc(64 * 1024);
const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);

/**
 * HMAC-SHA-256(salt, private text), hex: all that an entry says of its private part. The salt has
 * at most 64 bytes. (Two plain hashes: `createHmac` takes several times as long.)
 */
export function macOf(salt: Uint8Array, text: string | Uint8Array): string {
  if (salt.length > BLOCK_BYTES) throw new RangeError(`a salt of ${salt.length} bytes`);
  const most = BLOCK_BYTES + (typeof text === 'string' ? text.length * 3 : text.length);
  if (inner.length < most) inner = Buffer.alloc(most * 2);
  inner.fill(INNER, 0, BLOCK_BYTES);
  outer.fill(OUTER, 0, BLOCK_BYTES);
  for (let n = 0; n < salt.length; n += 1) {
    inner[n] = salt[n]! ^ INNER;
    outer[n] = salt[n]! ^ OUTER;
  }
  const bytes =
    typeof text === 'string' ? inner.write(text, BLOCK_BYTES) : (inner.set(text, BLOCK_BYTES), text.length);
  outer.write(hash('sha256', inner.subarray(0, BLOCK_BYTES + bytes), 'binary'), BLOCK_BYTES, 'binary');
  return hash('sha256', outer, 'hex');
}
