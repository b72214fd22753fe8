import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Body, type CallOptions, type CommandResult, envelope, exampleToken, type Interface, ocpiClient, type Outcome, type Role, type Token,
  tokenCandidates, typicalInterfaces,
} from '#ocpi';
import { expect } from 'vitest';
import { eventually } from './stage.ts';

/** A request that a platform made to the partner. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

interface Registered {
  /** TOKEN_C: what the partner presents. */
  readonly token: string;
  readonly endpoints: readonly { readonly identifier: string; readonly role: string; readonly url: string }[];
}

/** A platform of another make, as small as can be: it says what a test wants and notes what it is told. */
export class RawPartner {
  readonly incoming: Incoming[] = [];
  /** What it answers to a GET of its own objects, by the path below its Sender. */
  readonly holds = new Map<string, object>();
  /** What it says of a card in real time; undefined: nothing at all. */
  authorizes: ((uid: string) => object | undefined) | undefined;
  /** It answers 503 to everything. */
  isDown = false;
  readonly #role: Role;
  readonly #partyId: string;
  readonly #tokenB = randomUUID();
  readonly #server: Server;
  readonly #port: number;
  #registered: Registered | undefined;

  private constructor(role: Role, partyId: string, server: Server) {
    this.#role = role;
    this.#partyId = partyId;
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  /** A party of Canada, CA*RAW, in one role, listening on a free port. */
  static async open(role: Role, partyId = 'RAW'): Promise<RawPartner> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RawPartner(role, partyId, server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** Versions, details, POST of credentials. */
  async register({ versions_url, token_a }: { versions_url: string; token_a: string }): Promise<void> {
    const client = ocpiClient({ token: token_a, allowPrivate: true });
    const versions = dataOf<{ version: string; url: string }[]>(await client.get(versions_url, { routing: false }));
    const { url } = versions.find(({ version }) => version === '2.2.1')!;
    const { endpoints } = dataOf<Pick<Registered, 'endpoints'>>(await client.get(url, { routing: false }));
    const credentials = endpoints.find(({ identifier }) => identifier === 'credentials')!;
    const business_details = { name: 'Another make' };
    const { token } = dataOf<{ token: string }>(await client.post(credentials.url, {
      token: this.#tokenB, url: this.#url('/versions'),
      roles: [{ role: this.#role, business_details, country_code: 'CA', party_id: this.#partyId }],
    }, { routing: false }));
    this.#registered = { token, endpoints };
  }

  get token(): string {
    return this.#registered!.token;
  }

  /** The URL of an interface of the platform, or of what is below it. */
  at(identifier: string, role: 'SENDER' | 'RECEIVER', ...path: string[]): string {
    const endpoint = this.#registered!.endpoints.find((one) => one.identifier === identifier && one.role === role);
    return [endpoint!.url, ...path.map(encodeURIComponent)].join('/');
  }

  send(method: 'post' | 'put' | 'patch' | 'get' | 'delete', url: string, body: Body = {}, call?: CallOptions): Promise<Outcome> {
    const client = ocpiClient({ token: this.token, allowPrivate: true });
    return method === 'get' || method === 'delete' ? client[method](url, call) : client[method](url, body, call);
  }

  /** START_SESSION for a place; answers the outcome and where the result will be. */
  async start(place: { location_id: string; evse_uid?: string }, token: Token = rawToken('RAW-0001')) {
    const exchange = randomUUID();
    const given = await this.command('START_SESSION', { token, ...place, authorization_reference: exchange }, exchange);
    return { ...given, exchange };
  }

  /** Any command; answers the outcome and where its results will be, the n-th of them. */
  async command(command: string, body: object, exchange: string = randomUUID()) {
    const outcome = await this.send('post', this.at('commands', 'RECEIVER', command), {
      response_url: this.responseUrl(exchange), ...body,
    });
    return { outcome, result: (n = 0) => this.#result(exchange, n), results: () => this.#results(exchange) };
  }

  responseUrl(exchange: string): string {
    return this.#url(`/results/${exchange}`);
  }

  /** The objects of a module that were PUT or POSTed, newest last. */
  received(module: string): Incoming[] {
    return this.incoming.filter(({ path }) => path.startsWith(`/receiver/${module}`));
  }

  #result(exchange: string, n: number): Promise<CommandResult> {
    return eventually(`the CommandResult ${n} for ${exchange}`, () => this.#results(exchange)[n]);
  }

  #results(exchange: string): CommandResult[] {
    return this.incoming.filter(({ path }) => path === `/results/${exchange}`).map(({ body }) => body as CommandResult);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { method = '', url: path = '' } = request;
    const known = tokenCandidates(request.headers.authorization).some(({ token }) => token === this.#tokenB);
    const { status, data } = known ? (this.isDown ? { status: 503, data: undefined } : this.#dataFor(path)) : { status: 401, data: undefined };
    if (known && !this.isDown) this.incoming.push({ method, path, body: text ? JSON.parse(text) : undefined });
    const asked = known ? /^\/sender\/tokens\/([^/]+)\/authorize/.exec(path)?.[1] : undefined;
    const info = asked === undefined ? data : this.authorizes?.(decodeURIComponent(asked));
    if (asked !== undefined && this.authorizes && info === undefined) return;
    const code = known ? 1000 : 2001;
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(path.startsWith('/receiver/cdrs') ? { location: this.#url(`/cdrs/${this.incoming.length}`) } : {}),
    }).end(JSON.stringify(envelope(info, code, undefined, new Date().toISOString())));
  }

  #dataFor(path: string): { status: number; data: unknown } {
    if (path === '/versions') return { status: 200, data: [{ version: '2.2.1', url: this.#url('/2.2.1') }] };
    if (path !== '/2.2.1') return { status: 200, data: this.holds.get(path.replace(/^\/sender/, '')) };
    const interfaces: readonly Interface[] = typicalInterfaces[this.#role];
    const endpoints = interfaces.map(({ module, role }) => ({
      identifier: module, role, url: this.#url(`/${role.toLowerCase()}/${module}`),
    }));
    const credentials = { identifier: 'credentials', role: 'SENDER', url: this.#url('/credentials') };
    return { status: 200, data: { version: '2.2.1', endpoints: [credentials, ...endpoints] } };
  }

  #url(path: string): string {
    return `http://127.0.0.1:${this.#port}${path}`;
  }
}

/** A Token of CA*RAW. */
export function rawToken(uid: string, more: Partial<Token> = {}): Token {
  return { ...exampleToken, party_id: 'RAW', issuer: 'Another make', contract_id: 'CA-RAW-C00000001-1', uid, ...more };
}

export function dataOf<T>(outcome: Outcome): T {
  expect(outcome).toMatchObject({ kind: 'ok' });
  return (outcome as { data: T }).data;
}
