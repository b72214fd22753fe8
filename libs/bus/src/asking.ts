import {
  createInbox,
  headers,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { Refused, Unanswered } from './failures.ts';
import { type AnswerItem, readAnswerBatch, writeAskBatch } from './wire.ts';

/** Of one message. */
export const MOST_ITEMS = 64;
const MOST_BYTES = 512_000;
/**
 * How long an ask waits for company: a millisecond for each message to the same subject that is under
 * way, so that messages grow with the load and a quiet moment costs nothing.
 */
const COMPANY_MS = 1;
const MOST_COMPANY_MS = 8;
/** Who answers may come back a little later than we do: nobody there is then not yet an answer. */
const SETTLING_MS = 1_500;
const SETTLING_PAUSE_MS = 50;
/** Items held for one subject, and subjects, while there is no connection; more are answered `offline` at once. */
const MOST_HELD = 1_000;

export interface Outgoing {
  readonly subject: string;
  readonly request: Uint8Array;
  readonly commandId: string;
  readonly timeoutMs: number;
  readonly traceparent: string | undefined;
  /** In a message of its own. */
  readonly alone?: boolean;
}

interface Waiting extends Outgoing {
  readonly untilMs: number;
  /** From when it is sent. */
  patienceMs: number;
  state: 'held' | 'sent' | 'settled';
  flight: string;
  /** Of an answer that comes in several. */
  readonly parts: Uint8Array[];
  readonly timer: NodeJS.Timeout;
  answer(item: AnswerItem): void;
  fail(error: Error): void;
}

/** The messages of one subject that are gathering, and how many are under way. */
interface Lane {
  held: Waiting[];
  bytes: number;
  underWay: number;
  alarm: NodeJS.Timeout | NodeJS.Immediate | undefined;
}

interface Flight {
  readonly lane: string;
  readonly items: readonly Waiting[];
  left: number;
}

/**
 * The asking half of the bus. What is asked of one subject in one turn of the event loop travels as
 * one message; while it is under way, more gathers for some milliseconds. Only asks of one trace
 * share a message, so that each trace stays whole. Without a connection asks are held until their
 * time is up: an ask that never left is `offline`, one that did is `unknown`.
 */
export class Asking {
  private readonly lanes = new Map<string, Lane>();
  private readonly flights = new Map<string, Flight>();
  private readonly inbox: string;
  private readonly replies: Subscription;
  private count = 0;
  private connected = true;
  private reconnectedAt = -Infinity;

  constructor(
    private readonly connection: NatsConnection,
    inboxPrefix: string,
  ) {
    this.inbox = createInbox(inboxPrefix);
    this.replies = connection.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.arrived(message);
      },
    });
  }

  /** Messages that are merged into the answer, most often one. Rejects with `Refused` or `Unanswered`. */
  ask(outgoing: Outgoing): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        ...outgoing,
        state: 'held',
        untilMs: performance.now() + outgoing.timeoutMs,
        patienceMs: 0,
        flight: '',
        parts: [],
        timer: setTimeout(() => this.lost(waiting), outgoing.timeoutMs),
        answer: (item) =>
          settle(() =>
            'answer' in item
              ? resolve([...waiting.parts, item.answer])
              : reject(new Refused(item.refusal.code, item.refusal.detail)),
          ),
        fail: (error) => settle(() => reject(error)),
      };
      const settle = (how: () => void) => {
        if (waiting.state === 'settled') return;
        waiting.state = 'settled';
        clearTimeout(waiting.timer);
        how();
      };
      this.hold(waiting);
    });
  }

  disconnected(): void {
    this.connected = false;
  }

  reconnected(): void {
    this.connected = true;
    this.reconnectedAt = performance.now();
    for (const name of this.lanes.keys()) this.send(name);
  }

  /** Nothing more is sent; what waits is `offline` when it never left, else `unknown`. */
  close(): void {
    this.connected = false;
    const all = [...this.lanes.values()].flatMap((lane) => lane.held);
    for (const flight of this.flights.values()) all.push(...flight.items);
    for (const waiting of all) this.lost(waiting);
    this.lanes.clear();
    this.flights.clear();
    this.replies.unsubscribe();
  }

  private hold(waiting: Waiting): void {
    const name = waiting.alone ? `${waiting.subject} ${(this.count += 1)}` : laneOf(waiting);
    if ((this.lanes.get(name)?.bytes ?? 0) + waiting.request.length > MOST_BYTES) this.send(name);
    let lane = this.lanes.get(name);
    if (!this.connected && (lane ? lane.held.length : this.lanes.size) >= MOST_HELD) {
      waiting.fail(new Unanswered('offline', waiting.subject, true));
      return;
    }
    if (!lane) this.lanes.set(name, (lane = { held: [], bytes: 0, underWay: 0, alarm: undefined }));
    lane.held.push(waiting);
    lane.bytes += waiting.request.length;
    if (lane.held.length >= MOST_ITEMS) this.send(name);
    else if (lane.underWay === 0) lane.alarm ??= setImmediate(() => this.send(name));
    else lane.alarm ??= setTimeout(() => this.send(name), Math.min(lane.underWay * COMPANY_MS, MOST_COMPANY_MS));
  }

  private send(name: string): void {
    const lane = this.lanes.get(name);
    if (!lane) return;
    clearAlarm(lane);
    while (this.connected && lane.held.length > 0) {
      const items: Waiting[] = [];
      let bytes = 0;
      for (const item of lane.held) {
        if (
          items.length === MOST_ITEMS ||
          (items.length > 0 && bytes + item.request.length > MOST_BYTES)
        )
          break;
        items.push(item);
        bytes += item.request.length;
      }
      lane.held = lane.held.slice(items.length);
      lane.bytes -= bytes;
      const live = items.filter((item) => item.state === 'held');
      if (live.length > 0) this.launch(name, lane, live);
    }
    if (lane.held.length === 0 && lane.underWay === 0) this.lanes.delete(name);
  }

  private launch(name: string, lane: Lane, items: readonly Waiting[]): void {
    const [first] = items as readonly [Waiting];
    const id = (this.count += 1).toString(36);
    this.flights.set(id, { lane: name, items, left: items.length });
    lane.underWay += 1;
    const now = performance.now();
    for (const item of items) {
      Object.assign(item, { state: 'sent', flight: id, patienceMs: Math.max(1, Math.ceil(item.untilMs - now)) });
    }
    const options = { reply: `${this.inbox}.${id}` };
    try {
      this.connection.publish(
        first.subject,
        writeAskBatch({ items, parts: true }),
        first.traceparent === undefined
          ? options
          : { ...options, headers: traceHeader(first.traceparent) },
      );
    } catch {
      // The connection is closed or closing: nothing was sent.
      this.land(id, () => new Unanswered('offline', first.subject));
    }
  }

  private arrived(message: Msg): void {
    const id = message.subject.slice(this.inbox.length + 1);
    const flight = this.flights.get(id);
    if (!flight) return;
    if (message.data.length === 0 && message.headers?.code === 503) {
      if (performance.now() - this.reconnectedAt < SETTLING_MS) this.sendAgain(id, flight);
      else this.land(id, (subject) => new Unanswered('offline', subject));
      return;
    }
    try {
      const { first, items } = readAnswerBatch(message.data);
      for (const [index, item] of items.entries()) this.answered(id, flight, first + index, item);
    } catch (error) {
      this.land(
        id,
        () => new Refused('internal', `an answer that cannot be read: ${String(error)}`),
      );
    }
  }

  /** Nothing was done: what is left goes back to its lane. */
  private sendAgain(id: string, flight: Flight): void {
    const lane = this.lanes.get(flight.lane);
    const left = flight.items.filter((item) => item.state === 'sent');
    for (const item of left) item.state = 'held';
    lane?.held.unshift(...left);
    if (lane) lane.bytes += left.reduce((sum, item) => sum + item.request.length, 0);
    this.flights.delete(id);
    setTimeout(() => {
      if (lane) lane.underWay -= 1;
      this.send(flight.lane);
    }, SETTLING_PAUSE_MS);
  }

  private answered(id: string, flight: Flight, index: number, item: AnswerItem): void {
    const waiting = flight.items[index];
    if (!waiting || waiting.state === 'settled') return;
    if ('answer' in item) {
      // What is sent while a connection is away is lost: the parts behind it are no answer.
      if ((item.part ?? 0) !== waiting.parts.length) return this.lost(waiting);
      if (item.more) return void waiting.parts.push(item.answer);
    }
    waiting.answer(item);
    this.oneLess(id, flight);
  }

  /** In time, or in part. */
  private lost(waiting: Waiting): void {
    const sent = waiting.state === 'sent';
    waiting.fail(new Unanswered(sent ? 'unknown' : 'offline', waiting.subject, !this.connected));
    const flight = this.flights.get(waiting.flight);
    if (flight) this.oneLess(waiting.flight, flight);
  }

  private oneLess(id: string, flight: Flight): void {
    flight.left -= 1;
    if (flight.left === 0) this.land(id);
  }

  /** Ends a flight; whoever still waits in it gets `failure`. */
  private land(id: string, failure?: (subject: string) => Error): void {
    const flight = this.flights.get(id);
    if (!flight) return;
    this.flights.delete(id);
    if (failure) for (const item of flight.items) item.fail(failure(item.subject));
    const lane = this.lanes.get(flight.lane);
    if (!lane) return;
    lane.underWay -= 1;
    if (lane.underWay === 0) this.send(flight.lane);
  }
}

function laneOf({ subject, traceparent }: Outgoing): string {
  // traceparent = version-traceId-spanId-flags
  return traceparent === undefined ? subject : `${subject} ${traceparent.slice(3, 35)}`;
}

function clearAlarm(lane: Lane): void {
  if (lane.alarm === undefined) return;
  clearTimeout(lane.alarm as NodeJS.Timeout);
  clearImmediate(lane.alarm as NodeJS.Immediate);
  lane.alarm = undefined;
}

function traceHeader(traceparent: string) {
  const made = headers();
  made.set('traceparent', traceparent);
  return made;
}
