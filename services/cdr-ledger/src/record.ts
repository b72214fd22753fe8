import { setTimeout as delay } from 'node:timers/promises';
import { entryText } from '#chain';
import { type Decider, fold } from '#decider';
import { type AppendOutcome, type EventStore, StreamContended } from '#event-store';
import { timeUuid } from '#postgres';
import { currentTraceparent } from '#telemetry';
import type { LedgerEvent } from './ledger-event.ts';
import type { Pace } from './pace.ts';
import type { PrivatePart } from './private-part.ts';
import type { PrivateParts } from './private-parts.ts';
import type { CdrRow } from './projections/cdr-row.ts';
import type { RowsAhead } from './projections/rows-ahead.ts';

/** A command, and the private parts that its events will name. */
export interface Order<Command> {
  readonly command: Command;
  readonly parts: readonly PrivatePart[];
  /** Of the list, where the command's only event is about a CDR, and says all of it. */
  readonly row?: CdrRow;
}

export interface Recorded<State, Event> {
  readonly state: State;
  /** Empty for a repeat. */
  readonly events: readonly Event[];
}

const ATTEMPTS = 20;

/**
 * Decides on a stream and appends what follows. Two things set it apart from the plain executor: an
 * entry is stored with its type and its place inside, for the chain covers the stored text; and the
 * private parts are on disk before the entry that names them, and gone again when the append came to
 * nothing. With a `pace` it goes no faster than the rows follow.
 */
export class Recorder {
  constructor(
    private readonly store: EventStore,
    private readonly privateParts: PrivateParts,
    private readonly pace?: Pace,
    private readonly ahead?: RowsAhead,
  ) {}

  private async load<State, Command, Event extends LedgerEvent>(
    stream: string,
    decider: Decider<State, Command, Event>,
  ): Promise<{ state: State; version: number }> {
    const stored = await this.store.read(stream);
    const events = stored.map(({ data }) => JSON.parse(data) as Event);
    return { state: fold(decider, events), version: stored.at(-1)?.version ?? 0 };
  }

  /**
   * `order` makes the command out of what the stream came to, or nothing where it sees a repeat by
   * itself; after a conflict it is called again. Where the stream is most likely not there yet
   * (`isLikelyNew`) that is found out by appending, not by reading first.
   */
  async record<State, Command, Event extends LedgerEvent>(
    stream: string,
    decider: Decider<State, Command, Event>,
    order: (state: State) => Promise<Order<Command> | undefined>,
    { isLikelyNew = false } = {},
  ): Promise<Recorded<State, Event>> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const isGuessed = isLikelyNew && attempt === 1;
      const { state, version } = isGuessed ? { state: decider.initial, version: 0 } : await this.load(stream, decider);
      const { command, parts = [], row } = (await order(state)) ?? {};
      const events = command === undefined ? [] : decider.decide(command, state);
      if (events.length === 0) return { state, events };
      const outcome = await this.append({ stream, expected: version, events }, parts, row);
      if (outcome.outcome === 'appended') return { state: fold(decider, events, state), events };
      await this.privateParts.drop(parts.map(({ id }) => id));
      await delay(Math.random() * attempt);
    }
    throw new StreamContended(stream, ATTEMPTS);
  }

  private async append<Event extends LedgerEvent>(
    { stream, expected, events }: { stream: string; expected: number; events: readonly Event[] },
    parts: readonly PrivatePart[],
    row: CdrRow | undefined,
  ): Promise<AppendOutcome> {
    await this.pace?.enter();
    let position: bigint | undefined;
    try {
      await this.privateParts.keep(parts);
      const trace = currentTraceparent();
      // New ids on every attempt: a repeat is recognised by the decider, which a conflict calls again.
      const entries = events.map((event, n) => {
        const id = timeUuid();
        const data = entryText({ id, stream, version: expected + n + 1 }, event);
        return { id, type: event.type, data, ...(trace === undefined ? {} : { trace }) };
      });
      // The list may come to it before this does.
      if (row) this.ahead?.put(entries[0]!.id, row);
      const [outcome] = await this.store.append([{ stream, expected, events: entries }]);
      if (outcome!.outcome === 'appended') position = outcome!.position;
      else this.ahead?.take(entries[0]!.id);
      return outcome!;
    } finally {
      this.pace?.leave(position);
    }
  }
}
