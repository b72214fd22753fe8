import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Bus, isAskFailure, mayBeDone, Unanswered } from '#bus';
import {
  type CommandSent,
  sendCommand,
  type SendCommandSchema,
  SendOutcome,
} from '#contracts/ocpi-gateway';
import { busParty } from '#contracts/party';
import { toJsonBytes } from '#contracts';
import type { DueHandler, Hold } from '#due';
import type { Party, Token } from '#ocpi';
import type { OwnParties } from '#settings';
import { currentTraceparent } from '#telemetry';
import { type Clock, rfc3339 } from '#time';
import type { Commands, Taken } from './commands.ts';
import { ANSWER_TRAVELS_MS, type Config } from './config.ts';
import type { Logs } from './logs.ts';
import { isCancel, isReserve, type Order, type OrderBody, type OrderCommand } from './order.ts';
import type { Reservations } from './reservations.ts';
import { notThere, whenThere } from './when-there.ts';

export interface SendOrderParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly config: Config;
  readonly logs: Logs;
  readonly commands: Commands;
  readonly reservations: Pick<Reservations, 'reserve' | 'cancel'>;
}

/** What workers do for our drivers' orders. */
export class SendOrder {
  constructor(private readonly parts: SendOrderParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'send-order': async (due, attempt, hold) => {
      const { orderId } = due.body as { orderId: string };
      const state = await whenThere(async () => {
        const { state: found } = await this.parts.logs.orders.load(orderId);
        return found.order ? found : undefined;
      });
      if (!state?.order) return notThere(attempt);
      if (state.order.state !== 'sent') return 'done';
      if (this.parts.parties.has(state.order.party))
        await this.carryOutOurselves(state.order, state.body!);
      else await this.send(state.order, state.body!, attempt, hold);
      return 'done';
    },
  };

  /** At most once: a command that may have arrived is not sent again, and a timer says that nobody knows. */
  private async send(
    { orderId, party, tokenParty, command }: Order,
    body: OrderBody,
    attempt: number,
    hold: Hold,
  ): Promise<void> {
    const at = this.parts.clock.iso();
    if (attempt > 1) return this.giveUp(orderId, 'it may or may not have been sent');
    // By now it may have been said that nobody knows.
    hold.insist();
    const sent = await this.ask(orderId, {
      orderId,
      command,
      bodyJson: toJsonBytes(body),
      party: busParty(party),
      ...(tokenParty ? { from: busParty(tokenParty) } : {}),
    });
    if (sent === 'unknown' || sent.outcome === SendOutcome.UNCLEAR) {
      const why = sent === 'unknown' ? '' : sent.message;
      return this.giveUp(orderId, why || 'the operator did not answer in time');
    }
    const { result, statusCode } = sent;
    const message =
      sent.message || (result === '' && statusCode > 0 ? `status code ${statusCode}` : '');
    if (sent.outcome !== SendOutcome.ANSWERED) {
      const why =
        sent.outcome === SendOutcome.NO_PARTNER
          ? 'no partner operates there'
          : 'the operator could not be reached';
      await this.note(orderId, 'unsent', { type: 'NoteUnsent', message: message || why, at });
      return;
    }
    const accepted = result === 'ACCEPTED';
    await this.noteAnswer(orderId, { accepted, result, message }, sent.timeoutS);
  }

  private async noteAnswer(
    orderId: string,
    answer: { accepted: boolean; result: string; message: string },
    timeoutS: number,
  ): Promise<void> {
    const { clock, config } = this.parts;
    const waitS = Math.min(Math.max(timeoutS, RESULT_WAIT_S.least), RESULT_WAIT_S.most);
    await this.note(orderId, 'answer', {
      type: 'NoteAnswer',
      ...answer,
      resultDueAt: rfc3339(clock.now() + waitS * 1_000 + Math.ceil(config.partnerTimeoutMs * clock.rate)),
      at: clock.iso(),
    });
  }

  private async ask(
    orderId: string,
    request: MessageInitShape<typeof SendCommandSchema>,
  ): Promise<SentCommand | 'unknown'> {
    const {
      bus,
      config: { partnerTimeoutMs },
    } = this.parts;
    for (let tries = 1; ; tries++) {
      try {
        return await bus.ask(sendCommand, request, {
          timeoutMs: partnerTimeoutMs + ANSWER_TRAVELS_MS,
          commandId: orderId,
        });
      } catch (error) {
        if (!isAskFailure(error)) throw error;
        if (mayBeDone(error)) return 'unknown';
        if (!(error instanceof Unanswered)) return unreached(error.message);
        // Nobody was there to hear it: our own gateway is about to come back.
        if (tries === OFFLINE_TRIES) return unreached('our gateway to partners is not running');
        await sleep(OFFLINE_PAUSE_MS);
      }
    }
  }

  private async carryOutOurselves({ orderId, party }: Order, body: OrderBody): Promise<void> {
    const taken = await this.takenByUs(orderId, party, body);
    const { result, message, timeoutS } = taken;
    await this.noteAnswer(orderId, { accepted: result === 'ACCEPTED', result, message }, timeoutS);
  }

  private takenByUs(orderId: string, party: Party, body: OrderBody): Promise<Taken> {
    const { commands, parties, reservations } = this.parts;
    if ('session_id' in body)
      return commands.stop({ orderId, sessionId: body.session_id, parties: parties.all, party }, 'own');
    if (isCancel(body))
      return reservations.cancel(
        { orderId, reservationId: body.reservation_id, parties: parties.all, party },
        'own',
      );
    const wish = {
      orderId,
      token: body.token as Token,
      party,
      locationId: body.location_id,
      reference: body.authorization_reference,
    };
    if (isReserve(body))
      return reservations.reserve(
        {
          ...wish,
          reservationId: body.reservation_id,
          evseUid: body.evse_uid,
          expiresAt: body.expiry_date,
        },
        'own',
      );
    return commands.start({ ...wish, evseUid: body.evse_uid, connectorId: body.connector_id }, 'own');
  }

  private async giveUp(orderId: string, message: string): Promise<void> {
    await this.note(orderId, 'give up', { type: 'GiveUp', message, at: this.parts.clock.iso() });
  }

  private async note(orderId: string, what: string, command: OrderCommand): Promise<void> {
    await this.parts.logs.orders.execute(
      orderId,
      `${what} ${orderId}`,
      command,
      currentTraceparent(),
    );
  }
}
const OFFLINE_TRIES = 20;
const OFFLINE_PAUSE_MS = 250;
/** Whatever the partner says, in between. */
const RESULT_WAIT_S = { least: 5, most: 600 };

type SentCommand = Pick<CommandSent, 'outcome' | 'result' | 'timeoutS' | 'message' | 'statusCode'>;

function unreached(message: string): SentCommand {
  return { outcome: SendOutcome.UNREACHABLE, result: '', timeoutS: 0, message, statusCode: 0 };
}
