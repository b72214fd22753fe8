import { allowedUrl, instantMs, type Party } from '#ocpi';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import type { OcpiRequest } from '../exchange.ts';
import type { Calls } from '../partners/calls.ts';
import type { Partner } from '../partners/partner.ts';
import { refuse } from '../refusals.ts';
import { keepCrossing } from './crossings.ts';

export interface CrossingUrlsParts {
  readonly db: Database;
  readonly calls: Pick<Calls, 'allowPrivate'>;
  readonly clock: Clock;
  /** Of the ids in crossings. */
  readonly key: Buffer;
  readonly publicUrl: () => string;
}

export const CROSSING_PATH = '/ocpi/2.2.1/crossing';
/** Results of commands and next pages are asked for soon, or never; that a reservation is over, as long as it may hold. CMD-10. */
export const CROSSING_MS = 86_400_000;
const RESERVED_MS_MAX = 60 * CROSSING_MS;

/** A URL of one member that another may call, but through us. HUB-20. */
export class CrossingUrls {
  constructor(private readonly parts: CrossingUrlsParts) {}

  /** A URL in an answer from `base`, absolute; undefined where it is none, or one that is not to be called. */
  callable(text: string | undefined, base: string): string | undefined {
    if (text === undefined || !URL.canParse(text, base)) return undefined;
    const { href } = new URL(text, base);
    return allowedUrl(href, { allowPrivate: this.parts.calls.allowPrivate }).ok ? href : undefined;
  }

  /** What the far side is to call back, it calls through us: in a body or in a query. HUB-20. */
  async crossed({ caller, from }: { readonly caller: Partner; readonly from: Party }, target: Partner, { body, text, search }: OcpiRequest): Promise<{ text: string; search: string }> {
    const { response_url: inBody, expiry_date: expiry } = (body ?? {}) as { response_url?: unknown; expiry_date?: unknown };
    const reservedMs = (typeof expiry === 'string' ? instantMs(expiry) ?? 0 : 0) - this.parts.clock.now();
    const forMs = CROSSING_MS + Math.min(Math.max(reservedMs, 0), RESERVED_MS_MAX);
    const give = (url: string) => {
      const allowed = allowedUrl(url, { allowPrivate: this.parts.calls.allowPrivate });
      if (!allowed.ok) throw refuse('invalid-parameters', `response_url: ${allowed.message}`);
      return this.of({ owner: caller.id, party: from, holder: target.id, url }, forMs);
    };
    const query = new URLSearchParams(search);
    const inQuery = query.get('response_url');
    if (inQuery !== null) query.set('response_url', await give(inQuery));
    return {
      text: typeof inBody === 'string' ? JSON.stringify({ ...(body as object), response_url: await give(inBody) }) : text,
      search: inQuery === null ? search : `?${query}`,
    };
  }

  async of(crossing: { owner: string; party: Party; holder: string; url: string }, forMs?: number): Promise<string> {
    const { db, key, clock, publicUrl } = this.parts;
    const id = await keepCrossing(db, key, crossing, forMs === undefined ? undefined : clock.now() + forMs);
    return `${publicUrl()}${CROSSING_PATH}/${id}`;
  }
}
