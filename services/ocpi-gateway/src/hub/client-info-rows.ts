import { type ClientInfo, type ConnectionStatus, type CredentialsRole, dateTimeOf, instantMs, type Party, type Role } from '#ocpi';
import type { Queryable, Tx } from '#postgres';

/** A party as a hub has it: with the partner through whom it is reached. */
export interface Client {
  readonly partnerId: string;
  /** Its platform is not the partner's: that is a hub, and said so in a ClientInfo. HUB-22. */
  readonly behind: boolean;
  readonly info: ClientInfo;
  /** In the order in which they were told first. */
  readonly created?: bigint;
}

interface Row {
  partner_id: string;
  behind: boolean;
  country_code: string;
  party_id: string;
  role: Role;
  status: ConnectionStatus;
  last_updated: string;
  created: bigint;
}

const COLUMNS = 'partner_id, behind, country_code, party_id, role, status, last_updated, created';

const clientOf = ({ partner_id, behind, country_code, party_id, role, status, last_updated, created }: Row): Client => ({
  partnerId: partner_id, behind, created, info: { country_code, party_id, role, status, last_updated: dateTimeOf(instantMs(last_updated)!) },
});

const keyOf = ({ country_code, party_id }: Party) => [country_code.toUpperCase(), party_id.toUpperCase()];

/** Those who have a party, the nearest first. */
export async function clientsWith(db: Queryable, party: Party): Promise<Client[]> {
  const { rows } = await db.query<Row>({
    name: 'client-infos-with',
    text: `SELECT ${COLUMNS} FROM client_infos WHERE country_code = $1 AND party_id = $2 ORDER BY behind, created`,
  }, keyOf(party));
  return rows.map(clientOf);
}

/** All, the oldest first. */
export async function allClients(db: Queryable): Promise<Client[]> {
  const { rows } = await db.query<Row>(`SELECT ${COLUMNS} FROM client_infos ORDER BY created`);
  return rows.map(clientOf);
}

/** Of a hub: its members as all others see them, by the partner. What is of one link is reached or not together. */
export async function membersReached(
  db: Queryable,
): Promise<ReadonlyMap<string, { readonly status: ConnectionStatus; readonly since: string }>> {
  const { rows } = await db.query<{ partner_id: string; status: ConnectionStatus; since: string }>(
    `SELECT DISTINCT ON (partner_id) partner_id, status, last_updated AS since FROM client_infos WHERE NOT behind
     ORDER BY partner_id, status = 'SUSPENDED', last_updated DESC`,
  );
  return new Map(
    rows.map(({ partner_id, status, since }) => [partner_id, { status, since: dateTimeOf(instantMs(since)!) }]),
  );
}

export async function clientsOf(db: Queryable, partnerId: string): Promise<Client[]> {
  const { rows } = await db.query<Row>(`SELECT ${COLUMNS} FROM client_infos WHERE partner_id = $1 ORDER BY created`, [partnerId]);
  return rows.map(clientOf);
}

/** Of one partner, that is a hub: who is behind it is looked at with each of its requests. */
export const BEHIND_AT_MOST = 10_000;

/** Whether one more party may be behind a hub; one that is known there is no more. */
export async function hasRoomFor(db: Queryable, { partnerId, info }: Client): Promise<boolean> {
  const { rows } = await db.query<{ n: number; known: boolean }>(
    `SELECT count(*)::int AS n, coalesce(bool_or((country_code, party_id, role) = ($2, $3, $4)), false) AS known
       FROM client_infos WHERE partner_id = $1 AND behind`, [partnerId, ...keyOf(info), info.role],
  );
  return rows[0]!.known || rows[0]!.n < BEHIND_AT_MOST;
}

/**
 * Whether that is news; an older ClientInfo is none, unless what is held was said by a clock that is ahead of `now`. What a hub
 * says again is none, either, and still newer than what it said between and comes late.
 */
export async function keepClient(tx: Tx, { partnerId, behind, info }: Client, now: number): Promise<boolean> {
  const { rows } = await tx.query<{ news: boolean }>(
    `WITH before AS (SELECT status FROM client_infos WHERE (country_code, party_id, role, partner_id) = ($1, $2, $3, $4))
     INSERT INTO client_infos AS held (country_code, party_id, role, partner_id, behind, status, last_updated)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (country_code, party_id, role, partner_id) DO UPDATE SET status = excluded.status, last_updated = excluded.last_updated
       WHERE (held.last_updated <= excluded.last_updated OR held.last_updated > $8) AND (held.behind OR held.status <> excluded.status)
     RETURNING status IS DISTINCT FROM (SELECT status FROM before) AS news`,
    [...keyOf(info), info.role, partnerId, behind, info.status, info.last_updated, new Date(now)],
  );
  return rows[0]?.news ?? false;
}

/**
 * Whom a hub lists in its credentials is behind it, as long as no ClientInfo says otherwise: a list has no time. `all`: those whom it
 * does not list are gone.
 */
export async function keepListed(
  tx: Tx, partnerId: string, listed: readonly CredentialsRole[], { all, now }: { readonly all: boolean; readonly now: number },
): Promise<void> {
  const held = new Set((await clientsOf(tx, partnerId)).flatMap(({ behind, info }) => (behind ? [clientKey(info)] : [])));
  let room = BEHIND_AT_MOST - held.size;
  const known = listed.filter((one) => one.role !== 'HUB' && (held.has(clientKey(one)) || room-- > 0));
  const rows = [known.map((one) => one.country_code.toUpperCase()), known.map((one) => one.party_id.toUpperCase()), known.map(({ role }) => role)];
  if (all) await tx.query(
    `UPDATE client_infos SET status = 'SUSPENDED', last_updated = $5 WHERE partner_id = $1 AND behind AND status <> 'SUSPENDED'
      AND (country_code, party_id, role) NOT IN (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]))`, [partnerId, ...rows, new Date(now)],
  );
  await tx.query(
    `INSERT INTO client_infos AS held (country_code, party_id, role, partner_id, behind, status, last_updated)
      SELECT DISTINCT country_code, party_id, role, $1, true, 'CONNECTED', 'epoch'::timestamptz
      FROM unnest($2::text[], $3::text[], $4::text[]) AS given (country_code, party_id, role)
      ON CONFLICT (country_code, party_id, role, partner_id) DO UPDATE SET status = 'CONNECTED' WHERE held.behind AND held.status NOT IN ('CONNECTED', 'OFFLINE')`,
    [partnerId, ...rows],
  );
}

/** Links came or went, or one party: who is behind a hub and has a link of its own, is heard there alone. */
export async function noteOwnLinks(tx: Tx, party?: Party): Promise<void> {
  await tx.query(
    `UPDATE client_infos c SET has_own_link = linked.here
     FROM (SELECT b.country_code, b.party_id, b.role, b.partner_id, EXISTS (
         SELECT FROM partners d, json_array_elements(d.roles) r WHERE d.state = 'registered'
         AND upper(r->>'country_code') = b.country_code AND upper(r->>'party_id') = b.party_id) AS here
       FROM client_infos b WHERE b.behind AND ($1::text IS NULL OR (b.country_code, b.party_id) = ($1, $2))) linked
     WHERE c.country_code = linked.country_code AND c.party_id = linked.party_id AND c.role = linked.role
       AND c.partner_id = linked.partner_id AND c.has_own_link <> linked.here`, party ? keyOf(party) : [null, null],
  );
}

/** A partner's own parties are like this now; those it has no more are SUSPENDED. Answers what changed. */
export async function keepRoles(
  tx: Tx,
  partnerId: string,
  roles: readonly CredentialsRole[],
  status: ConnectionStatus,
  at: number,
): Promise<Client[]> {
  const known = (await clientsOf(tx, partnerId)).filter(({ behind }) => !behind);
  const heldMs = new Map(known.map(({ info }) => [clientKey(info), instantMs(info.last_updated)!]));
  const clientAt = (role: Pick<ClientInfo, 'country_code' | 'party_id' | 'role'>, as: ConnectionStatus): Client => ({
    partnerId,
    behind: false,
    info: {
      country_code: role.country_code.toUpperCase(),
      party_id: role.party_id.toUpperCase(),
      role: role.role,
      status: as,
      last_updated: dateTimeOf(Math.max(at, (heldMs.get(clientKey(role)) ?? -Infinity) + 1)),
    },
  });
  const is = roles.map((role) => clientAt(role, status));
  const gone = known
    .filter(({ info }) => !is.some((one) => clientKey(one.info) === clientKey(info)))
    .map(({ info }) => clientAt(info, 'SUSPENDED'));
  const changed: Client[] = [];
  for (const client of [...is, ...gone]) if (await keepClient(tx, client, at)) changed.push(client);
  return changed;
}

/** One per country, party and role. HCI-02. */
export function clientKey({ country_code, party_id, role }: Pick<ClientInfo, 'country_code' | 'party_id' | 'role'>): string {
  return `${role} ${country_code}*${party_id}`.toUpperCase();
}

/**
 * The partner is, or is not, to be reached; what is SUSPENDED stays so. Answers what changed, each later than
 * it was, also where a clock that is ahead of ours said that: members take no older news.
 */
export async function setReached(tx: Tx, partnerId: string, status: 'CONNECTED' | 'OFFLINE', at: number): Promise<Client[]> {
  const { rows } = await tx.query<Row>(
    `UPDATE client_infos SET status = $2, last_updated = greatest($3, last_updated + interval '1 ms')
      WHERE partner_id = $1 AND NOT behind AND status IN ('CONNECTED', 'OFFLINE') AND status <> $2 RETURNING ${COLUMNS}`,
    [partnerId, status, new Date(at)],
  );
  return rows.map(clientOf);
}

/** Nobody behind a hub whose link has ended comes back by it, or says so. Answers who was thought to be there. HCI-03. */
export async function suspendBehindEnded(tx: Tx): Promise<Client[]> {
  const { rows } = await tx.query<Row>(
    `UPDATE client_infos c SET status = 'SUSPENDED' WHERE behind AND status <> 'SUSPENDED'
      AND NOT EXISTS (SELECT FROM partners p WHERE p.partner_id = c.partner_id AND p.state = 'registered') RETURNING ${COLUMNS}`,
  );
  return rows.map(clientOf);
}

/** Whether some process of ours found that the partner cannot be reached. */
export async function isOffline(db: Queryable, partnerId: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'client-infos-offline', text: `SELECT FROM client_infos WHERE partner_id = $1 AND NOT behind AND status = 'OFFLINE' LIMIT 1`,
  }, [partnerId]);
  return rowCount === 1;
}

/** A message came from the partner. */
export async function noteHeard(db: Queryable, partnerId: string, at: number): Promise<void> {
  await db.query('UPDATE partners SET heard_at = $2 WHERE partner_id = $1 AND (heard_at IS NULL OR heard_at < $2)', [
    partnerId,
    new Date(at),
  ]);
}

export async function heardAt(db: Queryable, partnerId: string): Promise<number> {
  const { rows } = await db.query<{ heard_at: string | null }>('SELECT heard_at FROM partners WHERE partner_id = $1', [partnerId]);
  return instantMs(rows[0]?.heard_at ?? '') ?? 0;
}
