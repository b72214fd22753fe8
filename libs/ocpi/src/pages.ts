import { DateTime } from './fields.ts';

/** What of a list is asked for. TRN-50. */
export interface PageQuery {
  /** last_updated, inclusive. */
  readonly dateFrom?: string;
  /** last_updated, exclusive. */
  readonly dateTo?: string;
  readonly offset: number;
  /** Already capped to the server's own. */
  readonly limit: number;
  /** Where an earlier page ended, by a parameter of our own in its Link; holds beside an offset behind it. */
  readonly after?: PageEnd;
}

/** The object of this position, in order of creation, is the last of the first `offset` ones. */
export interface PageEnd {
  readonly position: bigint;
  readonly offset: number;
}

export interface PageRules {
  /** Most objects per page of this server: X-Limit. */
  readonly maxLimit: number;
  /** Sessions are the one list where date_from is required. */
  readonly dateFromRequired?: boolean;
  /** Of OCPI, as who asks speaks it: for what a refusal says. */
  readonly version?: string;
}

export type PageReading =
  | { readonly ok: true; readonly page: PageQuery }
  | { readonly ok: false; readonly message: string };

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** No list is longer: behind it a page is as empty as behind the end. */
const OFFSET_MAX = 2 ** 31 - 1;

/** Reads date_from, date_to, offset and limit; what is wrong is 2001 with HTTP 200 (TRN-56, D25). */
export function readPage(query: Query, { maxLimit, dateFromRequired = false, version = '2.2.1' }: PageRules): PageReading {
  const wrong = (message: string): PageReading => ({ ok: false, message: `${message} (OCPI ${version})` });
  for (const name of ['date_from', 'date_to', 'offset', 'limit']) {
    if (Array.isArray(query[name])) return wrong(`${name} is given more than once`);
  }
  const { date_from, date_to, offset = '0', limit } = query as Record<string, string | undefined>;
  if (dateFromRequired && !date_from) return wrong('date_from is missing; it is required for this list');
  for (const [name, date] of [['date_from', date_from], ['date_to', date_to]] as const) {
    if (date !== undefined && !DateTime.safeParse(date).success) {
      return wrong(`${name} must be a DateTime such as 2022-02-01T17:00:00Z`);
    }
  }
  if (!/^\d{1,15}$/.test(offset)) return wrong('offset must be a whole number of at least 0');
  if (limit !== undefined && !/^0*[1-9]\d{0,14}$/.test(limit)) {
    return wrong('limit must be a whole number of at least 1');
  }
  return {
    ok: true,
    page: {
      ...(date_from === undefined ? {} : { dateFrom: date_from }),
      ...(date_to === undefined ? {} : { dateTo: date_to }),
      offset: Math.min(Number(offset), OFFSET_MAX),
      limit: Math.min(Number(limit ?? maxLimit), maxLimit),
      ...endOf(query.after),
    },
  };
}

/** What is no end of a page of ours is no parameter that OCPI knows: the offset says it all. */
function endOf(after: Query[string]): { after?: PageEnd } {
  const [, position, offset] = (typeof after === 'string' && /^(\d{1,18})\.(\d{1,10})$/.exec(after)) || [];
  return position === undefined ? {} : { after: { position: BigInt(position), offset: Number(offset) } };
}

/**
 * The headers of a page: X-Total-Count of all that match and this client may see, X-Limit, and unless
 * it is the last page the Link to the next with all filters. `url` is the list's public URL. TRN-52, TRN-53.
 */
export function pageHeaders(
  url: string, page: PageQuery, total: number, maxLimit: number, next: NextPage = nextByOffset(page, total),
): Record<string, string> {
  const headers = { 'X-Total-Count': String(total), 'X-Limit': String(maxLimit) };
  if (next === 'none') return headers;
  const { offset, position } = next;
  const link = new URL(url);
  link.search = '';
  if (page.dateFrom !== undefined) link.searchParams.set('date_from', page.dateFrom);
  if (page.dateTo !== undefined) link.searchParams.set('date_to', page.dateTo);
  link.searchParams.set('offset', String(offset));
  link.searchParams.set('limit', String(page.limit));
  if (position !== undefined) link.searchParams.set('after', `${position}.${offset}`);
  return { ...headers, Link: `<${link.href}>; rel="next"` };
}

/** Where the next page begins: at an offset, and where it is known behind an object's position. */
export type NextPage = 'none' | { readonly offset: number; readonly position?: bigint };

function nextByOffset({ offset, limit }: PageQuery, total: number): NextPage {
  return offset + limit < total ? { offset: offset + limit } : 'none';
}

/** The URL of the next page out of the Link header, of which there may be several, as it was written; undefined on the last page. */
export function nextLink(header: string | readonly string[] | undefined): string | undefined {
  for (const [, url, parameters = ''] of [header ?? []].flat().join(', ').matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*("[^"]*\bnext\b[^"]*"|next\b)/i.test(parameters)) return url;
  }
  return undefined;
}
