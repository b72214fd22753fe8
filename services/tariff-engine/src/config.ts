import { z } from 'zod';
import type { Settings } from '#settings';

/** Our tariffs in OCPI's own field names, without country_code, party_id and last_updated. */
const tariffs = z.preprocess(
  (given) => (Array.isArray(given) ? given : Object.keys((given ?? {}) as object).length === 0 ? [] : given),
  z.array(z.looseObject({ id: z.string().min(1) })),
);

export function tariffsOf(settings: Settings) {
  return settings.section('tariffs', tariffs);
}
