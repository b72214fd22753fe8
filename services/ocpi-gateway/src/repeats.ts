import { createHash } from 'node:crypto';
import { Unanswered } from '#bus';
import { allowedUrl, type Routing } from '#ocpi';
import type { Database } from '#postgres';
import { type Clock, rfc3339 } from '#time';
import { keepTaken, noteAnswered, type Replied } from './command-rows.ts';
import type { OcpiRequest } from './exchange.ts';
import type { Calls } from './partners/calls.ts';
import { partiesOf } from './partners/partner.ts';
import { refuse } from './refusals.ts';

/** What a partner may assume when nobody said how long a command or a charging profile takes. */
export const TIMEOUT_S = 30;

/** A request whose result goes to its response_url. */
export interface TakenRequest {
  readonly orderId: string;
  /** Of the result. */
  readonly routing: Routing;
  readonly repeat: boolean;
  /** What it was answered when it came before. */
  readonly reply?: Replied | undefined;
}

/** Where the result goes is written down before anything can come of it. Throws a refusal of the URL. */
export async function take(
  { db, calls, clock, wake }: { readonly db: Database; readonly calls: Calls; readonly clock: Clock; readonly wake: () => void },
  request: OcpiRequest,
  command: string,
  responseUrl: string,
): Promise<TakenRequest> {
  const allowed = allowedUrl(responseUrl, { allowPrivate: calls.allowPrivate });
  if (!allowed.ok) throw refuse('invalid-parameters', `response_url: ${allowed.message}`);
  const { caller: { partner }, ids: { correlationId }, routing: { to: us, from: them } } = request;
  const orderId = nameOfRequest(request);
  const routing = { from: us, to: them ?? partiesOf(partner)[0] };
  const standing = await keepTaken(db, {
    orderId, partnerId: partner.id, command, responseUrl, correlationId, routing, takenAt: rfc3339(clock.now()),
  });
  request.afterAnswer(() => void noteAnswered(db, orderId).then(wake, () => {}));
  return { orderId, routing, ...standing };
}

/**
 * The same for a request that comes again, as a UUID: of the same partner, under the same ids, with the same
 * content. Who gives no X-Request-ID of its own says nothing again, since each request of its gets another.
 */
export function nameOfRequest({
  caller,
  ids,
  method,
  url,
  search,
  text,
}: Pick<OcpiRequest, 'caller' | 'ids' | 'method' | 'url' | 'search' | 'text'>): string {
  const parts = [caller.partner.id, ids.requestId, ids.correlationId, method, url, search, text];
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Offline: nothing was done, and that can be said the first time. Any other silence is 3000, and a result may still follow. */
export function nobodyThere(error: unknown, repeat: boolean) {
  if (repeat || !(error instanceof Unanswered) || error.reason !== 'offline') throw error;
  return { result: 'REJECTED', timeoutS: 0, message: 'It cannot be carried out now; try again later', unknownLocation: false };
}
