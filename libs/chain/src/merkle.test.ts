import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leafOf, nodeOf } from './hashes.ts';
import { type Edge, edgeCounts, MerkleEdge, RADIX } from './merkle.ts';
import { consistencyProof, inclusionProof, isConsistent, type NodeSource, rootAt, rootByInclusion } from './merkle-proof.ts';

/** RFC 6962, 2.1, word for word. */
function mth(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeOf(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, n) => leafOf(`entry ${n}`));

/** A tree grown leaf by leaf, its kept nodes, and what it was read for. */
function grown(leaves: readonly Buffer[]) {
  const edge = new MerkleEdge();
  const kept = new Map<string, Buffer>(leaves.map((leaf, n) => [`0 ${n}`, leaf]));
  for (const leaf of leaves)
    for (const { level, index, hash } of edge.append(leaf)) kept.set(`${level} ${index}`, hash);
  let read = 0;
  const source: NodeSource = {
    async read(runs) {
      return runs.map(({ level, first, count }) =>
        Array.from({ length: count }, (_, n) => {
          read += 1;
          return kept.get(`${level} ${first + n}`)!;
        }),
      );
    },
  };
  const edgeAt = (size: number): Edge =>
    edgeCounts(size).map((count, level) => {
      const complete = Math.floor(size / RADIX ** level);
      return Array.from({ length: count }, (_, n) => kept.get(`${level} ${complete - count + n}`)!);
    });
  return { edge, source, edgeAt, reads: () => read };
}

test('the root is that of RFC 6962 at every size', async () => {
  const leaves = leavesOf(300);
  const { source } = grown(leaves);
  for (let size = 0; size <= leaves.length; size += 1) {
    const root = mth(leaves.slice(0, size));
    expect(grown(leaves.slice(0, size)).edge.root()).toEqual(root);
    expect(await rootAt(source, size)).toEqual(root);
  }
});

test('an entry is proven to every later root, and nothing else is', async () => {
  const leaves = leavesOf(700);
  const { source } = grown(leaves);
  const place = fc.integer({ min: 1, max: leaves.length }).chain((size) => fc.tuple(fc.nat(size - 1), fc.constant(size)));
  await fc.assert(
    fc.asyncProperty(place, fc.nat(), async ([index, size], other) => {
      const path = await inclusionProof(source, index, size);
      const at = { index, leaves: size, path };
      const root = mth(leaves.slice(0, size));
      expect(rootByInclusion(leaves[index]!, at)).toEqual(root);
      expect(rootByInclusion(leafOf('another'), at)).not.toEqual(root);
      const elsewhere = other % size;
      if (elsewhere !== index) expect(rootByInclusion(leaves[index]!, { ...at, index: elsewhere })).not.toEqual(root);
      expect(rootByInclusion(leaves[index]!, { ...at, path: [...path, path[0] ?? root] })).toBeUndefined();
      if (path.length > 0) expect(rootByInclusion(leaves[index]!, { ...at, path: path.slice(1) })).not.toEqual(root);
    }),
    { numRuns: 300 },
  );
});

test('a later head only added to an earlier one, or no proof holds', async () => {
  const leaves = leavesOf(600);
  const { source } = grown(leaves);
  const sizes = fc.tuple(fc.nat(leaves.length), fc.nat(leaves.length)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  await fc.assert(
    fc.asyncProperty(sizes, async ([before, after]) => {
      const older = { leaves: before, root: mth(leaves.slice(0, before)) };
      const newer = { leaves: after, root: mth(leaves.slice(0, after)) };
      const proof = await consistencyProof(source, before, after);
      expect(isConsistent(older, newer, proof)).toBe(true);
      if (before === 0) return;
      expect(isConsistent({ ...older, root: leafOf('another') }, newer, proof)).toBe(false);
      expect(isConsistent(older, { ...newer, root: leafOf('another') }, proof)).toBe(false);
      if (before < after) expect(isConsistent(older, newer, proof.slice(1))).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('a tree goes on from what its edge was', () => {
  const leaves = leavesOf(5_000);
  const { edge, edgeAt } = grown(leaves);
  for (const size of [0, 1, 15, 16, 17, 255, 256, 300, 4_095, 4_096, 4_999]) {
    const resumed = new MerkleEdge(size, edgeAt(size));
    expect(resumed.root(), `of ${size}`).toEqual(mth(leaves.slice(0, size)));
    for (const leaf of leaves.slice(size)) resumed.append(leaf);
    expect(resumed.root()).toEqual(edge.root());
  }
  expect(() => new MerkleEdge(3, [[leaves[0]!]])).toThrow('this is not the edge of 3 leaves');
});

test('a proof reads a few nodes of each level, whatever the size', async () => {
  const { source, reads } = grown(leavesOf(5_000));
  const before = reads();
  await inclusionProof(source, 2_345, 4_999);
  expect(reads() - before).toBeLessThanOrEqual(2 * RADIX * 4);
});
