import { hash } from 'node:crypto';
import { isInHex, takeHex } from './line-bytes.ts';

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

/** SHA-256 into a place that is there: byte by byte, for a call of `write` would take three times as long. */
function hashInto(into: Buffer, at: number, bytes: Uint8Array): void {
  const digest = hash('sha256', bytes, 'binary');
  for (let n = 0; n < HASH_BYTES; n += 1) into[at + n] = digest.charCodeAt(n);
}

let scratch = Buffer.alloc(64 * 1024);

/** SHA-256(0x00‖entry) of an entry's stored text, or of its UTF-8 bytes. */
export function leafOf(entry: string | Uint8Array): Buffer {
  const most = 1 + (typeof entry === 'string' ? entry.length * 3 : entry.length);
  if (scratch.length < most) scratch = Buffer.alloc(most * 2);
  scratch[0] = LEAF;
  if (typeof entry === 'string') return sha256(scratch.subarray(0, 1 + scratch.write(entry, 1)));
  scratch.set(entry, 1);
  return sha256(scratch.subarray(0, most));
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

/**
 * A chain that is read on, entry after entry: `leafOf` and `linkOf` of what lies in a line, without anything new to allocate.
 * `leaf` and `link` are those of the entry that was offered last; `take` lets the chain go on there.
 */
export class Linking {
  private readonly hashed = Buffer.alloc(1 + 2 * HASH_BYTES, PAIR);
  private readonly next = Buffer.alloc(HASH_BYTES);
  /** Where the chain is. */
  readonly head: Buffer = this.hashed.subarray(1, 1 + HASH_BYTES);
  readonly leaf: Buffer = this.hashed.subarray(1 + HASH_BYTES);

  constructor(head: Uint8Array) {
    this.head.set(head);
  }

  /**
   * Whether the entry from one byte of a line to another has the leaf that stands in it at `leafAt`.
   * The byte before the entry makes room for the prefix while it is hashed.
   */
  offer(line: Buffer, [from, to]: readonly [number, number], leafAt: number): boolean {
    const before = line[from - 1]!;
    line[from - 1] = LEAF;
    hashInto(this.leaf, 0, line.subarray(from - 1, to));
    line[from - 1] = before;
    return isInHex(line, leafAt, this.leaf);
  }

  /** As if the entry had this leaf: somebody else hashes it. False for what is no hash in hex. */
  trust(line: Buffer, leafAt: number): boolean {
    return takeHex(line, leafAt, this.leaf, HASH_BYTES);
  }

  /** Whether that entry's link is the one that stands in the line at `linkAt`. */
  isLinked(line: Buffer, linkAt: number): boolean {
    hashInto(this.next, 0, this.hashed);
    return isInHex(line, linkAt, this.next);
  }

  take(): void {
    for (let n = 0; n < HASH_BYTES; n += 1) this.head[n] = this.next[n]!;
  }
}

/**
 * A row of so many nodes, a power of two, and room for all that is made of them. Two nodes that
 * belong together stand behind the prefix of their pair, so that they are hashed where they lie.
 */
export class Row {
  private readonly bytes: Buffer;
  /** Of each pair of the row, then of each pair of the row above it, up to the one pair of the last. */
  private readonly pairs: readonly Buffer[];
  private readonly size: number;

  constructor(size: number) {
    this.size = size;
    this.bytes = Buffer.alloc((size - 1) * PAIR_BYTES, PAIR);
    this.pairs = Array.from({ length: size - 1 }, (_, n) => this.bytes.subarray(n * PAIR_BYTES, (n + 1) * PAIR_BYTES));
  }

  private place(n: number): number {
    return (n >> 1) * PAIR_BYTES + 1 + (n & 1) * HASH_BYTES;
  }

  set(n: number, node: Uint8Array): void {
    const at = this.place(n);
    for (let k = 0; k < HASH_BYTES; k += 1) this.bytes[at + k] = node[k]!;
  }

  get(n: number): Buffer {
    return this.bytes.subarray(this.place(n), this.place(n) + HASH_BYTES);
  }

  /** The node above all of them. */
  top(): Buffer {
    const last = this.pairs.length - 1;
    for (let n = 0; n < last; n += 1) {
      hashInto(this.bytes, this.place(this.size + n), this.pairs[n]!);
    }
    return sha256(this.pairs[last]!);
  }
}

const PAIR_BYTES = 1 + 2 * HASH_BYTES;

const BLOCK_BYTES = 64;
const INNER = 0x36;
const OUTER = 0x5c;
let inner = Buffer.alloc(64 * 1024);
/** What of it was hashed last: many texts have one length. */
let keyed = inner;
const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);

/**
 * HMAC-SHA-256(salt, private text), hex: all that an entry says of its private part. The salt has
 * at most 64 bytes. (Two plain hashes: `createHmac` takes several times as long.)
 */
export function macOf(salt: Uint8Array, text: string | Uint8Array): string {
  if (salt.length > BLOCK_BYTES) throw new RangeError(`a salt of ${salt.length} bytes`);
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  reserve(bytes.length);
  inner.set(salt);
  inner.set(bytes, BLOCK_BYTES);
  return macInside(salt.length, bytes.length);
}

/** The same of a text where it lies in a line, under a salt that lies in it in hex. '' for what is no hex. */
export function macWithin(line: Buffer, salt: readonly [number, number], [from, to]: readonly [number, number]): string {
  const saltBytes = (salt[1] - salt[0]) / 2;
  if (!Number.isInteger(saltBytes) || saltBytes > BLOCK_BYTES) return '';
  reserve(to - from);
  if (!takeHex(line, salt[0], inner, saltBytes)) return '';
  line.copy(inner, BLOCK_BYTES, from, to);
  return macInside(saltBytes, to - from);
}

function reserve(textBytes: number): void {
  if (inner.length < BLOCK_BYTES + textBytes) inner = Buffer.alloc((BLOCK_BYTES + textBytes) * 2);
}

/** Of what lies in `inner`: the salt, and behind a block's length the text. */
function macInside(saltBytes: number, textBytes: number): string {
  for (let n = 0; n < saltBytes; n += 1) {
    const byte = inner[n]!;
    inner[n] = byte ^ INNER;
    outer[n] = byte ^ OUTER;
  }
  for (let n = saltBytes; n < BLOCK_BYTES; n += 1) {
    inner[n] = INNER;
    outer[n] = OUTER;
  }
  if (keyed.length !== BLOCK_BYTES + textBytes || keyed.buffer !== inner.buffer) keyed = inner.subarray(0, BLOCK_BYTES + textBytes);
  hashInto(outer, BLOCK_BYTES, keyed);
  return hash('sha256', outer, 'hex');
}
