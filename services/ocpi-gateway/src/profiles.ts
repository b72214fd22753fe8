import type { Bus, HeardTogether } from '#bus';
import type { ActiveProfileChanged, ProfileSettled } from '#contracts/evems-controller';
import { requestProfile, setPreferences } from '#contracts/sessions';
import { toJsonBytes, uint32 } from '#contracts';
import { addDue, type Due, type DueOutcome } from '#due';
import { answers, type ChargingProfileResponse, partyText, type SetChargingProfile } from '#ocpi';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import type { Calls } from './partners/calls.ts';
import { findTaken, noteResponse, type Replied } from './command-rows.ts';
import type { Handler, Handlers, OcpiReply, OcpiRequest } from './exchange.ts';
import { askersOf, steeringToBus, toBus } from './partners/partner.ts';
import { toActiveProfile, toLimitProfile } from './profile-json.ts';
import type { ProfileRelay, ProfileTaken } from './profile-relay.ts';
import { follow, followBy, type Follower, followersOf, forgetSteerer, isWithdrawn, noteSteerer, profileLane, unfollow } from './profile-rows.ts';
import { behindAll } from './pushes/behind-all.ts';
import { lockLinks } from './pushes/pushed-rows.ts';
import { type Push, pushOf, queueAll } from './pushes/queue-rows.ts';
import { nobodyThere, take, TIMEOUT_S } from './repeats.ts';
import type { Steering } from './steering.ts';
import { findSteered } from './steered-rows.ts';

export interface ProfilesParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly wake: () => void;
  readonly steering: Steering;
  readonly relay: () => Pick<ProfileRelay, 'request'>;
}

/** Charging profiles and preferences for sessions of ours: the Receiver's requests, and what follows from them. CHP. */
export class Profiles {
  private readonly queueBehind = behindAll<Push>(async (own, heard) => {
    await lockLinks(heard.tx, 'together');
    await queueAll(heard.tx, { own }, this.parts.clock.now());
    heard.afterCommit(() => this.parts.wake());
  });

  constructor(private readonly parts: ProfilesParts) {}

  handlers(): Handlers {
    const take = (method: string): Handler => (request) => this.take(method, request);
    return {
      'RECEIVER chargingprofiles GET /:session_id': take('GET'),
      'RECEIVER chargingprofiles PUT /:session_id': take('PUT'),
      'RECEIVER chargingprofiles DELETE /:session_id': take('DELETE'),
      'SENDER sessions PUT /:session_id/charging_preferences': (request) => this.prefer(request),
    };
  }

  /** The response at once; the result goes to the response_url afterwards. CHP-01. */
  private async take(method: string, request: OcpiRequest): Promise<OcpiReply> {
    const { db, bus, clock } = this.parts;
    const { body, query, caller, params, addressed } = request;
    const { response_url: responseUrl, charging_profile: profile } = (method === 'PUT' ? body : query) as SetChargingProfile;
    const sessionId = params.session_id!;
    const { orderId, routing, repeat, reply } = await take(this.parts, request, `${method} charging profile`, responseUrl);
    if (reply) return replyOf(reply);
    const steering = await this.parts.steering.grantsOf(askersOf(request));
    const elsewhere = await findSteered(db, sessionId);
    const durationS = Number((query as { duration?: number }).duration ?? Infinity);
    const ask = async (): Promise<ProfileTaken> => elsewhere ? this.parts.relay().request(elsewhere, {
      orderId, method, profile, durationS: uint32(durationS), askers: askersOf(request), addressed,
    }) : bus.ask(requestProfile, {
      orderId, sessionId, method, parties: askersOf(request).map(toBus), steering: steering.map(steeringToBus),
      ...(addressed ? { party: toBus(addressed) } : {}),
      ...(profile ? { profile: toLimitProfile(profile) } : {}),
    }, { commandId: orderId }).catch((error: unknown) => nobodyThere(error, repeat));
    const [grant] = method === 'PUT' ? steering : [];
    const taken = grant ? await this.steered(sessionId, { partnerId: caller.partner.id, routing, by: partyText(grant.to) }, ask) : await ask();
    const standing = await noteResponse(db, orderId, taken);
    if (taken.result === 'ACCEPTED') {
      const active = taken.active ? { profile: toActiveProfile(taken.active, durationS) } : {};
      if (taken.outcome !== undefined) await this.resultDue(db, { orderId, sessionId }, { result: taken.outcome, ...active });
      // Nobody may say it: then the partner hears at the end of its patience that it came to nothing.
      else await addDue(db, {
        id: `lapse ${orderId}`, key: `lapse ${orderId}`, kind: 'profile-lapse',
        at: clock.now() + taken.timeoutS * 1_000 + LAPSE_MARGIN_MS * clock.rate, body: { orderId, sessionId },
      });
    }
    return replyOf(standing);
  }

  /** Who sets by a grant is known before anything can come of it: when the grant is over, so is the profile. */
  private async steered(
    sessionId: string, { by, ...follower }: Follower & { readonly by: string }, ask: () => Promise<ProfileTaken>,
  ): Promise<ProfileTaken> {
    const { db } = this.parts;
    const noted = await noteSteerer(db, sessionId, follower, by);
    const taken = await ask();
    if (taken.result !== 'ACCEPTED' || taken.by === undefined) await forgetSteerer(db, sessionId, follower.partnerId, noted);
    else if (taken.by !== by) await noteSteerer(db, sessionId, follower, taken.by);
    return taken;
  }

  /** A profile that was set is obeyed, or is not: whoever set it is told so, and follows the session when it is. */
  async settled({ orderId, sessionId, obeyed }: ProfileSettled, heard: HeardTogether): Promise<void> {
    const taken = await findTaken(heard.tx, orderId);
    // No answer yet is not no.
    if (!taken || (taken.response ?? 'ACCEPTED') !== 'ACCEPTED') return;
    const holds = obeyed && !(taken.by !== undefined && await isWithdrawn(heard.tx, sessionId, taken.partnerId));
    await this.resultDue(heard.tx, { orderId, sessionId }, { result: holds ? 'ACCEPTED' : 'REJECTED' });
    if (holds) await (taken.by === undefined ? follow : followBy)(heard.tx, sessionId, taken);
    heard.afterCommit(() => this.parts.wake());
  }

  async lapsed({ body }: Due): Promise<DueOutcome> {
    await this.resultDue(this.parts.db, body as Order, { result: 'REJECTED' });
    return 'done';
  }

  /** CHP-02: to the one whose profile was obeyed, and to nobody before that. */
  async activeChanged({ sessionId, profile }: ActiveProfileChanged, heard: HeardTogether): Promise<void> {
    for (const { partnerId } of await followersOf(heard.tx, sessionId)) {
      const key = { partnerId, module: 'chargingprofiles', objectKey: sessionId } as const;
      this.queueBehind(heard, pushOf(key, JSON.stringify(toActiveProfile(profile!))));
    }
  }

  /** A profile ends with its session. */
  ended(sessionId: string, heard: HeardTogether): Promise<void> {
    return unfollow(heard.tx, sessionId);
  }

  /** SES-20: the answer is the bare word. */
  private async prefer(request: OcpiRequest): Promise<OcpiReply> {
    const { params, text, addressed } = request;
    const { response } = await this.parts.bus.ask(setPreferences, {
      sessionId: params.session_id!, parties: askersOf(request).map(toBus), preferencesJson: toJsonBytes(text),
      ...(addressed ? { party: toBus(addressed) } : {}),
    });
    return { data: response };
  }

  /** In the lane of what is pushed of the session: the result is there before the first of it. */
  async resultDue(tx: Parameters<typeof addDue>[0], { orderId, sessionId }: Order, body: object): Promise<void> {
    const { clock, wake } = this.parts;
    const partnerId = (await findTaken(tx, orderId))?.partnerId ?? '';
    await addDue(tx, {
      id: `result ${orderId}`, key: profileLane(partnerId, sessionId), kind: 'command-result', at: clock.now(), body: { orderId, body },
    });
    wake();
  }
}

interface Order {
  readonly orderId: string;
  readonly sessionId: string;
}

/** Real time, in which what happened at the last moment is heard. */
const LAPSE_MARGIN_MS = 5_000;

function replyOf({ result, timeoutS, message }: Replied): OcpiReply {
  const data: ChargingProfileResponse = { result: result as ChargingProfileResponse['result'], timeout: timeoutS || TIMEOUT_S };
  return { answer: answers.ok, data, ...(message === '' ? {} : { message }) };
}
