import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Answer, answers, dateTimeOf, envelope } from '#ocpi';
import type { Clock } from '#time';
import type { OcpiSettings } from './config.ts';

/** No object crosses the bus that is longer. */
export const BODY_BYTES_MAX = 1_000_000;
const HEADER_BYTES_MAX = 16_384;
const HEADERS_MS_MAX = 10_000;
const CHECKED_EVERY_MS_MAX = 5_000;
/** Before an answer: at a registration the partner's versions, as Base64 and as it is, their details, and an older link's. */
const PARTNER_ASKED_MOST = 4;

type Bounds = Pick<OcpiSettings, 'proxies' | 'receive_timeout_ms' | 'request_timeout_ms'>;

/** What an operator sets for requests before OCPI sees them: their time, and whose word for the caller's address is taken. */
export function httpBounds({ proxies, receive_timeout_ms, request_timeout_ms }: Bounds, clock: Pick<Clock, 'now'>) {
  return {
    requestTimeout: receive_timeout_ms,
    // A connection on which nothing moves, neither in nor out, for longer than any answer takes that asks a partner first.
    connectionTimeout: receive_timeout_ms + PARTNER_ASKED_MOST * request_timeout_ms,
    rewriteUrl: ({ url = '/' }: IncomingMessage) => pathOf(url),
    trustProxy: proxies === 0 ? false : (_address: string, hop: number) => hop < proxies,
    http: {
      // The refusal of Node's own has no envelope: ocpi-server.ts refuses it.
      requireHostHeader: false,
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: Math.min(HEADERS_MS_MAX, receive_timeout_ms),
      connectionsCheckingInterval: Math.min(CHECKED_EVERY_MS_MAX, Math.ceil(receive_timeout_ms / 2)),
    },
    clientErrorHandler: (error: { code?: string }, socket: Socket) => refuseSocket(error.code, socket, clock),
  };
}

/** RFC 9112: a target may name the server, too. Whatever it names, this is the one that was reached. */
function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

const refusedSockets: Readonly<Record<string, readonly [status: string, answer: Answer, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', answers.refused, 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', answers.refused, `headers: have at most ${HEADER_BYTES_MAX} bytes`],
};

/** What is no HTTP, or no whole request, has no handler: it is answered here, in the envelope as everything is. TRN-30. */
function refuseSocket(code: string | undefined, socket: Socket, clock: Pick<Clock, 'now'>): void {
  if (!socket.writable || code === 'ECONNRESET') return;
  const [status, answer, message] = refusedSockets[code ?? ''] ?? ['400 Bad Request', answers.refused, 'this is not HTTP'];
  const body = JSON.stringify(envelope(undefined, answer.status, message, dateTimeOf(clock.now())));
  const headers = ['Content-Type: application/json; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  socket.end([`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n'));
}
