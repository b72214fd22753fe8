import { isAskFailure, mayBeDone, passes, Unanswered } from '#bus';
import type { OrderStands, OrderView } from '#contracts/sessions';
import { sameId } from '#ocpi';
import { type Clock, instant } from '#time';
import { Problem, problemOf } from './problem.ts';

export interface WantedOrder {
  readonly command: string;
  readonly tokenUid: string;
}

/** Asks; an order whose answer was not seen is asked once more under its own id. `refused`: it was surely not begun, and why. */
export async function ordering(
  wanted: WantedOrder, ask: () => Promise<OrderStands>, refused: (why: string) => Promise<void> = async () => {},
): Promise<void> {
  const { order } = await askTwice(ask).catch(async (error: unknown) => {
    if (isAskFailure(error) && !mayBeDone(error)) await refused(problemOf(error)?.detail ?? error.message);
    throw error;
  });
  // All orders share their ids: one that is there already may be another's, or one to stop.
  if (!order || !isOurs(order, wanted)) throw keyReused();
}

function askTwice(ask: () => Promise<OrderStands>): Promise<OrderStands> {
  return ask().catch((error: unknown) => {
    if (!(error instanceof Unanswered && error.reason === 'unknown')) throw error;
    // That nobody has time for it now says nothing of what the first ask began.
    return ask().catch((again: unknown) => {
      throw passes(again) ? error : again;
    });
  });
}

/** Real time, far longer than anything is in hand: what sessions does not know by then it never heard of. */
const IN_HAND_MS = 600_000;

/** Why an order that sessions does not know came to nothing; null while it may be in hand. */
export function whyNot({ refusal, orderedAt }: { refusal: string | null; orderedAt: string }, clock: Clock): string | null {
  const isLost = clock.realMs(clock.now() - instant(orderedAt)) > IN_HAND_MS;
  return refusal ?? (isLost ? 'sessions never heard of it; order again' : null);
}

export function isOurs(order: OrderView, { command, tokenUid }: WantedOrder): boolean {
  return order.command === command && sameId(order.tokenUid, tokenUid);
}

export function keyReused(): Problem {
  return new Problem(409, 'idempotency-key-reused', 'idempotency-key: was used for another order; take a new one');
}
