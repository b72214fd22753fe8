import type { Queryable } from '#postgres';
import { instant } from '#time';
import type { Connector } from './car.ts';
import type { HeldProfile } from './profile.ts';

/** What stations tell, one row a connector. Facts of a station come in order, each once. */

export async function noteConnection(
  tx: Queryable,
  stationId: string,
  { connected, connection }: { connected: boolean; connection: number },
): Promise<void> {
  // The end of an older socket is no news.
  await tx.query(
    `INSERT INTO stations AS s (station_id, connected, connection) VALUES ($1, $2, $3)
     ON CONFLICT (station_id) DO UPDATE SET connected = $2, connection = $3
       WHERE s.connection <= $3`,
    [stationId, connected, connection],
  );
}

export async function noteBoot(tx: Queryable, stationId: string, bootedAt: string): Promise<void> {
  await tx.query(
    `INSERT INTO stations (station_id, booted_at) VALUES ($1, $2)
     ON CONFLICT (station_id) DO UPDATE SET booted_at = $2`,
    [stationId, bootedAt],
  );
}

export interface ConnectorPlace {
  readonly stationId: string;
  readonly connectorId: number;
}

export async function noteStatus(
  tx: Queryable,
  { stationId, connectorId }: ConnectorPlace,
  { status, at }: { status: string; at: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO connectors AS c (station_id, connector_id, status, status_at)
       VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id, connector_id) DO UPDATE SET status = $3, status_at = $4
       WHERE c.status_at IS NULL OR c.status_at <= $4`,
    [stationId, connectorId, status, at],
  );
}

/** One that began before what runs there was kept by its station, and is over. */
export async function noteStart(
  tx: Queryable,
  { stationId, connectorId }: ConnectorPlace,
  { transactionId, startedAt }: { transactionId: string; startedAt: string },
): Promise<void> {
  await tx.query(
    `INSERT INTO connectors AS c (station_id, connector_id, transaction_id, started_at)
       VALUES ($1, $2, $3, $4)
     ON CONFLICT (station_id, connector_id)
       DO UPDATE SET transaction_id = $3, started_at = $4, drawn_ma = NULL, drawn_at = NULL
       WHERE c.started_at IS NULL OR c.started_at <= $4`,
    [stationId, connectorId, transactionId, startedAt],
  );
}

export async function noteStop(
  tx: Queryable,
  stationId: string,
  transactionId: string,
): Promise<void> {
  await tx.query(
    `UPDATE connectors SET transaction_id = NULL, started_at = NULL, drawn_ma = NULL, drawn_at = NULL
     WHERE station_id = $1 AND transaction_id = $2`,
    [stationId, transactionId],
  );
  await tx.query('DELETE FROM profiles WHERE station_id = $1 AND transaction_id = $2', [
    stationId,
    transactionId,
  ]);
}

export async function noteDrawn(
  tx: Queryable,
  { stationId, connectorId }: ConnectorPlace,
  { ma, at }: { ma: number; at: string },
): Promise<void> {
  await tx.query(
    `UPDATE connectors SET drawn_ma = $3, drawn_at = $4
     WHERE station_id = $1 AND connector_id = $2 AND (drawn_at IS NULL OR drawn_at < $4)`,
    [stationId, connectorId, ma, at],
  );
}

interface Row {
  station_id: string;
  connector_id: number | null;
  connected: boolean;
  connection: bigint;
  booted_at: string | null;
  status: string | null;
  status_at: string | null;
  transaction_id: string | null;
  started_at: string | null;
  drawn_ma: number | null;
  drawn_at: string | null;
  held: HeldProfile | null;
}

/** All that is known of the connectors of these stations; a connector never heard of has no entry. */
export async function connectorsOf(
  db: Queryable,
  places: readonly ConnectorPlace[],
): Promise<Connector[]> {
  const { rows } = await db.query<Row>(
    {
      name: 'evems-connectors',
      text: `SELECT wanted.station_id, wanted.connector_id, coalesce(connected, false) AS connected,
          coalesce(connection, 0) AS connection, booted_at, status, status_at, transaction_id,
          started_at, drawn_ma, drawn_at, held
        FROM unnest($1::text[], $2::int[]) AS wanted (station_id, connector_id)
        LEFT JOIN stations USING (station_id) LEFT JOIN connectors USING (station_id, connector_id)
        LEFT JOIN profiles USING (station_id, connector_id, transaction_id)`,
    },
    [places.map(({ stationId }) => stationId), places.map(({ connectorId }) => connectorId)],
  );
  return rows.map(connectorOf);
}

function connectorOf(row: Row): Connector {
  const ms = (at: string | null) => (at === null ? 0 : instant(at));
  return {
    stationId: row.station_id,
    connectorId: row.connector_id ?? 0,
    connected: row.connected,
    connection: Number(row.connection),
    bootedAt: row.booted_at === null ? undefined : instant(row.booted_at),
    status: row.status ?? '',
    statusAt: ms(row.status_at),
    transaction:
      row.transaction_id === null
        ? undefined
        : { id: row.transaction_id, startedAt: ms(row.started_at) },
    drawn: row.drawn_ma === null ? undefined : { ma: row.drawn_ma, at: ms(row.drawn_at) },
    held: row.held ?? undefined,
  };
}
