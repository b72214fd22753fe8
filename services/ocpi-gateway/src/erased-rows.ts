import { type Holder, isTokenOf } from '#erasure';
import { type Cdr, erasedCdrToken, idKey, type Session, type Token } from '#ocpi';
import type { Queryable } from '#postgres';
import type { PushedKey } from './pushes/pushed-rows.ts';

/** What is kept of a contract for partners: its tokens, and the Sessions and CDRs of its charges. */
export interface HeldPush {
  readonly key: PushedKey;
  readonly partnerName: string;
  readonly isLinked: boolean;
  readonly current: string;
  readonly acknowledged: string | undefined;
  readonly unclear: boolean;
  readonly queued: boolean;
}

interface Row extends PushedKey {
  readonly partnerName: string;
  readonly state: string;
  readonly current: string;
  readonly acknowledged: string | null;
  readonly unclear: boolean;
  readonly queued: boolean;
}

/** So that no statement runs for long, whatever partners were sent over the years. */
const PAGE_ROWS = 20_000;

export async function pushedOf(db: Queryable, holder: Holder): Promise<HeldPush[]> {
  const needles = [holder.contractId, ...holder.tokenUids].map((id) => id.toLowerCase());
  const found: HeldPush[] = [];
  for (let after: readonly string[] = ['', '', '']; ;) {
    const { rows: [page] } = await db.query<{ last: string[] | null; rows: Row[] | null }>(
      `WITH page AS (
         SELECT * FROM pushed WHERE module IN ('tokens', 'sessions', 'cdrs')
           AND (partner_id, module, object_key) > ($1, $2, $3)
         ORDER BY partner_id, module, object_key LIMIT $4)
       SELECT (SELECT ARRAY[partner_id, module, object_key] FROM page OFFSET $4 - 1) AS last,
         (SELECT json_agg(json_build_object('partnerId', partner_id, 'module', module, 'objectKey', object_key,
            'partnerName', name, 'state', state, 'current', current, 'acknowledged', acknowledged,
            'unclear', unclear, 'queued', queued))
          FROM page JOIN partners USING (partner_id)
          WHERE EXISTS (SELECT FROM unnest($5::text[]) AS id WHERE position(id IN lower(current)) > 0)) AS rows`,
      [...after, PAGE_ROWS, needles],
    );
    found.push(...(page!.rows ?? []).filter((row) => isOf(holder, row)).map(heldPush));
    if (!page!.last) return found;
    after = page!.last;
  }
}

function heldPush({ partnerId, module, objectKey, state, acknowledged, ...row }: Row): HeldPush {
  return { ...row, key: { partnerId, module, objectKey }, isLinked: state === 'registered', acknowledged: acknowledged ?? undefined };
}

function isOf(holder: Holder, { module, current }: Pick<Row, 'module' | 'current'>): boolean {
  const object = JSON.parse(current) as Token | Session | Cdr;
  const token = module === 'tokens' ? object as Token : (object as Session | Cdr).cdr_token;
  return token !== undefined && isTokenOf(holder, token);
}

/** Keys of the tokens of a contract that a hub was told of. */
export async function hubTokensOf(db: Queryable, holder: Holder): Promise<string[]> {
  const { party: { country_code, party_id } } = holder;
  const { rows } = await db.query<{ key: string; object: string }>(
    `SELECT object_key AS key, object FROM hub_objects
     WHERE module = 'tokens' AND lower(country_code) = lower($1) AND lower(party_id) = lower($2)
       AND position(lower($3) IN lower(object)) > 0`,
    [country_code, party_id, holder.contractId],
  );
  return rows.filter(({ object }) => isTokenOf(holder, JSON.parse(object) as Token)).map(({ key }) => key);
}

export async function dropHubTokens(db: Queryable, { party }: Holder, keys: readonly string[]): Promise<void> {
  await db.query(
    `DELETE FROM hub_objects WHERE module = 'tokens' AND lower(country_code) = lower($1) AND lower(party_id) = lower($2)
       AND object_key = ANY ($3)`,
    [party.country_code, party.party_id, keys],
  );
}

/** A CDR that was taken keeps its place, so that it never goes again; nothing reads it any more. */
export async function blankCdr(db: Queryable, { partnerId, module, objectKey }: PushedKey): Promise<void> {
  await db.query(
    `UPDATE pushed SET current = $4, acknowledged = $4 WHERE partner_id = $1 AND module = $2 AND object_key = $3
       AND acknowledged IS NOT NULL`,
    [partnerId, module, objectKey, JSON.stringify({ id: objectKey })],
  );
}

/** One that was not taken goes on as what it is: a CDR of somebody who is erased. */
export async function anonymizeCdr(db: Queryable, { key: { partnerId, module, objectKey }, current }: HeldPush): Promise<void> {
  const { authorization_reference: _, signed_data: __, remark: ___, ...cdr } = JSON.parse(current) as Cdr;
  await db.query(
    'UPDATE pushed SET current = $4 WHERE partner_id = $1 AND module = $2 AND object_key = $3 AND acknowledged IS NULL',
    [partnerId, module, objectKey, JSON.stringify({ ...cdr, cdr_token: erasedCdrToken(cdr.cdr_token) })],
  );
}

export async function dropToken(db: Queryable, { partnerId, module, objectKey }: PushedKey): Promise<void> {
  await db.query('DELETE FROM pushed WHERE partner_id = $1 AND module = $2 AND object_key = $3 AND NOT queued', [
    partnerId, module, objectKey,
  ]);
}

/** What partners' errors, lists and differences say of tokens. */
export async function blankErrors(db: Queryable, { tokenUids, contractId }: Holder): Promise<void> {
  const named = (text: string) => `EXISTS (SELECT FROM unnest($1::text[]) AS id WHERE position(id IN lower(${text})) > 0)`;
  const ids = [tokenUids.map(idKey)];
  await db.query(`UPDATE partners SET last_error = '' WHERE ${named('last_error')}`, ids);
  await db.query(`UPDATE pulls SET error = '' WHERE ${named('error')}`, ids);
  await db.query(`DELETE FROM pull_seen WHERE module = 'tokens' AND split_part(object_key, ' ', 2) = ANY ($1)`, ids);
  await db.query(`DELETE FROM pull_differences WHERE ${named("object_key || ' ' || detail")}`, [[...ids[0]!, idKey(contractId)]]);
}
