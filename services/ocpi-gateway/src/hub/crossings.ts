import { createHmac } from 'node:crypto';
import type { Party } from '#ocpi';
import type { Database, Queryable } from '#postgres';

/** A partner's URL that another may call through the hub, and by it alone. HUB-20. */
export interface Crossing {
  readonly id: string;
  /** The partner that was given it. */
  readonly holder: string;
  /** The partner whose URL it is, and its party. */
  readonly owner: string;
  readonly party: Party;
  readonly url: string;
}

export type NewCrossing = Omit<Crossing, 'id'>;

/**
 * The same URL for the same holder is the same crossing, so that pages pulled again add no rows. `until`
 * (platform time, ms) is absent for what is called back long after: the Location of a CDR.
 */
export async function keepCrossing(db: Queryable, key: Buffer, crossing: NewCrossing, until?: number): Promise<string> {
  const { holder, owner, party, url } = crossing;
  const id = createHmac('sha256', key)
    .update([holder, owner, party.country_code, party.party_id, url].join('\n'))
    .digest('base64url')
    .slice(0, 27);
  await db.query({
    name: 'crossings-keep',
    text: `INSERT INTO crossings AS held (id, holder, owner, country_code, party_id, url, until) VALUES ($1, $2, $3, $4, $5, $6, $7)
      ON CONFLICT (id) DO UPDATE SET until = CASE WHEN excluded.until IS NULL THEN NULL ELSE greatest(held.until, excluded.until) END
        WHERE held.until < excluded.until OR excluded.until IS NULL`,
  }, [id, holder, owner, party.country_code, party.party_id, url, until === undefined ? null : new Date(until)]);
  return id;
}

export async function findCrossing(db: Database, id: string, now: number): Promise<Crossing | undefined> {
  const { rows } = await db.query<Omit<Crossing, 'party'> & Party>({
    name: 'crossings-find',
    text: 'SELECT id, holder, owner, country_code, party_id, url FROM crossings WHERE id = $1 AND (until IS NULL OR until > $2)',
  }, [id, new Date(now)]);
  const [row] = rows;
  return (
    row && {
      id: row.id,
      holder: row.holder,
      owner: row.owner,
      url: row.url,
      party: { country_code: row.country_code, party_id: row.party_id },
    }
  );
}

export async function dropCrossings(db: Queryable, now: number): Promise<void> {
  await db.query('DELETE FROM crossings WHERE until <= $1', [new Date(now)]);
}
