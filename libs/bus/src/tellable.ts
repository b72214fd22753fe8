import type { EventStore, StoredEvent } from '#event-store';
import type { Fact } from './fact.ts';

/**
 * The store, but for events that could never be told: one whose fact breaks its contract would stay
 * in the log for ever and hold up all that is told behind it. An append with such an event rejects
 * with what `toTold` throws, and stores nothing.
 */
export function tellable(
  store: EventStore,
  toTold: (event: StoredEvent) => Fact | undefined,
): EventStore {
  return {
    async append(items) {
      for (const { stream, expected, events } of items) {
        for (const [index, event] of events.entries()) {
          toTold({ ...event, stream, version: expected + index + 1, position: 0n, recordedAt: '' });
        }
      }
      return store.append(items);
    },
    read: (stream, options) => store.read(stream, options),
    readAll: (after, limit) => store.readAll(after, limit),
    at: (position) => store.at(position),
    last: () => store.last(),
    subscribe: (after, handle, signal) => store.subscribe(after, handle, signal),
    close: () => store.close(),
  };
}
