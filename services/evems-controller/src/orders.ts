import { type ChargerState, inForceMa, leastMa } from './charger.ts';
import { isHalfOver, leaseFrom, type Moment } from './lease.ts';
import type { Order } from './order.ts';
import type { Plan, SiteState, Target } from './plan.ts';
import { floorTo } from './shares.ts';

/**
 * What may be sent now. What does not raise the most that a charger may draw goes at once; a raise
 * goes only into what all the others, at the most that each may draw, leave of the feeder. Where
 * that most adds up to more than the feeder carries (a new owner knows too little), nobody is told
 * more than it surely has already. One order a station at a time.
 */
export function nextOrders(state: SiteState, plan: Plan, now: Moment): Order[] {
  const { site } = state;
  const orders: Order[] = [];
  const busy = new Set<string>();
  for (const { sent, charger } of state.chargers.values()) if (sent) busy.add(charger.stationId);
  const give = (order: Order) => {
    orders.push(order);
    busy.add(order.stationId);
  };
  const open = plan.targets.flatMap((target) => {
    const one = state.chargers.get(target.key);
    return one?.car.connected ? [{ one, target }] : [];
  });
  let roomMa = site.feeder.limitMa - plan.exposedMa;

  const due = open.filter(({ one, target }) => isDue(one, target, { state, now }));
  for (const { one, target } of due) {
    const { targetMa = 0, mayDrawMa } = target;
    if (targetMa > mayDrawMa || busy.has(one.charger.stationId)) continue;
    const limitMa = roomMa < 0 ? Math.min(targetMa, leastMa(one, site, now)) : targetMa;
    if (limitMa === targetMa || limitMa !== inForceMa(one, site, now)) {
      give(leased(state, one, { ...target, targetMa: limitMa, now }));
    }
  }
  for (const { one } of open) {
    // Without one it may draw all it can, so the first is never too much.
    const mustWait = roomMa < 0 && site.failSafeMa > (one.failSafeMa ?? Infinity);
    const isReady = one.failSafeDue && one.failSafeTrouble.retryAt <= now.watch && !mustWait;
    if (isReady && !busy.has(one.charger.stationId)) give(failSafe(state, one));
  }
  const roomIsComing = isRoomComing(state, orders, plan);
  for (const { one, target } of due) {
    const { targetMa = 0, mayDrawMa } = target;
    if (targetMa <= mayDrawMa || busy.has(one.charger.stationId)) continue;
    const grantMa = Math.min(targetMa, floorTo(mayDrawMa + roomMa, site.stepMa));
    // The whole at once, rather than step by step as the others come down.
    if (grantMa < targetMa && roomIsComing) continue;
    if (grantMa < site.minMa || grantMa <= (inForceMa(one, site, now) ?? 0)) continue;
    give(leased(state, one, { ...target, targetMa: grantMa, now }));
    roomMa -= Math.max(0, grantMa - mayDrawMa);
  }
  return orders;
}

function isDue(
  one: ChargerState,
  { targetMa }: Target,
  { state: { site }, now }: { state: SiteState; now: Moment },
): boolean {
  if (targetMa === undefined || one.trouble.retryAt > now.watch) return false;
  if (inForceMa(one, site, now) !== targetMa) return true;
  if (targetMa === one.failSafeMa) return false; // What it falls back to needs no lease.
  return !one.confirmed || isHalfOver(one.confirmed, now, site.timing.leaseMs);
}

/** An order that makes room is on its way or leaves now. */
function isRoomComing(state: SiteState, orders: readonly Order[], plan: Plan): boolean {
  const under = [...state.chargers.values()].flatMap(({ sent }) => (sent ? [sent.order] : []));
  const mayDraw = new Map(plan.targets.map((target) => [target.key, target.mayDrawMa]));
  return [...under, ...orders].some(
    ({ kind, key, limitMa }) => kind === 'lease' && limitMa < (mayDraw.get(key) ?? 0),
  );
}

function leased(
  { site }: SiteState,
  { charger }: ChargerState,
  { targetMa = 0, why, now }: Pick<Target, 'targetMa' | 'why'> & { now: Moment },
): Order {
  const { key, stationId, connectorId } = charger;
  const lease = leaseFrom(now, targetMa, site.timing.leaseMs);
  return { kind: 'lease', key, stationId, connectorId, limitMa: targetMa, lease, reason: why };
}

function failSafe({ site }: SiteState, { charger }: ChargerState): Order {
  const { key, stationId, connectorId } = charger;
  const limitMa = site.failSafeMa;
  return { kind: 'fail-safe', key, stationId, connectorId, limitMa, reason: 'fail-safe' };
}
