import { Controller, Inject } from '@nestjs/common';
import { Answers, each, withinOneAnswer } from '#bus';
import {
  dropHeldLocations, type GetLocation, getLocation, listHeldLocations, type ListLocations, listLocations,
  type ListTariffUses, listTariffUses, type PutPartnerLocation, putPartnerLocation, type ResolveEvse, resolveEvse,
  type ResolveStation, resolveStation, type SearchEvses, searchEvses,
} from '#contracts/locations';
import { busParty, Change, type DropHeld, type ListHeld, ocpiParty } from '#contracts/party';
import { toJsonBytes } from '#contracts';
import { pageAnswer } from '#contracts/page';
import { Locations, type ResolvedEvse } from './locations.ts';
import type { Change as Changed } from './push.ts';

const changeOf: Readonly<Record<Changed, Change>> = {
  created: Change.CREATED, updated: Change.UPDATED, unchanged: Change.UNCHANGED, stale: Change.STALE,
};

const USES_MAX = 100;
const HELD_MAX = 5_000;

@Controller()
export class AskController {
  constructor(@Inject(Locations) private readonly locations: Locations) {}

  @Answers(resolveEvse)
  resolveEvse(requests: ResolveEvse[]) {
    return each(requests, async ({ party, ...wanted }) =>
      resolved(await this.locations.resolve({ ...wanted, party: party && ocpiParty(party) })));
  }

  @Answers(resolveStation)
  resolveStation(requests: ResolveStation[]) {
    return each(requests, async ({ stationId, stationConnector, ...how }) =>
      resolved(await this.locations.resolveStation(stationId, stationConnector, how)));
  }

  @Answers(listLocations)
  listLocations(requests: ListLocations[]) {
    return each(requests, async ({ page, owner, withPrivate, granted, seenSince, namingSince }) => pageAnswer(await this.locations.list({
      owner: owner && ocpiParty(owner), withPrivate, granted: granted.map(({ ids, owner: of }) => ({ owner: ocpiParty(of!), ids })),
      seenSince: seenSince.map(({ owner: of, parties }) => ({ owner: ocpiParty(of!), parties })), namingSince,
    }, page!)));
  }

  @Answers(getLocation)
  getLocation(requests: GetLocation[]) {
    return each(requests, async ({ party, locationId }) => {
      const held = party ? await this.locations.find({ ...party, locationId }) : await this.locations.findOwn(locationId);
      return held ? { locationJson: toJsonBytes(held.text), own: held.own, private: held.isPrivate } : { own: false };
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

  @Answers(listHeldLocations)
  listHeld(requests: ListHeld[]) {
    return each(requests, async ({ party, after, limit }) => ({
      keys: await this.locations.held(party!, after, Math.min(limit, HELD_MAX)),
    }));
  }

  @Answers(dropHeldLocations)
  dropHeld(requests: DropHeld[]) {
    return each(requests, async ({ party, keys, askedAt }) => {
      const dropped: string[] = [];
      for (const locationId of keys) if (await this.locations.drop({ ...party!, locationId }, askedAt)) dropped.push(locationId);
      return { keys: dropped };
    });
  }

  @Answers(searchEvses)
  searchEvses(requests: SearchEvses[]) {
    return each(requests, async (search) => {
      const tokens = search.tokens.map(({ visualNumber: visual_number, groupId: group_id, ...token }) => ({
        ...token,
        visual_number,
        group_id,
      }));
      const found = await this.locations.search({ ...search, tokens, standards: search.connectorStandards });
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
    party: busParty(held.location),
    locationId: plug.locationId,
    evseUid: plug.evseUid,
    connectorId: plug.connectorId,
    stationId: plug.stationId,
    stationConnector: plug.stationConnector,
    locationJson: toJsonBytes(held.text),
    evseStatus: plug.status,
    private: held.isPrivate,
    stationConnectors: [...(plug.stationConnectors ?? [])],
  };
}
