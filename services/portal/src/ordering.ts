import { isAskFailure, mayBeDone, passes, Unanswered } from '#bus';
import type { OrderStands, OrderView } from '#contracts/sessions';
import { sameId } from '#ocpi';
import { Problem, problemOf } from './problem.ts';

export interface WantedOrder {
  readonly command: string;
  readonly tokenUid: string;
}

/** Asks; an order whose answer was not seen is asked once more under its own id. */
export async function ordering(wanted: WantedOrder, ask: () => Promise<OrderStands>): Promise<void> {
  const { order } = await ask().catch((error: unknown) => {
    if (!(error instanceof Unanswered && error.reason === 'unknown')) throw error;
    // That nobody has time for it now says nothing of what the first ask began.
    return ask().catch((again: unknown) => {
      throw passes(again) ? error : again;
    });
  });
  // All orders share their ids: one that is there already may be another's, or one to stop.
  if (!order || !isOurs(order, wanted)) throw keyReused();
}

/** Why an order surely was not begun; undefined where it may have been. */
export function refusalOf(error: unknown): string | undefined {
  return isAskFailure(error) && !mayBeDone(error) ? (problemOf(error)?.detail ?? error.message) : undefined;
}

export function isOurs(order: OrderView, { command, tokenUid }: WantedOrder): boolean {
  return order.command === command && sameId(order.tokenUid, tokenUid);
}

export function keyReused(): Problem {
  return new Problem(409, 'idempotency-key-reused', 'idempotency-key: was used for another order; take a new one');
}
