import type { Database, Tx } from '#postgres';

/** The stations that may connect, with the keyed hashes of their passwords; others may not any more. */
export async function replaceStations(db: Database, stations: ReadonlyMap<string, Buffer>): Promise<void> {
  await db.tx(async (tx) => {
    const ids = [...stations.keys()];
    await tx.query('DELETE FROM stations WHERE NOT station_id = ANY($1)', [ids]);
    await tx.query(
      `INSERT INTO stations (station_id, secret) SELECT * FROM unnest($1::text[], $2::bytea[])
       ON CONFLICT (station_id) DO UPDATE SET secret = excluded.secret`,
      [ids, [...stations.values()]],
    );
  });
}

export async function secretOf(db: Database, stationId: string): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ secret: Buffer }>('SELECT secret FROM stations WHERE station_id = $1', [stationId]);
  return rows[0]?.secret;
}

export async function nextTransactionId(db: Database): Promise<number> {
  const { rows } = await db.query<{ id: number }>({
    name: 'next-transaction-id', text: `SELECT nextval('transaction_ids')::int AS id`,
  });
  return rows[0]!.id;
}

// The read model behind describeStations, written from the gateway's own facts. ---------------------

export async function sawConnection(
  tx: Tx, stationId: string, at: string, { connected, epoch }: { connected: boolean; epoch: number },
) {
  await tx.query(
    `INSERT INTO station_states AS held (station_id, last_seen_at, connected, epoch) VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id) DO UPDATE SET connected = excluded.connected, epoch = excluded.epoch, noted_at = now(),
       last_seen_at = greatest(held.last_seen_at, excluded.last_seen_at)`,
    [stationId, at, connected, epoch],
  );
}

export async function sawStation(tx: Tx, stationId: string, at: string, seen: { vendor?: string; model?: string } = {}) {
  await tx.query(
    `INSERT INTO station_states AS held (station_id, last_seen_at, vendor, model)
     VALUES ($1, $2, coalesce($3, ''), coalesce($4, ''))
     ON CONFLICT (station_id) DO UPDATE SET
       last_seen_at = greatest(held.last_seen_at, excluded.last_seen_at),
       vendor = coalesce($3, held.vendor), model = coalesce($4, held.model)`,
    [stationId, at, seen.vendor ?? null, seen.model ?? null],
  );
}

export async function sawStatus(tx: Tx, stationId: string, connectorId: number, { status, at }: { status: string; at: string }) {
  await tx.query(
    `INSERT INTO connector_states AS held (station_id, connector_id, status, status_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id, connector_id) DO UPDATE SET status = excluded.status, status_at = excluded.status_at
     WHERE held.status_at IS NULL OR held.status_at <= excluded.status_at`,
    [stationId, connectorId, status, at],
  );
}

export async function sawTransaction(tx: Tx, stationId: string, connectorId: number, transactionId: string | null) {
  await tx.query(
    `INSERT INTO connector_states (station_id, connector_id, transaction_id) VALUES ($1, $2, $3)
     ON CONFLICT (station_id, connector_id) DO UPDATE SET transaction_id = excluded.transaction_id`,
    [stationId, connectorId, transactionId],
  );
}

export interface StationView {
  readonly stationId: string;
  readonly connected: boolean;
  readonly lastSeenAt: string;
  readonly vendor: string;
  readonly model: string;
  readonly connectors: readonly { connectorId: number; status: string; statusAt: string; transactionId?: string }[];
}

/** The stations with one of the ids, or all. */
export async function describeStations(db: Database, stationIds: readonly string[]): Promise<StationView[]> {
  const { rows } = await db.query<{
    station_id: string; connected: boolean | null; last_seen_at: string | null; vendor: string | null; model: string | null;
    connectors: { connector_id: number; status: string; status_at: string | null; transaction_id: string | null }[] | null;
  }>(
    `SELECT s.station_id, state.connected, state.last_seen_at, state.vendor, state.model,
       (SELECT json_agg(json_build_object('connector_id', connector_id, 'status', status, 'status_at',
          to_char(status_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'transaction_id', transaction_id)
          ORDER BY connector_id)
        FROM connector_states c WHERE c.station_id = s.station_id) AS connectors
     FROM stations s LEFT JOIN station_states state USING (station_id)
     WHERE $1::text[] = '{}' OR s.station_id = ANY($1) ORDER BY s.station_id`,
    [stationIds],
  );
  return rows.map((row) => ({
    stationId: row.station_id,
    connected: row.connected ?? false,
    lastSeenAt: row.last_seen_at ?? '',
    vendor: row.vendor ?? '',
    model: row.model ?? '',
    connectors: (row.connectors ?? []).map((connector) => ({
      connectorId: connector.connector_id,
      status: connector.status,
      statusAt: connector.status_at ?? '',
      ...(connector.transaction_id ? { transactionId: connector.transaction_id } : {}),
    })),
  }));
}
