import { inForceMa } from './charger.ts';
import type { ChargerState } from './charger.ts';
import type { Note } from './limits.ts';
import type { Moment } from './lease.ts';
import { capOf, type Plan, planned, profileOf, type SiteState } from './plan.ts';
import { allowedMa, capMa, type Profile, type Step, turns } from './profile.ts';
import { rfc3339 } from '#time';

/** What the site's plan would give a charger now if no profile held it back. */
export function siteMa(state: SiteState, { charger, car }: ChargerState, now: Moment): number {
  const one = state.chargers.get(charger.key)!;
  const free = new Map(state.chargers).set(charger.key, { ...one, car: { ...car, held: undefined } });
  const { targets } = planned({ ...state, chargers: free }, now);
  return targets.find(({ key }) => key === charger.key)?.targetMa ?? 0;
}

export interface Known {
  readonly profile: Profile | undefined;
  readonly chargeStartedAt: number;
  /** In force. */
  readonly nowMa: number;
  readonly siteMa: number;
  readonly maxMa: number;
  readonly minMa: number;
  readonly stepMa: number;
}

/** What a charge may draw, now and at each turn of its profile, as far as it is known. */
export function stepsAhead(known: Known, at: number): Step[] {
  const { profile, chargeStartedAt, nowMa } = known;
  const first = { at, limitMa: nowMa };
  if (!profile) return [first];
  const later = turns(profile, chargeStartedAt, at).map((turn): Step => {
    const cap = capMa(allowedMa(profile, chargeStartedAt, turn), known);
    return { at: turn, limitMa: Math.min(cap, known.siteMa) };
  });
  const all = [first, ...later];
  return all.filter((step, i) => i === 0 || step.limitMa !== all[i - 1]?.limitMa);
}

/** Of the charges that have a profile: whether it is obeyed, and what they may draw, where that is clear. */
export function profileNotes(state: SiteState, plan: Plan, now: Moment): Note[] {
  return [...state.chargers.values()].flatMap((one) => [
    ...settleNote(state, one, now),
    ...activeNote(state, one, { plan, now }),
  ]);
}

function settleNote(state: SiteState, one: ChargerState, now: Moment): Note[] {
  const { charger: { key, stationId, connectorId }, car: { held } } = one;
  if (!held || state.limits.chargers.get(key)?.profile?.orderId === held.orderId) return [];
  const isWithin = (inForceMa(one, state.site, now) ?? Infinity) <= capOf(state, one, now);
  // Too late is no: whoever set it has given up by then.
  const isInTime = now.at < held.obeyUntil;
  const obeyed = held.profile === undefined || (isWithin && isInTime);
  if (!obeyed && isInTime) return [];
  const { orderId, sessionId } = held;
  return [{ type: 'SettleProfile', stationId, connectorId, orderId, sessionId, obeyed }];
}

function activeNote(
  state: SiteState,
  one: ChargerState,
  { plan, now }: { plan: Plan; now: Moment },
): Note[] {
  const { charger, car } = one;
  const { held } = car;
  const limits = state.limits.chargers.get(charger.key);
  if (!held || limits?.followed !== held.sessionId) return [];
  const nowMa = inForceMa(one, state.site, now);
  const { targetMa } = plan.targets.find(({ key }) => key === charger.key) ?? {};
  // Something is on its way: what comes of it is told.
  if (nowMa === undefined || nowMa !== targetMa) return [];
  const { minMa, stepMa } = state.site;
  const known = {
    profile: profileOf(state, one, now), chargeStartedAt: car.arrivedAt, nowMa,
    siteMa: siteMa(state, one, now), maxMa: charger.maxMa, minMa, stepMa,
  };
  const steps = stepsAhead(known, now.at).map(({ at, limitMa }) => ({ at: rfc3339(at), limitMa }));
  const { sessionId, unit, wattsPerAmp } = held;
  const { stationId, connectorId } = charger;
  return [{ type: 'TellProfile', stationId, connectorId, sessionId, unit, wattsPerAmp, steps }];
}
