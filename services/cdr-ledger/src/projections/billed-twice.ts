import { idKey, type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';
import { type Finding, isHarmless } from '../finding.ts';
import { IS_WHOLLY_CREDITED } from './overlaps.ts';

/** Sessions that a partner billed by a second CDR, which the list finds: what the accounts of drivers need of it. */

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

/** Other CDRs of the session of one that is credited in full, of which nothing is found that holds them back any more. */
export async function soundBeside(db: Queryable, party: Party, cdrId: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string; findings: Finding[] }>(
    `SELECT b.cdr_id AS id, b.findings FROM cdrs a JOIN cdrs b ON b.party = a.party AND b.session_id = a.session_id AND NOT b.own
     WHERE a.party = $1 AND a.cdr_key = $2 AND a.credit_of IS NULL AND a."position" <> b."position"
       AND b.credit_of IS NULL AND ${IS_WHOLLY_CREDITED('a')}`,
    [partyText(party), idKey(cdrId)],
  );
  // Charges that overlap hold nothing.
  const isSound = (finding: Finding) => isHarmless(finding) || finding.code === 'overlaps-another-charge';
  return rows.filter(({ findings }) => findings.every(isSound)).map(({ id }) => id);
}
