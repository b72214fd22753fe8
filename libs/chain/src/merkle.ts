import { nodeOf, sha256 } from './hashes.ts';

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
  private readonly levels: Uint8Array[][];
  private count: number;

  /** `edge` is what a tree of so many leaves left; by default an empty tree. */
  constructor(leaves = 0, edge: Edge = []) {
    this.count = leaves;
    this.levels = edge.map((nodes) => [...nodes]);
    const counts = edgeCounts(leaves);
    if (counts.some((wanted, level) => (edge[level]?.length ?? 0) !== wanted))
      throw new RangeError(`this is not the edge of ${leaves} leaves`);
  }

  get leaves(): number {
    return this.count;
  }

  /** Adds a leaf; returns the nodes above the leaves that it completes. */
  append(leaf: Uint8Array): readonly KeptNode[] {
    this.count += 1;
    return this.push(0, leaf) ?? NONE;
  }

  private push(level: number, node: Uint8Array): KeptNode[] | undefined {
    const nodes = (this.levels[level] ??= []);
    nodes.push(node);
    if (nodes.length < RADIX) return undefined;
    const hash = perfect(nodes);
    this.levels[level] = [];
    const index = this.count / RADIX ** (level + 1) - 1;
    return [{ level: level + 1, index, hash }, ...(this.push(level + 1, hash) ?? NONE)];
  }

  /** The root over all leaves so far; of none, SHA-256 of nothing. */
  root(): Buffer {
    const parts = this.levels.toReversed().flatMap(perfectParts);
    return rootOf(parts);
  }
}

const NONE: readonly KeptNode[] = [];

/** The perfect subtrees of fewer than 16 equal nodes, the larger first. */
function perfectParts(nodes: readonly Uint8Array[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let size = RADIX / 2; size >= 1; size /= 2) {
    if ((nodes.length & size) === 0) continue;
    parts.push(perfect(nodes.slice(from, from + size)));
    from += size;
  }
  return parts;
}

/** The node above a power of two of equal nodes. */
export function perfect(nodes: readonly Uint8Array[]): Buffer {
  let row: readonly Uint8Array[] = nodes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let n = 0; n < row.length; n += 2) above.push(nodeOf(row[n]!, row[n + 1]!));
    row = above;
  }
  return row[0] as Buffer;
}

/** Joins perfect subtrees, the larger first, as RFC 6962 splits what is no power of two. */
export function rootOf(parts: readonly Uint8Array[]): Buffer {
  if (parts.length === 0) return sha256(new Uint8Array(0));
  return parts.reduceRight((right, left) => nodeOf(left, right)) as Buffer;
}
