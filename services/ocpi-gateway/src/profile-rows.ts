import { type ChargingProfile, idKey, type Party, partyText, type Routing } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import type { SentCommand } from './command-rows.ts';

/** Who set a profile for a session of ours, and so hears of its active profile. CHP-02. */
export interface Follower {
  readonly partnerId: string;
  /** Of what is pushed. */
  readonly routing: Routing;
}

/** From when its profile was obeyed. */
export async function follow(db: Queryable, sessionId: string, { partnerId, routing }: Follower): Promise<void> {
  await db.query(
    `INSERT INTO profile_followers (session_id, partner_id, routing) VALUES ($1, $2, $3)
     ON CONFLICT (session_id, partner_id) DO UPDATE SET routing = $3, obeyed = true, withdrawn = false`,
    [idKey(sessionId), partnerId, JSON.stringify(routing)],
  );
}

/** The same of one who set it by a grant: where that is over by now, it hears nothing more. */
export async function followBy(db: Queryable, sessionId: string, { partnerId, routing }: Follower): Promise<void> {
  await db.query(
    'UPDATE profile_followers SET routing = $3, obeyed = true WHERE session_id = $1 AND partner_id = $2 AND steered_by IS NOT NULL AND NOT withdrawn',
    [idKey(sessionId), partnerId, JSON.stringify(routing)],
  );
}

/** Its grant is over: whatever it set does not hold, or will not in a moment. */
export async function isWithdrawn(db: Queryable, sessionId: string, partnerId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'SELECT FROM profile_followers WHERE session_id = $1 AND partner_id = $2 AND withdrawn', [idKey(sessionId), partnerId],
  );
  return rowCount === 1;
}

/** That a profile is being set by a grant, and how it was before. */
export interface Noted {
  readonly noted: string;
  readonly made: boolean;
  readonly withdrawn: boolean | null;
  readonly steered_by: string | null;
}

/** It sets a profile by a grant: when that is over, so is the profile. What `forgetSteerer` takes. */
export async function noteSteerer(db: Queryable, sessionId: string, { partnerId, routing }: Follower, by: string): Promise<Noted> {
  const { rows } = await db.query<Noted>(
    `WITH before AS (SELECT withdrawn, steered_by FROM profile_followers WHERE session_id = $1 AND partner_id = $2)
     INSERT INTO profile_followers (session_id, partner_id, routing, obeyed, steered_by) VALUES ($1, $2, $3, false, $4)
     ON CONFLICT (session_id, partner_id) DO UPDATE SET steered_by = $4, withdrawn = false
     RETURNING xmin::text AS noted, xmax = 0 AS made, (SELECT withdrawn FROM before), (SELECT steered_by FROM before)`,
    [idKey(sessionId), partnerId, JSON.stringify(routing), by],
  );
  return rows[0]!;
}

/** What it set was not taken, and it has set nothing else since: all is as before. */
export async function forgetSteerer(
  db: Queryable, sessionId: string, partnerId: string, { noted, made, withdrawn, steered_by: steeredBefore }: Noted,
): Promise<void> {
  const where = 'WHERE session_id = $1 AND partner_id = $2 AND xmin::text = $3';
  const values = [idKey(sessionId), partnerId, noted];
  if (made) await db.query(`DELETE FROM profile_followers ${where}`, values);
  // null: another was noted at the same instant.
  else if (withdrawn !== null) await db.query(`UPDATE profile_followers SET withdrawn = $4, steered_by = $5 ${where}`, [...values, withdrawn, steeredBefore]);
}

/** For which sessions it set profiles by a grant, and whose. */
export async function steeredBy(db: Queryable, partnerId: string): Promise<{ sessionId: string; by: Party }[]> {
  const { rows } = await db.query<{ session_id: string; steered_by: string }>(
    'SELECT session_id, steered_by FROM profile_followers WHERE partner_id = $1 AND steered_by IS NOT NULL ORDER BY session_id', [partnerId],
  );
  return rows.map(({ session_id: sessionId, steered_by: by }) => {
    const [country_code = '', party_id = ''] = by.split('*');
    return { sessionId, by: { country_code, party_id } };
  });
}

/** Who set profiles for these by a grant, and may still. */
export async function steerersOf(db: Queryable, sessionIds: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ partner_id: string }>(
    'SELECT DISTINCT partner_id FROM profile_followers WHERE session_id = ANY ($1) AND steered_by IS NOT NULL AND NOT withdrawn',
    [sessionIds.map(idKey)],
  );
  return rows.map((row) => row.partner_id);
}

export async function followersOf(db: Queryable, sessionId: string): Promise<Follower[]> {
  const { rows } = await db.query<{ partner_id: string; routing: Routing }>(
    'SELECT partner_id, routing FROM profile_followers WHERE session_id = $1 AND obeyed ORDER BY partner_id', [idKey(sessionId)],
  );
  return rows.map(({ partner_id: partnerId, routing }) => ({ partnerId, routing }));
}

/** What is said of a session to a partner goes in order. */
export const profileLane = (partnerId: string, sessionId: string): string => `${partnerId} profile ${idKey(sessionId)}`;

/** Nothing more of a session is said to one who may not see it any more. */
export async function hush(db: Queryable, sessionId: string, partnerId: string): Promise<void> {
  await db.query('UPDATE profile_followers SET obeyed = false, withdrawn = true WHERE session_id = $1 AND partner_id = $2', [
    idKey(sessionId), partnerId,
  ]);
  await db.query(
    `UPDATE pushed SET queued = false WHERE module = 'chargingprofiles' AND lower(object_key) = $1 AND partner_id = $2`,
    [idKey(sessionId), partnerId],
  );
}

/** What it set is cleared; how it ended may still be told, until the session ends. */
export async function noteCleared(db: Queryable, sessionId: string, partnerId: string): Promise<void> {
  await db.query('UPDATE profile_followers SET steered_by = NULL WHERE session_id = $1 AND partner_id = $2 AND withdrawn', [
    idKey(sessionId), partnerId,
  ]);
}

/** The session is over: nothing more is said of it, and nothing that waits. */
export async function unfollow(db: Queryable, sessionId: string): Promise<void> {
  await db.query('DELETE FROM profile_followers WHERE session_id = $1', [idKey(sessionId)]);
  await db.query(`UPDATE pushed SET queued = false WHERE module = 'chargingprofiles' AND object_key = $1`, [sessionId]);
}

/** What we asked a partner about the charge of one of our drivers there. */
export interface ProfileRequest {
  readonly orderId: string;
  readonly partnerId: string;
  readonly party: Party;
  readonly sessionId: string;
  /** GET, PUT or DELETE of the charging profile; WITHDRAW: a DELETE of what a provider set by a grant that is over; PREFERENCES. */
  readonly method: string;
  readonly at: string;
  /** Of a provider whose wish we pass on: its session. CHP-05. */
  readonly steeredId?: string | undefined;
  /** Of a PUT. */
  readonly profile?: ChargingProfile | undefined;
}

export interface KeptRequest extends ProfileRequest {
  readonly sent: SentCommand | undefined;
  /** OCPI ChargingProfileResultType, once the partner said it. */
  readonly result: string | undefined;
}

interface Row {
  order_id: string;
  partner_id: string;
  country_code: string;
  party_id: string;
  session_id: string;
  method: string;
  requested_at: string;
  sent: SentCommand | null;
  result: string | null;
  steered_id: string | null;
  profile: ChargingProfile | null;
}

const keyOf = (party: Party) => idKey(partyText(party));

/** Who asks for the same session waits until this transaction has ended. */
export async function lockRequests(tx: Tx, party: Party, sessionId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('profile requests'), hashtext($1))`, [`${keyOf(party)} ${idKey(sessionId)}`]);
}

/** False when this order was sent before. */
export async function keepRequest(db: Queryable, request: ProfileRequest): Promise<boolean> {
  const { orderId, partnerId, party, sessionId, method, at, steeredId, profile } = request;
  const { rowCount } = await db.query(
    `INSERT INTO profile_requests (order_id, partner_id, party, country_code, party_id, session_id, method, requested_at, steered_id, profile)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (order_id) DO NOTHING`,
    [
      orderId, partnerId, keyOf(party), party.country_code, party.party_id, idKey(sessionId), method, at, steeredId ?? null,
      profile ? JSON.stringify(profile) : null,
    ],
  );
  return rowCount === 1;
}

export async function noteReply(db: Queryable, orderId: string, sent: SentCommand): Promise<void> {
  await db.query('UPDATE profile_requests SET sent = $2 WHERE order_id = $1', [orderId, JSON.stringify(sent)]);
}

/** What a partner said first stands. */
export async function noteResult(db: Queryable, orderId: string, result: string): Promise<void> {
  await db.query('UPDATE profile_requests SET result = coalesce(result, $2) WHERE order_id = $1', [orderId, result]);
}

export async function findRequest(db: Queryable, orderId: string): Promise<KeptRequest | undefined> {
  const { rows } = await db.query<Row>('SELECT * FROM profile_requests WHERE order_id = $1', [orderId]);
  return rows[0] && requestOf(rows[0]);
}

/** The newest first. */
export async function requestsOf(db: Queryable, party: Party, sessionId: string, limit: number): Promise<KeptRequest[]> {
  const { rows } = await db.query<Row>(
    'SELECT * FROM profile_requests WHERE party = $1 AND session_id = $2 ORDER BY requested_at DESC, order_id LIMIT $3',
    [keyOf(party), idKey(sessionId), limit],
  );
  return rows.map(requestOf);
}

function requestOf(row: Row): KeptRequest {
  return {
    orderId: row.order_id, partnerId: row.partner_id, party: { country_code: row.country_code, party_id: row.party_id },
    sessionId: row.session_id, method: row.method, at: row.requested_at, sent: row.sent ?? undefined, result: row.result ?? undefined,
    steeredId: row.steered_id ?? undefined, profile: row.profile ?? undefined,
  };
}

/** By the newest request that may have been taken: what was set last for a session at a partner, unless it was cleared. */
export async function setLast(db: Queryable, party: Party, sessionId: string): Promise<KeptRequest | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT * FROM profile_requests WHERE party = $1 AND session_id = $2 AND method IN ('PUT', 'DELETE', 'WITHDRAW') AND result IS DISTINCT FROM 'REJECTED'
       AND (sent IS NULL OR sent->>'outcome' = 'unclear' OR sent->>'result' = 'ACCEPTED') ORDER BY n DESC LIMIT 1`,
    [keyOf(party), idKey(sessionId)],
  );
  return rows[0]?.method === 'PUT' ? requestOf(rows[0]) : undefined;
}

/** Whose session at a partner it is for which we set a profile: of several with that id the one of the party that tells of it. */
export async function profiledParty(db: Queryable, partnerId: string, sessionId: string, teller: Party | undefined): Promise<Party | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT * FROM profile_requests WHERE partner_id = $1 AND session_id = $2 AND method = 'PUT' ORDER BY party = $3 DESC, requested_at DESC LIMIT 1`,
    [partnerId, idKey(sessionId), teller ? keyOf(teller) : ''],
  );
  return rows[0] && requestOf(rows[0]).party;
}

/** What a partner told last takes the place of what it told before. */
export async function storeActive(
  db: Queryable,
  party: Party,
  sessionId: string,
  { text, at }: { text: string; at: string },
): Promise<void> {
  await db.query(
    `INSERT INTO partner_profiles (party, session_id, active, told_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (party, session_id) DO UPDATE SET active = $3, told_at = $4`,
    [keyOf(party), idKey(sessionId), text, at],
  );
}

export async function findActive(db: Queryable, party: Party, sessionId: string): Promise<{ text: string; at: string } | undefined> {
  const { rows } = await db.query<{ active: string; told_at: string }>(
    'SELECT active, told_at FROM partner_profiles WHERE party = $1 AND session_id = $2', [keyOf(party), idKey(sessionId)],
  );
  const [row] = rows;
  return row && { text: row.active, at: row.told_at };
}
