import type { OcppVersion } from './dialect.ts';
import type { ReceivedCall } from './inbound.ts';
import type { ConnectionNotice } from './notice.ts';

/** All in real time, never platform time: sockets do not run faster than life. */
export interface ConnectionLimits {
  readonly callTimeoutMs: number;
  readonly callsWaitingMax: number;
  readonly handlersMax: number;
  readonly inboundWaitingMax: number;
  readonly answerWithinMs: number;
  /** 0 = no pings. Two silent intervals end the connection (J-60). */
  readonly pingIntervalMs: number;
  readonly badFramesMax: number;
  /** A station that no longer reads may not fill our memory. */
  readonly unsentBytesMax: number;
  readonly closeWithinMs: number;
}
export const connectionLimits: ConnectionLimits = {
  callTimeoutMs: 30_000,
  callsWaitingMax: 100,
  handlersMax: 1,
  inboundWaitingMax: 100,
  answerWithinMs: 20_000,
  pingIntervalMs: 30_000,
  badFramesMax: 50,
  unsentBytesMax: 4 * 1024 * 1024,
  closeWithinMs: 2_000,
};

/**
 * Why the socket closed: the peer or the network, our own `close`, or one of the reasons we close
 * for by ourselves.
 */
export interface Closed {
  readonly cause: 'peer' | 'us' | 'silent' | 'bad-frames' | 'not-reading';
  readonly code: number;
  readonly reason: string;
}

export interface ConnectionOptions {
  readonly station: string;
  readonly version: OcppVersion;
  /**
   * Answers the station's CALLs: resolves to the response's payload, or rejects with `CallRefused`.
   */
  readonly handle: (call: ReceivedCall) => Promise<object>;
  readonly onClosed?: (closed: Closed) => void;
  readonly onNotice?: (notice: ConnectionNotice) => void;
  /** Every text that travels, before it is read or sent: for a journal or a trace. */
  readonly onFrame?: (direction: 'in' | 'out', text: string) => void;
  readonly limits?: Partial<ConnectionLimits>;
}

export interface CallOptions {
  /** Until the answer, waiting included. */
  readonly timeoutMs?: number;
  /** `high`: stops and unlocks go before reports and profiles (J-43). */
  readonly priority?: 'high' | 'normal';
}

/** A payload of ours breaks the schema: a mistake of the caller, nothing was sent. */
export class PayloadInvalid extends Error {
  readonly field: string;

  constructor(action: string, field: string, description: string) {
    super(`${action}: ${description}`);
    this.name = 'PayloadInvalid';
    this.field = field;
  }
}
