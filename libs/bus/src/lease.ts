import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#postgres';

export interface LeaseOptions {
  /** How long the owner may be silent, in real time, before another takes over. */
  readonly ttlMs: number;
  /**
   * Called with a number that is larger for every owner; give it to whoever must not obey an older
   * one.
   */
  onOwned(epoch: bigint): void;
  /**
   * Called when the lease is lost or can no longer be confirmed: stop at once. Not called by
   * `release`.
   */
  onLost(): void;
  /** Failures to reach the database, for the log. */
  onError?(error: unknown): void;
}

export interface Lease {
  /** Gives it back, for another to take at once. */
  release(): Promise<void>;
}

/**
 * One owner per name among all replicas, by the database's clock (`busMigrations` in its schema).
 * Tries until `release`; a lease that was lost is tried for again. The owner counts its own time
 * from before it asked, so it stops no later than another may begin.
 */
export function holdLease(db: Database, name: string, options: LeaseOptions): Lease {
  const owner = randomUUID();
  const releasing = new AbortController();
  const { signal } = releasing;
  let epoch: bigint | undefined;
  let alarm: NodeJS.Timeout | undefined;

  const lost = () => {
    clearTimeout(alarm);
    if (epoch === undefined) return;
    epoch = undefined;
    options.onLost();
  };

  const attempt = async (): Promise<void> => {
    const askedAt = performance.now();
    const got = await takeLease(db, name, owner, options.ttlMs);
    const leftMs = options.ttlMs - (performance.now() - askedAt);
    if (signal.aborted) return;
    if (got === undefined || leftMs <= 0) {
      lost();
      return;
    }
    clearTimeout(alarm);
    alarm = setTimeout(lost, leftMs);
    if (epoch !== undefined && got !== epoch) lost();
    if (epoch === undefined) {
      epoch = got;
      options.onOwned(got);
    }
  };

  const trying = (async () => {
    while (!signal.aborted) {
      await attempt().catch((error: unknown) => options.onError?.(error));
      await sleep(options.ttlMs / 3, undefined, { signal }).catch(() => {});
    }
  })();

  return {
    async release() {
      releasing.abort();
      clearTimeout(alarm);
      await trying;
      const free =
        'UPDATE lease SET owner = NULL, until = clock_timestamp() WHERE name = $1 AND owner = $2';
      // Unreachable, it runs out by itself.
      await db.query(free, [name, owner]).catch((error: unknown) => options.onError?.(error));
    },
  };
}

/** The epoch when the lease is this owner's now: kept, free, or run out. */
async function takeLease(
  db: Database,
  name: string,
  owner: string,
  ttlMs: number,
): Promise<bigint | undefined> {
  const { rows } = await db.query<{ epoch: bigint }>(
    {
      name: 'lease-take',
      text: `INSERT INTO lease AS held (name, owner, epoch, until)
        VALUES ($1, $2, 1, clock_timestamp() + $3::int * interval '1 ms')
      ON CONFLICT (name) DO UPDATE SET owner = $2, until = excluded.until,
        epoch = held.epoch
          + CASE WHEN held.owner = $2 AND held.until > clock_timestamp() THEN 0 ELSE 1 END
        WHERE held.owner = $2 OR held.owner IS NULL OR held.until < clock_timestamp()
      RETURNING epoch`,
    },
    [name, owner, ttlMs],
  );
  return rows[0]?.epoch;
}
