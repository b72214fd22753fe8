import { type Fact, told } from '#bus';
import { evseStatusChanged, locationChanged } from '#contracts/locations';
import { toJsonBytes } from '#contracts';
import type { Evse } from '#ocpi';
import type { HeldLocation } from './location-rows.ts';

/** What is told of a Location: where only the status of one of its EVSEs changed, as that. */
export function factOf(changed: HeldLocation, onlyStatus?: Evse): Fact & { about: string } {
  const { own, isPrivate, location, text } = changed;
  const { country_code: countryCode, party_id: partyId, id } = location;
  const whole = {
    own, party: { countryCode, partyId }, locationId: id, locationJson: toJsonBytes(text), lastUpdated: location.last_updated,
    private: isPrivate,
  };
  const name = `${countryCode}*${partyId}*${id}`;
  if (!onlyStatus) return { ...told(locationChanged, whole), about: `location ${name}`.toLowerCase() };
  const { uid: evseUid, status, last_updated: lastUpdated } = onlyStatus;
  return { ...told(evseStatusChanged, { ...whole, evseUid, status, lastUpdated }), about: `evse ${name}*${evseUid}`.toLowerCase() };
}
