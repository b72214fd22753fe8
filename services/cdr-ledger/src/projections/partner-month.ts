import { decimal } from '#money';
import { type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';
import type { Finding } from '../finding.ts';
import type { MonthWindow } from '../month.ts';
import type { PublicCdr } from '../private-part.ts';
import type { StatementCdr } from '../statement.ts';

interface Row {
  readonly public_json: string;
  readonly findings: Finding[];
}

/**
 * Ours of a partner's tokens and a partner's of ours, of one month: what a statement is made of.
 */
export async function cdrsOfMonth(
  db: Queryable,
  { own, partner }: { own: Party; partner: Party },
  { from, to }: MonthWindow,
): Promise<{ issued: StatementCdr[]; received: StatementCdr[] }> {
  const between = async (isOwn: boolean, creditor: Party, debtor: Party) => {
    const { rows } = await db.query<Row>(
      `SELECT public_json, findings FROM cdrs
       WHERE own = $1 AND party = $2 AND token_party = $3 AND last_updated >= $4 AND last_updated < $5`,
      [isOwn, partyText(creditor), partyText(debtor), from, to],
    );
    return rows.map(statementCdr);
  };
  const [issued, received] = await Promise.all([
    between(true, own, partner),
    between(false, partner, own),
  ]);
  return { issued, received };
}

function statementCdr({ public_json, findings }: Row): StatementCdr {
  const cdr = JSON.parse(public_json) as PublicCdr;
  const { excl_vat, incl_vat } = cdr.total_cost;
  return {
    cdrId: cdr.id,
    ...(cdr.session_id === undefined ? {} : { sessionId: cdr.session_id }),
    credit: cdr.credit === true,
    ...(cdr.credit_reference_id === undefined
      ? {}
      : { creditReferenceId: cdr.credit_reference_id }),
    lastUpdated: cdr.last_updated,
    currency: cdr.currency,
    exclVat: decimal(excl_vat).toString(),
    ...(incl_vat === undefined ? {} : { inclVat: decimal(incl_vat).toString() }),
    energyKwh: decimal(cdr.total_energy).toString(),
    findings: findings.map(({ code }) => code),
  };
}
