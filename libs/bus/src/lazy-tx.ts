import type { Database, Tx } from '#postgres';

/**
 * Transactions of listeners that one database serves at once: handlers may need a connection beside
 * theirs.
 */
const MOST_AT_ONCE = 3;

/**
 * A transaction that begins at its first statement; a handler that writes no rows holds no
 * connection.
 */
export interface LazyTx extends Tx {
  /** Whether anything was asked of it. */
  readonly begun: boolean;
  /** Rejects when it did not commit. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export function lazyTx(db: Database): LazyTx {
  const end = Promise.withResolvers<void>();
  // Settled before the transaction begins, or never awaited: no rejection goes unhandled.
  end.promise.catch(() => {});
  let begun: Promise<Tx> | undefined;
  let done: Promise<void> = Promise.resolve();

  const begin = (): Promise<Tx> => {
    const tx = Promise.withResolvers<Tx>();
    done = limited(db, () =>
      db.tx(async (own) => {
        tx.resolve(own);
        await end.promise;
      }),
    );
    done.catch(tx.reject);
    return tx.promise;
  };

  return {
    get begun() {
      return begun !== undefined;
    },
    async query<Row extends object>(...statement: Parameters<Tx['query']>) {
      begun ??= begin();
      return (await begun).query<Row>(...statement);
    },
    afterCommit(fn) {
      begun ??= begin();
      begun.then((tx) => tx.afterCommit(fn), () => {});
    },
    commit() {
      end.resolve();
      return done;
    },
    async rollback() {
      end.reject(new Error('rolled back'));
      await done.catch(() => {});
    },
  };
}

interface Turns {
  running: number;
  readonly waiting: (() => void)[];
}

const turnsOf = new WeakMap<Database, Turns>();

async function limited(db: Database, fn: () => Promise<void>): Promise<void> {
  let turns = turnsOf.get(db);
  if (!turns) turnsOf.set(db, (turns = { running: 0, waiting: [] }));
  const { waiting } = turns;
  if (turns.running >= MOST_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else turns.running += 1;
  try {
    await fn();
  } finally {
    // Whoever waits takes over this turn.
    const next = waiting.shift();
    if (next) next();
    else turns.running -= 1;
  }
}
