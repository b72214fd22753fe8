import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { OcppVersion } from './dialect.ts';
import { frameLimits } from './frame.ts';
import { basicCredentials, identityOf, negotiate, offeredProtocols } from './handshake.ts';
import type { BasicCredentials } from './handshake.ts';

/** Who knocks. Match `credentials.user` and the identity: the URL alone proves nothing (J-05). */
export interface Handshake {
  readonly identity: string;
  readonly offered: readonly string[];
  readonly credentials: BasicCredentials | undefined;
  readonly request: IncomingMessage;
}

/**
 * 101 = may come in with one of the enabled versions. 401 = wrong or missing password (J-06),
 * 404 = unknown identity (J-04), 403 = another security profile (J-13), 503 = we cannot tell now.
 */
export type Admission =
  | { readonly status: 101; readonly enabled: readonly OcppVersion[] }
  | { readonly status: 401 | 403 | 404 | 503 }
  /** Too many wrong passwords came from there. */
  | { readonly status: 429; readonly retryAfterS: number };

export interface Admitted {
  readonly identity: string;
  readonly version: OcppVersion;
  readonly request: IncomingMessage;
}

export interface UpgradeOptions {
  readonly admit: (handshake: Handshake) => Promise<Admission>;
  /** Called in the turn in which the socket opens: make the `OcppConnection` here. */
  readonly connected: (ws: WebSocket, admitted: Admitted) => void;
  /** A handshake that ended without a connection, for the log. */
  readonly refused?: (identity: string | undefined, why: string) => void;
}

/** The WebSocket handshake of a central system: authentication first, then the switch (J-06). */
export class OcppUpgrade {
  readonly #options: UpgradeOptions;
  readonly #server: WebSocketServer;
  readonly #versions = new WeakMap<IncomingMessage, OcppVersion>();

  constructor(options: UpgradeOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: frameLimits.bytesMax,
      perMessageDeflate: false,
      // `false` leaves the header out: the handshake completes without a subprotocol (J-08).
      handleProtocols: (_offered, request) => this.#versions.get(request) ?? false,
    });
  }

  /** For `server.on('upgrade', …)`. */
  readonly handle = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Until ws takes over, a peer that resets the connection must not end the process.
    const ignore = (): void => void socket.destroy();
    socket.on('error', ignore);
    this.#upgrade(request, socket, head, ignore).catch((error: unknown) => {
      this.#options.refused?.(identityOf(request.url), `admission failed: ${String(error)}`);
      refuse(socket, 503);
    });
  };

  async #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    ignore: () => void,
  ): Promise<void> {
    const identity = identityOf(request.url);
    if (identity === undefined) {
      this.#options.refused?.(undefined, 'the URL holds no identity');
      return refuse(socket, 404);
    }
    const offered = offeredProtocols(request.headers['sec-websocket-protocol']);
    const credentials = basicCredentials(request.headers.authorization);
    const admission = await this.#admit({ identity, offered, credentials, request });
    if (admission.status !== 101) {
      this.#options.refused?.(identity, `${admission.status} ${STATUS_CODES[admission.status]}`);
      return refuse(socket, admission.status, admission.status === 429 ? admission.retryAfterS : undefined);
    }
    const version = negotiate(offered, admission.enabled);
    if (version) this.#versions.set(request, version);
    socket.off('error', ignore);
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      if (version) return this.#options.connected(ws, { identity, version, request });
      this.#options.refused?.(
        identity,
        `none of its versions is enabled: ${offered.join(', ').slice(0, 100)}`,
      );
      ws.on('error', () => ws.terminate());
      ws.close(1002, 'no common subprotocol');
    });
  }

  async #admit(handshake: Handshake): Promise<Admission> {
    const late = Promise.withResolvers<Admission>();
    const timer = setTimeout(() => late.resolve({ status: 503 }), ADMIT_WITHIN_MS);
    try {
      return await Promise.race([this.#options.admit(handshake), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const ADMIT_WITHIN_MS = 10_000;
const RETRY_AFTER_S = 10;

function refuse(socket: Duplex, status: 401 | 403 | 404 | 429 | 503, retryAfterS = RETRY_AFTER_S): void {
  if (socket.destroyed) return;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Length: 0',
  ];
  if (status === 401) lines.push('WWW-Authenticate: Basic realm="ocpp", charset="UTF-8"');
  if (status === 429 || status === 503) lines.push(`Retry-After: ${retryAfterS}`);
  socket.end(`${lines.join('\r\n')}\r\n\r\n`, () => socket.destroy());
}
