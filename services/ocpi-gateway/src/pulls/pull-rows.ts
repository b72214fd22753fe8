import { type Party, partyText } from '#ocpi';
import type { Queryable, Tx } from '#postgres';

export type PulledModule = 'tariffs' | 'locations' | 'tokens' | 'sessions' | 'cdrs';

/** One list of a partner: of one of its parties where a hub stands between, else of the whole platform. */
export interface PullKey {
  readonly partnerId: string;
  readonly module: PulledModule;
  /** `CA*BCT`, or '' for all. */
  readonly of: string;
}

export interface Pull {
  /** What changed before this instant is here, platform time in ms; undefined: nothing was pulled yet. */
  readonly since: number | undefined;
  /** When the last whole list was read to its end. */
  readonly fullAt: number | undefined;
  /** When the last list was. */
  readonly endedAt: number | undefined;
  /** Of the last list that ended, objects that are on no page to which a Link led. */
  readonly unlinked: number;
  /** A list under way: where to go on, of which endpoint it is, and when it began. */
  readonly under: {
    readonly url: string; readonly endpoint: string | undefined; readonly full: boolean; readonly startedAt: number; readonly objects: number;
  } | undefined;
}

export interface PullReport extends PullKey {
  readonly endedAt: string | undefined;
  readonly full: boolean;
  readonly objects: number;
  readonly differences: number;
  readonly error: string;
}

interface Row {
  since: string | null;
  full_at: string | null;
  ended_at: string | null;
  unlinked: number;
  url: string | null;
  endpoint: string | null;
  full_run: boolean;
  started_at: string | null;
  objects: number;
}

const WHERE = 'partner_id = $1 AND module = $2 AND of_party = $3';
const keyOf = ({ partnerId, module, of }: PullKey) => [partnerId, module, of];
const ms = (text: string | null) => (text === null ? undefined : Date.parse(text));
const at = (time: number) => new Date(Math.round(time));

export async function findPull(db: Queryable, key: PullKey): Promise<Pull> {
  const { rows: [row] } = await db.query<Row>(
    `SELECT since, full_at, ended_at, unlinked, url, endpoint, full_run, started_at, objects FROM pulls WHERE ${WHERE}`, keyOf(key),
  );
  return {
    since: ms(row?.since ?? null), fullAt: ms(row?.full_at ?? null), endedAt: ms(row?.ended_at ?? null), unlinked: row?.unlinked ?? 0,
    under: row?.url ? { url: row.url, endpoint: row.endpoint ?? undefined, full: row.full_run, startedAt: ms(row.started_at)!, objects: row.objects } : undefined,
  };
}

/** The clock by which rows say when they came. */
export async function databaseNow(db: Queryable): Promise<string> {
  const { rows: [row] } = await db.query<{ now: string }>('SELECT clock_timestamp() AS now');
  return row!.now;
}

/** Begins a list: nothing of it was seen. */
export async function beginPull(tx: Tx, key: PullKey, { url, endpoint, full, startedAt }: NonNullable<Pull['under']>): Promise<void> {
  await tx.query(
    `INSERT INTO pulls (partner_id, module, of_party, url, full_run, started_at, endpoint) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (partner_id, module, of_party) DO UPDATE SET url = excluded.url, endpoint = excluded.endpoint, full_run = excluded.full_run, started_at = excluded.started_at,
       objects = 0, differences = 0, error = ''`,
    [...keyOf(key), url, full, at(startedAt), endpoint],
  );
  if (full) await tx.query(`UPDATE pull_seen SET now = false WHERE ${WHERE}`, keyOf(key));
}

/** A page was taken in: a restart goes on with it. */
export async function notePage(
  tx: Tx, key: PullKey, page: { url: string; objects: number; differences: number; seen: readonly { party: Party; key: string }[] },
): Promise<void> {
  await tx.query(
    `UPDATE pulls SET url = $4, objects = objects + $5, differences = differences + $6 WHERE ${WHERE}`,
    [...keyOf(key), page.url, page.objects, page.differences],
  );
  if (page.seen.length === 0) return;
  await tx.query(
    `INSERT INTO pull_seen (partner_id, module, of_party, party, object_key, now)
     SELECT DISTINCT $1, $2, $3, party, key, true FROM unnest($4::text[], $5::text[]) AS s (party, key)
     ON CONFLICT (partner_id, module, of_party, party, object_key) DO UPDATE SET now = true`,
    [...keyOf(key), page.seen.map(({ party }) => partyText(party)), page.seen.map((one) => one.key)],
  );
}

/** Of these keys of a party, those that the list under way does not have. */
export async function unseenOf(tx: Queryable, key: PullKey, party: Party, held: readonly string[]): Promise<string[]> {
  const { rows } = await tx.query<{ key: string }>(
    `SELECT key FROM unnest($5::text[]) AS h (key) WHERE NOT EXISTS (
       SELECT FROM pull_seen WHERE ${WHERE} AND party = $4 AND object_key = key AND now)`,
    [...keyOf(key), partyText(party), held],
  );
  return rows.map((row) => row.key);
}

/** Those that an earlier whole list had and the one under way does not. */
export async function vanishedOf(db: Queryable, key: PullKey): Promise<{ party: string; key: string }[]> {
  const { rows } = await db.query<{ party: string; key: string }>(
    `SELECT party, object_key AS key FROM pull_seen WHERE ${WHERE} AND NOT now`, keyOf(key),
  );
  return rows;
}

export async function forgetVanished(db: Queryable, key: PullKey): Promise<void> {
  await db.query(`DELETE FROM pull_seen WHERE ${WHERE} AND NOT now`, keyOf(key));
}

const INT_MAX = 2 ** 31 - 1;

/** `since` undefined: not all was read, and what changed is asked for again from where it was. */
export async function endPull(
  tx: Tx,
  key: PullKey,
  { since, full, endedAt, gone, unlinked }: { since: number | undefined; full: boolean; endedAt: number; gone: number; unlinked: number },
): Promise<void> {
  const error = unlinked > 0 ? `${unlinked} objects are on no page that a Link led to` : '';
  await tx.query(
    `UPDATE pulls SET since = coalesce($4, since), full_at = CASE WHEN $5 THEN $6 ELSE full_at END, ended_at = $6, url = NULL,
       differences = differences + $7, unlinked = $8, error = $9 WHERE ${WHERE}`,
    [...keyOf(key), since === undefined ? null : at(since), full, at(endedAt), gone, Math.min(unlinked, INT_MAX), error],
  );
}

/** Where a list stopped: it begins anew. */
export async function forgetPage(db: Queryable, key: PullKey): Promise<void> {
  await db.query(`UPDATE pulls SET url = NULL WHERE ${WHERE}`, keyOf(key));
}

export async function failPull(db: Queryable, key: PullKey, error: string): Promise<void> {
  await db.query(`UPDATE pulls SET error = $4 WHERE ${WHERE}`, [...keyOf(key), error.slice(0, 1_000)]);
}

/** What a pull found to be otherwise than it was here. */
export interface Difference {
  readonly objectKey: string;
  readonly what: 'missing' | 'changed' | 'gone' | 'invalid';
  readonly detail: string;
}

/** As many of a partner are kept. */
const KEPT = 1_000;

export async function noteDifferences(
  tx: Tx,
  { partnerId, module }: PullKey,
  differences: readonly Difference[],
  now: number,
): Promise<void> {
  if (differences.length === 0) return;
  await tx.query(
    `INSERT INTO pull_differences (partner_id, module, object_key, what, detail, at)
     SELECT $1, $2, key, what, detail, $6 FROM unnest($3::text[], $4::text[], $5::text[]) AS d (key, what, detail)`,
    [
      partnerId,
      module,
      differences.map((one) => one.objectKey),
      differences.map((one) => one.what),
      differences.map((one) => one.detail.slice(0, 500)),
      at(now),
    ],
  );
  await tx.query(
    `DELETE FROM pull_differences WHERE partner_id = $1 AND created <= (
       SELECT created FROM pull_differences WHERE partner_id = $1 ORDER BY created DESC OFFSET ${KEPT} LIMIT 1)`,
    [partnerId],
  );
}

export interface FoundDifference extends Difference {
  readonly module: string;
  readonly at: string;
}

/** The newest first. */
export async function differencesOf(db: Queryable, partnerId: string, limit: number): Promise<FoundDifference[]> {
  const { rows } = await db.query<Omit<FoundDifference, 'objectKey'> & { object_key: string }>(
    'SELECT module, object_key, what, detail, at FROM pull_differences WHERE partner_id = $1 ORDER BY created DESC LIMIT $2',
    [partnerId, limit],
  );
  return rows.map(({ object_key: objectKey, ...rest }) => ({ ...rest, objectKey }));
}

export async function reportsOf(db: Queryable, partnerId: string): Promise<PullReport[]> {
  const { rows } = await db.query<{
    module: PulledModule;
    of_party: string;
    ended_at: string | null;
    full_run: boolean;
    objects: number;
    differences: number;
    error: string;
  }>(
    'SELECT module, of_party, ended_at, full_run, objects, differences, error FROM pulls WHERE partner_id = $1 ORDER BY module, of_party',
    [partnerId],
  );
  return rows.map(({ module, of_party: of, ended_at, full_run: full, objects, differences, error }) =>
    ({ partnerId, module, of, endedAt: ended_at ?? undefined, full, objects, differences, error }));
}
