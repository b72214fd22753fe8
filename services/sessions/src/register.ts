import { decimal } from '#money';
import type { Location } from '#ocpi';
import { instant } from '#time';

/**
 * A station's register of energy, made into one that only grows. OCPP tells neither how many digits a
 * register has nor that a meter was changed: what each value most likely means is decided here.
 */

/** A reading of a charger's meter that counts for the session. Decimal text. */
export interface Reading {
  readonly at: string;
  /** The register as the meter shows it. */
  readonly energyWh?: string;
  /** With it the register began again: from then on so much is added to what it shows. */
  readonly carried?: { readonly wh: string; readonly as: 'wrapped' | 'replaced' };
  readonly powerW?: string;
  /** All phases together, as OCPI restricts tariffs by it. */
  readonly currentMa?: number;
  readonly socPercent?: string;
}

export type WhyDoubted = 'register-fell' | 'reading-beyond-power';

/** A reading that cannot be; the next one may bear it out. */
export interface Doubted {
  readonly at: string;
  readonly energyWh: string;
  readonly why: WhyDoubted;
}

export interface Register {
  readonly startMs: number;
  readonly startTenthWh: number;
  /** Of the newest reading that counted. */
  readonly atMs: number;
  /** Where the register stands, with what it carries. */
  readonly tenthWh: number;
  readonly carriedTenthWh: number;
  readonly doubted: Doubted | undefined;
}

/** What a value of the register is taken for. */
export type Judged =
  | { readonly counts: 'on' | 'wrapped' | 'replaced'; readonly tenthWh: number; readonly carriedTenthWh: number }
  | { readonly counts: 'not'; readonly why: WhyDoubted };

/** A register in whole Wh that falls by so much was only rounded otherwise. */
export const ROUNDED_TENTH_WH = 10;

/** Where registers begin again at 0: from 1 MWh on, for one of a session alone is never that full. */
const SIZES_TENTH_WH = [1e6, 1e7, 1e8, 1e9, 2 ** 32, 1e10].map((wh) => wh * 10);

/**
 * A higher value counts if the connector can have delivered it. A lower one has begun again at 0 if
 * the register was nearly full and what then flowed can have been delivered. Any other value is
 * doubted until the next reading grows from it as from its own past: then the register was set anew
 * or the meter replaced, and what nobody saw in between is not charged. But where the whole charge can
 * have delivered it, it was the clock that was set back.
 */
export function judged(
  register: Register,
  { atMs, rawTenthWh }: { atMs: number; rawTenthWh: number },
  powerWMax: number | undefined,
): Judged {
  const { tenthWh, carriedTenthWh, doubted } = register;
  const rawBefore = tenthWh - carriedTenthWh;
  const most = deliverable(powerWMax, atMs - register.atMs);
  const gained = rawTenthWh - rawBefore;
  if (gained >= 0 && gained <= most)
    return { counts: 'on', tenthWh: tenthWh + gained, carriedTenthWh };
  // A meter that is not there shows 0, too: what begins again soon shows more.
  const size = gained < 0 && rawTenthWh > 0 ? sizeOf(rawBefore, rawTenthWh, most) : undefined;
  if (size !== undefined)
    return {
      counts: 'wrapped',
      tenthWh: tenthWh + gained + size,
      carriedTenthWh: carriedTenthWh + size,
    };
  if (doubted && bearsOut(doubted, { atMs, rawTenthWh }, powerWMax)) {
    const whole = tenthWh + gained - register.startTenthWh;
    if (gained >= 0 && whole <= deliverable(powerWMax, atMs - register.startMs))
      return { counts: 'on', tenthWh: tenthWh + gained, carriedTenthWh };
    const counted = tenthWh + rawTenthWh - tenthsOf(doubted.energyWh);
    return { counts: 'replaced', tenthWh: counted, carriedTenthWh: counted - rawTenthWh };
  }
  return { counts: 'not', why: gained < 0 ? 'register-fell' : 'reading-beyond-power' };
}

/**
 * The register of the stop, against the one of the start: of a station that was away, what came in
 * between may bear the time of its arrival, and some read of the charge alone what they start and stop
 * by the meter's own register: of two that can be, the lower one. S16-54
 */
export function judgedStop(
  register: Register,
  stop: { readonly atMs: number; readonly rawTenthWh: number },
  { startMs, startTenthWh, powerWMax }: { startMs: number; startTenthWh: number; powerWMax: number | undefined },
): Judged {
  const most = startTenthWh + deliverable(powerWMax, stop.atMs - startMs);
  const carrying = (carriedTenthWh: number): Judged | undefined => {
    const tenthWh = stop.rawTenthWh + carriedTenthWh;
    return tenthWh >= register.tenthWh && tenthWh <= most ? { counts: 'on', tenthWh, carriedTenthWh } : undefined;
  };
  const own = register.carriedTenthWh > 0 ? carrying(0) : undefined;
  if (own) return own;
  const found = judged(register, stop, powerWMax);
  if (found.counts !== 'not' || found.why !== 'reading-beyond-power') return found;
  return carrying(register.carriedTenthWh) ?? carrying(0) ?? found;
}

function sizeOf(before: number, after: number, most: number): number | undefined {
  return SIZES_TENTH_WH.find(
    (size) =>
      before < size &&
      size - before <= size / 10 &&
      after <= size / 10 &&
      size - before + after <= most,
  );
}

/** It has to grow: a meter that is not there shows the same wrong value for ever. */
function bearsOut(
  doubted: Doubted,
  { atMs, rawTenthWh }: { atMs: number; rawTenthWh: number },
  powerWMax: number | undefined,
): boolean {
  const ms = atMs - instant(doubted.at);
  const gained = rawTenthWh - tenthsOf(doubted.energyWh);
  return ms > 0 && gained > 0 && gained <= deliverable(powerWMax, ms);
}

/** Connectors are entered with less than they give, and clocks are set while a car charges. */
const POWER_ALLOWANCE = 1.5;
const CLOCK_ALLOWANCE_MS = 120_000;
const W_MS_PER_TENTH_WH = 360_000;

/** Tenths of a Wh that a connector gives at most in that time. */
export function deliverable(powerWMax: number | undefined, ms: number): number {
  if (powerWMax === undefined) return Infinity;
  return (powerWMax * POWER_ALLOWANCE * (Math.max(0, ms) + CLOCK_ALLOWANCE_MS)) / W_MS_PER_TENTH_WH;
}

export const PHASES: Readonly<Record<string, number>> = {
  AC_2_PHASE: 2,
  AC_2_PHASE_SPLIT: 2,
  AC_3_PHASE: 3,
};

/** The most that any connector of the session's EVSE gives, W; undefined where nobody says. */
export function powerWMaxOf({ evses = [] }: Pick<Location, 'evses'>): number | undefined {
  const powers = (evses ?? []).flatMap(({ connectors }) =>
    connectors.flatMap(({ max_voltage, max_amperage, power_type, max_electric_power }) => [
      max_voltage * max_amperage * (PHASES[power_type] ?? 1),
      max_electric_power ?? 0,
    ]),
  );
  const most = Math.max(0, ...powers);
  return most > 0 ? most : undefined;
}

/** Registers count in tenths of a Wh, rounded half away from zero, as the meter fold does. */
export function tenthsOf(energyWh: string): number {
  return Number(decimal(energyWh).shift(1).roundTo(0, 'half-away-from-zero').coefficient);
}
