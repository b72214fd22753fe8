import { type Cdr, idKey, type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';
import type { CdrCredited, CdrIssued } from '../cdr.ts';
import type { Taxed } from '#settlement';
import type { Finding } from '../finding.ts';
import type { PricingNote } from '../pricing-note.ts';
import type { PublicCdr } from '../private-part.ts';
import { type CdrReceived, meantCdr } from '../received-cdr.ts';

/** What the list is read for: each CDR from its entry in the log, and beside it what the list knows. */

/** A row with its private part, where that is not erased. */
export interface ListedCdr {
  readonly position: bigint;
  readonly own: boolean;
  readonly cdr: PublicCdr;
  readonly tokenParty: Party;
  readonly pricing: PricingNote | undefined;
  /** How its taxes were named when it was recorded; entries of former releases do not say. */
  readonly taxed?: Taxed | undefined;
  readonly findings: readonly Finding[];
  /** Id of the first Credit CDR for it. */
  readonly creditedBy: string | undefined;
  readonly privateText: string | undefined;
}

type CdrEntry = CdrIssued | CdrCredited | CdrReceived;

export interface Found {
  readonly position: bigint;
  readonly own: boolean;
  readonly token_party: string;
  /** Its entry in the log. */
  readonly data: string;
  readonly findings: Finding[];
  readonly credited_by: string | null;
  readonly body: string | null;
}

export const SELECT = selectFrom('cdrs');

/** `rows`: the table, or what was chosen of it. */
export function selectFrom(rows: string): string {
  return `SELECT c."position", c.own, c.token_party, e.data, c.findings, c.credited_by, p.body
  FROM ${rows} c JOIN events e ON e."position" = c."position" LEFT JOIN private_parts p ON p.id = c.private_id`;
}

export function listed({ position, own, token_party, data, findings, credited_by, body }: Found): ListedCdr {
  const [country_code = '', party_id = ''] = token_party.split('*');
  const event = JSON.parse(data) as CdrEntry;
  return {
    position,
    own,
    cdr: takenFor(event),
    tokenParty: { country_code, party_id },
    pricing: event.type === 'CdrCredited' ? undefined : event.pricing,
    taxed: event.taxed,
    findings,
    creditedBy: credited_by ?? undefined,
    privateText: body ?? undefined,
  };
}

/** What the entry of a CDR says that it is, as lists and statements take it. */
export function cdrOf(data: string): PublicCdr {
  return takenFor(JSON.parse(data) as CdrEntry);
}

function takenFor(event: CdrEntry): PublicCdr {
  return event.type === 'CdrReceived' ? meantCdr(event) : event.cdr;
}

/** One CDR of a party, ours or a partner's. */
export async function findCdr(
  db: Queryable,
  party: Party,
  cdrId: string,
): Promise<ListedCdr | undefined> {
  const { rows } = await db.query<Found>(`${SELECT} WHERE c.party = $1 AND c.cdr_key = $2`, [
    partyText(party),
    idKey(cdrId),
  ]);
  return rows[0] && listed(rows[0]);
}

/** The one CDR of a partner's session that is not credited: what a credit without a reference is of. */
export async function openCdrOfSession(
  db: Queryable,
  { country_code, party_id, session_id, total_cost, currency }: Cdr,
): Promise<string | undefined> {
  if (session_id === undefined) return undefined;
  const { rows } = await db.query<{ id: string }>(
    `SELECT c.cdr_id AS id FROM cdrs c JOIN events e ON e."position" = c."position"
     WHERE NOT c.own AND c.party = $1 AND c.session_id = $2 AND c.credit_of IS NULL AND c.credited_by IS NULL AND c.currency = $4
       AND (e.data::json->'cdr'->'total_cost'->>'excl_vat')::numeric = $3::numeric LIMIT 2`,
    [partyText({ country_code, party_id }), session_id, String(Math.abs(total_cost.excl_vat)), currency.toUpperCase()],
  );
  return rows.length === 1 ? rows[0]!.id : undefined;
}

/** CDRs of one token, ours and partners', newest first. */
export async function cdrsOfToken(
  db: Queryable,
  tokenParty: Party,
  uid: string,
  limit: number,
): Promise<ListedCdr[]> {
  const { rows } = await db.query<Found>(
    `${SELECT} WHERE p.token_party = $1 AND p.token_key = $2 ORDER BY c.last_updated DESC, c."position" DESC LIMIT $3`,
    [partyText(tokenParty), idKey(uid), limit],
  );
  return rows.map(listed);
}
