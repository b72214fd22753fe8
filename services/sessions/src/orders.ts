import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Bus, Refused, Unanswered } from '#bus';
import { type CommandSent, sendCommand, type SendCommandSchema, SendOutcome } from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { addDue, type DueHandler } from '#due';
import { idKey, type Party, sameId, sameParty, type Token } from '#ocpi';
import type { Database } from '#postgres';
import type { PartySettings } from '#settings';
import { currentTraceparent } from '#telemetry';
import type { Clock } from '#time';
import { type Commands, type Taken, whenThere } from './commands.ts';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';
import type { Order, OrderBody, OrderCommand } from './order.ts';
import { findPartnerSession, noteStartOrdered } from './partner-session-rows.ts';
import type { SessionState } from './session.ts';

export type OrderRefusal = 'unknown-order' | 'unknown-session' | 'session-of-another-driver' | 'order-id-too-long';

export interface OrdersParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly clock: Clock;
  readonly party: PartySettings;
  readonly config: Config;
  readonly logs: Logs;
  readonly commands: Commands;
  wake(): void;
}

export interface StartOrder {
  readonly orderId: string;
  readonly token: Token;
  readonly party: Party;
  readonly locationId: string;
  readonly evseUid: string;
  readonly connectorId?: string | undefined;
}

export interface StopOrder {
  readonly orderId: string;
  readonly tokenUid: string;
  readonly party: Party;
  readonly sessionId: string;
}

/** It is the authorization_reference, a CiString(36). */
const ORDER_ID_MAX = 36;

/** Our drivers' orders, to partners and to ourselves. */
export class Orders {
  constructor(private readonly parts: OrdersParts) {}

  async start({ orderId, token, party, locationId, evseUid, connectorId }: StartOrder): Promise<Order> {
    if (orderId.length > ORDER_ID_MAX) {
      throw new Rejected<OrderRefusal>('order-id-too-long', `${orderId} has more than ${ORDER_ID_MAX} characters`);
    }
    return this.place({ orderId, command: 'START_SESSION', party, tokenUid: token.uid }, {
      token, location_id: locationId, evse_uid: evseUid, authorization_reference: orderId,
      ...(connectorId === undefined ? {} : { connector_id: connectorId }),
    });
  }

  async stop({ orderId, tokenUid, party, sessionId }: StopOrder): Promise<Order> {
    const { state: { order } } = await this.parts.logs.orders.load(orderId);
    if (order) return order;
    const uid = await this.uidOf(party, sessionId);
    if (uid === undefined) throw new Rejected<OrderRefusal>('unknown-session', `there is no session ${sessionId}`);
    if (!sameId(uid, tokenUid)) {
      throw new Rejected<OrderRefusal>('session-of-another-driver', `session ${sessionId} is another token's`);
    }
    return this.place({ orderId, command: 'STOP_SESSION', party, tokenUid }, { session_id: sessionId });
  }

  async find(orderId: string): Promise<Order> {
    const { state: { order } } = await this.parts.logs.orders.load(orderId);
    if (!order) throw new Rejected<OrderRefusal>('unknown-order', `there is no order ${orderId}`);
    return order;
  }

  /** The CPO's CommandResult. */
  async recordResult(orderId: string, result: string, message: string): Promise<Order> {
    await this.find(orderId);
    return this.note(orderId, 'result', { type: 'NoteResult', result, message, at: this.parts.clock.iso() });
  }

  /** What workers do for this part. */
  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'send-order': async (due, attempt) => {
      const { orderId } = due.body as { orderId: string };
      const state = await whenThere(async () => {
        const { state: found } = await this.parts.logs.orders.load(orderId);
        return found.order ? found : undefined;
      });
      if (state?.order?.state !== 'sent') return 'done';
      if (sameParty(state.order.party, this.parts.party)) await this.carryOutOurselves(state.order, state.body!);
      else await this.send(state.order, state.body!, attempt);
      return 'done';
    },
    'give-up-order': async (due) => {
      const { orderId } = due.body as { orderId: string };
      await this.giveUp(orderId, 'the operator never said what came of it');
      return 'done';
    },
  };

  private async place(order: Pick<Order, 'orderId' | 'command' | 'party' | 'tokenUid'>, body: OrderBody): Promise<Order> {
    const { db, clock, logs, wake } = this.parts;
    const { orderId } = order;
    const at = clock.iso();
    // Intent first: rows without their event do nothing.
    await db.tx(async (tx) => {
      if ('evse_uid' in body) await noteStartOrdered(tx, { ...order, evseUid: body.evse_uid, at });
      await addDue(tx, { id: `send ${idKey(orderId)}`, key: `order ${idKey(orderId)}`, kind: 'send-order', at: clock.now(), body: { orderId } });
    });
    const command = { type: 'PlaceOrder', order, body, at } as const;
    const { state } = await logs.orders.execute(orderId, `place ${orderId}`, command, currentTraceparent());
    wake();
    return state.order!;
  }

  /** At most once: a command that may have arrived is not sent again, and a timer says that nobody knows. */
  private async send({ orderId, party, command }: Order, body: OrderBody, attempt: number): Promise<void> {
    const { clock, config, db } = this.parts;
    const at = clock.iso();
    if (attempt > 1) return this.giveUp(orderId, 'it may or may not have been sent');
    const sent = await this.ask(orderId, {
      orderId, command, bodyJson: toJsonBytes(body), party: { countryCode: party.country_code, partyId: party.party_id },
    });
    if (sent === 'unknown' || sent.outcome === SendOutcome.UNCLEAR) return this.giveUp(orderId, 'the operator did not answer in time');
    const { result, statusCode } = sent;
    const message = sent.message || (result === '' && statusCode > 0 ? `status code ${statusCode}` : '');
    if (sent.outcome !== SendOutcome.ANSWERED) {
      const why = sent.outcome === SendOutcome.NO_PARTNER ? 'no partner operates there' : 'the operator could not be reached';
      await this.note(orderId, 'unsent', { type: 'NoteUnsent', message: message || why, at });
      return;
    }
    const accepted = result === 'ACCEPTED';
    if (accepted) {
      const waitMs = Math.min(Math.max(sent.timeoutS, RESULT_WAIT_S.least), RESULT_WAIT_S.most) * 1_000;
      const giveUpAt = clock.now() + waitMs + config.partnerTimeoutMs * clock.rate;
      await addDue(db, {
        id: `give up ${idKey(orderId)}`, key: `give up ${idKey(orderId)}`, kind: 'give-up-order', at: giveUpAt, body: { orderId },
      });
    }
    await this.note(orderId, 'answer', { type: 'NoteAnswer', accepted, result, message, at });
  }

  private async ask(orderId: string, request: MessageInitShape<typeof SendCommandSchema>): Promise<SentCommand | 'unknown'> {
    const { bus, config: { partnerTimeoutMs } } = this.parts;
    for (let tries = 1; ; tries++) {
      try {
        return await bus.ask(sendCommand, request, { timeoutMs: partnerTimeoutMs + ANSWER_TRAVELS_MS, commandId: orderId });
      } catch (error) {
        if (error instanceof Refused) return unreached(error.message);
        if (!(error instanceof Unanswered)) throw error;
        if (error.reason === 'unknown') return 'unknown';
        // Nobody was there to hear it: our own gateway is about to come back.
        if (tries === OFFLINE_TRIES) return unreached('our gateway to partners is not running');
        await sleep(OFFLINE_PAUSE_MS);
      }
    }
  }

  private async carryOutOurselves({ orderId }: Order, body: OrderBody): Promise<void> {
    const { commands, clock, party } = this.parts;
    const { result, message } = await ('session_id' in body
      ? commands.stop({ orderId, sessionId: body.session_id, parties: [party] }, 'own')
      : commands.start({
        orderId, token: body.token as Token, locationId: body.location_id, evseUid: body.evse_uid, connectorId: body.connector_id,
        reference: body.authorization_reference,
      }, 'own')) satisfies Taken;
    await this.note(orderId, 'answer', { type: 'NoteAnswer', accepted: result === 'ACCEPTED', result, message, at: clock.iso() });
  }

  private async giveUp(orderId: string, message: string): Promise<void> {
    await this.note(orderId, 'give up', { type: 'GiveUp', message, at: this.parts.clock.iso() });
  }

  private async note(orderId: string, what: string, command: OrderCommand): Promise<Order> {
    const { state } = await this.parts.logs.orders.execute(orderId, `${what} ${orderId}`, command, currentTraceparent());
    return state.order!;
  }

  private async uidOf(party: Party, sessionId: string): Promise<string | undefined> {
    const { db, logs, party: own } = this.parts;
    if (sameParty(party, own)) return uidIn((await logs.sessions.load(sessionId)).state);
    return (await findPartnerSession(db, party, sessionId))?.session.cdr_token.uid;
  }
}

const ANSWER_TRAVELS_MS = 2_000;
const OFFLINE_TRIES = 20;
const OFFLINE_PAUSE_MS = 250;
/** Whatever the partner says, in between. */
const RESULT_WAIT_S = { least: 5, most: 600 };

type SentCommand = Pick<CommandSent, 'outcome' | 'result' | 'timeoutS' | 'message' | 'statusCode'>;

function unreached(message: string): SentCommand {
  return { outcome: SendOutcome.UNREACHABLE, result: '', timeoutS: 0, message, statusCode: 0 };
}

function uidIn(state: SessionState): string | undefined {
  return state.status === 'active' || state.status === 'ended' ? state.session.cdr_token.uid : undefined;
}
