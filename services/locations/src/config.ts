import { z } from 'zod';
import { sameId } from '#ocpi';
import { BadSettings, type Settings } from '#settings';
import { isTimeZone } from '#time';
import { plugsOf } from './own-locations.ts';

const connector = z.looseObject({
  id: z.string().min(1),
  /** What the station calls it; 1, 2, … */
  station_connector: z.int().positive().optional(),
});

const MeterStanding = z.enum(['approved', 'dispensation', 'none']);

const evse = z.looseObject({
  uid: z.string().min(1),
  /** What Measurement Canada knows of its meter; not told to partners. */
  meter_standing: MeterStanding.optional(),
  /** The charging station that has it; absent for an EVSE that is not connected. */
  station: z.string().min(1).optional(),
  connectors: z.array(connector).min(1),
});

/**
 * Our Locations in OCPI's own field names, without status and last_updated. country_code and party_id
 * say which of our parties operates there: without them the first that is a CPO.
 */
const location = z.looseObject({
  id: z.string().min(1),
  country_code: z.string().optional(),
  party_id: z.string().optional(),
  time_zone: z.string().refine(isTimeZone, 'an IANA time zone, such as America/Vancouver'),
  /** Of all its EVSEs that do not say otherwise. */
  meter_standing: MeterStanding.optional(),
  evses: z.array(evse).default([]),
  /** For no partner's eyes, in no way (LOC-07); publish: false alone is told to partners, who do not show it. */
  private: z.boolean().default(false),
});

export type LocationSettings = z.output<typeof location>;

export function locationsOf(settings: Settings): LocationSettings[] {
  const locations = settings.list('locations', location).map((one) => (one.private ? { publish: false, ...one } : one));
  for (const [index, one] of locations.entries()) {
    const first = locations.findIndex(({ id }) => sameId(id, one.id));
    if (first !== index)
      throw new BadSettings(
        `${settings.file}: locations.${index} (${one.id}): is the id of locations.${first}, too: partners ask for a Location by its id alone`,
      );
  }
  const shown = locations.find((one) => one.private && one['publish'] !== false);
  if (shown) {
    throw new BadSettings(
      `${settings.file}: locations: ${shown.id}: is private, and so cannot have publish: true; OCPI 2.2.1 (LOC-07) sends such a Location to nobody`,
    );
  }
  const places = Map.groupBy(plugsOf(locations), (plug) => `connector ${plug.stationConnector} of station ${plug.stationId}`);
  for (const [name, plugs] of places) {
    if (plugs.length === 1) continue;
    const evses = plugs.map(({ evseUid }) => evseUid).join(' and ');
    throw new BadSettings(`${settings.file}: locations: ${name} is at EVSEs ${evses}: give each a station_connector of its own`);
  }
  return locations;
}
