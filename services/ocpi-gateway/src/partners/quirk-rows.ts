import type { Queryable, Tx } from '#postgres';
import type { Chosen, QuirkName } from './quirks.ts';

/** How often a partner was seen with a quirk. */
export interface Sighted {
  readonly quirk: QuirkName;
  readonly times: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** Of the last. */
  readonly detail: string;
}

export interface Sighting {
  readonly partnerId: string;
  readonly quirk: QuirkName;
  readonly times: number;
  readonly at: number;
  readonly detail: string;
}

/** Of partners that are gone meanwhile, nothing. */
export async function addSightings(db: Queryable, sightings: readonly Sighting[]): Promise<void> {
  await db.query(
    `INSERT INTO partner_quirks_seen AS q (partner_id, quirk, times, first_at, last_at, detail)
     SELECT s.partner_id, quirk, times, at, at, detail
     FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[]) AS s (partner_id, quirk, times, at, detail)
     WHERE EXISTS (SELECT FROM partners p WHERE p.partner_id = s.partner_id)
     ORDER BY 1, 2
     ON CONFLICT (partner_id, quirk) DO UPDATE SET times = q.times + excluded.times, last_at = greatest(q.last_at, excluded.last_at),
       detail = excluded.detail`,
    [
      sightings.map((one) => one.partnerId), sightings.map((one) => one.quirk), sightings.map((one) => one.times),
      sightings.map((one) => new Date(Math.round(one.at))), sightings.map((one) => one.detail),
    ],
  );
}

export async function sightedOf(db: Queryable, partnerId: string): Promise<Sighted[]> {
  const { rows } = await db.query<{ quirk: QuirkName; times: number; first_at: string; last_at: string; detail: string }>(
    'SELECT quirk, times::int AS times, first_at, last_at, detail FROM partner_quirks_seen WHERE partner_id = $1', [partnerId],
  );
  return rows.map(({ quirk, times, first_at: firstAt, last_at: lastAt, detail }) => ({ quirk, times, firstAt, lastAt, detail }));
}

/** Which were seen of each partner. */
export async function allSighted(db: Queryable): Promise<Map<string, QuirkName[]>> {
  const { rows } = await db.query<{ partner_id: string; quirks: QuirkName[] }>(
    'SELECT partner_id, array_agg(quirk ORDER BY quirk) AS quirks FROM partner_quirks_seen GROUP BY partner_id',
  );
  return new Map(rows.map(({ partner_id, quirks }) => [partner_id, quirks]));
}

export async function storeChosen(tx: Tx, partnerId: string, chosen: Chosen): Promise<void> {
  await tx.query('UPDATE partners SET quirks = $2 WHERE partner_id = $1', [partnerId, JSON.stringify(chosen)]);
}
