import {
  type ChainRow,
  type ChainState,
  EMPTY_CHAIN,
  type KeptNode,
  MerkleEdge,
  nextRow,
  readHeading,
  stateAfter,
} from '#chain';
import { bigintArray, byteaArray, intArray, type Queryable, type Statement, textArray, type Tx, uuidArray } from '#postgres';
import type { Follower } from './follow.ts';
import { edgeAt } from './merkle-nodes.ts';

/**
 * Chains what the log holds, entry by entry in its order, and keeps the nodes of the Merkle tree
 * over it. It cannot be made anew: it names no `tables`.
 */
export function chainRows(): Follower {
  const grown = new Map<string, Growing>();
  return {
    name: 'chain',
    async apply(tx, events) {
      const growing = new Map<string, Growing>();
      const rows: (ChainRow & { ledger: string })[] = [];
      const nodes: (KeptNode & { ledger: string })[] = [];
      for (const event of events) {
        const { ledger } = readHeading(event.data) ?? {};
        if (ledger === undefined) throw new Error(`event ${event.id} does not begin as an entry does`);
        const before = growing.get(ledger) ?? (await growingOf(tx, ledger, taken(grown, ledger)));
        const row = nextRow(before.chain, event);
        rows.push({ ledger, ...row });
        nodes.push(...before.tree.append(row.leaf).map((node) => ({ ledger, ...node })));
        growing.set(ledger, { chain: stateAfter(row), tree: before.tree });
      }
      // Should this not be committed, the next one sees that they are of another chain.
      for (const [ledger, after] of growing) grown.set(ledger, after);
      await insertRows(tx, rows);
      if (nodes.length > 0) await insertNodes(tx, nodes);
    },
  };
}

interface Growing {
  readonly chain: ChainState;
  readonly tree: MerkleEdge;
}

/** A tree that grows is not there for anybody else. */
function taken(grown: Map<string, Growing>, ledger: string): Growing | undefined {
  const found = grown.get(ledger);
  grown.delete(ledger);
  return found;
}

/** The chain as it stands, with the tree that is remembered when it is of just that chain. */
async function growingOf(tx: Tx, ledger: string, remembered: Growing | undefined): Promise<Growing> {
  const chain = await chainHead(tx, ledger);
  const isThat =
    remembered?.chain.entries === chain.entries &&
    Buffer.compare(remembered.chain.head, chain.head) === 0;
  if (isThat) return remembered;
  return { chain, tree: new MerkleEdge(chain.entries, await edgeAt(tx, ledger, chain.entries)) };
}

/** The newest link of a ledger. */
export async function chainHead(db: Queryable, ledger: string): Promise<ChainState> {
  const { rows } = await db.query<{ entry: number; link: Buffer }>(
    'SELECT entry, link FROM chain WHERE ledger = $1 ORDER BY entry DESC LIMIT 1',
    [ledger],
  );
  return rows[0] ? { entries: rows[0].entry, head: rows[0].link } : EMPTY_CHAIN;
}

const INSERT_ROWS: Statement = {
  name: 'chain_insert',
  text: `INSERT INTO chain ("position", ledger, entry, event_id, leaf, link)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::uuid[], $5::bytea[], $6::bytea[])`,
};

export async function insertRows(
  tx: Queryable,
  rows: readonly (ChainRow & { ledger: string })[],
): Promise<void> {
  await tx.query(INSERT_ROWS, [
    bigintArray(rows.map(({ position }) => position)),
    textArray(rows.map(({ ledger }) => ledger)),
    intArray(rows.map(({ entry }) => entry)),
    uuidArray(rows.map(({ eventId }) => eventId)),
    byteaArray(rows.map(({ leaf }) => leaf)),
    byteaArray(rows.map(({ link }) => link)),
  ]);
}

const INSERT_NODES: Statement = {
  name: 'merkle_nodes_insert',
  text: `INSERT INTO merkle_nodes (ledger, level, node, hash)
         SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::bytea[])`,
};

export async function insertNodes(
  tx: Queryable,
  nodes: readonly (KeptNode & { ledger: string })[],
): Promise<void> {
  await tx.query(INSERT_NODES, [
    textArray(nodes.map(({ ledger }) => ledger)),
    intArray(nodes.map(({ level }) => level)),
    intArray(nodes.map(({ index }) => index)),
    byteaArray(nodes.map(({ hash }) => hash)),
  ]);
}
