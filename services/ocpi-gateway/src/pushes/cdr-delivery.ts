import { told } from '#bus';
import { cdrDelivered } from '#contracts/ocpi-gateway';
import type { DueOutcome } from '#due';
import { type Cdr, headerText, instantMs, joinUrl, type Outcome, sameId, sameParty } from '#ocpi';
import { rfc3339 } from '#time';
import type { PartnerClient } from '../partners/calls.ts';
import type { DeliveryParts } from './delivery.ts';
import { lookAgainInMs } from './delivery-order.ts';
import { outcomeText } from '../partners/handshake.ts';
import { endBatch, noteFailed, noteSending, noteWait, type Taken, type Waiting } from './lane-rows.ts';
import { type Failure, isOfTheLine, lineAfter, park } from './line.ts';
import { endpointOf, type Partner, toBus } from '../partners/partner.ts';
import { findPartner, noteError, noteUp } from '../partners/partner-rows.ts';
import { noteDelivered, sessionAt } from './pushed-rows.ts';
import { acknowledgedMs, isVerdict, mayBeTaken } from './requests.ts';

/** Real time: a Session that nobody told us of may be told in a moment. */
const FOR_NEWS_MS = 2_000;
/** Of a charge that ended longer ago nothing is told in a moment. */
const NEWS_MS = 3_600_000;
/** Real time in which a Session that can be said is said. */
const STANDS_BY_MS = 5_000;
/** After so many failures it goes again where nobody says clearly whether the partner has it. */
const CONFIRMATIONS = 5;

type Done = Extract<Outcome, { kind: 'ok' }>;

/** A CDR goes as it was issued until it is acknowledged, whatever it takes, one after the other. CDR-01, CDR-21. */
export class CdrDelivery {
  constructor(private readonly parts: DeliveryParts) {}

  async send(partner: Partner, taken: Taken, waiting: readonly Waiting[]): Promise<DueOutcome | undefined> {
    const { db, clock } = this.parts;
    for (const [n, held] of waiting.entries()) {
      // The one before took a while, in which the link may have been renewed, in another version, or have ended.
      const linked = n === 0 ? partner : await findPartner(db, partner.id);
      if (linked?.state !== 'registered' || endpointOf(linked, 'cdrs', 'RECEIVER') === undefined) return { goOnAt: clock.now() };
      const retry = await this.sendOne(linked, taken, held);
      if (retry) return retry;
    }
    return undefined;
  }

  private async sendOne(partner: Partner, taken: Taken, held: Waiting): Promise<DueOutcome | undefined> {
    const { db, calls, clock } = this.parts;
    const { key, current = '{}' } = held;
    const cdr = JSON.parse(current) as Cdr;
    if (await this.waitsForSession(partner, taken, held, cdr)) {
      await noteWait(db, key);
      return { retryInMs: lookAgainInMs(held) };
    }
    // It changed, or somebody else has the lane: whoever has it looks again.
    if ((await noteSending(db, taken, [held])).length === 0) return { goOnAt: clock.now() };
    const endpoint = endpointOf(partner, 'cdrs', 'RECEIVER')!;
    const client = calls.to(partner, { from: cdr, to: cdr.cdr_token });
    // An answer that never came may have been a yes: it is asked for before the CDR goes again.
    const found = held.unclear ? await confirmed(client, { endpoint, cdr, cdrUrl: taken.cdrUrl }) : undefined;
    const goesAgain = !found || (held.attempts >= CONFIRMATIONS && leavesOpen(found));
    const outcome = !goesAgain ? found : await client.post(endpoint, current, { isWanted: () => taken.hold.isHeld() });
    if (outcome.kind === 'unreachable') taken.hold.insist();
    return outcome.kind === 'ok' ? this.delivered(taken, held, cdr, outcome) : this.failed(partner, taken, held, outcome);
  }

  private async delivered(taken: Taken, { key }: Waiting, cdr: Cdr, outcome: Done): Promise<DueOutcome | undefined> {
    const { db, outbox, clock, settings } = this.parts;
    const locationUrl = headerText(outcome.headers, 'location') ?? '';
    const line = lineAfter({ failures: taken.failures, ofTheLine: [], wasHeard: true }, { clock, settings });
    const isMine = await db.tx(async (tx) => {
      if (!await endBatch(tx, taken, line.news, patternOf(locationUrl, key.objectKey))) return false;
      await noteDelivered(tx, key, locationUrl);
      await outbox.tell(tx, [told(cdrDelivered, {
        cdrId: key.objectKey, tokenParty: toBus(cdr.cdr_token), locationUrl,
        at: rfc3339(acknowledgedMs(outcome.timestamp, cdr, clock.now())),
      })]);
      return true;
    });
    if (isMine && line.news?.failures === 0) await noteUp(db, key.partnerId, clock.now());
    return isMine ? undefined : 'done';
  }

  private async failed(partner: Partner, taken: Taken, held: Waiting, outcome: Failure): Promise<DueOutcome | undefined> {
    const { db, outbox, clock, settings, log } = this.parts;
    const { key, attempts } = held;
    const text = outcomeText(outcome);
    log.warn('a delivery failed', {
      partner: partner.name,
      module: key.module,
      object: key.objectKey,
      attempt: attempts + 1,
      outcome: text,
    });
    await noteError(db, partner.id, `${rfc3339(clock.now())} ${key.module} ${key.objectKey}: ${text}`);
    const isRefused = outcome.kind === 'refused' && isVerdict(outcome);
    const line = lineAfter({ failures: taken.failures, ofTheLine: isRefused ? [] : [outcome], wasHeard: isRefused }, { clock, settings });
    const isMine = await db.tx(async (tx) => {
      if (!await endBatch(tx, taken, line.news)) return false;
      await noteFailed(tx, key, mayBeTaken(outcome) || held.unclear);
      if (isRefused) await outbox.tell(tx, await park(tx, held, text, { now: clock.now() }));
      return true;
    });
    return isMine ? line.retry : 'done';
  }

  /** A CDR waits, though not for ever, until COMPLETED was said of its Session, where the Session can be said at all. */
  private async waitsForSession(partner: Partner, taken: Taken, held: Waiting, cdr: Cdr): Promise<boolean> {
    const { db, clock, settings } = this.parts;
    if (cdr.session_id === undefined || endpointOf(partner, 'sessions', 'RECEIVER') === undefined) return false;
    const session = await sessionAt(db, partner.id, cdr.session_id);
    const waitedMs = clock.realMs(clock.now() - held.queuedMs);
    if (!session) return waitedMs < FOR_NEWS_MS && clock.now() - (instantMs(cdr.end_date_time) ?? 0) < NEWS_MS;
    if (session.isParked || isOver(session.status)) return false;
    if (waitedMs < settings.cdr_waits_ms) return true;
    // Its time went by while nothing could be said: then the Session goes about now, or is tried within the longest pause.
    if (!session.waits || (session.isDown && taken.failures === 0)) return false;
    return settings.cdr_waits_ms > 0 && lookedForMs(held) < (session.isDown ? settings.longest_retry_ms : 0) + STANDS_BY_MS;
  }
}

/** For how long it has been looked whether what has to go before it went, since it was tried last. */
function lookedForMs({ waits }: Waiting): number {
  return Array.from({ length: Math.min(waits, 60) }, (_, n) => lookAgainInMs({ waits: n })).reduce((sum, ms) => sum + ms, 0);
}

/** Whether an answer to a GET says nothing of what is there. 501: there is no GET. */
function leavesOpen(outcome: Outcome): boolean {
  if (outcome.kind === 'refused' && (outcome.http === 429 || outcome.http === 501)) return outcome.http === 429;
  return mayBeTaken(outcome);
}

function isOver(status: string | undefined): boolean {
  return status === 'COMPLETED' || status === 'INVALID';
}

/** Where a partner keeps its CDRs, with {id} for the id; undefined where that is not to be seen. */
function patternOf(locationUrl: string, cdrId: string): string | undefined {
  const id = encodeURIComponent(cdrId);
  return locationUrl.includes(id) ? locationUrl.replace(id, '{id}') : undefined;
}

/**
 * Whether the partner has a CDR, by GET: where it kept the others, else below its endpoint, else in its
 * list. Undefined: it has not, or no GET: then the CDR goes again. Nothing is said by a line that is down, nor by
 * who fails at each of these places, as a hub does whose member is slow still.
 */
async function confirmed(
  client: PartnerClient, { endpoint, cdr, cdrUrl }: { endpoint: string; cdr: Cdr; cdrUrl: string | undefined },
): Promise<Done | Failure | undefined> {
  const known = cdrUrl?.replace('{id}', encodeURIComponent(cdr.id));
  // Our token goes nowhere but to where its holder said it is to go.
  const isTheirs = known !== undefined && URL.canParse(known) && new URL(known).origin === new URL(endpoint).origin;
  const from = `date_from=${encodeURIComponent(cdr.last_updated)}`;
  const elsewhere = [joinUrl(endpoint, cdr.id), `${endpoint}${endpoint.includes('?') ? '&' : '?'}${from}`];
  const places = isTheirs ? [...new Set([known, ...elsewhere])] : elsewhere;
  let open: Failure | undefined;
  let isNotThere = false;
  for (const url of places) {
    const outcome = await client.get(url);
    if (outcome.kind === 'ok' && shows(outcome.data, cdr))
      return { ...outcome, headers: { ...outcome.headers, ...(url === known ? { location: url } : {}) } };
    if (outcome.kind === 'unreachable' || outcome.kind === 'unclear') return outcome;
    if (outcome.kind === 'refused' && (outcome.http === 429 || outcome.http === 503) && isOfTheLine(outcome)) return outcome;
    if (outcome.kind === 'refused' && leavesOpen(outcome)) open = outcome;
    // Where it keeps them it knows best; elsewhere there may be nothing at all.
    else if (!isTheirs || url === known) isNotThere = true;
  }
  return isNotThere ? undefined : open;
}

function shows(data: unknown, cdr: Cdr): boolean {
  const found = (Array.isArray(data) ? data : [data]) as (Partial<Cdr> | null | undefined)[];
  return found.some((one) => typeof one?.id === 'string' && sameId(one.id, cdr.id)
    && typeof one.country_code === 'string' && typeof one.party_id === 'string' && sameParty(one as Cdr, cdr));
}
