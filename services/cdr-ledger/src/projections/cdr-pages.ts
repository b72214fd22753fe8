import { type Party, partyText } from '#ocpi';
import type { Queryable, Statement } from '#postgres';
import { instant, rfc3339 } from '#time';
import { type Found, listed, type ListedCdr, SELECT } from './cdr-list.ts';
import { type Tail, TAILS } from './cdr-numbers.ts';

/**
 * Our CDRs by page, so that the last page of a million costs what the first one does: a page is a
 * range of numbers (`cdr-numbers.ts`), and nothing is counted or passed over. A window of
 * `last_updated` is nearly a range of numbers, too: what lies across an edge of it is found within
 * `lag_ms` behind the edge.
 */

export interface ListWindow {
  /** RFC 3339; from inclusive, to exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** Our CDRs for tokens of these parties, oldest first, and how many lie in the window in all. */
export async function pageOfCdrs(
  db: Queryable,
  tokenParties: readonly Party[],
  window: ListWindow,
): Promise<{ cdrs: ListedCdr[]; total: number }> {
  const [only, ...more] = new Set(tokenParties.map(partyText));
  if (only === undefined) return { cdrs: [], total: 0 };
  return more.length === 0 ? pageByNumber(db, only, window) : pageByOffset(db, [only, ...more], window);
}

async function pageByNumber(db: Queryable, owner: string, { from, to, offset, limit }: ListWindow) {
  const { rows: [tail] } = await db.query<Tail>(TAILS, [[owner]]);
  if (!tail) return { cdrs: [], total: 0 };
  const lagMs = Number(tail.lag_ms);
  const [first, end] = await Promise.all([
    from === undefined ? { number: 1, behind: [] } : edgeAt(db, owner, from, lagMs),
    to === undefined ? undefined : edgeAt(db, owner, to, lagMs),
  ]);
  const after = tail.number + 1;
  const range = { from: first.number ?? after, to: end ? end.number ?? after : after };
  const { numbers, total } = pageIn(range, { before: first.behind, behind: end?.behind ?? [] }, { offset, limit });
  const { rows } = await db.query<Found>(PAGE, [owner, numbers]);
  return { cdrs: rows.map(listed), total };
}

const PAGE: Statement = {
  name: 'cdr_pages_page',
  text: `${SELECT} WHERE c.own AND c.token_party = $1 AND c.number = ANY ($2::int[]) ORDER BY c.number`,
};

interface Edge {
  /** Of the first CDR by which the instant was reached; undefined where it never was. */
  readonly number: number | undefined;
  /** The numbers of those from there on that are of before the instant all the same. */
  readonly behind: readonly number[];
}

async function edgeAt(db: Queryable, owner: string, at: string, lagMs: number): Promise<Edge> {
  const [first, behind] = await Promise.all([
    db.query<{ number: number }>(REACHED, [owner, at]),
    db.query<{ number: number }>(BEHIND, [owner, at, rfc3339(instant(at) + lagMs)]),
  ]);
  return { number: first.rows[0]?.number, behind: behind.rows.map(({ number }) => number) };
}

const REACHED: Statement = {
  name: 'cdr_pages_reached',
  text: `SELECT number FROM cdrs WHERE own AND token_party = $1 AND reached >= $2::timestamptz
         ORDER BY reached, number LIMIT 1`,
};

const BEHIND: Statement = {
  name: 'cdr_pages_behind',
  text: `SELECT number FROM cdrs WHERE own AND token_party = $1 AND reached >= $2::timestamptz
           AND reached < $3::timestamptz AND last_updated < $2::timestamptz ORDER BY number`,
};

/**
 * The numbers of a page of those in the range that are not of before the window, and of those behind
 * the range that are in it.
 */
export function pageIn(
  range: { readonly from: number; readonly to: number },
  { before, behind }: { readonly before: readonly number[]; readonly behind: readonly number[] },
  { offset, limit }: { readonly offset: number; readonly limit: number },
): { numbers: number[]; total: number } {
  if (range.to < range.from) return { numbers: [], total: 0 };
  const left = new Set(before);
  const gaps = before.filter((number) => number < range.to);
  const late = behind.filter((number) => !left.has(number));
  const inRange = range.to - range.from - gaps.length;
  const numbers: number[] = [];
  let next = range.from + offset;
  for (const gap of gaps) if (gap <= next) next += 1;
  for (; next < range.to && numbers.length < limit; next += 1) if (!left.has(next)) numbers.push(next);
  const from = Math.max(0, offset - inRange);
  numbers.push(...late.slice(from, from + limit - numbers.length));
  return { numbers, total: inRange + late.length };
}

/** Of several owners together there are no numbers: what is before the page is passed over. */
async function pageByOffset(db: Queryable, owners: readonly string[], { from, to, offset, limit }: ListWindow) {
  const where = `c.own AND c.token_party = ANY ($1::text[])
    AND ($2::timestamptz IS NULL OR c.last_updated >= $2) AND ($3::timestamptz IS NULL OR c.last_updated < $3)`;
  const window = [owners, from, to];
  const [page, counted] = await Promise.all([
    db.query<Found>(`${SELECT} WHERE ${where} ORDER BY c."position" OFFSET $4 LIMIT $5`, [...window, offset, limit]),
    db.query<{ total: bigint }>(`SELECT count(*) AS total FROM cdrs c WHERE ${where}`, window),
  ]);
  return { cdrs: page.rows.map(listed), total: Number(counted.rows[0]?.total ?? 0) };
}
