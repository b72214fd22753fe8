import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#postgres';
import {
  inSpan,
  log as logOf,
  type Log,
  tracer as tracerOf,
  type Tracer,
  withTraceparent,
} from '#telemetry';
import type { Clock } from '#time';
import type { Due } from './due.ts';
import { type Hold, HoldLost, type Instants, instants, LeasedHold } from './hold.ts';
import {
  askForLanes,
  claimLanes,
  finishDue,
  forgetDone,
  hasten,
  keepLanes,
  type Lane,
  nextDue,
  type NextWake,
  postponeDue,
  releaseLanes,
  retryDue,
  type TakenDue,
} from './lanes.ts';

/**
 * How it went: done; to be tried again at a platform time (epoch ms) or after a real time, before all
 * that is behind it; or going on at a platform time, behind what of its key is earlier.
 */
export type DueOutcome =
  'done' | { readonly retryAt: number } | { readonly retryInMs: number } | { readonly goOnAt: number };

/**
 * Does one thing. It may be called again for the same id, also when it succeeded (killed before
 * that was written down): the other side must know the id, or the outcome must not matter. A process
 * that slept may wake in the midst of it: `hold`. It bounds its own time. A throw is tried again with growing pauses (1 s up to 5 min, real time), the
 * error kept.
 */
export type DueHandler = (due: Due, attempt: number, hold: Hold) => Promise<DueOutcome>;

export interface WorkOptions {
  /** Every kind that the schema may hold. */
  readonly kinds: Readonly<Record<string, DueHandler>>;
  /**
   * Those that may come before their time, since they look whether there is anything to do. A pause of theirs is over when
   * the clock is set back: how long it was to be is not known by a clock that was wrong.
   */
  readonly early?: readonly string[];
  /** Keys worked on at the same time, default 8. */
  readonly concurrency?: number;
  /** Real time after which a dead worker's keys go to another; default 10,000. */
  readonly leaseMs?: number;
  /** How soon others' additions are looked for after work, and at the longest; default 5 and 250. */
  readonly pollMs?: readonly [shortest: number, longest: number];
  /** For spans and the log; default: the schema's name. */
  readonly service?: string;
  readonly log?: Log;
}

export interface DueWorker {
  /** Takes nothing more, waits for what is being done, and gives its keys back. */
  stop(): Promise<void>;
  /** Something was added, and is committed. */
  wake(): void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** By so much a clock may go slower than time, between two looks at it. */
const SET_BACK_MS = 1_000;
const KEEP_DONE_DAYS = 30;
const FORGET_EVERY_MS = 3_600_000;

/** Works on what falls due in a schema (`dueMigrations`), beside any number of replicas: keys that never rest are shared evenly. */
export function workDue(db: Database, clock: Clock, options: WorkOptions): DueWorker {
  return new Worker(db, clock, options);
}

interface HeldLane extends Lane {
  readonly hold: LeasedHold;
}

class Worker implements DueWorker {
  private readonly owner = randomUUID();
  private readonly concurrency: number;
  private readonly leaseMs: number;
  private readonly shortestPollMs: number;
  private readonly longestPollMs: number;
  private readonly log: Log;
  private readonly tracer: Tracer;
  private readonly stopping = new AbortController();
  private readonly leaving = new AbortController();
  private readonly running = new Map<HeldLane, Promise<void>>();
  private readonly claiming: Promise<void>;
  private readonly keeping: Promise<void>;
  /** Counts what may have made work: a claim that started before it is repeated. */
  private news = 0;
  private setBacks = 0;
  private woken = () => {};

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly options: WorkOptions,
  ) {
    const service = options.service ?? db.schema;
    this.concurrency = options.concurrency ?? 8;
    this.leaseMs = options.leaseMs ?? 10_000;
    [this.shortestPollMs, this.longestPollMs] = options.pollMs ?? [5, 250];
    this.log = options.log ?? logOf(service);
    this.tracer = tracerOf(service);
    this.claiming = this.keepClaiming();
    this.keeping = this.keepLeases();
  }

  wake(): void {
    this.news += 1;
    this.woken();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.woken();
    await this.claiming;
    await Promise.all(this.running.values());
    this.leaving.abort();
    await this.keeping;
    await releaseLanes(this.db, this.owner).catch((error: unknown) =>
      this.log.warn('keys are left to run out', { error }),
    );
  }

  private async keepClaiming(): Promise<void> {
    const { signal } = this.stopping;
    let seen = this.seenNow();
    for (let idle = 0; !signal.aborted;) {
      const { news } = this;
      const askedAt = instants();
      try {
        const seenNow = this.seenNow();
        if (this.isSetBack(seen, seenNow)) {
          this.setBacks += 1;
          this.log.warn('the clock was set back: what waited by it is looked at now', { keys: await this.hasten() });
        }
        seen = seenNow;
        const most = this.concurrency - this.running.size;
        const nowMs = this.clock.now();
        const { leaseMs } = this;
        const { lanes, next } = most > 0
          ? await claimLanes(this.db, this.owner, nowMs, { leaseMs, most })
          : { lanes: [], next: {} };
        for (const lane of lanes) this.start(lane, askedAt);
        if (lanes.length > 0 || news !== this.news) {
          idle = 0;
          continue;
        }
        await this.pause(most > 0 ? this.msToWait(idle, next, nowMs) : this.longestPollMs);
      } catch (error) {
        this.log.warn('what is due waits', { error });
        await this.pause(this.longestPollMs);
      }
      idle += 1;
    }
  }

  private seenNow(): { platformMs: number; monotonicMs: number } {
    return { platformMs: this.clock.realMs(this.clock.now()), monotonicMs: performance.now() };
  }

  private isSetBack(before: ReturnType<Worker['seenNow']>, now: ReturnType<Worker['seenNow']>): boolean {
    return now.platformMs - before.platformMs < now.monotonicMs - before.monotonicMs - SET_BACK_MS;
  }

  /** Until what is known to fall due next; not long, since others may add without telling us. */
  private msToWait(idle: number, { at = Infinity, inMs = Infinity }: NextWake, nowMs: number): number {
    const poll = Math.min(this.shortestPollMs * 2 ** idle, this.longestPollMs);
    return Math.max(1, Math.min(poll, Math.ceil(this.clock.realMs(at - nowMs)), Math.ceil(inMs)));
  }

  private async pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.woken = () => woken.abort();
    await sleep(ms, undefined, {
      signal: AbortSignal.any([woken.signal, this.stopping.signal]),
    }).catch(() => {});
  }

  private start(claimed: Lane, askedAt: Instants): void {
    const lane = { ...claimed, hold: new LeasedHold(this.leaseMs, askedAt) };
    const done = this.workOn(lane)
      .catch((error: unknown) => this.log.warn('a key is let go', { key: lane.key, error }))
      .finally(() => {
        this.running.delete(lane);
        this.wake();
      });
    this.running.set(lane, done);
  }

  /** The key's rows one after the other, as long as they are due. One that may be another's is left to run out. */
  private async workOn(lane: HeldLane): Promise<void> {
    while (!this.stopping.signal.aborted && lane.hold.isHeld()) {
      const due = await nextDue(this.db, this.owner, lane, this.clock.now());
      if (!due) return;
      const { setBacks } = this;
      const isMine = await this.note(lane, due, await this.handle(due, lane.hold));
      // It may have been put off by the clock as it was before.
      if (setBacks !== this.setBacks) await this.hasten();
      if (!isMine) return;
    }
  }

  /** False where the key is another's now. */
  private async note(lane: HeldLane, due: TakenDue, { outcome, error }: { outcome: DueOutcome; error?: string }): Promise<boolean> {
    if (outcome === 'done') return finishDue(this.db, this.owner, lane, due);
    if ('goOnAt' in outcome) return postponeDue(this.db, this.owner, lane, due, outcome.goOnAt);
    const when = 'retryAt' in outcome ? { at: outcome.retryAt } : { inMs: outcome.retryInMs };
    await retryDue(this.db, this.owner, lane, due, error === undefined ? when : { ...when, error });
    return true;
  }

  private async hasten(): Promise<number> {
    return (await hasten(this.db, this.options.early ?? [], this.clock.now(), this.leaseMs)).length;
  }

  private async handle(
    { trace, attempts, roused: _, ...due }: TakenDue,
    hold: Hold,
  ): Promise<{ outcome: DueOutcome; error?: string }> {
    const handler = Object.hasOwn(this.options.kinds, due.kind)
      ? this.options.kinds[due.kind]
      : undefined;
    try {
      if (!handler) throw new Error(`nobody here does ${due.kind}`);
      const attributes = { id: due.id, key: due.key, attempt: attempts };
      return {
        outcome: await withTraceparent(trace, () =>
          inSpan(this.tracer, `due ${due.kind}`, attributes, () => handler(due, attempts, hold)),
        ),
      };
    } catch (error) {
      if (error instanceof HoldLost) throw error;
      this.log.warn('what was due failed', {
        id: due.id,
        key: due.key,
        kind: due.kind,
        attempt: attempts,
        error,
      });
      const retryInMs = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS);
      return {
        outcome: { retryInMs },
        error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      };
    }
  }

  private async keepLeases(): Promise<void> {
    const { signal } = this.leaving;
    let forgottenAt = performance.now();
    while (!signal.aborted) {
      await sleep(this.leaseMs / 3, undefined, { signal }).catch(() => {});
      try {
        if (this.running.size > 0) {
          const askedAt = instants();
          const kept = await keepLanes(this.db, this.owner, [...this.running.keys()], this.leaseMs);
          for (const { hold } of kept) hold.renew(askedAt);
        }
        const spare = this.concurrency - this.running.size;
        if (spare > 0 && !this.stopping.signal.aborted) await askForLanes(this.db, this.owner, spare);
        if (performance.now() - forgottenAt < FORGET_EVERY_MS) continue;
        forgottenAt = performance.now();
        await forgetDone(this.db, KEEP_DONE_DAYS);
      } catch (error) {
        this.log.warn('keys could not be kept', { error });
      }
    }
  }
}
