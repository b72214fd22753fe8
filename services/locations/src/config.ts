import { z } from 'zod';
import { BadSettings, type Settings } from '#settings';
import { isTimeZone } from '#time';
import { plugsOf } from './own-locations.ts';

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
const location = z.looseObject({
  id: z.string().min(1),
  time_zone: z.string().refine(isTimeZone, 'an IANA time zone, such as America/Vancouver'),
  evses: z.array(evse).default([]),
});

export type LocationSettings = z.output<typeof location>;

export function locationsOf(settings: Settings): LocationSettings[] {
  const locations = settings.list('locations', location);
  const places = Map.groupBy(plugsOf(locations), (plug) => `connector ${plug.stationConnector} of station ${plug.stationId}`);
  for (const [name, plugs] of places) {
    if (plugs.length === 1) continue;
    const evses = plugs.map(({ evseUid }) => evseUid).join(' and ');
    throw new BadSettings(`${settings.file}: locations: ${name} is at EVSEs ${evses}: give each a station_connector of its own`);
  }
  return locations;
}
