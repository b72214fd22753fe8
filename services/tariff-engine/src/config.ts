import { z } from 'zod';
import type { Settings } from '#settings';

/** One of our tariffs in OCPI's own field names, without country_code, party_id and last_updated. */
const tariff = z.looseObject({ id: z.string().min(1) });

export function tariffsOf(settings: Settings) {
  return settings.list('tariffs', tariff);
}
