import { decimal } from '#money';
import { idKey, type Party, partyText } from '#ocpi';
import type { Database, Queryable, Tx } from '#postgres';
import { instant, rfc3339 } from '#time';
import type { Finding } from '../finding.ts';
import type { Follower } from '../follow.ts';
import { type LedgerEvent, readEvent } from '../ledger-event.ts';
import type { PricingNote } from '../pricing-note.ts';
import type { PublicCdr } from '../private-part.ts';

/**
 * All CDRs and Credit CDRs in the order in which they entered the ledger: ours and those received.
 * The findings that concern two CDRs (a credit and its original) are made here, in the log's order.
 */

/** A row with its private part, where that is not erased. */
export interface ListedCdr {
  readonly position: bigint;
  readonly own: boolean;
  readonly cdr: PublicCdr;
  readonly tokenParty: Party;
  readonly pricing: PricingNote | undefined;
  readonly findings: readonly Finding[];
  readonly privateText: string | undefined;
}

export interface ListWindow {
  /** RFC 3339; from inclusive, to exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

export const cdrList: Follower = {
  name: 'cdr-list',
  async apply(tx, events) {
    for (const event of events) await applyEvent(tx, event.position, readEvent(event));
  },
  forget: async (tx) => void (await tx.query('DELETE FROM cdrs')),
};

async function applyEvent(tx: Tx, position: bigint, event: LedgerEvent): Promise<void> {
  switch (event.type) {
    case 'CdrIssued':
      return insert(tx, position, true, { ...event, findings: [] });
    case 'CdrCredited':
      await markCredited(tx, partyText(event.cdr), event.cdr);
      return insert(tx, position, true, { ...event, findings: [] });
    case 'CdrReceived':
      return insert(tx, position, false, {
        ...event,
        findings: [...event.findings, ...(await creditFindings(tx, event.cdr))],
      });
    case 'CdrAcknowledged':
      await tx.query(
        'UPDATE cdrs SET acknowledged_at = $3 WHERE party = $1 AND cdr_key = $2 AND acknowledged_at IS NULL',
        [event.ledger, idKey(event.cdrId), event.at],
      );
      return;
    case 'SessionLeftUnbilled':
      return;
  }
}

interface Entry {
  readonly cdr: PublicCdr;
  readonly tokenParty: Party;
  readonly pricing?: PricingNote;
  readonly findings: readonly Finding[];
  readonly private: { readonly id: string };
}

async function insert(tx: Tx, position: bigint, own: boolean, entry: Entry): Promise<void> {
  const { cdr, tokenParty, pricing, findings } = entry;
  const { excl_vat, incl_vat } = cdr.total_cost;
  await tx.query(
    `INSERT INTO cdrs ("position", own, party, cdr_key, session_id, token_party, last_updated, credit_of, excl_vat, incl_vat,
       currency, public_json, pricing, findings, private_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      position,
      own,
      partyText(cdr),
      idKey(cdr.id),
      cdr.session_id,
      partyText(tokenParty),
      rfc3339(instant(cdr.last_updated)),
      cdr.credit ? idKey(cdr.credit_reference_id ?? '') : undefined,
      decimal(excl_vat).toString(),
      incl_vat === undefined ? undefined : decimal(incl_vat).toString(),
      cdr.currency.toUpperCase(),
      JSON.stringify(cdr),
      pricing && JSON.stringify(pricing),
      JSON.stringify(findings),
      entry.private.id,
    ],
  );
}

async function markCredited(tx: Tx, party: string, credit: PublicCdr): Promise<void> {
  await tx.query(
    'UPDATE cdrs SET credited_by = $3 WHERE party = $1 AND cdr_key = $2 AND credited_by IS NULL',
    [party, idKey(credit.credit_reference_id ?? ''), credit.id],
  );
}

async function creditFindings(tx: Tx, cdr: PublicCdr): Promise<Finding[]> {
  if (!cdr.credit) return [];
  const reference = cdr.credit_reference_id ?? '';
  const { rows } = await tx.query<{ credited_by: string | null; public_json: string }>(
    'SELECT credited_by, public_json FROM cdrs WHERE party = $1 AND cdr_key = $2 AND credit_of IS NULL',
    [partyText(cdr), idKey(reference)],
  );
  const original = rows[0];
  if (!original) {
    return [
      {
        code: 'credit-of-unknown-original',
        detail: `CDR ${reference}, which it credits, was never received`,
      },
    ];
  }
  if (original.credited_by !== null) {
    return [
      {
        code: 'second-credit',
        detail: `CDR ${reference} was credited by ${original.credited_by} before`,
      },
    ];
  }
  await markCredited(tx, partyText(cdr), cdr);
  return amountFindings(cdr, JSON.parse(original.public_json) as PublicCdr);
}

function amountFindings(credit: PublicCdr, original: PublicCdr): Finding[] {
  const credited = decimal(credit.total_cost.excl_vat).abs();
  const charged = decimal(original.total_cost.excl_vat).abs();
  if (credited.equals(charged)) return [];
  return [
    {
      code: 'credit-differs-from-original',
      detail: `credits ${credited} of the ${charged} ${original.currency} that CDR ${original.id} charged`,
    },
  ];
}

interface Row {
  readonly position: bigint;
  readonly own: boolean;
  readonly token_party: string;
  readonly public_json: string;
  readonly pricing: PricingNote | null;
  readonly findings: Finding[];
  readonly body: string | null;
}

const SELECT = `SELECT c."position", c.own, c.token_party, c.public_json, c.pricing, c.findings, p.body
  FROM cdrs c LEFT JOIN private_parts p ON p.id = c.private_id`;

function listed({
  position,
  own,
  token_party,
  public_json,
  pricing,
  findings,
  body,
}: Row): ListedCdr {
  const [country_code = '', party_id = ''] = token_party.split('*');
  return {
    position,
    own,
    cdr: JSON.parse(public_json) as PublicCdr,
    tokenParty: { country_code, party_id },
    pricing: pricing ?? undefined,
    findings,
    privateText: body ?? undefined,
  };
}

/** One CDR of a party, ours or a partner's. */
export async function findCdr(
  db: Queryable,
  party: Party,
  cdrId: string,
): Promise<ListedCdr | undefined> {
  const { rows } = await db.query<Row>(`${SELECT} WHERE c.party = $1 AND c.cdr_key = $2`, [
    partyText(party),
    idKey(cdrId),
  ]);
  return rows[0] && listed(rows[0]);
}

/** Our CDRs for tokens of these parties, oldest first, and how many lie in the window in all. */
export async function pageOfCdrs(
  db: Database,
  tokenParties: readonly Party[],
  { from, to, offset, limit }: ListWindow,
): Promise<{ cdrs: ListedCdr[]; total: number }> {
  const where = `c.own AND c.token_party = ANY ($1::text[])
    AND ($2::timestamptz IS NULL OR c.last_updated >= $2) AND ($3::timestamptz IS NULL OR c.last_updated < $3)`;
  const window = [tokenParties.map(partyText), from, to];
  const [page, counted] = await Promise.all([
    db.query<Row>(`${SELECT} WHERE ${where} ORDER BY c."position" OFFSET $4 LIMIT $5`, [
      ...window,
      offset,
      limit,
    ]),
    db.query<{ total: bigint }>(`SELECT count(*) AS total FROM cdrs c WHERE ${where}`, window),
  ]);
  return { cdrs: page.rows.map(listed), total: Number(counted.rows[0]?.total ?? 0) };
}

/** CDRs of one token, ours and partners', newest first. */
export async function cdrsOfToken(
  db: Queryable,
  tokenParty: Party,
  uid: string,
  limit: number,
): Promise<ListedCdr[]> {
  const { rows } = await db.query<Row>(
    `${SELECT} WHERE p.token_party = $1 AND p.token_key = $2 ORDER BY c.last_updated DESC, c."position" DESC LIMIT $3`,
    [partyText(tokenParty), idKey(uid), limit],
  );
  return rows.map(listed);
}
