import { idKey, type Party, type Session } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { grantedBy, partyKey } from './session-rows.ts';

export interface HeldSession {
  readonly session: Session;
  readonly text: string;
  readonly orderId: string | undefined;
  readonly takenAt: string;
}

export async function findPartnerSession(
  db: Queryable,
  party: Party,
  sessionId: string,
  lock = false,
): Promise<HeldSession | undefined> {
  const { rows } = await db.query<{ session: string; order_id: string | null; taken_at: string }>(
    `SELECT session, order_id, taken_at FROM partner_sessions WHERE party = $1 AND session_id = $2 ${lock ? 'FOR UPDATE' : ''}`,
    [partyKey(party), idKey(sessionId)],
  );
  const [row] = rows;
  return (
    row && {
      session: JSON.parse(row.session) as Session,
      text: row.session,
      orderId: row.order_id ?? undefined,
      takenAt: row.taken_at,
    }
  );
}

export async function storePartnerSession(
  tx: Tx,
  party: Party,
  session: Session,
  text: string,
): Promise<void> {
  const { cdr_token: token } = session;
  await tx.query(
    `INSERT INTO partner_sessions
       (party, session_id, token_party, token_uid, started_at, last_updated, session, operator, contract, place, is_open, taken_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp())
     ON CONFLICT (party, session_id) DO UPDATE SET token_party = excluded.token_party, token_uid = excluded.token_uid,
       started_at = excluded.started_at, last_updated = excluded.last_updated, session = excluded.session, operator = excluded.operator,
       contract = excluded.contract, place = excluded.place, is_open = excluded.is_open, taken_at = excluded.taken_at`,
    [
      partyKey(party),
      idKey(session.id),
      partyKey(token),
      idKey(token.uid),
      session.start_date_time,
      session.last_updated,
      text,
      ...grantedBy(session),
    ],
  );
}

export async function noteOrderOf(
  db: Queryable,
  party: Party,
  sessionId: string,
  orderId: string,
): Promise<void> {
  await db.query('UPDATE partner_sessions SET order_id = $3 WHERE party = $1 AND session_id = $2', [
    partyKey(party),
    idKey(sessionId),
    orderId,
  ]);
}

export interface StartOrdered {
  readonly orderId: string;
  readonly party: Party;
  readonly tokenUid: string;
  readonly evseUid: string;
  readonly at: string;
}

export async function noteStartOrdered(
  tx: Tx,
  { orderId, party, tokenUid, evseUid, at }: StartOrdered,
): Promise<void> {
  await tx.query(
    `INSERT INTO starts_ordered (order_id, party, token_uid, evse_uid, placed_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (order_id) DO NOTHING`,
    [idKey(orderId), partyKey(party), idKey(tokenUid), idKey(evseUid), at],
  );
}

export async function noteStopOrdered(
  tx: Tx,
  { orderId, party, sessionId }: { orderId: string; party: Party; sessionId: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO stops_ordered (order_id, party, session_id) VALUES ($1, $2, $3)
     ON CONFLICT (order_id) DO NOTHING`,
    [idKey(orderId), partyKey(party), idKey(sessionId)],
  );
}

export async function stopsOrderedFor(
  db: Queryable,
  party: Party,
  sessionId: string,
): Promise<string[]> {
  const { rows } = await db.query<{ order_id: string }>(
    'SELECT order_id FROM stops_ordered WHERE party = $1 AND session_id = $2',
    [partyKey(party), idKey(sessionId)],
  );
  return rows.map((row) => row.order_id);
}

/**
 * Orders within the hour before the session began, of its token at its EVSE; the newest first. The
 * partner's clock may be minutes behind ours.
 */
export async function startsOrderedFor(
  db: Queryable,
  party: Party,
  session: Session,
): Promise<string[]> {
  const { rows } = await db.query<{ order_id: string }>(
    `SELECT order_id FROM starts_ordered WHERE party = $1 AND token_uid = $2 AND evse_uid = $3
       AND placed_at > $4::timestamptz - interval '1 hour'
       AND placed_at <= $4::timestamptz + interval '5 minutes' ORDER BY placed_at DESC LIMIT 5`,
    [
      partyKey(party),
      idKey(session.cdr_token.uid),
      idKey(session.evse_uid),
      session.start_date_time,
    ],
  );
  return rows.map((row) => row.order_id);
}
