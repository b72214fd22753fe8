import type { EventStore, NewEvent, StoredEvent } from '#event-store';
import type { Subject } from './holder.ts';
import { type HolderKeys, seal, type Sealed, unseal } from './holder-keys.ts';
import type { Marks } from './marks.ts';

/** An event's fields as they are stored. */
export type Fields = Record<string, unknown>;

/** What a log's events say of persons. */
export interface Personal {
  /** By the event's type: the fields that say it, such as `session.cdr_token`; other types are left alone. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** What stands in a field's place once it is erased; undefined: nothing. */
  erased(path: string, value: unknown): unknown;
  /** Whose they are, and when it happened (RFC 3339); undefined: nobody's. */
  whose(event: Fields): { readonly subject: Subject; readonly at: string } | undefined;
}

/**
 * The store, but that what its events say of persons lies on disk sealed under the key of whose it
 * is, and reads as erased once that key is. Who decides and who tells sees plain events. Events that
 * were stored in the open read as they are.
 */
export function sealedStore(store: EventStore, { keys, marks, personal }: SealedBy): EventStore {
  const opened = (events: StoredEvent[]) => open(events, keys, personal);
  return {
    async append(items) {
      const plain = items.flatMap(({ events }) => events);
      const sealed = await close(plain, keys, marks, personal);
      if (sealed.size === 0) return store.append(items);
      return store.append(items.map((item) => ({
        ...item, events: item.events.map((event) => sealed.get(event) ?? event),
      })));
    },
    read: async (stream, options) => opened(await store.read(stream, options)),
    readAll: async (after, limit) => opened(await store.readAll(after, limit)),
    async at(position) {
      const event = await store.at(position);
      return event && (await opened([event]))[0];
    },
    async last() {
      const event = await store.last();
      return event && (await opened([event]))[0];
    },
    subscribe: (after, handle, signal) => store.subscribe(after, async (events) => handle(await opened(events)), signal),
    close: () => store.close(),
  };
}

export interface SealedBy {
  readonly keys: HolderKeys;
  readonly marks: Marks;
  readonly personal: Personal;
}

/** Only a text that has this holds a sealed part. */
const HAS_SEALED = '"sealed":{"key":"';

async function close(
  events: readonly NewEvent[], keys: HolderKeys, marks: Marks, personal: Personal,
): Promise<Map<NewEvent, NewEvent>> {
  const parted = events.flatMap((event) => {
    const paths = personal.fields[event.type];
    if (!paths?.some((path) => event.data.includes(`"${path.slice(path.lastIndexOf('.') + 1)}":`))) return [];
    const fields = JSON.parse(event.data) as Fields;
    const said = paths.flatMap((path) => {
      const value = valueAt(fields, path);
      return value === undefined ? [] : [[path, value] as const];
    });
    const whose = said.length > 0 ? personal.whose(fields) : undefined;
    if (!whose) return [];
    for (const [path, value] of said) setAt(fields, path, personal.erased(path, value));
    return [{ event, fields, said, ...whose }];
  });
  const kept = parted.filter(({ subject, at }) => !marks.isErased(subject, at));
  const keyOf = new Map((await keys.of(kept.map(({ subject }) => subject))).map((key, n) => [kept[n]!, key]));
  return new Map(parted.map((part) => {
    const { event, fields, said } = part;
    const key = keyOf.get(part);
    const data = JSON.stringify(key ? { ...fields, sealed: seal(key, JSON.stringify(said), event.id) } : fields);
    return [event, { ...event, data }];
  }));
}

async function open(events: StoredEvent[], keys: HolderKeys, personal: Personal): Promise<StoredEvent[]> {
  const sealed = new Map<StoredEvent, { readonly fields: Fields; readonly sealed: Sealed }>();
  for (const event of events) {
    if (!personal.fields[event.type] || !event.data.includes(HAS_SEALED)) continue;
    const { sealed: part, ...fields } = JSON.parse(event.data) as Fields & { sealed?: Sealed };
    if (part) sealed.set(event, { fields, sealed: part });
  }
  if (sealed.size === 0) return events;
  const secrets = await keys.secrets([...sealed.values()].map((one) => one.sealed.key));
  return events.map((event) => {
    const found = sealed.get(event);
    if (!found) return event;
    const secret = secrets.get(found.sealed.key);
    if (secret) {
      const said = JSON.parse(unseal(secret, found.sealed, event.id)) as [string, unknown][];
      for (const [path, value] of said) setAt(found.fields, path, value);
    }
    return { ...event, data: JSON.stringify(found.fields) };
  });
}

function valueAt(fields: Fields, path: string): unknown {
  return reach(fields, path.split('.'));
}

function reach(fields: Fields, names: readonly string[]): unknown {
  return names.reduce<unknown>((value, name) => (value as Fields | undefined)?.[name], fields);
}

function setAt(fields: Fields, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop()!;
  const owner = reach(fields, names) as Fields;
  if (value === undefined) delete owner[last];
  else owner[last] = value;
}
