import { z } from 'zod';
import type { Bus } from '#bus';
import { listReservations, withdrawReservation } from '#contracts/sessions';
import { between, CountryCode, Limit, numberText, OcpiId, PartyId } from './fields.ts';
import { ReservationView } from './reservation.ts';
import type { Reservations } from './reservations.ts';
import { driverRoute, operatorRoute, type Route } from './route.ts';

const params = z.strictObject({ reservation_id: OcpiId });

export function reservationRoutes(reservations: Reservations): Route[] {
  return [
    driverRoute({
      method: 'POST', path: '/v1/reservations', summary: 'Have an EVSE kept free', takesKey: true, status: 202,
      body: z.strictObject({
        country_code: CountryCode, party_id: PartyId, location_id: OcpiId,
        evse_uid: OcpiId.optional().meta({ description: 'absent: any at the Location' }),
        expires_at: z.iso.datetime({ offset: true, error: 'an instant, such as 2026-11-15T20:00:00Z' }),
      }),
      answer: z.object({ reservation_id: z.string() }),
      handle: async ({ driver, body, key }) => ({ reservation_id: await reservations.make(driver, body, key) }),
    }),
    driverRoute({
      method: 'GET', path: '/v1/reservations', summary: 'Your reservations, newest first',
      query: z.strictObject({ limit: Limit(100, 20) }),
      answer: z.object({ reservations: z.array(ReservationView) }),
      handle: async ({ driver, query }) => ({ reservations: await reservations.list(driver, query.limit) }),
    }),
    driverRoute({
      method: 'GET', path: '/v1/reservations/:reservation_id', summary: 'A reservation as it is now', params,
      answer: ReservationView,
      handle: ({ driver, params: { reservation_id: id } }) => reservations.find(driver, id),
    }),
    driverRoute({
      method: 'DELETE', path: '/v1/reservations/:reservation_id', summary: 'Order that a reservation is let go',
      takesKey: true, status: 202, params,
      answer: z.object({ cancel_id: z.string() }),
      handle: async ({ driver, params: { reservation_id: id }, key }) => ({ cancel_id: await reservations.cancel(driver, id, key) }),
    }),
  ];
}

const OperatorView = z.object({
  number: z.int().meta({ description: 'as the charging station knows it' }),
  location_id: z.string(),
  evse_uid: z.string(),
  expires_at: z.string(),
  session_id: z.string(),
  reservation_id: z.string(),
  token_party: z.string().meta({ description: 'who owns the token, such as CA*CPK' }),
}).meta({ id: 'ReservationInForce' });

/** Reservations at the operator's own EVSEs. */
export function ownReservationRoutes(bus: Bus): Route[] {
  return [
    operatorRoute({
      method: 'GET', path: '/v1/operator/reservations', summary: 'EVSEs that are kept free, the newest first',
      query: z.strictObject({ limit: Limit(100, 50) }),
      answer: z.object({ reservations: z.array(OperatorView) }),
      async handle({ query: { limit } }) {
        const { reservations } = await bus.ask(listReservations, { limit });
        return {
          reservations: reservations.map((one) => ({
            number: one.number, location_id: one.locationId, evse_uid: one.evseUid, expires_at: one.expiresAt,
            session_id: one.sessionId, reservation_id: one.reservationId,
            token_party: `${one.tokenParty!.countryCode}*${one.tokenParty!.partyId}`,
          })),
        };
      },
    }),
    operatorRoute({
      method: 'DELETE', path: '/v1/operator/reservations/:number',
      summary: 'Cancel a reservation: whoever made it is told, and nobody pays for it',
      params: z.strictObject({ number: numberText(between(z.int('a whole number'), 1, 2_147_483_647, 'a whole number')) }),
      query: z.strictObject({ reason: z.string().trim().max(200).default('') }),
      answer: z.object({ withdrawn: z.boolean().meta({ description: 'false: it was over before' }) }),
      async handle({ params: { number }, query: { reason } }) {
        const { withdrawn } = await bus.ask(withdrawReservation, { number, reason });
        return { withdrawn };
      },
    }),
  ];
}
