import { type Car, noCar } from './car.ts';
import type { Charger, Site } from './feeder.ts';
import { type Lease, mayLast, type Moment, withLease } from './lease.ts';
import type { Outcome, Order } from './order.ts';
import { type Taper, tapered } from './taper.ts';

/** One charger as its site's owner knows it: what it was told, what it said, what it may do. */
export interface ChargerState {
  readonly charger: Charger;
  readonly car: Car;
  /** Every lease that it may obey, for all that we know. */
  readonly leases: readonly Lease[];
  /** The lease that it obeys for sure; undefined = unclear, or none. */
  readonly confirmed: Lease | undefined;
  /** False while `leases` is more than what it obeys. */
  readonly clear: boolean;
  /** The fail-safe that it accepted. */
  readonly failSafeMa: number | undefined;
  /** It has to be told its fail-safe, perhaps again. */
  readonly failSafeDue: boolean;
  /** Under way, with what was known before it. */
  readonly sent: { readonly order: Order; readonly before: readonly Lease[] } | undefined;
  readonly trouble: Trouble;
  readonly failSafeTrouble: Trouble;
  readonly taper: Taper;
  /** When it accepted a limit that differs from the one before. */
  readonly obeysSince: number;
  /** What it was last measured at, when that is more than it may. */
  readonly overdrawnMa: number | undefined;
}

/** Orders that were not obeyed in a row, and when to try again, by our own watch. */
export interface Trouble {
  readonly failures: number;
  readonly retryAt: number;
}

export interface Setting {
  readonly site: Site;
  readonly now: Moment;
}

/** Meters and chargers are not exact. */
const TOLERANCE_MA = 1_500;

const noTrouble: Trouble = { failures: 0, retryAt: -Infinity };

function newCharger(charger: Charger): ChargerState {
  return {
    charger,
    car: noCar,
    leases: [],
    confirmed: undefined,
    clear: true,
    failSafeMa: undefined,
    failSafeDue: true,
    sent: undefined,
    trouble: noTrouble,
    failSafeTrouble: noTrouble,
    taper: {},
    obeysSince: 0,
    overdrawnMa: undefined,
  };
}

/** Without a lease: its fail-safe; all it can when a car is there and it never accepted one. */
function unledMa({ charger, car, failSafeMa }: ChargerState, site: Site): number {
  if (failSafeMa !== undefined) return Math.max(failSafeMa, site.failSafeMa);
  return car.connection > 0 && car.plugged ? charger.maxMa : site.failSafeMa;
}

/**
 * The most that it may draw, now or when it hears of us no more: the largest of its leases that may
 * still last, of what it falls back to, and of what it was seen to draw against its limit.
 */
export function mayDrawMa(state: ChargerState, site: Site, now: Moment): number {
  let ma = Math.max(unledMa(state, site), state.overdrawnMa ?? 0);
  for (const lease of state.leases) {
    if (lease.limitMa > ma && mayLast(lease, now, site.timing.clockMarginMs)) ma = lease.limitMa;
  }
  return ma;
}

/** What it is limited to at the least: an order for no more than that cannot raise anything. */
export function leastMa(state: ChargerState, site: Site, now: Moment): number {
  const { confirmed, clear, leases } = state;
  const margin = site.timing.clockMarginMs;
  const mustLast = ({ until, watchUntil }: Lease) =>
    now.at + margin < until && now.watch < watchUntil;
  if (clear && confirmed && mustLast(confirmed)) return confirmed.limitMa;
  const may = leases.filter((lease) => mayLast(lease, now, margin)).map(({ limitMa }) => limitMa);
  return Math.min(state.failSafeMa ?? Infinity, ...may);
}

/** What it may draw for sure, whatever is unclear. */
export function surelyMa(state: ChargerState, site: Site, now: Moment): number {
  const ledMa = state.failSafeMa === undefined ? unledMa(state, site) : leastMa(state, site, now);
  return Math.max(ledMa, state.overdrawnMa ?? 0);
}

/** The limit that it obeys now; undefined = unclear. */
export function inForceMa(state: ChargerState, site: Site, now: Moment): number | undefined {
  const { confirmed, clear, leases } = state;
  if (clear && confirmed && mayLast(confirmed, now, 0)) return confirmed.limitMa;
  const isOver = leases.every((lease) => !mayLast(lease, now, site.timing.clockMarginMs));
  return isOver ? state.failSafeMa : undefined;
}

/** News of car and station. A station that came back may have forgotten what it was told. */
export function seen(state: ChargerState, car: Car, { site, now }: Setting): ChargerState {
  const next = { ...state, car, ...measured(state, car, { site, now }) };
  const isBack = car.connection !== state.car.connection || car.bootedAt !== state.car.bootedAt;
  if (!isBack) return next;
  return {
    ...next,
    failSafeDue: true,
    clear: state.leases.length === 0,
    trouble: noTrouble,
    failSafeTrouble: noTrouble,
  };
}

function measured(state: ChargerState, { drawn, arrivedAt }: Car, { site, now }: Setting) {
  const limitMa = inForceMa(state, site, now);
  if (!drawn || arrivedAt !== state.car.arrivedAt) return { taper: {}, overdrawnMa: undefined };
  if (drawn.at === state.car.drawn?.at || limitMa === undefined) return {};
  const hadTime = drawn.at > state.obeysSince + site.timing.settleMs;
  return {
    taper: tapered(state.taper, drawn, limitMa, site),
    overdrawnMa: hadTime && drawn.ma > limitMa + TOLERANCE_MA ? drawn.ma : undefined,
  };
}

/** The same with leases that may last longer by a clock that was not set. */
export function lengthened(state: ChargerState, byMs: number): ChargerState {
  if (byMs === 0 || state.leases.length === 0) return state;
  const longer = (lease: Lease): Lease => ({ ...lease, until: lease.until + byMs });
  const { sent } = state;
  return {
    ...state,
    leases: state.leases.map(longer),
    sent: sent && { ...sent, before: sent.before.map(longer) },
  };
}

/** The order is on its way: from now on it may be obeyed. */
export function sending(state: ChargerState, order: Order): ChargerState {
  const sent = { order, before: state.leases };
  if (order.kind === 'fail-safe') return { ...state, sent };
  return { ...state, sent, leases: withLease(state.leases, order.lease) };
}

export function answered(
  state: ChargerState,
  outcome: Outcome,
  { site, now }: Setting,
): ChargerState {
  const { sent, ...rest } = state;
  if (!sent) return state;
  const { order, before } = sent;
  const idle = { ...rest, sent: undefined };
  if (order.kind === 'fail-safe') {
    if (outcome === 'accepted') {
      return { ...idle, failSafeMa: order.limitMa, failSafeDue: false, failSafeTrouble: noTrouble };
    }
    const failSafeTrouble = more(state.failSafeTrouble, site, now);
    // It knows no limits: what it accepted in another life no longer counts.
    const failSafeMa = outcome === 'unsupported' ? undefined : state.failSafeMa;
    return { ...idle, failSafeMa, failSafeTrouble };
  }
  if (outcome === 'accepted') {
    const { lease } = order;
    const isNew = state.confirmed?.limitMa !== lease.limitMa;
    const obeysSince = isNew ? now.at : state.obeysSince;
    const settled = { leases: [lease], confirmed: lease, clear: true, trouble: noTrouble };
    return { ...idle, ...settled, obeysSince };
  }
  const trouble = more(state.trouble, site, now);
  // Refused or never delivered: all is as before. No answer: it may or may not obey, perhaps later.
  return outcome === 'unknown'
    ? { ...idle, trouble, clear: false }
    : { ...idle, trouble, leases: before };
}

/**
 * What a new owner has to assume: any limit told since one was last confirmed, in force for as long
 * as its predecessor may have told.
 */
export function assumed(
  charger: Charger,
  leases: readonly Lease[],
  failSafeMa?: number,
): ChargerState {
  return { ...newCharger(charger), leases, clear: leases.length === 0, failSafeMa };
}

function more({ failures }: Trouble, { timing }: Site, now: Moment): Trouble {
  const pauseMs = Math.min(timing.retryMs * 2 ** failures, timing.longestRetryMs);
  return { failures: failures + 1, retryAt: now.watch + pauseMs };
}
