import { type Party, partyText } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import type { AgreementTerms } from '#settlement';
import type { AgreementNoted } from '../agreement.ts';

/** What was agreed on with partners, for each month that it holds from: what was noted last counts. */
export async function agree(tx: Tx, { ledger, partner, version, terms }: AgreementNoted): Promise<void> {
  await tx.query(
    `INSERT INTO agreements (own, partner, valid_from, version, terms) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (own, partner, valid_from) DO UPDATE SET version = excluded.version, terms = excluded.terms`,
    [ledger, partyText(partner), terms.valid_from, version, JSON.stringify(terms)],
  );
}

/** The versions of the agreement that hold between a party of ours and a partner, which may be one of ours, too. */
export async function agreementBetween(db: Queryable, own: Party, partner: Party): Promise<AgreementTerms[]> {
  const { rows } = await db.query<{ terms: AgreementTerms }>(
    `SELECT terms FROM agreements WHERE (own = $1 AND partner = $2) OR (own = $2 AND partner = $1) ORDER BY valid_from, version`,
    [partyText(own), partyText(partner)],
  );
  return rows.map(({ terms }) => terms);
}
