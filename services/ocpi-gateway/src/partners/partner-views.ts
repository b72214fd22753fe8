import { type Granted } from '#grants';
import type { Tx } from '#postgres';
import { type Partner, viewerOf } from './partner.ts';
import type { AlikeReceivers } from '../pushes/alike-receivers.ts';
import { newestOf, type Push, pushOf, type Queued, queueAll, queuedOf, type SharedLocations } from '../pushes/queue-rows.ts';
import { isForAll, type OwnObject, viewOf } from '../pushes/views.ts';
import type { PushedKey } from '../pushes/pushed-rows.ts';
import { type Hidden, withdrawLocations } from '../pushes/withdrawn-rows.ts';

interface Views {
  /** By who sees them so. */
  readonly shared: Map<string, SharedLocations & { readonly objects: Queued[] }>;
  readonly own: Push[];
  /** What a partner may not have. */
  readonly hidden: Hidden[];
}

/** Objects of ours, and who is told of them. */
export interface Audience {
  readonly partners: readonly Partner[];
  readonly objects: readonly OwnObject[];
}

/** Objects of ours as they are now, for their partners as each may have them. Once in a transaction: see `queueAll`. */
export async function queueViews(
  tx: Tx, audiences: readonly Audience[],
  { at, granted, steered = [], alike }: { at: number; granted: Granted; steered?: readonly Push[]; alike?: AlikeReceivers },
): Promise<void> {
  const views: Views = { shared: new Map(), own: [], hidden: [] };
  for (const audience of audiences) addViews(views, audience, granted);
  const { shared, own, hidden } = views;
  const changed = own
    .filter(({ object }) => object.module === 'locations')
    .map(({ partnerId, object: { objectKey } }) => ({ partnerId, module: 'locations' as const, objectKey }));
  const gone = await hiddenFrom(tx, hidden, changed);
  await queueAll(tx, { ...gone, shared: shared.values(), own: [...gone.own, ...own, ...steered] }, at, alike);
}

/** What partners may not have they are not told to forget, unless they have it; a Location cannot be deleted, so its EVSEs are REMOVED. */
export async function hiddenFrom(
  tx: Tx, hidden: readonly Hidden[], changed: readonly PushedKey[] = [],
): Promise<{ own: Push[]; unsent: PushedKey[]; ifKnown: Push[] }> {
  return {
    ...await withdrawLocations(tx, hidden.filter(({ module }) => module === 'locations'), changed),
    ifKnown: hidden.filter(({ module }) => module !== 'locations').map((key) => pushOf(key, undefined)),
  };
}

/** Locations that several see alike are one for all of them. */
function addViews(views: Views, { partners, objects }: Audience, granted: Granted): void {
  const viewers = partners.map((partner) => ({ partnerId: partner.id, viewer: viewerOf(partner) }));
  const all = partners.map(({ id }) => id);
  for (const object of newestOf(objects.map((one) => ({ ...queuedOf(one), isPrivate: one.isPrivate ?? false })))) {
    const { module, objectKey, current, updatedMs } = object;
    const alike = isForAll(object, granted) ? all : [];
    for (const { partnerId, viewer } of alike === all ? [] : viewers) {
      const view = viewOf(object, viewer, granted);
      if (view === undefined && current !== undefined) {
        const sinceMs = Math.max(granted.since, object.isPrivate ? (updatedMs ?? 0) : 0);
        views.hidden.push({ partnerId, module, objectKey, sinceMs });
      } else if (view === current && module === 'locations' && view !== undefined) alike.push(partnerId);
      else
        views.own.push({
          partnerId,
          object:
            view === current ? object : { ...queuedOf({ module, objectKey, current: view }), owner: object.owner },
        });
    }
    if (alike.length === 0) continue;
    const group = views.shared.get(alike.join(' '));
    if (group) group.objects.push(object);
    else views.shared.set(alike.join(' '), { partnerIds: alike, objects: [object] });
  }
}
