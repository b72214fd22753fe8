import { z } from 'zod';
import type { Session } from '#ocpi';
import { instant } from '#time';
import type { Order } from './charge.ts';
import type { ReservationRow } from './reservation-rows.ts';

export const ReservationState = z.enum([
  'ordered', 'accepted', 'refused', 'reserved', 'used', 'over', 'cancelled', 'failed', 'unknown',
]);
export type ReservationState = z.infer<typeof ReservationState>;

export const ReservationView = z.object({
  reservation_id: z.string(),
  state: ReservationState,
  message: z.string(),
  country_code: z.string(),
  party_id: z.string(),
  location_id: z.string(),
  evse_uid: z.string().optional().meta({ description: 'absent until one is chosen' }),
  expires_at: z.string(),
  session_id: z.string().optional(),
}).meta({ id: 'Reservation' });
export type ReservationView = z.infer<typeof ReservationView>;

const stateOfOrder: Readonly<Record<string, ReservationState>> = {
  sent: 'ordered', accepted: 'accepted', done: 'reserved', refused: 'refused', failed: 'failed', unknown: 'unknown',
};

const messages: Readonly<Record<ReservationState, string>> = {
  ordered: 'The reservation is ordered.',
  accepted: 'The operator asks the charging station.',
  refused: 'The operator refused.',
  reserved: 'The EVSE is kept free for you.',
  used: 'You charge, or charged, on it.',
  over: 'The reservation is over.',
  cancelled: 'The reservation is cancelled.',
  failed: 'Nothing is reserved.',
  unknown: 'It is not known yet whether the operator took the order.',
};

const why: Readonly<Record<string, string>> = {
  EVSE_OCCUPIED: 'No such EVSE is free now.',
  EVSE_INOPERATIVE: 'The EVSE is out of order.',
  TIMEOUT: 'The charging station did not answer.',
};

/** A reservation as its driver sees it. */
export function reservationOf(row: ReservationRow, nowMs: number, order?: Order, session?: Session): ReservationView {
  const state = order ? stateOf(order, session) : isUnknown(row, nowMs) ? 'unknown' : 'failed';
  const evseUid = session && session.evse_uid !== '#NA' ? session.evse_uid : row.evseUid;
  const said = (state === 'failed' && why[order?.result ?? '']) || messages[state];
  return {
    reservation_id: row.reservationId, state,
    message: order?.message && state !== 'reserved' ? `${said} The operator says: ${order.message}` : row.refusal && !order ? `${said} (${row.refusal})` : said,
    country_code: row.countryCode, party_id: row.partyId, location_id: row.locationId, expires_at: row.expiresAt,
    ...(evseUid ? { evse_uid: evseUid } : {}),
    ...(session ? { session_id: session.id } : {}),
  };
}

/** Sessions may have the order in hand; behind its expiry it comes to nothing. */
function isUnknown({ refusal, expiresAt }: ReservationRow, nowMs: number): boolean {
  return refusal === null && instant(expiresAt) > nowMs;
}

/** The Session says more than the order that led to it. SES-06 */
function stateOf(order: Order, session: Session | undefined): ReservationState {
  const isUsed = session?.status === 'ACTIVE' || (session?.status === 'COMPLETED' && session.kwh > 0);
  if (isUsed) return 'used';
  if (order.result === 'CANCELED_RESERVATION') return 'cancelled';
  if (session?.status === 'RESERVATION') return 'reserved';
  if (session?.status === 'COMPLETED' || session?.status === 'INVALID') return 'over';
  return stateOfOrder[order.state] ?? 'unknown';
}
