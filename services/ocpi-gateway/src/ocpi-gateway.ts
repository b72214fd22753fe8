import type { HeardTogether } from '#bus';
import { fromJsonBytes, uint32 } from '#contracts';
import type { AgreementChanged } from '#contracts/agreements';
import { addDue, type DueWorker } from '#due';
import type { GrantRows } from '#grants';
import {
  CommandResponse, joinUrl, type LocationReferences, type Outcome, type Party, partyText, type Session, type Tariff,
} from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, rfc3339 } from '#time';
import type { Calls } from './partners/calls.ts';
import { findSent, forgetSent, keepSent, noteSent, type SentCommand } from './command-rows.ts';
import { interfacePath } from './exchange.ts';
import { outcomeText } from './partners/handshake.ts';
import { endpointOf } from './partners/partner.ts';
import { noteError, partnerWith, receiversOf } from './partners/partner-rows.ts';
import { type Audience, queueViews } from './partners/partner-views.ts';
import { type Authorized, authorizationIn, responseIn } from './partners/quirks.ts';
import { AlikeReceivers } from './pushes/alike-receivers.ts';
import { behindAll } from './pushes/behind-all.ts';
import { pushGranted } from './pushes/push-all.ts';
import { keepOpen, keepUnclaimed, lockLinks } from './pushes/pushed-rows.ts';
import { newestOf, queuedOf } from './pushes/queue-rows.ts';
import { turnDue, turnsOf } from './pushes/tariff-turns.ts';
import type { OwnObject } from './pushes/views.ts';
import type { Steering } from './steering.ts';

export interface GatewayParts {
  readonly parties: OwnParties;
  readonly db: Database;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly grants: GrantRows;
  readonly worker: () => DueWorker;
  readonly publicUrl: () => string;
  readonly steering: Steering;
}

export interface CommandToSend {
  readonly orderId: string;
  readonly party: Party;
  /** The party of ours that says it. */
  readonly from?: Party | undefined;
  readonly command: string;
  readonly bodyJson: Uint8Array;
}

export interface AuthorizeQuestion {
  readonly party: Party;
  /** The party of ours that asks. */
  readonly from?: Party | undefined;
  readonly uid: string;
  readonly type: string;
  readonly locationReferencesJson?: Uint8Array | undefined;
  readonly timeoutMs: number;
}

export interface AuthorizeOutcome {
  readonly outcome: SentCommand['outcome'];
  readonly info?: Authorized;
}

/** Objects of one module. */
interface News {
  readonly objects: readonly OwnObject[];
  readonly party: Party | undefined;
  /** Of our drivers at partners: for nobody but who may see them by a grant. */
  readonly elsewhere?: boolean;
}

/** The service's verbs toward the other services. */
export class OcpiGateway {
  private readonly alike = new AlikeReceivers();
  private readonly queueBehind = behindAll<News>((news, heard) => this.queueNews(news, heard));

  constructor(private readonly parts: GatewayParts) {}

  /** Objects of ours of one module are like this now: for all partners that take such, or for the one with `party`. */
  queue(heard: HeardTogether, objects: readonly OwnObject[], party?: Party): void {
    if (objects.length > 0) this.queueBehind(heard, { objects, party });
  }

  /** A Session of one of our drivers at a partner is like this now: for those to whom it is granted. */
  queueElsewhere(heard: HeardTogether, current: string): void {
    const { country_code, party_id, id } = JSON.parse(current) as Session;
    const objectKey = `${country_code}*${party_id} ${id}`;
    this.queueBehind(heard, { objects: [{ module: 'sessions', objectKey, current }], party: undefined, elsewhere: true });
  }

  /** A Tariff of ours was published: when it begins or ends in time, some have to be told; where it did so already, now. */
  async tariffTurns(heard: HeardTogether, tariff: Tariff): Promise<void> {
    const { clock, worker } = this.parts;
    const now = clock.now();
    const turns = new Set(turnsOf(tariff).map((at) => Math.max(now, at)));
    for (const at of turns) await addDue(heard.tx, turnDue(at));
    if (turns.size > 0) heard.afterCommit(() => worker().wake());
  }

  /** All that a batch tells of. */
  private async queueNews(news: readonly News[], heard: HeardTogether): Promise<void> {
    const { parties, clock, grants, steering, worker } = this.parts;
    await lockLinks(heard.tx, 'together');
    const at = clock.now();
    const audiences: Audience[] = [];
    const alike = Map.groupBy(news.filter(({ elsewhere }) => !elsewhere), ({ objects: [one], party }) => `${one!.module} ${party ? partyText(party) : ''}`);
    for (const same of alike.values()) {
      const { party, objects: [{ module }] } = same[0] as News & { objects: [OwnObject] };
      const objects = same.flatMap((one) => one.objects);
      const partners = await receiversOf(heard.tx, module, party);
      if (partners.length > 0) audiences.push({ partners, objects });
      else if (module === 'sessions' && !parties.has(party!)) await keepOpen(heard.tx, newestOf(objects.map(queuedOf)));
      else if (module === 'cdrs' && party !== undefined && !parties.has(party)) {
        for (const { objectKey, current } of objects) if (current !== undefined) await keepUnclaimed(heard.tx, objectKey, current);
      }
    }
    const sessions = news.flatMap(({ objects }) => objects).filter(({ module, current }) => module === 'sessions' && current !== undefined);
    const steered = sessions.length === 0 ? []
      : await steering.pushes(heard.tx, newestOf(sessions.map(queuedOf)).map(({ current }) => JSON.parse(current!) as Session), at);
    if (audiences.length === 0 && steered.length === 0) return;
    await queueViews(heard.tx, audiences, { at, granted: await grants.at(heard.tx, at), steered, alike: this.alike });
    heard.afterCommit(() => worker().wake());
  }

  /** What partners are granted changed: who is granted something else gets what it is offered now. */
  async granted(heard: HeardTogether, fact: AgreementChanged): Promise<void> {
    const { grants, clock, steering, worker } = this.parts;
    // Whoever queues by what was granted before has committed, or waits.
    await lockLinks(heard.tx, 'alone');
    const at = clock.now();
    const before = await grants.at(heard.tx, at);
    const steeredBefore = await grants.steering(heard.tx, at);
    await grants.note(heard.tx, fact);
    const isSteered = await steering.changed(heard.tx, steeredBefore, await grants.steering(heard.tx, at));
    if (await pushGranted(heard.tx, before, await grants.at(heard.tx, at), at) || isSteered) heard.afterCommit(() => worker().wake());
  }

  /** A command that a partner gave us has ended: its result falls due. */
  async commandFinished(heard: HeardTogether, finished: { orderId: string; result: string; message: string }): Promise<void> {
    // CMD-10: a reservation that we cancel has had its result before; both go to the same place, in order.
    const key = `result ${finished.orderId}`;
    const id = finished.result === 'CANCELED_RESERVATION' ? `canceled ${finished.orderId}` : key;
    await addDue(heard.tx, { id, key, kind: 'command-result', at: this.parts.clock.now(), body: finished });
    heard.afterCommit(() => this.parts.worker().wake());
  }

  /** Sends a command to the platform that has the party, at most once for an order. */
  async sendCommand({ orderId, party, from, command, bodyJson }: CommandToSend): Promise<SentCommand> {
    const { db, calls, clock } = this.parts;
    const partner = await partnerWith(db, party);
    const endpoint = partner && endpointOf(partner, 'commands', 'RECEIVER');
    if (!partner || endpoint === undefined) {
      return ended('no-partner', `no registered partner takes commands for ${party.country_code}*${party.party_id}`);
    }
    if (!await keepSent(db, orderId, partner.id, command)) {
      return (await findSent(db, orderId))?.sent ?? ended('unclear', 'this order was sent before and has no answer yet');
    }
    const body = { ...fromJsonBytes<object>(bodyJson), response_url: this.responseUrl(partner.version, command, orderId) };
    const outcome = await calls
      .to(partner, { to: party, from: from ?? this.parts.parties.withRole('EMSP') })
      .post(joinUrl(endpoint, command), body);
    // Why a line is down is for the operator; the driver hears that it is.
    if (outcome.kind === 'unreachable' || outcome.kind === 'unclear' || (outcome.kind === 'refused' && outcome.http >= 429)) {
      await noteError(db, partner.id, `${rfc3339(clock.now())} ${command}: ${outcomeText(outcome)}`);
    }
    const sent = commandAnswer(outcome);
    if (sent.outcome === 'unreachable') await forgetSent(db, orderId);
    else await noteSent(db, orderId, sent);
    return sent;
  }

  /** Asks a token's owner in real time. TOK-04 to TOK-07. */
  async authorize({ party, from, uid, type, locationReferencesJson, timeoutMs }: AuthorizeQuestion): Promise<AuthorizeOutcome> {
    const { db, calls } = this.parts;
    const partner = await partnerWith(db, party);
    const endpoint = partner && endpointOf(partner, 'tokens', 'SENDER');
    if (!partner || endpoint === undefined) return { outcome: 'no-partner' };
    const references = locationReferencesJson && fromJsonBytes<LocationReferences>(locationReferencesJson);
    const url = `${joinUrl(endpoint, uid, 'authorize')}?type=${type}`;
    const routing = { to: party, from: from ?? this.parts.parties.withRole('CPO') };
    const outcome = await calls.to(partner, routing).post(url, references, timeoutMs > 0 ? { timeoutMs } : {});
    if (outcome.kind === 'unreachable' || isOutOfReach(outcome)) return { outcome: 'unreachable' };
    if (outcome.kind === 'refused' && (outcome.statusCode === 2004 || (outcome.http === 404 && outcome.statusCode !== undefined))) {
      return { outcome: 'answered' };
    }
    const { info, fault } = outcome.kind === 'ok' ? authorizationIn(outcome.data) : {};
    if (!info) return { outcome: 'unclear' };
    // What stood there instead may be of a driver.
    if (fault !== undefined) calls.sightings.note(partner.id, 'sloppy-authorizations', fault.replaceAll(/, not [^;]*/g, ''));
    return { outcome: 'answered', info };
  }

  private responseUrl(version: string, command: string, orderId: string): string {
    return joinUrl(`${this.parts.publicUrl()}${interfacePath({ module: 'commands', role: 'SENDER' }, version)}`, command, orderId);
  }
}

/** A hub says that the receiver is unknown to it or not connected: nothing was done there. HUB-19. */
export function isOutOfReach(outcome: Outcome): boolean {
  return outcome.kind === 'refused' && (outcome.statusCode === 4001 || outcome.statusCode === 4003);
}

export function ended(outcome: SentCommand['outcome'], message: string, more: Partial<SentCommand> = {}): SentCommand {
  return { outcome, result: '', timeoutS: 0, statusCode: 0, message, ...more };
}

/** A refusal in OCPI's envelope may still hold the CommandResponse; without one the partner did not take it. CMD-05. */
function commandAnswer(outcome: Outcome): SentCommand {
  if (outcome.kind === 'unreachable') return ended('unreachable', 'the operator could not be reached');
  if (outcome.kind === 'unclear') {
    return ended(
      'unclear',
      outcome.message.startsWith('HTTP')
        ? `the operator's answer cannot be read (${outcome.message})`
        : 'the operator did not answer in time',
    );
  }
  const { response, fault } = responseIn(CommandResponse, outcome.data);
  const statusCode = outcome.statusCode ?? 0;
  if (isOutOfReach(outcome))
    return ended(
      'unreachable',
      `the operator could not be reached: ${outcome.kind === 'refused' ? outcome.message : ''}`,
      { statusCode },
    );
  if (response) {
    const { result, timeout, message } = response;
    const text = message?.[0]?.text ?? (outcome.kind === 'refused' ? outcome.message : '');
    return { outcome: 'answered', result, timeoutS: uint32(timeout), message: text, statusCode };
  }
  if (outcome.kind === 'ok') return ended('unclear', `the answer holds no CommandResponse: ${fault}`, { statusCode });
  if (outcome.http === 429) return ended('answered', busyText(outcome), { result: 'REJECTED', statusCode });
  // A fault on their side: nobody knows what they did before it. It is not sent again.
  if (statusCode >= 3000 || outcome.http >= 500) return ended('unclear', troubleText(outcome), { statusCode });
  return ended('answered', outcome.message, { result: 'REJECTED', statusCode });
}

type RefusedOutcome = Extract<Outcome, { kind: 'refused' }>;

/** HTTP 429: for a driver. */
export function busyText(outcome: RefusedOutcome): string {
  return `the operator takes no more requests for the moment, nothing was done${waitText(outcome)}`;
}

/** HTTP 5xx, 3xxx: for a driver. */
export function troubleText(outcome: RefusedOutcome): string {
  return `the operator has a problem of its own: ${outcomeText(outcome)}${waitText(outcome)}`;
}

/** When it asked to be left alone until then. */
function waitText({ retryAfterMs }: RefusedOutcome): string {
  return retryAfterMs === undefined ? '' : `; try again in ${Math.ceil(retryAfterMs / 1_000)} s`;
}
