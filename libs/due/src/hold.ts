/**
 * A worker's hold on the key of what it does. It is lost when this process slept, or the database was away, for longer than
 * the lease: another may work on the key then. Ask right before what goes outside: rows are fenced, partners and chargers are not.
 */
export interface Hold {
  isHeld(): boolean;
  /** Throws `HoldLost`, after which the worker leaves the key to whoever has it. */
  insist(): void;
}

export class HoldLost extends Error {
  override readonly name = 'HoldLost';
}

/** Counted from before the database was asked, so that it ends here no later than there. */
export class LeasedHold implements Hold {
  constructor(private readonly leaseMs: number, private since: Instants) {}

  renew(since: Instants): void {
    this.since = since;
  }

  isHeld(): boolean {
    const now = instants();
    // One stands still while the whole machine sleeps, the other may be set back.
    return Math.max(now.monotonicMs - this.since.monotonicMs, now.wallMs - this.since.wallMs) < this.leaseMs;
  }

  insist(): void {
    if (!this.isHeld()) throw new HoldLost('another may have the key by now');
  }
}

export interface Instants {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function instants(): Instants {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}
