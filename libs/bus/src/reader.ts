import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, type JsMsg, type JetStreamManager } from '@nats-io/jetstream';
import type { Bus } from './bus.ts';
import { isAskFailure } from './failures.ts';
import type { Context } from './contract.ts';
import {
  isCode,
  managerOf,
  readFact,
  sequenceAfter,
  STREAM_NOT_FOUND,
  type StreamEnd,
  streamEnd,
  type StreamFact,
} from './stream.ts';
import { streamName } from './subjects.ts';
import { askToTellAgain } from './tell-again.ts';
import type { ToldRow } from './tell-source.ts';
import { unlessAborted } from './unless-aborted.ts';

export interface Read {
  readonly facts: readonly ToldRow[];
  /** Nothing told up to here is missing. */
  readonly position: bigint;
}

export interface ReadOptions {
  readonly bus: Bus;
  readonly context: Context;
  readonly after: bigint;
  /** What to ask the source for when the stream does not reach back; empty = all. */
  readonly slots: readonly number[];
}

/** Messages and bytes held here until they are taken, and messages under way to here. */
const MOST_HELD = 512;
const MOST_HELD_BYTES = 8_000_000;
const MOST_UNDER_WAY = 256;
/** A source that never ran has no stream: it is looked for less and less often. */
const NO_STREAM_POLL_MS = { shortest: 250, longest: 1_000 };
const IDLE_CHECK_MS = 5_000;
const RETRY_MS = 250;

/**
 * All that a context tells after a position, in order, until the signal aborts. Each fact in the
 * stream names the position of the one before, so nothing depends on sequences, retention or the
 * server's bookkeeping: where the chain has a gap (a new listener, one behind the retention, a
 * stream made anew) the source is asked to tell again.
 */
export async function* readTold(options: ReadOptions, signal: AbortSignal): AsyncGenerator<Read> {
  const { bus, context } = options;
  const manager = await managerOf(bus.connection);
  const reading: Reading = {
    ...options,
    manager,
    stream: streamName(bus.platform, context),
    askedAt: undefined,
    noStreamPollMs: NO_STREAM_POLL_MS.shortest,
  };
  let position = options.after;
  for (let failures = 0; !signal.aborted;) {
    const round = new AbortController();
    const forget = bus.onReconnect(() => round.abort());
    const roundSignal = AbortSignal.any([signal, round.signal]);
    try {
      for await (const read of readRound(reading, position, roundSignal)) {
        failures = 0;
        position = read.position;
        yield read;
      }
    } catch (error) {
      failures += 1;
      if (!roundSignal.aborted) bus.log.warn('reading is interrupted', { context, error });
      await sleep(RETRY_MS * Math.min(2 ** failures, 16), undefined, { signal: roundSignal }).catch(
        () => {},
      );
    } finally {
      forget();
      round.abort();
    }
  }
}

interface Reading extends ReadOptions {
  readonly manager: JetStreamManager;
  readonly stream: string;
  /** How far the source was asked while the stream was empty. */
  askedAt: bigint | undefined;
  noStreamPollMs: number;
}

/**
 * From where the stream's messages after the position lie, on; ends when reading has to start
 * again.
 */
async function* readRound(
  reading: Reading,
  after: bigint,
  signal: AbortSignal,
): AsyncGenerator<Read> {
  let position = after;
  const end = await unlessAborted(signal, endOf(reading));
  if (!end?.last && reading.askedAt !== position) {
    try {
      for await (const read of tellAgain(reading, position)) {
        position = read.position;
        yield read;
      }
      reading.askedAt = position;
    } catch (error) {
      // Asked again later; and when the source starts to tell, its first fact shows the gap.
      if (!isAskFailure(error)) throw error;
    }
  }
  if (!end) {
    await sleep(reading.noStreamPollMs, undefined, { signal }).catch(() => {});
    reading.noStreamPollMs = Math.min(2 * reading.noStreamPollMs, NO_STREAM_POLL_MS.longest);
    return;
  }
  reading.noStreamPollMs = NO_STREAM_POLL_MS.shortest;
  for await (const facts of messagesAfter(reading, position, signal)) {
    const news: ToldRow[] = [];
    for (const fact of facts) {
      if (fact.after > position) {
        if (news.length > 0) yield { facts: news.splice(0), position };
        for await (const read of tellAgain(reading, position, fact.after)) {
          position = read.position;
          yield read;
        }
      }
      if (fact.position <= position) continue;
      news.push(fact);
      position = fact.position;
    }
    if (news.length > 0) yield { facts: news, position };
  }
}

async function endOf({ manager, stream }: Reading): Promise<StreamEnd | undefined> {
  try {
    return await streamEnd(manager, stream);
  } catch (error) {
    if (isCode(error, STREAM_NOT_FOUND)) return undefined;
    throw error;
  }
}

/**
 * What the source told after `position`, at least up to `until`. Rejects when it does not answer.
 */
async function* tellAgain(
  reading: Reading,
  position: bigint,
  until?: bigint,
): AsyncGenerator<Read> {
  const { bus, context, slots } = reading;
  for (let after = position; ;) {
    const page = await askToTellAgain(bus, context, after, slots);
    after = page.position > after ? page.position : after;
    if (page.end && until !== undefined && after < until) {
      // It told `until` once, so its log reaches there: this one is not (yet) that log.
      throw new Error(`${context} tells again only up to ${after}, but told ${until} before`);
    }
    yield {
      facts: page.facts.map((fact) => ({ ...fact, trace: fact.trace || undefined })),
      position: after,
    };
    if (page.end || (until !== undefined && after >= until)) return;
  }
}

/**
 * The stream's messages after a position, as they come; ends when there are some that do not come.
 */
async function* messagesAfter(
  reading: Reading,
  position: bigint,
  signal: AbortSignal,
): AsyncGenerator<StreamFact[]> {
  const { bus, manager, stream } = reading;
  const start = await unlessAborted(signal, sequenceAfter(manager, stream, position));
  const consumer = await unlessAborted(
    signal,
    jetstream(bus.connection).consumers.get(stream, { opt_start_seq: start }),
  );
  const messages = await consumer.consume({ max_messages: MOST_UNDER_WAY });
  const held = new Held();
  const abort = () => void messages.close();
  signal.addEventListener('abort', abort);
  const pump = (async () => {
    for await (const message of messages) await held.put(message);
  })().then(
    () => held.end(),
    (error: unknown) => held.end(error),
  );
  try {
    let last = position;
    while (!signal.aborted) {
      const taken = await held.take(IDLE_CHECK_MS);
      if (taken === undefined) return;
      if (taken.length > 0) {
        const facts = taken.map((message) =>
          readFact(message.subject, message.headers, message.data),
        );
        last = facts.at(-1)?.position ?? last;
        yield facts;
      } else {
        const end = await unlessAborted(signal, streamEnd(manager, stream));
        const stale = end.last ? end.last.position > last : reading.askedAt !== last;
        if (stale && held.isEmpty) return;
      }
    }
  } finally {
    signal.removeEventListener('abort', abort);
    held.end();
    await messages.close();
    await pump;
    if (!bus.connection.isClosed()) consumer.delete().catch(() => {});
  }
}

/** A bounded buffer between the consumer's iterator and who takes all that is there. */
class Held {
  private messages: JsMsg[] = [];
  private bytes = 0;
  private ended = false;
  private failure: unknown;
  private news = () => {};
  private room = () => {};

  get isEmpty(): boolean {
    return this.messages.length === 0;
  }

  async put(message: JsMsg): Promise<void> {
    if (this.ended) return;
    this.messages.push(message);
    this.bytes += message.data.length;
    this.news();
    if (this.messages.length >= MOST_HELD || this.bytes >= MOST_HELD_BYTES) {
      await new Promise<void>((resolve) => {
        this.room = resolve;
      });
    }
  }

  /** Whatever is there, or comes within `waitMs` (then perhaps nothing); undefined at the end. */
  async take(waitMs: number): Promise<JsMsg[] | undefined> {
    if (this.isEmpty && !this.ended) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.news = resolve;
        timer = setTimeout(resolve, waitMs);
      });
      clearTimeout(timer);
    }
    if (this.failure !== undefined) throw this.failure;
    if (this.ended) return undefined;
    const taken = this.messages;
    this.messages = [];
    this.bytes = 0;
    this.room();
    return taken;
  }

  end(failure?: unknown): void {
    this.ended = true;
    this.failure ??= failure;
    this.news();
    this.room();
  }
}
