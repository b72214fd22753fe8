import type { Following } from './follow.ts';

/** Entries that are being stored, or are stored and not in the rows yet. */
const PLACES = 1_000;
/** Rows that do not come on hold nobody up for longer. */
const HELD_MS = 1_000;

interface Held {
  readonly position: bigint;
  readonly untilMs: number;
}

/**
 * Keeps writers from running away from the rows that follow the log: who appends takes one of so many
 * places, and gives it back when the rows hold what was appended. Whoever finds none waits for one.
 */
export class Pace {
  private free = PLACES;
  private held: Held[] = [];
  private readonly waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly followings: readonly Pick<Following, 'reached' | 'onMove'>[];

  constructor(followings: readonly Pick<Following, 'reached' | 'onMove'>[]) {
    this.followings = followings;
    for (const following of followings) following.onMove(() => this.release());
  }

  async enter(): Promise<void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** `position`: of what was appended, if anything was. */
  leave(position: bigint | undefined): void {
    if (position === undefined) return this.giveBack();
    this.held.push({ position, untilMs: performance.now() + HELD_MS });
    this.timer ??= setTimeout(() => this.expire(), HELD_MS).unref();
  }

  private release(): void {
    const reached = this.followings.reduce((least, one) => (one.reached < least ? one.reached : least), this.followings[0]!.reached);
    this.keep(({ position }) => position > reached);
  }

  private expire(): void {
    this.timer = undefined;
    const nowMs = performance.now();
    this.keep(({ untilMs }) => untilMs > nowMs);
    const next = this.held[0];
    if (next) this.timer = setTimeout(() => this.expire(), next.untilMs - nowMs).unref();
  }

  private keep(isHeld: (held: Held) => boolean): void {
    const before = this.held.length;
    this.held = this.held.filter(isHeld);
    for (let n = this.held.length; n < before; n += 1) this.giveBack();
  }

  private giveBack(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}
