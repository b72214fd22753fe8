import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { inSpan, type Log, type Tracer, withTraceparent } from '#telemetry';
import { MOST_ITEMS } from './asking.ts';
import { type BusCode, LARGEST_ITEM_BYTES } from './failures.ts';
import { type Answered, refusal, refusalFor } from './handling.ts';
import { type AnswerItem, type AskBatch, type AskItem, readAskBatch, whole, writeAnswerBatch, type Written } from './wire.ts';

/** Messages of one subject that are handled at the same time, and that wait for it, per process. */
const MOST_RUNNING = 32;
const MOST_WAITING = 512;
const CLOSE_MS = 10_000;

export interface AnsweringOptions {
  readonly connection: NatsConnection;
  readonly subject: string;
  /** Replicas that share the asks; absent for the one holder of an id. */
  readonly queue?: string | undefined;
  /** Each message is one ask, which may wait for somebody outside. */
  readonly alone?: boolean;
  /** For so long what arrives now may have lain there. */
  readonly mayLieMs: () => number;
  /** For spans and logs: context.verb. */
  readonly name: string;
  readonly tracer: Tracer;
  readonly log: Log;
}

const TOO_LATE = 'whoever asked had given up before this could be begun; nothing was done';

interface Arrived {
  readonly message: Msg;
  /** When it came at the earliest. */
  readonly sinceMs: number;
}

export interface Answering {
  /** Takes no more, and waits for what is being handled. */
  stop(): Promise<void>;
}

/**
 * Answers the asks to a subject; `handle` gives as many answers as it gets items, in their order.
 */
export function startAnswering(
  options: AnsweringOptions,
  handle: (items: readonly AskItem[]) => Promise<Answered[]>,
): Answering {
  const { connection, subject, queue, name, tracer, log } = options;
  // As many asks as messages of many would carry: who is silent outside holds up nobody else.
  const times = options.alone ? MOST_ITEMS : 1;
  const waiting: Arrived[] = [];
  const running = new Set<Promise<void>>();

  const answer = async ({ message, sinceMs }: Arrived): Promise<void> => {
    const asked = askedIn(message);
    if (!asked) return;
    const waitedMs = performance.now() - sinceMs;
    const isLate = ({ patienceMs = 0 }: AskItem) => patienceMs > 0 && waitedMs >= patienceMs;
    const items = asked.items.filter((item) => !isLate(item));
    const answers = items.length === 0 ? [] : await withTraceparent(message.headers?.get('traceparent'), () =>
      inSpan(tracer, `answer ${name}`, { requests: items.length }, () =>
        handle(items).catch((error: unknown) => items.map(() => refusalFor(error, name, log))),
      ),
    );
    if (items.length === asked.items.length) return reply(message, answers, asked.parts);
    log.warn('asks came too late and are not carried out', { name, late: asked.items.length - items.length, waitedMs: Math.round(waitedMs) });
    const inTime = answers.values();
    reply(message, asked.items.map((item) => (isLate(item) ? refusal('too-late' satisfies BusCode, TOO_LATE) : inTime.next().value!)), asked.parts);
  };
  const start = (arrived: Arrived): void => {
    const run = answer(arrived)
      .catch((error: unknown) => log.error('an answer could not be sent', { subject, error }))
      .finally(() => {
        running.delete(run);
        const next = waiting.shift();
        if (next) start(next);
      });
    running.add(run);
  };
  const subscription = connection.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback: (error, message) => {
      if (error) return log.error('asks are not heard', { subject, error });
      const arrived = { message, sinceMs: performance.now() - options.mayLieMs() };
      if (running.size < MOST_RUNNING * times) start(arrived);
      else if (waiting.length < MOST_WAITING * times) waiting.push(arrived);
      else refuseOverloaded(message);
    },
  });

  return {
    async stop() {
      const patience = AbortSignal.timeout(CLOSE_MS);
      const givenUp = new Promise<void>((resolve) =>
        patience.addEventListener('abort', () => resolve()),
      );
      if (!connection.isClosed()) {
        await Promise.race([subscription.drain().catch(() => {}), givenUp]);
      }
      while (running.size > 0 && !patience.aborted) await Promise.race([...running, givenUp]);
    },
  };
}

/**
 * The requests out of the envelope; an envelope that cannot be read is refused and gives nothing.
 */
function askedIn(message: Msg): AskBatch | undefined {
  try {
    return readAskBatch(message.data);
  } catch (error) {
    reply(message, [refusal('malformed' satisfies BusCode, `not an AskBatch: ${String(error)}`)], false);
    return undefined;
  }
}

function refuseOverloaded(message: Msg): void {
  const asked = askedIn(message);
  if (!asked) return;
  const refused = refusal('overloaded' satisfies BusCode, 'too much waits here already; nothing was done');
  reply(message, asked.items.map(() => refused), asked.parts);
}

/** In as many messages as the answers' bytes need: one above 1 MB would not arrive at all. A part takes one for itself. */
function reply(message: Msg, answers: readonly Answered[], inParts: boolean): void {
  let items: AnswerItem<Uint8Array | Written>[] = [];
  let bytes = 0;
  const send = (next: number) => {
    if (items.length > 0) message.respond(writeAnswerBatch({ first: next - items.length, items }));
    [items, bytes] = [[], 0];
  };
  for (const [index, answered] of answers.entries()) {
    if (inParts && 'parts' in answered && answered.parts.length > 1) {
      send(index);
      for (const [part, answer] of answered.parts.entries()) {
        items.push({ answer, part, more: part < answered.parts.length - 1 });
        send(index + 1);
      }
      continue;
    }
    const item = 'parts' in answered ? { answer: whole(answered.parts) } : answered;
    const size = 'answer' in item ? item.answer.length : 3 * (item.refusal.detail.length + item.refusal.code.length);
    if (bytes + size > LARGEST_ITEM_BYTES) send(index);
    items.push(item);
    bytes += size;
  }
  send(answers.length);
}
