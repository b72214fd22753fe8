import { z } from 'zod';
import type { Settings } from '#settings';

/**
 * One of our tariffs in OCPI's own field names, without last_updated. country_code and party_id say
 * which of our parties offers it: without them the first that is a CPO.
 */
const tariff = z.looseObject({
  id: z.string().min(1), country_code: z.string().optional(), party_id: z.string().optional(),
  offered_to: z.string().optional(),
});

export function tariffsOf(settings: Settings) {
  return settings.list('tariffs', tariff).map(({ offered_to: _, ...described }) => described);
}
