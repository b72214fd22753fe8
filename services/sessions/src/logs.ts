import { type EventStore, type Executor, executor } from '#event-store';
import {
  type CommandCommand,
  commandDecider,
  type CommandEvent,
  type CommandState,
} from './command.ts';
import { isCancel, type OrderCommand, orderDecider, type OrderEvent, type OrderState } from './order.ts';
import {
  type ReservationCommand,
  reservationDecider,
  type ReservationEvent,
  type ReservationState,
} from './reservation.ts';
import type { SessionCommand, SessionEvent, SessionState } from './session-events.ts';
import { sessionDecider } from './session.ts';
import { commandStream, orderStream, reservationStream, sessionStream } from './streams.ts';

/** What this service decides. */
export interface Logs {
  readonly sessions: Executor<SessionState, SessionCommand, SessionEvent>;
  readonly commands: Executor<CommandState, CommandCommand, CommandEvent>;
  readonly orders: Executor<OrderState, OrderCommand, OrderEvent>;
  readonly reservations: Executor<ReservationState, ReservationCommand, ReservationEvent>;
}

export function logsOf(store: EventStore): Logs {
  return {
    sessions: executor(store, { decider: sessionDecider, stream: sessionStream }),
    commands: executor(store, { decider: commandDecider, stream: commandStream }),
    orders: executor(store, { decider: orderDecider, stream: orderStream }),
    reservations: executor(store, { decider: reservationDecider, stream: reservationStream }),
  };
}

/** What came of a command that one of our own drivers ordered goes to the order. */
export async function passOnResult(
  { orders }: Logs,
  orderId: string,
  { taken, finished }: CommandState,
  at: string,
): Promise<void> {
  if (taken?.from !== 'own' || !finished) return;
  const { state } = await orders.execute(orderId, `result ${orderId}`, { type: 'NoteResult', ...finished, at });
  await passOnCancel({ orders }, orderId, state, at);
}

/** What one of our orders cancelled is no longer reserved. */
export async function passOnCancel(
  { orders }: Pick<Logs, 'orders'>,
  orderId: string,
  { order, body }: OrderState,
  at: string,
): Promise<void> {
  if (!body || !isCancel(body) || order?.state !== 'done') return;
  await orders.execute(body.reservation_id, `cancelled by ${orderId}`, {
    type: 'NoteResult',
    result: 'CANCELED_RESERVATION',
    message: 'as you ordered',
    at,
  });
}
