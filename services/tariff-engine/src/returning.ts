import type { TariffPublished } from '#contracts/tariff-engine';
import { fromJsonBytes } from '#contracts';
import type { Due } from '#due';
import type { Tariff } from '#ocpi';
import { instant } from '#time';
import { streamOf, type TariffKey } from './tariff-key.ts';

export type Returning = TariffKey & { readonly version: number };

/**
 * When a price of ours for a time is over: one that says when it begins and when it ends. One that was only given an end
 * stays ended.
 */
export function returnDue({ own, party, tariffId, version, tariffJson }: TariffPublished): Due | undefined {
  if (!own) return undefined;
  const { start_date_time: start, end_date_time: end } = fromJsonBytes<Tariff>(tariffJson);
  if (start == null || end == null) return undefined;
  const { countryCode, partyId } = party!;
  const body: Returning = { party: { countryCode, partyId }, tariffId, version };
  const key = `return ${streamOf(body)}`;
  return { id: `${key} ${version}`, key, kind: 'return-earlier', at: instant(end), body };
}
