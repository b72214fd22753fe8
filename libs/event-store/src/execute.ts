import { setTimeout as delay } from 'node:timers/promises';
import { type Decider, fold } from '#decider';
import { type Codec, jsonCodec, type JsonEvent } from './codec.ts';
import { eventId } from './event-id.ts';
import { type AppendOutcome, type EventStore, type NewEvent, NO_POSITION } from './port.ts';
import { Turns } from './turns.ts';

export interface ExecutorOptions<State, Command, Event extends { readonly type: string }> {
  readonly decider: Decider<State, Command, Event>;
  /** The stream of the thing with that id. */
  readonly stream: (id: string) => string;
  /** See `jsonCodec`. */
  readonly upcast?: (stored: JsonEvent) => Event;
  /** How many folded states are kept in memory (default 10,000). */
  readonly cacheSize?: number;
}

export interface Loaded<State> {
  readonly state: State;
  /** 0 when there is no event yet. */
  readonly version: number;
  /** Of the stream's newest event; `NO_POSITION` when there is none. */
  readonly position: bigint;
}

export interface Executed<State, Event> extends Loaded<State> {
  /** What the command caused; empty for a repeat. */
  readonly events: readonly Event[];
}

export interface Executor<State, Command, Event> {
  /**
   * Loads, decides and appends, again when another process was faster. The events' ids come from
   * `commandId`: the same command has the same id on every try. A command that causes nothing, or
   * is refused, was decided on the newest state. Throws the decider's `Rejected` as it is.
   * `trace`: the W3C traceparent to keep with the events.
   */
  execute(id: string, commandId: string, command: Command, trace?: string): Promise<Executed<State, Event>>;
  /** The newest state. */
  load(id: string): Promise<Loaded<State>>;
  /** Empties the memory of folded states: what the log reads as has changed. */
  forget(): void;
}

/**
 * A bug, not a race: this command's event ids are in the store already, yet its decider answered
 * with news instead of `[]`.
 */
export class RepeatNotRecognised extends Error {
  override readonly name = 'RepeatNotRecognised';
  constructor(
    readonly stream: string,
    readonly commandId: string,
  ) {
    super(`the command ${commandId} was executed before, but the decider of ${stream} did not see it`);
  }
}

/** Other processes were faster every time. */
export class StreamContended extends Error {
  override readonly name = 'StreamContended';
  constructor(
    readonly stream: string,
    readonly attempts: number,
  ) {
    super(`${attempts} attempts to append to ${stream} met a conflict`);
  }
}

const CONFLICTS_MAX = 50;
const WAITING_MAX = 1_000;
const CACHE_SIZE = 10_000;
const READ_AT_ONCE = 1_000;

export function executor<State, Command, Event extends { readonly type: string }>(
  store: EventStore,
  options: ExecutorOptions<State, Command, Event>,
): Executor<State, Command, Event> {
  return new StreamExecutor(store, options);
}

class StreamExecutor<State, Command, Event extends { readonly type: string }>
  implements Executor<State, Command, Event> {
  private readonly decider: Decider<State, Command, Event>;
  private readonly streamOf: (id: string) => string;
  private readonly codec: Codec<Event>;
  private readonly cacheSize: number;
  /** In the order of their last use. */
  private known: Memory<State> = new Map();
  private readonly turns = new Turns(WAITING_MAX);

  constructor(
    private readonly store: EventStore,
    options: ExecutorOptions<State, Command, Event>,
  ) {
    this.decider = options.decider;
    this.streamOf = options.stream;
    this.codec = jsonCodec(options.upcast);
    this.cacheSize = options.cacheSize ?? CACHE_SIZE;
  }

  execute(id: string, commandId: string, command: Command, trace?: string): Promise<Executed<State, Event>> {
    const stream = this.streamOf(id);
    return this.turns.take(stream, () => this.run({ stream, commandId, command, trace, memory: this.known }));
  }

  async load(id: string): Promise<Loaded<State>> {
    const stream = this.streamOf(id);
    return this.catchUp(stream, this.recall(stream), this.known);
  }

  forget(): void {
    // What is being folded now still goes into the one of before.
    this.known = new Map();
  }

  private async run(work: Work<State, Command>): Promise<Executed<State, Event>> {
    const { stream, memory } = work;
    let loaded = this.recall(stream);
    let isNewest = loaded === undefined;
    loaded ??= await this.catchUp(stream, undefined, memory);
    for (let conflicts = 0; conflicts < CONFLICTS_MAX;) {
      const decided = this.decide(work.command, loaded.state);
      if (decided.events.length > 0) {
        const answer = await this.append(work, loaded.version, decided.events);
        if (answer.outcome === 'appended') return this.remembered(work, loaded, decided.events, answer);
        if (answer.version === loaded.version) throw new RepeatNotRecognised(stream, work.commandId);
        conflicts += 1;
        await delay(Math.random() * Math.min(conflicts, 10));
      } else if (isNewest) {
        if ('refused' in decided) throw decided.refused;
        return { ...loaded, events: [] };
      }
      // What was remembered may be older than the log: no append has checked it.
      loaded = await this.catchUp(stream, loaded, memory);
      isNewest = true;
    }
    throw new StreamContended(stream, CONFLICTS_MAX);
  }

  private decide(command: Command, state: State): { events: readonly Event[]; refused?: unknown } {
    try {
      return { events: this.decider.decide(command, state) };
    } catch (refused) {
      return { events: [], refused };
    }
  }

  private async append(
    work: Work<State, Command>,
    expected: number,
    decided: readonly Event[],
  ): Promise<AppendOutcome> {
    const { stream, commandId, trace } = work;
    const events = decided.map((event, index): NewEvent => ({
      id: eventId(commandId, stream, index),
      type: event.type,
      data: this.codec.toData(event),
      ...(trace === undefined ? {} : { trace }),
    }));
    const [answer] = await this.store.append([{ stream, expected, events }]);
    return answer as AppendOutcome;
  }

  private remembered(
    { stream, memory }: Pick<Work<State, Command>, 'stream' | 'memory'>,
    before: Loaded<State>,
    events: readonly Event[],
    { version, position }: { version: number; position: bigint },
  ): Executed<State, Event> {
    const loaded = { state: fold(this.decider, events, before.state), version, position };
    this.remember(stream, loaded, memory);
    return { ...loaded, events };
  }

  private async catchUp(
    stream: string, from: Loaded<State> | undefined, memory: Memory<State>,
  ): Promise<Loaded<State>> {
    let loaded = from ?? { state: this.decider.initial, version: 0, position: NO_POSITION };
    for (;;) {
      // A stream may be years long: what is folded is not held.
      const stored = await this.store.read(stream, { fromVersion: loaded.version + 1, limit: READ_AT_ONCE });
      const newest = stored.at(-1);
      if (newest === undefined) break;
      const events = stored.map(({ type, data }) => this.codec.toEvent(type, data));
      const state = fold(this.decider, events, loaded.state);
      loaded = { state, version: newest.version, position: newest.position };
      if (stored.length < READ_AT_ONCE) break;
    }
    if (loaded.version > (from?.version ?? 0)) this.remember(stream, loaded, memory);
    return loaded;
  }

  private recall(stream: string): Loaded<State> | undefined {
    const loaded = this.known.get(stream);
    if (loaded) this.remember(stream, loaded, this.known);
    return loaded;
  }

  private remember(stream: string, loaded: Loaded<State>, memory: Memory<State>): void {
    // A load may end after a command that was faster.
    if ((memory.get(stream)?.version ?? 0) > loaded.version) return;
    memory.delete(stream);
    memory.set(stream, loaded);
    if (memory.size > this.cacheSize) {
      const [oldest] = memory.keys();
      memory.delete(oldest as string);
    }
  }
}

type Memory<State> = Map<string, Loaded<State>>;

interface Work<State, Command> {
  readonly memory: Memory<State>;
  readonly stream: string;
  readonly commandId: string;
  readonly command: Command;
  readonly trace: string | undefined;
}
