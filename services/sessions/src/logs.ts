import { type EventStore, type Executor, executor } from '#event-store';
import {
  type CommandCommand,
  commandDecider,
  type CommandEvent,
  type CommandState,
} from './command.ts';
import { type OrderCommand, orderDecider, type OrderEvent, type OrderState } from './order.ts';
import type { SessionCommand, SessionEvent, SessionState } from './session-events.ts';
import { sessionDecider } from './session.ts';
import { commandStream, orderStream, sessionStream } from './streams.ts';

/** What this service decides. */
export interface Logs {
  readonly sessions: Executor<SessionState, SessionCommand, SessionEvent>;
  readonly commands: Executor<CommandState, CommandCommand, CommandEvent>;
  readonly orders: Executor<OrderState, OrderCommand, OrderEvent>;
}

export function logsOf(store: EventStore): Logs {
  return {
    sessions: executor(store, { decider: sessionDecider, stream: sessionStream }),
    commands: executor(store, { decider: commandDecider, stream: commandStream }),
    orders: executor(store, { decider: orderDecider, stream: orderStream }),
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
  await orders.execute(orderId, `result ${orderId}`, { type: 'NoteResult', ...finished, at });
}
