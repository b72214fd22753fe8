import { type Party, partyText } from '#ocpi';
import type { Statement, Tx } from '#postgres';
import { instant, rfc3339 } from '#time';
import type { Finding } from '../finding.ts';
import type { PublicCdr } from '../private-part.ts';

/**
 * Received CDRs of one token whose charges overlap: nobody charges at two places at once. Found when
 * the later one comes, and settled when one of the two is credited. Whose token it was lies in the
 * private parts, and is forgotten with them: when a token charged is written once, and stays when
 * the list is made anew.
 */

/** A received CDR that is no credit, just listed. */
export interface Charged {
  readonly position: bigint;
  readonly cdr: PublicCdr;
  readonly privateId: string;
}

export async function noteOverlaps(tx: Tx, charged: readonly Charged[]): Promise<void> {
  const rows = charged.flatMap(({ position, cdr, privateId }) => {
    const [starts, ends] = [instant(cdr.start_date_time), instant(cdr.end_date_time)];
    // An unknown time is the epoch (CDR-19).
    if (starts <= 0 || ends <= starts) return [];
    return [{ position: String(position), id: privateId, starts: rfc3339(starts), ends: rfc3339(ends) }];
  });
  if (rows.length === 0) return;
  await tx.query(INSERT, [JSON.stringify(rows)]);
  await find(tx, rows.map(({ position }) => position));
}

async function find(tx: Tx, positions: readonly (string | bigint)[]): Promise<void> {
  const { rows } = await tx.query<Overlap>(FIND, [positions]);
  if (rows.length > 0) await tx.query(APPEND, [JSON.stringify(rows.map(findingOf))]);
}

const INSERT: Statement = {
  name: 'token_charges_insert',
  text: `INSERT INTO token_charges ("position", private_id, token_party, token_key, starts_at, ends_at)
         SELECT r."position", p.id, p.token_party, p.token_key, r.starts, r.ends
         FROM jsonb_to_recordset($1::jsonb) AS r ("position" bigint, id uuid, starts timestamptz, ends timestamptz)
         JOIN private_parts p ON p.id = r.id ON CONFLICT DO NOTHING`,
};

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
 * hundred are looked at: all of them for each would hold up the list.
 */
const FIND: Statement = {
  name: 'token_charges_overlapping',
  text: `SELECT n."position", c.session_id, o.*
         FROM token_charges n JOIN cdrs c ON c."position" = n."position"
         CROSS JOIN LATERAL (
           SELECT x.party AS other_party, x.public_json::json->>'id' AS other_id, x.session_id AS other_session,
             x.party = c.party AS same_party, x.public_json::json->>'start_date_time' AS starts,
             x.public_json::json->>'end_date_time' AS ends
           FROM (
             SELECT t."position" FROM token_charges t
             WHERE t.token_party = n.token_party AND t.token_key = n.token_key AND t.ends_at > n.starts_at
               AND t.starts_at < n.ends_at AND t."position" < n."position"
             ORDER BY t.ends_at, t."position" LIMIT 100) t JOIN cdrs x ON x."position" = t."position"
           WHERE x.credited_by IS NULL ORDER BY t."position" DESC LIMIT 1) o
         WHERE n."position" = ANY ($1::bigint[])`,
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
  name: 'token_charges_found',
  text: `UPDATE cdrs SET findings = findings || r.finding
         FROM jsonb_to_recordset($1::jsonb) AS r ("position" bigint, finding jsonb)
         WHERE cdrs."position" = r."position"`,
};

/** A CDR was credited: what was found of others because of it is settled, unless yet another overlaps. */
export async function settleOverlaps(tx: Tx, party: Party, cdrKey: string): Promise<void> {
  const { rows } = await tx.query<{ position: bigint }>(SETTLE, [partyText(party), cdrKey]);
  if (rows.length > 0) await find(tx, rows.map(({ position }) => position));
}

const SETTLE: Statement = {
  name: 'token_charges_settled',
  text: `WITH credited AS (
           SELECT t."position", lower(o.party || '*' || (o.public_json::json->>'id')) AS about
           FROM cdrs o JOIN token_charges c ON c."position" = o."position"
             JOIN token_charges t ON t.token_party = c.token_party AND t.token_key = c.token_key
               AND t.ends_at > c.starts_at AND t.starts_at < c.ends_at AND t."position" > c."position"
           WHERE o.party = $1 AND o.cdr_key = $2)
         UPDATE cdrs SET findings = coalesce((
             SELECT jsonb_agg(f) FROM jsonb_array_elements(cdrs.findings) AS f
             WHERE lower(f->>'about') IS DISTINCT FROM r.about), '[]')
         FROM credited r WHERE cdrs."position" = r."position" AND EXISTS (
             SELECT FROM jsonb_array_elements(cdrs.findings) AS f WHERE lower(f->>'about') = r.about)
         RETURNING cdrs."position"`,
};
