import type { Database, Tx } from '#postgres';

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
    const held = async (own: Tx): Promise<void> => {
      tx.resolve(own);
      await end.promise;
    };
    // Handlers may need a connection beside theirs.
    done = db.tx(held, { asksBeside: true });
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
    atCommit(sql, values) {
      begun ??= begin();
      begun.then((tx) => tx.atCommit(sql, values), () => {});
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
