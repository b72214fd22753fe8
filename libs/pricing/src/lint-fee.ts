import type { Cell, Situation, Space } from './lint-space.ts';
import type { Course } from './lint-witness.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

interface Where {
  readonly reserved: boolean;
  readonly unknownCurrent: boolean;
}

/**
 * A session in which this FLAT is the first one to become active: a fee is taken once (PRC-04), so
 * one that waits is only ever taken by a session that began without any. The start's clock and the
 * moment's clock are as far apart as the session has lasted.
 */
export function firstFee(space: Space, index: number, where: Where): Course | undefined {
  const wanted = 1n << BigInt(index);
  const earlier = wanted - 1n;
  const atStart = space.find(wanted, earlier, { ...where, start: true });
  if (atStart) return { at: atStart };
  if (!space.find(0n, space.all, { ...where, start: true })) return undefined;
  const starts: [Interval, Situation][] = [];
  for (const clock of space.clock) {
    const from = space.find(0n, space.all, { ...where, start: true, clock });
    if (from) starts.push([intervalOf(space, clock), from]);
  }
  for (const clock of space.clock) {
    for (const elapsed of space.elapsed) {
      const at = space.find(wanted, earlier, { ...where, clock, elapsed });
      if (!at) continue;
      const moment = [intervalOf(space, clock), at] as const;
      const course = link(space, starts, moment, lasting(space, elapsed));
      if (course) return course;
    }
  }
  return undefined;
}

/** From, and until before, in ms. */
type Interval = readonly [number, number];

function intervalOf(space: Space, cell: Cell<'clock'>): Interval {
  const from = cell.value;
  const next = space.clock[space.clock.indexOf(cell) + 1]?.value ?? Infinity;
  return [from, Math.min(next, (Math.floor(from / DAY_MS) + 1) * DAY_MS)];
}

function lasting(space: Space, cell: Cell<'elapsed'>): Interval {
  return [cell.value, space.elapsed[space.elapsed.indexOf(cell) + 1]?.value ?? Infinity];
}

/** A start and a moment of those intervals that are so far apart; weeks repeat between dates. */
function link(
  space: Space,
  starts: readonly (readonly [Interval, Situation])[],
  [[momentFrom, momentUntil], at]: readonly [Interval, Situation],
  [least, below]: Interval,
): Course | undefined {
  for (const [[startFrom, startUntil], from] of starts) {
    const farthest = momentUntil - 1 - startFrom;
    const shortest = Math.max(least, 1);
    const shift = Math.max(0, Math.ceil((shortest - farthest) / WEEK_MS)) * WEEK_MS;
    const apart = Math.max(shortest, momentFrom - startUntil + 1 + shift);
    if (apart >= below || apart > farthest + shift) continue;
    const moment = Math.max(momentFrom + shift, startFrom + apart);
    for (const back of shift === 0 ? [0] : [0, shift]) {
      const clock = moment - back;
      const course = {
        from: { ...from, clock: clock - apart },
        at: { ...at, clock, elapsed: apart },
      };
      if (isAlike(space, course.from, from) && isAlike(space, course.at, at)) return course;
    }
  }
  return undefined;
}

/** Whether no date lies between two clocks that some weeks part. */
function isAlike(space: Space, one: Situation, other: Situation): boolean {
  return space.holdsAt('clock', one.clock) === space.holdsAt('clock', other.clock);
}
