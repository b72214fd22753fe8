import { Decimal } from '#money';
import { weekdayOf } from '#time';
import type { Component } from './compile.ts';
import type { Policy } from './policy.ts';
import { type Check, holds, type Levels, type Moment } from './restriction.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export type Axis = 'clock' | 'energy' | 'elapsed' | 'current' | 'power';

/** Low and high of a period; undefined = the CDR says nothing of it. */
export type LevelPair = readonly [low: Decimal, high: Decimal] | undefined;

/** All that restrictions look at. */
export interface Situation {
  /** Wall clock, in ms. */
  readonly clock: number;
  readonly energy: Decimal;
  readonly elapsed: number;
  readonly current: LevelPair;
  readonly power: LevelPair;
}

/** Values of one axis that no restriction tells apart, by one of them; a bit for each component. */
export interface Cell<A extends Axis = Axis> {
  readonly value: Situation[A];
  readonly holds: bigint;
}

/** Parts of the space that a search keeps to. */
export interface Domain {
  /** The first moment of a session: no time has passed and no energy has flowed. */
  readonly start?: boolean;
  /** A reservation: no energy, no power. */
  readonly reserved?: boolean;
  /** Also periods without a current: only there can low and high contradict. */
  readonly unknownCurrent?: boolean;
  /** A moment rather than a period: low and high are one. */
  readonly moment?: boolean;
  readonly clock?: Cell<'clock'>;
  readonly elapsed?: Cell<'elapsed'>;
}

const AXES: readonly Axis[] = ['clock', 'energy', 'elapsed', 'current', 'power'];

const AXIS_OF: Readonly<Record<Check['kind'], Axis>> = {
  time: 'clock',
  start_date: 'clock',
  end_date: 'clock',
  day_of_week: 'clock',
  min_kwh: 'energy',
  max_kwh: 'energy',
  min_duration: 'elapsed',
  max_duration: 'elapsed',
  min_current: 'current',
  max_current: 'current',
  min_power: 'power',
  max_power: 'power',
};

/** The tariff has more elements and bounds than can be looked at in reasonable time. */
export class TooIntricate extends Error {
  override readonly name = 'TooIntricate';
}

/** How many questions may be asked about one tariff: some seconds' worth. */
export class Effort {
  #left: number;

  constructor(questions = 10_000_000) {
    this.#left = questions;
  }

  spend(questions: number): void {
    this.#left -= questions;
    if (this.#left < 0) throw new TooIntricate('the tariff is too intricate to be decided about');
  }
}

/**
 * Everything that the restrictions of some components can tell apart, as the product of five axes
 * with few cells each, so that "can this be active, and nothing before it?" has an exact answer.
 * Whether a restriction holds is asked of the same function that prices. Left out: energy that
 * flows back, and periods before their session's start.
 */
export class Space<C extends Pick<Component, 'checks'> = Component> {
  readonly components: readonly C[];
  /** In order of time from a Monday on, in every stretch between two dates. */
  readonly clock: readonly Cell<'clock'>[];
  readonly elapsed: readonly Cell<'elapsed'>[];
  readonly #cells: Readonly<Record<Axis, readonly Cell[]>>;
  readonly #policy: Policy;
  readonly #effort: Effort;

  constructor(components: readonly C[], policy: Policy, effort: Effort) {
    this.components = components;
    this.#policy = policy;
    this.#effort = effort;
    const checks = components.flatMap((component) => component.checks);
    this.clock = this.#cellsOf('clock', clockValues(checks));
    this.elapsed = this.#cellsOf('elapsed', elapsedValues(checks));
    this.#cells = {
      clock: distinct(this.clock),
      elapsed: this.elapsed,
      energy: this.#cellsOf('energy', energyValues(checks)),
      current: this.#cellsOf('current', levelValues(checks, 'current', true)),
      power: this.#cellsOf('power', levelValues(checks, 'power', false)),
    };
  }

  /** The bits of all components. */
  get all(): bigint {
    return (1n << BigInt(this.components.length)) - 1n;
  }

  /** Does any component look at this? */
  looksAt(axis: Axis): boolean {
    return this.components.some(({ checks }) => checks.some(({ kind }) => AXIS_OF[kind] === axis));
  }

  /** An axis on which a component contradicts itself, or undefined. */
  contradiction(index: number): Axis | undefined {
    const bit = 1n << BigInt(index);
    return AXES.find((axis) => !this.#cells[axis].some((cell) => cell.holds & bit));
  }

  /** A situation in which all of `wanted` are active and none of `unwanted`, or undefined. */
  find(wanted: bigint, unwanted: bigint, domain: Domain = {}): Situation | undefined {
    const choices: Choice[] = AXES.map((axis) => [
      axis,
      this.#within(axis, domain).filter((cell) => (cell.holds & wanted) === wanted),
    ]);
    if (choices.some(([, cells]) => cells.length === 0)) return undefined;
    const found = new Map<Axis, Cell>();
    return this.#choose(choices, 0, unwanted, found)
      ? (Object.fromEntries(
          choices.map(([axis, cells]) => [axis, (found.get(axis) ?? cells[0]!).value]),
        ) as unknown as Situation)
      : undefined;
  }

  /** Picks a cell of each axis so that nothing unwanted is left; fewer left is always better. */
  #choose(choices: readonly Choice[], at: number, left: bigint, found: Map<Axis, Cell>): boolean {
    if (left === 0n) return true;
    if (at === choices.length) return false;
    const [axis, cells] = choices[at]!;
    for (const cell of fewest(cells, left, this.#effort)) {
      found.set(axis, cell);
      if (this.#choose(choices, at + 1, left & cell.holds, found)) return true;
      found.delete(axis);
    }
    return false;
  }

  #within(axis: Axis, domain: Domain): readonly Cell[] {
    this.#effort.spend(this.#cells[axis].length);
    const { start, reserved, unknownCurrent, moment } = domain;
    if (axis === 'clock') return domain.clock ? [domain.clock] : this.#cells.clock;
    if (axis === 'elapsed') {
      if (domain.elapsed) return [domain.elapsed];
      return start ? this.#cells.elapsed.slice(0, 1) : this.#cells.elapsed;
    }
    if (axis === 'energy') {
      return start || reserved ? this.#cells.energy.slice(0, 1) : this.#cells.energy;
    }
    return this.#cells[axis].filter(({ value }) => {
      const pair = value as LevelPair;
      if (pair === undefined) return unknownCurrent === true && reserved !== true;
      if (reserved && !pair[1].isZero()) return false;
      return !moment || pair[0].equals(pair[1]);
    });
  }

  /** The components that a value of an axis lets be active. */
  holdsAt<A extends Axis>(axis: A, value: Situation[A]): bigint {
    const moment = momentOf({ ...ORIGIN, [axis]: value });
    let bits = 0n;
    this.components.forEach(({ checks }, i) => {
      const active = checks.every(
        (check) => AXIS_OF[check.kind] !== axis || holds(check, moment, this.#policy),
      );
      if (active) bits |= 1n << BigInt(i);
    });
    return bits;
  }

  #cellsOf<A extends Axis>(axis: A, values: readonly Situation[A][]): Cell<A>[] {
    this.#effort.spend(values.length * this.components.length);
    return values.map((value) => ({ value, holds: this.holdsAt(axis, value) }));
  }
}

type Choice = readonly [Axis, readonly Cell[]];

const ORIGIN: Situation = {
  clock: 0,
  energy: Decimal.zero,
  elapsed: 0,
  current: [Decimal.zero, Decimal.zero],
  power: [Decimal.zero, Decimal.zero],
};

/** What pricing would be asked about in that situation. */
export function momentOf({ clock, energy, elapsed, current, power }: Situation): Moment {
  const levels: Levels = {
    ...(current && { min_current: current[0], max_current: current[1] }),
    ...(power && { min_power: power[0], max_power: power[1] }),
  };
  return { atMs: clock, wallMs: clock, elapsedMs: elapsed, energyWh: energy, levels };
}

/** Of cells that leave different things, those that leave no more than another one does. */
function fewest(cells: readonly Cell[], left: bigint, effort: Effort): Cell[] {
  const best: Cell[] = [];
  for (const cell of cells) {
    effort.spend(1 + best.length);
    const own = cell.holds & left;
    if (best.some((one) => (one.holds & left & own) === (one.holds & left))) continue;
    for (let i = best.length - 1; i >= 0; i--) {
      if ((own & best[i]!.holds & left) === own) best.splice(i, 1);
    }
    best.push(cell);
    if (own === 0n) return [cell];
  }
  return best;
}

function distinct<A extends Axis>(cells: readonly Cell<A>[]): Cell<A>[] {
  const seen = new Map<bigint, Cell<A>>();
  for (const cell of cells) if (!seen.has(cell.holds)) seen.set(cell.holds, cell);
  return [...seen.values()];
}

/** 2024-01-01, a Monday: where no date matters. */
const SOME_MONDAY = 19_723;

/** First and last week of each stretch between two dates, each day at every bound. */
function clockValues(checks: readonly Check[]): number[] {
  const minutes = new Set([0]);
  const dates = new Set<number>();
  for (const check of checks) {
    if (check.kind === 'time') minutes.add(check.from).add(check.to % 1440);
    if (check.kind === 'start_date' || check.kind === 'end_date') {
      // The day after too: a window that wraps may end on it.
      dates.add(check.day).add(check.day + 1);
    }
  }
  const bounds = [...dates].sort((a, b) => a - b);
  const days: number[] = [];
  if (bounds.length === 0) for (let i = 0; i < 7; i++) days.push(SOME_MONDAY + i);
  else for (let i = 7; i > 0; i--) days.push(bounds[0]! - i);
  bounds.forEach((from, i) => {
    const next = bounds[i + 1] ?? from + 7;
    for (let day = from; day < next; day++) if (day < from + 7 || day >= next - 7) days.push(day);
  });
  const sorted = [...minutes].sort((a, b) => a - b);
  return days.flatMap((day) => sorted.map((minute) => day * DAY_MS + minute * MINUTE_MS));
}

function elapsedValues(checks: readonly Check[]): number[] {
  const found = new Set([0]);
  for (const check of checks) {
    if (check.kind !== 'min_duration' && check.kind !== 'max_duration') continue;
    if (check.ms > 0) found.add(Math.ceil(check.ms));
  }
  return [...found].sort((a, b) => a - b);
}

function energyValues(checks: readonly Check[]): Decimal[] {
  return boundsOf(checks, ['min_kwh', 'max_kwh']);
}

function levelValues(
  checks: readonly Check[],
  level: 'current' | 'power',
  mayBeUnknown: boolean,
): LevelPair[] {
  const bounds = boundsOf(checks, [`min_${level}`, `max_${level}`]);
  const pairs: LevelPair[] = bounds.flatMap((low, i) =>
    bounds.slice(i).map((high) => [low, high] as const),
  );
  return mayBeUnknown ? [...pairs, undefined] : pairs;
}

function boundsOf(checks: readonly Check[], kinds: readonly string[]): Decimal[] {
  const found = new Map([['0', Decimal.zero]]);
  for (const check of checks) {
    if (!('bound' in check) || !kinds.includes(check.kind) || check.bound.isNegative()) continue;
    found.set(check.bound.toString(), check.bound);
  }
  return [...found.values()].sort((a, b) => a.compare(b));
}

/** 1 = Monday … 7 = Sunday of a wall clock. */
export function weekdayAt(wallMs: number): number {
  return weekdayOf(Math.floor(wallMs / DAY_MS));
}
