import type { Database } from '#postgres';

/** What a driver ordered: written before the order leaves, so that a charge is never without its driver. */
export interface ChargeRow {
  readonly chargeId: string;
  readonly email: string;
  readonly tokenUid: string;
  readonly tokenType: string;
  readonly countryCode: string;
  readonly partyId: string;
  readonly locationId: string;
  readonly evseUid: string;
  readonly connectorId: string | null;
  /** RFC 3339, platform time. */
  readonly orderedAt: string;
  readonly refusal: string | null;
}

const columns = `charge_id AS "chargeId", email, token_uid AS "tokenUid", token_type AS "tokenType",
  country_code AS "countryCode", party_id AS "partyId", location_id AS "locationId", evse_uid AS "evseUid",
  connector_id AS "connectorId", ordered_at AS "orderedAt", refusal`;

/** The row with this id (ids compare without case): this one, or the one that was there before. */
export async function claimCharge(db: Database, row: Omit<ChargeRow, 'refusal'>): Promise<ChargeRow> {
  await db.query(
    `INSERT INTO charges (charge_id, email, token_uid, token_type, country_code, party_id, location_id, evse_uid,
       connector_id, ordered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
    [row.chargeId, row.email, row.tokenUid, row.tokenType, row.countryCode, row.partyId, row.locationId, row.evseUid,
      row.connectorId, row.orderedAt],
  );
  const { rows } = await db.query<ChargeRow>(
    `SELECT ${columns} FROM charges WHERE lower(charge_id) = lower($1)`, [row.chargeId]);
  return rows[0]!;
}

export async function findCharge(db: Database, email: string, chargeId: string): Promise<ChargeRow | undefined> {
  const { rows } = await db.query<ChargeRow>(
    `SELECT ${columns} FROM charges WHERE lower(charge_id) = lower($1) AND email = $2`, [chargeId, email]);
  return rows[0];
}

/** Newest first. */
export async function listCharges(db: Database, email: string, limit: number): Promise<ChargeRow[]> {
  const { rows } = await db.query<ChargeRow>(
    `SELECT ${columns} FROM charges WHERE email = $1 ORDER BY number DESC LIMIT $2`, [email, limit]);
  return rows;
}

export async function noteOrderedAgain(db: Database, chargeId: string, orderedAt: string): Promise<void> {
  await db.query('UPDATE charges SET refusal = NULL, ordered_at = $2 WHERE charge_id = $1', [chargeId, orderedAt]);
}

export async function noteRefusal(db: Database, chargeId: string, refusal: string): Promise<void> {
  await db.query(
    'UPDATE charges SET refusal = $2 WHERE charge_id = $1 AND refusal IS DISTINCT FROM $2', [chargeId, refusal]);
}
