import { Controller, Inject } from '@nestjs/common';
import { Answers, each, withinOneAnswer } from '#bus';
import {
  type GetLocation, getLocation, type ListLocations, listLocations, type ListTariffUses, listTariffUses,
  type PutPartnerLocation, putPartnerLocation, type ResolveEvse, resolveEvse, type ResolveStation, resolveStation, type SearchEvses, searchEvses,
} from '#contracts/locations';
import { Change } from '#contracts/party';
import { toJsonBytes } from '#contracts';
import { type Change as Changed, Locations, type ResolvedEvse } from './locations.ts';

const changeOf: Readonly<Record<Changed, Change>> = {
  created: Change.CREATED, updated: Change.UPDATED, unchanged: Change.UNCHANGED, stale: Change.STALE,
};

const USES_MAX = 100;

@Controller()
export class AskController {
  constructor(@Inject(Locations) private readonly locations: Locations) {}

  @Answers(resolveEvse)
  resolveEvse(requests: ResolveEvse[]) {
    return each(requests, async ({ locationId, evseUid, connectorId }) =>
      resolved(await this.locations.resolve(locationId, evseUid, connectorId)));
  }

  @Answers(resolveStation)
  resolveStation(requests: ResolveStation[]) {
    return each(requests, async ({ stationId, stationConnector }) =>
      resolved(await this.locations.resolveStation(stationId, stationConnector)));
  }

  @Answers(listLocations)
  listLocations(requests: ListLocations[]) {
    return each(requests, async ({ page }) => {
      const { texts, total } = await this.locations.list(page!);
      return { objectsJson: withinOneAnswer(texts.map(toJsonBytes), (json) => json), total };
    });
  }

  @Answers(getLocation)
  getLocation(requests: GetLocation[]) {
    return each(requests, async ({ party, locationId }) => {
      const held = await this.locations.find({ ...party!, locationId });
      return held ? { locationJson: toJsonBytes(held.text), own: held.own } : { own: false };
    });
  }

  @Answers(listTariffUses)
  listTariffUses(requests: ListTariffUses[]) {
    return each(requests, ({ tariffId }) => this.locations.tariffUses(tariffId, USES_MAX));
  }

  @Answers(putPartnerLocation)
  putPartnerLocation(requests: PutPartnerLocation[]) {
    return each(requests, async ({ party, bodyJson, ...push }) => ({
      change: changeOf[await this.locations.put({ ...party!, ...push, body: bodyJson })],
    }));
  }

  @Answers(searchEvses)
  searchEvses(requests: SearchEvses[]) {
    return each(requests, async (search) => {
      const found = await this.locations.search({ ...search, standards: search.connectorStandards });
      const evses = found.map(({ evseUid, text, distanceM }) => {
        const { country_code: countryCode, party_id: partyId, id } = JSON.parse(text) as Record<string, string>;
        return {
          party: { countryCode: countryCode!, partyId: partyId! },
          locationId: id!,
          evseUid,
          locationJson: toJsonBytes(text),
          ...(distanceM === undefined ? {} : { distanceM }),
        };
      });
      return { evses: withinOneAnswer(evses, ({ locationJson }) => locationJson) };
    });
  }
}

function resolved({ held, ...plug }: ResolvedEvse) {
  return {
    party: { countryCode: held.location.country_code, partyId: held.location.party_id },
    locationId: plug.locationId,
    evseUid: plug.evseUid,
    connectorId: plug.connectorId,
    stationId: plug.stationId,
    stationConnector: plug.stationConnector,
    locationJson: toJsonBytes(held.text),
    evseStatus: plug.status,
  };
}
