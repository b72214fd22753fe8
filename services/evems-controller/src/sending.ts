import { type Bus, isAskFailure, mayBeDone, Refused } from '#bus';
import { LimitKind, Outcome as Told, setLimit } from '#contracts/ocpp-gateway';
import { rfc3339 } from '#time';
import { REAL } from './config.ts';
import type { Order, Outcome } from './order.ts';
import type { Answer } from './site.ts';

/** Its answer has to come before ours is late. */
const ASK_MARGIN_MS = 1_500;

const outcomes: Readonly<Record<Told, Outcome>> = {
  [Told.UNSPECIFIED]: 'unknown',
  [Told.ACCEPTED]: 'accepted',
  [Told.REJECTED]: 'refused',
  [Told.NOT_SUPPORTED]: 'unsupported',
  [Told.UNKNOWN]: 'unknown',
  [Told.STALE]: 'stale',
  [Told.OCCUPIED]: 'refused',
  [Told.INOPERATIVE]: 'refused',
};

/** Sends an order to whoever holds the station, and says what became of it. Never throws. */
export async function send(
  bus: Bus,
  order: Order,
  { epoch, commandId }: { epoch: number; commandId: string },
): Promise<Answer> {
  const { key, stationId, connectorId, limitMa } = order;
  try {
    const { outcome, detail } = await bus.ask(
      setLimit,
      {
        stationId,
        connectorId,
        limitMa,
        ownerEpoch: epoch,
        timeoutMs: REAL.orderTimeoutMs,
        ...(order.kind === 'fail-safe'
          ? { kind: LimitKind.FAIL_SAFE }
          : { kind: LimitKind.LEASE, leaseUntil: rfc3339(Math.floor(order.lease.until)) }),
      },
      { timeoutMs: REAL.orderTimeoutMs + ASK_MARGIN_MS, commandId },
    );
    return { key, outcome: outcomes[outcome] ?? 'unknown', detail };
  } catch (error) {
    if (!isAskFailure(error)) return { key, outcome: 'unknown', detail: (error as Error).message };
    const code = error instanceof Refused ? error.code : '';
    return mayBeDone(error)
      ? { key, outcome: 'unknown', detail: code }
      : { key, outcome: 'undelivered', detail: code || 'offline' };
  }
}
