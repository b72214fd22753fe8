import { createHash } from 'node:crypto';
import { Unanswered } from '#bus';
import type { OcpiRequest } from './exchange.ts';

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
