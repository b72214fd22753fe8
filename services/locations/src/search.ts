import { asCompared, type OwnedToken } from '#ocpi';
import type { Queryable } from '#postgres';
import { heldIn, type Row, STATUSES } from './location-rows.ts';

export interface EvseSearch {
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  readonly radiusM?: number | undefined;
  readonly standards: readonly string[];
  readonly availableOnly: boolean;
  readonly limit: number;
  /** The driver's. */
  readonly tokens: readonly OwnedToken[];
}

export interface FoundEvse {
  readonly evseUid: string;
  readonly text: string;
  readonly distanceM: number | undefined;
}

const EARTH_RADIUS_M = 6_371_000;
const METRES_PER_DEGREE = 111_195;
const MOST_FOUND = 100;

/** EVSEs that a driver may see (LOC-06) and charge at, nearest first (by great circle), else in no special order. */
export async function searchEvses(db: Queryable, search: EvseSearch): Promise<FoundEvse[]> {
  const { latitude = null, longitude = null, radiusM = null } = search;
  // A box first, which the index serves; a degree of longitude shrinks towards the poles.
  const reach = radiusM === null ? null : radiusM / METRES_PER_DEGREE;
  const stretch = latitude === null ? 1 : Math.max(Math.cos((latitude * Math.PI) / 180), 0.01);
  const { rows } = await db.query<Row & { evse_uid: string; distance_m: number | null }>(
    `SELECT evse_uid, own, private, location, ${STATUSES}, distance_m FROM (
       -- Without a position there is no distance: least() alone would say 1 for NULL.
       SELECT e.*, CASE WHEN $1::float8 IS NOT NULL THEN 2 * ${EARTH_RADIUS_M} * asin(least(1, sqrt(
         power(sin(radians(latitude - $1) / 2), 2)
         + cos(radians($1)) * cos(radians(latitude)) * power(sin(radians(longitude - $2) / 2), 2)))) END AS distance_m
       FROM evses e
       WHERE (published OR EXISTS (
           SELECT FROM jsonb_array_elements(allowed_to) entry, jsonb_array_elements($9::jsonb) token WHERE token @> entry))
         AND ($4::float8 IS NULL OR (latitude BETWEEN $1 - $4 AND $1 + $4 AND longitude BETWEEN $2 - $5 AND $2 + $5))
         AND ($6::text[] = '{}' OR standards && $6)
         AND (NOT $7 OR status = 'AVAILABLE')
         AND NOT EXISTS (SELECT FROM parties_without_link gone WHERE gone.party = e.party)
     ) near JOIN locations USING (party, location_id)
     WHERE $3::float8 IS NULL OR distance_m <= $3
     ORDER BY distance_m NULLS LAST, party, location_id, evse_uid LIMIT $8`,
    [
      latitude, longitude, radiusM, reach, reach === null ? null : reach / stretch,
      search.standards, search.availableOnly, Math.min(search.limit || MOST_FOUND, MOST_FOUND),
      JSON.stringify(search.tokens.map(asCompared)),
    ],
  );
  return rows.map((row) => ({
    evseUid: row.evse_uid,
    text: heldIn(row).text,
    distanceM: row.distance_m === null ? undefined : Math.round(row.distance_m),
  }));
}
