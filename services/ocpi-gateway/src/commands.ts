import type { Bus } from '#bus';
import { cancelReservation, recordCommandResult, reserveEvse, startSession, stopSession } from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import type { Due, DueOutcome, Hold } from '#due';
import {
  answers, type CancelReservation, type CommandResponse, type CommandResult, CommandType, type ReserveNow,
  type StartSession, type StopSession, type Token, type UnlockConnector,
} from '#ocpi';
import type { Database } from '#postgres';
import { type Clock, instant, rfc3339 } from '#time';
import type { Calls } from './partners/calls.ts';
import { findSent, findTaken, noteResponse } from './command-rows.ts';
import type { OcpiSettings } from './config.ts';
import type { Handler, Handlers, OcpiReply, OcpiRequest } from './exchange.ts';
import { outcomeText } from './partners/handshake.ts';
import { askersOf, maySpeakFor, notTheirs, toBus } from './partners/partner.ts';
import { findPartner, noteError } from './partners/partner-rows.ts';
import { hasQuirk } from './partners/quirks.ts';
import { refuse } from './refusals.ts';
import { nobodyThere, take, TIMEOUT_S } from './repeats.ts';
import { retryInMs } from './retry.ts';
import type { Seen } from './seen.ts';
import type { Taken, Unlocking } from './unlocking.ts';

export interface CommandsParts {
  readonly db: Database;
  readonly bus: Bus;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly settings: OcpiSettings;
  readonly unlocking: Unlocking;
  readonly seen: Seen;
  readonly wake: () => void;
}

const UNTIL_ANSWERED_MS = 20;
/** Then the process that was to answer is gone. */
const WAITS_FOR_ANSWER = 150;
/** OCPI knows no repeats of a result; one that never arrived may still be said for a while, real time. CMD-03. */
const RESULT_MS_MAX = 120_000;
/** Also where it could not be said before: we were away. */
const RESULT_TRIES = 10;

/** Partners' commands to us, their results to partners, and the results of our own commands. CMD. */
export class Commands {
  constructor(private readonly parts: CommandsParts) {}

  handlers(): Handlers {
    const all: Readonly<Record<CommandType, Handler>> = {
      START_SESSION: (request) => this.start(request),
      STOP_SESSION: (request) => this.stop(request),
      RESERVE_NOW: (request) => this.reserve(request),
      CANCEL_RESERVATION: (request) => this.cancelReservation(request),
      UNLOCK_CONNECTOR: (request) => {
        const body = request.body as UnlockConnector;
        return this.takeAt(body.location_id, 'UNLOCK_CONNECTOR', request, (orderId) =>
          this.parts.unlocking.take(orderId, body, askersOf(request), request.addressed),
        );
      },
    };
    const routes = CommandType.options.map((command): [string, Handler] => [
      `RECEIVER commands POST /${command}`,
      all[command],
    ]);
    return {
      ...Object.fromEntries(routes),
      'SENDER commands POST /:command/:exchange': (request) => this.result(request),
    };
  }

  private start(request: OcpiRequest): Promise<OcpiReply> {
    const { token, location_id, evse_uid, connector_id, authorization_reference } = request.body as StartSession;
    checkOwn(request, token);
    return this.takeAt(location_id, 'START_SESSION', request, (orderId) =>
      this.parts.bus.ask(
        startSession,
        {
          orderId,
          tokenJson: toJsonBytes(token),
          ...operator(request),
          locationId: location_id,
          ...(evse_uid === undefined ? {} : { evseUid: evse_uid }),
          ...(connector_id === undefined ? {} : { connectorId: connector_id }),
          ...(authorization_reference === undefined ? {} : { authorizationReference: authorization_reference }),
        },
        { commandId: orderId },
      ),
    );
  }

  private stop(request: OcpiRequest): Promise<OcpiReply> {
    const { session_id: sessionId } = request.body as StopSession;
    const parties = askersOf(request).map(toBus);
    return this.take('STOP_SESSION', request, (orderId) =>
      this.parts.bus.ask(stopSession, { orderId, sessionId, parties, ...operator(request) }, { commandId: orderId }),
    );
  }

  /** CMD-09. */
  private reserve(request: OcpiRequest): Promise<OcpiReply> {
    const { token, location_id, evse_uid, expiry_date, reservation_id, authorization_reference } =
      request.body as ReserveNow;
    checkOwn(request, token);
    return this.takeAt(location_id, 'RESERVE_NOW', request, (orderId) =>
      this.parts.bus.ask(
        reserveEvse,
        {
          orderId,
          tokenJson: toJsonBytes(token),
          reservationId: reservation_id,
          locationId: location_id,
          expiresAt: rfc3339(instant(expiry_date)),
          ...(evse_uid === undefined ? {} : { evseUid: evse_uid }),
          ...(authorization_reference === undefined ? {} : { authorizationReference: authorization_reference }),
          ...operator(request),
        },
        { commandId: orderId },
      ),
    );
  }

  /** CMD-11. */
  private cancelReservation(request: OcpiRequest): Promise<OcpiReply> {
    const { reservation_id: reservationId } = request.body as CancelReservation;
    const parties = askersOf(request).map(toBus);
    return this.take('CANCEL_RESERVATION', request, (orderId) =>
      this.parts.bus.ask(
        cancelReservation,
        { orderId, reservationId, parties, ...operator(request) },
        { commandId: orderId },
      ),
    );
  }

  /** Where a partner may not see, it does nothing, either. LOC-07. */
  private takeAt(
    locationId: string,
    command: CommandType,
    request: OcpiRequest,
    ask: (orderId: string) => Promise<Taken>,
  ): Promise<OcpiReply> {
    return this.take(command, request, async (orderId) => {
      if (!(await this.parts.seen.hides(locationId, request))) return ask(orderId);
      return {
        result: 'REJECTED',
        timeoutS: 0,
        message: `${locationId} is none of our Locations`,
        unknownLocation: true,
      };
    });
  }

  private async take(
    command: CommandType,
    request: OcpiRequest,
    ask: (orderId: string) => Promise<Taken>,
  ): Promise<OcpiReply> {
    const { response_url: responseUrl } = request.body as { response_url: string };
    const { orderId, repeat, reply } = await take(this.parts, request, command, responseUrl);
    const taken =
      reply ??
      (await noteResponse(this.parts.db, orderId, await ask(orderId).catch((error: unknown) => nobodyThere(error, repeat))));
    return {
      answer: taken.unknownLocation ? answers.unknownLocation : answers.ok,
      data: response(taken.result as CommandResponse['result'], taken.timeoutS || TIMEOUT_S, taken.message),
    };
  }

  /** POSTs a CommandResult to the response_url: only after an ACCEPTED response that is out. CMD-01, CMD-04. */
  async deliverResult({ body, at }: Due, attempt: number, hold: Hold): Promise<DueOutcome> {
    const { db, calls, clock, settings } = this.parts;
    const due = body as { orderId: string } & ({ body: object } | { result: CommandResult['result']; message: string });
    const { orderId } = due;
    const taken = await findTaken(db, orderId);
    if (!taken || (taken.response !== undefined && taken.response !== 'ACCEPTED')) return 'done';
    if (!taken.answered && attempt <= WAITS_FOR_ANSWER) return { retryInMs: UNTIL_ANSWERED_MS };
    const tries = taken.answered ? attempt : attempt - WAITS_FOR_ANSWER;
    const partner = await findPartner(db, taken.partnerId);
    if (partner?.state !== 'registered') return 'done';
    const outcome = await calls
      .to(partner, taken.routing)
      .post(taken.responseUrl, 'body' in due ? due.body : resultOf(due), {
        routing: taken.routing,
        correlationId: taken.correlationId,
        wrapped: hasQuirk(partner, 'wrapped-results'),
        isWanted: () => hold.isHeld(),
      });
    if (outcome.kind === 'unreachable') hold.insist();
    if (outcome.kind === 'ok') return 'done';
    await noteError(
      db,
      partner.id,
      `${rfc3339(clock.now())} result of ${taken.command}: ${outcomeText(outcome)}`,
    );
    const hopeless = outcome.kind === 'refused' && outcome.http < 500 && ![408, 429].includes(outcome.http);
    if (hopeless || (tries >= RESULT_TRIES && clock.realMs(clock.now() - at) > RESULT_MS_MAX)) return 'done';
    const asked = outcome.kind === 'refused' ? outcome.retryAfterMs : undefined;
    return { retryInMs: Math.max(asked ?? 0, retryInMs(tries, settings)) };
  }

  /** A partner says how our own command ended. */
  private async result({ caller, params, body }: OcpiRequest): Promise<OcpiReply> {
    const sent = await findSent(this.parts.db, params.exchange!);
    if (!sent || sent.partnerId !== caller.partner.id || sent.command !== params.command) {
      throw refuse('unknown-order', `no ${params.command} with the id ${params.exchange} was sent to you`);
    }
    const { result, message } = body as CommandResult;
    await this.parts.bus.ask(recordCommandResult, {
      orderId: params.exchange!,
      result,
      message: message?.[0]?.text ?? '',
    });
    return {};
  }
}

/** CMD-06: an eMSP uses its own tokens only; whether the token is valid is its own affair. */
function checkOwn(request: OcpiRequest, token: Token): void {
  if (maySpeakFor(request, token)) return;
  throw refuse('foreign-object', `token: ${notTheirs(request, token)}`);
}

/** Whose EVSE it has to be, where the routing headers say whom of us they mean. */
function operator({ addressed }: OcpiRequest) {
  return addressed ? { party: toBus(addressed) } : {};
}

function resultOf({ result, message }: { result: CommandResult['result']; message: string }): CommandResult {
  return { result, ...(message === '' ? {} : { message: [{ language: 'en', text: message.slice(0, 512) }] }) };
}

function response(result: CommandResponse['result'], timeout: number, text: string): CommandResponse {
  return { result, timeout, ...(text === '' ? {} : { message: [{ language: 'en', text: text.slice(0, 512) }] }) };
}
