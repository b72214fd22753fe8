import type { Queryable, Tx } from '#postgres';
import type { ConnectorPlace } from './connector-rows.ts';
import type { HeldProfile } from './profile.ts';

/** A charging profile ends with its transaction, whose row it is. */
export interface ChargePlace extends ConnectorPlace {
  readonly transactionId: string;
}

export async function findHeld(
  db: Queryable,
  { stationId, connectorId, transactionId }: ChargePlace,
  lock = false,
): Promise<HeldProfile | undefined> {
  const { rows } = await db.query<{ held: HeldProfile }>(
    `SELECT held FROM profiles WHERE station_id = $1 AND connector_id = $2 AND transaction_id = $3 ${lock ? 'FOR UPDATE' : ''}`,
    [stationId, connectorId, transactionId],
  );
  return rows[0]?.held;
}

export async function keepHeld(
  tx: Tx,
  { stationId, connectorId, transactionId }: ChargePlace,
  held: HeldProfile,
): Promise<void> {
  await tx.query(
    `INSERT INTO profiles (station_id, connector_id, transaction_id, held) VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id, connector_id) DO UPDATE SET transaction_id = $3, held = $4`,
    [stationId, connectorId, transactionId, JSON.stringify(held)],
  );
}
