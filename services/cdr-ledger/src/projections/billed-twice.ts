import { idKey, type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';
import { type Finding, isHarmless } from '../finding.ts';
import { IS_WHOLLY_CREDITED } from './overlaps.ts';

/** Sessions, and charges without one, that a partner billed by a second CDR, which the list finds: what the accounts of drivers need of it. */

const TWICE = 'session-billed-twice' satisfies Finding['code'];

/** Of received CDRs, by their private parts, those whose session another one billed that is not credited. */
export async function billedTwice(db: Queryable, privateIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (privateIds.length === 0) return new Set();
  const { rows } = await db.query<{ id: string }>(
    `SELECT private_id AS id FROM cdrs WHERE private_id = ANY ($1::uuid[]) AND findings @> '[{"code":"${TWICE}"}]'`,
    [privateIds],
  );
  return new Set(rows.map(({ id }) => id));
}

/** `b`: the other CDRs of what each CDR `a` billed, by the private part of that. */
const BESIDE = `b AS (
  SELECT a.private_id AS beside, b.* FROM a JOIN cdrs b ON b.party = a.party AND b.session_id = a.session_id AND NOT b.own
  UNION ALL
  SELECT a.private_id, b.* FROM a JOIN private_parts p ON p.id = a.private_id
  JOIN private_parts t ON t.token_party = p.token_party AND t.token_key = p.token_key
    AND t.charged_to = p.charged_to AND t.charged_from = p.charged_from
  JOIN cdrs b ON b.private_id = t.id AND b.party = a.party AND b.location_id = a.location_id AND NOT b.own
  WHERE a.session_id IS NULL AND b.session_id IS NULL)`;
const IS_OTHER = 'b.private_id <> b.beside AND b.credit_of IS NULL';

/** Other CDRs of the session of one that is credited in full, of which nothing is found that holds them back any more. */
export async function soundBeside(db: Queryable, party: Party, cdrId: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string; findings: Finding[] }>(
    `WITH a AS (SELECT * FROM cdrs a WHERE party = $1 AND cdr_key = $2 AND credit_of IS NULL AND ${IS_WHOLLY_CREDITED('a')}), ${BESIDE}
     SELECT b.cdr_id AS id, b.findings FROM b WHERE ${IS_OTHER}`,
    [partyText(party), idKey(cdrId)],
  );
  // Charges that overlap hold nothing.
  const isSound = (finding: Finding) => isHarmless(finding) || finding.code === 'overlaps-another-charge';
  return rows.filter(({ findings }) => findings.every(isSound)).map(({ id }) => id);
}

/** Of received CDRs, by their private parts, the credited ones of the same session. */
export async function creditedBeside(db: Queryable, privateIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (privateIds.length === 0) return new Map();
  const { rows } = await db.query<{ beside: string; ids: string[] }>(
    `WITH a AS (SELECT * FROM cdrs WHERE private_id = ANY ($1::uuid[]) AND credit_of IS NULL), ${BESIDE}
     SELECT b.beside, array_agg(b.cdr_id) AS ids FROM b WHERE ${IS_OTHER} AND b.credited_by IS NOT NULL GROUP BY 1`,
    [privateIds],
  );
  return new Map(rows.map(({ beside, ids }) => [beside, ids]));
}
