import { randomUUID } from 'node:crypto';
import { context, propagation } from '@opentelemetry/api';
import type { Agent } from 'undici';
import { envelopeText, parseEnvelope } from './envelope.ts';
import { exchange, type Exchange, type OnHeaders, outboundAgent } from './exchange.ts';
import { dateTimeOf } from './fields.ts';
import {
  authorization, headerText, type Headers, idHeaders, type Routing, routingHeaders, type TokenEncoding,
} from './headers.ts';
import { type JsonRefusal, parseJson } from './json.ts';
import { type Page, pulled } from './pull.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Method } from './routes.ts';
import { statusMeaning } from './status.ts';
import { allowedUrl } from './urls.ts';

/** How a request to a partner ended; there is no other way. */
export type Outcome = Done | Refused | Unreachable | Unclear;

/** The partner did it. */
export interface Done {
  readonly kind: 'ok';
  readonly http: number;
  readonly statusCode: number;
  /** Not yet read by a schema; undefined where there is none. */
  readonly data: unknown;
  readonly headers: Headers;
  /** Of the envelope, as the partner wrote it; empty where it wrote none. */
  readonly timestamp: string;
}

/** The partner answered that it did not. */
export interface Refused {
  readonly kind: 'refused';
  readonly http: number;
  /** Absent when the answer was no OCPI envelope. */
  readonly statusCode?: number;
  readonly message: string;
  /** A refused command may hold its CommandResponse. */
  readonly data?: unknown;
  /** Of a 429 or 503, at most an hour. */
  readonly retryAfterMs?: number;
  /** Of a redirect, which is not followed. */
  readonly redirect?: string;
  /** Why the answer's body was not read. */
  readonly json?: JsonRefusal;
}

/** Not a byte was sent: nothing happened there. */
export interface Unreachable {
  readonly kind: 'unreachable';
  readonly message: string;
}

/** It may have been done: no answer in time, half an answer, or one that is no OCPI. */
export interface Unclear {
  readonly kind: 'unclear';
  readonly message: string;
  /** Why the answer's body was not read. */
  readonly json?: JsonRefusal;
}

export interface ClientOptions {
  /** The credentials token, raw. */
  readonly token: string;
  /** For partners who take their token as it is: TRN-04. */
  readonly tokenEncoding?: TokenEncoding;
  /** The parties of the routing headers; a call may name others. */
  readonly from?: Routing['from'];
  readonly to?: Routing['to'];
  readonly timeoutMs?: number;
  /** Of an answer's body. */
  readonly maxBytes?: number;
  /** Whether this machine and private networks may be called (demo, tests, closed networks). */
  readonly allowPrivate?: boolean;
  /** Takes numbers with more digits than a double carries: a partner's quirk. */
  readonly rounded?: boolean;
  /** Sockets to use; by default those that all clients of this process share. */
  readonly agent?: Agent;
}

export interface CallOptions {
  /** Other parties than the client's; false on versions, credentials and hubclientinfo, which carry none. HUB-02. */
  readonly routing?: Routing | false;
  /** To carry on an exchange; by default a new one. */
  readonly correlationId?: string;
  /** Of this request; by default a new one. */
  readonly requestId?: string;
  /** Whose hands a forwarded request has gone through: RFC 9110 §7.6.3. */
  readonly via?: string;
  readonly timeoutMs?: number;
  /** Asked right before the first byte is sent; no: it is `unreachable`. */
  readonly isWanted?: () => boolean;
  /** Puts the body, which OCPI wants bare, into an envelope: a partner's quirk. TRN-23. */
  readonly wrapped?: boolean;
  readonly onHeaders?: OnHeaders;
}

/** A body is an object, or JSON text that goes out as it is. */
export type Body = object | string;

export interface OcpiClient {
  get(url: string, call?: CallOptions): Promise<Outcome>;
  post(url: string, body: Body | undefined, call?: CallOptions): Promise<Outcome>;
  put(url: string, body: Body, call?: CallOptions): Promise<Outcome>;
  patch(url: string, body: Body, call?: CallOptions): Promise<Outcome>;
  delete(url: string, call?: CallOptions): Promise<Outcome>;
  /** All pages of a list, following Link within the origin of `url`. */
  getAll(url: string, call?: CallOptions): AsyncGenerator<Page, void>;
}

const sharedAgents = new Map<boolean, Agent>();

function sharedAgent(allowPrivate: boolean): Agent {
  const known = sharedAgents.get(allowPrivate) ?? outboundAgent({ allowPrivate });
  sharedAgents.set(allowPrivate, known);
  return known;
}

/**
 * A client for one partner. Bounded in time (10 s) and size (20 MB); follows no redirect; sends the
 * active trace along. Private addresses are refused unless allowed.
 */
export function ocpiClient(options: ClientOptions): OcpiClient {
  const call = (method: Method, url: string, body: Body | undefined, more: CallOptions = {}) =>
    request(options, { method, url, body, more });
  return {
    get: (url, more) => call('GET', url, undefined, more),
    post: (url, body, more) => call('POST', url, body, more),
    put: (url, body, more) => call('PUT', url, body, more),
    patch: (url, body, more) => call('PATCH', url, body, more),
    delete: (url, more) => call('DELETE', url, undefined, more),
    getAll: (url, more) => pulled((page, onHeaders) => call('GET', page, undefined, { ...more, onHeaders }), url),
  };
}

export interface Call {
  readonly method: Method;
  readonly url: string;
  readonly body: Body | undefined;
  readonly more: CallOptions;
}

async function request(options: ClientOptions, call: Call): Promise<Outcome> {
  const exchanged = await outbound(options, call);
  return exchanged.kind === 'answered' ? outcomeOf(exchanged, options) : exchanged;
}

/** One request with a client's headers and bounds, its answer not yet read. */
export async function outbound(options: ClientOptions, { method, url, body, more }: Call): Promise<Exchange> {
  const { allowPrivate = false, timeoutMs = 10_000, maxBytes = 20_000_000 } = options;
  const allowed = allowedUrl(url, { allowPrivate });
  if (!allowed.ok) return { kind: 'unreachable', message: `the URL ${allowed.message}` };
  const headers = requestHeaders(options, more);
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return exchange(
    options.agent ?? sharedAgent(allowPrivate),
    {
      method, url: allowed.url, headers,
      ...(body === undefined ? {} : { body: textOf(body, more) }),
    },
    { timeoutMs: more.timeoutMs ?? timeoutMs, maxBytes, isWanted: more.isWanted },
    more.onHeaders,
  );
}

function textOf(body: Body, { wrapped }: CallOptions): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return wrapped ? envelopeText(text, 1000, undefined, dateTimeOf(Date.now())) : text;
}

function requestHeaders(options: ClientOptions, more: CallOptions): Record<string, string> {
  const routing = more.routing === undefined ? { from: options.from, to: options.to } : more.routing || {};
  const headers: Record<string, string> = {
    Authorization: authorization(options.token, options.tokenEncoding),
    Accept: 'application/json',
    // Without it any coding would be welcome (RFC 9110 §12.5.3).
    'Accept-Encoding': 'identity',
    'User-Agent': 'Roamwatt',
    ...idHeaders({ requestId: more.requestId ?? randomUUID(), correlationId: more.correlationId ?? randomUUID() }),
    ...routingHeaders(routing),
    ...(more.via === undefined ? {} : { Via: more.via }),
  };
  propagation.inject(context.active(), headers);
  return headers;
}

function outcomeOf(answer: Exchange & { kind: 'answered' }, options: ClientOptions): Outcome {
  const { http, headers } = answer;
  const json = parseJson(answer.body, { maxBytes: Infinity, maxValues: Infinity, loose: true, rounded: options.rounded ?? false });
  const reading = json.ok ? parseEnvelope(json.value) : json;
  if (http >= 300 && http < 400) {
    const redirect = headerText(headers, 'location')?.slice(0, 500);
    return { kind: 'refused', http, message: 'redirects are not followed', ...(redirect === undefined ? {} : { redirect }) };
  }
  if (!reading.ok) {
    const coding = headerText(headers, 'content-encoding')?.replace(/^identity$/i, '');
    const message = `HTTP ${http}, and ${coding ? `the body is coded in ${coding.slice(0, 50)}, which was not asked for` : reading.message}`;
    const why = json.ok ? {} : { json: json.refusal };
    // A proxy that says 502 or 504 does not know either whether the partner has done it.
    return http < 300 || http === 502 || http === 504
      ? { kind: 'unclear', message, ...why }
      : { kind: 'refused', http, message, ...why, ...retryAfter(headers) };
  }
  const { data, status_code: statusCode, status_message, timestamp } = reading.envelope;
  if (http < 300 && reading.success) return { kind: 'ok', http, statusCode, data, headers, timestamp };
  const message = said(status_message) ?? (reading.success ? `HTTP ${http}` : statusMeaning(statusCode));
  return {
    kind: 'refused', http, statusCode, message, ...retryAfter(headers), ...(data === undefined ? {} : { data }),
  };
}

const SAID_AT_MOST = 500;

/** What people are shown of a partner's words: nothing that moves their cursor, and not all that it may send. */
function said(message: string | undefined): string | undefined {
  return message?.slice(0, SAID_AT_MOST).replace(/\p{C}/gu, ' ');
}

function retryAfter(headers: Headers): { retryAfterMs?: number } {
  const ms = retryAfterMs(headers, Date.now());
  return ms === undefined ? {} : { retryAfterMs: ms };
}
