import type { Database } from '#postgres';

/**
 * Which process holds which socket, by the database's clock. A process that is killed says nothing of
 * the sockets it held; the others see that it is gone and say it in its place.
 */

/** So long after its last word a process is taken for gone. */
const ALIVE_FOR_S = 10;

/** False: until now it was not known to live, and others may have said its sockets lost. */
export async function stayAlive(db: Database, holder: string): Promise<boolean> {
  const { rows } = await db.query<{ was: boolean | null }>(
    `WITH before AS (SELECT alive_until FROM holders WHERE holder = $1)
     INSERT INTO holders (holder, alive_until) VALUES ($1, now() + make_interval(secs => $2))
     ON CONFLICT (holder) DO UPDATE SET alive_until = excluded.alive_until
     RETURNING (SELECT alive_until > now() FROM before) AS was`,
    [holder, ALIVE_FOR_S],
  );
  return rows[0]?.was ?? false;
}

/** Orderly end: what it still held is taken for lost at once. */
export async function leaveHolders(db: Database, holder: string): Promise<void> {
  await db.query('DELETE FROM holders WHERE holder = $1', [holder]);
}

export async function holdSocket(db: Database, stationId: string, epoch: number, holder: string): Promise<void> {
  await db.query(
    `INSERT INTO sockets AS held (station_id, epoch, holder) VALUES ($1, $2, $3)
     ON CONFLICT (station_id) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder WHERE held.epoch < excluded.epoch`,
    [stationId, epoch, holder],
  );
}

/** Stations said to be connected whose socket no living process holds, with the socket's epoch. */
export async function lostSockets(db: Database): Promise<{ stationId: string; epoch: number }[]> {
  const { rows } = await db.query<{ station_id: string; epoch: number }>(
    `SELECT state.station_id, state.epoch
     FROM station_states state
     LEFT JOIN sockets held ON held.station_id = state.station_id AND held.epoch >= state.epoch
     LEFT JOIN holders alive ON alive.holder = held.holder AND alive.alive_until > now()
     WHERE state.connected AND alive.holder IS NULL AND state.noted_at < now() - make_interval(secs => $1)`,
    [ALIVE_FOR_S],
  );
  return rows.map((row) => ({ stationId: row.station_id, epoch: row.epoch }));
}

export async function forgetHolders(db: Database): Promise<void> {
  await db.query(`DELETE FROM holders WHERE alive_until < now() - interval '1 day'`);
}
