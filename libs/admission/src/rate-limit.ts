import { z } from 'zod';

export interface Rate {
  /** 0: no limit. */
  readonly perSecond: number;
  /** What may come at once after a silence. */
  readonly burst: number;
}

/** A rate in roamwatt.yaml, `{ per_second, burst }`, with what holds where it does not say. */
export const rateSetting = (perSecond: number, burst: number) =>
  z.strictObject({
    per_second: z.number().min(0).max(1_000_000).default(perSecond),
    burst: z.int().min(1).max(1_000_000).default(burst),
  }).prefault({}).transform((given): Rate => ({ perSecond: given.per_second, burst: given.burst }));

/**
 * Requests counted per key in real time, in this process alone: a bucket that holds `burst` and refills
 * by `perSecond`. The table is bounded: who was silent longest is forgotten, which gives it a full bucket.
 */
export class RateLimit {
  private readonly buckets = new Map<string, { left: number; atMs: number }>();

  constructor(
    private readonly rate: Rate,
    private readonly mostKeys = 10_000,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  get size(): number {
    return this.buckets.size;
  }

  /** Takes one request; the seconds to wait before the next may come, 0 when this one may. */
  take(key: string): number {
    const wait = this.waitS(key);
    const bucket = wait === 0 ? this.buckets.get(key) : undefined;
    if (bucket) bucket.left -= 1;
    return wait;
  }

  /** One that was taken did not count. */
  giveBack(key: string): void {
    const bucket = this.buckets.get(key);
    if (bucket) bucket.left = Math.min(this.rate.burst, bucket.left + 1);
  }

  /** The seconds to wait, without taking one. */
  waitS(key: string): number {
    const { perSecond, burst } = this.rate;
    if (perSecond === 0) return 0;
    const now = this.nowMs();
    const bucket = this.buckets.get(key) ?? { left: burst, atMs: now };
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.atMs) / 1_000) * perSecond);
    bucket.atMs = now;
    // Behind the others: the first of the map is the one that was silent longest.
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > this.mostKeys) this.buckets.delete(this.buckets.keys().next().value!);
    return bucket.left >= 1 ? 0 : Math.max(1, Math.ceil((1 - bucket.left) / perSecond));
  }
}
