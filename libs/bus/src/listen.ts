import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#postgres';
import type { Bus } from './bus.ts';
import type { Context } from './contract.ts';
import type { Hearing } from './hearing.ts';
import { ListenerGroup } from './listener-group.ts';
import {
  type AskedReplay,
  claimGroups,
  ensureGroups,
  keepLeases,
  leave,
  releaseGroup,
  type Replica,
} from './listening-rows.ts';
import { replayAll } from './parked.ts';
import { readTold } from './reader.ts';
import { kindOf, slotOf } from './subjects.ts';

export interface ListenOptions {
  /** Who listens: its replicas share the work, and each fact is handled once among them. */
  readonly listener: string;
  /** What is heard of one context. */
  readonly hearings: readonly Hearing[];
  /**
   * Into how many parts the work can be shared; only the first start of a listener counts. Default
   * 4.
   */
  readonly slotGroups?: number;
  /** How long a replica that is gone keeps its part, in real time; default 6,000. */
  readonly leaseMs?: number;
  /** Facts in one transaction, at most; default 200. */
  readonly batch?: number;
  /**
   * In a rush (fifty facts and more in one transaction, all heard by `hearsMany`), for how long facts
   * gather for the next, in real time: for whom of many facts of a key the last alone counts. Default 0.
   */
  readonly gatherMs?: number;
  /** How often a failing fact is tried, default 5, and the first pause between, default 100. */
  readonly tries?: number;
  readonly pauseMs?: number;
  /**
   * How long an unanswered ask or a lost database is waited for before a key is parked; default
   * 600,000.
   */
  readonly patienceMs?: number;
}

export interface Listening {
  /** Finishes what is under way, and gives the work to the other replicas at once. */
  close(): Promise<void>;
}

/**
 * Hears one context's facts: per key in order, with the rows that a handler writes exactly once.
 * Needs `busMigrations` in the database's schema.
 */
export async function listen(bus: Bus, db: Database, options: ListenOptions): Promise<Listening> {
  const listening = new OneListener(bus, db, options);
  await listening.start();
  return listening;
}

interface Working {
  readonly group: ListenerGroup;
  readonly stopping: AbortController;
  readonly done: Promise<void>;
}

class OneListener implements Listening {
  private readonly context: Context;
  private readonly replica: Replica;
  private readonly hearings: ReadonlyMap<string, Hearing>;
  private readonly leaseMs: number;
  private readonly closing = new AbortController();
  private readonly working = new Map<string, Working>();
  /** Aborted when reading has to start again, for a group that was not read for. */
  private rereading = new AbortController();
  private gained = () => {};
  private loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly bus: Bus,
    private readonly db: Database,
    private readonly options: ListenOptions,
  ) {
    const contexts = new Set(options.hearings.map((hearing) => hearing.contract.context));
    const [context] = contexts;
    if (context === undefined || contexts.size > 1) {
      throw new TypeError('a listener hears something of exactly one context');
    }
    this.context = context;
    this.hearings = new Map(options.hearings.map((hearing) => [kindOf(hearing.contract), hearing]));
    if (this.hearings.size < options.hearings.length) {
      throw new TypeError(`${options.listener} hears one kind of fact twice`);
    }
    this.replica = { listener: options.listener, source: context, replica: randomUUID() };
    this.leaseMs = options.leaseMs ?? 6_000;
  }

  async start(): Promise<void> {
    await ensureGroups(this.db, this.replica, this.options.slotGroups ?? 4);
    await replayAll(this.db, this.replica);
    await this.share();
    this.loops = Promise.all([this.keepSharing(), this.keepReading()]);
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.gained();
    await this.stopAll();
    await this.loops;
    // A group may have been claimed while the others stopped.
    await this.stopAll();
    await leave(this.db, this.replica).catch((error: unknown) =>
      this.warn('leases are left to run out', error),
    );
  }

  private async stopAll(): Promise<void> {
    const all = [...this.working.values()];
    for (const { stopping } of all) stopping.abort();
    await Promise.all(all.map(({ done }) => done));
  }

  private async keepSharing(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await sleep(this.leaseMs / 3, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        const replays = await this.share();
        for (const { group } of this.working.values()) {
          group.tend(
            replays
              .filter(({ slot }) => group.owned.from <= slot && slot < group.owned.to)
              .map(({ key }) => key),
          );
        }
      } catch (error) {
        this.warn('sharing the work waits', error);
      }
    }
  }

  /**
   * Keeps what is ours, gives away what is more than our share, and takes what nobody has. Answers the keys to replay.
   */
  private async share(): Promise<readonly AskedReplay[]> {
    const { mine, share, replays } = await keepLeases(this.db, this.replica, this.leaseMs, [
      ...this.working.keys(),
    ]);
    const surplus = [...this.working.values()].slice(0, Math.max(0, this.working.size - share));
    for (const working of surplus) await this.giveAway(working);
    if (mine >= share || this.closing.signal.aborted) return replays;
    const claimed = await claimGroups(this.db, this.replica, this.leaseMs, share - mine);
    for (const owned of claimed) {
      const { bus, db, replica, hearings, options } = this;
      const group = new ListenerGroup(owned, {
        db,
        replica,
        hearings,
        log: bus.log,
        tracer: bus.tracer,
        batch: options.batch ?? 200,
        gatherMs: options.gatherMs ?? 0,
        tries: options.tries ?? 5,
        pauseMs: options.pauseMs ?? 100,
        patienceMs: options.patienceMs ?? 600_000,
      });
      const stopping = new AbortController();
      this.working.set(owned.slots, { group, stopping, done: this.work(group, stopping.signal) });
    }
    if (claimed.length > 0) {
      this.rereading.abort();
      this.gained();
    }
    return replays;
  }

  private async giveAway({ group, stopping, done }: Working): Promise<void> {
    stopping.abort();
    await done;
    await releaseGroup(this.db, this.replica, group.owned);
  }

  /** Never rejects: a group that is lost, or that broke, is given back and may be claimed anew. */
  private async work(group: ListenerGroup, stopping: AbortSignal): Promise<void> {
    const { slots } = group.owned;
    const failure = await group.work(stopping).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (this.working.get(slots)?.group === group) this.working.delete(slots);
    if (!failure || stopping.aborted) return;
    this.warn('a group of slots is let go', failure.error);
    await releaseGroup(this.db, this.replica, group.owned).catch(() => {});
  }

  private async keepReading(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      if (this.working.size === 0) {
        await new Promise<void>((resolve) => {
          this.gained = resolve;
        });
        continue;
      }
      this.rereading = new AbortController();
      const groups = [...this.working.values()].map(({ group }) => group);
      const after = groups
        .map((group) => group.readTo)
        .reduce((one, other) => (other < one ? other : one));
      const slots = groups.flatMap(({ owned }) =>
        Array.from({ length: owned.to - owned.from }, (_, index) => owned.from + index),
      );
      const reading = AbortSignal.any([signal, this.rereading.signal]);
      for await (const { facts, position } of readTold(
        { bus: this.bus, context: this.context, after, slots },
        reading,
      )) {
        // Not to a group claimed since: what it needs may lie before, so it is read for anew.
        const live = groups.filter((group) => this.working.get(group.owned.slots)?.group === group);
        for (const fact of facts) {
          const slot = slotOf(fact.key);
          live.find(({ owned }) => owned.from <= slot && slot < owned.to)?.offer(fact);
        }
        await Promise.all(live.map((group) => group.offered(position)));
      }
    }
  }

  private warn(message: string, error: unknown): void {
    this.bus.log.warn(message, { listener: this.options.listener, source: this.context, error });
  }
}
