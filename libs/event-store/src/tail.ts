import type { StoredEvent } from './port.ts';

type ReadAll = (after: bigint, limit: number) => Promise<StoredEvent[]>;

const LIMITS = { events: 2_048, characters: 16 * 1024 * 1024 };

/**
 * The newest events that were read, for all followers of one store: what one of them fetched, the
 * others do not fetch again. A follower that is further behind reads for itself.
 */
export class Tail {
  private readonly readAll: ReadAll;
  /** The events after position `after`, without a gap. */
  private events: StoredEvent[] = [];
  private after: bigint | undefined;
  private fetching: Promise<void> | undefined;

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
    const news = await this.readAll(this.end(), limit);
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
