import { type Party, partyText } from '#ocpi';
import type { Queryable, Tx } from '#postgres';

/** A partner's object of which something is missing here. */
export interface FetchKey {
  readonly partnerId: string;
  readonly module: FetchedModule;
  readonly party: Party;
  /** As lists name it: an id in lower case, a token's `type uid`. */
  readonly objectKey: string;
  /** As the partner wrote it in its URL. */
  readonly objectId: string;
}

export type FetchedModule = 'tariffs' | 'locations' | 'sessions' | 'tokens';

export interface ToFetch {
  readonly objectKey: string;
  /** The oldest last_updated of the pushes that told so, epoch ms. */
  readonly since: number;
  /** How many there were. */
  readonly n: number;
  readonly fetchedN: number;
}

const WHERE = 'partner_id = $1 AND module = $2 AND party = $3';
const listOf = ({ partnerId, module, party }: Pick<FetchKey, 'partnerId' | 'module' | 'party'>) => [
  partnerId,
  module,
  partyText(party).toUpperCase(),
];
const at = (ms: number) => new Date(Math.round(ms));

/** True when it was not marked before: then somebody has to come and fetch it. */
export async function noteToFetch(tx: Tx, key: FetchKey, sinceMs: number): Promise<boolean> {
  const { rows } = await tx.query<{ n: number }>(
    `INSERT INTO to_fetch (partner_id, module, party, object_key, since) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (partner_id, module, party, object_key) DO UPDATE SET n = to_fetch.n + 1, since = least(to_fetch.since, excluded.since)
     RETURNING n`,
    [...listOf(key), key.objectKey, at(sinceMs)],
  );
  return rows[0]!.n === 1;
}

export async function countToFetch(tx: Tx, partnerId: string): Promise<number> {
  const { rows: [row] } = await tx.query<{ n: number }>('SELECT count(*)::int AS n FROM to_fetch WHERE partner_id = $1', [partnerId]);
  return row!.n;
}

/** All of a party's in a module, the fetched ones among them. */
export async function toFetchOf(db: Queryable, key: FetchKey): Promise<ToFetch[]> {
  const { rows } = await db.query<{ object_key: string; since: string; n: number; fetched_n: number }>(
    `SELECT object_key, since, n, fetched_n FROM to_fetch WHERE ${WHERE}`, listOf(key),
  );
  return rows.map(({ object_key: objectKey, since, n, fetched_n: fetchedN }) => ({ objectKey, since: Date.parse(since), n, fetchedN }));
}

/** When the object, or anything of its list, was fetched last; undefined: not yet. */
export async function fetchedAt(db: Queryable, key: FetchKey, { ofList }: { ofList: boolean }): Promise<number | undefined> {
  const { rows: [row] } = await db.query<{ at: string | null }>(
    `SELECT max(fetched_at) AS at FROM to_fetch WHERE ${WHERE} AND ($4 OR object_key = $5)`, [...listOf(key), ofList, key.objectKey],
  );
  return row?.at ? Date.parse(row.at) : undefined;
}

/** What came while it was fetched is not in it. */
export async function noteFetched(tx: Tx, key: FetchKey, fetched: readonly ToFetch[], now: number): Promise<void> {
  await tx.query(
    `UPDATE to_fetch SET fetched_n = f.n, fetched_at = $6
     FROM unnest($4::text[], $5::int[]) AS f (key, n) WHERE ${WHERE} AND object_key = f.key`,
    [...listOf(key), fetched.map(({ objectKey }) => objectKey), fetched.map(({ n }) => n), at(now)],
  );
}

/** True when nothing came since it was fetched: it is not marked any more. */
export async function forgetFetched(db: Queryable, key: FetchKey): Promise<boolean> {
  const { rowCount } = await db.query(`DELETE FROM to_fetch WHERE ${WHERE} AND object_key = $4 AND n = fetched_n`, [
    ...listOf(key),
    key.objectKey,
  ]);
  return rowCount === 1;
}

export async function forgetToFetch(db: Queryable, key: FetchKey): Promise<void> {
  await db.query(`DELETE FROM to_fetch WHERE ${WHERE} AND object_key = $4`, [...listOf(key), key.objectKey]);
}
