import { instantMs, type Location } from '#ocpi';
import type { Tx } from '#postgres';
import { HAD, NOW, type PushedKey, WITH_SHARED } from './pushed-rows.ts';
import { type Push, pushOf } from './queue-rows.ts';
import { isWithdrawn, withdrawnView } from './views.ts';

/** What a partner may not have, and since when, epoch ms. */
export interface Hidden extends PushedKey {
  readonly sinceMs: number;
}

interface Held {
  readonly partnerId: string;
  readonly objectKey: string;
  readonly sinceMs: bigint;
  /** Seen as the others see it. */
  readonly shared: boolean;
  readonly current: string;
  readonly acknowledged: string | null;
  /** The partner has it, may have it, or is being sent it. */
  readonly isKnown: boolean;
}

/**
 * Locations that partners may not see any more: gone where they were never sent, else all their EVSEs are
 * to go as REMOVED. The lanes are locked before that is asked: a sender names what it sends in its lane and
 * then looks whether that still stands, so that of the two one sees the other. The same lock is had for Locations that
 * partners are to see otherwise than the others from now on: what they had stands by their lanes' positions.
 */
export async function withdrawLocations(
  tx: Tx, hidden: readonly Hidden[], changed: readonly PushedKey[] = [],
): Promise<{ own: Push[]; unsent: PushedKey[] }> {
  const partnerIds = [...(await shownOf(tx, hidden)).map(({ partnerId }) => partnerId), ...await sharingOf(tx, changed)];
  if (partnerIds.length === 0) return { own: [], unsent: [] };
  await tx.query('SELECT FROM push_lanes WHERE lane = ANY ($1) ORDER BY lane FOR UPDATE', [partnerIds]);
  const shown = await shownOf(tx, hidden);
  const unsent = shown
    .filter(({ isKnown }) => !isKnown)
    .map(({ partnerId, objectKey }) => ({ partnerId, module: 'locations' as const, objectKey }));
  const own = shown.filter(({ isKnown }) => isKnown).map(({ partnerId, objectKey, sinceMs, current, acknowledged }) => {
    const { last_updated } = JSON.parse(current) as Location;
    const view = withdrawnView(acknowledged ?? current, Math.max(Number(sinceMs), (instantMs(last_updated) ?? 0) + 1));
    return pushOf({ partnerId, module: 'locations', objectKey }, view);
  });
  return { own, unsent };
}

/** Those of these Locations that their partners have, or are to have, and that are not withdrawn yet. One that is so for all may come back for others. */
async function shownOf(tx: Tx, hidden: readonly Hidden[]): Promise<Held[]> {
  if (hidden.length === 0) return [];
  const { rows } = await tx.query<Held>(
    {
      name: 'push-shown',
      text: `SELECT partner_id AS "partnerId", p.object_key AS "objectKey", given.since AS "sinceMs", p.shared, ${NOW} AS current, ${HAD} AS acknowledged,
        acknowledged IS NOT NULL OR acknowledged_version IS NOT NULL OR unclear OR EXISTS (SELECT FROM push_lanes l
          WHERE l.lane = p.partner_id AND 'locations ' || p.object_key = ANY (l.sending)) AS "isKnown"
      FROM unnest($1::text[], $2::text[], $3::bigint[]) AS given (partner, key, since)
        JOIN ${WITH_SHARED} ON p.partner_id = given.partner AND p.module = 'locations' AND p.object_key = given.key`,
    },
    [
      hidden.map(({ partnerId }) => partnerId),
      hidden.map(({ objectKey }) => objectKey),
      hidden.map(({ sinceMs }) => Math.floor(sinceMs)),
    ],
  );
  return rows.filter(({ current, shared, isKnown }) => current !== null && (shared || !isKnown || !isWithdrawn(JSON.parse(current) as Location)));
}

/** Which partners see one of these Locations as the others do. */
async function sharingOf(tx: Tx, changed: readonly PushedKey[]): Promise<string[]> {
  if (changed.length === 0) return [];
  const { rows } = await tx.query<{ partner: string }>({
    name: 'push-sharing',
    text: `SELECT DISTINCT partner FROM unnest($1::text[], $2::text[]) AS given (partner, key)
      WHERE (SELECT p.shared FROM pushed p WHERE p.partner_id = given.partner AND p.module = 'locations' AND p.object_key = given.key)`,
  }, [changed.map(({ partnerId }) => partnerId), changed.map(({ objectKey }) => objectKey)]);
  return rows.map(({ partner }) => partner);
}
