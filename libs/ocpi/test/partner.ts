import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type ClientOptions, envelope, ocpiClient, outboundAgent } from '../src/index.ts';

/** A partner's platform over real HTTP, that answers as a test tells it. */

export const at = '2022-02-01T17:00:00Z';

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export const partner = { url: '', received: [] as Received[], answer: (() => {}) as Answering };

let agent: ReturnType<typeof outboundAgent>;

/** Starts it for the tests of the file that calls this. */
export function startPartner(): void {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => { body += part; }).on('end', () => {
      partner.received.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      partner.answer(request, response);
    });
  });
  beforeAll(async () => {
    agent = outboundAgent({ allowPrivate: true, connectionsPerOrigin: 2 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    partner.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    partner.received = [];
    partner.answer = (_, response) => success(response, { id: 'L2' });
  });
}

export function say(response: ServerResponse, http: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(http, { 'Content-Type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export function success(response: ServerResponse, data?: unknown, headers?: Record<string, string>): void {
  say(response, 200, envelope(data, 1000, undefined, at), headers);
}

/** The client of Energy OASIS for Carbon Plunk. */
export function client(more: Partial<ClientOptions> = {}) {
  return ocpiClient({
    token: 'example-token', allowPrivate: true, agent, timeoutMs: 30_000,
    from: { country_code: 'CA', party_id: 'BCT' }, to: { country_code: 'CA', party_id: 'CPK' }, ...more,
  });
}
