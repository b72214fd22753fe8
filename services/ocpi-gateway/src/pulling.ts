import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { type Bus, Refused, Unanswered } from '#bus';
import { receiveCdr } from '#contracts/cdr-ledger';
import { dropHeldLocations, listHeldLocations, putPartnerLocation } from '#contracts/locations';
import { Change } from '#contracts/party';
import { putPartnerSession } from '#contracts/sessions';
import { deletePartnerTariff, putPartnerTariff } from '#contracts/tariff-engine';
import { dropHeldTokens, listHeldTokens, putPartnerToken } from '#contracts/tokens-auth';
import { toJsonBytes } from '#contracts';
import { addDue, type Due, type DueOutcome } from '#due';
import { Cdr, dateTimeOf, Location, type Page, type Party, partyText, pulled, read, sameParty, Session, Tariff, Token } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { Calls } from './calls.ts';
import type { OcpiSettings } from './config.ts';
import { outcomeText, refuse } from './handshake.ts';
import { endpointOf, hasParty, isHub, type Partner, partiesOf, spokesman, toBus } from './partner.ts';
import type { Partners } from './partners.ts';
import { findPartner, registeredPartners } from './partner-rows.ts';
import {
  beginPull, type Difference, differencesOf, endPull, failPull, findPull, type FoundDifference, noteDifferences, notePage, type PullKey,
  type PulledModule, type PullReport, reportsOf, takeVanished, unseenOf,
} from './pull-rows.ts';

export interface PullingParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OcpiSettings;
  readonly partners: Partners;
}

interface Owned extends Party {
  readonly id?: string;
}

/** How the objects of a list are read, named and taken in. */
interface Kind {
  readonly module: PulledModule;
  readonly schema: z.ZodType;
  readonly keyOf: (object: never) => string;
  readonly take: (bus: Bus, object: never, bodyJson: Uint8Array) => Promise<{ change: Change }>;
  /** Sessions and CDRs do not end by not being listed. */
  readonly whole: boolean;
  /** What is held of a party; absent: known from earlier whole lists. */
  readonly held?: (bus: Bus, party: Party, after: string) => Promise<string[]>;
  readonly drop?: (bus: Bus, party: Party, keys: string[]) => Promise<string[]>;
}

const HELD_PAGE = 2_000;
const byId = ({ id }: { id: string }) => id.toLowerCase();

/** A Tariff before the Connectors that name it. */
const kinds: readonly Kind[] = [
  {
    module: 'tariffs', schema: Tariff, keyOf: byId, whole: true,
    take: (bus, tariff: Tariff, bodyJson) => bus.ask(putPartnerTariff, { party: toBus(tariff), tariffId: tariff.id, bodyJson }),
    async drop(bus, party, keys) {
      const answers = await bus.askMany(deletePartnerTariff, keys.map((tariffId) => ({ party: toBus(party), tariffId })));
      return keys.filter((_, index) => 'change' in answers[index]! && answers[index].change === Change.UPDATED);
    },
  },
  {
    module: 'locations', schema: Location, keyOf: byId, whole: true,
    take: (bus, location: Location, bodyJson) => bus.ask(putPartnerLocation, { party: toBus(location), locationId: location.id, patch: false, bodyJson }),
    held: async (bus, party, after) => (await bus.ask(listHeldLocations, { party: toBus(party), after, limit: HELD_PAGE })).keys,
    drop: async (bus, party, keys) => (await bus.ask(dropHeldLocations, { party: toBus(party), keys })).keys,
  },
  {
    module: 'tokens', schema: Token, whole: true,
    keyOf: ({ type, uid }: Token) => `${type} ${uid}`.toLowerCase(),
    take: (bus, token: Token, bodyJson) => bus.ask(putPartnerToken, { party: toBus(token), uid: token.uid, type: token.type, patch: false, bodyJson }),
    held: async (bus, party, after) => (await bus.ask(listHeldTokens, { party: toBus(party), after, limit: HELD_PAGE })).keys,
    drop: async (bus, party, keys) => (await bus.ask(dropHeldTokens, { party: toBus(party), keys })).keys,
  },
  {
    module: 'sessions', schema: Session, keyOf: byId, whole: false,
    take: (bus, session: Session, bodyJson) => bus.ask(putPartnerSession, { party: toBus(session), sessionId: session.id, patch: false, bodyJson }),
  },
  { module: 'cdrs', schema: Cdr, keyOf: byId, whole: false, take: (bus, _cdr: Cdr, bodyJson) => bus.ask(receiveCdr, { bodyJson }) },
];

/** Clocks differ, and a partner may stamp an object before it lists it. */
const OVERLAP_MS = 10 * 60_000;
/** How far back Sessions are asked for at first: date_from is required. */
const SESSIONS_BACK_MS = 7 * 86_400_000;

/** Gets back in step by reading partners' lists: at first, now and then, and when asked to. TRN-14, TRN-57. */
export class Pulling {
  constructor(private readonly parts: PullingParts) {}

  /** A link was made: all of it, a little later. */
  async joined(tx: Tx, partnerId: string): Promise<void> {
    const { clock, settings } = this.parts;
    await addDue(tx, { id: `pull ${partnerId} ${randomUUID()}`, key: `pull ${partnerId}`, kind: 'pull', at: clock.now() + settings.pull.first_s * 1_000, body: { partnerId } });
  }

  /** Once, soon: what changed since the last time, or all. */
  async soon(tx: Tx, partnerId: string, { full = false, splayS = 0, id = randomUUID() as string } = {}): Promise<void> {
    const at = this.parts.clock.now() + Math.random() * splayS * 1_000;
    await addDue(tx, { id: `pull once ${partnerId} ${id}`, key: `pull ${partnerId}`, kind: 'pull-once', at, body: { partnerId, full } });
  }

  /** This service was away, nobody knows for how long: each partner's lists, one after the other within the splay. */
  async afterStart(): Promise<void> {
    const { db, clock, settings } = this.parts;
    if (settings.pull.splay_s === 0) return;
    const turn = Math.floor(clock.now() / 60_000);
    await db.tx(async (tx) => {
      for (const { id } of await registeredPartners(tx)) await this.soon(tx, id, { splayS: settings.pull.splay_s, id: `start ${turn}` });
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

  async run(due: Due): Promise<DueOutcome> {
    const { clock, settings } = this.parts;
    const outcome = await this.once(due);
    if (outcome === 'gone') return 'done';
    const pauseS = outcome === 'ended' ? settings.pull.every_s : Math.min(settings.pull.every_s, 300);
    return { retryAt: clock.now() + pauseS * 1_000 * (0.8 + Math.random() * 0.4) };
  }

  /** All lists of a partner; `failed` when one did not end: it goes on where it stopped. */
  async once({ body }: Due): Promise<'ended' | 'failed' | 'gone'> {
    const { db, clock, settings, partners } = this.parts;
    const { partnerId, full = false } = body as { partnerId: string; full?: boolean };
    const partner = await findPartner(db, partnerId);
    if (partner?.state !== 'registered') return 'gone';
    let ended = true;
    for (const kind of kinds) {
      const endpoint = endpointOf(partner, kind.module, 'SENDER');
      const isWanted = partners.interfaces.some(({ module, role }) => module === kind.module && role === 'RECEIVER');
      if (endpoint === undefined || !isWanted) continue;
      for (const to of targets(partner, kind)) {
        const key: PullKey = { partnerId, module: kind.module, of: to.of };
        const { fullAt } = await findPull(db, key);
        const wantsAll = full || fullAt === undefined || (kind.whole && fullAt + settings.pull.full_every_s * 1_000 <= clock.now());
        ended = await this.list(partner, kind, { key, to: to.party, endpoint, full: wantsAll }) && ended;
      }
    }
    return ended ? 'ended' : 'failed';
  }

  private async list(partner: Partner, kind: Kind, list: { key: PullKey; to: Party | undefined; endpoint: string; full: boolean }): Promise<boolean> {
    const { db, calls, clock, log } = this.parts;
    const { key, to } = list;
    const known = await findPull(db, key);
    const under = known.under ?? { url: this.firstUrl(kind, list, known.since), full: list.full, startedAt: clock.now() };
    if (!known.under) await db.tx((tx) => beginPull(tx, key, under));
    const client = calls.to(partner, { to });
    // What a first list brings is no difference.
    const isFirst = known.fullAt === undefined;
    try {
      for await (const page of pulled((url) => client.get(url), under.url)) {
        if (page.kind !== 'page') {
          await failPull(db, key, outcomeText(page));
          // A page that is refused for itself is not asked for again: the list begins anew.
          if (page.kind === 'refused' && page.http < 500) await db.query('UPDATE pulls SET url = NULL WHERE partner_id = $1 AND module = $2 AND of_party = $3', [key.partnerId, key.module, key.of]);
          log.warn('a list of a partner could not be read', { partner: partner.name, module: kind.module, outcome: outcomeText(page) });
          return false;
        }
        const { differences, seen } = await this.takeIn(partner, kind, page);
        await db.tx(async (tx) => {
          await notePage(tx, key, { url: page.url, objects: page.objects.length, differences: isFirst ? 0 : differences.length, seen: under.full ? seen : [] });
          await noteDifferences(tx, key, isFirst ? differences.filter(({ what }) => what === 'invalid') : differences, clock.now());
        });
      }
      const gone = under.full && kind.whole ? await this.dropVanished(partner, kind, key) : [];
      await db.tx(async (tx) => {
        await noteDifferences(tx, key, gone, clock.now());
        await endPull(tx, key, { since: under.startedAt - OVERLAP_MS, full: under.full, endedAt: clock.now() });
      });
      return true;
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      await failPull(db, key, `a service of ours did not answer: ${error.message}`);
      return false;
    }
  }

  private firstUrl(kind: Kind, { endpoint, full }: { endpoint: string; full: boolean }, since: number | undefined): string {
    const from = kind.module === 'sessions' && (full || since === undefined) ? this.parts.clock.now() - SESSIONS_BACK_MS : full ? undefined : since;
    if (from === undefined) return endpoint;
    const url = new URL(endpoint);
    url.searchParams.set('date_from', dateTimeOf(Math.round(from)));
    return url.href;
  }

  /** TRN-55: each object for itself; TRN-73: others' are left alone. */
  private async takeIn(partner: Partner, kind: Kind, page: Extract<Page, { kind: 'page' }>) {
    const differences: Difference[] = [];
    const seen: { party: Party; key: string }[] = [];
    await Promise.all(page.objects.map(async (object) => {
      const reading = read(kind.schema, object);
      const { id, ...owner } = (object ?? {}) as Owned;
      if (!reading.ok) {
        differences.push({ objectKey: String(id ?? (object as { uid?: string } | null)?.uid ?? '?'), what: 'invalid', detail: reading.message });
        return;
      }
      if (!hasParty(partner, owner)) return;
      const objectKey = kind.keyOf(reading.value as never);
      seen.push({ party: { country_code: owner.country_code, party_id: owner.party_id }, key: objectKey });
      try {
        const { change } = await kind.take(this.parts.bus, reading.value as never, toJsonBytes(JSON.stringify(object)));
        if (change === Change.CREATED) differences.push({ objectKey, what: 'missing', detail: 'it was not here' });
        if (change === Change.UPDATED) differences.push({ objectKey, what: 'changed', detail: 'it was older here' });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        differences.push({ objectKey, what: 'invalid', detail: `${error.code}: ${error.detail}` });
      }
    }));
    return { differences, seen };
  }

  /** TRN-57: what a whole list does not have is not valid any more. */
  private async dropVanished(partner: Partner, kind: Kind, key: PullKey): Promise<Difference[]> {
    const { db, bus } = this.parts;
    const parties = partiesOf(partner).filter((party) => key.of === '' || partyText(party) === key.of);
    const gone: string[] = [];
    const vanished = await db.tx((tx) => takeVanished(tx, key));
    for (const party of parties) {
      if (!kind.held) {
        const keys = vanished.filter((one) => one.party === partyText(party)).map((one) => one.key);
        if (keys.length > 0) gone.push(...await kind.drop!(bus, party, keys));
        continue;
      }
      for (let after = ''; ;) {
        const keys = await kind.held(bus, party, after);
        if (keys.length === 0) break;
        const unseen = await unseenOf(db, key, party, keys);
        if (unseen.length > 0) gone.push(...await kind.drop!(bus, party, unseen));
        after = keys.at(-1)!;
      }
    }
    return gone.map((objectKey) => ({ objectKey, what: 'gone', detail: 'the partner does not list it any more' }));
  }
}

/** Of whom a list is asked: of a hub what is for all of itself, Sessions and CDRs of each party behind it. */
function targets(partner: Partner, { whole }: Kind): { of: string; party: Party | undefined }[] {
  if (!isHub(partner) || whole) return [{ of: '', party: isHub(partner) ? spokesman(partner, ['HUB']) : only(partner) }];
  return partner.behind.map((party) => ({ of: partyText(party), party }));
}

/** HUB-04: a party is named; of several, those that the platform lists are not told apart by whom we name. */
function only(partner: Partner): Party | undefined {
  const parties = partiesOf(partner);
  return parties.every((party) => sameParty(party, parties[0]!)) ? parties[0] : undefined;
}
