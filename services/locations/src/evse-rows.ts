import { asCompared, idKey, type Location, partyText } from '#ocpi';
import { textArray, type Tx } from '#postgres';
import type { StoredLocation } from './location-rows.ts';

/** What a search needs of an EVSE. */
interface EvseRow {
  readonly uid: string;
  readonly published: boolean;
  /** Of what is not published: publish_allowed_to, as allowed.ts compares it; JSON, '' for nobody. */
  readonly allowedTo: string;
  readonly status: string;
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
      statuses: sameBut.filter(({ uid, status }) => status !== was.get(uid)!.status),
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
  await storeStatuses(tx, changes.flatMap(({ keys, statuses }) => statuses.map(({ uid, status }) => [...keys, uid, status])));
  const rows = changes.flatMap(({ keys, rows: changed }) => changed.map((row) => ({ keys, row })));
  if (rows.length === 0) return;
  const column = (value: (row: EvseRow) => string) => textArray(rows.map(({ row }) => value(row)));
  await tx.query(
    {
      name: 'evses-store',
      text: `INSERT INTO evses (party, location_id, evse_uid, published, status, standards, latitude, longitude, allowed_to)
      SELECT party, location_id, uid, published::boolean, status, string_to_array(standards, ' '), latitude::float8, longitude::float8, nullif(allowed_to, '')::jsonb
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
        AS e (party, location_id, uid, published, status, standards, latitude, longitude, allowed_to)
      ON CONFLICT (party, location_id, evse_uid) DO UPDATE SET published = excluded.published, status = excluded.status,
        standards = excluded.standards, latitude = excluded.latitude, longitude = excluded.longitude, allowed_to = excluded.allowed_to`,
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
    ],
  );
}

/** Of rows that are there, as most of what changes: party, Location, EVSE, status. */
async function storeStatuses(tx: Tx, statuses: readonly string[][]): Promise<void> {
  if (statuses.length === 0) return;
  await tx.query(
    {
      name: 'evses-status',
      text: `UPDATE evses SET status = e.status FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS e (party, location_id, uid, status)
      WHERE evses.party = e.party AND evses.location_id = e.location_id AND evses.evse_uid = e.uid`,
    },
    [0, 1, 2, 3].map((column) => textArray(statuses.map((row) => row[column]))),
  );
}

function allowedTo({ publish, publish_allowed_to: entries = [] }: Location): string {
  return publish || entries.length === 0 ? '' : JSON.stringify(entries.map(asCompared));
}

function rowsOf(location: Location | undefined): Map<string, EvseRow> {
  const evses = (location?.evses ?? []).filter(({ status }) => status !== 'REMOVED');
  return new Map(evses.map(({ uid, status, connectors, coordinates = location!.coordinates }) => [uid, {
    uid, published: location!.publish, allowedTo: allowedTo(location!), status, ...coordinates,
    standards: connectors.map(({ standard }) => standard).join(' '),
  }]));
}

function isSameButStatus(row: EvseRow, was: EvseRow | undefined): boolean {
  return was !== undefined && row.published === was.published && row.allowedTo === was.allowedTo && row.standards === was.standards
    && row.latitude === was.latitude && row.longitude === was.longitude;
}
