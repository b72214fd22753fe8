import type { DecimalLike } from '#money';
import { instant } from '#time';
import { type ChargeState, PriceChanges } from './changes.ts';
import { compile } from './compile.ts';
import { MeterWalk, type WalkContext } from './meter-walk.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import { tenths, thousandths } from './register.ts';
import type { ChargingPeriod, Tariff } from './shapes.ts';

/** What a meter or a charger says at an instant: any of a reading and a change of state. */
export interface MeterEvent {
  /** RFC 3339. */
  readonly at: string;
  /** The register, in Wh; only differences count. */
  readonly energyWh?: DecimalLike;
  /** Levels told with the reading; they hold until the next one. Power untold is energy by time. */
  readonly powerW?: DecimalLike;
  readonly currentA?: DecimalLike;
  readonly state?: ChargeState;
}

/** The stretch that still runs: since when, at which price, between which levels. */
export interface RunningPeriod {
  readonly startMs: number;
  readonly startTenthWh: number;
  readonly state: ChargeState;
  readonly price: string;
  /** The FLAT that became due with it, where the tariff looks at levels. */
  readonly flat?: string;
  readonly powerW?: LevelRange;
  readonly currentMa?: LevelRange;
}

export type LevelRange = readonly [lowest: number, highest: number];

/**
 * A session's metering, folded: plain JSON whose size depends on how often the price changed and
 * not on how many readings came. Energy is counted in tenths of a Wh, the four decimals of a CDR's
 * kWh, so that the periods add up to the register's difference exactly.
 */
export interface MeterState {
  readonly startMs: number;
  readonly startTenthWh: number;
  readonly closed: readonly ChargingPeriod[];
  readonly running: RunningPeriod;
  /** FLATs that are billed already. */
  readonly flats: readonly string[];
  /** The newest reading, and the levels that hold since. */
  readonly atMs: number;
  readonly tenthWh: number;
  readonly powerW?: number;
  readonly currentMa?: number;
  readonly state: ChargeState;
  /** Changes of state since the newest reading; `state` is the one before them. */
  readonly changes: readonly StateChange[];
  /** How many readings were older or lower than one before, and so left out. */
  readonly ignored: number;
  /** What the register has lost by beginning again; `tenthWh` counts on. Absent = 0. */
  readonly rolledTenthWh?: number;
}

export interface StateChange {
  readonly atMs: number;
  readonly state: ChargeState;
}

export interface MeterContext {
  readonly tariff: Tariff;
  /** The energy at which the register begins again at 0; absent = it never does. */
  readonly registerWh?: DecimalLike;
  readonly timeZone?: string;
  readonly policy?: Policy;
}

export interface MeterStart {
  readonly at: string;
  readonly energyWh: DecimalLike;
  readonly state: ChargeState;
}

export interface MeterEnd {
  readonly at: string;
  /** The final register; without it no energy is counted after the newest reading. */
  readonly energyWh?: DecimalLike;
}

/** Folds metering into charging periods. All methods are pure; InvalidInstant, InvalidDecimal. */
export interface Meter {
  start(from: MeterStart): MeterState;
  take(state: MeterState, event: MeterEvent): MeterState;
  /** The periods up to an instant, for the CDR at the end or a running price before it. */
  periods(state: MeterState, end: MeterEnd): ChargingPeriod[];
}

/**
 * From metering to charging periods, split wherever the price changes (CDR-07): at a change of
 * state, and at a time of day, a date, a duration, an energy or a level from which another
 * component applies. Between readings energy runs evenly through the time in which the car charged.
 */
export function meterFold(given: MeterContext): Meter {
  const { tariff, timeZone, registerWh, policy = defaultPolicy } = given;
  const compiled = compile(tariff);
  const context: WalkContext = {
    changes: new PriceChanges(compiled, policy, timeZone),
    tariffId: tariff.id,
    withLevels: compiled.usesCurrent || compiled.usesPower,
    oneFlat: policy.flatFee === 'once-per-session',
    registerTenthWh: registerWh === undefined ? undefined : tenths(registerWh),
  };
  const metered = (state: ChargeState): ChargeState =>
    state === 'paused' && policy.pausedTime === 'time' ? 'charging' : state;
  return {
    start: ({ at, energyWh, ...from }) => {
      const state = metered(from.state);
      const startMs = instant(at);
      const startTenthWh = tenths(energyWh);
      const running = { startMs, startTenthWh, state, price: '' };
      const newest = { atMs: startMs, tenthWh: startTenthWh, changes: [] };
      return {
        startMs,
        startTenthWh,
        closed: [],
        running,
        flats: [],
        ...newest,
        state,
        ignored: 0,
      };
    },
    take: (state, event) => {
      const walk = new MeterWalk(context, state);
      const atMs = instant(event.at);
      if (event.energyWh !== undefined) {
        walk.read(atMs, tenths(event.energyWh), {
          powerW:
            event.powerW === undefined ? undefined : Math.round(thousandths(event.powerW) / 1000),
          currentMa: event.currentA === undefined ? undefined : thousandths(event.currentA),
        });
      }
      if (event.state !== undefined) walk.change(atMs, metered(event.state));
      return walk.toState();
    },
    periods: (state, end) => {
      const walk = new MeterWalk(context, state);
      const atMs = instant(end.at);
      if (end.energyWh !== undefined) walk.read(atMs, tenths(end.energyWh), {});
      return walk.finish(atMs);
    },
  };
}

/**
 * The charging periods of a whole session at once, its events in any order; see `meterFold`, which
 * hears them as they come and leaves out a reading that comes late.
 */
export function splitAtPriceChanges(
  context: MeterContext,
  from: MeterStart,
  events: readonly MeterEvent[],
  end: MeterEnd,
): ChargingPeriod[] {
  const meter = meterFold(context);
  const inOrder = events.toSorted((a, b) => instant(a.at) - instant(b.at));
  return meter.periods(inOrder.reduce(meter.take, meter.start(from)), end);
}
