import type { Queryable } from '#postgres';
import { instant, rfc3339 } from '#time';

/**
 * The site's row is the last gate before an order leaves: an owner that was replaced no longer gets
 * through, whatever it believes, and who replaces it reads in the same statement how long the
 * leases last that did get through.
 */
export async function takeSite(
  db: Queryable,
  siteId: string,
  epoch: number,
): Promise<{ readonly leasedUntil: number } | undefined> {
  const { rows } = await db.query<{ leased_until: string }>(
    `INSERT INTO sites AS s (site_id, epoch, leased_until) VALUES ($1, $2, '1970-01-01T00:00:00Z')
     ON CONFLICT (site_id) DO UPDATE SET epoch = $2 WHERE s.epoch <= $2
     RETURNING leased_until`,
    [siteId, epoch],
  );
  const [row] = rows;
  return row && { leasedUntil: instant(row.leased_until) };
}

/** False = another has taken the site: send nothing. */
export async function passGate(
  db: Queryable,
  siteId: string,
  { epoch, leasedUntil, plan }: { epoch: number; leasedUntil: number; plan: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    {
      name: 'evems-gate',
      text: `UPDATE sites SET leased_until = greatest(leased_until, $3), plan = $4
        WHERE site_id = $1 AND epoch = $2`,
    },
    [siteId, epoch, rfc3339(Math.ceil(leasedUntil)), plan],
  );
  return rowCount === 1;
}

export async function planOf(
  db: Queryable,
  siteId: string,
): Promise<{ readonly epoch: number; readonly plan: string | null } | undefined> {
  const { rows } = await db.query<{ epoch: bigint; plan: string | null }>(
    'SELECT epoch, plan FROM sites WHERE site_id = $1',
    [siteId],
  );
  const [row] = rows;
  return row && { epoch: Number(row.epoch), plan: row.plan };
}
