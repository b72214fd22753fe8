import { type Holder, isTokenOf } from '#erasure';
import { idKey, type Session } from '#ocpi';
import type { Database, Queryable } from '#postgres';
import { partyKey } from './session-rows.ts';

/** The rows of a contract, found and blanked. */

export interface HolderSession {
  readonly own: boolean;
  readonly session: Session;
  /** Of the row: whoever wrote it anew meanwhile is not written over. */
  readonly text: string;
}

const TABLES = [
  { table: 'own_sessions', own: true },
  { table: 'partner_sessions', own: false },
] as const;

/** Sessions of these tokens; where none is known any more, those that name the contract. */
export async function sessionsOfHolder(
  db: Queryable,
  holder: Holder,
  tokenKeys: readonly string[],
): Promise<HolderSession[]> {
  const { party, contractId, at } = holder;
  const asKnown = { ...holder, tokenUids: tokenKeys };
  const found = await Promise.all(TABLES.map(async ({ table, own }) => {
    const [which, value] = tokenKeys.length > 0
      ? ['token_uid = ANY ($3::text[])', tokenKeys]
      : [`lower(session::json -> 'cdr_token' ->> 'contract_id') = $3`, contractId.toLowerCase()];
    const { rows } = await db.query<{ session: string }>(
      `SELECT session FROM ${table} WHERE token_party = $1 AND started_at <= $2 AND ${which}`,
      [partyKey(party), at, value],
    );
    return rows
      .map(({ session: text }): HolderSession => ({ own, text, session: JSON.parse(text) as Session }))
      .filter(({ session }) => isTokenOf(asKnown, session.cdr_token));
  }));
  return found.flat();
}

export async function eraseSessions(
  db: Database,
  sessions: readonly HolderSession[],
  erased: (session: Session) => Session,
): Promise<void> {
  for (const { own, session, text } of sessions) {
    const blank = erased(session);
    const values = [idKey(session.id), text, JSON.stringify(blank), idKey(blank.cdr_token.uid), idKey(blank.cdr_token.contract_id)];
    await (own
      ? db.query('UPDATE own_sessions SET session = $3, token_uid = $4, contract = $5 WHERE session_id = $1 AND session = $2', values)
      : db.query(
          `UPDATE partner_sessions SET session = $3, token_uid = $4, contract = $5
           WHERE session_id = $1 AND session = $2 AND party = $6`, [...values, partyKey(session)]));
  }
}

export async function startsOfTokens(db: Queryable, tokenKeys: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ order_id: string }>(
    'SELECT order_id FROM starts_ordered WHERE token_uid = ANY ($1)', [tokenKeys]);
  return rows.map((row) => row.order_id);
}

/** Needed within the hour only; their orders are in the log. */
export async function forgetStartsOrdered(db: Queryable, tokenKeys: readonly string[]): Promise<void> {
  await db.query('DELETE FROM starts_ordered WHERE token_uid = ANY ($1)', [tokenKeys]);
}

/** How many events there are of the time before sealing. */
export async function sealedInTheOpen(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ n: number }>('SELECT "position"::int AS n FROM sealed_since');
  return rows[0]!.n;
}

/** Sessions that are still to be opened of these tokens. */
export async function openingsOf(db: Queryable, tokenKeys: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ session_id: string; fact: Buffer }>('SELECT session_id, fact FROM openings');
  return rows
    .filter(({ fact }) => tokenKeys.some((uid) => fact.toString('latin1').toLowerCase().includes(uid)))
    .map((row) => row.session_id);
}
