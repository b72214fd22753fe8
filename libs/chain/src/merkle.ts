import { nodeOf, Row, sha256 } from './hashes.ts';

/**
 * The Merkle tree over the leaves of one ledger (RFC 6962, 2.1), for its two uses: growing it leaf
 * by leaf with a memory of its right edge only, and (`merkle-proof.ts`) proving what is in it.
 *
 * Of its nodes those are kept whose level is a multiple of 4: one for every 16, 256, 4096 … leaves.
 * What lies between is made of at most 16 of them when it is needed.
 */
export const RADIX = 16;
export const RADIX_LEVELS = 4;

/** A complete node: `level` 0 are the leaves; node `index` of level `l` covers 16^l leaves. */
export interface KeptNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Buffer;
}

/** By level: the complete nodes that no node of the next level covers yet, fewer than 16 of each. */
export type Edge = readonly (readonly Uint8Array[])[];

/** How many nodes an edge holds at each level when the tree has so many leaves. */
export function edgeCounts(leaves: number): number[] {
  const counts: number[] = [];
  for (let left = leaves; left > 0; left = Math.floor(left / RADIX)) counts.push(left % RADIX);
  return counts;
}

export class MerkleEdge {
  /** For each level the nodes that are not covered yet, one behind the other. */
  private readonly levels: { readonly nodes: Row; count: number }[] = [];
  private count: number;

  /** `edge` is what a tree of so many leaves left; by default an empty tree. */
  constructor(leaves = 0, edge: Edge = []) {
    this.count = leaves;
    const counts = edgeCounts(leaves);
    if (counts.some((wanted, level) => (edge[level]?.length ?? 0) !== wanted))
      throw new RangeError(`this is not the edge of ${leaves} leaves`);
    // A level below others may be empty: of 16 leaves there is one node above them, and none of them is left.
    for (const [level, nodes] of edge.entries()) {
      this.levels[level] = { nodes: new Row(RADIX), count: 0 };
      for (const node of nodes) this.put(level, node);
    }
  }

  get leaves(): number {
    return this.count;
  }

  /** Adds a leaf; returns the nodes above the leaves that it completes. */
  append(leaf: Uint8Array): readonly KeptNode[] {
    this.count += 1;
    return this.put(0, leaf) < RADIX ? NONE : this.raise(0);
  }

  /** Keeps a node; returns how many its level has. */
  private put(level: number, node: Uint8Array): number {
    const at = (this.levels[level] ??= { nodes: new Row(RADIX), count: 0 });
    at.nodes.set(at.count, node);
    at.count += 1;
    return at.count;
  }

  private raise(level: number): KeptNode[] {
    const full = this.levels[level]!;
    const hash = full.nodes.top();
    full.count = 0;
    const node = { level: level + 1, index: this.count / RADIX ** (level + 1) - 1, hash };
    return this.put(level + 1, hash) < RADIX ? [node] : [node, ...this.raise(level + 1)];
  }

  /** The root over all leaves so far; of none, SHA-256 of nothing. */
  root(): Buffer {
    return rootOf(this.levels.toReversed().flatMap(({ nodes, count }) => perfectParts(nodes, count)));
  }
}

const NONE: readonly KeptNode[] = [];

/** The perfect subtrees of fewer than 16 equal nodes, the larger first. */
function perfectParts(nodes: Row, count: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let size = RADIX / 2; size >= 1; size /= 2) {
    if ((count & size) === 0) continue;
    parts.push(perfect(Array.from({ length: size }, (_, n) => nodes.get(from + n))));
    from += size;
  }
  return parts;
}

/** The node above a power of two of equal nodes, at most 16. */
export function perfect(nodes: readonly Uint8Array[]): Buffer {
  if (nodes.length === 1) return Buffer.from(nodes[0]!);
  const row = new Row(nodes.length);
  for (const [n, node] of nodes.entries()) row.set(n, node);
  return row.top();
}

/** Joins perfect subtrees, the larger first, as RFC 6962 splits what is no power of two. */
export function rootOf(parts: readonly Uint8Array[]): Buffer {
  if (parts.length === 0) return sha256(new Uint8Array(0));
  return parts.reduceRight((right, left) => nodeOf(left, right)) as Buffer;
}
