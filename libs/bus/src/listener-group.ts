import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#postgres';
import type { Tracer } from '#telemetry';
import { type HeardTogether, hearInOrder, type Hearing, MalformedFact } from './hearing.ts';
import { type LazyTx, lazyTx } from './lazy-tx.ts';
import { movePosition, type OwnedGroup, positionOf, type Replica } from './listening-rows.ts';
import { firstParked, park, parkedIn, removeParked, stayParked } from './parked.ts';
import { isLostDatabase, NotMine, type Patience, withPatience } from './patience.ts';
import type { ToldRow } from './tell-source.ts';

export interface GroupOptions extends Patience {
  readonly db: Database;
  readonly replica: Replica;
  readonly hearings: ReadonlyMap<string, Hearing>;
  readonly tracer: Tracer;
  /** Facts in one transaction, at most. */
  readonly batch: number;
  /** In a rush, for how long facts gather for the next transaction; real time. */
  readonly gatherMs: number;
}

/** So many facts in one transaction are a rush: most likely as many come again. */
const RUSH = 50;

/**
 * The owner's work on one group of slots: facts in order, each batch in one transaction with the
 * group's position. The position moves only for its owner and from where this owner left it, so a
 * process that slept through its lease finds its work undone, not repeated.
 */
export class ListenerGroup {
  /** Facts up to here were offered. */
  readTo: bigint;
  private position: bigint;
  private readonly queue: ToldRow[] = [];
  private parked = new Set<string>();
  private replays: string[] = [];
  private tended = false;
  private ended = false;
  private wake = () => {};
  private hasRoom = () => {};

  constructor(
    readonly owned: OwnedGroup,
    private readonly options: GroupOptions,
  ) {
    this.readTo = owned.position;
    this.position = owned.position;
  }

  /** Takes a fact unless it was taken before, or concerns nobody here. */
  offer(row: ToldRow): void {
    if (row.position > this.readTo && this.options.hearings.has(row.kind)) this.queue.push(row);
  }

  /** Everything up to the position was offered; resolves when there is room for more. */
  async offered(position: bigint): Promise<void> {
    if (position > this.readTo) this.readTo = position;
    this.wake();
    if (this.ended || this.queue.length <= 4 * this.options.batch) return;
    await new Promise<void>((resolve) => {
      this.hasRoom = resolve;
    });
  }

  /**
   * Now and then: has keys replayed, and the position moved past what concerns nobody here.
   */
  tend(replays: readonly string[]): void {
    this.replays = [...replays];
    this.tended = true;
    this.wake();
  }

  /** Until the signal aborts; rejects with `NotMine`. */
  async work(signal: AbortSignal): Promise<void> {
    const { db, replica } = this.options;
    const stop = () => {
      this.wake();
      this.hasRoom();
    };
    signal.addEventListener('abort', stop);
    try {
      await this.patiently(signal, async () => {
        this.parked = await parkedIn(db, replica, this.owned);
      });
      while (!signal.aborted) {
        const replay = this.replays.shift();
        if (replay !== undefined) await this.replay(replay, signal);
        else if (this.queue.length > 0) await this.next(signal);
        else if (this.tended) await this.catchUp();
        else await this.news();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.ended = true;
      this.hasRoom();
    }
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  /** Moves an idle group's position to where was read. */
  private async catchUp(): Promise<void> {
    this.tended = false;
    const to = this.readTo;
    if (to <= this.position) return;
    const moved = await movePosition(this.options.db, this.options.replica, this.owned, {
      from: this.position,
      to,
    });
    if (!moved) throw new NotMine();
    this.position = to;
  }

  /**
   * A batch; when it fails, its facts one by one. Where the database was lost no fact is at fault: one by one they would
   * only be many transactions for one.
   */
  private async next(signal: AbortSignal): Promise<void> {
    const { batch, replica, log } = this.options;
    const rows = this.queue.slice(0, batch);
    const commit = async () => {
      const left = rows.filter(({ position }) => position > this.position);
      if (left.length > 0) await this.commit(left);
    };
    try {
      await withPatience({ ...this.options, tries: 1 }, signal, commit, () => this.lookAgain(), isLostDatabase);
    } catch (error) {
      if (error instanceof NotMine) throw error;
      const { listener, source } = replica;
      if (rows.length > 1 && !signal.aborted) log.warn('facts are heard one by one', { listener, source, facts: rows.length, error });
      await this.lookAgain();
      for (const row of rows) {
        if (signal.aborted) return;
        await this.one(row, signal);
      }
    }
    this.forgetDone();
    if (this.isRush(rows)) await sleep(this.options.gatherMs, undefined, { signal }).catch(() => {});
  }

  /** Whether others of them are worth waiting for. */
  private isRush(rows: readonly ToldRow[]): boolean {
    const { batch, gatherMs, hearings } = this.options;
    if (gatherMs === 0 || rows.length < RUSH || this.queue.length >= batch) return false;
    return rows.every(({ kind }) => 'many' in hearings.get(kind)!);
  }

  /** One fact, with patience; parks its key when it does not succeed. */
  private async one(row: ToldRow, signal: AbortSignal): Promise<void> {
    const { replica, log } = this.options;
    const commit = async (reason?: string) => {
      if (this.position < row.position) await this.commit([row], reason);
    };
    try {
      await this.patiently(signal, commit);
    } catch (error) {
      if (error instanceof NotMine || signal.aborted) throw error;
      const { listener, source } = replica;
      log.error('a key is parked', { listener, source, key: row.key, kind: row.kind, error });
      this.parked.add(row.key);
      const forever = { tries: Infinity, patienceMs: Infinity };
      await this.patiently(signal, () => commit(reasonOf(error)), forever);
    }
  }

  /** Handlers, parked facts and the position: all or nothing. */
  private async commit(rows: readonly ToldRow[], reason = FOLLOWS): Promise<void> {
    const { db, replica, hearings, tracer } = this.options;
    const to = (rows.at(-1) as ToldRow).position;
    const parked = rows.filter((row) => this.parked.has(row.key));
    const heard = parked.length === 0 ? rows : rows.filter((row) => !this.parked.has(row.key));
    const hear = (together: HeardTogether) => hearInOrder(hearings, heard, { ...together, tracer });
    await this.inTx(hear, async (tx) => {
      await park(tx, replica, parked, reason);
      const range = { from: this.position, to };
      const moved = await movePosition(tx.begun ? tx : db, replica, this.owned, range);
      if (!moved) throw new NotMine();
    });
    this.position = to;
  }

  private async inTx(
    hear: (together: HeardTogether) => Promise<void>,
    end: (tx: LazyTx) => Promise<void>,
  ): Promise<void> {
    const tx = lazyTx(this.options.db);
    const before: (() => Promise<void>)[] = [];
    const after: (() => void)[] = [];
    try {
      await hear({
        tx,
        beforeCommit: (last) => void before.push(last),
        afterCommit: (wake) => void after.push(wake),
      });
      for (const last of before) await last();
      await end(tx);
    } catch (error) {
      await tx.rollback();
      throw error;
    }
    await tx.commit();
    for (const wake of after) wake();
  }

  private patiently(
    signal: AbortSignal,
    fn: () => Promise<void>,
    patience: Partial<Patience> = {},
  ): Promise<void> {
    return withPatience({ ...this.options, ...patience }, signal, fn, () => this.lookAgain());
  }

  /** A commit whose answer was lost may have moved the position. */
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
    const { db, replica, hearings, log } = this.options;
    const first = () => firstParked(db, replica, key);
    for (let row = await first(); row && !signal.aborted; row = await first()) {
      const again = row;
      try {
        if (!hearings.has(again.kind)) {
          throw new MalformedFact(`nobody here hears ${again.kind} any more`);
        }
        await this.patiently(signal, async () => {
          if ((await first())?.position === again.position) await this.commitParked(again);
        });
      } catch (error) {
        if (error instanceof NotMine || signal.aborted) throw error;
        const { listener, source } = replica;
        log.error('a key stays parked', { listener, source, key, error });
        await stayParked(db, replica, again, reasonOf(error));
        return;
      }
    }
    if (!signal.aborted) this.parked.delete(key);
  }

  private async commitParked(row: ToldRow): Promise<void> {
    const { replica, hearings, tracer } = this.options;
    const hear = (together: HeardTogether) => hearInOrder(hearings, [row], { ...together, tracer });
    await this.inTx(hear, async (tx) => {
      await removeParked(tx, replica, row.position);
      const here = { from: this.position, to: this.position };
      if (!(await movePosition(tx, replica, this.owned, here))) throw new NotMine();
    });
  }

  private forgetDone(): void {
    const left = this.queue.findIndex((row) => row.position > this.position);
    this.queue.splice(0, left === -1 ? this.queue.length : left);
    if (this.queue.length <= 2 * this.options.batch) this.hasRoom();
  }
}

const FOLLOWS = 'follows a parked fact of its key';

function reasonOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(
    0,
    2_000,
  );
}
