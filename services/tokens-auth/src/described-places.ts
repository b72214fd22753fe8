import { z } from 'zod';
import type { Location, Party } from '#ocpi';
import { BadSettings, type Settings } from '#settings';

/** What of our Locations decides who may charge there; the rest is for the service that owns them. */
const location = z.looseObject({
  id: z.string().min(1),
  private: z.boolean().default(false),
  publish_allowed_to: z.array(z.unknown()).nullish(),
  evses: z.array(z.looseObject({
    uid: z.string().min(1),
    station: z.string().optional(),
    connectors: z.array(z.looseObject({ station_connector: z.int().optional() })).default([]),
  })).default([]),
});

export interface DescribedPlace {
  readonly stationId: string;
  readonly stationConnector: number;
  readonly owner: Party;
  readonly locationId: string;
  readonly evseUid: string;
  readonly private: Pick<Location, 'publish_allowed_to'> | undefined;
}

/** Where stations are by the settings, until `locations` says so. */
export function describedPlaces(settings: Settings): DescribedPlace[] {
  return settings.list('locations', location).flatMap(({ id, private: isPrivate, publish_allowed_to: allowed, evses, ...one }) => {
    const owner = settings.parties.ownerOf(one as Partial<Party>, 'CPO');
    if (!owner.ok) throw new BadSettings(`${settings.file}: locations: ${id}: ${owner.message}`);
    const named = allowed ? { publish_allowed_to: allowed as NonNullable<Location['publish_allowed_to']> } : {};
    return evses.flatMap(({ uid, station, connectors }) => (station === undefined ? [] : connectors.map((connector, n) => ({
      stationId: station, stationConnector: connector.station_connector ?? n + 1,
      owner: owner.party, locationId: id, evseUid: uid, private: isPrivate ? named : undefined,
    }))));
  });
}
