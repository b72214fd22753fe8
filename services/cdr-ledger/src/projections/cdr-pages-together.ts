import type { Queryable, Statement } from '#postgres';
import { type Found, listed, type ListedCdr, SELECT } from './listed-cdr.ts';

/** What of one owner's CDRs a window holds, by number. */
export interface InWindow {
  readonly owner: string;
  /** From inclusive, to exclusive. */
  readonly range: { readonly from: number; readonly to: number };
  /** In the range, but of before the window. */
  readonly gaps: readonly number[];
  /** Behind the range, but in the window. */
  readonly late: readonly number[];
}

export function countOf({ range, gaps }: InWindow): number {
  return range.to - range.from - gaps.length;
}

/**
 * A page of several owners' CDRs together, in the log's order. How many of one owner lie before a
 * position of the log is the number of the last of them: so where a page begins is found by halving
 * the log some thirty times, whichever page it is, and nothing is passed over.
 */
export async function pageTogether(
  db: Queryable,
  parts: readonly InWindow[],
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<{ cdrs: ListedCdr[]; total: number }> {
  const total = parts.reduce((sum, part) => sum + countOf(part) + part.late.length, 0);
  if (offset >= total) return { cdrs: [], total };
  const { rows } = await db.query<Found>(PAGE, [...columnsOf(parts), offset, limit]);
  return { cdrs: rows.map(listed), total };
}

function columnsOf(parts: readonly InWindow[]) {
  const each = (pick: (part: InWindow) => readonly number[]) => {
    const all = parts.flatMap((part) => pick(part).map((number) => ({ owner: part.owner, number })));
    return [all.map(({ owner }) => owner), all.map(({ number }) => number)];
  };
  return [
    parts.map(({ owner }) => owner),
    parts.map(({ range }) => range.from),
    parts.map(({ range }) => range.to),
    ...each(({ gaps }) => gaps),
    ...each(({ late }) => late),
  ];
}

const GIVEN = `given AS (SELECT * FROM unnest($1::text[], $2::int[], $3::int[]) AS g (owner, first, until)),
  gaps AS (SELECT * FROM unnest($4::text[], $5::int[]) AS g (owner, number)),
  late AS (SELECT * FROM unnest($6::text[], $7::int[]) AS l (owner, number))`;

/**
 * The number of an owner's first CDR from a position on. By an index that no other stands in for:
 * the log's own order would be read backwards through all that is everybody else's.
 */
const NEXT = (position: string) => `(SELECT coalesce((
      SELECT c.number FROM cdrs c WHERE c.own AND c.token_party = g.owner AND -c."position" > -(${position})
      ORDER BY -c."position" LIMIT 1), 0) + 1 AS next) n`;

/** How many of all that are listed lie before a position. */
const BEFORE = (position: string) => `(SELECT sum(greatest(0, least(n.next, g.until) - g.first)
      - (SELECT count(*) FROM gaps WHERE gaps.owner = g.owner AND gaps.number < n.next)
      + (SELECT count(*) FROM late WHERE late.owner = g.owner AND late.number < n.next))
    FROM given g CROSS JOIN LATERAL ${NEXT(position)})`;

const PAGE: Statement = {
  name: 'cdr_pages_together',
  text: `WITH RECURSIVE ${GIVEN},
    halved (low, high) AS (
      SELECT 0::bigint, (SELECT max("position") + 1 FROM cdrs)
      UNION ALL
      SELECT CASE WHEN b.before <= $8 THEN b.middle ELSE h.low END, CASE WHEN b.before <= $8 THEN h.high ELSE b.middle END
      FROM halved h
      CROSS JOIN LATERAL (SELECT m.middle, ${BEFORE('m.middle')} AS before FROM (SELECT (h.low + h.high) / 2 AS middle) m OFFSET 0) b
      WHERE h.high - h.low > 1
    ),
    page AS (
      SELECT p."position" FROM halved h CROSS JOIN given g CROSS JOIN LATERAL ${NEXT('h.low')} CROSS JOIN LATERAL (
        (SELECT c."position" FROM cdrs c
         WHERE c.own AND c.token_party = g.owner AND c.number >= greatest(g.first, n.next) AND c.number < g.until
           AND NOT EXISTS (SELECT FROM gaps WHERE gaps.owner = g.owner AND gaps.number = c.number)
         ORDER BY c.number LIMIT $9)
        UNION ALL
        (SELECT c."position" FROM late JOIN cdrs c ON c.own AND c.token_party = late.owner AND c.number = late.number
         WHERE late.owner = g.owner AND c."position" >= h.low)) p
      WHERE h.high - h.low = 1 ORDER BY p."position" LIMIT $9
    )
    ${SELECT} WHERE c."position" IN (SELECT "position" FROM page) ORDER BY c."position"`,
};
