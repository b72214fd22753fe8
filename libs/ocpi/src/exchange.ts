import { lookup } from 'node:dns';
import { createRequire } from 'node:module';
import type { LookupFunction } from 'node:net';
import type { Agent, Dispatcher } from 'undici';
import type { Headers } from './headers.ts';
import type { Method } from './routes.ts';
import { isPrivateAddress } from './urls.ts';

const require = createRequire(import.meta.url);

/** How one HTTP request ended, by what the far side can have done. */
export type Exchange =
  | { readonly kind: 'answered'; readonly http: number; readonly headers: Headers; readonly body: Buffer }
  /** Not a byte of the request was sent; `waited`: its time was over before it had one of the connections to there. */
  | { readonly kind: 'unreachable'; readonly message: string; readonly waited?: true }
  /** Sent, but no whole answer came back: it may have been done. */
  | { readonly kind: 'unclear'; readonly message: string };

export interface AgentOptions {
  /** Whether names may resolve to this machine or private networks. */
  readonly allowPrivate: boolean;
  readonly connectTimeoutMs?: number;
  /** Connections to one partner; what is more waits, and holds up nobody else. */
  readonly connectionsPerOrigin?: number;
}

/** The sockets of a process's calls to partners. One is enough for all clients; `close()` it at the end. */
export function outboundAgent(options: AgentOptions): Agent {
  const { allowPrivate, connectTimeoutMs = 5_000, connectionsPerOrigin = 16 } = options;
  const { Agent } = require('undici') as typeof import('undici'); // 0.1 s of CPU: only for those who call somebody.
  return new Agent({
    connections: connectionsPerOrigin,
    allowH2: false,
    connect: { timeout: connectTimeoutMs, ...(allowPrivate ? {} : { lookup: publicLookup }) },
  });
}

/** Looks a name up and refuses it when any of its addresses is private: a public name may point inside. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const inside = addresses?.find(({ address }) => isPrivateAddress(address));
    if (error) callback(error, '', 0);
    else if (inside) callback(new Error(`${hostname} resolves to ${inside.address}, a private address`), '', 0);
    else if (options.all) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

export interface ExchangeLimits {
  /** For the whole exchange, waiting for a connection included. */
  readonly timeoutMs: number;
  /** Of the response's body. */
  readonly maxBytes: number;
  /** Asked right before the first byte is sent, which may be long after: a process may sleep meanwhile. */
  readonly isWanted?: (() => boolean) | undefined;
}

/** Told of an answer's status and headers while its body is still on its way. */
export type OnHeaders = (http: number, headers: Headers) => void;

/** Sends one request and gathers its answer; follows no redirect, never throws for what the network does. */
export function exchange(agent: Dispatcher, request: HttpRequest, limits: ExchangeLimits, onHeaders?: OnHeaders): Promise<Exchange> {
  return new Promise((resolve) => {
    const { method, url, headers, body } = request;
    const gathering = new Gathering(limits, resolve, onHeaders);
    try {
      const path = `${url.pathname}${url.search}`;
      agent.dispatch({ origin: url.origin, path, method, headers, body: body ?? null }, gathering);
    } catch (error) {
      gathering.onResponseError(undefined, error as Error);
    }
  });
}

/** Undici's handler of one request; knows whether it was on its way when something went wrong. */
class Gathering implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #resolve: (exchange: Exchange) => void;
  readonly #onHeaders: OnHeaders | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #begunMs = performance.now();
  #controller: Dispatcher.DispatchController | undefined;
  #done = false;
  #http = 0;
  #headers: Headers = {};
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(limits: ExchangeLimits, resolve: (exchange: Exchange) => void, onHeaders: OnHeaders | undefined) {
    this.#limits = limits;
    this.#resolve = resolve;
    this.#onHeaders = onHeaders;
    this.#timer = setTimeout(() => this.#tooLate(), limits.timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Whoever slept hears of what came meanwhile before its timers do.
    if (performance.now() - this.#begunMs >= this.#limits.timeoutMs) this.#tooLate();
    else if (this.#limits.isWanted?.() === false) this.#fail('not wanted any more');
    // Given up while it waited for a connection: it is not sent any more.
    if (this.#done) controller.abort(new Error('given up'));
    else this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, http: number, headers: Headers): void {
    this.#http = http;
    this.#headers = headers;
    if (!this.#done) this.#onHeaders?.(http, headers);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#limits.maxBytes) this.#fail(`the answer is longer than ${this.#limits.maxBytes} bytes`);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#end({ kind: 'answered', http: this.#http, headers: this.#headers, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(faultText(error));
  }

  #tooLate(): void {
    this.#fail(`no answer within ${this.#limits.timeoutMs} ms`, true);
  }

  #fail(message: string, waited = false): void {
    this.#end(this.#controller ? { kind: 'unclear', message } : { kind: 'unreachable', message, ...(waited ? { waited } : {}) });
    this.#controller?.abort(new Error(message));
  }

  #end(exchange: Exchange): void {
    if (this.#done) return;
    this.#done = true;
    this.#chunks = [];
    clearTimeout(this.#timer);
    this.#resolve(exchange);
  }
}

const UNKNOWN_AUTHORITY = 'its certificate is of an authority that is not known here (NODE_EXTRA_CA_CERTS may name it)';

/** What Node says of TLS is for who writes a program, or of OpenSSL's own source. */
const TLS_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${UNKNOWN_AUTHORITY}, or it does not send those between`,
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there: http, or another port',
};

/** Why a request came to nothing, for an operator. */
export function faultText(error: Error & { code?: string; errors?: readonly Error[] }): string {
  const text = TLS_FAULTS[error.code ?? ''] || error.message || error.errors?.[0]?.message || error.name;
  return error.code && !text.includes(error.code) ? `${error.code}: ${text}` : text;
}
