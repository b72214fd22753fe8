import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus, Fact, Outbox } from '#bus';
import type { Due, DueOutcome, Hold } from '#due';
import type { GrantRows } from '#grants';
import type { CallOptions, Party } from '#ocpi';
import type { Database, Tx } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import { AlikeLanes } from './alike-lanes.ts';
import type { Calls } from '../partners/calls.ts';
import { CdrDelivery } from './cdr-delivery.ts';
import type { OcpiSettings } from '../config.ts';
import { inTheirTurn, LONGEST_WAIT_MS, lookAgainInMs, toBeTold } from './delivery-order.ts';
import { difference, type PushedModule, type Step } from './difference.ts';
import { outcomeText } from '../partners/handshake.ts';
import {
  holdFree, type LineNews, nameSending, noteFailed, noteSending, noteUnwanted, queueThemselves, refusedUntil,
  settleAcknowledged, takeBatch, type Taken, thereOf, waitFor, type Waiting,
} from './lane-rows.ts';
import { type Failure, isOfTheLine, lineAfter, park } from './line.ts';
import { nextIn } from './next-rows.ts';
import { endpointOf, type Partner, sameToken } from '../partners/partner.ts';
import { findPartner, noteError, noteUp } from '../partners/partner-rows.ts';
import { followersOf } from '../profile-rows.ts';
import { correlationOf, type PushedKey } from './pushed-rows.ts';
import { addressee, isHubs, isVerdict, namedByHub, objectOf, objectUrl, sendAll, type Sent } from './requests.ts';
import { retryInMs } from '../retry.ts';
import { steererIn } from './steered.ts';
import { LocationTexts } from './text-rows.ts';

export interface DeliveryParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly grants: GrantRows;
  readonly outbox: Outbox;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly settings: OcpiSettings;
  readonly log: Log;
  /** Of a hub: which parties see each other. */
  readonly mayMeet?: (a: Party, b: Party) => boolean;
}

/** Objects of a lane that are worked on together. */
const BATCH = 64;
/** Requests under way to a partner from one lane; of one object never two. */
const SIDE_BY_SIDE = 8;

/** How long a lane is worked on before others of its key may have a turn; real time. */
const GO_ON_MS = 3_000;
/** For so long it is not looked up since when what is granted is so; real time. */
const GRANTED_FOR_MS = 1_000;
/** In which who queues has most likely committed; real time. */
const QUEUED_MS = 5;
/** Real time: as often it is looked whether the link of a batch that takes longer is still what it was. */
const LINK_LOOKED_AT_MS = 500;

/** One object of a batch, and how it went; without an outcome it was not its turn any more. */
interface Sending {
  readonly held: Waiting;
  readonly steps: readonly Step[];
  outcome: Failure | 'done' | 'nothing to say' | undefined;
}

/** Sends what waits in partners' lanes: docs/adr/0005. */
export class Delivery {
  private readonly cdrs: CdrDelivery;
  private readonly texts: LocationTexts;
  private readonly alike: AlikeLanes;
  private readonly isOfHub: boolean;
  private granted = { atMs: -Infinity, sinceMs: 0 };

  constructor(private readonly parts: DeliveryParts) {
    this.cdrs = new CdrDelivery(parts);
    this.texts = new LocationTexts(parts.db);
    this.alike = new AlikeLanes(parts.db, this.texts);
    this.isOfHub = parts.parties.all.some(({ roles }) => roles.includes('HUB'));
  }

  /** What is due of a lane, batch after batch, as long as it takes no longer than a moment. */
  async push({ body }: Due, hold: Hold): Promise<DueOutcome> {
    for (const untilMs = performance.now() + GO_ON_MS; ;) {
      const now = this.parts.clock.now();
      const outcome = await this.next({ ...(body as Pick<Taken, 'lane' | 'partnerId'>), hold }, now);
      if (outcome) return outcome;
      if (performance.now() > untilMs) return { goOnAt: now };
    }
  }

  /** Of an object, by the platform's clock. */
  private longestWaitMs(): number {
    const { settings, clock } = this.parts;
    return Math.max(settings.longest_retry_ms, LONGEST_WAIT_MS) * clock.rate;
  }

  /** The next batch of a lane; of a line that was down, one object tries whether it is up again. */
  private async next({ lane, partnerId, hold }: Pick<Taken, 'lane' | 'partnerId' | 'hold'>, now: number): Promise<DueOutcome | undefined> {
    const { db } = this.parts;
    // Who slept would take it out of the hands of who sends.
    hold.insist();
    const ours = { lane, partnerId, hold };
    const batch = await this.alike.take(ours, { now, most: BATCH }) ?? await takeBatch(db, this.texts, ours, { now, most: BATCH });
    // As it is with the lane in hand: whoever changes what it is told takes the lane from who sends, and not from who is about to.
    const partner = await findPartner(db, partnerId);
    if (partner?.state !== 'registered') {
      await noteUnwanted(db, { lane, partnerId });
      if (batch) await nameSending(db, batch.taken, []);
      return 'done';
    }
    if (!batch) {
      const { settings, clock } = this.parts;
      const again = { againMs: settings.letters_again_ms * clock.rate, refusals: settings.refusals_before_parking - 1 };
      const next = await nextIn(db, lane, { now, latest: now + this.longestWaitMs(), ...again });
      return next === undefined ? 'done' : { goOnAt: next };
    }
    const { taken, waiting } = batch;
    const modules = [...new Set(waiting.map(({ key }) => key.module))];
    const unwanted = modules.filter((module) => takerOf(partner, module) === undefined);
    if (unwanted.length > 0) {
      await noteUnwanted(db, taken, unwanted);
      await nameSending(db, taken, []);
      return undefined;
    }
    return modules.includes('cdrs') ? this.cdrs.send(partner, taken, waiting) : this.send(partner, taken, waiting, now);
  }

  /** What objects are now against what the partner acknowledged: nothing, PATCHes, or a PUT of each. */
  private async send(partner: Partner, taken: Taken, waiting: readonly Waiting[], now: number): Promise<DueOutcome | undefined> {
    const { db, bus, clock, settings } = this.parts;
    const { first, behind, unknowing } = await inTheirTurn(db, partner, waiting, now);
    const isPatient = ({ queuedMs }: Waiting) => clock.realMs(now - queuedMs) < settings.location_waits_ms;
    const areAll = first.length === waiting.length;
    if (!areAll && waiting.some(({ queued }) => !queued)) {
      await queueThemselves(db, taken, waiting, now);
      return undefined;
    }
    // What waits is not being sent.
    if (!areAll) await nameSending(db, taken, []);
    // Nobody waits until that is answered.
    const asking = toBeTold(bus, unknowing.filter(({ held }) => isPatient(held)));
    const retry = await this.sendBatch(partner, taken, first, areAll);
    const wait = await asking;
    await waitFor(db, [...behind, ...wait], now, (one) => lookAgainInMs(one) * clock.rate);
    return retry ?? this.sendBatch(partner, taken, unknowing.map(({ held }) => held).filter((held) => !wait.has(held)));
  }

  private async sendBatch(partner: Partner, taken: Taken, waiting: readonly Waiting[], areNamed = false): Promise<DueOutcome | undefined> {
    const { db } = this.parts;
    const grantedMs = waiting.some(({ key }) => key.module === 'locations') ? await this.grantedMs() : undefined;
    const batch: Sending[] = waiting.map((held) => {
      const { key, current, acknowledged, unclear } = held;
      const steps = difference(key.module as PushedModule, { current, acknowledged, unclear, grantedMs });
      return { held, steps, outcome: steps.length === 0 ? 'nothing to say' : undefined };
    });
    if (batch.length === 0) return undefined;
    const news = batch.filter(({ steps }) => steps.length > 0);
    const still = areNamed || news.length === 0 ? undefined : new Set(await noteSending(db, taken, news.map(({ held }) => held)));
    const toSend = still ? news.filter(({ held }) => still.has(held)) : news;
    // Tariffs are few, and in the order in which they were published.
    const isTariffs = toSend.some(({ held }) => held.key.module === 'tariffs');
    await this.sendSideBySide(partner, taken, toSend, isTariffs ? 1 : SIDE_BY_SIDE);
    return this.settle(partner, taken, batch);
  }

  /** As it was a moment ago: what is granted changes seldom, and each batch asks. */
  private async grantedMs(): Promise<number> {
    const { db, grants, clock } = this.parts;
    if (performance.now() - this.granted.atMs > GRANTED_FOR_MS)
      this.granted = { atMs: performance.now(), sinceMs: (await grants.at(db, clock.now())).since };
    return this.granted.sinceMs;
  }

  /** Until all are sent, or the line is found to be down, or the link is another by now, or another may have the lane: then no other is begun. */
  private async sendSideBySide(partner: Partner, { hold }: Taken, batch: readonly Sending[], atOnce: number): Promise<void> {
    const next = batch.values();
    const stands = this.watched(partner);
    let isDown = false;
    const work = async () => {
      for (const one of next) {
        if (!await stands()) return;
        const outcome = await this.sendOne(partner, hold, one);
        if (!outcome) return;
        // Of an answer that is no more than a yes nothing is kept until the batch ends.
        one.outcome = outcome.kind === 'ok' ? 'done' : outcome;
        if (outcome.kind !== 'ok' && isOfTheLine(outcome)) isDown = true;
        if (isDown) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, batch.length) }, work));
  }

  /** Whether a link is still there, and the same: a slow partner's batch takes a while, in which it may end or be renewed. CRE-08. */
  private watched(partner: Partner): () => Promise<boolean> | boolean {
    let lookedMs = performance.now();
    let stands: Promise<boolean> | boolean = true;
    return () => {
      if (performance.now() - lookedMs >= LINK_LOOKED_AT_MS) {
        lookedMs = performance.now();
        stands = findPartner(this.parts.db, partner.id).then((now) =>
          now?.state === 'registered' && now.version === partner.version && sameToken(now, partner));
      }
      return stands;
    };
  }

  private async sendOne(partner: Partner, hold: Hold, { held, steps }: Sending): Promise<Sent | undefined> {
    const { db, calls, parties } = this.parts;
    const { key, current } = held;
    const endpoint = takerOf(partner, key.module)!;
    const { isOfHub } = this;
    const correlationId = isOfHub ? await correlationOf(db, key) : undefined;
    const options: CallOptions = { ...(key.module === 'hubclientinfo' ? { routing: false } : {}), ...(correlationId ? { correlationId } : {}) };
    const object = objectOf(held);
    const followers = key.module === 'chargingprofiles' ? await followersOf(db, key.objectKey) : [];
    const follower = followers.find(({ partnerId }) => partnerId === partner.id);
    const named = isOfHub ? namedByHub(key, object) : { party: object, id: idOf(key, object) };
    const sees = (party: Party) => this.parts.mayMeet?.(named.party, party) ?? true;
    const client = calls.to(partner, follower?.routing ?? { from: parties.find(object) ?? ownerIn(parties, object), to: addressee(partner, { key, object, sees }) });
    const target = { isHeld: () => hold.isHeld(), options, url: objectUrl(endpoint, key.module, named), client };
    const outcome = await sendAll(target, steps);
    // TRN-63: what could not be changed may not be there. The whole object says it all.
    const inParts = steps.some(({ method, path }) => method === 'PATCH' || path.length > 0);
    if (outcome?.kind !== 'refused' || !inParts || current === undefined || (isOfTheLine(outcome) && outcome.http === 429)) return outcome;
    return sendAll(target, [{ method: 'PUT', path: [], body: current }], outcome.mayBeThere);
  }

  /**
   * Notes how a batch went, all at once: nothing of it where somebody else has the lane by now. What somebody
   * queues just now is noted when that is done: nobody is waited for with the lane in hand.
   */
  private async settle(partner: Partner, taken: Taken, batch: readonly Sending[]): Promise<DueOutcome | undefined> {
    const { db, clock, settings } = this.parts;
    const failed = failures(batch);
    const ofTheLine = failed.map(({ outcome }) => outcome).filter(isOfTheLine);
    const wasHeard = batch.some(
      ({ outcome }) => outcome === 'done' || (outcome !== undefined && outcome !== 'nothing to say' && !isOfTheLine(outcome)),
    );
    const line = lineAfter({ failures: taken.failures, ofTheLine, wasHeard }, { clock, settings });
    await this.complain(partner, failed);
    if (taken.isAlike && line.news === undefined && batch.every(isDone)) {
      const end = await this.alike.end(taken);
      if (end) return end === 'lost' ? { goOnAt: clock.now() } : line.retry;
    }
    // What is not acknowledged stays before the lane's position.
    const ended = batch.every(isDone) ? taken : { ...taken, upto: undefined };
    for (let left = batch; left.length > 0;) {
      const done = left.filter(isDone);
      const rest = failures(left).length === 0
        ? await settleAcknowledged(db, ended, line.news, done, clock.now())
        : await db.tx((tx) => this.settleWithFailures(tx, ended, line.news, left));
      // Somebody else has the lane, and goes on.
      if (!rest) return { goOnAt: clock.now() };
      left = rest;
      if (left.length > 0) await sleep(QUEUED_MS);
    }
    this.alike.stands(ended);
    if (line.news?.failures === 0) await noteUp(db, partner.id, clock.now());
    return line.retry;
  }

  private async settleWithFailures(
    tx: Tx, taken: Taken, line: LineNews | undefined, batch: readonly Sending[],
  ): Promise<Sending[] | undefined> {
    const { clock, outbox } = this.parts;
    const left = await settleAcknowledged(tx, taken, line, batch.filter(isDone), clock.now());
    if (!left) return undefined;
    const failed = batch.filter((one) => failures([one]).length > 0);
    const free = await holdFree(tx, taken.partnerId, failed);
    const facts: Fact[] = [];
    for (const { held, outcome } of failures(free)) facts.push(...await this.noteFailure(tx, held, outcome));
    if (facts.length > 0) await outbox.tell(tx, facts);
    if (free.length === failed.length) return left;
    const rest = [...left, ...await thereOf(tx, taken.partnerId, failed.filter((one) => !free.includes(one)))];
    await nameSending(tx, taken, rest.map(({ held }) => held));
    return rest;
  }

  private async complain(partner: Partner, failed: readonly { readonly held: Waiting; readonly outcome: Failure }[]): Promise<void> {
    const { db, clock, log } = this.parts;
    for (const { held: { key, attempts }, outcome } of failed) {
      // A token's key is its number.
      const object = key.module === 'tokens' ? {} : { object: key.objectKey };
      log.warn('a delivery failed', {
        partner: partner.name,
        module: key.module,
        ...object,
        attempt: attempts + 1,
        outcome: outcomeText(outcome),
      });
    }
    const last = failed.at(-1);
    if (last)
      await noteError(
        db,
        partner.id,
        `${rfc3339(clock.now())} ${last.held.key.module} ${last.held.key.objectKey}: ${outcomeText(last.outcome)}`,
      );
  }

  private async noteFailure(tx: Tx, held: Waiting, outcome: Failure): Promise<Fact[]> {
    const { clock, settings } = this.parts;
    const { key } = held;
    // A PATCH of a Session appends: whoever said no to one, and then to the whole, may have done it.
    const mayBeThere = outcome.mayBeThere || (outcome.kind === 'refused' && key.module === 'sessions');
    await noteFailed(tx, key, mayBeThere || held.unclear);
    if (outcome.kind !== 'refused' || isOfTheLine(outcome)) return [];
    const refusals = held.refusals + 1;
    // A hub's own (isHubs): its member is away, and others of its members are not held up by that.
    const now = clock.now();
    if (isVerdict(outcome)) return park(tx, held, outcomeText(outcome), { now });
    if (refusals >= settings.refusals_before_parking && !isHubs(outcome))
      return park(tx, held, outcomeText(outcome), { now, againMs: settings.letters_again_ms * clock.rate });
    await refusedUntil(tx, key, now + retryInMs(refusals, settings) * clock.rate);
    return [];
  }
}

function isDone({ outcome }: Sending): boolean {
  return outcome === 'done' || outcome === 'nothing to say';
}

function failures(batch: readonly Sending[]): { held: Waiting; outcome: Failure }[] {
  return batch.flatMap(({ held, outcome }) =>
    (outcome === undefined || outcome === 'done' || outcome === 'nothing to say' ? [] : [{ held, outcome }]));
}

/** Of a Session elsewhere: it is our driver's. */
function ownerIn(parties: OwnParties, { cdr_token: token }: ReturnType<typeof objectOf>) {
  return token && parties.find(token);
}

/** A Session that goes to another than its token's owner has a key of its own. */
function idOf({ objectKey }: PushedKey, { id }: ReturnType<typeof objectOf>): string {
  return steererIn(objectKey) ? (id ?? objectKey) : objectKey;
}

/** Where a partner takes such objects; of charging profiles it is the Sender that is told. */
function takerOf(partner: Partner, module: PushedKey['module']): string | undefined {
  return endpointOf(partner, module, module === 'chargingprofiles' ? 'SENDER' : 'RECEIVER');
}
