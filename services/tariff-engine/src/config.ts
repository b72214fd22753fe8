import { z } from 'zod';
import type { Settings } from '#settings';
import type { Offer } from './choice.ts';

/** One of our tariffs in OCPI's own field names, without country_code, party_id and last_updated. */
const tariff = z.looseObject({ id: z.string().min(1) });

export function tariffsOf(settings: Settings) {
  return settings.list('tariffs', tariff);
}

const offer = z.strictObject({
  to: z.array(z.strictObject({ country_code: z.string().length(2), party_id: z.string().length(3) })).min(1),
  tariff_ids: z.array(z.string().min(1)).min(1),
});

/** Tariffs that are for some partners only. */
export function offersOf(settings: Settings): Offer[] {
  return settings.list('tariff_offers', offer).map(({ to, tariff_ids: tariffIds }) => ({ to, tariffIds }));
}
