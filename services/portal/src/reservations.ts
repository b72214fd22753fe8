import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus';
import { busParty } from '#contracts/party';
import { getOrder, orderCancelReservation, orderReserve } from '#contracts/sessions';
import type { Database } from '#postgres';
import { type Clock, instant, instantWithOffset, rfc3339 } from '#time';
import { appToken, type Charges } from './charges.ts';
import type { Driver } from './entities.ts';
import { evseFor, keyReused, orderIn, ordering, sessionOf, whyNot } from './ordering.ts';
import { Problem } from './problem.ts';
import { reservationOf, type ReservationView } from './reservation.ts';
import {
  claimReservation, findReservation, listReservations, noteReservationRefusal, noteReservedAgain, type ReservationRow,
} from './reservation-rows.ts';

export interface ReservationsParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly clock: Clock;
  readonly charges: Charges;
}

export interface WantedReservation {
  readonly country_code: string;
  readonly party_id: string;
  readonly location_id: string;
  readonly evse_uid?: string | undefined;
  readonly expires_at: string;
}

/** A driver's reservations. */
export class Reservations {
  constructor(private readonly parts: ReservationsParts) {}

  /** Orders a reservation; the same key again is the same one. */
  async make(driver: Driver, wanted: WantedReservation, key?: string): Promise<string> {
    const { bus, clock, charges, db } = this.parts;
    const expiresAtMs = instantWithOffset(wanted.expires_at);
    if (expiresAtMs <= clock.now())
      throw new Problem(400, 'expiry-is-over', `expires_at: ${wanted.expires_at} is over; it is ${clock.iso()}`);
    const token = appToken(driver);
    const party = busParty(wanted);
    const claim: Omit<ReservationRow, 'refusal'> = {
      reservationId: key ?? randomUUID(), email: driver.email, tokenUid: token.uid, ...party,
      locationId: wanted.location_id, evseUid: wanted.evse_uid ?? null, expiresAt: rfc3339(expiresAtMs),
      orderedAt: clock.iso(),
    };
    const tokenJson = await charges.issuedToken(token);
    await evseFor(bus, wanted);
    const row = await claimReservation(db, claim);
    if (!isSame(row, claim)) throw keyReused();
    const { reservationId, locationId, evseUid, expiresAt } = row;
    if (whyNot(row, clock) !== null) await noteReservedAgain(db, reservationId, claim.orderedAt);
    await ordering({ command: 'RESERVE_NOW', tokenUid: token.uid }, () => bus.ask(orderReserve, {
      orderId: reservationId, tokenJson, party, locationId, expiresAt, ...(evseUid === null ? {} : { evseUid }),
    }, { commandId: reservationId }), (why) => noteReservationRefusal(db, reservationId, why));
    return reservationId;
  }

  async find(driver: Driver, reservationId: string): Promise<ReservationView> {
    const [view] = await this.views([await this.row(driver, reservationId)]);
    return view!;
  }

  async list(driver: Driver, limit: number): Promise<ReservationView[]> {
    return this.views(await listReservations(this.parts.db, driver.email, limit));
  }

  /** Orders that it is let go; the reservation itself shows when it is. */
  async cancel(driver: Driver, id: string, key?: string): Promise<string> {
    const { reservationId, tokenUid } = await this.row(driver, id);
    const cancelId = key ?? randomUUID();
    await ordering({ command: 'CANCEL_RESERVATION', tokenUid }, () => this.parts.bus.ask(
      orderCancelReservation, { orderId: cancelId, tokenUid, reserveOrderId: reservationId }, { commandId: cancelId },
    ));
    return cancelId;
  }

  private async row(driver: Driver, id: string): Promise<ReservationRow> {
    const row = await findReservation(this.parts.db, driver.email, id);
    if (!row) throw new Problem(404, 'unknown-reservation', `reservation_id: none of your reservations is ${id}`);
    return row;
  }

  private async views(rows: readonly ReservationRow[]): Promise<ReservationView[]> {
    const { bus, clock } = this.parts;
    const orders = await bus.askMany(getOrder, rows.map(({ reservationId: orderId }) => ({ orderId })));
    return Promise.all(rows.map(async (row, index) => {
      const order = orderIn(orders[index]!);
      return reservationOf({ ...row, refusal: whyNot(row, clock) }, clock.now(), order, await sessionOf(bus, row, order?.sessionId));
    }));
  }
}

function isSame(a: Omit<ReservationRow, 'refusal'>, b: Omit<ReservationRow, 'refusal'>): boolean {
  return a.email === b.email && a.countryCode === b.countryCode && a.partyId === b.partyId
    && a.locationId === b.locationId && a.evseUid === b.evseUid && instant(a.expiresAt) === instant(b.expiresAt);
}
