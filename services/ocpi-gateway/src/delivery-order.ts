import { idKey, type Location } from '#ocpi';
import type { Queryable } from '#postgres';
import type { Pushed, PushedKey } from './pushed-rows.ts';

/**
 * What has to reach a partner before an object may: `behind` others that wait for it already, or
 * `soon`, since what it names may be told in a moment.
 */
export type Before = 'behind' | 'soon' | undefined;

/**
 * A Tariff goes before any Connector that names it, and is deleted only when the partner has no
 * Connector any more that does (TAR-01). `takesTariffs`: whether the partner has Tariffs at all.
 */
export async function beforeOf(
  db: Queryable,
  key: PushedKey,
  held: Pick<Pushed, 'current' | 'acknowledged'>,
  takesTariffs: boolean,
): Promise<Before> {
  const { current, acknowledged } = held;
  if (key.module === 'locations' && takesTariffs && current !== undefined) {
    return tariffsFirst(db, key.partnerId, namedIn(current), acknowledged === undefined ? [] : namedIn(acknowledged));
  }
  if (key.module === 'tariffs' && current === undefined) {
    return (await isNamed(db, key)) ? 'behind' : undefined;
  }
  return undefined;
}

async function tariffsFirst(
  db: Queryable,
  partnerId: string,
  named: readonly string[],
  namedBefore: readonly string[],
): Promise<Before> {
  const { rows } = await db.query<{ tariff: string; waits: boolean }>(
    `SELECT lower(object_key) AS tariff, queued AND current IS NOT NULL AS waits FROM pushed
     WHERE partner_id = $1 AND module = 'tariffs' AND lower(object_key) = ANY ($2)`,
    [partnerId, named],
  );
  if (rows.some(({ waits }) => waits)) return 'behind';
  const known = new Set([...rows.map(({ tariff }) => tariff), ...namedBefore]);
  return named.every((id) => known.has(id)) ? undefined : 'soon';
}

/** Whether the partner still has, or will get, a Connector that names a tariff. */
async function isNamed(db: Queryable, { partnerId, objectKey }: PushedKey): Promise<boolean> {
  const { rows } = await db.query<{ current: string | null; acknowledged: string | null }>(
    `SELECT current, CASE WHEN parked IS NULL THEN acknowledged END AS acknowledged FROM pushed
     WHERE partner_id = $1 AND module = 'locations'
       AND (position(lower($2) IN lower(current)) > 0 OR position(lower($2) IN lower(acknowledged)) > 0)`,
    [partnerId, JSON.stringify(objectKey)],
  );
  const tariff = idKey(objectKey);
  return rows.some((row) =>
    [row.current, row.acknowledged].some((text) => text !== null && namedIn(text).includes(tariff)));
}

/** The tariffs that a Location's Connectors name; those of a REMOVED EVSE do not count. */
export function namedIn(locationText: string): string[] {
  const { evses } = JSON.parse(locationText) as Partial<Location>;
  const named = (evses ?? [])
    .filter(({ status }) => status !== 'REMOVED')
    .flatMap(({ connectors }) => connectors.flatMap(({ tariff_ids: ids }) => ids ?? []));
  return [...new Set(named.map(idKey))];
}
