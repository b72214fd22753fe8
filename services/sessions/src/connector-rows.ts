import type { Queryable } from '#postgres';

/** What is known of a station's connectors beside their sessions. */

export interface Place {
  readonly stationId: string;
  readonly connectorId: number;
}

export interface KnownStatus {
  readonly status: string;
  readonly statusAt: string;
}

export interface KnownLimit {
  readonly limitMa: number;
  readonly limitAt: string;
}

/** The newest session of a connector, unless it was seen to have ended. */
export async function sessionAt(
  tx: Queryable,
  { stationId, connectorId }: Place,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ session_id: string | null }>(
    'SELECT session_id FROM connectors WHERE station_id = $1 AND connector_id = $2',
    [stationId, connectorId],
  );
  return rows[0]?.session_id ?? undefined;
}

export async function sessionsAtStation(tx: Queryable, stationId: string): Promise<string[]> {
  const { rows } = await tx.query<{ session_id: string }>(
    'SELECT session_id FROM connectors WHERE station_id = $1 AND session_id IS NOT NULL',
    [stationId],
  );
  return rows.map((row) => row.session_id);
}

export async function forgetSessionAt(tx: Queryable, sessionId: string, at: Place): Promise<void> {
  await tx.query(
    `UPDATE connectors SET session_id = NULL
      WHERE station_id = $1 AND connector_id = $2 AND session_id = $3`,
    [at.stationId, at.connectorId, sessionId],
  );
}

/** The row is locked from here on: whoever tells of a limit comes before or sees the session. */
export async function noteSessionAt(
  tx: Queryable,
  { stationId, connectorId }: Place,
  sessionId: string,
): Promise<KnownLimit | undefined> {
  const { rows } = await tx.query<{ limit_ma: number | null; limit_at: string | null }>(
    `INSERT INTO connectors (station_id, connector_id, session_id) VALUES ($1, $2, $3)
     ON CONFLICT (station_id, connector_id) DO UPDATE SET session_id = excluded.session_id
     RETURNING limit_ma, limit_at`,
    [stationId, connectorId, sessionId],
  );
  const { limit_ma: limitMa, limit_at: limitAt } = rows[0]!;
  return limitMa === null || limitAt === null ? undefined : { limitMa, limitAt };
}

/** Gives the session that the limit holds for. */
export async function noteLimit(
  tx: Queryable,
  { stationId, connectorId }: Place,
  { limitMa, limitAt }: KnownLimit,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ session_id: string | null }>(
    `INSERT INTO connectors AS c (station_id, connector_id, limit_ma, limit_at)
       VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id, connector_id) DO UPDATE SET limit_ma = $3, limit_at = $4
       WHERE c.limit_at IS NULL OR c.limit_at <= $4
     RETURNING session_id`,
    [stationId, connectorId, limitMa, limitAt],
  );
  return rows[0]?.session_id ?? undefined;
}

export async function noteStatus(
  tx: Queryable,
  { stationId, connectorId }: Place,
  { status, statusAt }: KnownStatus,
): Promise<void> {
  await tx.query(
    `INSERT INTO connector_statuses AS c (station_id, connector_id, status, status_at)
       VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id, connector_id) DO UPDATE SET status = $3, status_at = $4
       WHERE c.status_at <= $4`,
    [stationId, connectorId, status, statusAt],
  );
}

export async function statusAt(
  tx: Queryable,
  { stationId, connectorId }: Place,
): Promise<KnownStatus | undefined> {
  const { rows } = await tx.query<{ status: string; status_at: string }>(
    `SELECT status, status_at FROM connector_statuses WHERE station_id = $1 AND connector_id = $2`,
    [stationId, connectorId],
  );
  const [row] = rows;
  return row && { status: row.status, statusAt: row.status_at };
}

/** What was told of a charge says nothing of the next one. */
export async function forgetStatusOfCharge(
  tx: Queryable,
  { stationId, connectorId }: Place,
): Promise<void> {
  await tx.query(
    `DELETE FROM connector_statuses
      WHERE station_id = $1 AND connector_id = $2 AND status LIKE 'Suspended%'`,
    [stationId, connectorId],
  );
}
