import type { Holder } from '#erasure';
import { idKey, partyText } from '#ocpi';
import type { Queryable } from '#postgres';

/** The rows of a contract, by `isTokenOf` of libs/erasure. */
const THEIRS = `p.token_party = $1 AND (p.contract_key = $2
  OR (p.token_key = ANY ($3::text[]) AND p.contract_key <> ALL ($4::text[])))`;
const theirs = ({ party, contractId, tokenUids, otherContractIds }: Holder) =>
  [partyText(party), idKey(contractId), tokenUids.map(idKey), otherContractIds.map(idKey)];

export async function privatePartsOf(db: Queryable, holder: Holder): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(`SELECT p.id FROM private_parts p WHERE ${THEIRS}`, theirs(holder));
  return rows.map(({ id }) => id);
}

/** With them goes when their tokens charged. */
export async function dropPrivateParts(db: Queryable, holder: Holder): Promise<void> {
  await db.query(`DELETE FROM private_parts p WHERE ${THEIRS}`, theirs(holder));
}

export async function heldCdrs(db: Queryable, holder: Holder): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM private_parts p JOIN cdrs c ON c.private_id = p.id WHERE ${THEIRS}`, theirs(holder));
  return rows[0]!.n;
}

export interface Waiting {
  /** CA*BCT. */
  readonly issuer: string;
  readonly cdrId: string;
  readonly lastUpdated: string;
}

export async function unacknowledged(db: Queryable, holder: Holder): Promise<Waiting[]> {
  const { rows } = await db.query<Waiting>(
    `SELECT c.party AS issuer, c.cdr_id AS "cdrId", c.last_updated AS "lastUpdated"
     FROM private_parts p JOIN cdrs c ON c.private_id = p.id
     WHERE ${THEIRS} AND c.own AND c.acknowledged_at IS NULL ORDER BY c."position" LIMIT 100`,
    theirs(holder),
  );
  return rows;
}

export async function openDisputes(db: Queryable, holder: Holder): Promise<string[]> {
  const { rows } = await db.query<{ cdrId: string }>(
    `SELECT d.cdr_id AS "cdrId" FROM private_parts p JOIN disputes d ON d.reason_id = p.id
     WHERE ${THEIRS} AND d.closed_at IS NULL ORDER BY d."position" LIMIT 100`,
    theirs(holder),
  );
  return rows.map(({ cdrId }) => cdrId);
}

/** Those of the streams that have not begun. */
export async function withoutEvents(db: Queryable, streams: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ stream: string }>(
    `SELECT stream FROM unnest($1::text[]) AS given (stream)
     WHERE NOT EXISTS (SELECT FROM events e WHERE e.stream = given.stream AND e.version = 1)`,
    [streams],
  );
  return rows.map(({ stream }) => stream);
}
