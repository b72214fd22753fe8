import { Rejected } from '#decider';
import { addDue } from '#due';
import { type CdrToken, idKey, type Party, sameId, type Token } from '#ocpi';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { currentTraceparent } from '#telemetry';
import type { Clock } from '#time';
import type { Config } from './config.ts';
import { type Logs, passOnCancel } from './logs.ts';
import { isReserve, type Order, type OrderBody } from './order.ts';
import { findPartnerSession, noteStartOrdered, noteStopOrdered } from './partner-session-rows.ts';
import { isOver } from './partner-sessions.ts';

export type OrderRefusal =
  | 'unknown-reservation' | 'reservation-of-another-driver' | 'reservation-is-over'
  | 'unknown-order' | 'unknown-session' | 'session-of-another-driver' | 'charge-is-over' | 'order-id-too-long';

export interface OrdersParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly config: Config;
  readonly logs: Logs;
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

export interface ReserveOrder {
  readonly orderId: string;
  readonly token: Token;
  readonly party: Party;
  readonly locationId: string;
  readonly evseUid?: string | undefined;
  readonly expiresAt: string;
}

export interface CancelReservationOrder {
  readonly orderId: string;
  readonly tokenUid: string;
  readonly reserveOrderId: string;
}

/** It is the authorization_reference, a CiString(36). */
const ORDER_ID_MAX = 36;

/** Our drivers' orders, to partners and to ourselves. */
export class Orders {
  constructor(private readonly parts: OrdersParts) {}

  async start({
    orderId,
    token,
    party,
    locationId,
    evseUid,
    connectorId,
  }: StartOrder): Promise<Order> {
    checkLength(orderId);
    return this.place(
      { orderId, command: 'START_SESSION', party, tokenUid: token.uid, tokenParty: ownerOf(token) },
      {
        token,
        location_id: locationId,
        evse_uid: evseUid,
        authorization_reference: orderId,
        ...(connectorId === undefined ? {} : { connector_id: connectorId }),
      },
    );
  }

  /** Under its own id, which is unique for ever. CMD-09 */
  reserve({ orderId, token, party, locationId, evseUid, expiresAt }: ReserveOrder): Promise<Order> {
    checkLength(orderId);
    return this.place(
      { orderId, command: 'RESERVE_NOW', party, tokenUid: token.uid, tokenParty: ownerOf(token) },
      {
        token,
        expiry_date: expiresAt,
        reservation_id: orderId,
        location_id: locationId,
        authorization_reference: orderId,
        ...(evseUid === undefined ? {} : { evse_uid: evseUid }),
      },
    );
  }

  async cancelReservation({ orderId, tokenUid, reserveOrderId }: CancelReservationOrder): Promise<Order> {
    const { logs } = this.parts;
    const known = (await logs.orders.load(orderId)).state.order;
    if (known) return known;
    const { order: made } = (await logs.orders.load(reserveOrderId)).state;
    if (made?.command !== 'RESERVE_NOW')
      throw new Rejected<OrderRefusal>('unknown-reservation', `there is no reservation ${reserveOrderId}`);
    if (!sameId(made.tokenUid, tokenUid))
      throw new Rejected<OrderRefusal>('reservation-of-another-driver', `${reserveOrderId} is another token's`);
    if (made.state === 'refused' || made.state === 'failed')
      throw new Rejected<OrderRefusal>('reservation-is-over', `${reserveOrderId}: nothing is reserved`);
    const { party, tokenParty } = made;
    return this.place(
      { orderId, command: 'CANCEL_RESERVATION', party, tokenUid: made.tokenUid, tokenParty },
      { reservation_id: made.orderId },
    );
  }

  async stop({ orderId, tokenUid, party, sessionId }: StopOrder): Promise<Order> {
    const {
      state: { order },
    } = await this.parts.logs.orders.load(orderId);
    if (order) return order;
    const charge = await this.chargeOf(party, sessionId);
    if (!charge)
      throw new Rejected<OrderRefusal>('unknown-session', `there is no session ${sessionId}`);
    const { token } = charge;
    if (!sameId(token.uid, tokenUid)) {
      throw new Rejected<OrderRefusal>(
        'session-of-another-driver',
        `session ${sessionId} is another token's`,
      );
    }
    if (charge.isOver) throw new Rejected<OrderRefusal>('charge-is-over', `the charge of session ${sessionId} is over`);
    return this.place(
      { orderId, command: 'STOP_SESSION', party, tokenUid, tokenParty: ownerOf(token) },
      { session_id: sessionId },
    );
  }

  async find(orderId: string): Promise<Order> {
    const {
      state: { order },
    } = await this.parts.logs.orders.load(orderId);
    if (!order) throw new Rejected<OrderRefusal>('unknown-order', `there is no order ${orderId}`);
    return order;
  }

  /** The CPO's CommandResult. */
  async recordResult(orderId: string, result: string, message: string): Promise<Order> {
    await this.find(orderId);
    const { clock, logs } = this.parts;
    const { state } = await logs.orders.execute(
      orderId,
      result === 'CANCELED_RESERVATION' ? `canceled ${orderId}` : `result ${orderId}`,
      { type: 'NoteResult', result, message, at: clock.iso() },
      currentTraceparent(),
    );
    await passOnCancel(logs, orderId, state, clock.iso());
    return state.order!;
  }

  private async place(
    order: Pick<Order, 'orderId' | 'command' | 'party' | 'tokenUid' | 'tokenParty'>,
    body: OrderBody,
  ): Promise<Order> {
    const { db, clock, config, logs, wake } = this.parts;
    const { orderId } = order;
    const at = clock.iso();
    // Intent first: rows without their event do nothing.
    await db.tx(async (tx) => {
      if ('location_id' in body && !isReserve(body))
        await noteStartOrdered(tx, { ...order, evseUid: body.evse_uid, at });
      if ('session_id' in body) await noteStopOrdered(tx, { ...order, sessionId: body.session_id });
      await addDue(tx, {
        id: `send ${idKey(orderId)}`,
        key: `order ${idKey(orderId)}`,
        kind: 'send-order',
        at: clock.now(),
        body: { orderId },
      });
      await addDue(tx, {
        id: `watch ${idKey(orderId)}`,
        key: `watch ${idKey(orderId)}`,
        kind: 'watch-order',
        at: clock.now() + config.orderLookMs,
        body: { orderId },
      });
    });
    const command = { type: 'PlaceOrder', order, body, at } as const;
    const { state } = await logs.orders.execute(
      orderId,
      `place ${orderId}`,
      command,
      currentTraceparent(),
    );
    wake();
    return state.order!;
  }

  /** Of ours a charge is over before its Session is, while the car stays. */
  private async chargeOf(party: Party, sessionId: string): Promise<{ token: CdrToken; isOver: boolean } | undefined> {
    const { db, logs, parties } = this.parts;
    if (parties.has(party)) {
      const { state } = await logs.sessions.load(sessionId);
      return 'session' in state ? { token: state.session.cdr_token, isOver: state.status !== 'active' && state.status !== 'reserved' } : undefined;
    }
    const held = await findPartnerSession(db, party, sessionId);
    return held && { token: held.session.cdr_token, isOver: isOver(held.session) };
  }
}

function ownerOf({ country_code, party_id }: Party): Party {
  return { country_code, party_id };
}

function checkLength(orderId: string): void {
  if (orderId.length <= ORDER_ID_MAX) return;
  const detail = `${orderId} has more than ${ORDER_ID_MAX} characters`;
  throw new Rejected<OrderRefusal>('order-id-too-long', detail);
}
