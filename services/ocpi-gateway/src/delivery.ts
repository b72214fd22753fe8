import { type Outbox, told } from '#bus';
import { cdrDelivered, deliveryFailed } from '#contracts/ocpi-gateway';
import type { Due, DueOutcome } from '#due';
import {
  type CallOptions, type Cdr, headerText, instantMs, joinUrl, type Outcome, type Party, type Refused, type Session, type Token,
} from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import type { Calls, PartnerClient } from './calls.ts';
import type { OcpiSettings } from './config.ts';
import { beforeOf } from './delivery-order.ts';
import { difference, type PushedModule, type Step } from './difference.ts';
import { outcomeText } from './handshake.ts';
import { endpointOf, type Partner, spokesman, toBus } from './partner.ts';
import { findPartner, noteError } from './partner-rows.ts';
import { followerOf } from './profile-rows.ts';
import {
  findPushed, noteAcknowledged, noteDelivered, notePark, noteFailed, noteUnclear, noteUnwanted, type Pushed,
  type PushedKey, queueAgain, queueBehind,
} from './pushed-rows.ts';
import { retryInMs } from './retry.ts';

export interface DeliveryParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly settings: OcpiSettings;
  readonly log: Log;
}

/** A CDR waits this often for the Session it belongs to, then goes alone. */
const WAITS_FOR_SESSION = 20;
/** A Location waits this often for a Tariff that nobody told us of yet. */
const WAITS_FOR_TARIFF = 12;
/** Longer each time. */
const WAIT_MS = 50;
/** What waits for others looks again. */
const BEHIND_MS = 200;

/** Sends what is due to partners: docs/adr/0005. */
export class Delivery {
  constructor(private readonly parts: DeliveryParts) {}

  /** What an object is now against what the partner acknowledged: nothing, PATCHes, or a PUT. */
  async push({ body }: Due, attempt: number): Promise<DueOutcome> {
    const key = body as PushedKey & { module: PushedModule };
    const { db, calls, parties } = this.parts;
    const partner = await findPartner(db, key.partnerId);
    const isProfile = key.module === 'chargingprofiles';
    const endpoint = partner && endpointOf(partner, key.module, isProfile ? 'SENDER' : 'RECEIVER');
    if (!partner || partner.state !== 'registered' || endpoint === undefined) return this.unwanted(key);
    const held = await findPushed(db, key);
    if (!held?.queued) return 'done';
    const before = await beforeOf(db, key, held, endpointOf(partner, 'tariffs', 'RECEIVER') !== undefined);
    if (before === 'behind') return this.behind(key);
    if (before === 'soon' && attempt <= WAITS_FOR_TARIFF) return { retryInMs: WAIT_MS * attempt };
    const steps = difference(key.module, held);
    const options: CallOptions = key.module === 'hubclientinfo' ? { routing: false } : {};
    const object = objectOf(held);
    const follower = isProfile ? await followerOf(db, key.objectKey) : undefined;
    const routing = follower?.routing ?? { from: parties.find(object), to: addressee(partner, key, object) };
    const client = calls.to(partner, routing);
    const target = { options, url: objectUrl(endpoint, key, object), client };
    if (steps.length > 0 && !await noteUnclear(db, key, held.current)) return { retryInMs: 0 };
    let outcome = await sendAll(target, steps);
    // TRN-63: what could not be changed may not be there. The whole object says it all.
    const inParts = steps.some(({ method, path }) => method === 'PATCH' || path.length > 0);
    if (outcome?.kind === 'refused' && inParts && held.current !== undefined) {
      outcome = await sendAll(target, [{ method: 'PUT', path: [], body: held.current }]);
    }
    if (outcome && outcome.kind !== 'ok') return this.failed(partner, key, outcome, { attempt, held });
    // Something newer came meanwhile: it goes next.
    return await noteAcknowledged(db, key, held.current) ? { retryInMs: 0 } : 'done';
  }

  /** A CDR goes as it was issued until it is acknowledged, whatever it takes. CDR-01, CDR-21. */
  async pushCdr({ body }: Due, attempt: number): Promise<DueOutcome> {
    const key = body as PushedKey;
    const { db, calls, outbox, clock } = this.parts;
    const partner = await findPartner(db, key.partnerId);
    const endpoint = partner && endpointOf(partner, 'cdrs', 'RECEIVER');
    if (!partner || partner.state !== 'registered' || endpoint === undefined) return this.unwanted(key);
    const held = await findPushed(db, key);
    if (!held?.queued || held.current === undefined) return 'done';
    const cdr = JSON.parse(held.current) as Cdr;
    if (attempt <= WAITS_FOR_SESSION && await this.sessionIsOpen(partner, cdr)) return { retryInMs: WAIT_MS * attempt };
    await noteUnclear(db, key, held.current);
    const outcome = await calls.to(partner, { from: cdr, to: cdr.cdr_token }).post(endpoint, held.current);
    if (outcome.kind !== 'ok') return this.failed(partner, key, outcome, { attempt, held });
    const locationUrl = headerText(outcome.headers, 'location') ?? '';
    await db.tx(async (tx) => {
      await noteDelivered(tx, key, locationUrl);
      await outbox.tell(tx, [told(cdrDelivered, {
        cdrId: key.objectKey, tokenParty: toBus(cdr.cdr_token), locationUrl,
        at: rfc3339(acknowledgedMs(outcome.timestamp, cdr, clock.now())),
      })]);
    });
    return 'done';
  }

  /** Others go first: it takes its turn after them. */
  private async behind(key: PushedKey): Promise<DueOutcome> {
    const { db, clock } = this.parts;
    await db.tx((tx) => queueBehind(tx, key, clock.now() + BEHIND_MS * clock.rate));
    return 'done';
  }

  /** COMPLETED is said before the CDR, where the Session can be said at all. */
  private async sessionIsOpen(partner: Partner, cdr: Cdr): Promise<boolean> {
    if (cdr.session_id === undefined) return false;
    const session = await findPushed(this.parts.db, { partnerId: partner.id, module: 'sessions', objectKey: cdr.session_id });
    return session?.queued ?? false;
  }

  private async unwanted(key: PushedKey): Promise<DueOutcome> {
    await noteUnwanted(this.parts.db, key);
    return 'done';
  }

  private async failed(
    partner: Partner, key: PushedKey, outcome: Exclude<Outcome, { kind: 'ok' }>,
    { attempt, held }: { attempt: number; held: Pushed },
  ): Promise<DueOutcome> {
    const { db, clock, settings, log } = this.parts;
    const text = outcomeText(outcome);
    // A token's key is its number.
    const object = key.module === 'tokens' ? {} : { object: key.objectKey };
    log.warn('a delivery failed', { partner: partner.name, module: key.module, ...object, attempt, outcome: text });
    await noteError(db, partner.id, `${rfc3339(clock.now())} ${key.module} ${key.objectKey}: ${text}`);
    await noteFailed(db, key, outcome.kind === 'unclear' || held.unclear);
    const attempts = Math.max(attempt, held.refusals + 1);
    if (outcome.kind === 'refused' && isVerdict(outcome)) return this.park(key, text, attempts);
    if (outcome.kind === 'refused' && key.module !== 'cdrs' && isAboutOne(outcome)) {
      // A hub's own: its member is away, and others of its members are not held up by that.
      if (attempts >= settings.refusals_before_parking && !isHubs(outcome)) return this.park(key, text, attempts);
      const at = clock.now() + retryInMs(attempts, settings) * clock.rate;
      await db.tx((tx) => queueAgain(tx, key, at));
      return 'done';
    }
    const asked = outcome.kind === 'refused' ? outcome.retryAfterMs : undefined;
    return { retryInMs: Math.max(asked ?? 0, retryInMs(attempt, settings)) };
  }

  private async park(key: PushedKey, reason: string, attempts: number): Promise<DueOutcome> {
    const { db, outbox, clock } = this.parts;
    await db.tx(async (tx) => {
      await notePark(tx, key, reason, clock.now());
      await outbox.tell(tx, [told(deliveryFailed, {
        partnerId: key.partnerId, module: key.module, objectId: key.objectKey, attempts, error: reason, at: rfc3339(clock.now()),
      })]);
    });
    return 'done';
  }
}

/** The object as it is, or as it was when it is gone: it names the party whose it is. */
function objectOf({ current, acknowledged }: Pushed): Party & Partial<Session> {
  return JSON.parse(current ?? acknowledged ?? '{}') as Party;
}

/** A hub's key names whose the object is; ours is its own word for that. */
function objectUrl(
  endpoint: string, { module, objectKey }: PushedKey, object: Party,
): (path: readonly string[]) => string {
  if (module === 'chargingprofiles') return () => joinUrl(endpoint, objectKey);
  const [, country, party, id = objectKey] = /^(?:.* )?([A-Z]{2})\*([A-Z0-9]{3})(?: (.+))?$/.exec(objectKey) ?? [];
  const { country_code, party_id } = country && party ? { country_code: country, party_id: party } : object;
  if (module === 'hubclientinfo') return () => joinUrl(endpoint, country_code, party_id);
  if (module !== 'tokens') return (path) => joinUrl(endpoint, country_code, party_id, id, ...path);
  const [type = '', ...uid] = id.split(' ');
  return () => `${joinUrl(endpoint, country_code, party_id, uid.join(' '))}?type=${type}`;
}

function addressee(partner: Partner, { module }: PushedKey, { cdr_token }: Partial<Session>): Party | undefined {
  if (module === 'sessions' && cdr_token) return cdr_token;
  return spokesman(partner, module === 'tokens' ? ['CPO'] : ['EMSP', 'NSP', 'OTHER']);
}

/** OCPI's own no, from a partner that understood: trying again is of no use. */
function isVerdict({ http, statusCode }: Refused): boolean {
  return http < 300 && statusCode !== undefined && statusCode >= 2000 && statusCode < 3000;
}

function isHubs({ statusCode }: Refused): boolean {
  return statusCode !== undefined && statusCode >= 4000;
}

/** Whether the answer is about the object, and not about us or the whole of the partner's platform. */
function isAboutOne({ http }: Refused): boolean {
  return http < 500 && ![401, 403, 408, 429].includes(http);
}

interface Target {
  /** HUB-02: none on configuration modules. */
  readonly options: CallOptions;
  readonly url: (path: readonly string[]) => string;
  readonly client: PartnerClient;
}

/** One step after the other, until one is not done. */
async function sendAll({ url, client, options }: Target, steps: readonly Step[]): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  for (const { method, path, body } of steps) {
    outcome = method === 'DELETE' ? gone(await client.delete(url(path), options))
      : method === 'PUT' ? await client.put(url(path), body, options)
      : await client.patch(url(path), body, options);
    if (outcome.kind !== 'ok') return outcome;
  }
  return outcome;
}

/** A partner's clock is believed as long as it is less than a day off ours. */
const OFF_MS = 86_400_000;

/**
 * When the partner had it: settlement goes by the clock of whoever receives, and a repeat is answered
 * with the time of the first (docs/adr/0008). Without a time that can be believed, it is now.
 */
function acknowledgedMs(timestamp: string, cdr: Cdr, now: number): number {
  const told = instantMs(timestamp);
  if (told === undefined || told > now + OFF_MS) return now;
  return told < (instantMs(cdr.last_updated) ?? now) - OFF_MS ? now : told;
}

/** What is not there is deleted. */
function gone(outcome: Outcome): Outcome {
  if (outcome.kind !== 'refused' || outcome.http !== 404) return outcome;
  return { kind: 'ok', http: 404, statusCode: 1000, data: undefined, headers: {}, timestamp: '' };
}

export function tokenKey({ type, uid }: Pick<Token, 'type' | 'uid'>): string {
  return `${type} ${uid}`;
}
