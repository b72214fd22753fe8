import { dateTimeOf, type Outcome, type Page, pulled } from '#ocpi';
import type { PartnerClient } from '../partners/calls.ts';
import type { Partner } from '../partners/partner.ts';
import type { PulledModule } from './pull-rows.ts';
import { isInvalid } from '../partners/quirky.ts';
import { hasQuirk, zoneless } from '../partners/quirks.ts';
import type { Sightings } from '../partners/sightings.ts';

const SMALL_PAGE = 25;

/** Where a list begins; `fromMs`: of what changed since. */
export function listUrl(partner: Partner, module: PulledModule, endpoint: string, fromMs: number | undefined): string {
  const url = new URL(endpoint);
  if (fromMs !== undefined && takesDates(partner, module)) url.searchParams.set('date_from', dateTimeOf(Math.round(fromMs)));
  return pageUrl(partner, url.href);
}

/** A page of it, also one where an earlier run stopped. */
export function pageUrl(partner: Partner, page: string): string {
  if (!hasQuirk(partner, 'small-pages')) return page;
  const url = new URL(page);
  url.searchParams.set('limit', String(SMALL_PAGE));
  return url.href;
}

/** TRN-50: Sessions cannot be asked for without. */
export function takesDates(partner: Partner, module: PulledModule): boolean {
  return module === 'sessions' || !hasQuirk(partner, 'no-date-filter');
}

/** A list page by page, as the partner gives them; how it gives them otherwise than OCPI does is noted. */
export async function* pagesOf(
  { partner, client, sightings }: { partner: Partner; client: PartnerClient; sightings: Sightings }, module: PulledModule, first: string,
): AsyncGenerator<Page, void> {
  for await (const page of pulled((url, onHeaders) => client.get(url, { onHeaders }), first, { byOffset: hasQuirk(partner, 'no-link') })) {
    notePage(partner, sightings, { module, first }, page);
    yield page;
  }
}

function notePage(partner: Partner, sightings: Sightings, { module, first }: { module: string; first: string }, page: Page): void {
  if (page.kind === 'page') {
    if (page.total === undefined) sightings.note(partner.id, 'no-total-count', `GET of ${module}`);
    if (page.limit === undefined) sightings.note(partner.id, 'no-page-limit', `GET of ${module}`);
    for (const one of module === 'locations' ? page.objects : []) {
      const odd = zoneless(one);
      if (odd !== undefined) sightings.note(partner.id, 'unknown-time-zone', odd);
    }
    if (page.unlinked > 0)
      sightings.note(
        partner.id,
        'no-link',
        `GET of ${module}: ${page.unlinked} of ${page.total} are on no page that a Link led to`,
      );
    if (page.untold)
      sightings.note(partner.id, 'no-link', `GET of ${module}: neither a Link nor X-Total-Count told of ${new URL(page.url).search}`);
    return;
  }
  if (page.kind === 'refused' && page.message.startsWith('the next page is elsewhere')) sightings.note(partner.id, 'no-link', `GET of ${module}: ${page.message}`);
  const { searchParams } = new URL(first);
  if (isTooLong(page)) sightings.note(partner.id, 'small-pages', `GET of ${module}: ${page.message}`);
  if (module !== 'sessions' && searchParams.has('date_from') && page.kind === 'refused' && isInvalid(page))
    sightings.note(partner.id, 'no-date-filter', `GET of ${module} with date_from: ${page.message}`);
}

/** Of the partner as a whole, and not of what was asked for: it may be given later. */
export function isPassing({ http }: { readonly http: number }): boolean {
  return http >= 500 || [401, 403, 408, 429].includes(http);
}

/** A hub that could not bring it to who has it. HUB-19. */
export function isAway(page: Exclude<Outcome, { kind: 'ok' }>): boolean {
  return page.kind === 'refused' && Math.floor((page.statusCode ?? 0) / 1_000) === 4;
}

function isTooLong(page: Exclude<Outcome, { kind: 'ok' }>): page is Extract<Outcome, { kind: 'unclear' }> {
  return page.kind === 'unclear' && /^(no answer within|the answer is longer)/.test(page.message);
}
