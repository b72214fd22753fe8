import type { Statement, Tx } from '#postgres';
import { instant } from '#time';

/**
 * Our CDRs are numbered without gaps for each token's owner, in the log's order, which is also the
 * list's. Beside its number each has `reached`, the latest `last_updated` so far, which only grows,
 * and `lag_ms`, by how much one was ever behind that.
 */

interface Numbered {
  readonly number: number;
  /** RFC 3339. */
  readonly reached: string;
  readonly lag_ms: number;
}

interface Numberable {
  readonly own: boolean;
  readonly token_party: string;
  readonly last_updated: string;
}

export interface Tail {
  readonly token_party: string;
  readonly number: number;
  readonly reached: string;
  readonly lag_ms: bigint;
}

/** Ours with their numbers; nobody else writes to the list meanwhile. */
export async function numbered<R extends Numberable>(tx: Tx, rows: readonly R[]): Promise<(R & Partial<Numbered>)[]> {
  const owners = [...new Set(rows.filter(({ own }) => own).map(({ token_party }) => token_party))];
  if (owners.length === 0) return [...rows];
  const { rows: tails } = await tx.query<Tail>(TAILS, [owners]);
  const last = new Map<string, Numbered>(
    tails.map(({ token_party, number, reached, lag_ms }) => [token_party, { number, reached, lag_ms: Number(lag_ms) }]),
  );
  return rows.map((row) => {
    if (!row.own) return row;
    const next = following(last.get(row.token_party), row.last_updated);
    last.set(row.token_party, next);
    return { ...row, ...next };
  });
}

function following(before: Numbered | undefined, lastUpdated: string): Numbered {
  if (before === undefined) return { number: 1, reached: lastUpdated, lag_ms: 0 };
  const behindMs = instant(before.reached) - instant(lastUpdated);
  return {
    number: before.number + 1,
    reached: behindMs > 0 ? before.reached : lastUpdated,
    lag_ms: Math.max(before.lag_ms, behindMs),
  };
}

export const TAILS: Statement = {
  name: 'cdr_pages_tails',
  text: `SELECT o.token_party, t.number, t.lag_ms,
           to_char(t.reached AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS reached
         FROM unnest($1::text[]) AS o (token_party) CROSS JOIN LATERAL (
           SELECT number, reached, lag_ms FROM cdrs WHERE own AND token_party = o.token_party
           ORDER BY number DESC LIMIT 1) t`,
};
