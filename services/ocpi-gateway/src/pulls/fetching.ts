import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { addDue, type Due, type DueOutcome } from '#due';
import { instantMs, joinUrl, type Outcome } from '#ocpi';
import type { Database, Queryable } from '#postgres';
import type { Log } from '#telemetry';
import type { Clock } from '#time';
import type { Calls } from '../partners/calls.ts';
import type { OcpiSettings } from '../config.ts';
import {
  countToFetch, fetchedAt, type FetchKey, forgetFetched, forgetToFetch, noteFetched, noteToFetch, type ToFetch, toFetchOf,
} from './fetch-rows.ts';
import { outcomeText } from '../partners/handshake.ts';
import { endpointOf, type Partner } from '../partners/partner.ts';
import { isPassing, listUrl, pagesOf } from './partner-lists.ts';
import { findPartner } from '../partners/partner-rows.ts';
import { type Kind, kinds, SESSIONS_BACK_MS, takeIn, targets } from './pulled-kinds.ts';
import type { Pulling } from './pulling.ts';
import { databaseNow, type Difference, noteDifferences } from './pull-rows.ts';
import { noteQuiet, quietMs } from './quiet-rows.ts';
import { retryInMs } from '../retry.ts';

export interface FetchingParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OcpiSettings;
  readonly pulling: Pulling;
  readonly wake: () => void;
}

/** Beyond so many objects of one partner its lists are read as a whole. */
const MARKED_MAX = 500;
/** Then a partner is not soon there again. */
const ATTEMPTS = 10;
const AFTERWARDS_MS = 300_000;

/** Why the partner's answer is not here. */
type Missed = Exclude<Outcome, { kind: 'ok' }>;
type Answered = Missed | { readonly kind: 'page'; readonly objects: readonly unknown[] };

/**
 * Gets single objects from their owner where a push told that ours is not the whole of it: a PATCH that is older than
 * what is held, or one of an object that is not here. TRN-63, LOC-34.
 */
export class Fetching {
  constructor(private readonly parts: FetchingParts) {}

  /** Before the push is answered. However many come, it is fetched once, and then not again for a while. */
  async mark({ id, endpoints }: Partner, object: Omit<FetchKey, 'partnerId'>, lastUpdated: string): Promise<void> {
    const { db, clock, settings, pulling, wake } = this.parts;
    if (!endpoints.some(({ identifier, role }) => identifier === object.module && role === 'SENDER')) return;
    const now = clock.now();
    const key = { ...object, partnerId: id };
    await db.tx(async (tx) => {
      if (await countToFetch(tx, key.partnerId) >= MARKED_MAX) {
        await pulling.soon(tx, key.partnerId, { full: true, id: `crowd ${Math.floor(now / 3_600_000)}` });
      } else if (await noteToFetch(tx, key, Math.min(instantMs(lastUpdated) ?? now, now))) {
        await this.due(tx, key, now + settings.pull.fetch_after_s * 1_000);
      }
    });
    wake();
  }

  async run({ body }: Due, attempt: number): Promise<DueOutcome> {
    const { db, clock, settings } = this.parts;
    const key = body as FetchKey;
    const partner = await findPartner(db, key.partnerId);
    const endpoint = partner && endpointOf(partner, key.module, 'SENDER');
    if (partner?.state !== 'registered' || endpoint === undefined) {
      await forgetToFetch(db, key);
      return 'done';
    }
    const last = await fetchedAt(db, key, { ofList: !hasObjectUrl(key) });
    const nextAt = last === undefined ? 0 : last + settings.pull.fetch_again_s * 1_000;
    if (nextAt > clock.now()) return this.later(key, nextAt);
    const all = await toFetchOf(db, key);
    const own = all.find(({ objectKey }) => objectKey === key.objectKey);
    if (!own) return 'done';
    if (own.n === own.fetchedN) return await forgetFetched(db, key) ? 'done' : { retryInMs: 0 };
    const marked = hasObjectUrl(key) ? [own] : all.filter(({ n, fetchedN }) => n > fetchedN);
    const quiet = await quietMs(db, key.partnerId);
    if (quiet > 0) return { retryInMs: quiet };
    const missed = await this.fetch(partner, endpoint, key, marked);
    if (missed) return this.missed(partner, key, missed, attempt);
    return 'done';
  }

  private async fetch(partner: Partner, endpoint: string, key: FetchKey, marked: readonly ToFetch[]): Promise<Missed | undefined> {
    const { db, bus, clock, settings } = this.parts;
    const kind = kinds.find(({ module }) => module === key.module)!;
    const askedAt = await databaseNow(db);
    const replaced = await this.held(kind, key, marked);
    const differences: Difference[] = [];
    const left = new Set(marked.map(({ objectKey }) => objectKey));
    for await (const answer of this.ask(partner, endpoint, kind, { key, marked })) {
      if (answer.kind !== 'page') return answer;
      // A list may be long, and the link end meanwhile. CRE-08.
      if ((await findPartner(db, partner.id))?.state !== 'registered') return { kind: 'unreachable', message: 'the link has ended' };
      const taken = await takeIn(bus, partner, kind, answer.objects, { askedAt, replaced });
      differences.push(...taken.differences);
      for (const one of taken.seen) left.delete(one.key);
    }
    for (const objectKey of left)
      differences.push({ objectKey, what: 'invalid', detail: 'it was PATCHed, and cannot be got from the partner' });
    const now = clock.now();
    await db.tx(async (tx) => {
      await noteDifferences(tx, { partnerId: partner.id, module: key.module, of: '' }, differences, now);
      await noteFetched(tx, key, marked, now);
      await this.due(tx, key, now + settings.pull.fetch_again_s * 1_000);
    });
    return undefined;
  }

  /** What the partner is asked about gives way to its answer, unless something newer comes meanwhile. */
  private async held(kind: Kind, { party }: FetchKey, marked: readonly ToFetch[]): Promise<Map<string, string>> {
    const found = await Promise.all(marked.map(async ({ objectKey }) => {
      const bytes = await kind.find!(this.parts.bus, party, objectKey);
      return bytes ? [[objectKey, fromJsonBytes<{ last_updated: string }>(bytes).last_updated] as const] : [];
    }));
    return new Map(found.flat());
  }

  /** By the object's own URL where its module has one, else from what was changed of the list since. D23. */
  private async *ask(
    partner: Partner, endpoint: string, kind: Kind, { key, marked }: { key: FetchKey; marked: readonly ToFetch[] },
  ): AsyncGenerator<Answered, void> {
    const { calls, clock } = this.parts;
    if (hasObjectUrl(key)) {
      const outcome = await calls.to(partner, { to: key.party }).get(joinUrl(endpoint, key.objectId));
      if (outcome.kind === 'ok') return yield { kind: 'page', objects: [outcome.data] };
      if (outcome.kind !== 'refused' || isPassing(outcome)) return yield outcome;
    }
    const url = listUrl(
      partner,
      key.module,
      endpoint,
      Math.max(Math.min(...marked.map(({ since }) => since)), clock.now() - SESSIONS_BACK_MS),
    );
    const client = calls.to(partner, { to: kind.whole ? targets(partner, kind)[0]!.party : key.party });
    for await (const page of pagesOf({ partner, client, sightings: calls.sightings }, key.module, url)) {
      // A list that is refused for itself has nothing to give, however often it is asked.
      if (page.kind !== 'refused' || isPassing(page)) yield page;
    }
  }

  private async missed(partner: Partner, { module }: FetchKey, outcome: Missed, attempt: number): Promise<DueOutcome> {
    const { db, log, settings } = this.parts;
    await noteQuiet(db, partner.id, outcome);
    log.warn('an object could not be fetched from a partner', { partner: partner.name, module, attempt, outcome: outcomeText(outcome) });
    const asked = outcome.kind === 'refused' ? outcome.retryAfterMs : undefined;
    return { retryInMs: Math.max(asked ?? 0, attempt < ATTEMPTS ? retryInMs(attempt, settings) : AFTERWARDS_MS) };
  }

  private async later(key: FetchKey, at: number): Promise<DueOutcome> {
    await this.due(this.parts.db, key, at);
    return 'done';
  }

  /** One partner is asked for one thing at a time. */
  private due(tx: Queryable, key: FetchKey, at: number): Promise<void> {
    return addDue(tx, { id: `fetch ${randomUUID()}`, key: `fetch ${key.partnerId}`, kind: 'fetch', at, body: key });
  }
}

/** D23: a Sender has a URL for one Location, and for nothing else. */
function hasObjectUrl({ module }: FetchKey): boolean {
  return module === 'locations';
}
