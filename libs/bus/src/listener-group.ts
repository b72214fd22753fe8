import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseFailure, type Database } from '#postgres';
import type { Log, Tracer } from '#telemetry';
import { Refused, Unanswered } from './failures.ts';
import { hearInOrder, type Hearing, MalformedFact } from './hearing.ts';
import { type LazyTx, lazyTx } from './lazy-tx.ts';
import { movePosition, type OwnedGroup, positionOf, type Replica } from './listening-rows.ts';
import { firstParked, park, parkedIn, removeParked, stayParked } from './parked.ts';
import type { ToldRow } from './tell-source.ts';

export interface GroupOptions {
  readonly db: Database;
  readonly replica: Replica;
  readonly hearings: ReadonlyMap<string, Hearing>;
  readonly log: Log;
  readonly tracer: Tracer;
  /** Facts in one transaction, at most. */
  readonly batch: number;
  /** How often a fact is tried before its key is parked, and the pause after the first time. */
  readonly tries: number;
  readonly pauseMs: number;
  /** How long somebody who does not answer, or a lost database, is waited for. */
  readonly patienceMs: number;
}

/** The group is somebody else's now. */
export class NotMine extends Error {
  override readonly name = 'NotMine';
}

const LONGEST_PAUSE_MS = 5_000;

/**
 * The owner's work on one group of slots: facts in order, each batch in one transaction with the
 * group's position. The position moves only for its owner and from where this owner left it, so a
 * process that slept through its lease finds its work undone, not repeated.
 */
export class ListenerGroup {
  /** Facts up to here were offered. */
  readTo: bigint;
  private position: bigint;
  private queue: ToldRow[] = [];
  private parked = new Set<string>();
  private replays: string[] = [];
  private tended = false;
  private ended = false;
  private wake = () => {};
  private hasRoom = () => {};

  constructor(readonly owned: OwnedGroup, private readonly options: GroupOptions) {
    this.readTo = owned.position;
    this.position = owned.position;
  }

  /** Takes a fact unless it was taken before; the reader waits when too many wait here. */
  offer(row: ToldRow): void {
    if (row.position > this.readTo && this.options.hearings.has(row.kind)) this.queue.push(row);
  }

  /** Everything up to the position was offered. */
  async offered(position: bigint): Promise<void> {
    if (position > this.readTo) this.readTo = position;
    this.wake();
    if (this.ended) return;
    if (this.queue.length > 4 * this.options.batch) await new Promise<void>((resolve) => { this.hasRoom = resolve; });
  }

  /** Now and then: has keys replayed, and the position moved past what concerns nobody here. */
  tend(replays: readonly string[]): void {
    this.replays = [...replays];
    this.tended = true;
    this.wake();
  }

  /** Until the signal aborts; rejects with `NotMine`. */
  async work(signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.wake();
      this.hasRoom();
    };
    signal.addEventListener('abort', stop);
    try {
      await this.trying(async () => {
        this.parked = await parkedIn(this.options.db, this.options.replica, this.owned);
      }, signal);
      while (!signal.aborted) {
        const replay = this.replays.shift();
        if (replay !== undefined) await this.replay(replay, signal);
        else if (this.queue.length > 0) await this.next(signal);
        else if (this.tended) await this.catchUp();
        else await new Promise<void>((resolve) => { this.wake = resolve; });
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.ended = true;
      this.hasRoom();
    }
  }

  /** Moves an idle group's position to where was read. */
  private async catchUp(): Promise<void> {
    this.tended = false;
    const to = this.readTo;
    if (to <= this.position) return;
    if (!await movePosition(this.options.db, this.options.replica, this.owned, { from: this.position, to })) throw new NotMine();
    this.position = to;
  }

  private async next(signal: AbortSignal): Promise<void> {
    const rows = this.queue.slice(0, this.options.batch);
    try {
      await this.commit(rows);
    } catch (error) {
      if (error instanceof NotMine) throw error;
      if (rows.length > 1) this.options.log.debug('a batch failed; its facts follow one by one', { error });
      await this.lookAgain();
      for (const row of rows) {
        if (signal.aborted) return;
        await this.one(row, signal);
      }
    }
    this.forgetDone();
  }

  /** One fact, with patience; parks its key when it does not succeed. */
  private async one(row: ToldRow, signal: AbortSignal): Promise<void> {
    const { log, replica, tries } = this.options;
    try {
      await this.trying(async () => {
        if (this.position < row.position) await this.commit([row]);
      }, signal);
    } catch (error) {
      if (error instanceof NotMine || signal.aborted) throw error;
      const reason = reasonOf(error);
      log.error('a key is parked', { listener: replica.listener, source: replica.source, key: row.key, kind: row.kind, tries, error });
      this.parked.add(row.key);
      await this.trying(async () => {
        if (this.position < row.position) await this.commit([row], reason);
      }, signal, Infinity);
    }
  }

  /** Handlers, parked facts and the position: all or nothing. */
  private async commit(rows: readonly ToldRow[], reason = 'follows a parked fact of its key'): Promise<void> {
    const { db, replica, hearings, tracer } = this.options;
    const to = (rows.at(-1) as ToldRow).position;
    const parked = rows.filter((row) => this.parked.has(row.key));
    await this.inTx(async (tx, afterCommit) => {
      const heard = parked.length === 0 ? rows : rows.filter((row) => !this.parked.has(row.key));
      await hearInOrder(hearings, heard, { tx, afterCommit, tracer });
      await park(tx, replica, parked, reason);
      if (!await movePosition(tx.begun ? tx : db, replica, this.owned, { from: this.position, to })) throw new NotMine();
    });
    this.position = to;
  }

  private async inTx(fn: (tx: LazyTx, afterCommit: (fn: () => void) => void) => Promise<void>): Promise<void> {
    const tx = lazyTx(this.options.db);
    const after: (() => void)[] = [];
    try {
      await fn(tx, (wake) => void after.push(wake));
    } catch (error) {
      await tx.rollback();
      throw error;
    }
    await tx.commit();
    for (const wake of after) wake();
  }

  /**
   * `fn` until it succeeds. A failure that is the fact's own counts as a try; for what passes (nobody
   * answers, no database) there is patience. After a failure the position is read again, since a
   * commit may have gone through. Rejects with the last error, or `NotMine`.
   */
  private async trying(fn: () => Promise<void>, signal: AbortSignal, tries = this.options.tries): Promise<void> {
    const giveUpAt = performance.now() + this.options.patienceMs;
    for (let failed = 0, pauses = 0; ; pauses += 1) {
      try {
        return await fn();
      } catch (error) {
        if (error instanceof NotMine || error instanceof MalformedFact) throw error;
        if (passes(error)) {
          if (tries !== Infinity && performance.now() > giveUpAt) throw error;
          this.options.log.warn('hearing waits', { error });
        } else if ((failed += 1) >= tries) {
          throw error;
        }
        await sleep(Math.min(this.options.pauseMs * 2 ** pauses, LONGEST_PAUSE_MS), undefined, { signal }).catch(() => {});
        if (signal.aborted) throw error;
        await this.lookAgain();
      }
    }
  }

  private async lookAgain(): Promise<void> {
    let position: bigint | undefined;
    try {
      position = await positionOf(this.options.db, this.options.replica, this.owned);
    } catch {
      return;
    }
    if (position === undefined) throw new NotMine();
    this.position = position;
  }

  private async replay(key: string, signal: AbortSignal): Promise<void> {
    const { db, replica, hearings, tracer, log } = this.options;
    const first = () => firstParked(db, replica, key);
    for (let row = await first(); row && !signal.aborted; row = await first()) {
      const { position, kind } = row;
      const again = row;
      try {
        if (!hearings.has(kind)) throw new MalformedFact(`nobody here hears ${kind} any more`);
        await this.trying(async () => {
          if ((await first())?.position !== position) return;
          await this.inTx(async (tx, afterCommit) => {
            await hearInOrder(hearings, [again], { tx, afterCommit, tracer });
            await removeParked(tx, replica, position);
            if (!await movePosition(tx, replica, this.owned, { from: this.position, to: this.position })) throw new NotMine();
          });
        }, signal);
      } catch (error) {
        if (error instanceof NotMine || signal.aborted) throw error;
        log.error('a key stays parked', { listener: replica.listener, source: replica.source, key, error });
        await stayParked(db, replica, again, reasonOf(error));
        return;
      }
    }
    if (!signal.aborted) this.parked.delete(key);
  }

  private forgetDone(): void {
    const done = this.queue.findIndex((row) => row.position > this.position);
    this.queue.splice(0, done === -1 ? this.queue.length : done);
    if (this.queue.length <= 2 * this.options.batch) this.hasRoom();
  }
}

/** Somebody else's trouble, not the fact's: it is waited for. */
function passes(error: unknown): boolean {
  if (error instanceof Unanswered) return true;
  if (error instanceof Refused) return error.code === 'unanswered' || error.code === 'overloaded';
  return error instanceof DatabaseFailure
    && ['connection-lost', 'no-connection', 'outcome-unknown', 'statement-timeout', 'lock-timeout'].includes(error.failure);
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 2_000);
}
