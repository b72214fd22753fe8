import type { Queryable } from './database.ts';

/** A page of objects whose `last_updated` lies in [dateFrom, dateTo); instants in RFC 3339. */
export interface PageRequest {
  readonly dateFrom?: string | undefined;
  readonly dateTo?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** Where the objects are: a table with the columns `last_updated` and `created`; a constant, never input. */
export interface PagedTable {
  readonly table: string;
  /** The column that holds an object's JSON text. */
  readonly text: string;
  /** Which rows count; all when absent. */
  readonly where?: string;
  /** Of `where`: $3 and on. */
  readonly values?: readonly unknown[];
}

/**
 * A page in order of creation, so that what is updated meanwhile does not shift (OCPI TRN-50,
 * TRN-54), and how many objects the window holds in all.
 */
export async function pageByCreation(
  db: Queryable,
  { table, text, where = 'true', values = [] }: PagedTable,
  { dateFrom, dateTo, offset, limit }: PageRequest,
): Promise<{ texts: string[]; total: number }> {
  const window = `${where} AND ($1::timestamptz IS NULL OR last_updated >= $1) AND ($2::timestamptz IS NULL OR last_updated < $2)`;
  const bounds = [dateFrom ?? null, dateTo ?? null, ...values];
  const n = bounds.length;
  const [page, count] = await Promise.all([
    db.query<{ text: string }>(
      `SELECT ${text} AS text FROM ${table} WHERE ${window} ORDER BY created OFFSET $${n + 1} LIMIT $${n + 2}`,
      [...bounds, offset, limit],
    ),
    db.query<{ total: number }>(`SELECT count(*)::int AS total FROM ${table} WHERE ${window}`, bounds),
  ]);
  return { texts: page.rows.map((row) => row.text), total: count.rows[0]?.total ?? 0 };
}
