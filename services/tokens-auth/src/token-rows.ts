import { idKey, type Party, type Token } from '#ocpi';
import { idTagOf } from '#ocpp';
import { type ObjectPage, pageByCreation, type PageRequest, type Queryable, type Tx } from '#postgres';
import type { Place } from './places.ts';

export interface TokenKey {
  readonly countryCode: string;
  readonly partyId: string;
  readonly uid: string;
  readonly type: string;
}

export interface HeldToken {
  readonly own: boolean;
  readonly token: Token;
  /** The JSON as it is stored. */
  readonly text: string;
  /** One of ours: where alone it may charge. */
  readonly allowedAt?: readonly Place[] | undefined;
  readonly takenAt: string;
}

interface Row {
  own: boolean;
  token: string;
  allowed_at: Place[] | null;
  taken_at: string;
}

const COLUMNS = 'own, token, allowed_at, taken_at';
const held = ({ own, token, allowed_at, taken_at: takenAt }: Row): HeldToken =>
  ({ own, token: JSON.parse(token) as Token, text: token, allowedAt: allowed_at ?? undefined, takenAt });
/** How a station names the card: its uid, or the alias of one that is too long. */
export const tagOf = (uid: string): string => idTagOf(uid).toLowerCase();
const columns = ({ countryCode, partyId, uid, type }: TokenKey) =>
  [countryCode.toUpperCase(), partyId.toUpperCase(), uid.toLowerCase(), type];

export async function findToken(db: Queryable, key: TokenKey, lock = false): Promise<HeldToken | undefined> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM tokens WHERE country_code = $1 AND party_id = $2 AND uid = $3 AND type = $4
     ${lock ? 'FOR UPDATE' : ''}`,
    columns(key),
  );
  return rows[0] && held(rows[0]);
}

/** One of our own by its uid and type alone, which name it among all of our parties'. */
export async function findOwnToken(
  db: Queryable, { uid, type }: Pick<TokenKey, 'uid' | 'type'>, parties: readonly Party[],
): Promise<HeldToken | undefined> {
  const { rows } = await db.query<Row>(
    {
      name: 'tokens-own',
      text: `SELECT ${COLUMNS} FROM tokens JOIN unnest($1::text[], $2::text[]) AS p (country_code, party_id) USING (country_code, party_id)
        WHERE own AND uid = $3 AND type = $4`,
    },
    [
      parties.map((party) => party.country_code.toUpperCase()), parties.map((party) => party.party_id.toUpperCase()),
      uid.toLowerCase(), type,
    ],
  );
  return rows[0] && held(rows[0]);
}

/** A token that a card may be. */
export interface CardToken extends HeldToken {
  /** A partner's, whose link has ended. */
  readonly withoutLink: boolean;
}

/** All tokens that a card may be, by each of the cards, whether a station says its uid or its alias. */
export async function tokensOfCards(db: Queryable, idTags: readonly string[]): Promise<(idTag: string) => CardToken[]> {
  const { rows } = await db.query<Row & { tag: string; without_link: boolean }>({
    name: 'tokens-by-tag',
    text: `SELECT tag, ${COLUMNS}, NOT own AND EXISTS (SELECT FROM parties_without_link p
        WHERE p.country_code = t.country_code AND p.party_id = t.party_id) AS without_link
      FROM tokens t WHERE tag = ANY($1) ORDER BY created`,
  }, [idTags.map(tagOf)]);
  const byTag = Map.groupBy(rows, (row) => row.tag);
  return (idTag) => (byTag.get(tagOf(idTag)) ?? []).map((row) => ({ ...held(row), withoutLink: row.without_link }));
}

/** The tokens of a contract, the oldest first. */
export async function tokensOfContract(
  db: Queryable, { countryCode, partyId }: Pick<TokenKey, 'countryCode' | 'partyId'>, contractId: string,
): Promise<string[]> {
  const { rows } = await db.query<{ token: string }>({
    name: 'tokens-of-contract',
    text: `SELECT token FROM tokens WHERE country_code = $1 AND party_id = $2 AND lower(token::json ->> 'contract_id') = $3
      ORDER BY created LIMIT 20`,
  }, [countryCode.toUpperCase(), partyId.toUpperCase(), contractId.toLowerCase()]);
  return rows.map(({ token }) => token);
}

/** What is newer stays, unless `replacing`. */
export async function storeToken(tx: Tx, { own, token, text, allowedAt }: Omit<HeldToken, 'takenAt'>, replacing = false): Promise<void> {
  const key = { countryCode: token.country_code, partyId: token.party_id, uid: token.uid, type: token.type };
  await tx.query(
    `INSERT INTO tokens (country_code, party_id, uid, type, own, last_updated, token, tag, allowed_at, taken_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp())
     ON CONFLICT (country_code, party_id, uid, type)
     DO UPDATE SET own = excluded.own, last_updated = excluded.last_updated, token = excluded.token, allowed_at = excluded.allowed_at,
       taken_at = excluded.taken_at
     WHERE tokens.last_updated <= excluded.last_updated OR $10`,
    [...columns(key), own, token.last_updated, text, tagOf(token.uid), allowedAt ? JSON.stringify(allowedAt) : null, replacing],
  );
}

/** A token that was of one contract is now of another. */
export async function noteFormerContract(tx: Tx, { country_code, party_id, uid, contract_id }: Token): Promise<void> {
  await tx.query(
    'INSERT INTO former_contracts (country_code, party_id, uid, contract_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [country_code.toUpperCase(), party_id.toUpperCase(), idKey(uid), idKey(contract_id)],
  );
}

/** Our own tokens, or those of one of our parties, in order of creation. */
export function listOwnTokens(
  db: Queryable, request: PageRequest, owner?: Party,
): Promise<ObjectPage> {
  const ofOwner = owner
    ? { where: 'own AND country_code = $3 AND party_id = $4', values: [owner.country_code.toUpperCase(), owner.party_id.toUpperCase()] }
    : { where: 'own' };
  return pageByCreation(db, { table: 'tokens', text: 'token', ...ofOwner }, request);
}

/** The valid tokens that are held of a partner's party, as `type uid` in lower case and in that order. */
export async function heldTokenKeys(
  db: Queryable,
  party: Pick<TokenKey, 'countryCode' | 'partyId'>,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT lower(type) || ' ' || uid AS key FROM tokens WHERE country_code = $1 AND party_id = $2 AND NOT own
       AND (token::json->>'valid')::boolean AND lower(type) || ' ' || uid > $3 ORDER BY 1 LIMIT $4`,
    [party.countryCode.toUpperCase(), party.partyId.toUpperCase(), after, limit],
  );
  return rows.map(({ key }) => key);
}
