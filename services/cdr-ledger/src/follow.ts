import { setTimeout as delay } from 'node:timers/promises';
import { type EventStore, NO_POSITION, type StoredEvent } from '#event-store';
import type { Database, Tx } from '#postgres';
import type { Log } from '#telemetry';
import { lockPosition, movePosition, passPosition, readPosition } from './positions.ts';
import { rebuildBeside } from './rebuild.ts';

/**
 * Rows that are made from the log, in its order and nothing else: the same log makes the same rows.
 */
export interface Follower {
  readonly name: string;
  /** Its rows need not wait for the disk: the position that a crash undoes is undone with them. */
  apply(tx: Tx, events: readonly StoredEvent[]): Promise<void>;
  /**
   * The tables that hold nothing but its rows: they may be made anew. Who else writes to them holds the position, and writes
   * what making them anew would. Absent where what it does is done for good.
   */
  readonly tables?: readonly string[];
  /** What was forgotten while the rows were made anew may be in them: it goes before they take their place. */
  forgetOf?(tx: Tx): Promise<void>;
}

export interface Following {
  readonly name: string;
  /** Whether its rows may be made anew. */
  readonly isRebuildable: boolean;
  /**
   * Resolves when the rows hold all that the log held at the time of the call. Throws NotCaughtUp.
   */
  caughtUp(): Promise<void>;
  /** How far the rows are. */
  position(): Promise<bigint>;
  /** How far they are known to be here, without asking. */
  readonly reached: bigint;
  /** Calls back whenever `reached` may have changed. */
  onMove(moved: () => void): void;
  /**
   * Makes the rows anew from the whole log, beside those that are there until it is done: readers
   * see all that they always see, and writers go on.
   */
  rebuild(): Promise<void>;
  stop(): Promise<void>;
}

/** The rows lag behind the log by more than a reader waits. */
export class NotCaughtUp extends Error {
  override readonly name = 'NotCaughtUp';
}

const CATCH_UP_MS = 4_000;
const LOOK_AGAIN_MS = 50;
/** In a rush the rows are written in fewer steps, each of which costs a transaction. */
const RUSH = 50;
const GATHER_MS = 40;
const RETRY_MS = { shortest: 100, longest: 5_000 };

/**
 * Keeps a follower's rows up to date. Rows and position are written in one transaction that holds
 * the position's row: of several replicas one does the work, the others find it done.
 */
export function follow(db: Database, store: EventStore, follower: Follower, log: Log): Following {
  const stopping = new AbortController();
  const progress = new Progress();
  let rebuilding: Promise<void> | undefined;
  const running = run(db, store, follower, { signal: stopping.signal, progress, log });
  return {
    name: follower.name,
    isRebuildable: follower.tables !== undefined,
    async caughtUp() {
      const end = (await store.last())?.position ?? NO_POSITION;
      const deadline = performance.now() + CATCH_UP_MS;
      while ((await readPosition(db, follower.name)) < end) {
        if (performance.now() > deadline)
          throw new NotCaughtUp(`${follower.name} is behind position ${end} of the log`);
        await progress.movedWithin(LOOK_AGAIN_MS);
      }
    },
    position: () => readPosition(db, follower.name),
    get reached() { return progress.reached; },
    onMove: (moved) => progress.onMove(moved),
    async rebuild() {
      if (!follower.tables) throw new Error(`${follower.name} is never made anew`);
      rebuilding ??= rebuildBeside(db, store, { ...follower, tables: follower.tables }, stopping.signal).finally(
        () => (rebuilding = undefined),
      );
      await rebuilding;
      progress.wake();
    },
    async stop() {
      stopping.abort();
      await running;
      await rebuilding?.catch(() => {});
    },
  };
}

interface Run {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly log: Log;
}

async function run(
  db: Database,
  store: EventStore,
  follower: Follower,
  { signal, progress, log }: Run,
): Promise<void> {
  let wait = RETRY_MS.shortest;
  while (!signal.aborted) {
    try {
      let from = await readPosition(db, follower.name);
      progress.moved(from);
      await store.subscribe(
        from,
        async (events) => {
          from = await applyFrom(db, follower, from, events);
          progress.moved(from);
          wait = RETRY_MS.shortest;
          if (events.length >= RUSH && !progress.isAwaited) await delay(GATHER_MS, undefined, { signal }).catch(() => {});
        },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      log.error('a follower of the log fails and will be tried again', {
        follower: follower.name,
        error,
      });
      await delay(wait, undefined, { signal }).catch(() => {});
      wait = Math.min(wait * 2, RETRY_MS.longest);
    }
  }
}

/** A crash of the database undid the newest rows, and the position with them. */
class RowsUndone extends Error {
  override readonly name = 'RowsUndone';
}

/**
 * Applies what is new of the events. `from` is how far the rows are known to be: before the first of them, or further where
 * another replica was faster, and from there the position is never moved back.
 */
async function applyFrom(
  db: Database,
  follower: Follower,
  from: bigint,
  events: readonly StoredEvent[],
): Promise<bigint> {
  const news = events.filter(({ position }) => position > from);
  const end = news.at(-1)?.position;
  if (end === undefined) return from;
  const work = async (tx: Tx) => {
    // Nearly always: no other replica was faster.
    if (await passPosition(tx, follower.name, from, end)) {
      await follower.apply(tx, news);
      return end;
    }
    const position = await lockPosition(tx, follower.name);
    if (position < from) throw new RowsUndone(`${follower.name} was at position ${from}, and is at ${position} again`);
    if (position >= end) return position;
    await follower.apply(tx, news.filter((event) => event.position > position));
    await movePosition(tx, follower.name, end);
    return end;
  };
  return db.tx(work, { durable: false, byIndex: true });
}

/** Wakes readers of this process when its rows moved. */
class Progress {
  reached = NO_POSITION;
  private readonly wakers = new Set<() => void>();
  private readonly listeners: (() => void)[] = [];

  moved(reached: bigint): void {
    this.reached = reached;
    for (const listener of this.listeners) listener();
    this.wake();
  }

  /** Somebody reads as soon as the rows are there. */
  get isAwaited(): boolean {
    return this.wakers.size > 0;
  }

  wake(): void {
    for (const wake of [...this.wakers]) wake();
  }

  onMove(listener: () => void): void {
    this.listeners.push(listener);
  }

  /**
   * Another replica may be the one that moves the rows: then a reader looks again after a while.
   */
  movedWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wakers.add(done);
    });
  }
}
