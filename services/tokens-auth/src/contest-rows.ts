import type { Party } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { tagOf } from './token-rows.ts';

/** Uids that several parties issued, under the name that a station has for the card. */

export interface Contest {
  readonly tag: string;
  readonly since: string;
  readonly refused: number;
  readonly lastRefusedAt: string | null;
  readonly lastStationId: string | null;
}

/** A token came new: whether somebody else's has the same uid. The first such is noted. */
export async function noteContest(tx: Tx, uid: string, { country_code, party_id }: Party, at: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO contested_tags (tag, since)
     SELECT $1, $4 WHERE EXISTS (
       SELECT FROM tokens WHERE tag = $1 AND (country_code, party_id) <> ($2, $3))
     ON CONFLICT DO NOTHING`,
    [tagOf(uid), country_code.toUpperCase(), party_id.toUpperCase(), at],
  );
  return rowCount === 1;
}

export async function noteRefused(tx: Tx, idTag: string, stationId: string, at: string): Promise<void> {
  await tx.query(
    `INSERT INTO contested_tags AS held (tag, since, refused, last_refused_at, last_station_id) VALUES ($1, $2, 1, $2, $3)
     ON CONFLICT (tag) DO UPDATE SET refused = held.refused + 1, last_refused_at = excluded.last_refused_at,
       last_station_id = excluded.last_station_id`,
    [tagOf(idTag), at, stationId],
  );
}

/** The newest first. */
export async function listContests(db: Queryable, limit: number): Promise<{ contests: Contest[]; total: number }> {
  const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  const { rows } = await db.query<Contest & { total: number }>(
    `SELECT tag, ${instant('since')} AS since, refused, ${instant('last_refused_at')} AS "lastRefusedAt",
       last_station_id AS "lastStationId", (count(*) OVER ())::int AS total
     FROM contested_tags ORDER BY contested_tags.since DESC, tag LIMIT $1`,
    [limit],
  );
  return { contests: rows.map(({ total: _, ...contest }) => contest), total: rows[0]?.total ?? 0 };
}

/** Those whose other owners' tokens were erased: nothing is left of them. */
export async function forgetSettled(db: Queryable): Promise<void> {
  await db.query(
    `DELETE FROM contested_tags contest
     WHERE (SELECT count(DISTINCT (country_code, party_id)) FROM tokens WHERE tokens.tag = contest.tag) < 2`,
  );
}
