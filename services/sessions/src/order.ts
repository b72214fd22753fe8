import type { Decider } from '#decider';
import type { Party } from '#ocpi';

/** An order of one of our drivers: to start or stop a charge at a partner's EVSE, or at our own. */

/** sent: on its way; accepted: the CPO took it; done, failed: the station's answer; unknown: nobody will say. */
export type OrderStanding = 'sent' | 'accepted' | 'refused' | 'done' | 'failed' | 'unknown';

export interface Order {
  readonly orderId: string;
  readonly command: 'START_SESSION' | 'STOP_SESSION';
  readonly state: OrderStanding;
  /** OCPI CommandResponseType or CommandResultType, as far as known. */
  readonly result: string;
  readonly message: string;
  readonly sessionId?: string | undefined;
  readonly party: Party;
  readonly tokenUid: string;
  readonly at: string;
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
  | { readonly session_id: string };

export type OrderCommand =
  | {
      readonly type: 'PlaceOrder';
      readonly order: Pick<Order, 'orderId' | 'command' | 'party' | 'tokenUid'>;
      readonly body: OrderBody;
      readonly at: string;
    }
  /** The CPO's CommandResponse. */
  | {
      readonly type: 'NoteAnswer';
      readonly accepted: boolean;
      readonly result: string;
      readonly message: string;
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
  | { readonly type: 'LinkSession'; readonly sessionId: string; readonly at: string };

export type OrderEvent =
  | { readonly type: 'OrderPlaced'; readonly order: Order; readonly body: OrderBody }
  | { readonly type: 'OrderAnswered'; readonly order: Order }
  | { readonly type: 'OrderUnsent'; readonly order: Order }
  | { readonly type: 'OrderGivenUp'; readonly order: Order }
  | { readonly type: 'OrderResulted'; readonly order: Order }
  | { readonly type: 'SessionLinked'; readonly order: Order };

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
        const { result, message, accepted } = command;
        return [
          {
            type: 'OrderAnswered',
            order: { ...order, state: accepted ? 'accepted' : 'refused', result, message, at },
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
        if (!waits.has(order.state) && order.state !== 'unknown') return [];
        const { result, message } = command;
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
        if (order.command !== 'START_SESSION' || order.sessionId !== undefined) return [];
        const { sessionId } = command;
        // The charge itself says that the order was carried out.
        const began = waits.has(order.state) || order.state === 'unknown';
        return [
          {
            type: 'SessionLinked',
            order: { ...order, sessionId, ...(began ? { state: 'done' as const } : {}), at },
          },
        ];
      }
    }
  },

  evolve(state, event) {
    return event.type === 'OrderPlaced'
      ? { order: event.order, body: event.body }
      : { ...state, order: event.order };
  },
};
