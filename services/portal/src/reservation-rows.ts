import type { Database } from '#postgres';

/** What a driver had reserved: written before the order leaves. */
export interface ReservationRow {
  readonly reservationId: string;
  readonly email: string;
  readonly tokenUid: string;
  readonly countryCode: string;
  readonly partyId: string;
  readonly locationId: string;
  readonly evseUid: string | null;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** By the platform's clock. */
  readonly orderedAt: string;
  /** Why sessions did not take the order. */
  readonly refusal: string | null;
}

const columns = `reservation_id AS "reservationId", email, token_uid AS "tokenUid", country_code AS "countryCode",
  party_id AS "partyId", location_id AS "locationId", evse_uid AS "evseUid", expires_at AS "expiresAt",
  ordered_at AS "orderedAt", refusal`;

/** The row with this id (ids compare without case): this one, or the one that was there before. */
export async function claimReservation(db: Database, row: Omit<ReservationRow, 'refusal'>): Promise<ReservationRow> {
  await db.query(
    `INSERT INTO reservations (reservation_id, email, token_uid, country_code, party_id, location_id, evse_uid, expires_at,
       ordered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [row.reservationId, row.email, row.tokenUid, row.countryCode, row.partyId, row.locationId, row.evseUid, row.expiresAt,
      row.orderedAt],
  );
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations WHERE lower(reservation_id) = lower($1)`, [row.reservationId]);
  return rows[0]!;
}

export async function findReservation(db: Database, email: string, reservationId: string): Promise<ReservationRow | undefined> {
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations WHERE lower(reservation_id) = lower($1) AND email = $2`, [reservationId, email]);
  return rows[0];
}

/** Newest first. */
export async function listReservations(db: Database, email: string, limit: number): Promise<ReservationRow[]> {
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations WHERE email = $1 ORDER BY number DESC LIMIT $2`, [email, limit]);
  return rows;
}

export async function noteReservedAgain(db: Database, reservationId: string, orderedAt: string): Promise<void> {
  await db.query('UPDATE reservations SET refusal = NULL, ordered_at = $2 WHERE reservation_id = $1', [reservationId, orderedAt]);
}

export async function noteReservationRefusal(db: Database, reservationId: string, refusal: string): Promise<void> {
  await db.query('UPDATE reservations SET refusal = $2 WHERE reservation_id = $1', [reservationId, refusal]);
}
