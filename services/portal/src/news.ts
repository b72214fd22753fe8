/** Wakes those who wait for news of a token; news between two waits wakes the next one. */
export class News {
  private readonly waiters = new Map<string, Set<() => void>>();

  get anyoneWaits(): boolean {
    return this.waiters.size > 0;
  }

  of(tokenUid: string): void {
    for (const wake of this.waiters.get(tokenUid.toLowerCase()) ?? []) wake();
  }

  waiter(tokenUids: readonly string[]): Waiter {
    let fresh = false;
    let resolve = () => {};
    const wake = () => {
      fresh = true;
      resolve();
    };
    const keys = tokenUids.map((uid) => uid.toLowerCase());
    for (const key of keys) {
      const there = this.waiters.get(key) ?? new Set();
      this.waiters.set(key, there.add(wake));
    }
    return {
      async wait(mostMs, signal) {
        if (!fresh && !signal.aborted) {
          let timer: NodeJS.Timeout | undefined;
          await new Promise<void>((done) => {
            resolve = done;
            timer = setTimeout(done, mostMs);
            signal.addEventListener('abort', resolve, { once: true });
          });
          clearTimeout(timer);
          signal.removeEventListener('abort', resolve);
        }
        const woken = fresh;
        fresh = false;
        return woken;
      },
      leave: () => {
        for (const key of keys) {
          const there = this.waiters.get(key);
          there?.delete(wake);
          if (there?.size === 0) this.waiters.delete(key);
        }
      },
    };
  }
}

export interface Waiter {
  /** Whether there was news; else so many ms passed, or the signal aborted. */
  wait(mostMs: number, signal: AbortSignal): Promise<boolean>;
  leave(): void;
}
