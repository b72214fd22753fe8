import { gzipSync } from 'node:zlib';

// What OCPI leaves to a platform, all of it taken by one: nothing of it is a fault.

const lower = new Set(['id', 'uid', 'country_code', 'party_id', 'evse_uid', 'tariff_id', 'contract_id']);
const shuffled = new Set(['evses', 'connectors', 'dimensions', 'capabilities', 'facilities']);

/** An object as it is given back: ids in small letters, lists in its own order, nulls and defaults for what was left out. */
export function retold(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) {
    const all = value.map((one) => retold(one, field));
    return shuffled.has(field) ? all.toReversed() : all;
  }
  if (typeof value === 'string') {
    if (field === 'latitude') return Number(value).toFixed(7);
    return lower.has(field) ? value.toLowerCase() : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const own = Object.entries(value).map(([name, one]) => [name, retold(one, name)] as const);
  return { ...('time_zone' in value ? { charging_when_closed: true, suboperator: null, images: [] } : {}), ...Object.fromEntries(own), vendor_note: 'kept' };
}

/** Instants with fractional digits, as many as fit into 25 characters. */
export function withFractions(json: string): string {
  return json.replace(/(T\d\d:\d\d:\d\d)Z"/g, '$1.0000Z"');
}

/** Packed, where nobody said that it must not be. RFC 9110 §12.5.3. */
export function packed(
  answer: { http: number; headers: Record<string, string>; body: string }, codings: string | undefined,
): { http: number; headers: Record<string, string>; body: string | Buffer } {
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name.toUpperCase(), value]));
  if (codings !== undefined) return { ...answer, headers, body: withFractions(answer.body) };
  return { ...answer, headers: { ...headers, 'CONTENT-ENCODING': 'gzip' }, body: gzipSync(withFractions(answer.body)) };
}

/** A Link that only its server understands, but for the filters. */
export function withCursor(link: string): string {
  return link.replace(/offset=(\d+)&limit=(\d+)/, 'cursor=$1.$2');
}

export function cursorRead(query: URLSearchParams): URLSearchParams {
  const [offset, limit] = query.get('cursor')?.split('.') ?? [];
  if (offset === undefined || limit === undefined) return query;
  const read = new URLSearchParams(query);
  read.delete('cursor');
  read.set('offset', offset);
  read.set('limit', limit);
  return read;
}

/** Endpoints with a slash behind them. */
export function slashed<E extends { readonly url: string }>(endpoints: readonly E[]): E[] {
  return endpoints.map((one) => ({ ...one, url: `${one.url}/` }));
}
