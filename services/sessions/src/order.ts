import type { Decider } from '#decider';
import type { Party } from '#ocpi';
import { instant } from '#time';

/**
 * An order of one of our drivers: to start or stop a charge at a partner's EVSE, or at our own; to keep
 * one free, or let it go.
 */

/**
 * sent: on its way; accepted: the CPO took it; done: the station said yes, or what was ordered is
 * so; failed: it said no, or nothing came of it in its time; unknown: nobody says, for a while.
 */
export type OrderStanding = 'sent' | 'accepted' | 'refused' | 'done' | 'failed' | 'unknown';

export interface Order {
  readonly orderId: string;
  readonly command: 'START_SESSION' | 'STOP_SESSION' | 'RESERVE_NOW' | 'CANCEL_RESERVATION';
  readonly state: OrderStanding;
  /** OCPI CommandResponseType or CommandResultType, as far as known. */
  readonly result: string;
  readonly message: string;
  readonly sessionId?: string | undefined;
  readonly party: Party;
  readonly tokenUid: string;
  /** Whose of our parties the token is; absent in orders of before a platform was several. */
  readonly tokenParty?: Party | undefined;
  readonly at: string;
  /** Of an accepted one: when its result should be here. */
  readonly resultDueAt?: string | undefined;
}

/** What is sent: the OCPI command's fields without the response_url. */
export type OrderBody =
  | {
      /** The OCPI Token. */
      readonly token: object;
      readonly location_id: string;
      readonly evse_uid: string;
      readonly connector_id?: string | undefined;
      readonly authorization_reference: string;
    }
  | { readonly session_id: string }
  | {
      readonly token: object;
      readonly expiry_date: string;
      /** The order's id. */
      readonly reservation_id: string;
      readonly location_id: string;
      readonly evse_uid?: string | undefined;
      readonly authorization_reference: string;
    }
  | { readonly reservation_id: string };

type ReserveBody = Extract<OrderBody, { readonly expiry_date: string }>;
type CancelBody = Exclude<Extract<OrderBody, { readonly reservation_id: string }>, ReserveBody>;

export function isReserve(body: OrderBody): body is ReserveBody {
  return 'expiry_date' in body;
}

export function isCancel(body: OrderBody): body is CancelBody {
  return 'reservation_id' in body && !isReserve(body);
}

export type OrderCommand =
  | {
      readonly type: 'PlaceOrder';
      readonly order: Pick<Order, 'orderId' | 'command' | 'party' | 'tokenUid' | 'tokenParty'>;
      readonly body: OrderBody;
      readonly at: string;
    }
  /** The CPO's CommandResponse. */
  | {
      readonly type: 'NoteAnswer';
      readonly accepted: boolean;
      readonly result: string;
      readonly message: string;
      readonly resultDueAt?: string | undefined;
      readonly at: string;
    }
  /** It never reached the CPO. */
  | { readonly type: 'NoteUnsent'; readonly message: string; readonly at: string }
  /** It may have reached the CPO, or its result should be here by now. */
  | { readonly type: 'GiveUp'; readonly message: string; readonly at: string }
  /** The CPO's CommandResult. */
  | {
      readonly type: 'NoteResult';
      readonly result: string;
      readonly message: string;
      readonly at: string;
    }
  /** The session that the order led to. */
  | { readonly type: 'LinkSession'; readonly sessionId: string; readonly at: string }
  /** The session that was to be stopped is over, whoever stopped it. */
  | { readonly type: 'NoteSessionOver'; readonly at: string }
  /** Nothing came of it, and its time is over. */
  | { readonly type: 'ExpireOrder'; readonly message: string; readonly at: string };

export type OrderEvent =
  | { readonly type: 'OrderPlaced'; readonly order: Order; readonly body: OrderBody }
  | { readonly type: 'OrderAnswered'; readonly order: Order }
  | { readonly type: 'OrderUnsent'; readonly order: Order }
  | { readonly type: 'OrderGivenUp'; readonly order: Order }
  | { readonly type: 'OrderResulted'; readonly order: Order }
  | { readonly type: 'SessionLinked'; readonly order: Order }
  | { readonly type: 'StopFulfilled'; readonly order: Order }
  | { readonly type: 'OrderExpired'; readonly order: Order };

export interface OrderState {
  readonly order?: Order;
  readonly body?: OrderBody;
}

const waits: ReadonlySet<OrderStanding> = new Set(['sent', 'accepted']);

export const orderDecider: Decider<OrderState, OrderCommand, OrderEvent> = {
  initial: {},

  decide(command, { order }) {
    if (command.type === 'PlaceOrder') {
      if (order) return [];
      const { order: placed, body, at } = command;
      return [
        {
          type: 'OrderPlaced',
          body,
          order: { ...placed, state: 'sent', result: '', message: '', at },
        },
      ];
    }
    if (!order) return [];
    const { at } = command;
    switch (command.type) {
      case 'NoteAnswer': {
        // A result or a session may have come before the answer: they say more.
        if (order.state !== 'sent') return [];
        const { result, message, accepted, resultDueAt } = command;
        const answered = { ...order, result, message, at };
        return [
          {
            type: 'OrderAnswered',
            order: accepted
              ? { ...answered, state: 'accepted', ...(resultDueAt ? { resultDueAt } : {}) }
              : { ...answered, state: 'refused' },
          },
        ];
      }
      case 'NoteUnsent':
        return order.state === 'sent'
          ? [
              {
                type: 'OrderUnsent',
                order: { ...order, state: 'failed', message: command.message, at },
              },
            ]
          : [];
      case 'GiveUp':
        return waits.has(order.state)
          ? [
              {
                type: 'OrderGivenUp',
                order: { ...order, state: 'unknown', message: command.message, at },
              },
            ]
          : [];
      case 'NoteResult': {
        const { result, message } = command;
        // CMD-10: a reservation may be taken away long after it was made.
        const isTakenAway = result === 'CANCELED_RESERVATION' && order.command === 'RESERVE_NOW' && order.state === 'done';
        if (!isOpen(order) && !isTakenAway) return [];
        return [
          {
            type: 'OrderResulted',
            order: {
              ...order,
              state: result === 'ACCEPTED' ? 'done' : 'failed',
              result,
              message,
              at,
            },
          },
        ];
      }
      case 'LinkSession': {
        if (!leadsToSession(order) || order.sessionId !== undefined) return [];
        const { sessionId } = command;
        // The charge itself says that the order was carried out, unless the CPO said that it was not.
        const state = isDenied(order) ? order.state : 'done';
        return [{ type: 'SessionLinked', order: { ...order, sessionId, state, at } }];
      }
      case 'NoteSessionOver':
        return order.command === 'STOP_SESSION' && isOpen(order)
          ? [
              {
                type: 'StopFulfilled',
                order: { ...order, state: 'done', message: 'the session is over', at },
              },
            ]
          : [];
      case 'ExpireOrder':
        return order.state === 'unknown' || waitsForCharge(order)
          ? [
              {
                type: 'OrderExpired',
                order: { ...order, state: 'failed', message: command.message, at },
              },
            ]
          : [];
    }
  },

  evolve(state, event) {
    return event.type === 'OrderPlaced'
      ? { order: event.order, body: event.body }
      : { ...state, order: event.order };
  },
};

function leadsToSession({ command }: Order): boolean {
  return command === 'START_SESSION' || command === 'RESERVE_NOW';
}

function isOpen({ state }: Order): boolean {
  return waits.has(state) || state === 'unknown';
}

/** Something may still come of it, or nothing, which takes its time to be known. */
export function waitsForMore(order: Order): boolean {
  return isOpen(order) || waitsForCharge(order);
}

/** The station said yes, and the charge has not begun: perhaps nobody has plugged in yet. */
function waitsForCharge({ state, command, sessionId }: Order): boolean {
  return state === 'done' && command === 'START_SESSION' && sessionId === undefined;
}

/** The CPO itself said that it comes to nothing; what only ran out of time has no such word. */
export function isDenied({ state, result }: Order): boolean {
  return state === 'refused' || (state === 'failed' && result !== '' && result !== 'ACCEPTED');
}

/** How long an order may stay as it is, platform time. */
export interface Patience {
  readonly sentMs: number;
  readonly chargeMs: number;
  readonly unknownMs: number;
}

/** Until when an order may stay as it is, epoch ms; undefined: for good. */
export function mayStayUntil(order: Order, { sentMs, chargeMs, unknownMs }: Patience) {
  const sinceMs = instant(order.at);
  switch (order.state) {
    case 'sent':
      return sinceMs + sentMs;
    case 'accepted':
      return order.resultDueAt === undefined ? sinceMs + sentMs : instant(order.resultDueAt);
    case 'unknown':
      return sinceMs + unknownMs;
    case 'done':
      return waitsForCharge(order) ? sinceMs + chargeMs : undefined;
    case 'refused':
    case 'failed':
      return undefined;
  }
}

const comesToNothing: Readonly<Record<Order['command'], string>> = {
  START_SESSION: 'no charge began',
  STOP_SESSION: 'the session goes on',
  RESERVE_NOW: 'no reservation is known of',
  CANCEL_RESERVATION: 'the reservation may still hold',
};

/** What is said of an order whose time is over. */
export function timeIsOver(order: Order, at: string): OrderCommand {
  if (order.state === 'sent')
    return { type: 'GiveUp', message: 'it may or may not have been sent', at };
  if (order.state === 'accepted')
    return { type: 'GiveUp', message: 'the operator never said what came of it', at };
  if (order.state === 'done')
    return { type: 'ExpireOrder', message: 'no charge began in time', at };
  const found = comesToNothing[order.command];
  return { type: 'ExpireOrder', message: `${order.message}, and ${found}`, at };
}
