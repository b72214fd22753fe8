import type { Outcome, Refused, Unclear, Unreachable } from './client.ts';
import { headerText, type Headers } from './headers.ts';
import { nextLink } from './pages.ts';

/** One page of a list, or why the list ends here. */
export type Page = Refused | Unreachable | Unclear | {
  readonly kind: 'page';
  /** Each to be read by itself: one that is invalid never fails the others. TRN-55. */
  readonly objects: readonly unknown[];
  /** X-Total-Count, where the partner sends it. */
  readonly total: number | undefined;
  readonly url: string;
};

/** One after the other; there may be pages of which a partner shows us nothing. */
const EMPTY_AT_MOST = 100;

/**
 * Reads a list page by page, following Link within the origin of its first page; the last thing it gives
 * is the last page, or why there is no more.
 */
export async function* pulled(
  get: (url: string) => Promise<Outcome>, first: string,
): AsyncGenerator<Page, void> {
  const seen = new Set<string>();
  let total: number | undefined;
  let empty = 0;
  for (let url: string | undefined = first; url !== undefined;) {
    seen.add(url);
    const outcome: Outcome = await get(url);
    if (outcome.kind !== 'ok') return yield outcome;
    const { http, data, headers } = outcome;
    if (!Array.isArray(data)) return yield { kind: 'refused', http, message: 'the data of the list is no list' };
    const count = totalOf(headers);
    const again = earlier(url, (total ?? 0) - (count ?? total ?? 0));
    total = count;
    if (again !== undefined && !seen.has(again)) {
      url = again;
      continue;
    }
    yield { kind: 'page', objects: data, total, url };
    empty = data.length === 0 ? empty + 1 : 0;
    if (empty > EMPTY_AT_MOST) return yield { kind: 'refused', http, message: `${empty} pages of the list are empty, and it has no end` };
    const link: string | undefined = nextLink(headerText(headers, 'link'));
    if (link === undefined) return;
    const next: URL | undefined = URL.canParse(link, url) ? new URL(link, url) : undefined;
    if (next?.origin !== new URL(first).origin) {
      return yield { kind: 'refused', http, message: `the next page is elsewhere: ${link.slice(0, 100)}` };
    }
    if (seen.has(next.href)) {
      return yield { kind: 'refused', http, message: 'the Link leads back to a page read before' };
    }
    url = next.href;
  }
}

function totalOf(headers: Headers): number | undefined {
  const text = headerText(headers, 'x-total-count') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * The same page `gone` objects earlier, when so many left the list since the page before: the rest moved
 * up, and some of it would be skipped. Objects read twice do no harm. TRN-54.
 */
function earlier(url: string, gone: number): string | undefined {
  const page = new URL(url);
  const offset = Number(page.searchParams.get('offset') ?? 0);
  if (!(gone > 0 && offset > 0)) return undefined;
  page.searchParams.set('offset', String(Math.max(0, offset - gone)));
  return page.href;
}
