import { addDue, type Due } from '#due';
import type { Tariff } from '#ocpi';
import type { Database } from '#postgres';
import { instant } from '#time';
import { keyOf, streamOf, type TariffKey } from './tariff-key.ts';
import type { TariffPublished } from './tariff.ts';

export type Returning = TariffKey & { readonly version: number };

/**
 * When a price of ours for a time is over: one that says when it begins and when it ends. One that was only given an end
 * stays ended.
 */
export function returnDue(key: TariffKey, version: number, { start_date_time: start, end_date_time: end }: Tariff): Due | undefined {
  if (start == null || end == null) return undefined;
  const { party: { countryCode, partyId }, tariffId } = key;
  const body: Returning = { party: { countryCode, partyId }, tariffId, version };
  const lane = `return ${streamOf(key)}`;
  return { id: `${lane} ${version}`, key: lane, kind: 'return-earlier', at: instant(end), body };
}

/** Those of what stands: a former release that heard it published noted none. */
export async function noteReturns(db: Database, find: (key: TariffKey) => Promise<TariffPublished | undefined>): Promise<void> {
  const { rows } = await db.query<{ stream: string }>(`SELECT stream FROM offered WHERE tariff::json->>'end_date_time' IS NOT NULL`);
  for (const { stream } of rows) {
    const stands = await find(keyOf(stream));
    const returns = stands && returnDue(keyOf(stream), stands.version, JSON.parse(stands.text) as Tariff);
    if (returns) await addDue(db, returns);
  }
}
