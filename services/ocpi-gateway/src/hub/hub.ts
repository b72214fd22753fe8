import {
  type ClientOptions, isSuccess, type ModuleId, nextLink, type Party, partyText, relay, type Relayed, type Route, routes, sameParty,
} from '#ocpi';
import type { DueOutcome, DueWorker } from '#due';
import type { Database } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import { z } from 'zod';
import type { Calls } from '../partners/calls.ts';
import { type Handler, type Handlers, interfacePath, type OcpiReply, type OcpiRequest } from '../exchange.ts';
import { CROSSING_MS, CROSSING_PATH, CrossingUrls } from './crossing-urls.ts';
import { dropCrossings, findCrossing } from './crossings.ts';
import { clientPage } from './client-list.ts';
import type { HubMembers } from './members.ts';
import { dropPlaces, type Kept, learnPlace, ownersOf, placesOf } from './objects.ts';
import { pageIn, ToldToAll } from './told-to-all.ts';
import { type Clue, clueOf, wayOf } from './way.ts';
import type { OcpiServerParts } from '../ocpi-server.ts';
import { endpointOf, hasParty, type Partner, partiesOf } from '../partners/partner.ts';
import { findPartner, noteError } from '../partners/partner-rows.ts';
import { refuse } from '../refusals.ts';
import { nameOfRequest } from '../repeats.ts';

export interface HubParts {
  readonly db: Database;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly members: HubMembers;
  /** The hub's own. */
  readonly party: Party;
  /** Of the ids in crossings. */
  readonly key: Buffer;
  readonly pageLimit: number;
  readonly worker: () => DueWorker;
  readonly publicUrl: () => string;
}

/** Where a Session is, is known for longer than it lasts. */
const PLACE_MS = 60 * 86_400_000;
const SWEEP_EVERY_MS = 3_600_000;
/** Of a member's answer, what is for the requester. */
const PASSED = ['x-total-count', 'x-limit', 'retry-after'] as const;

const CALLED_BACK: ReadonlySet<string> = new Set(['commands', 'chargingprofiles']);
/** No id of OCPI is longer than 39; what is far from that is not learned, and was taken all the same. */
const LEARNED_LENGTH_MAX = 512;

/** A leg: from a caller's party to a party of somebody else. */
interface Leg {
  readonly caller: Partner;
  readonly from: Party;
  readonly to: Party;
}

/** A hub's own work: it forwards, and keeps nothing of it but what was told to everybody. docs/adr/0013. */
export class Hub {
  /** What is being forwarded, and for whom. */
  private readonly underWay = new Map<string, string>();

  private readonly viaUs: string;
  private readonly toldToAll: ToldToAll;
  private readonly crossingUrls: CrossingUrls;

  constructor(private readonly parts: HubParts) {
    this.toldToAll = new ToldToAll(parts);
    this.crossingUrls = new CrossingUrls(parts);
    this.viaUs = `1.1 ${partyText(parts.party)}`;
  }

  handlers(): Handlers {
    const functional = routes.filter(({ routingHeaders }) => routingHeaders);
    return {
      ...Object.fromEntries(functional.map((route): [string, Handler] =>
        [`${route.role} ${route.module} ${route.method} ${route.path}`, (request) => this.answer(route, request)])),
      'SENDER hubclientinfo GET ': (request) => this.clients(request),
    };
  }

  /** Where partners' URLs are called through us: result of a command, next page, CDR, active profile. */
  crossings(): NonNullable<OcpiServerParts['more']> {
    return (['GET', 'POST', 'PUT'] as const).map((method) => ({
      url: `${CROSSING_PATH}/:crossing`,
      // A GET is of a list's next page, or of a CDR: nobody's driver waits for it, as for a result.
      route: {
        module: method === 'GET' ? 'cdrs' : 'commands',
        role: 'SENDER',
        method,
        path: '/:crossing',
        routingHeaders: true,
        ...(method === 'GET' ? {} : { body: z.unknown() }),
      },
      handler: (request) => this.cross(request),
    }));
  }

  /** Crossings and places whose time is over go. */
  async sweep(): Promise<DueOutcome> {
    const { db, clock } = this.parts;
    await dropCrossings(db, clock.now());
    await dropPlaces(db, clock.now());
    return { retryAt: clock.now() + SWEEP_EVERY_MS };
  }

  private async cross(request: OcpiRequest): Promise<OcpiReply> {
    const { db, clock, calls, members } = this.parts;
    const crossing = await findCrossing(db, request.params.crossing!, clock.now());
    const isHolder = crossing?.holder === request.caller.partner.id;
    const from = isHolder ? this.sender(request) : undefined;
    if (!crossing || !from || !members.mayMeet(from, crossing.party)) throw refuse('not-found', 'there is no such URL for you');
    const owner = await this.connected(crossing.owner, crossing.party);
    const leg = { caller: request.caller.partner, from, to: crossing.party };
    const search = new URL(request.url + request.search).search;
    const url = search === '' ? crossing.url : `${crossing.url}${crossing.url.includes('?') ? '&' : '?'}${search.slice(1)}`;
    const passed = await this.passOn(leg, owner, calls.optionsFor(owner), { method: request.method, url, text: request.text, request });
    return passed.reply;
  }

  private async answer(route: Route, request: OcpiRequest): Promise<OcpiReply> {
    const from = this.sender(request);
    this.checkOwner(route, request);
    const way = wayOf(route, request.routing.to, this.parts.party);
    if (way.kind === 'list') return this.toldToAll.list(route.module as ModuleId, request, from);
    if (way.kind === 'everybody') return this.toldToAll.broadcast(route, request, from);
    if (way.kind === 'party') return this.forward(route, request, from, way.party);
    const clue = clueOf(route, request);
    if (clue?.by === 'everybody') return this.toldToAll.broadcast(route, request, from);
    return this.forward(route, request, from, await this.foundBy(clue, from));
  }

  /** Whom a request is from: one of the caller's own parties, or of those behind it. HUB-23. */
  private sender({ caller: { partner }, routing }: OcpiRequest): Party {
    const own = partiesOf(partner);
    const from = routing.from ?? (own.length === 1 ? own[0] : undefined);
    if (!from) throw refuse('invalid-parameters', 'OCPI-from-… is missing, and you have more than one party');
    if (!hasParty(partner, from)) {
      throw refuse('invalid-parameters', `OCPI-from-… names ${partyText(from)}, which is none of your roles`);
    }
    return { country_code: from.country_code.toUpperCase(), party_id: from.party_id.toUpperCase() };
  }

  /** HUB-23: whose an object is, the URL at its receiver says. Of operators' Sessions an eMSP tells a provider, too: CHP-05. */
  private checkOwner({ role, module }: Route, { caller: { partner }, params }: OcpiRequest): void {
    const { country_code = '', party_id = '' } = params;
    const owner = { country_code, party_id };
    if (role !== 'RECEIVER' || module === 'sessions' || party_id === '' || hasParty(partner, owner)) return;
    throw refuse('foreign-party', `${partyText(owner)} is none of your roles`);
  }

  /** Open Routing: who keeps what the request is about. HUB-15. */
  private async foundBy(clue: Clue | undefined, from: Party): Promise<Party> {
    if (clue === undefined || clue.by === 'everybody') {
      throw refuse(
        'unknown-receiver',
        'nothing in this request tells whom it is for: name the party in OCPI-to-… (OCPI 2.2.1, Open Routing)',
      );
    }
    if (clue.by === 'party') return clue.party;
    const { db, clock, members } = this.parts;
    const told = clue.by === 'location' || clue.by === 'token' ? await ownersOf(db, `${clue.by}s`, clue.id) : [];
    const id = clue.by === 'session-token' ? sessionOf(from, clue.id) : clue.id;
    const all = [...told, ...await placesOf(db, clue.by, id, clock.now())].filter((party) => members.mayMeet(from, party));
    const found = all.filter((party, index) => all.findIndex((other) => sameParty(party, other)) === index);
    const parties = clue.by === 'session' && found.length > 1 ? await this.chargedBy(from, clue.id, found) : found;
    const [party, ...more] = parties;
    if (!party) throw refuse('unknown-receiver', `this hub does not know whose ${clue.by} ${clue.id} is: name the party in OCPI-to-…`);
    if (more.length > 0)
      throw refuse(
        'unknown-receiver',
        `${parties.map(partyText).join(' and ')} have a ${clue.by} ${clue.id}: name the party in OCPI-to-…`,
      );
    return party;
  }

  /** Operators number their Sessions each for itself: of several with one id those that were told to who asks. */
  private async chargedBy(asker: Party, sessionId: string, operators: readonly Party[]): Promise<readonly Party[]> {
    const { db, clock } = this.parts;
    const told = await Promise.all(operators.map((one) => placesOf(db, 'session-token', sessionOf(one, sessionId), clock.now())));
    const its = operators.filter((_, n) => told[n]!.some((party) => sameParty(party, asker)));
    return its.length > 0 ? its : operators;
  }

  private async forward(route: Route, request: OcpiRequest, from: Party, to: Party): Promise<OcpiReply> {
    const { members, publicUrl } = this.parts;
    const client = members.mayMeet(from, to) ? await members.find(to) : undefined;
    if (!client) throw refuse('unknown-receiver', `${partyText(to)} is no member of this hub that you may reach`);
    if (client.info.status !== 'CONNECTED') throw notConnected(to, client.info.status);
    const target = await this.connected(client.partnerId, to);
    const module = route.module as ModuleId;
    const endpoint = endpointOf(target, module, route.role);
    if (endpoint === undefined) throw refuse('unknown-receiver', `${partyText(to)} has no ${module} ${route.role} interface`);
    const leg = { caller: request.caller.partner, from, to };
    const below = belowInterface(request.url.slice(publicUrl().length), interfacePath({ module, role: route.role }));
    const name = [request.ids.correlationId, request.method, route.module, route.role, below, partyText(from), partyText(to)].join(' ');
    if (viaOf(request).includes(this.viaUs)) throw goneRound(to);
    return this.once(name, leg, () => this.send(route, request, leg, { target, url: belowEndpoint(endpoint, below) }));
  }

  /**
   * One that is under way for one partner and comes again from another has gone round between hubs that have its receiver
   * from each other: wherever it goes round, a hub sees that. HUB-22. Where all of them pass Via on, it is seen by that, in any process.
   */
  private async once<T>(name: string, { caller, to }: Leg, work: () => Promise<T>): Promise<T> {
    const first = this.underWay.get(name);
    if (first !== undefined && first !== caller.id)
      throw goneRound(to);
    this.underWay.set(name, caller.id);
    try {
      return await work();
    } finally {
      this.underWay.delete(name);
    }
  }

  private async send(
    route: Route, request: OcpiRequest, leg: Leg, { target, url: at }: { target: Partner; url: string },
  ): Promise<OcpiReply> {
    const { calls } = this.parts;
    // A field of that name in what nobody calls back is somebody's own. TRN-17.
    const asked = CALLED_BACK.has(route.module) ? await this.crossingUrls.crossed(leg, target, request) : request;
    const url = at.includes('?') ? `${at}&${asked.search.slice(1)}`.replace(/&$/, '') : `${at}${asked.search}`;
    const passed = await this.passOn(leg, target, calls.optionsFor(target), { method: request.method, url, text: asked.text, request });
    if (passed.taken) await this.learn(route, request, leg);
    return passed.reply;
  }

  private async passOn(
    { caller, from, to }: Leg, target: Partner, options: ClientOptions,
    { method, url, text, request }: { method: OcpiRequest['method']; url: string; text: string; request: OcpiRequest },
  ): Promise<{ reply: OcpiReply; taken: boolean }> {
    const { correlationId } = request.ids;
    // One that comes again goes on as one that comes again.
    const requestId = nameOfRequest(request);
    const relayed = await relay(options, {
      method,
      url,
      routing: { to, from },
      requestId,
      correlationId,
      via: [...viaOf(request), this.viaUs].join(', '),
      ...(text === '' ? {} : { body: text }),
    });
    if (relayed.kind !== 'answered') throw await this.failed(target, to, relayed);
    const { http, headers } = relayed;
    const passed = Object.fromEntries(
      PASSED.flatMap((name) =>
        /^[\x20-\x7e]+$/.test(textOf(headers[name]) ?? '') ? [[name, textOf(headers[name])!]] : [],
      ),
    );
    const back = { owner: target.id, party: to, holder: caller.id };
    const next = this.crossingUrls.callable(nextLink(headers['link']), url);
    const location = this.crossingUrls.callable(textOf(headers['location']), url);
    if (next !== undefined) passed['Link'] = `<${await this.crossingUrls.of({ ...back, url: next }, CROSSING_MS)}>; rel="next"`;
    if (location !== undefined) passed['Location'] = await this.crossingUrls.of({ ...back, url: location });
    const reply = { whole: { http, text: relayed.text }, headers: passed, routing: { to: from, from: to } };
    return { reply, taken: http < 300 && isSuccess(relayed.envelope.status_code) };
  }

  private async failed(target: Partner, to: Party, relayed: Exclude<Relayed, { kind: 'answered' }>): Promise<Error> {
    const { db, members, log } = this.parts;
    log.warn('a request could not be forwarded', { partner: target.name, outcome: relayed.kind, message: relayed.message });
    // Others who keep all the connections to a member do not make it OFFLINE.
    if (relayed.kind === 'unreachable' && !relayed.waited) {
      await members.lost(target, relayed.message);
      return notConnected(to, 'OFFLINE');
    }
    await noteError(db, target.id, relayed.message);
    if (relayed.kind !== 'not-ocpi') return refuse('receiver-timeout', `${partyText(to)} gave no answer in time`);
    return refuse('hub-error', `${partyText(to)} gave no answer that OCPI knows`);
  }

  private async clients(request: OcpiRequest): Promise<OcpiReply> {
    const page = pageIn(request, this.parts.pageLimit);
    const all = await this.parts.members.seenBy(request.caller.partner);
    return clientPage(all, page, { url: request.url, maxLimit: this.parts.pageLimit });
  }

  private async connected(partnerId: string, party: Party): Promise<Partner> {
    const partner = await findPartner(this.parts.db, partnerId);
    if (partner?.state !== 'registered') throw notConnected(party, 'SUSPENDED');
    return partner;
  }

  /** Ids alone, so that a later Open Routing Request finds its way; of what the receiver took. */
  private async learn({ module, role, path }: Route, { params, body }: OcpiRequest, { from, to }: Leg): Promise<void> {
    const { db, clock } = this.parts;
    const until = clock.now() + PLACE_MS;
    const learned: [Kept, unknown, Party][] = role === 'RECEIVER' && module === 'sessions'
      ? [['session', params.session_id, from], ['session-token', sessionOf(from, params.session_id!), to]]
      : role === 'RECEIVER' && module === 'locations' ? [['location', params.location_id, from]]
      : path === '/RESERVE_NOW' ? [['reservation', (body as { reservation_id?: unknown } | null)?.reservation_id, to]] : [];
    for (const [what, id, party] of learned) if (typeof id === 'string' && id.length <= LEARNED_LENGTH_MAX) await learnPlace(db, what, id, party, until);
  }
}

/** A Session as its operator tells it. */
function sessionOf(operator: Party, sessionId: string): string {
  return `${partyText(operator)} ${sessionId}`;
}

/** Counted in segments: a letter may be percent-encoded, and its path is longer then than the interface's is. */
function belowInterface(path: string, interfacePath: string): string {
  return ['', ...path.split('/').slice(interfacePath.split('/').length)].join('/');
}

/** An endpoint as it was listed, with what is below it and no slash behind that. TRN-15, TRN-16. */
function belowEndpoint(endpoint: string, below: string): string {
  const path = below.replace(/\/+$/, '');
  if (path === '') return endpoint;
  const [base = '', ...query] = endpoint.split('?');
  return [`${base.replace(/\/+$/, '')}${path}`, ...query].join('?');
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}

function notConnected(party: Party, status: string): Error {
  return refuse('receiver-not-connected', `${partyText(party)} is ${status}`);
}

function goneRound(to: Party): Error {
  return refuse('unknown-receiver', `${partyText(to)} is nowhere: the way to it leads from this hub back to it`);
}

/**
 * The hubs on the way so far. Other names there are of proxies in front of us and of the sender, and nothing for the receiver:
 * RFC 9110 §7.6.3 does not want hosts behind a firewall named.
 */
function viaOf({ via = '' }: OcpiRequest): string[] {
  return via.split(',').map((one) => one.trim()).filter((one) => /^1\.1 [A-Z]{2}\*[A-Z0-9]{1,3}$/i.test(one));
}
