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
    const detail = `${items.length} > ${LIMITS.itemsPerAppend}`;
    throw new AppendRefused('too-many-items', 'items', detail);
  }
  return items.map((item, n) => {
    const broken = brokenByItem(item);
    if (broken) throw new AppendRefused(broken.code, `items[${n}]${broken.field}`, broken.detail);
    return sizeOf(item);
  });
}

interface Broken {
  readonly code: RefusedAppend;
  readonly field: string;
  readonly detail?: string;
}

function brokenByItem(item: AppendItem): Broken | undefined {
  const { stream, expected, events } = item;
  const name = brokenByName(stream);
  if (name) return { code: name, field: '.stream' };
  if (!Number.isInteger(expected) || expected < 0 || expected > 2_000_000_000) {
    return { code: 'expected-version-invalid', field: '.expected', detail: String(expected) };
  }
  if (events.length === 0) return { code: 'item-without-events', field: '.events' };
  if (events.length > LIMITS.eventsPerItem) {
    const detail = `${events.length} > ${LIMITS.eventsPerItem}`;
    return { code: 'too-many-events-in-item', field: '.events', detail };
  }
  for (let k = 0; k < events.length; k += 1) {
    const broken = brokenByEvent(events[k] as NewEvent);
    if (broken) return { ...broken, field: `.events[${k}]${broken.field}` };
  }
  if (events.length > 1 && new Set(events.map((event) => event.id)).size < events.length) {
    return { code: 'event-id-twice-in-item', field: '.events' };
  }
  if (sizeOf(item) > LIMITS.itemBytes) {
    return { code: 'item-too-large', field: '', detail: `${sizeOf(item)} > ${LIMITS.itemBytes} bytes` };
  }
  return undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function brokenByEvent({ id, type, data, trace }: NewEvent): Broken | undefined {
  if (!UUID.test(id)) return { code: 'event-id-not-a-uuid', field: '.id', detail: `(lower case) ${id}` };
  const name = brokenByName(type);
  if (name) return { code: name, field: '.type' };
  const tracing = trace === undefined ? undefined : brokenByName(trace);
  if (tracing) return { code: tracing, field: '.trace' };
  if (!isStorable(data)) return { code: 'text-not-storable', field: '.data' };
  const bytes = Buffer.byteLength(data);
  if (bytes > LIMITS.eventBytes) {
    return { code: 'event-too-large', field: '.data', detail: `${bytes} > ${LIMITS.eventBytes} bytes` };
  }
  return undefined;
}

function brokenByName(name: string): RefusedAppend | undefined {
  if (name === '') return 'name-missing';
  if (Buffer.byteLength(name) > LIMITS.nameBytes) return 'name-too-long';
  return isStorable(name) ? undefined : 'text-not-storable';
}

/** PostgreSQL's text holds no NUL, and UTF-8 no half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function sizeOf(item: AppendItem): number {
  let bytes = 0;
  for (const event of item.events) bytes += Buffer.byteLength(event.data);
  return bytes;
}

export function checkReadLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.eventsPerRead) {
    const detail = `${limit} is not within 1..${LIMITS.eventsPerRead}`;
    throw new AppendRefused('read-limit-invalid', 'limit', detail);
  }
}
