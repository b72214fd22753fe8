import { type Car, noCar } from './car.ts';
import { answered, assumed, type ChargerState, lengthened, seen, sending } from './charger.ts';
import type { Site } from './feeder.ts';
import type { Moment } from './lease.ts';
import { limitsOf, type Note, type SiteLimits } from './limits.ts';
import type { Order, Outcome } from './order.ts';
import { nextOrders } from './orders.ts';
import { profileNotes } from './active-profile.ts';
import { type Plan, planned, type SiteState } from './plan.ts';

/** A station's answer to an order, or that there was none. */
export interface Answer {
  readonly key: string;
  readonly outcome: Outcome;
  /** The station's own words. */
  readonly detail: string;
}

/** What one look at the site leads to. */
export interface Step {
  readonly state: SiteState;
  readonly plan: Plan;
  /** To be sent once the events are in the log. */
  readonly orders: readonly Order[];
  readonly notes: readonly Note[];
}

/**
 * The state of an owner that has just taken the site. For each charger it assumes every limit told
 * since the last confirmed one, and that one, for as long as its predecessors may have told:
 * a lease from now, or until `leasedUntil` where that is later.
 */
export function takenOver(
  site: Site,
  told: SiteLimits,
  { leasedUntil, now }: { leasedUntil: number; now: Moment },
): SiteState {
  const until = Math.max(leasedUntil, now.at + site.timing.leaseMs);
  const watchUntil = now.watch + site.timing.leaseMs;
  const chargers = site.chargers.map((charger): [string, ChargerState] => {
    const { assumedMa, failSafeMa } = limitsOf(told, charger);
    const leases = assumedMa.map((limitMa) => ({ limitMa, until, watchUntil }));
    return [charger.key, assumed(charger, leases, failSafeMa)];
  });
  return { site, limits: told, chargers: new Map(chargers), aheadMs: now.at - now.watch };
}

/** What the stations told about their connectors and cars, and what became of the clock. */
export function observed(state: SiteState, cars: ReadonlyMap<string, Car>, now: Moment): SiteState {
  const { site } = state;
  const aheadMs = now.at - now.watch;
  const wasSet = Math.abs(aheadMs - state.aheadMs) >= site.timing.clockMarginMs / 5;
  // Set forwards, it would end leases too early: who is out of reach has not heard of the new time.
  const steppedMs = wasSet ? Math.max(0, aheadMs - state.aheadMs) : 0;
  const next = eachCharger(state, (one) =>
    seen(lengthened(one, steppedMs), cars.get(one.charger.key) ?? noCar, { site, now }),
  );
  return wasSet ? { ...next, aheadMs } : next;
}

/** When the last lease that may be in force ends: what the next owner has to know. */
export function leasedUntil(state: SiteState): number {
  const leases = [...state.chargers.values()].flatMap((one) => one.leases);
  return leases.reduce((latest, { until }) => Math.max(latest, until), 0);
}

/** Hears the answers, plans, and decides what is sent now; the state is that after sending. */
export function stepped(
  before: SiteState,
  { cars, answers }: { cars: ReadonlyMap<string, Car>; answers: readonly Answer[] },
  now: Moment,
): Step {
  const looked = observed(before, cars, now);
  const heard = heardAnswers(looked, answers, now);
  const plan = planned(heard, now);
  const orders = nextOrders(heard, plan, now);
  const notes = [
    ...answers.flatMap((answer) => answerNote(looked, answer)),
    loadNote(heard, plan),
    ...profileNotes(heard, plan, now),
    ...orders.flatMap(orderNote),
  ];
  return { state: ordered(heard, orders), plan, orders, notes };
}

function heardAnswers(state: SiteState, answers: readonly Answer[], now: Moment): SiteState {
  const chargers = new Map(state.chargers);
  for (const { key, outcome } of answers) {
    const one = chargers.get(key);
    if (one) chargers.set(key, answered(one, outcome, { site: state.site, now }));
  }
  return { ...state, chargers };
}

function ordered(state: SiteState, orders: readonly Order[]): SiteState {
  const byKey = new Map(orders.map((order) => [order.key, order]));
  return eachCharger(state, (one) => {
    const order = byKey.get(one.charger.key);
    return order ? sending(one, order) : one;
  });
}

/** `state`: in which the order is still on its way. */
function answerNote(state: SiteState, { key, outcome, detail }: Answer): Note[] {
  const order = state.chargers.get(key)?.sent?.order;
  if (!order) return [];
  const { stationId, connectorId, limitMa } = order;
  const limit = { stationId, connectorId, limitMa };
  if (order.kind === 'lease') {
    if (outcome === 'accepted') return [{ type: 'ConfirmLimit', ...limit }];
    const words = detail === '' ? outcome : `${outcome}: ${detail}`;
    return [{ type: 'DoubtLimit', ...limit, outcome: words }];
  }
  if (outcome === 'accepted') return [{ type: 'ConfirmFailSafe', ...limit }];
  return outcome === 'unsupported' ? [{ type: 'RefuseFailSafe', stationId, connectorId }] : [];
}

function loadNote({ site }: SiteState, { certainMa }: Plan): Note {
  const { name, limitMa } = site.feeder;
  return { type: 'JudgeFeeder', feeder: name, exposedMa: certainMa, limitMa };
}

function orderNote({ kind, stationId, connectorId, limitMa, reason }: Order): Note[] {
  return kind === 'lease' ? [{ type: 'TellLimit', stationId, connectorId, limitMa, reason }] : [];
}

function eachCharger(state: SiteState, change: (one: ChargerState) => ChargerState): SiteState {
  const chargers = [...state.chargers].map(([key, one]): [string, ChargerState] => [
    key,
    change(one),
  ]);
  return { ...state, chargers: new Map(chargers) };
}
