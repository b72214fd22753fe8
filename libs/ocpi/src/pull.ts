import type { Done, Outcome, Refused, Unclear, Unreachable } from './client.ts';
import type { OnHeaders } from './exchange.ts';
import { headerText, type Headers } from './headers.ts';
import { nextLink } from './pages.ts';

/** One page of a list, or why the list ends here. */
export type Page = Refused | Unreachable | Unclear | {
  readonly kind: 'page';
  /** Each to be read by itself: one that is invalid never fails the others. TRN-55. */
  readonly objects: readonly unknown[];
  /** X-Total-Count, where the partner sends it. */
  readonly total: number | undefined;
  /** X-Limit, where the partner sends it. */
  readonly limit: number | undefined;
  readonly url: string;
  /** Of the last page: objects of X-Total-Count that are on no page to which a Link led: the list is not whole. */
  readonly unlinked: number;
  /** Neither a Link nor X-Total-Count told of it: it was asked for by offset, because the page before was full. */
  readonly untold: boolean;
};

/** One after the other; there may be pages of which a partner shows us nothing, and one page may begin as the one before. */
const NO_NEWS_AT_MOST = 100;

export interface PullOptions {
  /** Where a Link is missing, goes on by offset: a partner's quirk. */
  readonly byOffset?: boolean;
  /** No list is longer than this, or than twice what it counts: what always has one page more comes to an end. */
  readonly pagesAtMost?: number;
  readonly objectsAtMost?: number;
}

type Get = (url: string, onHeaders: OnHeaders) => Promise<Outcome>;

/** A page that is on its way. */
interface Asked {
  readonly url: string;
  /** Before its body; undefined where it is no page. */
  readonly headers: Promise<Headers | undefined>;
  readonly outcome: Promise<Outcome>;
  /** What its body took. */
  bodyMs: number;
}

/** A body that takes longer has its line for itself: two would both be late. */
const SHORT_BODY_MS = 500;

/**
 * Reads a list page by page, following Link within the origin of its first page; the last thing it gives
 * is the last page, or why there is no more. While a page is read and taken in, the one behind it is on its way.
 */
export async function* pulled(
  get: Get, first: string, { byOffset = false, pagesAtMost = 100_000, objectsAtMost = 10_000_000 }: PullOptions = {},
): AsyncGenerator<Page, void> {
  const seen = new Set<string>();
  const begun = new Set<string>();
  let isLinked = false;
  let read = 0;
  let untold = false;
  let total: number | undefined;
  let withoutNews = 0;
  let back = 0;
  let before: string | undefined;
  let reached = offsetOf(first);
  let ahead: Asked | undefined;
  let bodyMs = NaN;
  for (let url: string | undefined = first; url !== undefined;) {
    seen.add(url);
    const asked: Asked = ahead?.url === url ? ahead : ask(get, url);
    const early: Headers | undefined = await asked.headers;
    const following: string | undefined = early && bodyMs < SHORT_BODY_MS ? within(first, url, nextLink(early['link'])) : undefined;
    ahead = following === undefined || seen.has(following) || back > 0 ? undefined : ask(get, following);
    const outcome: Outcome = await asked.outcome;
    ({ bodyMs } = asked);
    // Where nothing tells of more, a refusal of what is behind the end is its end.
    if (untold && isBehindTheEnd(outcome)) return;
    if (outcome.kind !== 'ok') return yield outcome;
    const { http, data, headers }: Done = outcome;
    const refused = (message: string): Refused => ({ kind: 'refused', http, message });
    if (!Array.isArray(data)) return yield refused('the data of the list is no list');
    const count = countOf(headers, 'x-total-count');
    const again = earlier(url, (total ?? 0) - (count ?? total ?? 0));
    total = count;
    if (again !== undefined && !seen.has(again)) {
      if (++back > NO_NEWS_AT_MOST) return yield refused(`X-Total-Count became smaller ${back} times, and no page was brought`);
      seen.delete(url); // Nothing was read of it: the Link may lead there again.
      url = again;
      continue;
    }
    back = 0;
    const told: string | undefined = nextLink(headers['link']);
    // A Link to elsewhere, as behind a proxy: whoever goes on by offset needs none.
    const linked: string | undefined = byOffset && within(first, url, told) === undefined ? undefined : told;
    const limit = countOf(headers, 'x-limit');
    const now: string | undefined = data.length === 0 ? undefined : nameOf(data[0]);
    const isSame: boolean = now !== undefined && now === before;
    if (untold && (data.length === 0 || (isSame && limit === undefined))) return; // The page before was all, or the list has no pages.
    isLinked ||= linked !== undefined;
    const mayGoOn: boolean = !byOffset && !isLinked && total === undefined && isFull(url, data.length, limit);
    const link: string | undefined = linked ?? (byOffset || mayGoOn ? behind(url, data.length, total) : undefined);
    reached += data.length;
    read += data.length;
    const unlinked = link === undefined && !byOffset ? Math.max(0, (total ?? 0) - Math.min(reached, endOf(url, data.length) ?? reached)) : 0;
    const page: Page = { kind: 'page', objects: data, total, limit, url, unlinked, untold };
    if (link === undefined) return yield page;
    withoutNews = now === undefined || begun.has(now) ? withoutNews + 1 : 0;
    if (now !== undefined) begun.add(now);
    const next: string | undefined = within(first, url, link);
    const end = withoutNews > NO_NEWS_AT_MOST ? `${withoutNews} pages of the list bring nothing new, and it has no end`
      : linked === undefined && isSame ? 'the page is the same at another offset'
      : next === undefined ? `the next page is elsewhere: ${link.slice(0, 100)}`
      : seen.has(next) ? 'the Link leads back to a page read before'
      : seen.size >= Math.max(pagesAtMost, 2 * (total ?? 0)) || read >= Math.max(objectsAtMost, 2 * (total ?? 0))
        ? `the list has no end: ${read} objects on ${seen.size} pages, and X-Total-Count ${total ?? 'is not sent'}`
      : undefined;
    untold = mayGoOn && linked === undefined;
    before = now;
    url = next;
    if (end === undefined && url !== undefined && ahead?.url !== url) ahead = ask(get, url);
    yield page;
    if (end !== undefined) return yield refused(end);
  }
}

function ask(get: Get, url: string): Asked {
  const { promise: headers, resolve } = Promise.withResolvers<Headers | undefined>();
  let fromMs = NaN;
  const outcome = get(url, (http, early) => {
    if (http < 200 || http >= 300) return;
    fromMs = performance.now();
    resolve(early);
  });
  const asked: Asked = { url, headers, outcome, bodyMs: NaN };
  const ended = () => {
    asked.bodyMs = performance.now() - fromMs;
    resolve(undefined);
  };
  // A failure is thrown where the outcome is waited for; who reads no further is not told.
  outcome.then(ended, ended);
  return asked;
}

/** Where a page's Link leads; undefined: not within the origin of the first page. */
function within(first: string, url: string, link: string | undefined): string | undefined {
  if (link === undefined || !URL.canParse(link, url)) return undefined;
  const { origin, href } = new URL(link, url);
  return origin === new URL(first).origin ? href : undefined;
}

function countOf(headers: Headers, name: string): number | undefined {
  const text = headerText(headers, name) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** By what an object is known again, also where it was changed meanwhile. */
function nameOf(object: unknown): string {
  const { country_code, party_id, id, uid, type } = (object ?? {}) as Readonly<Record<string, unknown>>;
  return JSON.stringify(id === undefined && uid === undefined ? object : [country_code, party_id, id ?? null, uid ?? null, uid === undefined ? null : type]);
}

/** Refused for what is asked for: not because we are to wait, or not let in. */
function isBehindTheEnd(outcome: Outcome): boolean {
  if (outcome.kind !== 'refused') return false;
  return [400, 404, 416, 422].includes(outcome.http) || (outcome.http < 300 && Math.floor((outcome.statusCode ?? 0) / 1_000) === 2);
}

/** As many objects as a page may have, or nothing says how many that is. */
function isFull(url: string, objects: number, limit: number | undefined): boolean {
  const asked = Number(new URL(url).searchParams.get('limit') ?? Infinity);
  return limit === undefined && asked === Infinity ? true : objects >= Math.min(limit ?? Infinity, asked);
}

function offsetOf(url: string): number {
  return Number(new URL(url).searchParams.get('offset') ?? 0) || 0;
}

/** Where a page ends, if its URL says so. */
function endOf(url: string, objects: number): number | undefined {
  return new URL(url).searchParams.has('offset') ? offsetOf(url) + objects : undefined;
}

/** The page behind this one; undefined: there is none, or this one is empty. */
function behind(url: string, objects: number, total: number | undefined): string | undefined {
  const offset = offsetOf(url) + objects;
  if (objects === 0 || (total !== undefined && offset >= total)) return undefined;
  const page = new URL(url);
  page.searchParams.set('offset', String(offset));
  return page.href;
}

/**
 * The same page `gone` objects earlier, when so many left the list since the page before: the rest moved
 * up, and some of it would be skipped. Objects read twice do no harm. TRN-54.
 */
function earlier(url: string, gone: number): string | undefined {
  const page = new URL(url);
  const offset = offsetOf(url);
  if (!(gone > 0 && offset > 0)) return undefined;
  page.searchParams.set('offset', String(Math.max(0, offset - gone)));
  return page.href;
}
