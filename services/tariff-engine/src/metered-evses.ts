import { z } from 'zod';
import { describedOffers } from '#grants';
import { idKey, sameId, sameParty, type Party } from '#ocpi';
import { type EvseFacts, METER_STANDINGS } from '#pricing';
import { BadSettings, type Settings } from '#settings';

const MeterStanding = z.enum(METER_STANDINGS);

/** What of our Locations decides about a price per kWh in Canada; the rest is for the service that owns them. */
const location = z.looseObject({
  id: z.string().min(1),
  country_code: z.string().optional(),
  party_id: z.string().optional(),
  time_zone: z.string().optional(),
  private: z.boolean().optional(),
  /** Of all its EVSEs that do not say otherwise. */
  meter_standing: MeterStanding.optional(),
  evses: z.array(z.looseObject({
    uid: z.string().min(1),
    evse_id: z.string().optional(),
    meter_standing: MeterStanding.optional(),
    connectors: z.array(z.looseObject({ tariff_ids: z.array(z.string()).optional() })).default([]),
  })).default([]),
});

/** Our Locations as the settings describe them, read once. */
export function describedLocations(settings: Settings) {
  return settings.list('locations', location).map((one) => {
    const owner = settings.parties.ownerOf(one as Partial<Party>, 'CPO');
    if (!owner.ok) throw new BadSettings(`${settings.file}: locations: ${one.id}: ${owner.message}`);
    return { ...one, owner: owner.party };
  });
}

type DescribedLocations = ReturnType<typeof describedLocations>;

export interface EvsesOfTariff {
  readonly evses: readonly EvseFacts[];
  /** Of their Locations, where it is one. */
  readonly timeZone?: string;
}

/** The EVSEs of the settings whose Connectors name a tariff of one of our parties, and what Measurement Canada knows of their meters. */
export type EvsesOf = (tariff: { readonly id: string } & Party) => EvsesOfTariff | undefined;

export function evsesOf(locations: DescribedLocations): EvsesOf {
  return (tariff) => {
    const found = locations
      .filter(({ owner }) => sameParty(owner, tariff))
      .flatMap(({ evses, meter_standing: ofAll, time_zone }) =>
        evses
          .filter(({ connectors }) =>
            connectors.some(({ tariff_ids: ids = [] }) => ids.some((id) => sameId(id, tariff.id))),
          )
          .map(({ uid, evse_id: name = uid, meter_standing: meter = ofAll }) => ({
            facts: { name, ...(meter === undefined ? {} : { meter }) },
            time_zone,
          })),
      );
    if (found.length === 0) return undefined;
    const [timeZone, ...others] = new Set(found.map(({ time_zone }) => time_zone));
    return { evses: found.map(({ facts }) => facts), ...(timeZone === undefined || others.length > 0 ? {} : { timeZone }) };
  };
}

/** Every tariff that Connectors of the settings name, and their EVSEs. */
export function tariffsNamed(locations: DescribedLocations): { readonly id: string; readonly evses: readonly string[] }[] {
  const named = new Map<string, { id: string; evses: string[] }>();
  for (const { uid, evse_id: name = uid, connectors } of locations.flatMap(({ evses }) => evses)) {
    for (const id of new Set(connectors.flatMap(({ tariff_ids: ids = [] }) => ids))) {
      const known = named.get(idKey(id));
      if (known) known.evses.push(name);
      else named.set(idKey(id), { id, evses: [name] });
    }
  }
  return [...named.values()];
}

/** EVSEs that partners know of with a Connector of whose tariffs none is for everybody: to whom none is offered, it is free. */
export function evsesFreeForOthers(locations: DescribedLocations, settings: Settings): string[] {
  const forSome = new Set(describedOffers(settings).flatMap(({ tariffIds }) => tariffIds.map(idKey)));
  const isFree = ({ tariff_ids: ids = [] }: { tariff_ids?: string[] | undefined }) =>
    ids.length > 0 && ids.every((id) => forSome.has(idKey(id)));
  return locations
    .filter((one) => one.private !== true)
    .flatMap(({ evses }) => evses.filter(({ connectors }) => connectors.some(isFree)).map(({ uid, evse_id: name = uid }) => name));
}
