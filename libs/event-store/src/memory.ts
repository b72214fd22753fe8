import { AppendRefused, checkItems, checkReadLimit } from './bounds.ts';
import { follow, Head } from './follow.ts';
import {
  type AppendItem, type AppendOutcome, type EventStore, NO_POSITION, type StoredEvent,
} from './port.ts';

/** The port in memory, for tests: the same answers, kept by nothing. */
export function memoryEventStore(): EventStore {
  return new MemoryEventStore();
}

class MemoryEventStore implements EventStore {
  private readonly all: StoredEvent[] = [];
  private readonly streams = new Map<string, StoredEvent[]>();
  private readonly ids = new Set<string>();
  private readonly head = new Head();
  private readonly closing = new AbortController();

  async append(items: readonly AppendItem[]): Promise<AppendOutcome[]> {
    this.refuseWhenClosed();
    checkItems(items);
    const outcomes = items.map((item) => this.appendOne(item));
    this.head.saw(BigInt(this.all.length));
    return outcomes;
  }

  async read(stream: string, options: { fromVersion?: number; limit?: number } = {}): Promise<StoredEvent[]> {
    if (options.limit !== undefined) checkReadLimit(options.limit);
    const from = Math.max((options.fromVersion ?? 1) - 1, 0);
    return (this.streams.get(stream) ?? []).slice(from, from + (options.limit ?? Number.MAX_SAFE_INTEGER));
  }

  async readAll(after: bigint, limit: number): Promise<StoredEvent[]> {
    checkReadLimit(limit);
    const from = Number(after);
    return this.all.slice(from, from + limit);
  }

  async at(position: bigint): Promise<StoredEvent | undefined> {
    return position > NO_POSITION ? this.all[Number(position) - 1] : undefined;
  }

  async last(): Promise<StoredEvent | undefined> {
    return this.all.at(-1);
  }

  subscribe(
    after: bigint,
    handle: (events: StoredEvent[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.refuseWhenClosed();
    const store = { readAll: this.readAll.bind(this), newsAfter: this.head.after.bind(this.head) };
    return follow(store, after, handle, AbortSignal.any([signal, this.closing.signal]));
  }

  async close(): Promise<void> {
    this.closing.abort();
  }

  private appendOne({ stream, expected, events }: AppendItem): AppendOutcome {
    const stored = this.streams.get(stream) ?? [];
    const isNew = stored.length === expected && events.every((event) => !this.ids.has(event.id));
    if (!isNew) {
      const first = stored.slice(expected, expected + events.length);
      const repeated = first.length === events.length
        && first.every((event, n) => event.id === events[n]?.id);
      const newest = first.at(-1);
      return repeated && newest
        ? { outcome: 'appended', version: newest.version, position: newest.position }
        : { outcome: 'conflict', version: stored.length };
    }
    const recordedAt = new Date().toISOString();
    for (const event of events) {
      const version = stored.length + 1;
      const position = BigInt(this.all.length + 1);
      const kept: StoredEvent = Object.freeze({ ...event, stream, version, position, recordedAt });
      stored.push(kept);
      this.all.push(kept);
      this.ids.add(event.id);
    }
    this.streams.set(stream, stored);
    return { outcome: 'appended', version: stored.length, position: BigInt(this.all.length) };
  }

  private refuseWhenClosed(): void {
    if (this.closing.signal.aborted) throw new AppendRefused('store-closed', 'store');
  }
}
