import { floorTo } from './shares.ts';

/**
 * A charging profile: a limit over time that a partner sets for one charge. It only ever lowers what
 * the site's plan gives. Instants are epoch ms of the platform's clock, currents mA per phase.
 */
export interface Profile {
  /** undefined = it starts with the charge. */
  readonly startAt: number | undefined;
  /** undefined = it does not end before the charge does. */
  readonly durationMs: number | undefined;
  /** A car that is allowed less than this is paused. */
  readonly minMa: number;
  /** Each holds until the next one. */
  readonly periods: readonly Period[];
  /** Who set it by a grant, such as CA*SMC; undefined = the owner of the token. */
  readonly setBy?: string | undefined;
}

export interface Period {
  readonly afterMs: number;
  readonly limitMa: number;
}

/** In what a partner counts: one ampere of each phase makes so many watts. */
export interface Unit {
  readonly unit: 'A' | 'W';
  readonly wattsPerAmp: number;
}

/** What was set for the charge that runs at a connector. */
export interface HeldProfile extends Unit {
  readonly orderId: string;
  readonly sessionId: string;
  /** The charger has so long to obey. */
  readonly obeyUntil: number;
  /** undefined = it was cleared again. */
  readonly profile: Profile | undefined;
  /** What holds where this one is not obeyed in time. */
  readonly before: Profile | undefined;
}

/** How the newest order that was settled ended. */
export interface SettledProfile {
  readonly orderId: string;
  readonly obeyed: boolean;
}

/** From then on a charge may draw so much. */
export interface Step {
  readonly at: number;
  readonly limitMa: number;
}

/** What holds at an instant: a profile that its charger was not brought to obey in time counts no more. */
export function validProfile(
  held: HeldProfile | undefined,
  settled: SettledProfile | undefined,
  at: number,
): Profile | undefined {
  if (!held?.profile) return undefined;
  const isSettled = settled?.orderId === held.orderId;
  return (isSettled ? settled.obeyed : at < held.obeyUntil) ? held.profile : held.before;
}

/** What it allows at an instant; Infinity = all. */
export function allowedMa(profile: Profile, chargeStartedAt: number, at: number): number {
  const passedMs = at - (profile.startAt ?? chargeStartedAt);
  if (passedMs < 0 || passedMs >= (profile.durationMs ?? Infinity)) return Infinity;
  const period = profile.periods.findLast(({ afterMs }) => afterMs <= passedMs);
  if (!period) return Infinity;
  return period.limitMa < profile.minMa ? 0 : period.limitMa;
}

/** Whether somebody else's profile holds against the one who sets by a grant; the owner of the token may always. CHP-05. */
export function isSetByAnother(
  profile: Profile | undefined, by: string | undefined, chargeStartedAt: number, at: number,
): boolean {
  if (by === undefined || !profile || profile.setBy === by) return false;
  return at - (profile.startAt ?? chargeStartedAt) < (profile.durationMs ?? Infinity);
}

/** The instants after `at` from which it allows something else, or may. */
export function turns(profile: Profile, chargeStartedAt: number, at: number): number[] {
  const start = profile.startAt ?? chargeStartedAt;
  const end = start + (profile.durationMs ?? Infinity);
  const begins = [start, ...profile.periods.map(({ afterMs }) => start + afterMs)];
  const all = [...begins.filter((turn) => turn < end), ...(Number.isFinite(end) ? [end] : [])];
  return [...new Set(all.filter((turn) => turn > at))].toSorted((a, b) => a - b);
}

export interface CapRules {
  readonly maxMa: number;
  readonly minMa: number;
  readonly stepMa: number;
}

/** A limit as a charger can be told it: whole steps, and 0 where a car could not charge with it. */
export function capMa(allowed: number, { maxMa, minMa, stepMa }: CapRules): number {
  const ma = allowed >= maxMa ? maxMa : floorTo(allowed, stepMa);
  return ma < minMa ? 0 : ma;
}

/** Whether this says anything else than what was told: what is over by now does not count. */
export function isNews(told: readonly Step[], steps: readonly Step[]): boolean {
  const [first, ...later] = steps;
  if (!first) return false;
  const { limitMa } = told.findLast(({ at }) => at <= first.at) ?? {};
  const ahead = told.filter(({ at }) => at > first.at);
  const same = (a: Step, b: Step | undefined) => a.at === b?.at && a.limitMa === b.limitMa;
  return limitMa !== first.limitMa
    || ahead.length !== later.length || !ahead.every((step, i) => same(step, later[i]));
}

/** In the partner's unit, with one decimal at most, and never more than the current. */
export function rateText(ma: number, { unit, wattsPerAmp }: Unit): string {
  const rate = unit === 'A' ? ma / 1_000 : (ma / 1_000) * wattsPerAmp;
  return String(floorTo(rate * 10, 1) / 10);
}

/** Decimal text in the partner's unit as mA, rounded down. */
export function rateMa(text: string, { unit, wattsPerAmp }: Unit): number {
  const rate = Number(text);
  return floorTo((unit === 'A' ? rate : rate / wattsPerAmp) * 1_000, 1);
}
