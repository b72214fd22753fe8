import type { CredentialsRole, Endpoint, ModuleId, Party } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { rfc3339 } from '#time';
import type { InvitedParty } from './invited.ts';
import type { Chosen } from './quirks.ts';
import { endpointOf, hasParty, type Partner, type PartnerState, takesTokens } from './partner.ts';

interface Row {
  partner_id: string;
  name: string;
  state: PartnerState;
  version: string;
  versions_url: string;
  roles: CredentialsRole[];
  behind: (Party & { linked: boolean })[];
  endpoints: Endpoint[];
  token_out: Buffer | null;
  last_error: string;
  quirks: Chosen;
  invited: InvitedParty[];
}

const COLUMNS = `p.partner_id, p.name, p.state, p.version, p.versions_url, p.roles, p.endpoints, p.token_out, p.last_error, p.quirks, p.invited,
  CASE WHEN p.roles::text LIKE '%"HUB"%' THEN (
    SELECT coalesce(json_agg(json_build_object('country_code', c.country_code, 'party_id', c.party_id, 'linked', c.has_own_link)), '[]')
    FROM (SELECT DISTINCT country_code, party_id, has_own_link FROM client_infos c WHERE c.partner_id = p.partner_id AND c.behind
      AND c.status IN ('CONNECTED', 'OFFLINE')) c) ELSE '[]' END AS behind`;

const partnerOf = (row: Row): Partner => ({
  id: row.partner_id,
  name: row.name,
  state: row.state,
  version: row.version,
  versionsUrl: row.versions_url,
  roles: row.roles,
  behind: row.behind.filter(({ linked }) => !linked),
  aside: row.behind.filter(({ linked }) => linked),
  endpoints: row.endpoints,
  tokenOut: row.token_out ?? undefined,
  lastError: row.last_error,
  quirks: row.quirks,
  invited: row.invited,
});

export async function findPartner(db: Queryable, id: string, lock = false): Promise<Partner | undefined> {
  const { rows } = await db.query<Row>({
    name: `partner-find${lock ? '-lock' : ''}`, text: `SELECT ${COLUMNS} FROM partners p WHERE partner_id = $1 ${lock ? 'FOR UPDATE' : ''}`,
  }, [id]);
  return rows[0] && partnerOf(rows[0]);
}

export async function registeredPartners(db: Queryable): Promise<Partner[]> {
  const { rows } = await db.query<Row>({
    name: 'partners-registered',
    text: `SELECT ${COLUMNS} FROM partners p WHERE state = 'registered' ORDER BY created`,
  });
  return rows.map(partnerOf);
}

/** Parties whose link has ended, or that a hub reaches no more. */
export async function partiesWithoutLink(db: Queryable): Promise<Party[]> {
  const { rows } = await db.query<Party>(
    `SELECT r->>'country_code' AS country_code, r->>'party_id' AS party_id FROM partners, json_array_elements(roles) r WHERE state = 'unregistered'
     UNION SELECT c.country_code, c.party_id FROM client_infos c LEFT JOIN partners p USING (partner_id)
       WHERE c.behind AND (p.state IS DISTINCT FROM 'registered' OR c.status NOT IN ('CONNECTED', 'OFFLINE'))`,
  );
  return rows;
}

/** Those who want a module of ours pushed: all of them, or the one that has a party. */
export async function receiversOf(db: Queryable, module: ModuleId, party?: Party): Promise<Partner[]> {
  const registered = await registeredPartners(db);
  return registered.filter((partner) =>
    endpointOf(partner, module, 'RECEIVER') !== undefined && (module !== 'tokens' || takesTokens(partner)) && (party === undefined || hasParty(partner, party)));
}

export async function partnerWith(db: Queryable, party: Party): Promise<Partner | undefined> {
  return (await registeredPartners(db)).find((partner) => hasParty(partner, party));
}

export async function insertPartner(
  tx: Tx,
  partner: Pick<Partner, 'id' | 'name' | 'state' | 'versionsUrl' | 'quirks' | 'invited'>,
): Promise<void> {
  await tx.query(
    'INSERT INTO partners (partner_id, name, state, versions_url, quirks, invited) VALUES ($1, $2, $3, $4, $5, $6)',
    [
      partner.id,
      partner.name,
      partner.state,
      partner.versionsUrl,
      JSON.stringify(partner.quirks),
      JSON.stringify(partner.invited),
    ],
  );
}

export async function storePartner(tx: Tx, partner: Partner): Promise<void> {
  await tx.query(
    `UPDATE partners SET name = $2, state = $3, version = $4, versions_url = $5, roles = $6, endpoints = $7,
       token_out = $8, invited = $9 WHERE partner_id = $1`,
    [
      partner.id, partner.name, partner.state, partner.version, partner.versionsUrl,
      JSON.stringify(partner.roles), JSON.stringify(partner.endpoints), partner.tokenOut ?? null, JSON.stringify(partner.invited),
    ],
  );
}

export async function removePartner(tx: Queryable, id: string): Promise<void> {
  await tx.query('DELETE FROM partners WHERE partner_id = $1', [id]);
}

export async function noteError(db: Queryable, id: string, error: string): Promise<void> {
  await db.query('UPDATE partners SET last_error = $2 WHERE partner_id = $1', [id, error.slice(0, 1_000)]);
}

/** What was sent last got through, in every lane: the last error is over. */
export async function noteUp(db: Queryable, id: string, now: number): Promise<void> {
  await db.query(
    `UPDATE partners SET last_error = last_error || $2
     WHERE partner_id = $1 AND last_error <> '' AND last_error NOT LIKE '% (up again since %)'
       AND NOT EXISTS (SELECT FROM push_lanes l WHERE l.partner_id = $1 AND l.failures > 0)`,
    [id, ` (up again since ${rfc3339(now)})`],
  );
}

export type TokenKind = 'registration' | 'current' | 'old';

export interface TokenHolder {
  readonly partner: Partner;
  readonly kind: TokenKind;
  readonly hash: Buffer;
  /** Tokens that were given before this one are still good. */
  readonly othersLinger: boolean;
}

/** Who presents one of these tokens. */
export async function tokenHolders(db: Queryable, hashes: readonly Buffer[]): Promise<TokenHolder[]> {
  // The hashes come through a SELECT so that a plan cannot gain from knowing them: planning took five times the look-up.
  const { rows } = await db.query<Row & { hash: Buffer; kind: TokenKind; others: boolean }>({
    name: 'partners-by-token',
    text: `SELECT ${COLUMNS}, t.hash, t.kind,
        EXISTS (SELECT FROM partner_tokens o WHERE o.partner_id = t.partner_id AND o.given < t.given) AS others
      FROM partner_tokens t JOIN partners p USING (partner_id) WHERE t.hash = ANY((SELECT $1::bytea[])::bytea[])`,
  }, [hashes]);
  return rows.map((row) => ({ partner: partnerOf(row), kind: row.kind, hash: row.hash, othersLinger: row.others }));
}

export async function addToken(tx: Tx, partnerId: string, hash: Buffer, kind: TokenKind): Promise<void> {
  await tx.query('INSERT INTO partner_tokens (hash, partner_id, kind) VALUES ($1, $2, $3)', [hash, partnerId, kind]);
}

/** Given one after the other, and none of them used yet: no partner asks for more because its answers get lost. */
const UNUSED_MOST = 8;

/**
 * The one in use stays good until a newer one is used, and so does each that was given meanwhile: which of them arrived is
 * not known. CRE-07.
 */
export async function replaceToken(tx: Tx, partnerId: string, hash: Buffer): Promise<void> {
  await tx.query(
    `DELETE FROM partner_tokens WHERE partner_id = $1 AND given <> (SELECT min(given) FROM partner_tokens WHERE partner_id = $1)
       AND given NOT IN (SELECT given FROM partner_tokens WHERE partner_id = $1 ORDER BY given DESC LIMIT $2)`,
    [partnerId, UNUSED_MOST - 1],
  );
  await tx.query(`UPDATE partner_tokens SET kind = 'old' WHERE partner_id = $1`, [partnerId]);
  await addToken(tx, partnerId, hash, 'current');
}

/** A new one was not taken, and nobody used it: the one before it is current again. */
export async function restoreToken(tx: Tx, partnerId: string, hash: Buffer): Promise<void> {
  await tx.query(`DELETE FROM partner_tokens t WHERE hash = $2
    AND EXISTS (SELECT FROM partner_tokens WHERE partner_id = $1 AND given < t.given)`, [partnerId, hash]);
  await tx.query(`UPDATE partner_tokens SET kind = 'current' WHERE partner_id = $1
    AND given = (SELECT max(given) FROM partner_tokens WHERE partner_id = $1)`, [partnerId]);
}

/** A partner has a newer one: those that were given before it are of no more use. CRE-07. */
export async function dropTokensBefore(db: Queryable, partnerId: string, hash: Buffer): Promise<void> {
  await db.query(
    'DELETE FROM partner_tokens WHERE partner_id = $1 AND given < (SELECT given FROM partner_tokens WHERE hash = $2)', [partnerId, hash]);
}

export async function dropTokens(db: Queryable, partnerId: string, kinds: readonly TokenKind[]): Promise<void> {
  await db.query('DELETE FROM partner_tokens WHERE partner_id = $1 AND kind = ANY($2)', [partnerId, kinds]);
}

/** All partners with what waits for them. `now`: epoch ms. */
export async function partnersWithWaiting(
  db: Queryable,
  now: number,
  partnerId?: string,
): Promise<{ partner: Partner; waiting: Waiting }[]> {
  const { rows } = await db.query<
    Row & {
      waiting: number;
      since: string | null;
      failed: number;
      letters: number;
      down_since: bigint | null;
      next_try: bigint | null;
    }
  >(
    `SELECT ${COLUMNS}, w.waiting, w.since, w.failed,
       (SELECT count(*)::int FROM pushed o WHERE o.partner_id = p.partner_id AND o.parked IS NOT NULL) AS letters,
       (SELECT min(down_since) FROM push_lanes l WHERE l.partner_id = p.partner_id AND l.failures > 0 AND p.state = 'registered') AS down_since,
       (SELECT min(next_try) FROM push_lanes l WHERE l.partner_id = p.partner_id AND l.failures > 0 AND p.state = 'registered') AS next_try
     FROM partners p, LATERAL (
       SELECT count(*)::int AS waiting, min(since) AS since, coalesce(sum(attempts), 0)::int AS failed FROM (
         SELECT o.queued_at AS since, o.attempts FROM push_lanes l JOIN pushed o ON o.lane = l.lane AND o.queued WHERE l.partner_id = p.partner_id
         UNION ALL
         SELECT to_timestamp(s.updated_ms / 1000.0), o.attempts FROM push_lanes l JOIN shared_locations s ON s.version > l.told
           JOIN pushed o ON o.partner_id = p.partner_id AND o.module = 'locations' AND o.object_key = s.object_key
         WHERE l.lane = p.partner_id AND o.shared AND NOT o.queued AND s.version > coalesce(o.acknowledged_version, 0)) o) w
     WHERE state <> 'registering' AND ($1::text IS NULL OR p.partner_id = $1) ORDER BY created`,
    [partnerId ?? null],
  );
  return rows.map((row) => ({
    partner: partnerOf(row),
    waiting: {
      objects: row.waiting,
      since: row.since ?? undefined,
      failedAttempts: row.failed,
      deadLetters: row.letters,
      line: lineOf(row, now),
    },
  }));
}

/** The circuit of a partner's lanes, the worst of them. */
export interface Line {
  readonly state: 'closed' | 'open' | 'half-open';
  readonly since?: string;
  readonly nextTry?: string;
}

function lineOf({ down_since: since, next_try: nextTry }: { down_since: bigint | null; next_try: bigint | null }, now: number): Line {
  if (since === null || nextTry === null) return { state: 'closed' };
  return { state: Number(nextTry) > now ? 'open' : 'half-open', since: rfc3339(Number(since)), nextTry: rfc3339(Number(nextTry)) };
}

/** What waits to be sent to a partner. */
export interface Waiting {
  readonly objects: number;
  /** Since when the oldest waits. */
  readonly since: string | undefined;
  readonly failedAttempts: number;
  readonly deadLetters: number;
  readonly line: Line;
}
