import type { Fault } from './dialect.ts';
import type { Payload } from './frame.ts';

/**
 * What became of a CALL. `sent: false` = the station never saw it. A time-out or a close after
 * sending means *unknown*, never *no*. `error` with `from: 'us'` = the answer came but was no valid
 * one.
 */
export type CallOutcome<Response = Payload> =
  | { readonly outcome: 'answered'; readonly payload: Response }
  | {
      readonly outcome: 'error';
      readonly from: 'station' | 'us';
      readonly code: string;
      readonly fault: Fault | undefined;
      readonly description: string;
      readonly details: Payload;
    }
  | { readonly outcome: 'timeout'; readonly sent: boolean }
  | { readonly outcome: 'closed'; readonly sent: boolean }
  | { readonly outcome: 'queue-full' };

export interface QueuedCall {
  readonly id: string;
  readonly action: string;
  readonly text: string;
  /** From now until the answer, waiting in the queue included. Real time. */
  readonly timeoutMs: number;
  readonly priority: 'high' | 'normal';
}

interface Waiting extends QueuedCall {
  readonly settle: (outcome: CallOutcome) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * One serial queue per connection: no CALL leaves while an own one is unanswered and not timed out
 * (J-42), with a lane for what must not wait behind reports (J-43).
 */
export class CallQueue {
  readonly #send: (text: string) => void;
  readonly #lengthMax: number;
  readonly #lanes: { readonly high: Waiting[]; readonly normal: Waiting[] } = {
    high: [],
    normal: [],
  };
  #inFlight: Waiting | undefined;
  #closed = false;

  constructor(send: (text: string) => void, lengthMax: number) {
    this.#send = send;
    this.#lengthMax = lengthMax;
  }

  /** CALLs that wait or are out. */
  get length(): number {
    return this.#lanes.high.length + this.#lanes.normal.length + (this.#inFlight ? 1 : 0);
  }

  push(call: QueuedCall): Promise<CallOutcome> {
    if (this.#closed) return Promise.resolve({ outcome: 'closed', sent: false });
    // The urgent lane is only refused when urgent calls fill it: reports must not keep a stop out.
    const ahead = call.priority === 'high' ? this.#lanes.high.length : this.length;
    if (ahead >= this.#lengthMax) return Promise.resolve({ outcome: 'queue-full' });
    return new Promise((settle) => {
      const waiting: Waiting = {
        ...call,
        settle,
        timer: setTimeout(() => this.#expire(waiting), call.timeoutMs),
      };
      this.#lanes[call.priority].push(waiting);
      this.#pump();
    });
  }

  /**
   * The action of the CALL that is out under this id; `undefined` = late, repeated or never ours
   * (J-26).
   */
  actionOf(id: string): string | undefined {
    return this.#inFlight?.id === id ? this.#inFlight.action : undefined;
  }

  /** The answer to the CALL that is out; false = there is none with this id. */
  settle(id: string, outcome: CallOutcome): boolean {
    const call = this.#inFlight;
    if (call?.id !== id) return false;
    this.#inFlight = undefined;
    this.#finish(call, outcome);
    this.#pump();
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const out = this.#inFlight;
    this.#inFlight = undefined;
    if (out) this.#finish(out, { outcome: 'closed', sent: true });
    for (const lane of [this.#lanes.high, this.#lanes.normal]) {
      for (const call of lane.splice(0)) this.#finish(call, { outcome: 'closed', sent: false });
    }
  }

  #pump(): void {
    if (this.#inFlight || this.#closed) return;
    const next = this.#lanes.high.shift() ?? this.#lanes.normal.shift();
    if (!next) return;
    this.#inFlight = next;
    this.#send(next.text);
  }

  #expire(call: Waiting): void {
    const sent = this.#inFlight === call;
    if (sent) this.#inFlight = undefined;
    else {
      const lane = this.#lanes[call.priority];
      lane.splice(lane.indexOf(call), 1);
    }
    this.#finish(call, { outcome: 'timeout', sent });
    this.#pump();
  }

  #finish(call: Waiting, outcome: CallOutcome): void {
    clearTimeout(call.timer);
    call.settle(outcome);
  }
}
