import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Page, PageRequestSchema } from '#contracts/party';
import { listLocations } from '#contracts/locations';
import { listTariffs } from '#contracts/tariff-engine';
import { listTokens } from '#contracts/tokens-auth';
import { addDue, type Due, type DueOutcome } from '#due';
import { areGrantedAlike, type Granted, type GrantRows, isOffered, shownSince } from '#grants';
import type { Interface, Tariff, Token } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { PushedModule } from './difference.ts';
import { endpointOf, type Partner, takesTokens, toBus, toldOf, viewerOf } from '../partners/partner.ts';
import { findPartner, registeredPartners } from '../partners/partner-rows.ts';
import { hiddenFrom, queueViews } from '../partners/partner-views.ts';
import { noteUnwanted } from './lane-rows.ts';
import { forgetTariffs, lockLinks, pushedKeys, pushedLocations } from './pushed-rows.ts';
import { queueAll } from './queue-rows.ts';
import { turnDue, turnsOf } from './tariff-turns.ts';
import { tokenKey } from './token-key.ts';
import type { Hidden } from './withdrawn-rows.ts';
import { grantsTurnDue, type Steering } from '../steering.ts';

const PAGE = 200;
const NEIGHBOUR_IS_AWAY_MS = 500;

interface Own {
  readonly module: PushedModule;
  readonly list: (bus: Bus, page: PageWish, partner: Partner) => Promise<Page>;
  readonly keyOf: (object: never) => string;
}

type PageWish = MessageInitShape<typeof PageRequestSchema>;

const byId = ({ id }: { id: string }) => id;

function listOffered(bus: Bus, page: PageWish, partner: Partner): Promise<Page> {
  return bus.ask(listTariffs, { page, offeredTo: toldOf(partner).map(toBus) });
}

/** A Tariff before any Connector that names it. */
const inOrder: readonly Own[] = [
  { module: 'tariffs', list: listOffered, keyOf: byId },
  { module: 'locations', list: (bus, page) => bus.ask(listLocations, { page }), keyOf: byId },
  { module: 'tokens', list: (bus, page) => bus.ask(listTokens, { page }), keyOf: (token: Token) => tokenKey(token) },
];

/** Due at an instant: all that a partner is to have is queued. */
export function pushAllOf(partnerId: string, at: number) {
  return { id: `push all ${partnerId} ${randomUUID()}`, key: partnerId, kind: 'push-all', at, body: { partnerId } };
}

/**
 * The same, because what it is granted changes: beside its lane, where something that it may not have any
 * more may be waiting for it to come back.
 */
function pushGrantedOf(partnerId: string, at: number) {
  return { ...pushAllOf(partnerId, at), id: `push granted ${partnerId} ${randomUUID()}`, key: `${partnerId} granted` };
}

/** Partners are granted otherwise than before: those whom it concerns get all anew, and it is known when it changes by itself. Whether anything is due. */
export async function pushGranted(tx: Tx, before: Granted, after: Granted, at: number): Promise<boolean> {
  const concerned = (await registeredPartners(tx)).filter((partner) => !areGrantedAlike(viewerOf(partner), before, after));
  for (const { id } of concerned) await addDue(tx, pushGrantedOf(id, at));
  if (after.until !== undefined) await addDue(tx, grantsTurnDue(after.until));
  return concerned.length > 0 || after.until !== undefined;
}

/**
 * Queues all that a partner is to have: when it is newly registered, and when what it is granted
 * changes. Its rows take the place of this one in the
 * partner's lane: before anything that changed since.
 */
export class PushAll {
  constructor(private readonly parts: {
    readonly db: Database; readonly bus: Bus; readonly interfaces: readonly Interface[]; readonly log: Log;
    readonly clock: Clock; readonly grants: GrantRows; readonly steering: Steering;
  }) {}

  async run({ body, at }: Due, attempt: number): Promise<DueOutcome> {
    const { db, log } = this.parts;
    const partner = await findPartner(db, (body as { partnerId: string }).partnerId);
    if (!partner || partner.state !== 'registered') return 'done';
    // Whoever has the lists may be away, and what it may not have any more waits for nobody.
    await db.tx((tx) => this.hide(tx, partner, at));
    for (const own of this.wanted(partner)) {
      try {
        await this.queue(partner, own, at);
      } catch (error) {
        log.warn('a new partner is not yet sent everything', { partner: partner.name, module: own.module, attempt, error });
        return { retryInMs: NEIGHBOUR_IS_AWAY_MS };
      }
    }
    await db.tx((tx) => this.parts.steering.joined(tx, partner));
    return 'done';
  }

  /** A Tariff of ours begins or ends by now: who cannot be told of that before is told now, of it and of the Connectors that name it. */
  async tariffsTurned(): Promise<DueOutcome> {
    const { db, clock } = this.parts;
    await db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      for (const partner of await registeredPartners(tx)) {
        if (partner.version !== '2.1.1') continue;
        await forgetTariffs(tx, partner.id);
        await addDue(tx, pushAllOf(partner.id, clock.now()));
      }
    });
    return 'done';
  }

  /** At this instant a version of an agreement begins. */
  async grantsTurned({ at }: Due): Promise<DueOutcome> {
    const { db, clock, grants, steering } = this.parts;
    await db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      await steering.changed(tx, await grants.steering(tx, at - 1), await grants.steering(tx, at));
      await pushGranted(tx, await grants.at(tx, at - 1), await grants.at(tx, at), clock.now());
    });
    return 'done';
  }

  private wanted(partner: Partner): Own[] {
    return inOrder.filter(({ module }) =>
      this.parts.interfaces.some((one) => one.module === module && one.role === 'SENDER')
      && endpointOf(partner, module, 'RECEIVER') !== undefined && (module !== 'tokens' || takesTokens(partner)));
  }

  /**
   * Nobody else queues from before a page is read until it is queued: what becomes private, or is withdrawn, is either
   * not on the page any more, or whoever hears of it finds what was queued, and takes it back. Each page begins behind the
   * last object of the one before, whatever went meanwhile.
   */
  private async queue(partner: Partner, { module, list, keyOf }: Own, at: number): Promise<void> {
    const { db, bus, clock, grants } = this.parts;
    let offset = 0;
    let position: bigint | undefined;
    for (let more = true; more;) {
      const wish = { offset, limit: PAGE, ...(position === undefined ? {} : { after: { position, offset } }) };
      const page = await db.tx(async (tx) => {
        await lockLinks(tx, 'alone');
        const listed = await list(bus, wish, partner);
        const texts = listed.objectsJson.map((bytes) => new TextDecoder().decode(bytes));
        const granted = await grants.at(tx, clock.now());
        const objects = texts.map((text) => ({ module, objectKey: keyOf(JSON.parse(text) as never), current: text }));
        await queueViews(tx, [{ partners: [partner], objects }], { at, granted });
        if (module === 'tariffs' && partner.version === '2.1.1')
          for (const turn of texts.flatMap((text) => turnsOf(JSON.parse(text) as Tariff))) if (turn > clock.now()) await addDue(tx, turnDue(turn));
        return listed;
      });
      offset += page.objectsJson.length;
      position = page.position;
      more = page.objectsJson.length > 0 && (position === undefined ? offset < page.total : page.more);
    }
  }

  /**
   * Tariffs that it is not offered any more go, Locations that it may not see end, and it looks again when what is
   * granted changes by itself.
   */
  private async hide(tx: Tx, partner: Partner, at: number): Promise<void> {
    const { clock, grants } = this.parts;
    // A newer version that others are given meanwhile would stand against what is withdrawn.
    await lockLinks(tx, 'alone');
    const { offers, places, since, until } = await grants.at(tx, clock.now());
    const hidden = (module: PushedModule) => (objectKey: string): Hidden => ({ partnerId: partner.id, module, objectKey, sinceMs: since });
    const tariffs = (await pushedKeys(tx, partner.id, 'tariffs')).filter((id) => !isOffered(id, toldOf(partner), offers));
    const locations = (await pushedLocations(tx, partner.id)).filter(
      (one) => shownSince(one, viewerOf(partner).groups, places) === undefined,
    );
    await queueAll(
      tx,
      await hiddenFrom(tx, [
        ...tariffs.map(hidden('tariffs')),
        ...locations.map(({ id }) => id).map(hidden('locations')),
      ]),
      at,
    );
    // What changes is no news to a partner that no longer takes Locations.
    if (endpointOf(partner, 'locations', 'RECEIVER') === undefined)
      await noteUnwanted(tx, { lane: partner.id, partnerId: partner.id }, ['locations']);
    if (until !== undefined) await addDue(tx, grantsTurnDue(until));
  }
}
