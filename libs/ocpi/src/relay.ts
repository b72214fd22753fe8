import { type Body, type ClientOptions, outbound } from './client.ts';
import { type Envelope, parseEnvelope } from './envelope.ts';
import type { Headers, Routing } from './headers.ts';
import { parseJson } from './json.ts';
import type { Method } from './routes.ts';

export interface RelayedRequest {
  readonly method: Method;
  readonly url: string;
  /** JSON text that goes on as it came. */
  readonly body?: Body;
  readonly routing: Routing;
  /** A new one for each leg. TRN-81. */
  readonly requestId: string;
  /** Kept over all legs. */
  readonly correlationId: string;
  readonly via: string;
}

/** How a forwarded request ended, by what a hub says of it (HUB-19). */
export type Relayed =
  /** An answer in OCPI's envelope, whatever it says: `text` is the body as it came. */
  | { readonly kind: 'answered'; readonly http: number; readonly headers: Headers; readonly envelope: Envelope; readonly text: string }
  /** Not a byte was sent; `waited`: all connections to there were taken. */
  | { readonly kind: 'unreachable'; readonly message: string; readonly waited?: true }
  /** Sent, and no whole answer came: it may have been done. */
  | { readonly kind: 'silent'; readonly message: string }
  /** An answer that is no OCPI, or a refusal of our own credentials: nothing of it is for the requester. */
  | { readonly kind: 'not-ocpi'; readonly http: number; readonly message: string };

/**
 * Forwards one request for somebody else: nothing of the body or the answer is changed. Bounded like
 * the calls of `ocpiClient`; never throws for what the network does.
 */
export async function relay(options: ClientOptions, request: RelayedRequest): Promise<Relayed> {
  const { method, url, body, routing, correlationId, requestId, via } = request;
  const exchanged = await outbound(options, { method, url, body, more: { routing, correlationId, requestId, via } });
  if (exchanged.kind === 'unreachable') return exchanged;
  if (exchanged.kind === 'unclear') return { kind: 'silent', message: exchanged.message };
  const { http, headers } = exchanged;
  if (http >= 300 && http < 400) return { kind: 'not-ocpi', http, message: 'redirects are not followed' };
  if (http > 599) return { kind: 'not-ocpi', http, message: `HTTP ${http} is no status` };
  if (http === 401 || http === 403) return { kind: 'not-ocpi', http, message: `HTTP ${http}: it does not take the hub's credentials` };
  const json = parseJson(exchanged.body, { maxBytes: Infinity, maxValues: Infinity, loose: true, rounded: true });
  const reading = json.ok ? parseEnvelope(json.value) : json;
  if (!json.ok || !reading.ok) return { kind: 'not-ocpi', http, message: `HTTP ${http}, and ${(reading as { message: string }).message}` };
  // 204 and 205 are for answers without a body, and this one has one.
  return { kind: 'answered', http: http === 204 || http === 205 ? 200 : http, headers, envelope: reading.envelope, text: json.text };
}
