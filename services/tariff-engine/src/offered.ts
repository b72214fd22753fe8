import type { TariffPublished, TariffWithdrawn } from '#contracts/tariff-engine';
import { fromJsonBytes } from '#contracts';
import type { Tariff } from '#ocpi';
import type { Queryable, Tx } from '#postgres';
import { streamOf } from './tariff-key.ts';

/** Read model: our own tariffs as they stand, in order of creation. */
export async function publishedOffered(tx: Tx, fact: TariffPublished): Promise<void> {
  if (!fact.own) return;
  await tx.query(
    `INSERT INTO offered (stream, last_updated, tariff) VALUES ($1, $2, $3)
     ON CONFLICT (stream) DO UPDATE SET last_updated = excluded.last_updated, tariff = excluded.tariff`,
    [
      streamOf({ party: fact.party!, tariffId: fact.tariffId }), fact.lastUpdated,
      JSON.stringify(fromJsonBytes<Tariff>(fact.tariffJson)),
    ],
  );
}

export async function withdrawnOffered(tx: Tx, fact: TariffWithdrawn): Promise<void> {
  await tx.query('DELETE FROM offered WHERE stream = $1', [streamOf({ party: fact.party!, tariffId: fact.tariffId })]);
}

export interface ListRequest {
  readonly dateFrom?: string | undefined;
  readonly dateTo?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** A page of our own tariffs, and how many there are. TRN-50, TRN-54. */
export async function listOffered(db: Queryable, request: ListRequest): Promise<{ texts: string[]; total: number }> {
  const window = '($1::timestamptz IS NULL OR last_updated >= $1) AND ($2::timestamptz IS NULL OR last_updated < $2)';
  const bounds = [request.dateFrom ?? null, request.dateTo ?? null];
  const [page, count] = await Promise.all([
    db.query<{ tariff: string }>(
      `SELECT tariff FROM offered WHERE ${window} ORDER BY created OFFSET $3 LIMIT $4`,
      [...bounds, request.offset, request.limit],
    ),
    db.query<{ total: number }>(`SELECT count(*)::int AS total FROM offered WHERE ${window}`, bounds),
  ]);
  return { texts: page.rows.map((row) => row.tariff), total: count.rows[0]?.total ?? 0 };
}
