import type { Socket } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Guess, GuessLimit } from '#admission';
import { parseJson } from '#ocpi';
import { inSpan, type Log, type Tracer } from '#telemetry';
import type { Drivers } from './drivers.ts';
import type { Driver } from './entities.ts';
import { Problem, problemOf, problemOfFastify } from './problem.ts';
import { ProblemFilter } from './problem-filter.ts';
import { type Asked, FileAnswer, type Route } from './route.ts';
import { wordsFor } from './words.ts';

const BODY_BYTES = 64_000;

/** `proxies`: how many of ours stand before the portal and write X-Forwarded-For. */
export function fastifyOptions(proxies: number) {
  return {
    bodyLimit: BODY_BYTES,
    /** The time that a request has to arrive whole; a slow one holds nothing for long. */
    requestTimeout: 20_000,
    keepAliveTimeout: 60_000,
    exposeHeadRoutes: false,
    trustProxy: proxies === 0 ? false : (_address: string, hop: number) => hop < proxies,
    routerOptions: { maxParamLength: 200 },
    http: { maxHeaderSize: 16_384, headersTimeout: 10_000, connectionsCheckingInterval: 5_000 },
    frameworkErrors: (_error: Error, _request: unknown, reply: unknown) => {
      void (reply as FastifyReply).code(400).send(failure('invalid-request', 'the URL cannot be read'));
    },
    clientErrorHandler(error: { code?: string }, socket: Socket) {
      if (!socket.writable) return;
      const [status, detail] = error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', 'headers: have at most 16 kB']
        : ['400 Bad Request', 'this is not HTTP'];
      const body = JSON.stringify(failure('invalid-request', detail));
      const headers = ['content-type: application/json', `content-length: ${body.length}`, 'connection: close'];
      socket.end([`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n'));
    },
  };
}

const failure = (code: string, detail: string) => ({ error: { code, detail } });

export interface HttpParts {
  readonly routes: readonly Route[];
  /** What /openapi.json answers. */
  readonly document: object;
  readonly drivers: Drivers;
  readonly isOperator: (key: string) => boolean;
  readonly guesses: GuessLimit;
  /** HUB is the one role: no other service but the gateway is there. */
  readonly isHub: boolean;
  readonly log: Log;
  readonly tracer: Tracer;
}

/** Puts the routing table on the application's Fastify. */
export function mountRoutes(app: INestApplication, fastify: FastifyInstance, parts: HttpParts): void {
  // Nest answers only for what no route of the table takes.
  app.useGlobalFilters(new ProblemFilter(parts.log));
  endSilentAtStop(fastify);
  void fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, readBody);
    scope.addHook('onSend', async (_request, reply) => void reply.headers(ALWAYS));
    scope.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, parts));
    scope.get('/healthz', () => ({ status: 'ok' }));
    scope.get('/openapi.json', () => parts.document);
    for (const route of parts.routes) mount(scope, route, parts);
  });
}

/** Else a stop would wait for connections on which nothing was asked yet, as browsers open them ahead, for as long as they like. */
function endSilentAtStop(fastify: FastifyInstance): void {
  const silent = new Set<Socket>();
  fastify.server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  fastify.server.on('request', ({ socket }) => silent.delete(socket));
  fastify.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
}

/** Answers are the caller's own, and what they say they are. */
const ALWAYS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
const BODY_DEPTH = 16;

async function readBody(_request: FastifyRequest, body: Buffer): Promise<unknown> {
  if (body.length === 0) return undefined;
  const reading = parseJson(body, { maxBytes: BODY_BYTES, maxDepth: BODY_DEPTH });
  if (!reading.ok) throw new Problem(400, reading.refusal, `body: ${reading.message}`);
  return reading.value;
}

function mount(scope: FastifyInstance, route: Route, parts: HttpParts): void {
  const people = new WeakMap<FastifyRequest, Driver>();
  scope.route({
    method: route.method,
    url: route.path,
    // Before a body is read: who is not known is not listened to.
    async onRequest(request) {
      const driver = await admitted(route, request, parts);
      if (driver) people.set(request, driver);
    },
    async handler(request, reply) {
      const asked = {
        params: checked(route.params, request.params, 'path'),
        query: checked(route.query ?? NOTHING, request.query, 'query'),
        // A verb without fields takes no body or an empty one.
        body: route.body ? checked(route.body, request.body, 'body') : checked(NOTHING, request.body ?? {}, 'body'),
        driver: people.get(request),
        key: route.takesKey ? idempotencyKey(request) : undefined,
        address: request.ip,
        reply,
      } satisfies Asked<unknown, unknown, unknown, unknown>;
      const answer = await inSpan(parts.tracer, `${route.method} ${route.path}`, {}, () => route.handle(asked as never));
      if (answer instanceof FileAnswer) {
        const { type, name, content } = answer;
        return reply.code(route.status).type(type).header('content-disposition', `attachment; filename="${name}"`).send(content);
      }
      return route.streams ? reply : reply.code(route.status).send(route.answer.parse(answer));
    },
  });
}

const NOTHING = z.strictObject({});

async function admitted(
  route: Route,
  request: FastifyRequest,
  { drivers, isOperator, guesses }: HttpParts,
): Promise<Driver | undefined> {
  const looked = <T>(secret: string, find: () => Promise<T | undefined>) => unguessed(guesses, { address: request.ip, secret }, find);
  if (route.who === 'driver') {
    const token = /^Bearer ([A-Za-z0-9_-]{43})$/i.exec(request.headers.authorization ?? '')?.[1];
    const driver = token === undefined ? undefined : await looked(token, () => drivers.byToken(token));
    if (driver) return driver;
    throw new Problem(401, 'not-signed-in', 'authorization: Bearer <token> of POST /v1/sign-in; it may have expired', {
      'www-authenticate': 'Bearer',
    });
  }
  if (route.who === 'operator') {
    const key = request.headers['x-api-key'];
    if (typeof key === 'string' && await looked(key, async () => (isOperator(key) ? true : undefined))) return undefined;
    throw new Problem(401, 'wrong-operator-key', 'x-api-key: one of portal.operator_keys');
  }
  return undefined;
}

/** Wrong secrets are counted by the address that they come from, and soon no longer looked at. */
async function unguessed<T>(guesses: GuessLimit, guess: Guess, find: () => Promise<T | undefined>): Promise<T | undefined> {
  const { found, waitS } = await guesses.look(guess, find);
  if (waitS > 0) {
    throw new Problem(429, 'too-many-wrong-keys', `wrong keys or tokens came from this address: wait ${waitS} s`, {
      'retry-after': String(waitS),
    });
  }
  return found;
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[A-Za-z0-9-]{1,36}$/.test(key)) return key;
  throw new Problem(400, 'invalid-request', 'idempotency-key: 1 to 36 letters, digits or -');
}

const SHOWN_ISSUES = 3;

function checked(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value, { error: wordsFor });
  if (result.success) return result.data;
  const { issues } = result.error;
  const said = issues.slice(0, SHOWN_ISSUES)
    .map(({ path, message }) => `${[where, ...path.map(String)].join('.')}: ${message}`);
  if (issues.length > SHOWN_ISSUES) said.push(`and ${issues.length - SHOWN_ISSUES} more`);
  throw new Problem(400, 'invalid-request', said.join('; '));
}

const BUG = new Problem(500, 'internal', 'the portal failed; the error is in its log');

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, { log, isHub }: HttpParts): FastifyReply {
  const problem = problemOf(error, { isHub }) ?? problemOfFastify(error as { code?: string });
  if (!problem || problem.status === 500) {
    log.error('a request failed', { method: request.method, path: request.routeOptions.url, error });
  }
  const { status, code, detail, headers } = problem ?? BUG;
  return reply.code(status).headers(headers).send(failure(code, detail));
}
