import type { Method, ModuleId } from '#ocpi';
import type { Bench, Seen } from '../bench.ts';
import { judgeTaken } from '../judging.ts';
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

/** application/json may say its charset, as many clients do. */
export async function judgeCharset(bench: Bench, module: ModuleId, url: string, patch: object): Promise<void> {
  const body = { ...patch, last_updated: bench.tick() };
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  judgeTaken(bench, 'TRN-11', 'a PATCH of application/json; charset=utf-8', await bench.call('PATCH', url, { module, body, headers }));
}
