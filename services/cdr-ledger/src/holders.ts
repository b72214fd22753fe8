import { randomBytes, randomUUID } from 'node:crypto';
import { idKey, type Party, partyText } from '#ocpi';
import type { Queryable } from '#postgres';
import { type PrivatePart, privatePart } from './private-part.ts';

/**
 * Whose account an account is: the one place that says so, in rows that can be deleted. Accounts
 * themselves have random ids.
 */

export interface Holder {
  readonly accountId: string;
  /** Which of our parties the contract is with. */
  readonly party: Party;
  readonly contractKey: string;
  readonly contractId: string;
}

const HOLDER = `h.account_id AS "accountId", json_build_object('country_code', split_part(h.party, '*', 1),
  'party_id', split_part(h.party, '*', 2)) AS party, h.contract_key AS "contractKey", h.contract_id AS "contractId"`;

/** What a CDR or a Session says of its payer, ids in any case. */
export interface Payer {
  readonly tokenUid: string;
  readonly contractId?: string | undefined;
}

/**
 * By the token that we issued, since partners may spell a contract differently; by the contract where
 * a card and an app user of one uid are of two, or no such token is known.
 */
export async function findHolder(
  db: Queryable,
  { tokenUid, contractId = '' }: Payer,
): Promise<Holder | undefined> {
  return (await findHolders(db, [{ tokenUid, contractId }]))[0];
}

/** The same of many at once, in their order. */
export async function findHolders(
  db: Queryable,
  payers: readonly Payer[],
): Promise<(Holder | undefined)[]> {
  if (payers.length === 0) return [];
  const { rows } = await db.query<Holder & { n: number }>(
    `SELECT p.n::int AS n, ${HOLDER} FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS p (token, contract, n)
     LEFT JOIN LATERAL (SELECT contract_key FROM account_tokens WHERE token_key = p.token
       ORDER BY contract_key = p.contract DESC, contract_key LIMIT 1) t ON true
     JOIN account_holders h ON h.contract_key = coalesce(t.contract_key, p.contract)`,
    [payers.map(({ tokenUid }) => idKey(tokenUid)), payers.map(({ contractId = '' }) => idKey(contractId))],
  );
  const found: (Holder | undefined)[] = payers.map(() => undefined);
  for (const { n, ...holder } of rows) found[n - 1] = holder;
  return found;
}

export async function holderOf(db: Queryable, contractId: string): Promise<Holder | undefined> {
  const { rows } = await db.query<Holder>(
    `SELECT ${HOLDER} FROM account_holders h WHERE h.contract_key = $1`,
    [idKey(contractId)],
  );
  return rows[0];
}

/** The contract's account, made up where it has none yet. */
export async function ensureHolder(db: Queryable, contractId: string, party: Party): Promise<Holder> {
  await db.query(
    `INSERT INTO account_holders (account_id, contract_key, contract_id, party) VALUES ($1, $2, $3, $4)
     ON CONFLICT (contract_key) DO UPDATE SET party = excluded.party WHERE account_holders.party IS NULL`,
    [randomUUID(), idKey(contractId), contractId, partyText(party)],
  );
  return (await holderOf(db, contractId))!;
}

/** What an account's first entry seals, under the contract's key: erased with the contract. */
export async function holderPart(
  db: Queryable,
  accountId: string,
  { country_code, party_id }: Party,
): Promise<PrivatePart | undefined> {
  const { rows } = await db.query<{ contract_id: string }>(
    'SELECT contract_id FROM account_holders WHERE account_id = $1',
    [accountId],
  );
  const [holder] = rows;
  if (!holder) return undefined;
  const { contract_id } = holder;
  const token = { country_code, party_id, uid: '', type: 'OTHER' as const, contract_id };
  return privatePart(token, JSON.stringify({ contract_id }), { id: randomUUID(), salt: randomBytes(32) });
}

/** The holders that the first entries of accounts name, where they are not erased. */
export async function restoreHolders(db: Queryable): Promise<void> {
  await db.query(
    `INSERT INTO account_holders (account_id, contract_key, contract_id, party)
     SELECT (e.data::json->>'accountId')::uuid, p.contract_key, p.body::json->>'contract_id',
       split_part(e.data::json->>'ledger', '/', 1)
     FROM events e JOIN private_parts p ON p.id = (e.data::json->'private'->>'id')::uuid
     WHERE e.type = 'AccountOpened' ORDER BY e."position" DESC ON CONFLICT (contract_key) DO NOTHING`,
  );
}

export async function noteToken(db: Queryable, tokenUid: string, contractId: string): Promise<void> {
  await db.query(
    `INSERT INTO account_tokens (token_key, contract_key) VALUES ($1, $2)
     ON CONFLICT DO NOTHING`,
    [idKey(tokenUid), idKey(contractId)],
  );
}

/** Contract keys by account; an erased one is not there. */
export async function contractKeys(
  db: Queryable,
  accountIds: readonly string[],
): Promise<Map<string, string>> {
  if (accountIds.length === 0) return new Map();
  const { rows } = await db.query<{ accountId: string; contractKey: string }>(
    `SELECT account_id AS "accountId", contract_key AS "contractKey" FROM account_holders
     WHERE account_id = ANY ($1::uuid[])`,
    [accountIds],
  );
  return new Map(rows.map(({ accountId, contractKey }) => [accountId, contractKey]));
}

/** Erases a contract: its account, its balance and its chain stay, and are nobody's. */
export async function forgetHolder(db: Queryable, contractId: string): Promise<void> {
  const key = idKey(contractId);
  await db.query(
    `DELETE FROM running_charges WHERE account_id =
       (SELECT account_id FROM account_holders WHERE contract_key = $1)`,
    [key],
  );
  await db.query('DELETE FROM account_tokens WHERE contract_key = $1', [key]);
  await db.query('DELETE FROM account_holders WHERE contract_key = $1', [key]);
}

/** Those of the tokens that are not noted yet. */
export async function unnotedTokens<T extends { readonly uid: string; readonly contract_id: string }>(
  db: Queryable, tokens: readonly T[],
): Promise<T[]> {
  if (tokens.length === 0) return [];
  const { rows } = await db.query<{ n: number }>(
    `SELECT o.n::int AS n FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o (token, contract, n)
     WHERE NOT EXISTS (SELECT FROM account_tokens t WHERE t.token_key = o.token AND t.contract_key = o.contract) ORDER BY o.n`,
    [tokens.map(({ uid }) => idKey(uid)), tokens.map(({ contract_id }) => idKey(contract_id))],
  );
  return rows.map(({ n }) => tokens[n - 1]!);
}
