import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { CallQueue } from './call-queue.ts';
import type { CallOutcome } from './call-queue.ts';
import { connectionLimits, PayloadInvalid } from './connection-options.ts';
import type {
  CallOptions,
  Closed,
  ConnectionLimits,
  ConnectionOptions,
} from './connection-options.ts';
import { errorCode, faultOf } from './dialect.ts';
import type { OcppVersion } from './dialect.ts';
import { frameLimits, parseFrame, serialiseCall } from './frame.ts';
import type { CallError, CallResult, FrameProblem, Payload } from './frame.ts';
import { Inbound } from './inbound.ts';
import type { Action16, Request16, Response16 } from './messages16.ts';
import type { ConnectionNotice } from './notice.ts';
import { acceptPayload, checkPayload } from './schemas.ts';

/**
 * OCPP-J over one open WebSocket, from the central system's side. Attach it in the same turn in
 * which
 * the socket opened: messages before that would be lost.
 */
export class OcppConnection {
  readonly station: string;
  readonly version: OcppVersion;
  readonly #ws: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #limits: ConnectionLimits;
  readonly #calls: CallQueue;
  readonly #inbound: Inbound;
  readonly #pings: NodeJS.Timeout | undefined;
  #heard = true;
  #silences = 0;
  #badFrames = 0;
  #cause: Closed['cause'] = 'peer';
  #closing = false;

  constructor(ws: WebSocket, options: ConnectionOptions) {
    this.#ws = ws;
    this.#options = options;
    this.#limits = { ...connectionLimits, ...options.limits };
    this.station = options.station;
    this.version = options.version;
    const send = (text: string): void => this.#send(text);
    this.#calls = new CallQueue(send, this.#limits.callsWaitingMax);
    this.#inbound = new Inbound({
      station: options.station,
      version: options.version,
      handle: options.handle,
      send,
      notice: (notice) => this.#notice(notice),
      handlersMax: this.#limits.handlersMax,
      waitingMax: this.#limits.inboundWaitingMax,
      answerWithinMs: this.#limits.answerWithinMs,
    });
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary));
    ws.on('ping', () => (this.#heard = true));
    ws.on('pong', () => (this.#heard = true));
    ws.on('error', (error) => this.#notice({ notice: 'socket-error', error }));
    ws.on('close', (code, reason) => this.#closed(code, reason.toString()));
    if (this.#limits.pingIntervalMs > 0) {
      this.#pings = setInterval(() => this.#ping(), this.#limits.pingIntervalMs);
    }
  }

  get open(): boolean {
    return !this.#closing && this.#ws.readyState === WebSocket.OPEN;
  }

  /** Own CALLs that wait or are out. */
  get callsWaiting(): number {
    return this.#calls.length;
  }

  /**
   * Sends a CALL when its turn comes and resolves to what became of it; rejects only with
   * `PayloadInvalid`. The answer is validated: one that breaks its schema is `error` from `us`
   * (J-27).
   */
  async call<A extends Action16>(
    action: A,
    payload: Request16<A>,
    options: CallOptions = {},
  ): Promise<CallOutcome<Response16<A>>> {
    const fault = checkPayload(this.version, action, 'request', payload);
    if (fault) throw new PayloadInvalid(action, fault.field, fault.description);
    if (!this.open) return { outcome: 'closed', sent: false };
    const id = randomUUID();
    const outcome = await this.#calls.push({
      id,
      action,
      text: serialiseCall(id, action, payload as Payload),
      timeoutMs: options.timeoutMs ?? this.#limits.callTimeoutMs,
      priority: options.priority ?? 'normal',
    });
    // The answer was validated against the schema of this action before it was settled.
    return outcome as unknown as CallOutcome<Response16<A>>;
  }

  /**
   * Ends the connection: waiting CALLs resolve as `closed` at once. 1000 = done, 1001 = we go away,
   * 1008 = policy (replaced by a newer connection, station deleted).
   */
  close(code = 1000, reason = ''): void {
    this.#shut('us', code, reason);
  }

  /** Drops the socket without a word. */
  terminate(): void {
    if (!this.#closing) this.#cause = 'us';
    this.#closing = true;
    this.#ws.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#heard = true;
    if (this.#closing) return;
    if (isBinary) {
      return this.#bad(
        { type: 'problem', problem: 'not-json', detail: 'a binary frame' },
        'binary',
      );
    }
    const text = data.toString();
    this.#options.onFrame?.('in', text);
    const frame = parseFrame(text, this.version, { ...frameLimits });
    switch (frame.type) {
      case 'problem':
        return this.#bad(frame, frame.problem);
      case 'call':
        this.#badFrames = 0;
        return this.#inbound.receive(frame, text);
      case 'result':
        return this.#answered(frame);
      case 'error':
        return this.#failed(frame);
      case 'send':
      case 'result-error':
        // OCPP 2.1 only; its messages are not in the table yet. Neither is ever answered (J-27,
        // J-28).
        return this.#notice({ notice: 'answer-dropped', id: frame.id });
    }
  }

  #answered({ id, payload }: CallResult): void {
    const action = this.#calls.actionOf(id);
    if (action === undefined) return this.#notice({ notice: 'answer-dropped', id });
    this.#badFrames = 0;
    const accepted = acceptPayload(this.version, action, 'response', payload);
    if (!accepted.ok) {
      const { fault, description } = accepted.fault;
      this.#notice({ notice: 'answer-invalid', action, description });
      this.#calls.settle(id, this.#unusable(errorCode(this.version, fault), description));
      return;
    }
    if (accepted.repairs.length > 0) {
      this.#notice({ notice: 'payload-repaired', action, repairs: accepted.repairs });
    }
    this.#calls.settle(id, { outcome: 'answered', payload: accepted.payload });
  }

  #failed({ id, code, description, details }: CallError): void {
    const settled = this.#calls.settle(id, {
      outcome: 'error',
      from: 'station',
      code,
      fault: faultOf(code),
      description,
      details,
    });
    if (!settled) this.#notice({ notice: 'answer-dropped', id });
  }

  #unusable(code: string, description: string): CallOutcome {
    return { outcome: 'error', from: 'us', code, fault: faultOf(code), description, details: {} };
  }

  #bad(bad: FrameProblem, name: FrameProblem['problem'] | 'binary'): void {
    this.#notice({ notice: 'frame-unreadable', problem: name, detail: bad.detail });
    if (bad.fails !== undefined) {
      const code = errorCode(this.version, 'formation');
      const settled = this.#calls.settle(bad.fails, this.#unusable(code, bad.detail));
      if (!settled) this.#notice({ notice: 'answer-dropped', id: bad.fails });
    }
    if (++this.#badFrames > this.#limits.badFramesMax) {
      return this.#shut('bad-frames', 1002, 'too many unreadable messages');
    }
    if (bad.reply !== undefined) this.#send(bad.reply);
  }

  #send(text: string): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    if (this.#ws.bufferedAmount > this.#limits.unsentBytesMax) {
      this.#cause = 'not-reading';
      this.#closing = true;
      return this.#ws.terminate();
    }
    this.#options.onFrame?.('out', text);
    this.#ws.send(text);
  }

  #ping(): void {
    this.#silences = this.#heard ? 0 : this.#silences + 1;
    this.#heard = false;
    if (this.#silences >= 2) {
      if (!this.#closing) this.#cause = 'silent';
      this.#closing = true;
      return this.#ws.terminate();
    }
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping();
  }

  #shut(cause: Closed['cause'], code: number, reason: string): void {
    if (this.#closing || this.#ws.readyState === WebSocket.CLOSED) return;
    this.#closing = true;
    this.#cause = cause;
    this.#ws.close(code, reason);
    this.#calls.close();
    this.#inbound.close();
    const timer = setTimeout(() => this.#ws.terminate(), this.#limits.closeWithinMs);
    timer.unref();
    this.#ws.once('close', () => clearTimeout(timer));
  }

  #closed(code: number, reason: string): void {
    clearInterval(this.#pings);
    this.#closing = true;
    this.#calls.close();
    this.#inbound.close();
    this.#options.onClosed?.({ cause: this.#cause, code, reason });
  }

  #notice(notice: ConnectionNotice): void {
    this.#options.onNotice?.(notice);
  }
}
