import type { Bus } from '#bus';
import { getTariff } from '#contracts/tariff-engine';
import { openDue } from '#due';
import { idKey, instantMs, type Location, type Tariff } from '#ocpi';
import type { Queryable } from '#postgres';
import { lately } from './lately.ts';
import type { Waiting } from './lane-rows.ts';
import { endpointOf, type Partner } from '../partners/partner.ts';
import { HAD, NOW, WITH_SHARED } from './pushed-rows.ts';
import { objectOf } from './requests.ts';
import { CLOCKS_APART_MS, TARIFFS_TURN } from './tariff-turns.ts';

/** Those that may go now; those that wait behind others that are queued; and those that name Tariffs of which the partner knows nothing. */
export interface Turns {
  readonly first: Waiting[];
  readonly behind: Waiting[];
  readonly unknowing: Unknowing[];
}

interface Unknowing {
  readonly held: Waiting;
  readonly tariffs: readonly string[];
}

const SHORTEST_WAIT_MS = 50;
export const LONGEST_WAIT_MS = 1_000;

/** What waits for others looks again, longer after each time; real time. */
export function lookAgainInMs({ waits }: Pick<Waiting, 'waits'>): number {
  return Math.min(SHORTEST_WAIT_MS * (waits + 1), LONGEST_WAIT_MS);
}

/**
 * A Tariff goes before any Connector that names it, and is deleted only when the partner has no
 * Connector any more that does (TAR-01).
 */
export async function inTheirTurn(db: Queryable, partner: Partner, waiting: readonly Waiting[], now: number): Promise<Turns> {
  const tariffs = waiting.filter(({ key, current }) => key.module === 'tariffs' && current !== undefined && !isOver(partner, current, now));
  // Before all else that waits; the others come with the next batch.
  if (tariffs.length > 0) return { first: tariffs, behind: [], unknowing: [] };
  const turns: Turns = { first: [], behind: [], unknowing: [] };
  const named = endpointOf(partner, 'tariffs', 'RECEIVER') === undefined ? [] : waiting.flatMap(tariffsOf);
  const known = named.length === 0 ? new Map<string, boolean>() : await tariffsAt(db, partner, named, now);
  for (const held of waiting) {
    if (held.key.module === 'tariffs') {
      const isStillNamed = held.current === undefined ? await isNamed(db, held) : await isToBeNamedNoMore(db, partner, held, now);
      (isStillNamed ? turns.behind : turns.first).push(held);
      continue;
    }
    const theirs = named.length === 0 ? [] : tariffsOf(held);
    // A hub passes on what it was told, and has nobody to ask for more.
    const unknown = theirs.length > 0 && ownerIn(held) === '' ? theirs.filter((id) => !known.has(id)) : [];
    const before = unknown.length === 0 || held.acknowledged === undefined ? [] : namedIn(held.acknowledged);
    const tariffs = unknown.filter((id) => !before.includes(id));
    if (theirs.some((id) => known.get(id))) turns.behind.push(held);
    else if (tariffs.length > 0) turns.unknowing.push({ held, tariffs });
    else turns.first.push(held);
  }
  return turns;
}

/** Those of them that wait: a Tariff that there is will be told. What nobody has, nobody waits for. */
export async function toBeTold(bus: Bus, unknowing: readonly Unknowing[]): Promise<Set<Waiting>> {
  const ids = [...new Set(unknowing.flatMap(({ tariffs }) => tariffs))];
  const are = await Promise.all(ids.map((tariffId) => bus.ask(getTariff, { tariffId }, { timeoutMs: ASK_MS })
    // Who cannot be asked may have it.
    .then(({ tariffJson }) => tariffJson !== undefined, () => true)));
  return new Set(unknowing.filter(({ tariffs }) => tariffs.some((id) => are[ids.indexOf(id)])).map(({ held }) => held));
}

const ASK_MS = 1_000;

/** The Tariffs that a Location names, as their keys are. */
function tariffsOf(held: Waiting): readonly string[] {
  const { key, current } = held;
  if (key.module !== 'locations' || current === undefined) return [];
  const owner = ownerIn(held);
  return owner === '' ? namedIn(current) : namedIn(current).map((id) => owner + id);
}

/** What a hub's key begins with before the id of the object: whose it is. */
function ownerIn(held: Waiting): string {
  const { objectKey } = held.key;
  return idKey(objectKey.slice(0, objectKey.length - (objectOf(held).id ?? objectKey).length));
}

/** Those of these Tariffs that a partner has or is to have; true: it waits to be sent. */
async function tariffsAt(db: Queryable, partner: Partner, named: readonly string[], now: number): Promise<Map<string, boolean>> {
  const { rows } = await db.query<{ tariff: string; waiting: string | null }>({
    name: 'push-tariffs',
    text: `SELECT lower(object_key) AS tariff, CASE WHEN queued THEN current END AS waiting FROM pushed
      WHERE partner_id = $1 AND module = 'tariffs' AND lower(object_key) = ANY ($2)`,
  }, [partner.id, [...new Set(named)]]);
  return new Map(rows.map(({ tariff, waiting }) => [tariff, waiting !== null && !isOver(partner, waiting, now)]));
}

/** Whether the partner still has, or will get, a Connector that names a tariff. */
async function isNamed(db: Queryable, held: Waiting): Promise<boolean> {
  const { partnerId, objectKey } = held.key;
  const owner = ownerIn(held);
  const id = objectKey.slice(owner.length);
  const { rows } = await db.query<{ current: string | null; acknowledged: string | null }>(
    `SELECT current, acknowledged FROM (
       SELECT ${NOW} AS current, CASE WHEN parked IS NULL THEN ${HAD} END AS acknowledged FROM ${WITH_SHARED}
       WHERE partner_id = $1 AND module = 'locations' AND starts_with(lower(p.object_key), $3)) p
     WHERE position(lower($2) IN lower(current)) > 0 OR position(lower($2) IN lower(acknowledged)) > 0`,
    [partnerId, JSON.stringify(id), owner],
  );
  const tariff = idKey(id);
  return rows.some((row) =>
    [row.current, row.acknowledged].some((text) => text !== null && namedIn(text).includes(tariff)));
}

/** In 2.1.1 a Tariff that is over is deleted. */
function isOver({ version }: Partner, tariff: string, now: number): boolean {
  if (version !== '2.1.1') return false;
  const { end_date_time: end } = JSON.parse(tariff) as Tariff;
  return end !== undefined && instantMs(end)! <= now;
}

/** Whether a Location that names a Tariff that is over is still to be said anew, with the one that holds now. */
async function isToBeNamedNoMore(db: Queryable, partner: Partner, { key: { objectKey } }: Waiting, now: number): Promise<boolean> {
  if (endpointOf(partner, 'locations', 'RECEIVER') === undefined) return false;
  // Its turn, which says the Locations anew, may be under way still.
  if ((await openDue(db, TARIFFS_TURN)).some(({ at }) => at <= now + CLOCKS_APART_MS)) return true;
  const { rows } = await db.query<{ current: string | null }>(
    `SELECT current FROM (SELECT ${NOW} AS current FROM ${WITH_SHARED}
       WHERE partner_id = $1 AND module = 'locations' AND parked IS NULL AND (queued OR unclear)) p
     WHERE position(lower($2) IN lower(current)) > 0`, [partner.id, JSON.stringify(objectKey)],
  );
  return rows.some(({ current }) => namedIn(current!).includes(idKey(objectKey)));
}

/** The tariffs that a Location's Connectors name; those of a REMOVED EVSE do not count. */
export const namedIn: (locationText: string) => readonly string[] = lately((text) => {
  const { evses } = JSON.parse(text) as Partial<Location>;
  const named = (evses ?? [])
    .filter(({ status }) => status !== 'REMOVED')
    .flatMap(({ connectors }) => connectors.flatMap(({ tariff_ids: ids }) => ids ?? []));
  return [...new Set(named.map(idKey))];
});
