import type { DueWorker } from '#due';
import { type ModuleId, pageHeaders, type PageQuery, type Party, partyText, read, readPage, type Route } from '#ocpi';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import type { OcpiReply, OcpiRequest } from '../exchange.ts';
import { hasParty } from '../partners/partner.ts';
import { lockLinks } from '../pushes/pushed-rows.ts';
import { pushOf, queueAll } from '../pushes/queue-rows.ts';
import { idsOf, sameIds } from '../received.ts';
import { refuse } from '../refusals.ts';
import type { HubMembers } from './members.ts';
import { findObject, objectOf, objectPage, pushedOn, storeObject } from './objects.ts';

export interface ToldToAllParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly members: HubMembers;
  /** The hub's own. */
  readonly party: Party;
  readonly pageLimit: number;
  readonly worker: () => DueWorker;
}

/** What everybody is told, the hub keeps, and lists: all that it ever keeps of its members' objects. docs/adr/0013. */
export class ToldToAll {
  constructor(private readonly parts: ToldToAllParts) {}

  /** Broadcast Push: kept, and brought to each as it can take it; single failures are not the sender's. HUB-14. */
  async broadcast(route: Route, request: OcpiRequest, from: Party): Promise<OcpiReply> {
    const { db, clock, members, worker, party } = this.parts;
    const module = route.module as 'locations' | 'tariffs' | 'tokens';
    const body = route.body ? read(route.body, request.body) : undefined;
    if (body && !body.ok) throw refuse('invalid-parameters', body.message);
    const query = route.query ? read(route.query, request.query) : undefined;
    if (query && !query.ok) throw refuse('invalid-parameters', query.message);
    const type = String((query?.value as { type?: string } | undefined)?.type ?? '');
    const object = objectOf(route, request.params, type);
    // Others take an object by what it says it is, from this hub's list as well.
    const names = { ...idsOf(route, request.params), ...(module === 'tokens' ? { type: 'type' } : {}) };
    sameIds({ ...request.params, type }, { ...(body?.value as object | undefined) }, names);
    if (!hasParty(request.caller.partner, object.owner))
      throw refuse('foreign-party', `${partyText(object.owner)} is none of your roles`);
    const isNew = await db.tx(async (tx) => {
      await lockLinks(tx, 'together');
      const known = await findObject(tx, object);
      const next = pushedOn(route, request.params, body?.value, known);
      if (next === known) return false;
      await storeObject(tx, object, next);
      const listeners = await members.listeners(tx, object.owner, module);
      const objectKey = `${partyText(object.owner)} ${object.key}`;
      const { correlationId } = request.ids;
      const own = listeners.map(({ id: partnerId }) => ({ ...pushOf({ partnerId, module, objectKey }, next), correlationId }));
      await queueAll(tx, { own }, clock.now());
      return known === undefined;
    });
    worker().wake();
    return { answer: { http: isNew ? 201 : 200, status: 1000 }, routing: { to: from, from: party } };
  }

  /** GET All: what was told to everybody, of those whom the caller may see. HUB-16. */
  async list(module: ModuleId, request: OcpiRequest, from: Party): Promise<OcpiReply> {
    const { db, members, pageLimit, party } = this.parts;
    if (module === 'tokens' && !(await members.isOperator(from))) throw refuse('not-found', `Tokens are for CPOs, and ${partyText(from)} is none`);
    const page = pageIn(request, pageLimit);
    const seen = await members.seenBy(request.caller.partner);
    const owners = seen.map(({ info }) => info).filter((info) => info.status !== 'SUSPENDED' && members.mayMeet(from, info));
    const { objects, total, next } = await objectPage(db, module, owners, page);
    return {
      listJson: objects,
      headers: pageHeaders(request.url, page, total, pageLimit, next),
      routing: { to: from, from: party },
    };
  }
}

export function pageIn({ query }: OcpiRequest, maxLimit: number): PageQuery {
  const reading = readPage(query, { maxLimit });
  if (!reading.ok) throw refuse('invalid-parameters', reading.message);
  return reading.page;
}
