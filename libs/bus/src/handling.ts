import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Rejected } from '#decider';
import type { Log } from '#telemetry';
import type { AskContract } from './contract.ts';
import { type BusCode, LARGEST_ITEM_BYTES, passes, Refused } from './failures.ts';
import { isLostDatabase } from './patience.ts';
import type { AnswerItem, AskItem, Written } from './wire.ts';

/**
 * An answer that its handler writes, for large ones: in parts, which are messages of the contract's kind that are merged
 * into it. Each is written where it is sent from and travels by itself: a long message is copied over and over where it
 * arrives, a short one is not.
 */
export class WrittenAnswer {
  constructor(readonly parts: readonly (Uint8Array | Written)[]) {}
}

/** What goes back for one request. */
export type Answered = Pick<WrittenAnswer, 'parts'> | Extract<AnswerItem, { refusal: unknown }>;

/** What a handler gives for one request: the answer (a plain object will do) or why not. */
export type Outcome<Answer extends DescMessage> =
  MessageInitShape<Answer> | WrittenAnswer | Rejected | Refused;

/** What came with the requests, beside them. */
export interface Asked {
  /** One per request, '' where the asker gave none. The same id again is the same command again. */
  readonly commandIds: readonly string[];
}

/**
 * Answers requests that parsed and passed the contract's `check`: as many outcomes as requests, in
 * their order. Throwing a `Rejected` refuses them all; any other error is a bug.
 */
export type AnswersHandler<Request extends DescMessage, Answer extends DescMessage> = (
  requests: MessageShape<Request>[],
  asked: Asked,
) => Outcome<Answer>[] | Promise<Outcome<Answer>[]>;

/**
 * The handler between bytes: what cannot be parsed or fails `check` is refused before it is called.
 */
export function handling<Q extends DescMessage, A extends DescMessage>(
  contract: AskContract<Q, A>,
  handler: AnswersHandler<Q, A>,
  log: Log,
): (items: readonly AskItem[]) => Promise<Answered[]> {
  const name = `${contract.context}.${contract.verb}`;
  return async (items) => {
    const parsed = items.map((item) => parse(contract, item.request));
    const places = parsed.flatMap((each, place) => ('message' in each ? [place] : []));
    const requests = parsed.flatMap((each) => ('message' in each ? [each.message] : []));
    const answers: Answered[] = parsed.map((each) => refusal('malformed', 'wrong' in each ? each.wrong : ''));
    if (requests.length === 0) return answers;
    const asked = { commandIds: places.map((place) => items[place]?.commandId ?? '') };
    let handled: (outcome: number) => Answered;
    try {
      const outcomes = await handler(requests, asked);
      if (!Array.isArray(outcomes) || outcomes.length !== requests.length) {
        throw new TypeError(`${requests.length} requests got ${outcomes?.length ?? 'no'} outcomes`);
      }
      handled = (index) => answerFor(contract, outcomes[index] as Outcome<A>, log);
    } catch (error) {
      const all = refusalFor(error, name, log);
      handled = () => all;
    }
    for (const [index, place] of places.entries()) answers[place] = handled(index);
    return answers;
  };
}

export function refusal(code: string, detail: string): Answered {
  return { refusal: { code, detail } };
}

function parse<Q extends DescMessage>(
  contract: AskContract<Q>,
  bytes: Uint8Array,
): { readonly message: MessageShape<Q> } | { readonly wrong: string } {
  try {
    const message = fromBinary(contract.request, bytes);
    const wrong = contract.check(message);
    return wrong === undefined ? { message } : { wrong };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { wrong: `not a ${contract.request.typeName}: ${why}` };
  }
}

function answerFor<A extends DescMessage>(
  contract: AskContract<DescMessage, A>,
  outcome: Outcome<A>,
  log: Log,
): Answered {
  const name = `${contract.context}.${contract.verb}`;
  if (outcome instanceof Error) return refusalFor(outcome, name, log);
  try {
    const parts = outcome instanceof WrittenAnswer
      ? outcome.parts
      : [toBinary(contract.answer, create(contract.answer, outcome))];
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    if (size <= LARGEST_ITEM_BYTES) return { parts };
    return refusal(
      'too-large' satisfies BusCode,
      `the answer of ${name} has ${size} bytes, more than ${LARGEST_ITEM_BYTES}`,
    );
  } catch (error) {
    return refusalFor(error, name, log);
  }
}

const BUS_CODES = new Set<string>([
  'malformed',
  'internal',
  'unanswered',
  'overloaded',
  'too-late',
  'too-large',
] satisfies BusCode[]);

/** A bug's stack goes to the log, never over the wire. */
export function refusalFor(error: unknown, name: string, log: Log): Answered {
  if (error instanceof Rejected) return refusal(error.code, error.detail);
  // What another service refused goes on to who asked us, unless it says that our own asking was
  // wrong.
  if (error instanceof Refused && !BUS_CODES.has(error.code)) {
    return refusal(error.code, error.detail);
  }
  if (error instanceof Error && passes(error)) {
    log.warn('an ask waits for somebody who does not answer', { ask: name, error: error.message });
    return refusal('unanswered' satisfies BusCode, error.message);
  }
  if (isLostDatabase(error)) {
    log.warn('an ask waits for the database', { ask: name, error: error.message });
    return refusal('unanswered' satisfies BusCode, `${name}: the database cannot be used now (${error.failure})`);
  }
  log.error('an ask ended in a bug', { ask: name, error });
  return refusal('internal' satisfies BusCode, `${name} failed`);
}
