import { errorCode } from './dialect.ts';
import type { Fault, OcppVersion } from './dialect.ts';
import { serialiseError, serialiseResult } from './frame.ts';
import type { Call, Payload } from './frame.ts';
import type { Action16, Request16 } from './messages16.ts';
import { acceptPayload, checkPayload, messageRow } from './schemas.ts';
import type { ConnectionNotice } from './notice.ts';

interface Received<A extends string, P> {
  readonly station: string;
  readonly version: OcppVersion;
  /** The station's message id: with the text's digest it names a repeat (J-47). */
  readonly id: string;
  readonly action: A;
  /** As validated; where a station deviates, repaired and `repairs` says how. */
  readonly payload: P;
  readonly repairs: readonly string[];
  /** The frame as it came: what a journal keeps. */
  readonly text: string;
  /** Aborted when the answer is no longer wanted: out of time, or the socket is gone. */
  readonly signal: AbortSignal;
}
export type ReceivedCall = { [A in Action16]: Received<A, Request16<A>> }[Action16];

/**
 * Thrown by a handler to answer with a CALLERROR. Business refusals are answers with a status, not
 * this (J-25).
 */
export class CallRefused extends Error {
  readonly fault: Fault;
  readonly details: Payload;

  constructor(fault: Fault, description: string, details: Payload = {}) {
    super(description);
    this.name = 'CallRefused';
    this.fault = fault;
    this.details = details;
  }
}

export interface InboundOptions {
  readonly station: string;
  readonly version: OcppVersion;
  /** The answer's payload, after the message is safe on disk (J-46). */
  readonly handle: (call: ReceivedCall) => Promise<object>;
  readonly send: (text: string) => void;
  readonly notice: (notice: ConnectionNotice) => void;
  /**
   * How many handlers run at the same time. They start in the order received; 1 = strictly one
   * after the other.
   */
  readonly handlersMax: number;
  readonly waitingMax: number;
  /** Below the station's own message time-out, often 30 s (J-46). */
  readonly answerWithinMs: number;
}

/**
 * The station's CALLs: judged, handled in order, and each answered exactly once. Independent of our
 * own (J-45).
 */
export class Inbound {
  readonly #options: InboundOptions;
  readonly #waiting: { call: Call; text: string }[] = [];
  readonly #open = new Map<string, AbortController>();
  #running = 0;
  #closed = false;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  receive(call: Call, text: string): void {
    const { version, notice, waitingMax } = this.#options;
    if (this.#open.has(call.id)) {
      // J-48: the first one's answer is on its way; an error under the same id would be taken for
      // it.
      notice({ notice: 'call-repeated-while-open', id: call.id, action: call.action });
      return;
    }
    const row = messageRow(version, call.action);
    if (!row) return this.#refuse(call, 'not-implemented', 'this action is not known here');
    if (row.direction === 'to-station') {
      return this.#refuse(
        call,
        'not-supported',
        'this action goes from the central system to the station',
      );
    }
    if (this.#waiting.length >= waitingMax) {
      return this.#refuse(call, 'internal', `more than ${waitingMax} calls wait for an answer`);
    }
    this.#open.set(call.id, new AbortController());
    this.#waiting.push({ call, text });
    this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    for (const controller of this.#open.values()) controller.abort();
    this.#open.clear();
  }

  #pump(): void {
    while (!this.#closed && this.#running < this.#options.handlersMax) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#running++;
      void this.#answer(next.call, next.text).finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  async #answer(call: Call, text: string): Promise<void> {
    const { version, notice } = this.#options;
    try {
      const accepted = acceptPayload(version, call.action, 'request', call.payload);
      if (!accepted.ok) {
        return this.#refuse(call, accepted.fault.fault, accepted.fault.description);
      }
      const { payload, repairs } = accepted;
      if (repairs.length > 0) notice({ notice: 'payload-repaired', action: call.action, repairs });
      await this.#carryOut(call, { payload, repairs, text });
    } catch (error) {
      if (error instanceof CallRefused)
        return this.#refuse(call, error.fault, error.message, error.details);
      // What went wrong here is nobody's business out there.
      notice({ notice: 'handler-failed', action: call.action, error });
      this.#refuse(call, 'internal', '');
    }
  }

  async #carryOut(
    call: Call,
    read: { payload: Payload; repairs: readonly string[]; text: string },
  ): Promise<void> {
    const { station, version, notice } = this.#options;
    const controller = this.#open.get(call.id);
    if (!controller) return;
    const received = {
      station,
      version,
      id: call.id,
      action: call.action,
      signal: controller.signal,
      ...read,
    };
    // The schema has just said what the type says.
    const answer = await this.#inTime(received as unknown as ReceivedCall, controller);
    const fault = checkPayload(version, call.action, 'response', answer);
    if (fault) {
      notice({
        notice: 'own-answer-invalid',
        action: call.action,
        description: fault.description,
      });
      return this.#refuse(call, 'internal', '');
    }
    this.#reply(call.id, serialiseResult(call.id, answer as Payload));
  }

  async #inTime(received: ReceivedCall, controller: AbortController): Promise<object> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      controller.abort();
      late.reject(
        new Error(`${received.action} was not answered within ${this.#options.answerWithinMs} ms`),
      );
    }, this.#options.answerWithinMs);
    try {
      return await Promise.race([this.#options.handle(received), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #refuse(call: Call, fault: Fault, description: string, details: Payload = {}): void {
    const { version, notice } = this.#options;
    notice({
      notice: 'call-refused',
      action: call.action,
      code: errorCode(version, fault),
      description,
    });
    this.#reply(call.id, serialiseError(version, { id: call.id, fault, description, details }));
  }

  #reply(id: string, text: string): void {
    this.#open.delete(id);
    if (!this.#closed) this.#options.send(text);
  }
}
