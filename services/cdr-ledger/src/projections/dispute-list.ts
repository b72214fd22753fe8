import { idKey, type Party, partyText } from '#ocpi';
import type { Database, Queryable, Tx } from '#postgres';
import type { Complainant, DisputedCdr, DisputeEvent, DisputeState } from '../dispute.ts';
import type { Follower } from '../follow.ts';
import { readEvent } from '../ledger-event.ts';

/** Every dispute as it stands; what people wrote is read from its private parts. */

export interface ListedDispute {
  readonly cdr: DisputedCdr;
  readonly number: number;
  readonly partner: Party;
  readonly complainant: Complainant;
  readonly state: DisputeState;
  readonly findings: readonly string[];
  readonly currency: string;
  /** Decimal text. */
  readonly amount: string;
  readonly openedAt: string;
  readonly answeredAt: string | undefined;
  readonly accepted: boolean | undefined;
  readonly closedAt: string | undefined;
  readonly creditCdrId: string | undefined;
  /** The private texts (JSON); absent where the contract was erased, or nothing was written. */
  readonly reasonText: string | undefined;
  readonly answerText: string | undefined;
  readonly withdrawalText: string | undefined;
}

export const disputeList: Follower = {
  name: 'dispute-list',
  async apply(tx, events) {
    for (const stored of events) {
      if (isDispute(stored)) await applyEvent(tx, stored.position, readEvent(stored) as DisputeEvent);
    }
  },
  tables: ['disputes'],
};

function isDispute({ type }: { readonly type: string }): boolean {
  return type.startsWith('Dispute');
}

async function applyEvent(tx: Tx, position: bigint, event: DisputeEvent): Promise<void> {
  const key = [partyText(event.cdr), idKey(event.cdr.id), event.number];
  switch (event.type) {
    case 'DisputeOpened': {
      const { ledger, cdr, partner, complainant, findings, amount, at } = event;
      await tx.query(
        `INSERT INTO disputes (party, cdr_key, number, "position", ledger, cdr_id, partner, complainant,
           state, findings, currency, amount, opened_at, reason_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'opened', $9::jsonb, $10, $11, $12, $13)`,
        [
          ...key,
          position,
          ledger,
          cdr.id,
          partyText(partner),
          complainant,
          JSON.stringify(findings),
          amount.currency,
          amount.payable,
          at,
          event.private.id,
        ],
      );
      return;
    }
    case 'DisputeAnswered':
      await tx.query(
        `UPDATE disputes SET state = 'answered', accepted = $4, answered_at = $5, answer_id = $6 ${WHERE}`,
        [...key, event.accepted, event.at, event.private.id],
      );
      return;
    case 'DisputeWithdrawn':
      await tx.query(
        `UPDATE disputes SET state = 'withdrawn', closed_at = $4, withdrawal_id = $5 ${WHERE}`,
        [...key, event.at, event.private.id],
      );
      return;
    case 'DisputeCredited':
      await tx.query(
        `UPDATE disputes SET state = 'credited', closed_at = $4, credit_cdr_id = $5 ${WHERE}`,
        [...key, event.at, event.creditCdrId],
      );
      return;
  }
}

const WHERE = 'WHERE party = $1 AND cdr_key = $2 AND number = $3';

interface Found {
  readonly party: string;
  readonly cdr_id: string;
  readonly number: number;
  readonly partner: string;
  readonly complainant: Complainant;
  readonly state: DisputeState;
  readonly findings: string[];
  readonly currency: string;
  readonly amount: string;
  readonly opened_at: string;
  readonly answered_at: string | null;
  readonly accepted: boolean | null;
  readonly closed_at: string | null;
  readonly credit_cdr_id: string | null;
  readonly reason_text: string | null;
  readonly answer_text: string | null;
  readonly withdrawal_text: string | null;
}

const SELECT = `SELECT d.*, r.body AS reason_text, a.body AS answer_text, w.body AS withdrawal_text
  FROM disputes d LEFT JOIN private_parts r ON r.id = d.reason_id
  LEFT JOIN private_parts a ON a.id = d.answer_id LEFT JOIN private_parts w ON w.id = d.withdrawal_id`;

function listed(row: Found): ListedDispute {
  return {
    cdr: { ...partyOf(row.party), id: row.cdr_id },
    number: row.number,
    partner: partyOf(row.partner),
    complainant: row.complainant,
    state: row.state,
    findings: row.findings,
    currency: row.currency,
    amount: row.amount,
    openedAt: row.opened_at,
    answeredAt: row.answered_at ?? undefined,
    accepted: row.accepted ?? undefined,
    closedAt: row.closed_at ?? undefined,
    creditCdrId: row.credit_cdr_id ?? undefined,
    reasonText: row.reason_text ?? undefined,
    answerText: row.answer_text ?? undefined,
    withdrawalText: row.withdrawal_text ?? undefined,
  };
}

function partyOf(text: string): Party {
  const [country_code = '', party_id = ''] = text.split('*');
  return { country_code, party_id };
}

export async function findDispute(
  db: Queryable,
  cdr: DisputedCdr,
  number: number,
): Promise<ListedDispute | undefined> {
  const { rows } = await db.query<Found>(
    `${SELECT} WHERE d.party = $1 AND d.cdr_key = $2 AND d.number = $3`,
    [partyText(cdr), idKey(cdr.id), number],
  );
  return rows[0] && listed(rows[0]);
}

export interface DisputeWindow {
  /** All when empty. */
  readonly states: readonly string[];
  readonly partner?: Party | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** Newest first, and how many there are in all. */
export async function pageOfDisputes(
  db: Database,
  { states, partner, offset, limit }: DisputeWindow,
): Promise<{ disputes: ListedDispute[]; total: number }> {
  const where = `WHERE ($1::text[] = '{}' OR d.state = ANY ($1)) AND ($2::text IS NULL OR d.partner = $2)`;
  const filter = [states, partner === undefined ? null : partyText(partner)];
  const [page, counted] = await Promise.all([
    db.query<Found>(`${SELECT} ${where} ORDER BY d."position" DESC OFFSET $3 LIMIT $4`, [
      ...filter,
      offset,
      limit,
    ]),
    db.query<{ total: number }>(`SELECT count(*)::int AS total FROM disputes d ${where}`, filter),
  ]);
  return { disputes: page.rows.map(listed), total: counted.rows[0]?.total ?? 0 };
}
