import { LimitKind, Outcome, type Reserve, type SetLimit, type StartCharging } from '#contracts/ocpp-gateway';
import { fromJsonBytes } from '#contracts';
import type { Token } from '#ocpi';
import { asSpelt, idTagOf, type UidOrder } from '#ocpp';
import { instant } from '#time';
import type { Answer } from './connected-station.ts';
import type { Limit } from './limits.ts';
import type { OrderedStart } from './station-events.ts';

const outcomes: Readonly<Record<Answer['outcome'], Outcome>> = {
  accepted: Outcome.ACCEPTED,
  rejected: Outcome.REJECTED,
  'not-supported': Outcome.NOT_SUPPORTED,
  unknown: Outcome.UNKNOWN,
  stale: Outcome.STALE,
  occupied: Outcome.OCCUPIED,
  inoperative: Outcome.INOPERATIVE,
};

export function commandAnswer({ outcome, detail }: Answer) {
  return { outcome: outcomes[outcome], detail };
}

export function orderOf(order: StartCharging, uidOrder: UidOrder): OrderedStart {
  const token = fromJsonBytes<Token>(order.tokenJson);
  return {
    orderId: order.orderId,
    connectorId: order.connectorId,
    idTag: asSpelt(idTagOf(token.uid), uidOrder),
    token: JSON.stringify(token),
    ...(order.authorizationReference === undefined ? {} : { reference: order.authorizationReference }),
  };
}

export interface ReservationOrder {
  readonly connectorId: number;
  readonly expiryDate: string;
  readonly idTag: string;
  readonly parentIdTag?: string;
  readonly reservationId: number;
}

/** S16-77. M-21: whoever is of the token's group may use it too. */
export function reservationOf({ connectorId, reservationId, tokenJson, expiresAt }: Reserve, uidOrder: UidOrder): ReservationOrder {
  const token = fromJsonBytes<Token>(tokenJson);
  return { connectorId, reservationId, expiryDate: expiresAt, idTag: asSpelt(idTagOf(token.uid), uidOrder), ...groupOf(token) };
}

function groupOf({ group_id: group }: Pick<Token, 'group_id'>): { readonly parentIdTag?: string } {
  return group ? { parentIdTag: idTagOf(group) } : {};
}

export function limitOf({ connectorId, kind, limitMa, leaseUntil }: SetLimit, nowMs: number): Limit {
  return {
    connectorId,
    limitMa,
    kind: kind === LimitKind.FAIL_SAFE ? 'fail-safe' : 'lease',
    leaseUntilMs: leaseUntil === undefined ? nowMs : instant(leaseUntil),
  };
}
