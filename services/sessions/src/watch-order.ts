import type { DueHandler, DueOutcome } from '#due';
import type { Database } from '#postgres';
import type { OwnParties } from '#settings';
import { currentTraceparent } from '#telemetry';
import type { Clock } from '#time';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';
import { mayStayUntil, type Order, type OrderBody, timeIsOver } from './order.ts';
import { findPartnerSession } from './partner-session-rows.ts';
import { isOver } from './partner-sessions.ts';
import { notThere, whenThere } from './when-there.ts';

export interface WatchOrderParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly config: Config;
  readonly logs: Logs;
}

/** Sees to it that every order ends, whatever the partner, the station or the driver never do. */
export class WatchOrder {
  constructor(private readonly parts: WatchOrderParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'watch-order': async (due, attempt) =>
      this.look((due.body as { orderId: string }).orderId, attempt),
  };

  private async look(orderId: string, attempt: number): Promise<DueOutcome> {
    const {
      clock,
      config: { orderPatience, orderLookMs },
      logs,
    } = this.parts;
    const state = await whenThere(async () => {
      const { state: found } = await logs.orders.load(orderId);
      return found.order ? found : undefined;
    });
    if (!state?.order) return notThere(attempt);
    let order = await this.checked(state.order, state.body!);
    for (;;) {
      const untilMs = mayStayUntil(order, orderPatience);
      if (untilMs === undefined) return 'done';
      const nowMs = clock.now();
      if (nowMs < untilMs) {
        // What was sent gets its own time with its answer, which may be shorter.
        const lookAgainMs = order.state === 'sent' ? nowMs + orderLookMs : untilMs;
        return { retryAt: Math.min(untilMs, lookAgainMs) };
      }
      const command = timeIsOver(order, clock.iso());
      order = await this.note(order, command.type, command);
    }
  }

  /** A session that is over answers the order to stop it. */
  private async checked(order: Order, body: OrderBody): Promise<Order> {
    if (!('session_id' in body) || !(await this.hasEnded(order, body.session_id))) return order;
    const at = this.parts.clock.iso();
    return this.note(order, 'over', { type: 'NoteSessionOver', at });
  }

  private async hasEnded({ party }: Order, sessionId: string): Promise<boolean> {
    const { db, logs, parties } = this.parts;
    if (parties.has(party))
      return (await logs.sessions.load(sessionId)).state.status !== 'active';
    const held = await findPartnerSession(db, party, sessionId);
    return held !== undefined && isOver(held.session);
  }

  private async note(
    { orderId }: Order,
    what: string,
    command: Parameters<Logs['orders']['execute']>[2],
  ): Promise<Order> {
    const { state } = await this.parts.logs.orders.execute(
      orderId,
      `${what} ${orderId}`,
      command,
      currentTraceparent(),
    );
    return state.order!;
  }
}
