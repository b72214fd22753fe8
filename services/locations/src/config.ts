import { z } from 'zod';
import type { Settings } from '#settings';

const connector = z.looseObject({
  id: z.string().min(1),
  /** What the station calls it; 1, 2, … */
  station_connector: z.int().positive().optional(),
});

const evse = z.looseObject({
  uid: z.string().min(1),
  /** The charging station that has it; absent for an EVSE that is not connected. */
  station: z.string().min(1).optional(),
  connectors: z.array(connector).min(1),
});

/** Our Locations in OCPI's own field names, without country_code, party_id, status and last_updated. */
const locationsSection = z.array(z.looseObject({
  id: z.string().min(1),
  evses: z.array(evse).default([]),
})).default([]);

export type LocationSettings = z.output<typeof locationsSection>[number];

export function locationsOf(settings: Settings): LocationSettings[] {
  return settings.section('locations', z.preprocess((given) => (isEmpty(given) ? [] : given), locationsSection));
}

/** An absent section is read as `{}`. */
function isEmpty(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !Array.isArray(given) && Object.keys(given).length === 0;
}
