import { asCompared, findEvse, idKey, type Location, partyText } from '#ocpi';
import { textArray, type Tx } from '#postgres';
import type { StoredLocation } from './location-rows.ts';

/** What a search needs of an EVSE. */
interface EvseRow {
  readonly uid: string;
  readonly published: boolean;
  /** Of what is not published: publish_allowed_to, as `asCompared` has it; JSON, '' for nobody. */
  readonly allowedTo: string;
  readonly status: string;
  /** '' where another EVSE is meant by this uid: OCPI compares without case. */
  readonly lastUpdated: string;
  readonly standards: string;
  readonly latitude: string;
  readonly longitude: string;
}

/** Writes the rows of EVSEs that differ from those of the Location before; the Locations are locked. */
export async function storeEvses(tx: Tx, stored: readonly StoredLocation[]): Promise<void> {
  const changes = stored.map(({ before, now: { location } }) => {
    const [was, is] = [rowsOf(before), rowsOf(location)];
    const sameBut = [...is.values()].filter((row) => isSameButStatus(row, was.get(row.uid)));
    return {
      keys: [idKey(partyText(location)), idKey(location.id)] as const,
      gone: [...was.keys()].filter((uid) => !is.has(uid)),
      rows: [...is.values()].filter((row) => !sameBut.includes(row)),
      statuses: sameBut.filter(({ uid, status, lastUpdated }) => status !== was.get(uid)!.status || lastUpdated !== was.get(uid)!.lastUpdated),
    };
  });
  const gone = changes.flatMap(({ keys, gone: uids }) => uids.map((uid) => [...keys, uid]));
  if (gone.length > 0) {
    await tx.query({
      name: 'evses-gone',
      text: `DELETE FROM evses USING unnest($1::text[], $2::text[], $3::text[]) AS g (party, location_id, evse_uid)
        WHERE evses.party = g.party AND evses.location_id = g.location_id AND evses.evse_uid = g.evse_uid`,
    }, [0, 1, 2].map((column) => textArray(gone.map((row) => row[column]))));
  }
  await storeStatuses(tx, changes.flatMap(({ keys: [party, locationId], statuses }) =>
    statuses.map(({ uid, status, lastUpdated }) => ({ party, locationId, uid, status, lastUpdated }))));
  const rows = changes.flatMap(({ keys, rows: changed }) => changed.map((row) => ({ keys, row })));
  if (rows.length === 0) return;
  const column = (value: (row: EvseRow) => string) => textArray(rows.map(({ row }) => value(row)));
  await tx.query(
    {
      name: 'evses-store',
      text: `INSERT INTO evses (party, location_id, evse_uid, published, status, standards, latitude, longitude, allowed_to, last_updated)
      SELECT party, location_id, uid, published::boolean, status, string_to_array(standards, ' '), latitude::float8, longitude::float8,
        nullif(allowed_to, '')::jsonb, nullif(last_updated, '')
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
        AS e (party, location_id, uid, published, status, standards, latitude, longitude, allowed_to, last_updated)
      ON CONFLICT (party, location_id, evse_uid) DO UPDATE SET published = excluded.published, status = excluded.status,
        standards = excluded.standards, latitude = excluded.latitude, longitude = excluded.longitude, allowed_to = excluded.allowed_to,
        last_updated = excluded.last_updated`,
    },
    [
      textArray(rows.map(({ keys }) => keys[0])),
      textArray(rows.map(({ keys }) => keys[1])),
      column(({ uid }) => uid),
      column(({ published }) => String(published)),
      column(({ status }) => status),
      column(({ standards }) => standards),
      column(({ latitude }) => latitude),
      column(({ longitude }) => longitude),
      column(({ allowedTo: to }) => to),
      column(({ lastUpdated }) => lastUpdated),
    ],
  );
}

export interface StatusRow {
  readonly party: string;
  readonly locationId: string;
  readonly uid: string;
  readonly status: string;
  readonly lastUpdated: string;
}

export interface LockedStatus extends StatusRow {
  readonly takenAt: string;
}

const STATUS_ROW = 'party, location_id AS "locationId", evse_uid AS uid, status, last_updated AS "lastUpdated"';

/** The statuses of these EVSEs, as far as they are known; locked in one order, whoever locks. */
export async function lockStatuses(tx: Tx, keys: readonly Pick<StatusRow, 'party' | 'locationId' | 'uid'>[]): Promise<StatusRow[]> {
  const { rows } = await tx.query<StatusRow>({
    name: 'evses-lock',
    text: `SELECT ${STATUS_ROW} FROM evses
      WHERE (party, location_id, evse_uid) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[])) AND last_updated IS NOT NULL
      ORDER BY party, location_id, evse_uid FOR UPDATE`,
  }, [textArray(keys.map(({ party }) => party)), textArray(keys.map(({ locationId }) => locationId)), textArray(keys.map(({ uid }) => uid))]);
  return rows;
}

/** All of these Locations, which are locked; in the same order. */
export async function lockStatusesOf(tx: Tx, keys: readonly Pick<StatusRow, 'party' | 'locationId'>[]): Promise<LockedStatus[]> {
  if (keys.length === 0) return [];
  const { rows } = await tx.query<LockedStatus>({
    name: 'evses-lock-of',
    text: `SELECT ${STATUS_ROW}, taken_at AS "takenAt" FROM evses
      WHERE (party, location_id) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND last_updated IS NOT NULL
      ORDER BY party, location_id, evse_uid FOR UPDATE`,
  }, [textArray(keys.map(({ party }) => party)), textArray(keys.map(({ locationId }) => locationId))]);
  return rows;
}

/** Of rows that are there, as most of what changes. */
export async function storeStatuses(tx: Tx, statuses: readonly StatusRow[]): Promise<void> {
  if (statuses.length === 0) return;
  const column = (value: (row: StatusRow) => string) => textArray(statuses.map(value));
  await tx.query(
    {
      name: 'evses-status',
      text: `UPDATE evses SET status = e.status, last_updated = nullif(e.last_updated, ''), taken_at = clock_timestamp()
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS e (party, location_id, uid, status, last_updated)
      WHERE evses.party = e.party AND evses.location_id = e.location_id AND evses.evse_uid = e.uid`,
    },
    [
      column(({ party }) => party), column(({ locationId }) => locationId), column(({ uid }) => uid), column(({ status }) => status),
      column(({ lastUpdated }) => lastUpdated),
    ],
  );
}

function allowedTo({ publish, publish_allowed_to: entries = [] }: Location): string {
  return publish || entries.length === 0 ? '' : JSON.stringify(entries.map(asCompared));
}

function rowsOf(location: Location | undefined): Map<string, EvseRow> {
  const evses = (location?.evses ?? []).filter(({ status }) => status !== 'REMOVED');
  return new Map(evses.map((evse) => {
    const { uid, status, connectors, coordinates = location!.coordinates } = evse;
    return [uid, {
      uid, published: location!.publish, allowedTo: allowedTo(location!), status, ...coordinates,
      lastUpdated: findEvse(location!, uid) === evse ? evse.last_updated : '',
      standards: connectors.map(({ standard }) => standard).join(' '),
    }];
  }));
}

function isSameButStatus(row: EvseRow, was: EvseRow | undefined): boolean {
  return was !== undefined && row.published === was.published && row.allowedTo === was.allowedTo && row.standards === was.standards
    && row.latitude === was.latitude && row.longitude === was.longitude;
}
