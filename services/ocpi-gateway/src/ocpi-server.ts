import { randomUUID } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, type RouteOptions } from 'fastify';
import { z } from 'zod';
import {
  answerRouting, type Answer, answers, dateTimeOf, envelope, envelopeBytes, envelopeText, type Headers, headerText,
  idHeaders, type MessageIds, parseJson, type Party, partyText, read, readMessageIds, readRouting, type Route,
  type Routing, routingHeaders, unwrapped,
} from '#ocpi';
import type { OwnParties } from '#settings';
import { inSpan, type Log, type Tracer, withTraceparent } from '#telemetry';
import type { Clock } from '#time';
import { Admission } from './admission.ts';
import type { OcpiSettings } from './config.ts';
import type { Dialects } from './partners/dialects.ts';
import type { Handler, Handlers, OcpiReply, OcpiRequest } from './exchange.ts';
import { BODY_BYTES_MAX, httpBounds } from './http-edge.ts';
import { meant, type Offer, offersOf, shapeOf } from './offers.ts';
import { hasInterface, hasParty, type Partner } from './partners/partner.ts';
import type { Caller, Partners } from './partners/partners.ts';
import { hasQuirk } from './partners/quirks.ts';
import { failureOf, refuse } from './refusals.ts';
import type { Sightings } from './partners/sightings.ts';
import { queryIn, type SpokenVersion } from './versions.ts';

export interface OcpiServerParts {
  readonly partners: Partners;
  readonly handlers: Handlers;
  readonly parties: OwnParties;
  /** Those that are spoken, the newest first. */
  readonly versions: readonly SpokenVersion[];
  readonly dialects: Dialects;
  readonly settings: OcpiSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly publicUrl: () => string;
  /**
   * Of a hub: what others' functional modules are asked is for their receivers to judge, so that only the form
   * of it is read here, and it may name any party.
   */
  readonly relays?: boolean;
  /** Routes of our own choice, which no table of OCPI's has. */
  readonly more?: readonly { readonly route: Route; readonly url: string; readonly handler: Handler }[];
  readonly sightings: Sightings;
  /** A partner was heard. */
  readonly heard?: (partner: Partner) => Promise<void>;
}

export const serverOptions = {
  logger: false,
  bodyLimit: BODY_BYTES_MAX,
  exposeHeadRoutes: false,
  forceCloseConnections: true,
  routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
} as const;

/** The body is read as bytes and parsed where its refusal can be answered by OCPI's rules. */
export function readBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** OCPI over HTTP: every route of #ocpi's table that has a handler, and one way to answer. */
export function ocpiServer(parts: OcpiServerParts): FastifyInstance {
  const app = fastify({
    ...serverOptions,
    ...httpBounds(parts.settings, parts.clock),
    frameworkErrors: (_error, request, reply) => edge.fail(request, reply, refuse('bad-request', 'the URL cannot be read')),
  });
  const edge = new Edge(parts);
  readBytes(app);
  app.addHook('onRequest', async (request, reply) => {
    // A body is JSON whatever it is called: a name that Fastify cannot read would be HTTP 400, also where there is no body (TOK-03).
    delete request.raw.headers['content-type'];
    if (request.raw.httpVersion !== '1.0' && request.headers.host === undefined)
      return edge.fail(request, reply, refuse('bad-request', 'the header Host is missing (RFC 9112)'));
  });
  // What else somebody expects than 100-continue is not looked at; Node's own refusal has no envelope.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.setNotFoundHandler((request, reply) => edge.fail(request, reply, refuse('not-found', NO_ENDPOINT)));
  app.setErrorHandler((error, request, reply) => edge.fail(request, reply, httpError(error as HttpError)));

  const offered = offersOf(parts.handlers, parts.versions).concat((parts.more ?? []).map((one) => ({ ...one, version: '2.2.1' })));
  for (const offer of offered) {
    app.route({
      method: offer.route.method,
      url: offer.url,
      onRequest: (request, reply) => edge.authenticate(offer, request, reply),
      handler: (request, reply) => edge.answer(offer, request, reply),
    });
  }
  for (const same of Map.groupBy(offered, (one) => shapeOf(one.url)).values()) {
    const [offer] = same;
    const allowed = same.map(({ route }) => route.method);
    const method = app.supportedMethods.filter((one) => !allowed.some((other) => other === one));
    app.route(edge.notOffered(offer!, { method, url: offer!.url }, allowed));
  }
  for (const [base, [offer]] of Map.groupBy(offered.filter(isOfModule), endpointOf)) {
    const urls = offered.some(({ url }) => url === base) ? [`${base}/*`] : [base, `${base}/*`];
    for (const url of urls) app.route(edge.notOffered(offer!, { method: app.supportedMethods, url }));
  }
  return app;
}

const NO_ENDPOINT = 'no such endpoint';
const isOfModule = ({ route }: Offer) => route.module !== 'versions' && route.module !== 'credentials';
/** The routing headers came with 2.2. */
const namesParties = ({ version }: Offer) => version !== '2.1.1';
const endpointOf = ({ url, route }: Offer) => url.slice(0, url.length - route.path.length);

type HttpError = Error & { statusCode?: number };

/** What Fastify itself refuses; anything else is a bug. */
function httpError(error: HttpError): Error {
  if (error.statusCode === 413) return refuse('body-too-large', `a body of at most ${BODY_BYTES_MAX} bytes is read`);
  if (error.statusCode !== undefined && error.statusCode < 500) return refuse('bad-request', 'the request cannot be read');
  return error;
}

class Edge {
  private readonly callers = new WeakMap<FastifyRequest, Caller>();
  private readonly ids = new WeakMap<FastifyRequest, MessageIds>();

  private readonly admission: Admission;

  constructor(private readonly parts: OcpiServerParts) {
    this.admission = new Admission(parts.settings);
  }

  /** Before the body is read: who is it, and may it come here? TRN-05, TRN-06. */
  async authenticate(offer: Offer, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { route } = offer;
    try {
      const { ip, headers: { authorization } } = request;
      const waitS = this.admission.beforeLookUp(route, ip, authorization);
      if (waitS > 0) return this.tooMany(request, reply, waitS);
      const caller = await this.parts.partners.caller(authorization);
      if (!caller) {
        this.admission.refused(route, ip, authorization);
        throw refuse('not-authorized', 'the credentials token is missing or unknown');
      }
      const partnerWaitS = this.admission.known(route, { partnerId: caller.partner.id, address: ip, authorization });
      if (partnerWaitS > 0) return this.tooMany(request, reply, partnerWaitS);
      const configuration = route.module === 'versions' || route.module === 'credentials';
      if (!configuration && caller.partner.state === 'unapproved') {
        throw refuse('not-approved', 'the operator of this platform has yet to approve the link: come again later');
      }
      if (!configuration && caller.partner.state !== 'registered') {
        throw refuse('not-authorized', 'this token is for versions and credentials only: register first');
      }
      this.callers.set(request, caller);
      noteHeaders(this.parts.sightings, caller, offer, request);
      await this.parts.heard?.(caller.partner);
      return undefined;
    } catch (error) {
      return this.fail(request, reply, error);
    }
  }

  private tooMany(request: FastifyRequest, reply: FastifyReply, waitS: number): Promise<unknown> {
    return this.fail(
      request,
      reply.header('Retry-After', String(waitS)),
      refuse('too-many-requests', `more requests than are taken: come again in ${waitS} s`),
    );
  }

  answer(offer: Offer, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { route, handler, params } = meant(offer, request.params as Record<string, string>, (party) =>
      hasParty(this.callers.get(request)!.partner, party));
    const trace = headerText(request.headers as Headers, 'traceparent');
    const name = `ocpi ${route.method} ${route.module}`;
    return withTraceparent(trace, () => inSpan(this.parts.tracer, name, { 'http.route': request.routeOptions.url ?? '' }, async (span) => {
      let routing: Routing | undefined;
      try {
        const caller = this.callers.get(request)!;
        span.setAttribute('ocpi.partner', caller.partner.name);
        const routed = route.routingHeaders ? this.routingOf(route, caller, request) : undefined;
        routing = namesParties(offer) ? routed?.routing : undefined;
        const read = await this.readRequest({ ...offer, route }, { caller, routing: routed?.routing ?? {}, params }, request, reply);
        const asked = { ...read, addressed: routed?.addressed };
        const done = await this.parts.dialects.write(asked, route, await handler(asked));
        return await this.send(request, reply, done, routing);
      } catch (error) {
        return await this.fail(request, reply, error, routing);
      }
    }));
  }

  /** What a module does not offer: who asks comes first, as where it would answer. TRN-05, TRN-06. */
  notOffered(offer: Offer, at: { method: string[]; url: string }, allowed?: readonly string[]): RouteOptions {
    return {
      ...at,
      onRequest: (request, reply) => this.authenticate(offer, request, reply),
      handler: async (request, reply) => {
        try {
          const { route } = offer;
          const isRouted = route.routingHeaders && namesParties(offer);
          const routed = isRouted ? this.routingOf(route, this.callers.get(request)!, request) : undefined;
          if (!allowed) return await this.fail(request, reply, refuse('not-found', NO_ENDPOINT), routed?.routing);
          const message = `${request.method} is not offered here; ${allowed.join(', ')} is`;
          return await this.fail(request, reply.header('Allow', allowed.join(', ')), refuse('method-not-allowed', message), routed?.routing);
        } catch (error) {
          return this.fail(request, reply, error);
        }
      },
    };
  }

  /** Every refusal and every bug leaves here, in the envelope. TRN-30. */
  fail(request: FastifyRequest, reply: FastifyReply, error: unknown, routing?: Routing): Promise<unknown> {
    const { answer, message, bug } = failureOf(error);
    if (bug) this.parts.log.error('a request could not be answered', { method: request.method, path: request.routeOptions.url, error });
    return this.send(request, reply, { answer, message }, routing);
  }

  private async readRequest(
    { route, version }: Offer, known: Pick<OcpiRequest, 'caller' | 'routing' | 'params'>, request: FastifyRequest, reply: FastifyReply,
  ): Promise<Omit<OcpiRequest, 'addressed'>> {
    const judged =
      this.parts.relays && route.routingHeaders
        ? { ...route, query: undefined, ...(route.body ? { body: z.unknown(), bodyOptional: true as const } : {}) }
        : route;
    const query = checked(judged.query, queryIn(version, route, request.query ?? {})) as OcpiRequest['query'];
    for (const [name, value] of Object.entries(known.params)) {
      if (!/^[\x20-\x7e]*$/.test(value))
        throw refuse('invalid-parameters', `${name} in the URL: holds a character that is not printable ASCII`);
      if (value === '.' || value === '..') throw refuse('invalid-parameters', `${name} in the URL: "${value}" cannot stand in a URL`);
    }
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (judged.body && encoding.toLowerCase() !== 'identity')
      throw refuse('body-encoded', 'Content-Encoding: a body is read as it is, not compressed');
    const { body, text } = await readBody(judged, request.body, {
      partner: known.caller.partner, sightings: this.parts.sightings,
      understood: (json) => this.parts.dialects.read({ ...known, version }, route, json),
      mayBeEmpty: route.bodyOptional === true && !this.parts.relays,
    });
    const [path = '', ...search] = request.url.split('?');
    return {
      ...known, version, query, body, text, method: route.method, search: search.length > 0 ? `?${search.join('?')}` : '',
      url: `${this.parts.publicUrl()}${path}`,
      ids: this.idsOf(request),
      via: request.headers.via,
      afterAnswer: (fn) => void reply.raw.once('close', fn),
    };
  }

  /**
   * Half a pair, a party that is not here or has no such interface, or one that is not the caller's, is
   * refused. Where none of ours is named, the first that has the interface answers. HUB-01, HUB-23.
   */
  private routingOf(route: Route, caller: Caller, request: FastifyRequest): { routing: Routing; addressed?: Party } {
    const { parties } = this.parts;
    const reading = readRouting(request.headers as Headers);
    if (!reading.ok) throw refuse('invalid-parameters', reading.message);
    const { to, from } = reading.routing;
    if (this.parts.relays) return { routing: reading.routing };
    const named = to && parties.find(to);
    if (to && !named) {
      throw refuse('invalid-parameters', `OCPI-to-… names ${partyText(to)}, this is ${parties.all.map(partyText).join(', ')}`);
    }
    const wanted = { module: route.module, role: route.role };
    if (named && !hasInterface(named.roles, wanted)) {
      throw refuse(
        'invalid-parameters',
        `OCPI-to-… names ${partyText(named)}, which is ${named.roles.join(', ')} and no ${route.role} of ${route.module}`,
      );
    }
    if (from && !hasParty(caller.partner, from)) {
      throw refuse('invalid-parameters', `OCPI-from-… names ${partyText(from)}, which is none of your roles`);
    }
    const { country_code, party_id } = named ?? parties.all.find(({ roles }) => hasInterface(roles, wanted)) ?? parties.first;
    const answers = { country_code, party_id };
    return { routing: { to: answers, from }, ...(named ? { addressed: answers } : {}) };
  }

  private idsOf(request: FastifyRequest): MessageIds {
    const ids = this.ids.get(request) ?? readMessageIds(request.headers as Headers, randomUUID);
    this.ids.set(request, ids);
    return ids;
  }

  private async send(request: FastifyRequest, reply: FastifyReply, done: OcpiReply, routing?: Routing): Promise<unknown> {
    const { answer = answers.ok, message, data, dataJson, listJson, headers = {}, whole } = done;
    const { http, status }: Answer = answer;
    const back = done.routing ?? (routing && answerRouting(routing));
    const at = done.at ?? dateTimeOf(this.parts.clock.now());
    reply.code(whole?.http ?? http)
      .headers({ ...idHeaders(this.idsOf(request)), ...(back ? routingHeaders(back) : {}), ...headers })
      .header('Content-Type', 'application/json; charset=utf-8');
    if (listJson !== undefined) return sendBytes(reply, envelopeBytes(listJson, status, message, at));
    return reply.send(whole !== undefined ? whole.text
      : dataJson === undefined
      ? JSON.stringify(envelope(data, status, message, at))
      : envelopeText(dataJson, status, message, at));
  }
}

/** A page is large: its bytes go out by one write as they are, and are not gathered before. */
function sendBytes(reply: FastifyReply, body: readonly Uint8Array[]): void {
  const length = body.reduce((sum, bytes) => sum + bytes.length, 0);
  const { raw } = reply.header('Content-Length', length).hijack();
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  raw.cork();
  for (const bytes of body) raw.write(bytes);
  raw.end();
  raw.uncork();
}

/** How a partner writes its requests otherwise than OCPI does: accepted, and noted. */
function noteHeaders(
  sightings: Sightings,
  { partner, written }: Caller,
  { route, version }: Offer,
  { headers, method }: FastifyRequest,
): void {
  const what = `${method} of ${route.module}`;
  // 2.1.1 sends tokens as they are and has no message ids; the versions endpoint is above all versions.
  const is211 = version === '2.1.1' || partner.version === '2.1.1';
  if (written.encoding === 'raw' && !is211 && route.module !== 'versions')
    sightings.note(partner.id, 'unencoded-token', what);
  if (written.trimmed) sightings.note(partner.id, 'newline-in-token', what);
  if (!/^Token [^ ]/.test(headers.authorization ?? '')) sightings.note(partner.id, 'odd-token-scheme', what);
  const withoutIds = headers['x-request-id'] === undefined || headers['x-correlation-id'] === undefined;
  if (withoutIds && !is211 && route.module !== 'versions') sightings.note(partner.id, 'no-message-ids', what);
}

interface Reader {
  readonly partner: Partner;
  readonly sightings: Sightings;
  /** As 2.2.1 says it, where it came in another version. */
  readonly understood: (json: unknown) => Promise<unknown>;
  /** `null` and `{}` are as good as no body: some who have nothing to say write so. TOK-03. */
  readonly mayBeEmpty: boolean;
}

async function readBody(
  route: Route,
  given: unknown,
  { partner, sightings, understood, mayBeEmpty }: Reader,
): Promise<{ body: unknown; text: string }> {
  if (!route.body) return { body: undefined, text: '' };
  const bytes = Buffer.isBuffer(given) ? given : Buffer.alloc(0);
  if (bytes.length === 0 && route.bodyOptional) return { body: undefined, text: '' };
  const rounded = hasQuirk(partner, 'long-numbers');
  const json = parseJson(bytes, { rounded });
  if (!json.ok && json.refusal === 'number-too-precise')
    sightings.note(partner.id, 'long-numbers', `${route.method} of ${route.module}: ${json.message}`);
  if (!json.ok) throw refuse(json.refusal === 'not-json' ? 'not-json' : 'invalid-parameters', json.message);
  if (mayBeEmpty && (json.value === null || /^\s*\{\s*\}\s*$/.test(json.text))) return { body: undefined, text: '' };
  // The result of a command is a request body and so not wrapped; some wrap it. CMD-04.
  const isResult = route.urlFrom === 'response_url';
  const value = isResult ? unwrapped(json.value) : json.value;
  if (value !== json.value)
    sightings.note(partner.id, 'wrapped-results', `${route.method} of ${route.module}: the result came in an envelope`);
  const said = await understood(value);
  const fault = isResult && route.module === 'commands' ? wordsFault(route.body, said) : undefined;
  if (fault !== undefined) sightings.note(partner.id, 'sloppy-command-responses', fault);
  const meaning = fault === undefined ? said : { ...said as object, message: undefined };
  const body = checked(route.body, meaning);
  return { body, text: meaning === json.value && !rounded ? json.text : JSON.stringify(meaning) };
}

/** What is wrong with the words of a result, if nothing else of it is: they are for people. */
function wordsFault(schema: z.ZodType, said: unknown): string | undefined {
  const whole = read(schema, said);
  const isFine = whole.ok || !read(schema, { ...Object(said) as object, message: undefined }).ok;
  return isFine ? undefined : whole.message;
}

function checked(schema: z.ZodType | undefined, value: unknown): unknown {
  if (!schema) return value;
  const reading = read(schema, value);
  if (!reading.ok) throw refuse('invalid-parameters', reading.message);
  return reading.value;
}
