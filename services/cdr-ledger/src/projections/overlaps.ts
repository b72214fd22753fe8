import { bigintArray, type Statement, type Tx, uuidArray } from '#postgres';
import type { Finding } from '../finding.ts';
import { allBack } from '../taken-back.ts';

/**
 * Received CDRs of one token whose charges overlap: nobody charges at two places at once. Found when
 * the later one comes, and settled when one of the two is credited. Whose token it was, and when it
 * charged, lies in the private parts, and is forgotten with them.
 */

/** A received CDR in the list, and the private part that says whose token charged, and when. */
export interface Charge {
  readonly position: bigint;
  readonly private_id: string;
}

/** The findings of received CDRs, just listed, that charged at a known time. */
export async function noteOverlaps(tx: Tx, charges: readonly Charge[]): Promise<void> {
  if (charges.length === 0) return;
  const { rows } = await tx.query<Overlap>(FIND, [
    bigintArray(charges.map(({ position }) => position)),
    uuidArray(charges.map(({ private_id }) => private_id)),
  ]);
  if (rows.length > 0) await tx.query(APPEND, [JSON.stringify(rows.map(findingOf))]);
}

interface Overlap {
  readonly position: bigint;
  readonly session_id: string | null;
  readonly other_party: string;
  readonly other_id: string;
  readonly is_same: boolean;
  readonly starts: string;
  readonly ends: string;
}

/**
 * The CDRs of the same token that charged at the same time as the private part `p`. (`OFFSET 0`: read
 * in this order, however few CDRs there were when it was planned.)
 */
const BESIDE = `private_parts t CROSS JOIN LATERAL (SELECT * FROM cdrs WHERE private_id = t.id OFFSET 0) y
  WHERE t.token_party = p.token_party AND t.token_key = p.token_key AND t.charged_to > p.charged_from
    AND t.charged_from < p.charged_to`;

/** By the Credit CDRs in its currency. */
export const IS_WHOLLY_CREDITED = (row: string) => `(${row}.credited_by IS NOT NULL AND (
  SELECT ${allBack(`${row}.excl_tax`, 'k.back')} FROM (SELECT sum(excl_tax) AS back FROM cdrs
    WHERE party = ${row}.party AND credit_of = ${row}.cdr_key AND currency = ${row}.currency) k
)) IS TRUE`;

/** That both billed one charge: its session, or, where neither names one, what began and ended at one Location with one token as the other did. */
const IS_SAME = `(x.party = c.party AND (x.session_id = c.session_id OR (x.session_id IS NULL AND c.session_id IS NULL
  AND x.location_id = c.location_id AND x.charged_from = p.charged_from AND x.charged_to = p.charged_to))) IS TRUE`;

/**
 * Of each one that billed the same session, else the newest: more say nothing new. Of a flood of charges of one token at one time, a
 * hundred are looked at: all of them for each would hold up the list.
 */
const FIND: Statement = {
  name: 'overlaps_find',
  text: `SELECT o."position", o.other_party, o.other_id, o.is_same, c.session_id,
           e.data::json->'cdr'->>'start_date_time' AS starts, e.data::json->'cdr'->>'end_date_time' AS ends
         FROM unnest($1::bigint[], $2::uuid[]) AS n ("position", private_id)
         JOIN cdrs c ON c."position" = n."position" JOIN private_parts p ON p.id = n.private_id
         CROSS JOIN LATERAL (
           SELECT n."position", x."position" AS other, x.party AS other_party, x.cdr_id AS other_id, ${IS_SAME} AS is_same
           FROM (
             SELECT y.*, t.charged_from, t.charged_to FROM ${BESIDE} AND t.id <> p.id AND y."position" < n."position"
             ORDER BY t.charged_to, y."position" LIMIT 100) x
           WHERE NOT ${IS_WHOLLY_CREDITED('x')}
           ORDER BY is_same DESC, x."position" DESC LIMIT 1) o
         JOIN events e ON e."position" = o.other
         WHERE NOT ${IS_WHOLLY_CREDITED('c')}`,
};

function findingOf(overlap: Overlap) {
  const { position, session_id, other_party, other_id, is_same, starts, ends } = overlap;
  const about = `${other_party}*${other_id}`;
  const finding: Finding = is_same
    ? {
        code: 'session-billed-twice',
        about,
        detail: `${session_id === null ? 'the same charge' : `session ${session_id}`} was billed by CDR ${other_id}, which is not credited in full`,
      }
    : {
        code: 'overlaps-another-charge',
        about,
        detail: `the same token charged from ${starts} to ${ends} by CDR ${other_id} of ${other_party}`,
      };
  return { position: String(position), finding };
}

const APPEND: Statement = {
  name: 'overlaps_found',
  text: `UPDATE cdrs SET findings = findings || r.finding
         FROM jsonb_to_recordset($1::jsonb) AS r ("position" bigint, finding jsonb)
         WHERE cdrs."position" = r."position"`,
};

/** A CDR was credited: what was found of others because of it is settled, unless yet another overlaps. */
export async function settleOverlaps(tx: Tx, party: string, cdrKey: string): Promise<void> {
  const { rows } = await tx.query<Charge>(SETTLE, [party, cdrKey]);
  await noteOverlaps(tx, rows);
}

const SETTLE: Statement = {
  name: 'overlaps_settled',
  text: `WITH credited AS (
           SELECT b."position", lower(o.party || '*' || o.cdr_id) AS about
           FROM cdrs o JOIN private_parts p ON p.id = o.private_id
             CROSS JOIN LATERAL (SELECT y."position" FROM ${BESIDE} AND y."position" > o."position" OFFSET 0) b
           WHERE o.party = $1 AND o.cdr_key = $2)
         UPDATE cdrs SET findings = coalesce((
             SELECT jsonb_agg(f) FROM jsonb_array_elements(cdrs.findings) AS f
             WHERE lower(f->>'about') IS DISTINCT FROM r.about), '[]')
         FROM credited r WHERE cdrs."position" = r."position" AND EXISTS (
             SELECT FROM jsonb_array_elements(cdrs.findings) AS f WHERE lower(f->>'about') = r.about)
         RETURNING cdrs."position", cdrs.private_id`,
};

/**
 * Of whom a private part is gone, nothing may say any more which charges were of one token: what was found by it goes from
 * both CDRs, as when the rows are made anew, unless yet another overlaps. For whoever holds the list's position.
 */
export async function forgetOverlaps(tx: Tx): Promise<void> {
  const { rows } = await tx.query<Charge>(FORGET);
  await noteOverlaps(tx, rows);
}

const CODES = ['overlaps-another-charge', 'session-billed-twice'] satisfies Finding['code'][];

/** As the index cdrs_overlapping says it: of all that are flagged those alone are read, for the list waits meanwhile. */
export const FORGET: Statement = {
  name: 'overlaps_forgotten',
  text: `WITH found AS (
           SELECT c."position", f.finding, f.n, f.finding->>'code' IN (${CODES.map((code) => `'${code}'`).join(', ')}) AND (
             NOT EXISTS (SELECT FROM private_parts p WHERE p.id = c.private_id) OR NOT EXISTS (
               SELECT FROM cdrs o JOIN private_parts p ON p.id = o.private_id
               WHERE o.party = substring(f.finding->>'about' FROM '^[^*]*[*][^*]*')
                 AND o.cdr_key = lower(substring(f.finding->>'about' FROM '^[^*]*[*][^*]*[*](.*)$') COLLATE "C"))) AS gone
           FROM cdrs c CROSS JOIN LATERAL jsonb_array_elements(c.findings) WITH ORDINALITY AS f (finding, n)
           WHERE NOT c.own AND jsonb_path_exists(c.findings, '$[*] ? (${CODES.map((code) => `@.code == "${code}"`).join(' || ')})'))
         UPDATE cdrs SET findings = l.findings
         FROM (SELECT "position", coalesce(jsonb_agg(finding ORDER BY n) FILTER (WHERE NOT gone), '[]') AS findings
               FROM found GROUP BY 1 HAVING bool_or(gone)) l
         WHERE cdrs."position" = l."position"
         RETURNING cdrs."position", cdrs.private_id`,
};
