import { type Due, type DueOutcome, type DueWorker, rouseAtCommit } from '#due';
import { type ClientInfo, instantMs, partyText, type Party, sameParty } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { Calls } from '../partners/calls.ts';
import {
  allClients, type Client, clientKey, clientsWith, heardAt, isOffline, keepClient, keepRoles, noteHeard, setReached,
  suspendBehindEnded,
} from './client-info-rows.ts';
import type { ListedClient } from './client-list.ts';
import type { HubSettings } from '../config.ts';
import { outcomeText } from '../partners/handshake.ts';
import { audienceOf, mayMeet } from './way.ts';
import { endpointOf, type Partner, partiesOf } from '../partners/partner.ts';
import { findPartner, noteError, registeredPartners } from '../partners/partner-rows.ts';
import { lockLinks } from '../pushes/pushed-rows.ts';
import { type Push, pushOf, queueAll } from '../pushes/queue-rows.ts';

export interface MembersParts {
  readonly db: Database;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: HubSettings;
  readonly worker: () => DueWorker;
}

/** The positions before those of the parties that were told. */
const PLANNED_AT_MOST = 1_000_000n;
/** Of one partner, real time. */
const LOOK_AGAIN_MS = 1_000;

/** Who is connected to the hub, and how they hear of it: HUB-24, HCI. */
export class HubMembers {
  /** When this process last wrote that a partner was heard, real ms: not at each of its requests. */
  private readonly written = new Map<string, number>();
  private readonly looked = new Map<string, number>();

  constructor(private readonly parts: MembersParts) {}

  mayMeet(a: Party, b: Party): boolean {
    return mayMeet(this.parts.settings, a, b);
  }

  /**
   * How a party is reached, or that it is PLANNED; undefined: nobody of that name. Who has a link of its own is there
   * or nowhere, whoever tells of it.
   */
  async find(party: Party): Promise<Client | undefined> {
    const all = await clientsWith(this.parts.db, party);
    const own = all.filter(isOwnLink);
    const clients = own.length > 0 ? own : all;
    return (
      clients.find(({ info }) => info.status === 'CONNECTED') ??
      clients[0] ??
      this.planned().find(({ info }) => sameParty(info, party))
    );
  }

  /** Those that a partner's parties may see, without their own: the planned ones, and then in the order in which they were told first. */
  async seenBy(partner: Partner): Promise<ListedClient[]> {
    const isSeen = this.seenWith(partner);
    const known = await allClients(this.parts.db);
    const linked = new Set(known.filter(isOwnLink).map(({ info }) => partyText(info)));
    const told = known.filter(({ behind, info }) => !behind || !linked.has(partyText(info)));
    // One that is planned no more has gone to the end: it may be read twice, and is not passed over.
    const planned = this.planned().map((client, index) => ({ ...client, position: BigInt(index + 1) }))
      .filter(({ info }) => !known.some((one) => clientKey(one.info) === clientKey(info)));
    const all = [...planned, ...told.map((client) => ({ ...client, position: PLANNED_AT_MOST + client.created! }))];
    const seen = all.filter(({ partnerId, info }) => partnerId !== partner.id && isSeen(info));
    return nearest(seen).map(({ position, info }) => ({ position, info }));
  }

  private planned(): Client[] {
    const { planned, planned_since: last_updated } = this.parts.settings;
    return planned.map((party) => ({ partnerId: '', behind: false, info: { ...party, status: 'PLANNED', last_updated } }));
  }

  /** Whether a party operates stations. */
  async isOperator(party: Party): Promise<boolean> {
    return (await clientsWith(this.parts.db, party)).some(({ info }) => info.role === 'CPO' && info.status !== 'SUSPENDED');
  }

  /** Registered partners that are to hear what `owner` tells everybody. HUB-11. */
  async listeners(tx: Tx, owner: Party, module: 'locations' | 'tariffs' | 'tokens'): Promise<Partner[]> {
    const clients = (await allClients(tx)).filter(({ info }) => info.status !== 'SUSPENDED');
    const tellers = clients.filter(({ info }) => sameParty(info, owner));
    const via = tellers.map(({ partnerId }) => partnerId);
    const roles = audienceOf(module, tellers.map(({ info }) => info.role));
    const wanted = new Set(
      clients
        .filter(({ info }) => roles.includes(info.role) && this.mayMeet(owner, info))
        .map(({ partnerId }) => partnerId),
    );
    return (await registeredPartners(tx)).filter((partner) =>
      wanted.has(partner.id) && !via.includes(partner.id) && endpointOf(partner, module, 'RECEIVER') !== undefined);
  }

  /** Whether any of a partner's parties may hear of what is `owner`'s. */
  mayTell(owner: Party, partner: Partner): boolean {
    return partiesOf(partner).some((party) => this.mayMeet(owner, party));
  }

  /** A link was made or renewed: its parties are CONNECTED, and it is watched. */
  async joined(tx: Tx, partner: Partner): Promise<void> {
    const { clock } = this.parts;
    const at = clock.now();
    await noteHeard(tx, partner.id, at);
    await this.announce(tx, await keepRoles(tx, partner.id, partner.roles.filter(({ role }) => role !== 'HUB'), 'CONNECTED', at));
    // One that is looking just now at a link that had ended looks once more.
    const lane = `watch ${partner.id}`;
    rouseAtCommit(tx, 'watch', at + this.parts.settings.quiet_s * 1_000, [{ id: lane, key: lane, body: { partnerId: partner.id } }]);
  }

  /** A link has ended: its parties will not connect again. HCI-03. */
  async ended(tx: Tx, partner: Partner): Promise<void> {
    await this.announce(tx, await keepRoles(tx, partner.id, [], 'SUSPENDED', this.parts.clock.now()));
    await this.leftBehind(tx);
  }

  /** Who was behind a hub whose link has ended is there by another one, or nowhere: the last word of that stays its hub's. */
  async leftBehind(tx: Tx): Promise<void> {
    const left = new Set((await suspendBehindEnded(tx)).map(({ info }) => clientKey(info)));
    if (left.size > 0) await this.announce(tx, nearest(await allClients(tx)).filter(({ info }) => left.has(clientKey(info))));
  }

  /** What another hub says of a party behind it; of one that has a link of its own here it is no news to others. HUB-22. */
  async told(tx: Tx, client: Client): Promise<boolean> {
    const isNews = await keepClient(tx, client, this.parts.clock.now());
    if (isNews && !(await clientsWith(tx, client.info)).some(isOwnLink)) await this.announce(tx, [client]);
    return isNews;
  }

  /** A message came: it is there, whatever we thought. */
  async heard(partner: Partner): Promise<void> {
    const { db, clock, settings } = this.parts;
    const last = this.written.get(partner.id) ?? -Infinity;
    if (performance.now() - last < (settings.quiet_s * 1_000) / clock.rate / 4 && !await this.isLostByAnother(partner.id)) return;
    this.written.set(partner.id, performance.now());
    await noteHeard(db, partner.id, clock.now());
    await this.reached(partner.id, 'CONNECTED');
  }

  /** Looked up now and then: many messages come, and each process of ours has its own way to a member. */
  private async isLostByAnother(partnerId: string): Promise<boolean> {
    const now = performance.now();
    if (now - (this.looked.get(partnerId) ?? -Infinity) < LOOK_AGAIN_MS) return false;
    this.looked.set(partnerId, now);
    return isOffline(this.parts.db, partnerId);
  }

  /** Nobody took the connection: it is OFFLINE at once, until it is heard again. */
  async lost(partner: Partner, why: string): Promise<void> {
    this.written.delete(partner.id);
    this.parts.log.warn('a member is offline', { partner: partner.name, why });
    await this.reached(partner.id, 'OFFLINE');
    await noteError(this.parts.db, partner.id, why);
  }

  /** Still alive? After a silence the hub asks for its versions. HUB-24. */
  async watch({ body }: Due): Promise<DueOutcome> {
    const { db, clock, settings, calls } = this.parts;
    const partner = await findPartner(db, (body as { partnerId: string }).partnerId);
    if (partner?.state !== 'registered') return 'done';
    const quietUntil = await heardAt(db, partner.id) + settings.quiet_s * 1_000;
    if (quietUntil > clock.now()) return { retryAt: quietUntil };
    const outcome = await calls.to(partner, {}).get(partner.versionsUrl, { routing: false });
    if (outcome.kind === 'ok') {
      await noteHeard(db, partner.id, clock.now());
      await this.reached(partner.id, 'CONNECTED');
      return { retryAt: clock.now() + settings.quiet_s * 1_000 };
    }
    await this.lost(partner, `GET of versions: ${outcomeText(outcome)}`);
    return { retryAt: clock.now() + settings.offline_check_s * 1_000 };
  }

  private async reached(partnerId: string, status: 'CONNECTED' | 'OFFLINE'): Promise<void> {
    const { db, clock, worker } = this.parts;
    await db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      await this.announce(tx, await setReached(tx, partnerId, status, clock.now()));
    });
    worker().wake();
  }

  /** HCI-04: every change goes to all that may see the party. */
  private async announce(tx: Tx, changed: readonly Client[]): Promise<void> {
    if (changed.length === 0) return;
    const own: Push[] = [];
    for (const partner of await registeredPartners(tx)) {
      if (endpointOf(partner, 'hubclientinfo', 'RECEIVER') === undefined) continue;
      const isSeen = this.seenWith(partner);
      for (const { partnerId, info } of changed) {
        if (partnerId === partner.id || !isSeen(info)) continue;
        own.push(pushOf({ partnerId: partner.id, module: 'hubclientinfo', objectKey: clientKey(info) }, JSON.stringify(info)));
      }
    }
    await queueAll(tx, { own }, this.parts.clock.now());
  }

  /**
   * A hub sees all that any of its own members may; a party is no news to itself. What a hub itself told of a party is another
   * matter: it has to hear what becomes of the party here, or two hubs have it from each other for ever.
   */
  private seenWith(partner: Partner): (info: ClientInfo) => boolean {
    const own = partiesOf(partner);
    const names = new Set(partner.roles.map(partyText));
    return (info) => !names.has(partyText(info)) && own.some((party) => this.mayMeet(party, info));
  }
}

function isOwnLink({ behind, info }: Client): boolean {
  return !behind && info.status !== 'SUSPENDED';
}

/** HCI-02: of those who have a party in the same role its own link, else who reaches it, else who was heard of last. */
function nearest<C extends Client>(clients: readonly C[]): C[] {
  const best = new Map<string, C>();
  for (const client of clients) {
    const other = best.get(clientKey(client.info));
    if (!other || isNearer(client, other)) best.set(clientKey(client.info), client);
  }
  return clients.filter((client) => best.get(clientKey(client.info)) === client);
}

function isNearer(client: Client, other: Client): boolean {
  const isConnected = client.info.status === 'CONNECTED';
  if (isOwnLink(client) !== isOwnLink(other)) return isOwnLink(client);
  if (isConnected !== (other.info.status === 'CONNECTED')) return isConnected;
  return instantMs(client.info.last_updated)! >= instantMs(other.info.last_updated)!;
}
