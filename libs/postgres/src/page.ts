import { hash } from 'node:crypto';
import type { Queryable, Statement } from './database.ts';

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
  /** SQL of the instant that dates are held against; `last_updated` when absent. A constant, never input. */
  readonly updated?: string;
  /** Of `where` and `updated`: $3 and on. */
  readonly values?: readonly unknown[];
  /**
   * SQL of a text that is another one once another row counts, or one does not any more, and is the same while rows
   * only change: until then the list is neither counted nor measured out again. A constant, never input.
   */
  readonly membership?: string;
}

export interface ObjectPage {
  readonly rows: readonly { readonly text: string; readonly position: bigint }[];
  /** How many objects the window holds in all. */
  readonly total: number;
  /** Whether objects follow these. */
  readonly more: boolean;
}

/** Every so many objects of a long list it is known where they are: an offset of one's own passes over fewer than that. */
const MARK_EVERY = 1_000;
const MARKED_LISTS_MAX = 100;

interface Marks {
  readonly membership: string;
  /** Of the object that is the last of the first `MARK_EVERY`, of the first twice as many, and so on. */
  readonly positions: readonly bigint[];
  readonly atMs: number;
}

const marks = new WeakMap<Queryable, Map<string, Marks>>();

/** How old the total may be that goes with a page behind the first. */
const TOTAL_MS = 2_000;
const TOTALS_MAX = 1_000;

interface Total {
  readonly count: number;
  readonly atMs: number;
  readonly membership?: string | undefined;
}

const totals = new WeakMap<Queryable, Map<string, Total>>();

/**
 * A page in order of creation, so that what is updated meanwhile does not shift (OCPI TRN-50, TRN-54).
 * Behind another page it begins at that one's end, whatever came or went before it, and costs what the
 * first one does; by its offset alone it is found by passing over keys, of a list whose membership is known over few.
 */
export async function pageByCreation(db: Queryable, of: PagedTable, request: PageRequest): Promise<ObjectPage> {
  const { table, text, where = 'true', values = [], updated = 'last_updated' } = of;
  const { dateFrom, dateTo, offset, limit, after } = request;
  const from = dateFrom === undefined ? '$1::timestamptz IS NULL' : `${updated} >= $1`;
  const to = dateTo === undefined ? '$2::timestamptz IS NULL' : `${updated} < $2`;
  const window = `${where} AND ${from} AND ${to}`;
  const bounds = [dateFrom ?? null, dateTo ?? null, ...values];
  const membership = dateFrom === undefined && dateTo === undefined ? of.membership : undefined;
  const told = after && after.offset <= offset ? after : undefined;
  const isDeep = told === undefined && offset >= 2 * MARK_EVERY && membership !== undefined;
  const is = isDeep ? await now(db, membership) : undefined;
  const list = { bounds, is, keys: `created FROM ${table} WHERE ${window}` };
  const behind = told ?? await markBefore(db, list, offset);
  const [position, most, skipped] = [1, 2, 3].map((n) => `$${bounds.length + n}`);
  const keys = `SELECT created FROM ${table} WHERE ${window} AND created > ${position} ORDER BY created`;
  const skip = offset - (behind?.offset ?? 0);
  const begins = skip === 0 ? `created > ${position}` : `created >= (${keys} OFFSET ${skipped} LIMIT 1)`;
  const [page, total] = await Promise.all([
    db.query<{ text: string; position: bigint }>(
      parsedOnce(`SELECT ${text} AS text, created AS position FROM ${table} WHERE ${window} AND ${begins} ORDER BY created LIMIT ${most}`),
      [...bounds, behind?.position ?? 0, limit + 1, ...(skip === 0 ? [] : [skip])],
    ),
    totalOf(db, {
      count: `count(*)::int AS count FROM ${table} WHERE ${window}`,
      bounds,
      membership,
      is,
      maxAgeMs: told ? TOTAL_MS : 0,
    }),
  ]);
  const rows = page.rows.slice(0, limit);
  return { rows, total, more: page.rows.length > limit };
}

interface Counted {
  readonly count: string;
  readonly bounds: readonly unknown[];
  readonly membership: string | undefined;
  /** What that is, where it was asked for. */
  readonly is: string | undefined;
  readonly maxAgeMs: number;
}

/** Whoever reads on has it counted once in a while; a list that is begun is counted, or known to be as it was. */
async function totalOf(db: Queryable, { count: counted, bounds, membership, is, maxAgeMs }: Counted): Promise<number> {
  const known = totals.get(db) ?? new Map<string, Total>();
  totals.set(db, known);
  const key = JSON.stringify([counted, bounds]);
  const held = known.get(key);
  const atMs = performance.now();
  if (held && atMs - held.atMs < maxAgeMs) return held.count;
  const keep = (total: Total): number => {
    keepNewest(known, key, total, TOTALS_MAX);
    return total.count;
  };
  if (membership !== undefined && held && (is ?? await now(db, membership)) === held.membership) return keep({ ...held, atMs });
  const also = membership === undefined ? '' : `${membership} AS membership, `;
  return keep({ ...(await db.query<Total>(`SELECT ${also}${counted}`, bounds)).rows[0]!, atMs });
}

interface Marked {
  readonly keys: string;
  readonly bounds: readonly unknown[];
  /** The membership now; absent: there are no marks. */
  readonly is: string | undefined;
}

/** The last mark that is not behind this offset; none of a list whose membership changed again and again just now. */
async function markBefore(db: Queryable, { keys, bounds, is }: Marked, offset: number): Promise<PageRequest['after']> {
  if (is === undefined) return undefined;
  const known = marks.get(db) ?? new Map<string, Marks>();
  marks.set(db, known);
  const key = JSON.stringify([keys, bounds]);
  const atMs = performance.now();
  let held = known.get(key);
  if (held?.membership !== is) {
    if (held && atMs - held.atMs < TOTAL_MS) return undefined;
    const { rows } = await db.query<{ position: bigint }>(
      parsedOnce(`SELECT created AS position FROM (SELECT created, row_number() OVER (ORDER BY created) AS place FROM (SELECT ${keys}) listed) placed
        WHERE place % ${MARK_EVERY} = 0 ORDER BY created`), bounds,
    );
    // Read behind the membership: what came between makes it another one.
    held = { membership: is, positions: rows.map(({ position }) => position), atMs };
    keepNewest(known, key, held, MARKED_LISTS_MAX);
  }
  const count = Math.min(Math.floor(offset / MARK_EVERY), held.positions.length);
  return count === 0 ? undefined : { position: held.positions[count - 1]!, offset: count * MARK_EVERY };
}

async function now(db: Queryable, membership: string): Promise<string> {
  const { rows } = await db.query<{ membership: string }>(parsedOnce(`SELECT ${membership} AS membership`));
  return rows[0]!.membership;
}

function keepNewest<T>(known: Map<string, T>, key: string, value: T, most: number): void {
  known.delete(key);
  known.set(key, value);
  if (known.size > most) known.delete(known.keys().next().value!);
}

/** The texts are few: tables, and which bounds are given. */
function parsedOnce(text: string): Statement {
  return { name: `page ${hash('sha1', text, 'base64')}`, text };
}
