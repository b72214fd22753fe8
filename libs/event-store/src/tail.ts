import type { StoredEvent } from './port.ts';

type ReadAll = (after: bigint, limit: number) => Promise<StoredEvent[]>;

const LIMITS = { events: 2_048, characters: 16 * 1024 * 1024 };

/** Batches that came before the one they follow on: of as many lanes as append. */
const EARLY_MAX = 4;

/**
 * The newest events, for all followers of one store: what one of them fetched the others do not
 * fetch again, and what this process appended nobody fetches. A follower that is further behind
 * reads for itself.
 */
export class Tail {
  private readonly readAll: ReadAll;
  /** The events after position `after`, without a gap. */
  private events: StoredEvent[] = [];
  private after: bigint | undefined;
  private fetching: Promise<void> | undefined;
  private early: (readonly StoredEvent[])[] = [];

  constructor(readAll: ReadAll) {
    this.readAll = readAll;
  }

  async read(position: bigint, limit: number): Promise<StoredEvent[]> {
    if (this.fetching === undefined && position > this.end()) this.restart(position);
    if (position === this.end()) await this.fetch(limit);
    if (this.after === undefined || position < this.after || position > this.end()) return this.readAll(position, limit);
    const from = this.events.findLastIndex((event) => event.position <= position) + 1;
    return this.events.slice(from, from + limit);
  }

  /** What was just appended, at positions one behind the other: of use where the last events end. */
  offer(events: readonly StoredEvent[]): void {
    if (this.after === undefined || events.length === 0) return;
    this.early.push(events);
    for (;;) {
      const next = this.early.findIndex(([first]) => first!.position <= this.end() + 1n);
      if (next < 0) break;
      this.take(this.early.splice(next, 1)[0]!);
    }
    if (this.early.length > EARLY_MAX) this.early.shift();
  }

  private end(): bigint {
    return this.events.at(-1)?.position ?? this.after ?? -1n;
  }

  private restart(position: bigint): void {
    this.events = [];
    this.after = position;
  }

  private fetch(limit: number): Promise<void> {
    this.fetching ??= this.fetchNext(limit).finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async fetchNext(limit: number): Promise<void> {
    this.take(await this.readAll(this.end(), limit));
  }

  /** Those among them that are news. */
  private take(events: readonly StoredEvent[]): void {
    const end = this.end();
    const news = events.filter(({ position }) => position > end);
    if (news.length === 0) return;
    this.events = this.events.concat(news);
    let characters = 0;
    let kept = 0;
    while (kept < Math.min(this.events.length, LIMITS.events)) {
      characters += this.events.at(-1 - kept)!.data.length;
      if (characters > LIMITS.characters && kept >= news.length) break;
      kept += 1;
    }
    const dropped = this.events.length - kept;
    if (dropped === 0) return;
    this.after = this.events[dropped - 1]!.position;
    this.events = this.events.slice(dropped);
  }
}
