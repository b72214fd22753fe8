import type { Queryable } from './database.ts';

/** A page of objects whose `last_updated` lies in [dateFrom, dateTo); instants in RFC 3339. */
export interface PageRequest {
  readonly dateFrom?: string | undefined;
  readonly dateTo?: string | undefined;
  readonly offset: number;
  readonly limit: number;
  /** Where an earlier page ended: the object of this position is the last of the first `offset` ones. */
  readonly after?: { readonly position: bigint; readonly offset: number } | undefined;
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

export interface ObjectPage {
  readonly rows: readonly { readonly text: string; readonly position: bigint }[];
  /** How many objects the window holds in all. */
  readonly total: number;
  /** Whether objects follow these. */
  readonly more: boolean;
}

/** How old the total may be that goes with a page behind the first. */
const TOTAL_MS = 2_000;
const TOTALS_MAX = 1_000;

interface Total {
  readonly count: number;
  readonly atMs: number;
}

const totals = new WeakMap<Queryable, Map<string, Total>>();

/**
 * A page in order of creation, so that what is updated meanwhile does not shift (OCPI TRN-50, TRN-54).
 * Behind another page it begins at that one's end, whatever came or went before it, and costs what the
 * first one does; by its offset alone it is found by passing over keys.
 */
export async function pageByCreation(db: Queryable, of: PagedTable, request: PageRequest): Promise<ObjectPage> {
  const { table, text, where = 'true', values = [] } = of;
  const { offset, limit, after } = request;
  const window = `${where} AND ($1::timestamptz IS NULL OR last_updated >= $1) AND ($2::timestamptz IS NULL OR last_updated < $2)`;
  const bounds = [request.dateFrom ?? null, request.dateTo ?? null, ...values];
  const behind = after && after.offset <= offset ? after : undefined;
  const [position, skipped] = [bounds.length + 1, bounds.length + 2];
  const keys = `SELECT created FROM ${table} WHERE ${window} AND created > $${position} ORDER BY created`;
  const skip = offset - (behind?.offset ?? 0);
  const begins = skip === 0 ? `created > $${position}` : `created >= (${keys} OFFSET $${skipped} LIMIT 1)`;
  const [page, total] = await Promise.all([
    db.query<{ text: string; position: bigint }>(
      `SELECT ${text} AS text, created AS position FROM ${table} WHERE ${window} AND ${begins} ORDER BY created LIMIT ${limit + 1}`,
      [...bounds, behind?.position ?? 0, ...(skip === 0 ? [] : [skip])],
    ),
    totalOf(db, `SELECT count(*)::int AS count FROM ${table} WHERE ${window}`, bounds, behind ? TOTAL_MS : 0),
  ]);
  const rows = page.rows.slice(0, limit);
  return { rows, total, more: page.rows.length > limit };
}

/** Whoever reads on has it counted once in a while; a list that is begun is counted. */
async function totalOf(db: Queryable, sql: string, bounds: readonly unknown[], maxAgeMs: number): Promise<number> {
  const known = totals.get(db) ?? new Map<string, Total>();
  totals.set(db, known);
  const key = JSON.stringify([sql, bounds]);
  const held = known.get(key);
  if (held && performance.now() - held.atMs < maxAgeMs) return held.count;
  const atMs = performance.now();
  const { count } = (await db.query<{ count: number }>(sql, bounds)).rows[0]!;
  known.delete(key);
  known.set(key, { count, atMs });
  if (known.size > TOTALS_MAX) known.delete(known.keys().next().value!);
  return count;
}
