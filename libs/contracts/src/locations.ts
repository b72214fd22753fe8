import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  EvseResolvedSchema,
  EvseStatusChangedSchema,
  EvsesFoundSchema,
  GetLocationSchema,
  ListLocationsSchema,
  ListTariffUsesSchema,
  LocationChangedSchema,
  LocationFoundSchema,
  PartnerEvsesChangedSchema,
  PartnerLocationChangedSchema,
  PutPartnerLocationSchema,
  ResolveEvseSchema,
  ResolveStationSchema,
  SearchEvsesSchema,
  TariffUsesSchema,
} from './gen/roamwatt/locations/v1/locations_pb.ts';
import {
  ChangedSchema, DroppedSchema, DropHeldSchema, HeldSchema, ListHeldSchema, PageSchema, type Party,
} from './gen/roamwatt/party/v1/party_pb.ts';

export {
  type EvseResolved,
  EvseResolvedSchema,
  type EvseStatusChanged,
  EvseStatusChangedSchema,
  type EvsesFound,
  EvsesFoundSchema,
  type FoundEvse,
  FoundEvseSchema,
  type GetLocation,
  GetLocationSchema,
  type ListLocations,
  ListLocationsSchema,
  type ListTariffUses,
  ListTariffUsesSchema,
  type LocationChanged,
  LocationChangedSchema,
  type LocationFound,
  LocationFoundSchema,
  type PartnerEvsesChanged,
  PartnerEvsesChangedSchema,
  type PartnerLocationChanged,
  PartnerLocationChangedSchema,
  type PutPartnerLocation,
  PutPartnerLocationSchema,
  type ResolveEvse,
  ResolveEvseSchema,
  type ResolveStation,
  ResolveStationSchema,
  type SearchEvses,
  SearchEvsesSchema,
  type TariffUse,
  TariffUseSchema,
  type TariffUses,
  TariffUsesSchema,
} from './gen/roamwatt/locations/v1/locations_pb.ts';

const context = 'locations';

export const resolveEvse = ask({
  context,
  verb: 'resolve-evse',
  request: ResolveEvseSchema,
  answer: EvseResolvedSchema,
  check: filled('locationId'),
});

export const resolveStation = ask({
  context,
  verb: 'resolve-station',
  request: ResolveStationSchema,
  answer: EvseResolvedSchema,
  check: filled('stationId'),
});

export const listLocations = ask({
  context,
  verb: 'list-locations',
  request: ListLocationsSchema,
  answer: PageSchema,
  check: filled('page'),
});

export const getLocation = ask({
  context,
  verb: 'get-location',
  request: GetLocationSchema,
  answer: LocationFoundSchema,
  check: filled('locationId'),
});

export const listTariffUses = ask({
  context,
  verb: 'list-tariff-uses',
  request: ListTariffUsesSchema,
  answer: TariffUsesSchema,
  check: filled('tariffId'),
});

export const putPartnerLocation = ask({
  context,
  verb: 'put-partner-location',
  request: PutPartnerLocationSchema,
  answer: ChangedSchema,
  check: filled('party', 'locationId', 'bodyJson'),
});

export const searchEvses = ask({
  context,
  verb: 'search-evses',
  request: SearchEvsesSchema,
  answer: EvsesFoundSchema,
  check: filled(),
});

export const locationChanged = tell({
  context,
  thing: 'location',
  happened: 'changed',
  fact: LocationChangedSchema,
  key: (fact) => fact.locationId,
  check: filled('party', 'locationId', 'locationJson', 'lastUpdated'),
});

export const evseStatusChanged = tell({
  context,
  thing: 'evse',
  happened: 'status-changed',
  fact: EvseStatusChangedSchema,
  key: (fact) => fact.locationId,
  check: filled('party', 'locationId', 'evseUid', 'status', 'lastUpdated'),
});

/** All of one partner's in one order: a Location before what becomes of its EVSEs. */
const ofPartner = ({ party }: { party?: Party | undefined }) => `${party!.countryCode}*${party!.partyId}`.toUpperCase();

export const partnerLocationChanged = tell({
  context,
  thing: 'partner-location',
  happened: 'changed',
  fact: PartnerLocationChangedSchema,
  key: ofPartner,
  check: filled('party', 'locationId', 'locationJson', 'lastUpdated'),
});

export const partnerEvsesChanged = tell({
  context,
  thing: 'partner-evses',
  happened: 'status-changed',
  fact: PartnerEvsesChangedSchema,
  key: ofPartner,
  check: filled('party', 'statuses'),
});

export const listHeldLocations = ask({
  context,
  verb: 'list-held',
  request: ListHeldSchema,
  answer: HeldSchema,
  check: filled('party', 'limit'),
});

export const dropHeldLocations = ask({
  context,
  verb: 'drop-held',
  request: DropHeldSchema,
  answer: DroppedSchema,
  check: filled('party', 'keys'),
});
