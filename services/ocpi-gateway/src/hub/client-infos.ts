import { type Due, type DueOutcome, rouseAtCommit } from '#due';
import type { GrantRows } from '#grants';
import { ClientInfo, instantMs, type Party, read, sameParty } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { Calls } from '../partners/calls.ts';
import { BEHIND_AT_MOST, type Client, clientKey, clientsOf, clientsWith, hasRoomFor, keepClient, noteOwnLinks } from './client-info-rows.ts';
import { noteQuiet } from '../pulls/quiet-rows.ts';
import type { Handlers, OcpiRequest } from '../exchange.ts';
import { outcomeText } from '../partners/handshake.ts';
import { endpointOf, isHub, type Partner } from '../partners/partner.ts';
import { findPartner } from '../partners/partner-rows.ts';
import { lockLinks } from '../pushes/pushed-rows.ts';
import type { Partners } from '../partners/partners.ts';
import { refuse } from '../refusals.ts';
import type { Steering } from '../steering.ts';
import { partyIn } from '../versions.ts';

export interface ClientInfosParts {
  readonly db: Database;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly grants: GrantRows;
  readonly log: Log;
  readonly partners: Partners;
  readonly steering: Pick<Steering, 'seenBehind'>;
  readonly isOurs: (party: Party) => boolean;
  /** Of a hub, whose members hear of it, too. HUB-22. */
  readonly members?: { told(tx: Tx, client: Client): Promise<boolean> } | undefined;
}

const AGAIN_MS = 2_000;
const ATTEMPTS_MAX = 20;
const LONGEST_PAUSE_MS = 600_000;

/** What a partner that is a hub says of the parties behind it: who can be reached through it. HCI. */
export class ClientInfos {
  constructor(private readonly parts: ClientInfosParts) {}

  handlers(): Handlers {
    return {
      'RECEIVER hubclientinfo PUT /:country_code/:party_id': (request) => this.put(request),
      'RECEIVER hubclientinfo GET /:country_code/:party_id': async ({ caller, params, query }) => {
        const known = await clientsOf(this.parts.db, caller.partner.id);
        // A party with two roles has one path; `role` tells them apart. HCI-02, D10.
        const found = known.find(
          ({ behind, info }) =>
            behind && sameParty(info, partyIn(params)!) && [undefined, info.role].includes(query.role as undefined),
        );
        if (!found) throw refuse('not-found', `you told us of no ${params.country_code}*${params.party_id}`);
        return { data: found.info };
      },
    };
  }

  /** All that are behind a hub: at the start of its link, and with its lists, for a PUT may not have come. HCI-04. */
  async pull({ body }: Pick<Due, 'body'>, attempt = ATTEMPTS_MAX): Promise<DueOutcome> {
    const { db, calls, log } = this.parts;
    const partner = await findPartner(db, (body as { partnerId: string }).partnerId);
    const url = partner && endpointOf(partner, 'hubclientinfo', 'SENDER');
    if (partner?.state !== 'registered' || url === undefined || !isHub(partner)) return 'done';
    for await (const page of calls.pages(partner, url)) {
      if (page.kind !== 'page') {
        await noteQuiet(db, partner.id, page);
        log.warn('the parties behind a hub are not known', { hub: partner.name, outcome: outcomeText(page), attempt });
        if (attempt < ATTEMPTS_MAX) return { retryInMs: AGAIN_MS };
        // A hub reads no lists besides.
        return this.parts.members ? { retryInMs: LONGEST_PAUSE_MS } : 'done';
      }
      // A hub's list may be long, and its link end meanwhile. CRE-08.
      if ((await findPartner(db, partner.id))?.state !== 'registered') return 'done';
      const held = new Map((await clientsOf(db, partner.id)).map(({ info }) => [clientKey(info), info]));
      const listed = page.objects.map((object) => read(ClientInfo, object)).flatMap((info) => (info.ok ? [info.value] : []));
      const others = listed.filter((info) => !isSame(info, held.get(clientKey(info))));
      // Nobody queues anything meanwhile.
      if (others.length > 0) await db.tx(async (tx) => {
        await lockLinks(tx, 'alone');
        const changed: News[] = [];
        for (const info of others) changed.push(...await this.keep(tx, partner, info) ?? []);
        await this.brought(tx, partner, changed);
      });
    }
    return 'done';
  }

  private async put({ caller: { partner }, params, body }: OcpiRequest) {
    const info = body as ClientInfo;
    if (!isHub(partner)) throw refuse('foreign-object', 'only a hub says who is behind it');
    if (!sameParty(info, partyIn(params)!)) throw refuse('id-differs', 'party_id: in the body it is another than in the URL');
    const { db, partners } = this.parts;
    await db.tx(async (tx) => {
      await lockLinks(tx, 'alone');
      const news = await this.keep(tx, partner, info);
      if (news === undefined) throw refuse('invalid-object', `no more than ${BEHIND_AT_MOST} parties are kept behind one hub`);
      if (news.length > 0) await this.brought(tx, partner, news);
    });
    partners.wake();
    return {};
  }

  /** It, where it is news; undefined: there is no room for it. */
  private async keep(tx: Tx, partner: Partner, info: ClientInfo): Promise<News[] | undefined> {
    const { members, isOurs, clock } = this.parts;
    if (isOurs(info) || info.role === 'HUB') return [];
    const client: Client = { partnerId: partner.id, behind: true, info };
    if (!await hasRoomFor(tx, client)) return undefined;
    const before = (await clientsWith(tx, info)).find((one) => one.behind && one.partnerId === partner.id && one.info.role === info.role);
    const isNews = members ? await members.told(tx, client) : await keepClient(tx, client, clock.now());
    if (!isNews) return [];
    await noteOwnLinks(tx, info);
    return [{ ...info, comesOrGoes: isThere(before?.info) !== isThere(info) }];
  }

  /** These are news of a hub's: what waited for those who are there goes to them. Ends the transaction. */
  private async brought(tx: Tx, partner: Partner, news: readonly News[]): Promise<void> {
    const { partners: { links }, steering, members, grants, clock } = this.parts;
    // What is told to all behind a hub goes by who they are.
    if (news.some(({ comesOrGoes }) => comesOrGoes) && (members || (await grants.at(tx, clock.now())).places.length > 0))
      rouseAtCommit(tx, 'push-all', clock.now(), [{ id: `push all behind ${partner.id}`, key: `${partner.id} behind`, body: { partnerId: partner.id } }]);
    if (news.some(({ status }) => status !== 'OFFLINE')) await links.bringHome(tx);
    await links.tellLinked(tx, news);
    await steering.seenBehind(tx, partner, news);
  }
}

function isSame(info: ClientInfo, held: ClientInfo | undefined): boolean {
  return held !== undefined && held.status === info.status && instantMs(held.last_updated) === instantMs(info.last_updated);
}

/** `comesOrGoes`: it was not behind the hub before, or is not any more. */
type News = ClientInfo & { readonly comesOrGoes: boolean };

function isThere(info: ClientInfo | undefined): boolean {
  return info?.status === 'CONNECTED' || info?.status === 'OFFLINE';
}
