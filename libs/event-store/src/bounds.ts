import type { AppendItem, NewEvent } from './port.ts';

/** What an append may be at most; the same on every store. */
export const LIMITS = {
  itemsPerAppend: 1_000,
  eventsPerItem: 500,
  /** UTF-8 bytes of one event's data. */
  eventBytes: 512 * 1024,
  /** UTF-8 bytes of the data of all events of one item, which is stored in one piece. */
  itemBytes: 4 * 1024 * 1024,
  /** UTF-8 bytes of data that wait for their answer in one store object. */
  bytesInFlight: 64 * 1024 * 1024,
  nameBytes: 200,
  eventsPerRead: 10_000,
} as const;

export type RefusedAppend =
  | 'too-many-items'
  | 'item-without-events'
  | 'too-many-events-in-item'
  | 'event-too-large'
  | 'item-too-large'
  | 'too-much-in-flight'
  | 'event-id-not-a-uuid'
  | 'event-id-twice-in-item'
  | 'name-missing'
  | 'name-too-long'
  | 'text-not-storable'
  | 'expected-version-invalid'
  | 'read-limit-invalid'
  | 'store-closed';

/** The store was asked for what it never does; nothing was stored. `field` names the culprit. */
export class AppendRefused extends Error {
  override readonly name = 'AppendRefused';
  constructor(
    readonly code: RefusedAppend,
    readonly field: string,
    detail = '',
  ) {
    super(`${code}: ${field}${detail && ` ${detail}`}`);
  }
}

/** Refuses what no store takes; answers with the bytes of data of each item. */
export function checkItems(items: readonly AppendItem[]): number[] {
  if (items.length > LIMITS.itemsPerAppend) {
    throw new AppendRefused('too-many-items', 'items', `${items.length} > ${LIMITS.itemsPerAppend}`);
  }
  return items.map((item, n) => checkItem(item, `items[${n}]`));
}

function checkItem(item: AppendItem, field: string): number {
  checkName(item.stream, `${field}.stream`);
  if (!Number.isInteger(item.expected) || item.expected < 0 || item.expected > 2_000_000_000) {
    throw new AppendRefused('expected-version-invalid', `${field}.expected`, String(item.expected));
  }
  const { events } = item;
  if (events.length === 0) throw new AppendRefused('item-without-events', `${field}.events`);
  if (events.length > LIMITS.eventsPerItem) {
    throw new AppendRefused('too-many-events-in-item', `${field}.events`, `${events.length} > ${LIMITS.eventsPerItem}`);
  }
  if (events.length > 1 && new Set(events.map((event) => event.id)).size < events.length) {
    throw new AppendRefused('event-id-twice-in-item', `${field}.events`);
  }
  let bytes = 0;
  for (const [n, event] of events.entries()) bytes += checkEvent(event, `${field}.events[${n}]`);
  if (bytes > LIMITS.itemBytes) throw new AppendRefused('item-too-large', field, `${bytes} > ${LIMITS.itemBytes} bytes`);
  return bytes;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function checkEvent(event: NewEvent, field: string): number {
  if (!UUID.test(event.id)) throw new AppendRefused('event-id-not-a-uuid', `${field}.id`, `(lower case) ${event.id}`);
  checkName(event.type, `${field}.type`);
  if (event.trace !== undefined) checkName(event.trace, `${field}.trace`);
  checkText(event.data, `${field}.data`);
  const bytes = Buffer.byteLength(event.data);
  if (bytes > LIMITS.eventBytes) {
    throw new AppendRefused('event-too-large', `${field}.data`, `${bytes} > ${LIMITS.eventBytes} bytes`);
  }
  return bytes;
}

function checkName(name: string, field: string): void {
  if (name === '') throw new AppendRefused('name-missing', field);
  if (Buffer.byteLength(name) > LIMITS.nameBytes) throw new AppendRefused('name-too-long', field);
  checkText(name, field);
}

/** PostgreSQL's text holds no NUL, and UTF-8 no half of a surrogate pair. */
function checkText(text: string, field: string): void {
  if (text.includes('\0') || !text.isWellFormed()) throw new AppendRefused('text-not-storable', field);
}

export function checkReadLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.eventsPerRead) {
    throw new AppendRefused('read-limit-invalid', 'limit', `${limit} is not within 1..${LIMITS.eventsPerRead}`);
  }
}
