import { type Party, partyText } from '#ocpi';
import { bigintArray, type Statement, type Tx } from '#postgres';
import type { Finding } from '../finding.ts';

/**
 * Received CDRs of one token whose charges overlap: nobody charges at two places at once. Found when
 * the later one comes, and settled when one of the two is credited. Whose token it was, and when it
 * charged, lies in the private parts, and is forgotten with them.
 */

/** The findings of received CDRs, just listed, that charged at a known time. */
export async function noteOverlaps(tx: Tx, positions: readonly bigint[]): Promise<void> {
  if (positions.length === 0) return;
  const { rows } = await tx.query<Overlap>(FIND, [bigintArray(positions)]);
  if (rows.length > 0) await tx.query(APPEND, [JSON.stringify(rows.map(findingOf))]);
}

interface Overlap {
  readonly position: bigint;
  readonly session_id: string | null;
  readonly other_party: string;
  readonly other_id: string;
  readonly other_session: string | null;
  readonly same_party: boolean;
  readonly starts: string;
  readonly ends: string;
}

/**
 * The newest one each: more say nothing new. Of a flood of charges of one token at one time, a
 * hundred are looked at: all of them for each would hold up the list. (`+ 0`: a position finds nothing
 * here, and no index is to be read for it.)
 */
const FIND: Statement = {
  name: 'overlaps_find',
  text: `SELECT c."position", c.session_id, o.*
         FROM cdrs c JOIN private_parts p ON p.id = c.private_id
         CROSS JOIN LATERAL (
           SELECT x.party AS other_party, x.public_json::json->>'id' AS other_id, x.session_id AS other_session,
             x.party = c.party AS same_party, x.public_json::json->>'start_date_time' AS starts,
             x.public_json::json->>'end_date_time' AS ends
           FROM (
             SELECT y.* FROM private_parts t JOIN cdrs y ON y.private_id = t.id
             WHERE t.token_party = p.token_party AND t.token_key = p.token_key AND t.charged_to > p.charged_from
               AND t.charged_from < p.charged_to AND t.id <> p.id AND y."position" + 0 < c."position"
             ORDER BY t.charged_to, y."position" LIMIT 100) x
           WHERE x.credited_by IS NULL ORDER BY x."position" DESC LIMIT 1) o
         WHERE c."position" = ANY ($1::bigint[])`,
};

function findingOf(overlap: Overlap) {
  const { position, session_id, other_party, other_id, other_session, same_party, starts, ends } = overlap;
  const about = `${other_party}*${other_id}`;
  const isSame = same_party && session_id !== null && session_id === other_session;
  const finding: Finding = isSame
    ? { code: 'session-billed-twice', about, detail: `session ${session_id} was billed by CDR ${other_id}, which is not credited` }
    : { code: 'overlaps-another-charge', about, detail: `the same token charged from ${starts} to ${ends} by CDR ${other_id} of ${other_party}` };
  return { position: String(position), finding };
}

const APPEND: Statement = {
  name: 'overlaps_found',
  text: `UPDATE cdrs SET findings = findings || r.finding
         FROM jsonb_to_recordset($1::jsonb) AS r ("position" bigint, finding jsonb)
         WHERE cdrs."position" = r."position"`,
};

/** A CDR was credited: what was found of others because of it is settled, unless yet another overlaps. */
export async function settleOverlaps(tx: Tx, party: Party, cdrKey: string): Promise<void> {
  const { rows } = await tx.query<{ position: bigint }>(SETTLE, [partyText(party), cdrKey]);
  await noteOverlaps(tx, rows.map(({ position }) => position));
}

const SETTLE: Statement = {
  name: 'overlaps_settled',
  text: `WITH credited AS (
           SELECT y."position", lower(o.party || '*' || (o.public_json::json->>'id')) AS about
           FROM cdrs o JOIN private_parts c ON c.id = o.private_id
             JOIN private_parts t ON t.token_party = c.token_party AND t.token_key = c.token_key
               AND t.charged_to > c.charged_from AND t.charged_from < c.charged_to
             JOIN cdrs y ON y.private_id = t.id AND y."position" > o."position"
           WHERE o.party = $1 AND o.cdr_key = $2)
         UPDATE cdrs SET findings = coalesce((
             SELECT jsonb_agg(f) FROM jsonb_array_elements(cdrs.findings) AS f
             WHERE lower(f->>'about') IS DISTINCT FROM r.about), '[]')
         FROM credited r WHERE cdrs."position" = r."position" AND EXISTS (
             SELECT FROM jsonb_array_elements(cdrs.findings) AS f WHERE lower(f->>'about') = r.about)
         RETURNING cdrs."position"`,
};
