/** An event's two forms: as deciders know it, and as type and text in the store. */
export interface Codec<Event> {
  toData(event: Event): string;
  toEvent(type: string, data: string): Event;
}

/** An event as it was stored, perhaps by an older release. */
export interface JsonEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Events as JSON objects, their `type` kept apart. `upcast` turns what older releases stored into
 * today's events; stored text is never rewritten. Fields must survive JSON: strings, not Date or
 * bigint.
 */
export function jsonCodec<Event extends { readonly type: string }>(
  upcast: (stored: JsonEvent) => Event = (stored) => stored as unknown as Event,
): Codec<Event> {
  return {
    toData: ({ type: _, ...fields }) => JSON.stringify(fields),
    toEvent: (type, data) => upcast({ ...JSON.parse(data) as object, type }),
  };
}
