import type { SteeringGrant } from '#grants';
import { idKey, type Party, partyText, sameParty, type Session } from '#ocpi';
import { type ObjectPage, pageByCreation, type PageRequest, type Queryable, type Tx } from '#postgres';
import { rfc3339 } from '#time';

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
    `INSERT INTO own_sessions (session_id, token_party, token_uid, started_at, last_updated, session, operator, contract, place, is_open)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (session_id) DO UPDATE SET last_updated = excluded.last_updated, session = excluded.session, operator = excluded.operator,
       contract = excluded.contract, place = excluded.place, is_open = excluded.is_open`,
    [
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

/** By what a Session is granted: operator, contract, place, is_open. */
export function grantedBy(session: Session): [operator: string, contract: string, place: string, isOpen: boolean] {
  const { cdr_token: { contract_id: contractId }, location_id: locationId, status } = session;
  return [partyKey(session), idKey(contractId), idKey(locationId), status !== 'COMPLETED' && status !== 'INVALID'];
}

/** Which of our own sessions somebody may see. */
export interface SessionsOf {
  /** Of the tokens of these. */
  readonly parties: readonly Party[] | 'anybody';
  /** Of this party of ours only. */
  readonly owner?: Party | undefined;
  /** And those that are granted. CHP-03. */
  readonly steering?: readonly SteeringGrant[];
  readonly openOnly?: boolean;
}

/** In order of creation. TRN-50, TRN-54. */
export function listOwnSessions(
  db: Queryable,
  { parties, owner, steering = [], openOnly = false }: SessionsOf,
  request: PageRequest,
): Promise<ObjectPage> {
  const values: unknown[] = [parties === 'anybody' ? [] : parties.map(partyKey)];
  const value = (one: unknown) => `$${values.push(one) + 2}`;
  const granted = steering.map(({ own, tokenParty, contractIds, locations, since }) => [
    `token_party = ${value(partyKey(tokenParty))}`,
    ...(sameParty(own, tokenParty) ? [] : [`operator = ${value(partyKey(own))}`]),
    ...(contractIds.length === 0 ? [] : [`contract = ANY (${value(contractIds.map(idKey))}::text[])`]),
    ...(locations.length === 0 ? [] : [`place LIKE ANY (${value(locations.map(likeOf))}::text[])`]),
    `(last_updated >= ${value(rfc3339(since))} OR is_open)`,
  ].join(' AND '));
  const ofTokens = parties === 'anybody' ? 'cardinality($3::text[]) = 0' : 'token_party = ANY($3)';
  const where = [
    `(${[steering.length > 0 ? `(own AND ${ofTokens})` : ofTokens, ...granted].join(' OR ')})`,
    ...(owner ? [`operator = ${value(partyKey(owner))}`] : []),
    ...(openOnly ? ['is_open'] : []),
  ];
  // What is granted may be our drivers' Sessions at partners, too.
  const table = steering.length > 0 ? 'all_sessions' : 'own_sessions';
  return pageByCreation(db, { table, text: 'session', where: where.join(' AND '), values }, request);
}

function likeOf(pattern: string): string {
  return idKey(pattern).replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%');
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
