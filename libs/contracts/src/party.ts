import type { Party } from './gen/roamwatt/party/v1/party_pb.ts';

export {
  Change,
  type Changed,
  ChangedSchema,
  type DropHeld,
  type ListHeld,
  type Page,
  type PageEnd,
  PageEndSchema,
  PageSchema,
  type PageRequest,
  PageRequestSchema,
  type Party,
  PartySchema,
} from './gen/roamwatt/party/v1/party_pb.ts';

type BusParty = Pick<Party, 'countryCode' | 'partyId'>;
interface OcpiParty { readonly country_code: string; readonly party_id: string }

/** Of the bus, as OCPI names it. */
export function ocpiParty({ countryCode: country_code, partyId: party_id }: BusParty): OcpiParty {
  return { country_code, party_id };
}

/** Of OCPI, as it crosses the bus; whatever else the object has is left out. */
export function busParty({ country_code: countryCode, party_id: partyId }: OcpiParty): BusParty {
  return { countryCode, partyId };
}
