import type { Queryable, Tx } from '#postgres';
import { type ChainRow, type ChainState, EMPTY_CHAIN, nextRow, stateAfter } from './chain.ts';
import type { Follower } from './follow.ts';
import { readEvent } from './ledger-event.ts';

/**
 * Chains what the log holds, entry by entry in its order. It cannot be made anew: there is no
 * `forget`.
 */
export const chainRows: Follower = {
  name: 'chain',
  async apply(tx, events) {
    const chains = new Map<string, ChainState>();
    const rows: (ChainRow & { ledger: string })[] = [];
    for (const event of events) {
      const { ledger } = readEvent(event);
      const chain = chains.get(ledger) ?? (await headOf(tx, ledger));
      const row = nextRow(chain, event);
      rows.push({ ledger, ...row });
      chains.set(ledger, stateAfter(row));
    }
    await insert(tx, rows);
  },
};

async function headOf(db: Queryable, ledger: string): Promise<ChainState> {
  const { rows } = await db.query<{ entry: number; link: Buffer }>(
    'SELECT entry, link FROM chain WHERE ledger = $1 ORDER BY entry DESC LIMIT 1',
    [ledger],
  );
  return rows[0] ? { entries: rows[0].entry, head: rows[0].link } : EMPTY_CHAIN;
}

async function insert(tx: Tx, rows: readonly (ChainRow & { ledger: string })[]): Promise<void> {
  await tx.query(
    `INSERT INTO chain ("position", ledger, entry, event_id, leaf, link)
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::uuid[], $5::bytea[], $6::bytea[])`,
    [
      rows.map(({ position }) => position),
      rows.map(({ ledger }) => ledger),
      rows.map(({ entry }) => entry),
      rows.map(({ eventId }) => eventId),
      rows.map(({ leaf }) => Buffer.from(leaf)),
      rows.map(({ link }) => Buffer.from(link)),
    ],
  );
}
