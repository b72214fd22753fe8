/**
 * Failures counted per key in a window of real time, in this process alone. An attempt counts when it
 * begins, so that many at once are no way around; `succeeded` takes that one back.
 */
export class Attempts {
  private readonly counts = new Map<string, { failed: number; untilMs: number }>();

  constructor(
    private readonly limit: { readonly most: number; readonly windowMs: number; readonly mostKeys?: number },
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Seconds to wait, or 0 when the attempt may go on. */
  begin(key: string): number {
    const nowMs = this.now();
    let count = this.counts.get(key);
    if (!count || count.untilMs <= nowMs) {
      this.makeRoom(nowMs);
      this.counts.set(key, count = { failed: 0, untilMs: nowMs + this.limit.windowMs });
    }
    if (count.failed >= this.limit.most) return Math.max(1, Math.ceil((count.untilMs - nowMs) / 1000));
    count.failed += 1;
    return 0;
  }

  succeeded(key: string): void {
    const count = this.counts.get(key);
    if (count && count.failed > 0) count.failed -= 1;
  }

  private makeRoom(nowMs: number): void {
    if (this.counts.size < (this.limit.mostKeys ?? 10_000)) return;
    for (const [key, { untilMs }] of this.counts) if (untilMs <= nowMs) this.counts.delete(key);
    const [oldest] = this.counts.keys();
    if (this.counts.size >= (this.limit.mostKeys ?? 10_000) && oldest !== undefined) this.counts.delete(oldest);
  }
}
