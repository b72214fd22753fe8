import { idKey, type Party } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { partyKey } from './session-rows.ts';

/** Where reservations are found. Whether one still holds, its stream says. */

export interface ReservationRow {
  readonly number: number;
  readonly sessionId: string;
}

export interface ReservationKey {
  readonly party: Party;
  readonly locationId: string;
  readonly reservationId: string;
}

const columns = 'number, session_id AS "sessionId"';

/** Nobody else draws a number under the same key until the transaction ends. */
export async function lockKey(tx: Tx, { party, locationId, reservationId }: ReservationKey): Promise<void> {
  const key = [partyKey(party), idKey(locationId), idKey(reservationId)].join(' ');
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key]);
}

export async function newestOfKey(
  db: Queryable,
  { party, locationId, reservationId }: ReservationKey,
): Promise<ReservationRow | undefined> {
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations
      WHERE party = $1 AND location_id = $2 AND reservation_id = $3 ORDER BY number DESC LIMIT 1`,
    [partyKey(party), idKey(locationId), idKey(reservationId)],
  );
  return rows[0];
}

export async function newReservation(
  tx: Tx,
  { party, locationId, reservationId }: ReservationKey,
  sessionId: string,
): Promise<ReservationRow> {
  const { rows } = await tx.query<ReservationRow>(
    `INSERT INTO reservations (party, location_id, reservation_id, session_id)
     VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
    [partyKey(party), idKey(locationId), idKey(reservationId), sessionId],
  );
  return rows[0]!;
}

/** CMD-11 names no Location: those of these parties with the id, the newest first. */
export async function reservationsWithId(
  db: Queryable,
  parties: readonly Party[],
  reservationId: string,
): Promise<ReservationRow[]> {
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations
      WHERE party = ANY($1) AND reservation_id = $2 ORDER BY number DESC LIMIT 20`,
    [parties.map(partyKey), idKey(reservationId)],
  );
  return rows;
}

export async function findReservation(
  db: Queryable,
  number: number,
): Promise<ReservationRow | undefined> {
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations WHERE number = $1`,
    [number],
  );
  return rows[0];
}

export async function noteReservedAt(
  db: Queryable,
  number: number,
  at: { readonly stationId: string; readonly stationConnector: number },
): Promise<void> {
  await db.query('UPDATE reservations SET station_id = $2, connector_id = $3 WHERE number = $1', [
    number,
    at.stationId,
    at.stationConnector,
  ]);
}

export async function noteReservationOver(db: Queryable, number: number): Promise<void> {
  await db.query('UPDATE reservations SET is_over = true WHERE number = $1', [number]);
}

/** Connector 0 is the whole station. */
export async function reservationsAt(
  db: Queryable,
  { stationId, connectorId }: { readonly stationId: string; readonly connectorId: number },
): Promise<ReservationRow[]> {
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations
      WHERE station_id = $1 AND (connector_id = $2 OR $2 = 0) AND NOT is_over`,
    [stationId, connectorId],
  );
  return rows;
}

export async function listReservationRows(db: Queryable, limit: number): Promise<ReservationRow[]> {
  const { rows } = await db.query<ReservationRow>(
    `SELECT ${columns} FROM reservations
      WHERE station_id IS NOT NULL AND NOT is_over ORDER BY number DESC LIMIT $1`,
    [limit],
  );
  return rows;
}
