import { idKey, type LocationReferences, type Party, sameId, sameParty } from '#ocpi';

/** A place where a token of ours may charge: a Location, all of its EVSEs or some. */
export interface Place {
  /** Whose Location it is. */
  readonly party: Party;
  readonly locationId: string;
  /** Empty: all. */
  readonly evseUids: readonly string[];
}

/** What a partner asks about: a Location of its own, where it said who it is. */
export interface AskedPlace {
  readonly party?: Party | undefined;
  readonly references: LocationReferences;
}

/**
 * TOK-04: of what was asked about that where a token may charge: itself where it may everywhere;
 * undefined where it may not. Where no EVSE was named, those are where it may at some only.
 */
export function allowedOf(allowedAt: readonly Place[] | undefined, { party, references }: AskedPlace): LocationReferences | undefined {
  if (!allowedAt) return references;
  const here = allowedAt.filter((place) =>
    sameId(place.locationId, references.location_id) && (party === undefined || sameParty(place.party, party)));
  if (here.length === 0) return undefined;
  if (here.some(({ evseUids }) => evseUids.length === 0)) return references;
  const allowed = here.flatMap(({ evseUids }) => evseUids);
  const asked = references.evse_uids ?? [];
  const keys = new Set(allowed.map(idKey));
  const evse_uids = asked.length === 0 ? allowed : asked.filter((uid) => keys.has(idKey(uid)));
  return evse_uids.length === 0 ? undefined : { ...references, evse_uids };
}
