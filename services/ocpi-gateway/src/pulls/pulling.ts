import { randomUUID } from 'node:crypto';
import { type Bus, Unanswered } from '#bus';
import { addDue, type Due, type DueOutcome, openDue } from '#due';
import { type Party, partyText } from '#ocpi';
import type { Database, Queryable, Tx } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { Calls, PartnerClient } from '../partners/calls.ts';
import type { OcpiSettings } from '../config.ts';
import type { ClientInfos } from '../hub/client-infos.ts';
import { outcomeText, refuse } from '../partners/handshake.ts';
import { endpointOf, isHub, type Partner, partiesOf } from '../partners/partner.ts';
import { isAway, isPassing, listUrl, pagesOf, pageUrl, takesDates } from './partner-lists.ts';
import type { Partners } from '../partners/partners.ts';
import { findPartner, registeredPartners } from '../partners/partner-rows.ts';
import {
  beginPull, databaseNow, type Difference, differencesOf, endPull, failPull, findPull, forgetPage, forgetVanished, type FoundDifference, noteDifferences, notePage, type Pull, type PullKey,
  type PullReport, reportsOf, unseenOf, vanishedOf,
} from './pull-rows.ts';
import { type AskedAt, type Kind, kinds, SESSIONS_BACK_MS, takeIn, targets } from './pulled-kinds.ts';
import { noteQuiet, quietMs } from './quiet-rows.ts';
import { retryInMs, splayedMs } from '../retry.ts';

export interface PullingParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OcpiSettings;
  readonly partners: Partners;
  /** Who is behind a hub. */
  readonly clientInfos: Pick<ClientInfos, 'pull'>;
}

/** Clocks differ, and a partner may stamp an object before it lists it. */
const OVERLAP_MS = 10 * 60_000;
const DROPPED_AT_ONCE = 2_000;

/** After a list that did not end, at most. */
const FAILED_PAUSE_S = 300;
const ATTEMPTS = 10;

/** One reading of all lists; `waitMs`: for so long the partner asked to be left alone, real time. */
interface Round {
  readonly how: 'ended' | 'failed' | 'gone';
  readonly waitMs: number;
}

/** A list that did not end; away: behind a hub, which says so. Others' lists need not be read anew for that, and its own can wait. */
type Stopped = 'failed' | 'away';

interface Reading {
  readonly client: PartnerClient;
  readonly key: PullKey;
  readonly full: boolean;
  readonly isFirst: boolean;
  /** What of it was read before, and is in the report. */
  readonly counted: 'nothing' | 'first page' | 'all';
}

/** A list that stopped: not the rest of one of what changed for whoever wants all, nor of one whose endpoint was elsewhere. */
function goesOn({ under }: Pull, { full, endpoint }: { full: boolean; endpoint: string }): Pull['under'] {
  return under && (under.full || !full) && under.endpoint === endpoint ? under : undefined;
}

const pullLane = (partnerId: string) => `pull ${partnerId}`;

/** Gets back in step by reading partners' lists: at first, now and then, and when asked to. TRN-14, TRN-57. */
export class Pulling {
  constructor(private readonly parts: PullingParts) {}

  /** A link was made: all of it, a little later. */
  async joined(tx: Tx, partnerId: string): Promise<void> {
    const { clock, settings } = this.parts;
    const goesOn = (await openDue(tx, pullLane(partnerId))).some(({ kind }) => kind === 'pull');
    if (goesOn) return this.soon(tx, partnerId, { full: true, splayS: settings.pull.first_s });
    // Turns of an earlier time have smaller numbers.
    return this.turn(tx, partnerId, clock.now(), clock.now() + settings.pull.first_s * 1_000);
  }

  /** Once, soon: what changed since the last time, or all. */
  async soon(tx: Tx, partnerId: string, { full = false, splayS = 0, id = randomUUID() as string } = {}): Promise<void> {
    const at = this.parts.clock.now() + Math.random() * splayS * 1_000;
    await addDue(tx, {
      id: `pull once ${partnerId} ${id}`,
      key: pullLane(partnerId),
      kind: 'pull-once',
      at,
      body: { partnerId, full },
    });
  }

  /** This service was away, nobody knows for how long: each partner's lists, one after the other within the splay. */
  async afterStart(): Promise<void> {
    const { db, clock, settings } = this.parts;
    if (settings.pull.splay_s === 0) return;
    const turn = Math.floor(clock.now() / 60_000);
    await db.tx(async (tx) => {
      for (const { id } of await registeredPartners(tx))
        await this.soon(tx, id, { splayS: settings.pull.splay_s, id: `start ${turn}` });
    });
  }

  /** An operator wants it now. Throws Rejected. */
  async byOperator(partnerId: string, full: boolean): Promise<void> {
    const { db, partners } = this.parts;
    const partner = await partners.known(partnerId);
    if (partner.state !== 'registered') throw refuse('not-registered', `${partner.name} is ${partner.state}`);
    await db.tx((tx) => this.soon(tx, partnerId, { full }));
    partners.wake();
  }

  /** How the lists were read last, and what was otherwise here. Throws Rejected. */
  async report(partnerId: string, limit: number): Promise<{ pulls: PullReport[]; differences: FoundDifference[] }> {
    const { db, partners } = this.parts;
    await partners.known(partnerId);
    return { pulls: await reportsOf(db, partnerId), differences: await differencesOf(db, partnerId, limit) };
  }

  /** Now and then: each time is a row of its own, so that whatever an operator wants in between goes first. */
  async run({ body }: Due): Promise<DueOutcome> {
    const { db, clock, settings } = this.parts;
    const { partnerId, turn = 0 } = body as { partnerId: string; turn?: number };
    const everyMs = settings.pull.every_s * 1_000;
    const { how, waitMs } = await this.once(partnerId, { full: false, unlessSince: clock.now() - everyMs / 2 });
    if (how === 'gone') return 'done';
    const pauseS = how === 'ended' ? settings.pull.every_s : Math.min(settings.pull.every_s, FAILED_PAUSE_S);
    const pauseMs = Math.max(splayedMs(pauseS * 1_000), waitMs * clock.rate);
    await this.turn(db, partnerId, turn + 1, clock.now() + pauseMs);
    return 'done';
  }

  /** Once, until it comes to an end. */
  async runOnce({ body, at }: Due, attempt: number): Promise<DueOutcome> {
    const { partnerId, full = false } = body as { partnerId: string; full?: boolean };
    const { how, waitMs } = await this.once(partnerId, { full, unlessSince: attempt > 1 ? at : Infinity });
    if (how !== 'failed' || attempt >= ATTEMPTS) return 'done';
    return { retryInMs: Math.max(waitMs, retryInMs(attempt, this.parts.settings)) };
  }

  private turn(tx: Queryable, partnerId: string, turn: number, at: number): Promise<void> {
    return addDue(tx, {
      id: `pull ${partnerId} turn ${turn}`,
      key: pullLane(partnerId),
      kind: 'pull',
      at,
      body: { partnerId, turn },
    });
  }

  /**
   * All lists of a partner, but those that were read since then: others may have failed. What did not end goes on where it stopped; who
   * asks to be left alone is, and is asked nothing until then.
   */
  private async once(partnerId: string, { full, unlessSince }: { full: boolean; unlessSince: number }): Promise<Round> {
    const { db, clock, settings, partners, clientInfos } = this.parts;
    let how: Round['how'] = 'ended';
    if (await quietMs(db, partnerId) === 0) await clientInfos.pull({ body: { partnerId } });
    for (const kind of kinds) {
      // Lists are long: the link may have ended or been renewed meanwhile, for other parties than before.
      const partner = await findPartner(db, partnerId);
      if (partner?.state !== 'registered') return { how: 'gone', waitMs: 0 };
      const endpoint = endpointOf(partner, kind.module, 'SENDER');
      const isWanted = partners.interfaces.some(({ module, role }) => module === kind.module && role === 'RECEIVER');
      if (endpoint === undefined || !isWanted) continue;
      for (const to of targets(partner, kind)) {
        const waitMs = await quietMs(db, partnerId);
        if (waitMs > 0) return { how: 'failed', waitMs };
        const key: PullKey = { partnerId, module: kind.module, of: to.of };
        const { fullAt, endedAt, under } = await findPull(db, key);
        const readAt = (full ? fullAt : endedAt) ?? -Infinity;
        if (!under && readAt >= unlessSince && readAt <= clock.now()) continue;
        const wantsAll =
          full ||
          fullAt === undefined ||
          (kind.whole && fullAt + settings.pull.full_every_s * 1_000 <= clock.now()) ||
          !takesDates(partner, kind.module);
        if ((await this.list(partner, kind, { key, to: to.party, endpoint, full: wantsAll })) === 'failed') how = 'failed';
      }
    }
    return { how, waitMs: await quietMs(db, partnerId) };
  }

  private async list(
    partner: Partner,
    kind: Kind,
    list: { key: PullKey; to: Party | undefined; endpoint: string; full: boolean },
  ): Promise<'ended' | Stopped> {
    const { db, calls, clock } = this.parts;
    const { key, to } = list;
    const known = await findPull(db, key);
    const under = goesOn(known, list) ?? {
      url: this.firstUrl(partner, kind, list, known.since),
      endpoint: list.endpoint,
      full: list.full,
      startedAt: clock.now(),
      objects: 0,
    };
    if (under !== known.under) await db.tx((tx) => beginPull(tx, key, under));
    const reading: Reading = {
      client: calls.to(partner, { to }),
      key,
      full: under.full,
      isFirst: known.fullAt === undefined,
      counted: under.objects > 0 ? 'first page' : 'nothing',
    };
    try {
      const first = await this.read(partner, kind, reading, { url: under.url, asked: await this.askedAt() });
      if (typeof first === 'string') return first;
      let isJudged = under.full && first.unlinked === 0 && kind.whole;
      const missing = isJudged ? await this.missing(kind, key) : new Map<Party, string[]>();
      let gone: Difference[] = [];
      if (missing.size > 0) {
        // Under a pull objects move to pages that were read already, and others come: gone is what is missing twice. TRN-54.
        const asked = await this.askedAt();
        const again = await this.read(
          partner, kind, { ...reading, counted: 'all' }, { url: this.firstUrl(partner, kind, list, known.since), asked },
        );
        if (typeof again === 'string') return again;
        isJudged = again.unlinked === 0;
        if (isJudged) gone = await this.dropMissing(kind, key, missing, asked);
      }
      await db.tx(async (tx) => {
        if (isJudged) await forgetVanished(tx, key);
        await noteDifferences(tx, key, gone, clock.now());
        // What no Link led to is asked for again, once: whoever has no Links, or counts what was not asked for, does so each time.
        const since = first.unlinked > 0 && known.unlinked === 0 ? undefined : under.startedAt - OVERLAP_MS;
        await endPull(tx, key, { since, full: under.full, endedAt: clock.now(), gone: gone.length, unlinked: first.unlinked });
      });
      return 'ended';
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      await failPull(db, key, `a service of ours did not answer: ${error.message}`);
      return 'failed';
    }
  }

  /** Takes a list in, page by page from `url` on. `unlinked`: so many objects of it are on no page that a Link led to. */
  private async read(
    partner: Partner, kind: Kind, { client, key, full, isFirst, counted }: Reading, { url, asked }: { url: string; asked: AskedAt },
  ): Promise<{ unlinked: number } | Stopped> {
    const { db, bus, calls, clock, log } = this.parts;
    let isCounted = counted !== 'nothing';
    let unlinked = 0;
    for await (const page of pagesOf({ partner, client, sightings: calls.sightings }, kind.module, pageUrl(partner, url))) {
      if (page.kind !== 'page') {
        await failPull(db, key, outcomeText(page));
        await noteQuiet(db, key.partnerId, page);
        // A page that is refused for itself is not asked for again: the list begins anew. So may be one where it stopped: a URL may hold for a while only.
        const isWhereItStopped = isCounted && counted === 'first page';
        if (page.kind === 'refused' && (!isPassing(page) || (isWhereItStopped && [401, 403].includes(page.http))))
          await forgetPage(db, key);
        log.warn('a list of a partner could not be read', {
          partner: partner.name,
          module: kind.module,
          outcome: outcomeText(page),
        });
        return isAway(page) ? 'away' : 'failed';
      }
      unlinked += page.unlinked;
      const now = await findPartner(db, key.partnerId);
      if (now?.state !== 'registered') return 'failed';
      const { differences, seen } = await takeIn(bus, now, kind, page.objects, asked);
      // What a first list brings is no difference, and what cannot be read was said when the page was read before.
      const news = differences.filter(({ what }) => (what === 'invalid' ? !isCounted : !isFirst));
      await db.tx(async (tx) => {
        await notePage(tx, key, {
          url: page.url,
          objects: isCounted ? 0 : page.objects.length,
          differences: news.length,
          seen: full ? seen : [],
        });
        await noteDifferences(tx, key, news, clock.now());
      });
      isCounted = counted === 'all';
    }
    return { unlinked };
  }

  /** What comes from here on is newer than what the partner says. */
  private async askedAt(): Promise<AskedAt> {
    const { db, clock } = this.parts;
    return { askedAt: await databaseNow(db), at: clock.iso() };
  }

  private firstUrl(
    partner: Partner,
    kind: Kind,
    { endpoint, full }: { endpoint: string; full: boolean },
    since: number | undefined,
  ): string {
    const from =
      kind.module === 'sessions' && (full || since === undefined)
        ? this.parts.clock.now() - SESSIONS_BACK_MS
        : full
          ? undefined
          : since;
    return listUrl(partner, kind.module, endpoint, from);
  }

  /** Of each party, what is held and was not on the whole list that was read. */
  private async missing(kind: Kind, key: PullKey): Promise<Map<Party, string[]>> {
    const { db, bus } = this.parts;
    const missing = new Map<Party, string[]>();
    const partner = await findPartner(db, key.partnerId);
    if (partner?.state !== 'registered') return missing;
    const parties = partiesOf(partner).filter((party) => key.of === '' || partyText(party) === key.of);
    // What a hub brought to us alone is on no list of it. HUB-16.
    const held = isHub(partner) ? undefined : kind.held;
    const vanished = held ? [] : await vanishedOf(db, key);
    for (const party of parties) {
      const unseen = vanished.filter((one) => one.party === partyText(party)).map((one) => one.key);
      for (let after = ''; held;) {
        const keys = await held(bus, party, after);
        if (keys.length === 0) break;
        unseen.push(...(await unseenOf(db, key, party, keys)));
        after = keys.at(-1)!;
      }
      if (unseen.length > 0) missing.set(party, unseen);
    }
    return missing;
  }

  /** TRN-57: what a whole list does not have is not valid any more. */
  private async dropMissing(
    kind: Kind, key: PullKey, missing: ReadonlyMap<Party, string[]>, asked: AskedAt,
  ): Promise<Difference[]> {
    const { db, bus } = this.parts;
    const gone: string[] = [];
    for (const [party, keys] of missing) {
      for (let start = 0; start < keys.length; start += DROPPED_AT_ONCE) {
        const unseen = await unseenOf(db, key, party, keys.slice(start, start + DROPPED_AT_ONCE));
        if (unseen.length > 0) gone.push(...(await kind.drop!(bus, party, unseen, asked)));
      }
    }
    return gone.map((objectKey) => ({ objectKey, what: 'gone', detail: 'the partner does not list it any more' }));
  }
}
