import { fromJsonBytes, uint32 } from '#contracts';
import {
  type ActiveChargingProfileResult, ChargingPreferencesResponse, type ChargingProfile, ChargingProfileResponse, joinUrl, type Outcome,
  type Party, read, sameParty,
} from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, rfc3339 } from '#time';
import type { Calls } from './partners/calls.ts';
import type { SentCommand } from './command-rows.ts';
import { type Handlers, interfacePath, type OcpiReply, type OcpiRequest } from './exchange.ts';
import { outcomeText } from './partners/handshake.ts';
import { busyText, ended, isOutOfReach, troubleText } from './ocpi-gateway.ts';
import { endpointOf, maySpeakFor, type Partner } from './partners/partner.ts';
import { noteError, partnerWith } from './partners/partner-rows.ts';
import { responseIn } from './partners/quirks.ts';
import {
  findActive, findRequest, keepRequest, type KeptRequest, lockRequests, noteReply, noteResult, profiledParty, requestsOf, setLast, storeActive,
} from './profile-rows.ts';
import type { ProfileRelay } from './profile-relay.ts';
import { refuse } from './refusals.ts';
import { findSteered } from './steered-rows.ts';

export interface PartnerProfilesParts {
  readonly db: Database;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly publicUrl: () => string;
  /** Of what a provider asked through us. CHP-05. */
  readonly relay: () => Pick<ProfileRelay, 'resulted' | 'changed'>;
}

export interface ProfileToSend {
  readonly orderId: string;
  readonly party: Party;
  readonly from?: Party | undefined;
  readonly sessionId: string;
  readonly method: string;
  readonly bodyJson?: Uint8Array | undefined;
  readonly durationS: number;
  readonly steeredId?: string | undefined;
  /** Whether it may go where this was set last; always, where nothing is said. */
  readonly mayReplace?: ((held: KeptRequest | undefined) => boolean) | undefined;
}

const REQUESTS_SHOWN = 20;

/** Profiles and preferences that we set for our drivers' sessions at partners: the Sender's side. CHP. */
export class PartnerProfiles {
  constructor(private readonly parts: PartnerProfilesParts) {}

  handlers(): Handlers {
    return {
      'SENDER chargingprofiles POST /result/:exchange': (request) => this.result(request),
      'SENDER chargingprofiles PUT /:session_id': (request) => this.active(request),
    };
  }

  /** At most once for an order; the same order again is answered with what came of it. */
  async send(wish: ProfileToSend): Promise<KeptRequest> {
    const { db, clock } = this.parts;
    const { orderId, party, sessionId, method } = wish;
    const partner = await partnerWith(db, party);
    const module = method === 'PREFERENCES' ? 'sessions' : 'chargingprofiles';
    // 2.1.1 knows neither.
    const endpoint =
      partner &&
      partner.version !== '2.1.1' &&
      endpointOf(partner, module, method === 'PREFERENCES' ? 'SENDER' : 'RECEIVER');
    if (!partner || !endpoint) {
      const none = ended(
        'no-partner',
        `no registered partner takes charging ${method === 'PREFERENCES' ? 'preferences' : 'profiles'} for ${party.country_code}*${party.party_id}`,
      );
      return { ...wish, partnerId: '', at: rfc3339(clock.now()), sent: none, result: undefined };
    }
    const profile = method === 'PUT' && wish.bodyJson ? fromJsonBytes<ChargingProfile>(wish.bodyJson) : undefined;
    const request = {
      orderId, partnerId: partner.id, party, sessionId, method, at: rfc3339(clock.now()), steeredId: wish.steeredId, profile,
    };
    const kept = await db.tx(async (tx) => {
      await lockRequests(tx, party, sessionId);
      return wish.mayReplace?.(await setLast(tx, party, sessionId)) === false ? 'held' : keepRequest(tx, request);
    });
    if (kept === 'held') {
      const sent = ended('answered', "another party's profile holds until it is cleared or ends", { result: 'REJECTED' });
      return { ...request, sent, result: undefined };
    }
    if (kept) {
      const sent = await this.call(partner, endpoint, wish);
      await noteReply(db, orderId, sent);
    }
    return (await findRequest(db, orderId))!;
  }

  async find(party: Party, sessionId: string) {
    const { db } = this.parts;
    const [made, active] = await Promise.all([requestsOf(db, party, sessionId, REQUESTS_SHOWN), findActive(db, party, sessionId)]);
    const provider = async ({ steeredId }: KeptRequest) => steeredId === undefined ? undefined : (await findSteered(db, steeredId))?.to;
    return { requests: await Promise.all(made.map(async (one) => ({ ...one, provider: await this.named(await provider(one)) }))), active };
  }

  private async named(party: Party | undefined): Promise<(Party & { readonly name: string }) | undefined> {
    const roles = party && (await partnerWith(this.parts.db, party))?.roles;
    return party && { ...party, name: roles?.find((role) => sameParty(role, party))?.business_details.name ?? '' };
  }

  private async call(partner: Partner, endpoint: string, wish: ProfileToSend): Promise<SentCommand> {
    const { db, calls, clock, parties } = this.parts;
    const { orderId, party, from, sessionId, method, bodyJson, durationS } = wish;
    const client = calls.to(partner, { to: party, from: from ?? parties.withRole('EMSP') });
    const body = bodyJson && fromJsonBytes<object>(bodyJson);
    const url = joinUrl(endpoint, sessionId);
    const responseUrl = joinUrl(
      `${this.parts.publicUrl()}${interfacePath({ module: 'chargingprofiles', role: 'SENDER' }, partner.version)}`,
      'result',
      orderId,
    );
    const search = `response_url=${encodeURIComponent(responseUrl)}`;
    const outcome = method === 'PREFERENCES' ? await client.put(joinUrl(url, 'charging_preferences'), body ?? {})
      : method === 'PUT' ? await client.put(url, { charging_profile: body, response_url: responseUrl })
      : method === 'DELETE' || method === 'WITHDRAW' ? await client.delete(`${url}?${search}`)
      : await client.get(`${url}?duration=${durationS}&${search}`);
    if (outcome.kind === 'unreachable' || outcome.kind === 'unclear') {
      await noteError(db, partner.id, `${rfc3339(clock.now())} charging profile of ${sessionId}: ${outcomeText(outcome)}`);
    }
    return replyOf(outcome, method);
  }

  /** How a request of ours ended: once, from whom it was sent to. */
  private async result({ caller, params, body, text }: OcpiRequest): Promise<OcpiReply> {
    const { db, clock } = this.parts;
    const sent = await findRequest(db, params.exchange!);
    if (!sent || sent.partnerId !== caller.partner.id) {
      throw refuse('unknown-order', `no request about a charging profile with the id ${params.exchange} was sent to you`);
    }
    const { result, profile } = body as ActiveChargingProfileResult;
    await noteResult(db, sent.orderId, result);
    if (profile && sent.method === 'GET') {
      const { profile: told } = JSON.parse(text) as { profile: object };
      await storeActive(db, sent.party, sent.sessionId, { text: JSON.stringify(told), at: rfc3339(clock.now()) });
    }
    await this.parts.relay().resulted(sent, JSON.parse(text) as ActiveChargingProfileResult);
    return {};
  }

  /** CHP-02: of a session for which we set a profile, and of no other. */
  private async active(request: OcpiRequest): Promise<OcpiReply> {
    const { db, clock } = this.parts;
    const { caller, params, routing, text } = request;
    const sessionId = params.session_id!;
    const party = await profiledParty(db, caller.partner.id, sessionId, routing.from);
    if (!party || !maySpeakFor(request, party)) throw refuse('unknown-session', `no charging profile was set for a session ${sessionId} of yours`);
    await storeActive(db, party, sessionId, { text, at: rfc3339(clock.now()) });
    await this.parts.relay().changed(party, sessionId, text);
    return {};
  }
}

/** A refusal without the word of the module is no: an EVSE that takes none, a session that is unknown. */
function replyOf(outcome: Outcome, method: string): SentCommand {
  if (outcome.kind === 'unreachable' || isOutOfReach(outcome)) return ended('unreachable', 'the operator could not be reached');
  if (outcome.kind === 'unclear') return ended('unclear', 'the operator gave no clear answer');
  const statusCode = outcome.statusCode ?? 0;
  const said = outcome.kind === 'refused' ? outcome.message : '';
  if (method === 'PREFERENCES') {
    const word = read(ChargingPreferencesResponse, outcome.data);
    if (word.ok) return ended('answered', said, { result: word.value, statusCode });
  } else {
    const { response } = responseIn(ChargingProfileResponse, outcome.data);
    if (response) return ended('answered', said, { result: response.result, timeoutS: uint32(response.timeout), statusCode });
  }
  if (outcome.kind === 'ok') return ended('unclear', 'the answer holds no response that OCPI knows', { statusCode });
  if (statusCode >= 3000 || outcome.http >= 500) return ended('unclear', troubleText(outcome), { statusCode });
  return ended('answered', outcome.http === 429 ? busyText(outcome) : said, {
    result: method === 'PREFERENCES' ? 'NOT_POSSIBLE' : 'REJECTED',
    statusCode,
  });
}
