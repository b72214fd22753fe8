import { type Edge, edgeCounts, type KeptNode, type NodeSource, RADIX, type Run, same } from '#chain';
import type { Queryable } from '#postgres';

/** A node or a leaf of the tree is not in its table: it was removed. */
export class NodeGone extends Error {
  override readonly name = 'NodeGone';
}

/** The leaves and kept nodes of a ledger's Merkle tree, in one query each. Throws NodeGone. */
export function keptNodes(db: Queryable, ledger: string): NodeSource {
  return {
    async read(runs) {
      const found = runs.map((): Buffer[] => []);
      const read = async (sql: string, wanted: (run: Run) => boolean) => {
        const at = runs.flatMap((run, n) => (wanted(run) ? [n] : []));
        if (at.length === 0) return;
        const { rows } = await db.query<{ n: number; hash: Buffer }>(sql, [
          ledger,
          at,
          at.map((n) => runs[n]!.level),
          at.map((n) => runs[n]!.first),
          at.map((n) => runs[n]!.count),
        ]);
        for (const { n, hash } of rows) found[n]!.push(hash);
      };
      await read(LEAVES, ({ level }) => level === 0);
      await read(NODES, ({ level }) => level > 0);
      for (const [n, { level, first, count }] of runs.entries()) {
        if (found[n]!.length !== count)
          throw new NodeGone(`of ledger ${ledger} a hash of level ${level} from ${first} to ${first + count - 1} is gone`);
      }
      return found;
    },
  };
}

const RUNS = 'unnest($2::int[], $3::int[], $4::int[], $5::int[]) AS r(n, level, first, count)';

const LEAVES = `SELECT r.n, c.leaf AS hash FROM ${RUNS} JOIN chain c
  ON c.ledger = $1 AND c.entry > r.first AND c.entry <= r.first + r.count ORDER BY r.n, c.entry`;

const NODES = `SELECT r.n, m.hash FROM ${RUNS} JOIN merkle_nodes m
  ON m.ledger = $1 AND m.level = r.level AND m.node >= r.first AND m.node < r.first + r.count
  ORDER BY r.n, m.node`;

/** The right edge of the tree when it had so many leaves: with it the tree grows on. */
export async function edgeAt(db: Queryable, ledger: string, leaves: number): Promise<Edge> {
  const runs = edgeCounts(leaves).map((count, level) => {
    const complete = Math.floor(leaves / RADIX ** level);
    return { level, first: complete - count, count };
  });
  return runs.length === 0 ? [] : keptNodes(db, ledger).read(runs);
}

/** The first of these nodes that is not kept just so. */
export async function wrongNode(
  db: Queryable,
  ledger: string,
  nodes: readonly KeptNode[],
): Promise<KeptNode | undefined> {
  const { rows } = await db.query<{ level: number; node: number; hash: Buffer }>(
    `SELECT m.level, m.node, m.hash FROM unnest($2::int[], $3::int[]) AS r(level, node)
     JOIN merkle_nodes m ON m.ledger = $1 AND m.level = r.level AND m.node = r.node`,
    [ledger, nodes.map(({ level }) => level), nodes.map(({ index }) => index)],
  );
  const kept = new Map(rows.map(({ level, node, hash }) => [`${level} ${node}`, hash]));
  return nodes.find(({ level, index, hash }) => {
    const found = kept.get(`${level} ${index}`);
    return found === undefined || !same(found, hash);
  });
}
