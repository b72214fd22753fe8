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

/** Makes of a row of so many nodes, one behind the other, the row of half as many above them. */
export function halveRow(row: Buffer, count: number): void {
  for (let n = 0; n < count; n += 2) {
    row.copy(pair, 1, n * HASH_BYTES, (n + 2) * HASH_BYTES);
    row.write(hash('sha256', pair, 'binary'), (n / 2) * HASH_BYTES, 'binary');
  }
}

/**
 * A chain that is read on, entry after entry: `leafOf` and `linkOf` without anything new to allocate.
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
   * The leaf of the entry from one byte of a line to another, in hex. The byte before it makes room
   * for the prefix while it is hashed.
   */
  offer(line: Buffer, from: number, to: number): string {
    const before = line[from - 1]!;
    line[from - 1] = LEAF;
    this.leaf.write(hash('sha256', line.subarray(from - 1, to), 'binary'), 0, 'binary');
    line[from - 1] = before;
    return this.leaf.toString('hex');
  }

  /** As if the entry had this leaf: somebody else hashes it. False for what is no hash in hex. */
  trust(leafHex: string): boolean {
    return this.leaf.write(leafHex, 0, 'hex') === HASH_BYTES && leafHex.length === 2 * HASH_BYTES;
  }

  /** The link of that entry in hex. */
  link(): string {
    this.next.write(hash('sha256', this.hashed, 'binary'), 0, 'binary');
    return this.next.toString('hex');
  }

  take(): void {
    this.head.set(this.next);
  }
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
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  reserve(bytes.length);
  inner.set(salt);
  inner.set(bytes, BLOCK_BYTES);
  return macInside(salt.length, bytes.length);
}

/** The same of a text where it lies in a line, under a salt in hex. '' for what is no hex. */
export function macWithin(saltHex: string, line: Buffer, [from, to]: readonly [number, number]): string {
  reserve(to - from);
  const saltBytes = inner.write(saltHex, 0, 'hex');
  if (saltBytes * 2 !== saltHex.length || saltBytes > BLOCK_BYTES) return '';
  line.copy(inner, BLOCK_BYTES, from, to);
  return macInside(saltBytes, to - from);
}

function reserve(textBytes: number): void {
  if (inner.length < BLOCK_BYTES + textBytes) inner = Buffer.alloc((BLOCK_BYTES + textBytes) * 2);
}

/** Of what lies in `inner`: the salt, and behind a block's length the text. */
function macInside(saltBytes: number, textBytes: number): string {
  for (let n = 0; n < BLOCK_BYTES; n += 1) {
    const byte = n < saltBytes ? inner[n]! : 0;
    inner[n] = byte ^ INNER;
    outer[n] = byte ^ OUTER;
  }
  const digest = hash('sha256', inner.subarray(0, BLOCK_BYTES + textBytes), 'binary');
  outer.write(digest, BLOCK_BYTES, 'binary');
  return hash('sha256', outer, 'hex');
}
