import { idKey, type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';

/** A Session of one of our drivers at a partner, as a smart charging service provider knows it: by an id of ours. CHP-05. */
export interface Steered {
  readonly steeredId: string;
  readonly to: Party;
  readonly operator: Party;
  /** At the operator. */
  readonly sessionId: string;
}

interface Row {
  steered_id: string;
  to_country_code: string;
  to_party_id: string;
  country_code: string;
  party_id: string;
  session_id: string;
}

export async function keepSteered(db: Queryable, all: readonly Steered[]): Promise<void> {
  if (all.length === 0) return;
  const sorted = [...all].sort((a, b) => (a.steeredId < b.steeredId ? -1 : 1));
  const column = (valueOf: (one: Steered) => string) => sorted.map(valueOf);
  await db.query(
    `INSERT INTO steered_sessions (steered_id, to_country_code, to_party_id, country_code, party_id, session_id, operator, session_key)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) ON CONFLICT DO NOTHING`,
    [
      column(({ steeredId }) => steeredId), column(({ to }) => to.country_code), column(({ to }) => to.party_id),
      column(({ operator }) => operator.country_code), column(({ operator }) => operator.party_id), column(({ sessionId }) => sessionId),
      column(({ operator }) => operatorKey(operator)), column(({ sessionId }) => idKey(sessionId)),
    ],
  );
}

export async function findSteered(db: Queryable, steeredId: string): Promise<Steered | undefined> {
  const { rows } = await db.query<Row>('SELECT * FROM steered_sessions WHERE steered_id = $1', [idKey(steeredId)]);
  return rows[0] && steeredOf(rows[0]);
}

/** All who know it. */
export async function steeredOfSession(db: Queryable, operator: Party, sessionId: string): Promise<Steered[]> {
  const { rows } = await db.query<Row>(
    'SELECT * FROM steered_sessions WHERE operator = $1 AND session_key = $2 ORDER BY steered_id', [operatorKey(operator), idKey(sessionId)],
  );
  return rows.map(steeredOf);
}

function steeredOf(row: Row): Steered {
  return {
    steeredId: row.steered_id, to: { country_code: row.to_country_code, party_id: row.to_party_id },
    operator: { country_code: row.country_code, party_id: row.party_id }, sessionId: row.session_id,
  };
}

const operatorKey = (operator: Party) => idKey(partyText(operator));
