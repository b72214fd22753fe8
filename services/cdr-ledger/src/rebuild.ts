import { type EventStore, NO_POSITION, type StoredEvent } from '#event-store';
import type { Database, Tx } from '#postgres';
import type { Follower } from './follow.ts';
import { lockPosition, movePosition } from './positions.ts';

/** Another process began to rebuild the same rows, or ended it: that one's counts. */
export class RebuildTakenOver extends Error {
  override readonly name = 'RebuildTakenOver';
}

const BATCH = 1_000;

/**
 * Makes a follower's rows anew from the first event on, in tables of the same names in the schema
 * `<schema>_rebuild`, which then take the places of the old ones in one transaction. Until then
 * readers and the follower itself work on the old ones as ever.
 */
export async function rebuildBeside(
  db: Database,
  store: EventStore,
  follower: Follower & { readonly tables: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const beside = new Beside(db, follower);
  await beside.begin();
  let from = NO_POSITION;
  for (;;) {
    signal.throwIfAborted();
    const events = await store.readAll(from, BATCH);
    if (events.length === BATCH) await beside.apply(from, events);
    // The rest is little: the rows change places while the follower waits.
    else if (await beside.changePlaces(from, events)) return;
    from = events.at(-1)?.position ?? from;
  }
}

class Beside {
  private readonly name: string;

  constructor(
    private readonly db: Database,
    private readonly follower: Follower & { readonly tables: readonly string[] },
  ) {
    this.name = `${follower.name} rebuilding`;
  }

  async begin(): Promise<void> {
    await this.db.tx(async (tx) => {
      await lockPosition(tx, this.name);
      await tx.query('SELECT begin_rebuild($1::text[])', [this.follower.tables]);
      await movePosition(tx, this.name, NO_POSITION);
    });
  }

  async apply(from: bigint, events: readonly StoredEvent[]): Promise<void> {
    await this.db.tx((tx) => this.applyIn(tx, from, events), { durable: false, byIndex: true });
  }

  /**
   * Applies the last events and takes the old rows' place. False when the follower has come further
   * than these: then there is more to read.
   */
  async changePlaces(from: bigint, events: readonly StoredEvent[]): Promise<boolean> {
    return this.db.tx(async (tx) => {
      const live = await lockPosition(tx, this.follower.name);
      await this.applyIn(tx, from, events);
      const position = events.at(-1)?.position ?? from;
      if (live > position) return false;
      await this.inside(tx, async () => this.follower.forgetOf?.(tx));
      await tx.query('SELECT end_rebuild($1::text[])', [this.follower.tables]);
      await movePosition(tx, this.follower.name, position);
      await tx.query('DELETE FROM followed WHERE follower = $1', [this.name]);
      return true;
    });
  }

  private async applyIn(tx: Tx, from: bigint, events: readonly StoredEvent[]): Promise<void> {
    const { rows } = await tx.query<{ position: bigint }>(
      'SELECT "position" FROM followed WHERE follower = $1 FOR UPDATE',
      [this.name],
    );
    if (rows[0]?.position !== from) throw new RebuildTakenOver(this.name);
    if (events.length === 0) return;
    await this.inside(tx, () => this.follower.apply(tx, events));
    await movePosition(tx, this.name, events.at(-1)!.position);
  }

  /** The tables' names are those of the new ones. */
  private async inside(tx: Tx, work: () => Promise<void>): Promise<void> {
    const { schema } = this.db;
    await tx.query(`SET LOCAL search_path TO ${schema}_rebuild, ${schema}`);
    await work();
    await tx.query(`SET LOCAL search_path TO ${schema}`);
  }
}
