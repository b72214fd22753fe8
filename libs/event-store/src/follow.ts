import type { StoredEvent } from './port.ts';

export interface Followed {
  readAll(after: bigint, limit: number): Promise<StoredEvent[]>;
  /** Resolves when there may be events after the position, or the signal aborts. */
  newsAfter(position: bigint, signal: AbortSignal): Promise<void>;
}

/** Large: a follower that fell behind makes its way in few steps, each of which costs it a commit. */
const BATCH = 1_000;

/** The loop of `subscribe`, the same for every store. */
export async function follow(
  store: Followed,
  after: bigint,
  handle: (events: StoredEvent[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let position = after;
  while (!signal.aborted) {
    const events = await store.readAll(position, BATCH);
    const newest = events.at(-1);
    if (newest === undefined) {
      await store.newsAfter(position, signal);
    } else if (!signal.aborted) {
      await handle(events);
      position = newest.position;
    }
  }
}

/** The newest position that is known here, and who waits for a newer one. */
export class Head {
  private newest = 0n;
  private readonly waiting = new Set<() => void>();

  get position(): bigint {
    return this.newest;
  }

  get isAwaited(): boolean {
    return this.waiting.size > 0;
  }

  /** True when the position is news. */
  saw(position: bigint): boolean {
    if (position <= this.newest) return false;
    this.newest = position;
    for (const wake of [...this.waiting]) wake();
    return true;
  }

  after(position: bigint, signal: AbortSignal): Promise<void> {
    if (this.newest > position || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
