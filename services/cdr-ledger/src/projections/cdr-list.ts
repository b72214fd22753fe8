import { type Cdr, idKey, type Party, partyText } from '#ocpi';
import { bigintArray, type Queryable, type Statement, textArray, type Tx, uuidArray } from '#postgres';
import { instant, rfc3339 } from '#time';
import type { Finding } from '../finding.ts';
import type { Follower } from '../follow.ts';
import { type LedgerEvent, readEvent } from '../ledger-event.ts';
import type { PricingNote } from '../pricing-note.ts';
import { chargedTime, type PublicCdr } from '../private-part.ts';
import { meantCdr } from '../received-cdr.ts';
import { numbered } from './cdr-numbers.ts';
import { creditFindings, creditOvertaken, markCredited } from './credits.ts';
import { noteOverlaps } from './overlaps.ts';

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
  /** Id of the first Credit CDR for it. */
  readonly creditedBy: string | undefined;
  readonly privateText: string | undefined;
}

export const cdrList: Follower = {
  name: 'cdr-list',
  async apply(tx, events) {
    let fresh: Row[] = [];
    const write = async () => {
      if (fresh.length > 0) await insert(tx, fresh);
      fresh = [];
    };
    for (const stored of events) {
      const event = readEvent(stored);
      // What looks at other rows has to find all that came before it.
      if (touchesOthers(event)) await write();
      const row = await applyEvent(tx, stored.position, event);
      if (row) fresh.push(row);
    }
    await write();
  },
  tables: ['cdrs'],
};

function touchesOthers(event: LedgerEvent): boolean {
  if (event.type === 'CdrReceived') return meantCdr(event).credit === true;
  return event.type === 'CdrAcknowledged' || event.type === 'CdrCredited';
}

/** The row of a new CDR, if the event is one; what else it changes is changed. */
async function applyEvent(tx: Tx, position: bigint, event: LedgerEvent): Promise<Row | undefined> {
  switch (event.type) {
    case 'CdrIssued':
      return rowOf(position, true, { ...event, findings: event.findings ?? [] });
    case 'CdrCredited':
      await markCredited(tx, partyText(event.cdr), event.cdr);
      return rowOf(position, true, { ...event, findings: [] });
    case 'CdrReceived': {
      const cdr = meantCdr(event);
      const findings = [...event.findings, ...(await creditFindings(tx, cdr))];
      return rowOf(position, false, { ...event, cdr, findings });
    }
    case 'CdrAcknowledged':
      await tx.query(
        `UPDATE cdrs SET acknowledged_at = $3
         WHERE party = $1 AND cdr_key = $2 AND acknowledged_at IS NULL`,
        [event.ledger, idKey(event.cdrId), event.at],
      );
      return undefined;
    case 'SessionLeftUnbilled':
    case 'AgreementNoted':
    case 'DisputeOpened':
    case 'DisputeAnswered':
    case 'DisputeWithdrawn':
    case 'DisputeCredited':
    case 'AccountOpened':
    case 'PlanChosen':
    case 'LimitSet':
    case 'PaymentBooked':
    case 'CreditExhausted':
    case 'CreditRestored':
    case 'ChargeBooked':
    case 'ChargeHeld':
    case 'ChargeForestalled':
    case 'ChargeRefunded':
      return undefined;
  }
}

interface Entry {
  readonly cdr: PublicCdr;
  readonly tokenParty: Party;
  readonly pricing?: PricingNote;
  readonly findings: readonly Finding[];
  readonly private: { readonly id: string };
}

type Row = ReturnType<typeof rowOf>;

function rowOf(position: bigint, own: boolean, entry: Entry) {
  const { cdr, tokenParty, pricing, findings } = entry;
  return {
    position,
    own,
    party: partyText(cdr),
    cdr_key: idKey(cdr.id),
    session_id: cdr.session_id,
    token_party: partyText(tokenParty),
    last_updated: rfc3339(instant(cdr.last_updated)),
    credit_of: cdr.credit ? idKey(cdr.credit_reference_id ?? '') : undefined,
    cdr,
    pricing,
    findings,
    private_id: entry.private.id,
  };
}

const INSERT: Statement = {
  name: 'cdr_list_insert',
  text: `INSERT INTO cdrs ("position", own, party, cdr_key, session_id, token_party, last_updated, credit_of,
           pricing, findings, private_id, number, reached, lag_ms, public_json)
         SELECT "position", own::boolean, party, cdr_key, session_id, token_party, last_updated::timestamptz, credit_of,
           pricing::jsonb, findings::jsonb, private_id, number::int, reached::timestamptz, lag_ms::bigint, public_json
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
           $9::text[], $10::text[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::text[])
           AS r ("position", own, party, cdr_key, session_id, token_party, last_updated, credit_of,
             pricing, findings, private_id, number, reached, lag_ms, public_json)`,
};

async function insert(tx: Tx, fresh: readonly Row[]): Promise<void> {
  const rows = await numbered(tx, fresh);
  const texts = (of: (row: (typeof rows)[number]) => string | undefined) => textArray(rows.map(of));
  const json = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  const number = (value: number | undefined) => value?.toString();
  await tx.query(INSERT, [
    bigintArray(rows.map(({ position }) => position)),
    texts(({ own }) => String(own)),
    texts(({ party }) => party),
    texts(({ cdr_key }) => cdr_key),
    texts(({ session_id }) => session_id),
    texts(({ token_party }) => token_party),
    texts(({ last_updated }) => last_updated),
    texts(({ credit_of }) => credit_of),
    texts(({ pricing }) => json(pricing)),
    texts(({ findings }) => json(findings)),
    uuidArray(rows.map(({ private_id }) => private_id)),
    texts((row) => number(row.number)),
    texts(({ reached }) => reached),
    texts((row) => number(row.lag_ms)),
    texts(({ cdr }) => JSON.stringify(cdr)),
  ]);
  const received = fresh.filter(({ own, credit_of }) => !own && credit_of === undefined);
  const credited = await creditOvertaken(tx, received);
  await noteOverlaps(tx, received.filter(({ position, cdr }) => !credited.has(position) && chargedTime(cdr) !== undefined));
}

export interface Found {
  readonly position: bigint;
  readonly own: boolean;
  readonly token_party: string;
  readonly public_json: string;
  readonly pricing: PricingNote | null;
  readonly findings: Finding[];
  readonly credited_by: string | null;
  readonly body: string | null;
}

export const SELECT = `SELECT c."position", c.own, c.token_party, c.public_json, c.pricing, c.findings, c.credited_by,
  p.body
  FROM cdrs c LEFT JOIN private_parts p ON p.id = c.private_id`;

export function listed({
  position,
  own,
  token_party,
  public_json,
  pricing,
  findings,
  credited_by,
  body,
}: Found): ListedCdr {
  const [country_code = '', party_id = ''] = token_party.split('*');
  return {
    position,
    own,
    cdr: JSON.parse(public_json) as PublicCdr,
    tokenParty: { country_code, party_id },
    pricing: pricing ?? undefined,
    findings,
    creditedBy: credited_by ?? undefined,
    privateText: body ?? undefined,
  };
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
  { country_code, party_id, session_id, total_cost }: Cdr,
): Promise<string | undefined> {
  if (session_id === undefined) return undefined;
  const { rows } = await db.query<{ id: string }>(
    `SELECT public_json::json->>'id' AS id FROM cdrs
     WHERE NOT own AND party = $1 AND session_id = $2 AND credit_of IS NULL AND credited_by IS NULL
       AND (public_json::json->'total_cost'->>'excl_vat')::numeric = $3::numeric LIMIT 2`,
    [partyText({ country_code, party_id }), session_id, String(Math.abs(total_cost.excl_vat))],
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
