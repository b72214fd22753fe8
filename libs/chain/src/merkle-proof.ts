import { nodeOf } from './hashes.ts';
import { perfect, RADIX_LEVELS, rootOf } from './merkle.ts';

/** Where the kept nodes and the leaves (level 0) of a tree lie. */
export interface NodeSource {
  /** `count` nodes of a level from `first` on, in order, for each run. */
  read(runs: readonly Run[]): Promise<readonly (readonly Uint8Array[])[]>;
}

export interface Run {
  /** As `KeptNode.level`. */
  readonly level: number;
  readonly first: number;
  readonly count: number;
}

/** The leaves `from` (inclusive, from 0) to `to` (exclusive). */
type Span = readonly [from: number, to: number];

/** The root over the first so many leaves. */
export async function rootAt(source: NodeSource, leaves: number): Promise<Buffer> {
  return (await hashesOf(source, [[0, leaves]]))[0]!;
}

/**
 * The proof that leaf `index` (from 0) is among the first `leaves`: RFC 6962, 2.1.1. It is read in
 * one call of the source, of at most 32 nodes for each level.
 */
export function inclusionProof(source: NodeSource, index: number, leaves: number): Promise<Buffer[]> {
  if (index < 0 || index >= leaves) throw new RangeError(`leaf ${index} of ${leaves}`);
  return hashesOf(source, path(index, [0, leaves]));
}

/** The proof that the first `older` leaves of the tree of `leaves` are as they were: 2.1.2. */
export function consistencyProof(source: NodeSource, older: number, leaves: number): Promise<Buffer[]> {
  if (older < 0 || older > leaves) throw new RangeError(`${older} of ${leaves} leaves`);
  if (older === 0 || older === leaves) return Promise.resolve([]);
  return hashesOf(source, subproof(older, [0, leaves], true));
}

function path(index: number, [from, to]: Span): Span[] {
  if (to - from === 1) return [];
  const middle = from + largestPowerBelow(to - from);
  return index < middle
    ? [...path(index, [from, middle]), [middle, to]]
    : [...path(index, [middle, to]), [from, middle]];
}

function subproof(older: number, [from, to]: Span, isWhole: boolean): Span[] {
  if (older === to) return isWhole ? [] : [[from, to]];
  const middle = from + largestPowerBelow(to - from);
  return older <= middle
    ? [...subproof(older, [from, middle], isWhole), [middle, to]]
    : [...subproof(older, [middle, to], false), [from, middle]];
}

function largestPowerBelow(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1));
}

async function hashesOf(source: NodeSource, spans: readonly Span[]): Promise<Buffer[]> {
  const runs = spans.map(perfectRuns);
  const nodes = await source.read(runs.flat());
  let next = 0;
  return runs.map((of) => rootOf(of.map(() => perfect(nodes[next++]!))));
}

/** The perfect subtrees of a span, the larger first, each as the kept nodes that it is made of. */
function perfectRuns([from, to]: Span): Run[] {
  const runs: Run[] = [];
  for (let at = from; at < to;) {
    const log = Math.floor(Math.log2(to - at));
    const level = Math.floor(log / RADIX_LEVELS);
    const covers = 2 ** (level * RADIX_LEVELS);
    runs.push({ level, first: at / covers, count: 2 ** log / covers });
    at += 2 ** log;
  }
  return runs;
}

export interface Inclusion {
  /** From 0. */
  readonly index: number;
  readonly leaves: number;
  readonly path: readonly Uint8Array[];
}

/** The root that a leaf and its path lead to (RFC 9162, 2.1.3.2); undefined for a malformed path. */
export function rootByInclusion(leaf: Uint8Array, { index, leaves, path }: Inclusion): Buffer | undefined {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leaves) return undefined;
  let [at, last] = [index, leaves - 1];
  let hash: Uint8Array = leaf;
  for (const sibling of path) {
    if (last === 0 || sibling.length !== leaf.length) return undefined;
    if (at % 2 === 1 || at === last) {
      hash = nodeOf(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else {
      hash = nodeOf(hash, sibling);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? (hash as Buffer) : undefined;
}

/** A tree's root when it had so many leaves. */
export interface TreeHead {
  readonly leaves: number;
  readonly root: Uint8Array;
}

/** Whether `newer` only added to `older` (RFC 9162, 2.1.4.2). */
export function isConsistent(older: TreeHead, newer: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (older.leaves > newer.leaves) return false;
  if (older.leaves === newer.leaves) return proof.length === 0 && same(older.root, newer.root);
  if (older.leaves === 0) return proof.length === 0;
  const isPower = Number.isInteger(Math.log2(older.leaves));
  const [start, ...rest] = isPower ? [older.root, ...proof] : proof;
  if (start === undefined) return false;
  let [at, last] = [older.leaves - 1, newer.leaves - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let [before, after] = [start, start];
  for (const node of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      before = nodeOf(node, before);
      after = nodeOf(node, after);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else {
      after = nodeOf(after, node);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && same(before, older.root) && same(after, newer.root);
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
