import { idKey, type Party, partyText, type Session } from '#ocpi';
import { type ObjectPage, pageByCreation, type PageRequest, type Queryable, type Tx } from '#postgres';

export const partyKey = (party: Party): string => idKey(partyText(party));

/** False where it was known before. */
export async function noteTransaction(
  tx: Tx,
  stationId: string,
  transactionId: string,
  sessionId: string,
): Promise<boolean> {
  const { rows } = await tx.query(
    `INSERT INTO transactions AS t (station_id, transaction_id, session_id) VALUES ($1, $2, $3)
     ON CONFLICT (station_id, transaction_id) DO UPDATE SET session_id = excluded.session_id
       WHERE t.session_id <> excluded.session_id
     RETURNING session_id`,
    [stationId, transactionId, sessionId],
  );
  return rows.length > 0;
}

export async function sessionOfTransaction(
  tx: Queryable,
  stationId: string,
  transactionId: string,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ session_id: string }>(
    'SELECT session_id FROM transactions WHERE station_id = $1 AND transaction_id = $2',
    [stationId, transactionId],
  );
  return rows[0]?.session_id;
}

/** Read model: our own sessions as last told. */
export async function storeOwnSession(tx: Queryable, session: Session, text: string): Promise<void> {
  const { cdr_token: token } = session;
  await tx.query(
    `INSERT INTO own_sessions (session_id, token_party, token_uid, started_at, last_updated, session)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (session_id) DO UPDATE SET last_updated = excluded.last_updated, session = excluded.session`,
    [
      idKey(session.id),
      partyKey(token),
      idKey(token.uid),
      session.start_date_time,
      session.last_updated,
      text,
    ],
  );
}

/** Our own sessions (or those of one of our parties) of these parties' tokens, in order of creation. TRN-50, TRN-54. */
export function listOwnSessions(
  db: Queryable,
  parties: readonly Party[],
  request: PageRequest,
  owner?: Party,
): Promise<ObjectPage> {
  const ofOwner = `lower(session::json->>'country_code' || '*' || (session::json->>'party_id')) = $4`;
  return pageByCreation(db, {
    table: 'own_sessions',
    text: 'session',
    where: `token_party = ANY($3)${owner ? ` AND ${ofOwner}` : ''}`,
    values: [parties.map(partyKey), ...(owner ? [partyKey(owner)] : [])],
  }, request);
}

/** The sessions of one token, ours and partners', newest first. */
export async function listTokenSessions(
  db: Queryable,
  party: Party,
  tokenUid: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.query<{ session: string }>(
    `SELECT session FROM (
       SELECT session, started_at, session_id FROM own_sessions WHERE token_party = $1 AND token_uid = $2
       UNION ALL
       SELECT session, started_at, session_id FROM partner_sessions WHERE token_party = $1 AND token_uid = $2
     ) AS both_kinds ORDER BY started_at DESC, session_id LIMIT $3`,
    [partyKey(party), idKey(tokenUid), limit],
  );
  return rows.map((row) => row.session);
}
