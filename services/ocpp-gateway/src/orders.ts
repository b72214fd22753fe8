import { createHash } from 'node:crypto';
import { LimitKind, Outcome, type Reserve, type SetLimit, type StartCharging } from '#contracts/ocpp-gateway';
import { fromJsonBytes } from '#contracts';
import type { Token } from '#ocpi';
import { instant } from '#time';
import type { Answer } from './connected-station.ts';
import type { Limit } from './limits.ts';
import type { OrderedStart } from './station.ts';

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

export function orderOf(order: StartCharging): OrderedStart {
  const token = fromJsonBytes<Token>(order.tokenJson);
  return {
    orderId: order.orderId,
    connectorId: order.connectorId,
    idTag: idTagOf(token.uid),
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
export function reservationOf({ connectorId, reservationId, tokenJson, expiresAt }: Reserve): ReservationOrder {
  const token = fromJsonBytes<Token>(tokenJson);
  return { connectorId, reservationId, expiryDate: expiresAt, idTag: idTagOf(token.uid), ...groupOf(token) };
}

/** Of a token in the journal. */
export function parentOf(token: string): { readonly parentIdTag?: string } {
  return groupOf(JSON.parse(token) as Token);
}

function groupOf({ group_id: group }: Pick<Token, 'group_id'>): { readonly parentIdTag?: string } {
  return group ? { parentIdTag: idTagOf(group) } : {};
}

/** OCPP 1.6 has 20 characters for an idTag, OCPI 36 for a uid: a longer one goes under an alias. M-20 */
export function idTagOf(uid: string): string {
  if (uid.length <= 20) return uid;
  return `RW${createHash('sha256').update(uid.toLowerCase()).digest('hex').slice(0, 18).toUpperCase()}`;
}

export function limitOf({ connectorId, kind, limitMa, leaseUntil }: SetLimit, nowMs: number): Limit {
  return {
    connectorId,
    limitMa,
    kind: kind === LimitKind.FAIL_SAFE ? 'fail-safe' : 'lease',
    leaseUntilMs: leaseUntil === undefined ? nowMs : instant(leaseUntil),
  };
}
