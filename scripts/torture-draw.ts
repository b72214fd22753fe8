import { createHash } from 'node:crypto';

/** Numbers by lot that a text decides: the same text, the same numbers, on every machine. */
export class Draw {
  private state: number;

  constructor(text: string) {
    this.state = createHash('sha256').update(text).digest().readUInt32LE();
  }

  /** From 0 to 1, without 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.next() * of.length)]!;
  }

  /** One of the keys, as often as its weight says. */
  weighed<K extends string>(weights: Readonly<Record<K, number>>): K {
    const all = Object.entries(weights) as [K, number][];
    let left = this.next() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of all) if ((left -= weight) < 0) return key;
    return all.at(-1)![0];
  }

  /** How many steps later each copy of a message comes: most at once, some late, few much later. */
  delays(copiesMost: number): number[] {
    return Array.from({ length: this.whole(1, copiesMost) }, () =>
      this.chance(0.5) ? 0 : this.whole(1, this.chance(0.2) ? 80 : 12));
  }
}
