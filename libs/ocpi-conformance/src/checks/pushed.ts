import type { Method, ModuleId } from '#ocpi';
import type { Bench, Seen } from '../bench.ts';
import { joined } from './lists.ts';

/** Requests about one object of ours at a Receiver interface. */
export interface Pushing {
  readonly url: string;
  readonly foreignUrl: string;
  call(method: Method, body?: unknown, url?: string): Promise<Seen>;
}

export function pushing(bench: Bench, module: ModuleId, id: string, query = ''): Pushing {
  const base = bench.at(module, 'RECEIVER');
  const { country_code, party_id } = bench.party;
  const url = joined(base, country_code, party_id, id) + query;
  return {
    url,
    foreignUrl: joined(base, 'NL', 'ZZZ', id) + query,
    call: (method, body, at = url) => bench.call(method, at, { module, ...(body === undefined ? {} : { body }) }),
  };
}
