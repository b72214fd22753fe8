import { type ChargerState, inForceMa, mayDrawMa, surelyMa } from './charger.ts';
import { amps, type Site } from './feeder.ts';
import type { Moment } from './lease.ts';
import { allowedMa, capMa, type Profile, validProfile } from './profile.ts';
import { type ChargerLimits, type SiteLimits, untold } from './limits.ts';
import { type Claim, fairShares, inTurn } from './shares.ts';
import { instant } from '#time';

/** What a site's owner knows. */
export interface SiteState {
  readonly site: Site;
  readonly limits: SiteLimits;
  /** In the site's order. */
  readonly chargers: ReadonlyMap<string, ChargerState>;
  /** What the platform's clock showed more than our watch, when last looked at. */
  readonly aheadMs: number;
}

export interface Plan {
  /** Who is served first comes first. */
  readonly targets: readonly Target[];
  /** The most that all may draw, in the worst case. */
  readonly exposedMa: number;
  /** What all may draw for sure: above the feeder's limit, this is an overload. */
  readonly certainMa: number;
}

export interface Target {
  readonly key: string;
  /** undefined = it cannot be told anything. */
  readonly targetMa: number | undefined;
  /** The most that it may draw as things are. */
  readonly mayDrawMa: number;
  readonly why: string;
}

/** What each charger should be told, and why. Whether it can be told so now is for `nextOrders`. */
export function planned(state: SiteState, now: Moment): Plan {
  const { site } = state;
  const chargers = [...state.chargers.values()];
  const may = new Map(chargers.map((one) => [one.charger.key, mayDrawMa(one, site, now)]));
  const mayOf = (one: ChargerState) => may.get(one.charger.key) ?? 0;
  const led = chargers.filter(isLed);
  const cap = new Map(chargers.map((one) => [one.charger.key, capOf(state, one, now)]));
  const capOfOne = (one: ChargerState) => cap.get(one.charger.key) ?? 0;
  const claimants = led.filter((one) => one.car.wants !== 'nothing' && capOfOne(one) > 0);
  const loadMa = (one: ChargerState) => {
    if (claimants.includes(one)) return 0;
    return led.includes(one) && !isStubborn(one) ? site.failSafeMa : mayOf(one);
  };
  const roomMa = site.feeder.limitMa - sum(chargers.map(loadMa));
  const first = shared(state, claimants, { roomMa, now, capOf: capOfOne });
  // Who does not come down keeps what it has, and the others share what that leaves.
  const stuck = claimants.filter((one) => isStubborn(one) && mayOf(one) > first.of(one));
  const second =
    stuck.length === 0
      ? first
      : shared(
          state,
          claimants.filter((one) => !stuck.includes(one)),
          { roomMa: roomMa - sum(stuck.map(mayOf)), now, capOf: capOfOne },
        );
  const shareOf = (one: ChargerState) => (stuck.includes(one) ? first : second).of(one);
  const target = (one: ChargerState): Target => {
    const { key } = one.charger;
    const mayMa = mayOf(one);
    if (!led.includes(one)) {
      return { key, targetMa: undefined, mayDrawMa: mayMa, why: whyNotLed(one, mayMa) };
    }
    if (capOfOne(one) === 0) {
      return { key, targetMa: 0, mayDrawMa: mayMa, why: `paused by ${profileText(state, one, now)}` };
    }
    if (!claimants.includes(one)) {
      const idleMa = Math.min(site.failSafeMa, capOfOne(one));
      return { key, targetMa: idleMa, mayDrawMa: mayMa, why: whyIdle(site) };
    }
    const targetMa = Math.min(shareOf(one), capOfOne(one));
    if (targetMa === capOfOne(one) && targetMa < one.charger.maxMa) {
      return { key, targetMa, mayDrawMa: mayMa, why: `${amps(targetMa)} by ${profileText(state, one, now)}` };
    }
    return { key, targetMa, mayDrawMa: mayMa, why: whyShare(one, { targetMa, site, claimants }) };
  };
  const served = [
    ...claimants.toSorted(byArrival),
    ...chargers.filter((one) => !claimants.includes(one)),
  ];
  const certainMa = sum(chargers.map((one) => surelyMa(one, site, now)));
  return { targets: served.map(target), exposedMa: sum([...may.values()]), certainMa };
}

/** It is there, and falls back to its fail-safe when it hears of us no more. */
function isLed({ car, failSafeMa }: ChargerState): boolean {
  return car.connected && failSafeMa !== undefined;
}

function isStubborn({ trouble, overdrawnMa }: ChargerState): boolean {
  return trouble.failures > 0 || overdrawnMa !== undefined;
}

const byArrival = (a: ChargerState, b: ChargerState): number => a.car.arrivedAt - b.car.arrivedAt;

function shared(
  state: SiteState,
  claimants: readonly ChargerState[],
  { roomMa, now, capOf: most }: { roomMa: number; now: Moment; capOf: (one: ChargerState) => number },
) {
  const { site } = state;
  const rules = { minMa: site.minMa, stepMa: site.stepMa, idleMa: site.failSafeMa };
  const arrived = claimants.toSorted(byArrival);
  const claims = (capOf: (one: ChargerState) => number) =>
    arrived.map((one) => claimOf(one, capOf(one), state.limits.chargers.get(one.charger.key)));
  const leastMa = Math.max(site.minMa, site.failSafeMa);
  // A claim is at least the minimum; who is allowed less than its fail-safe is told less.
  const full = claims((one) => Math.max(leastMa, most(one)));
  let shares = fairShares(full, roomMa, rules);
  // Only where somebody goes short does it matter that another does not use what it may.
  if (full.some((claim) => (shares.get(claim.key) ?? 0) < claim.capMa)) {
    const used = claims((one) => Math.min(usableMa(one, site), Math.max(leastMa, most(one))));
    shares = fairShares(used, roomMa, rules);
    if (used.some((claim) => shares.get(claim.key) === 0)) {
      shares = fairShares(inTurn(used, now.at, site.timing.rotateAfterMs), roomMa, rules);
    }
  }
  return { of: (one: ChargerState) => shares.get(one.charger.key) ?? 0 };
}

/** The charging profile that holds for the charge there now. */
export function profileOf(state: SiteState, { charger, car }: ChargerState, now: Moment): Profile | undefined {
  return validProfile(car.held, state.limits.chargers.get(charger.key)?.profile, now.at);
}

function profileText(state: SiteState, one: ChargerState, now: Moment): string {
  const setBy = profileOf(state, one, now)?.setBy;
  return setBy === undefined ? 'its charging profile' : `the charging profile that ${setBy} set`;
}

/** The most that a charger may be told: all it can, or what its charging profile leaves of that. */
export function capOf(state: SiteState, one: ChargerState, now: Moment): number {
  const profile = profileOf(state, one, now);
  const { maxMa } = one.charger;
  if (!profile) return maxMa;
  const { minMa, stepMa } = state.site;
  return capMa(allowedMa(profile, one.car.arrivedAt, now.at), { maxMa, minMa, stepMa });
}

function usableMa({ car, charger, taper }: ChargerState, site: Site): number {
  if (car.wants === 'little') return Math.max(site.minMa, site.failSafeMa);
  const leastMa = Math.max(site.minMa, site.failSafeMa);
  return Math.max(leastMa, Math.min(charger.maxMa, taper.capMa ?? Infinity));
}

function claimOf(one: ChargerState, capMa: number, told: ChargerLimits = untold): Claim {
  const turnedAt = told.turnedAt === '' ? 0 : instant(told.turnedAt);
  const charging = (told.toldMa ?? 0) > 0;
  return {
    key: one.charger.key,
    capMa,
    charging,
    since: Math.max(turnedAt, one.car.arrivedAt),
    hasYielded: !charging && turnedAt > one.car.arrivedAt,
  };
}

function whyNotLed({ car, charger, failSafeMa }: ChargerState, mayMa: number): string {
  if (car.connection === 0) return `never connected: counted at its fail-safe ${amps(mayMa)}`;
  if (failSafeMa === undefined) {
    return car.plugged
      ? `has not accepted a fail-safe limit: counted at all of its ${amps(charger.maxMa)}`
      : `has not accepted a fail-safe limit yet; no car`;
  }
  return `out of reach: may still draw ${amps(mayMa)}`;
}

const whyIdle = (site: Site): string =>
  `no car that charges: kept at its fail-safe ${amps(site.failSafeMa)}`;

function whyShare(
  one: ChargerState,
  {
    targetMa,
    site,
    claimants,
  }: { targetMa: number; site: Site; claimants: readonly ChargerState[] },
): string {
  const { charger, car, taper } = one;
  const cars = `${claimants.length} ${claimants.length === 1 ? 'car' : 'cars'}`;
  if (one.overdrawnMa !== undefined) {
    return `draws ${amps(one.overdrawnMa)}, more than it may; told ${amps(targetMa)}`;
  }
  if (targetMa === 0) {
    return `waits for its turn: ${amps(site.feeder.limitMa)} do not give ${cars} ${amps(site.minMa)} each`;
  }
  if (targetMa >= charger.maxMa) return `all it can take: enough for ${cars}`;
  if (car.wants === 'little') return 'the car has paused: kept at the minimum';
  if (taper.capMa !== undefined && targetMa >= taper.capMa) {
    return `draws only ${amps(car.drawn?.ma ?? 0)}: the rest goes to the others`;
  }
  return `fair share of ${amps(site.feeder.limitMa)} among ${cars}`;
}

/** For people: the limit in force, or the last confirmed where that is unclear. */
export function confirmedMa(one: ChargerState, site: Site, now: Moment): number {
  return inForceMa(one, site, now) ?? one.confirmed?.limitMa ?? one.failSafeMa ?? 0;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
