import { intArray, type Statement, textArray, uuidArray } from '#postgres';
import type { AppendItem, AppendOutcome, NewEvent, StoredEvent } from './port.ts';

/** A call of `append_events` and its answer; the function says what the arguments mean. */
export interface AppendCall {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  readonly sent: readonly AppendItem[];
  /** `order[k]` is the index, among the items given, of the k-th that is sent. */
  readonly order: readonly number[];
}

export interface AppendedRow {
  /** From 1; 0 in the row that says after which position the unnamed items were stored. */
  readonly item: number;
  readonly appended: boolean;
  readonly version: number;
  readonly position: bigint | null;
  readonly recordedAt: string;
}

const APPEND: Statement = {
  name: 'event_store_append',
  text: `SELECT item, appended, version, "position", recorded_at AS "recordedAt" FROM append_events(
    $1::text[], $2::int[], $3::int[], $4::int[], $5::int,
    $6::int[], $7::int[], $8::uuid[], $9::text[], $10::text[], $11::text[])`,
};

export function appendCall(items: readonly AppendItem[]): AppendCall {
  const { order, lone } = loneFirst(items);
  const sent = order.map((n) => items[n] as AppendItem);
  const firsts: number[] = [];
  const owners: number[] = [];
  const versions: number[] = [];
  const events: NewEvent[] = [];
  for (const [n, item] of sent.entries()) {
    firsts.push(events.length + 1);
    for (const [k, event] of item.events.entries()) {
      owners.push(n + 1);
      versions.push(item.expected + k + 1);
      events.push(event);
    }
  }
  const values = [
    textArray(sent.map((item) => item.stream)),
    intArray(sent.map((item) => item.expected)),
    intArray(firsts),
    intArray(sent.map((item) => item.events.length)),
    lone,
    intArray(owners),
    intArray(versions),
    uuidArray(events.map((event) => event.id)),
    textArray(events.map((event) => event.type)),
    textArray(events.map((event) => event.trace)),
    // The largest comes last: pg grows its buffer by what is added, and copies what was there.
    textArray(events.map((event) => event.data)),
  ];
  return { statement: APPEND, values, sent, order };
}

/** First the items that share no stream and no event id with another; else the order is kept. */
function loneFirst(items: readonly AppendItem[]): { order: number[]; lone: number } {
  const streams = new Map<string, number>();
  const ids = new Map<string, number>();
  for (const { stream, events } of items) {
    streams.set(stream, (streams.get(stream) ?? 0) + 1);
    for (const { id } of events) ids.set(id, (ids.get(id) ?? 0) + 1);
  }
  const lone: number[] = [];
  const others: number[] = [];
  for (const [n, { stream, events }] of items.entries()) {
    const isLone = streams.get(stream) === 1 && events.every(({ id }) => ids.get(id) === 1);
    (isLone ? lone : others).push(n);
  }
  // Neighbours in the batch are then neighbours in the index.
  lone.sort((a, b) => ((items[a] as AppendItem).stream < (items[b] as AppendItem).stream ? -1 : 1));
  return { order: [...lone, ...others], lone: lone.length };
}

/**
 * The outcomes in the order of the items given, the newest position among them, and the events that
 * were stored at once, one behind the other.
 */
export function outcomesOf(rows: readonly AppendedRow[], call: AppendCall) {
  const judged = new Map(rows.map((row) => [row.item, row]));
  const { position = 0n, recordedAt = '' } = judged.get(0) ?? {};
  let stored = position ?? 0n;
  let newest = 0n;
  const outcomes: AppendOutcome[] = [];
  const events: StoredEvent[] = [];
  for (const [n, item] of call.sent.entries()) {
    const row = judged.get(n + 1);
    const outcome = row ? outcomeOf(row) : appendedAfter(stored, item);
    if (!row) {
      for (const [k, { id, type, data, trace }] of item.events.entries()) {
        const place = { stream: item.stream, version: item.expected + k + 1, position: (stored += 1n) };
        events.push({ id, type, data, ...(trace === undefined ? {} : { trace }), ...place, recordedAt });
      }
    }
    if (outcome.outcome === 'appended' && outcome.position > newest) newest = outcome.position;
    outcomes[call.order[n] as number] = outcome;
  }
  return { outcomes, newest, events };
}

function outcomeOf({ appended, version, position }: AppendedRow): AppendOutcome {
  return appended && position !== null
    ? { outcome: 'appended', version, position }
    : { outcome: 'conflict', version };
}

function appendedAfter(position: bigint, { expected, events }: AppendItem): AppendOutcome {
  const { length } = events;
  return { outcome: 'appended', version: expected + length, position: position + BigInt(length) };
}
