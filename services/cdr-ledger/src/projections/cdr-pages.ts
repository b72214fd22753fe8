import { type Party, partyText } from '#ocpi';
import type { Queryable, Statement } from '#postgres';
import { instant, rfc3339 } from '#time';
import { type Found, listed, type ListedCdr, SELECT } from './listed-cdr.ts';
import { type Tail, TAILS } from './cdr-numbers.ts';
import { countOf, type InWindow, pageTogether } from './cdr-pages-together.ts';

/**
 * Our CDRs by page, so that the last page of a million costs what the first one does: a page is a
 * range of numbers (`cdr-numbers.ts`), and nothing is counted or passed over. A window of
 * `last_updated` is nearly a range of numbers, too: what lies across an edge of it is found within
 * `lag_ms` behind the edge. Of several owners together (`cdr-pages-together.ts`) a page begins at a
 * position of the log, before which their numbers add up to the offset.
 */

export interface ListWindow {
  /** RFC 3339; from inclusive, to exclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** Our CDRs, or those of one issuer, for tokens of these parties, oldest first, and how many lie in the window in all. */
export async function pageOfCdrs(
  db: Queryable,
  tokenParties: readonly Party[] | 'anybody',
  window: ListWindow,
  issuer?: Party,
): Promise<{ cdrs: ListedCdr[]; total: number }> {
  const owners = tokenParties === 'anybody' ? await everyOwner(db) : [...new Set(tokenParties.map(partyText))];
  if (issuer !== undefined) return pageOfIssuer(db, owners, window, issuer);
  const { rows: tails } = await db.query<Tail>(TAILS, [owners]);
  const parts = await Promise.all(tails.map((tail) => inWindow(db, tail, window)));
  const [only, ...more] = parts;
  if (only === undefined) return { cdrs: [], total: 0 };
  if (more.length > 0) return pageTogether(db, parts, window);
  const { numbers, total } = pageIn(only, window);
  const { rows } = await db.query<Found>(PAGE, [only.owner, numbers]);
  return { cdrs: rows.map(listed), total };
}

/** Whose tokens were ever charged here, each found by one step through the index. */
async function everyOwner(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ owner: string }>(OWNERS);
  return rows.map(({ owner }) => owner);
}

const OWNERS: Statement = {
  name: 'cdr_pages_owners',
  text: `WITH RECURSIVE owners (owner) AS (
      SELECT min(token_party) FROM cdrs WHERE own
      UNION ALL
      SELECT (SELECT min(token_party) FROM cdrs WHERE own AND token_party > owner) FROM owners WHERE owner IS NOT NULL
    ) SELECT owner FROM owners WHERE owner IS NOT NULL`,
};

async function inWindow(db: Queryable, tail: Tail, { from, to }: ListWindow): Promise<InWindow> {
  const owner = tail.token_party;
  const lagMs = Number(tail.lag_ms);
  const [first, end] = await Promise.all([
    from === undefined ? { number: 1, behind: [] } : edgeAt(db, owner, from, lagMs),
    to === undefined ? undefined : edgeAt(db, owner, to, lagMs),
  ]);
  const after = tail.number + 1;
  const range = { from: first.number ?? after, to: end?.number ?? after };
  if (range.to < range.from) return { owner, range: { from: after, to: after }, gaps: [], late: [] };
  const before = new Set(first.behind);
  return {
    owner,
    range,
    gaps: first.behind.filter((number) => number < range.to),
    late: (end?.behind ?? []).filter((number) => !before.has(number)),
  };
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

/** The numbers of a page: of the range, and behind it of those that are late. */
function pageIn(
  part: InWindow,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): { numbers: number[]; total: number } {
  const { range, gaps, late } = part;
  const left = new Set(gaps);
  const numbers: number[] = [];
  let next = range.from + offset;
  for (const gap of gaps) if (gap <= next) next += 1;
  for (; next < range.to && numbers.length < limit; next += 1) if (!left.has(next)) numbers.push(next);
  const inRange = countOf(part);
  const from = Math.max(0, offset - inRange);
  numbers.push(...late.slice(from, from + limit - numbers.length));
  return { numbers, total: inRange + late.length };
}

/** Of one issuer of several there are no numbers: what is before the page is passed over. */
async function pageOfIssuer(
  db: Queryable, owners: readonly string[], { from, to, offset, limit }: ListWindow, issuer: Party,
): Promise<{ cdrs: ListedCdr[]; total: number }> {
  const where = `c.own AND c.token_party = ANY ($1::text[]) AND c.party = $2
    AND ($3::timestamptz IS NULL OR c.last_updated >= $3) AND ($4::timestamptz IS NULL OR c.last_updated < $4)`;
  const window = [owners, partyText(issuer), from, to];
  const [page, counted] = await Promise.all([
    db.query<Found>(`${SELECT} WHERE ${where} ORDER BY c."position" OFFSET $5 LIMIT $6`, [...window, offset, limit]),
    db.query<{ total: bigint }>(`SELECT count(*) AS total FROM cdrs c WHERE ${where}`, window),
  ]);
  return { cdrs: page.rows.map(listed), total: Number(counted.rows[0]?.total ?? 0) };
}
