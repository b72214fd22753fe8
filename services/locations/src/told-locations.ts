import { LARGEST_ITEM_BYTES, type MirroredFact, told, TooLarge } from '#bus';
import { evseStatusChanged, locationChanged, partnerEvsesChanged, partnerLocationChanged } from '#contracts/locations';
import { busParty } from '#contracts/party';
import { toJsonBytes } from '#contracts';
import { type Evse, type Party, partyText } from '#ocpi';
import type { HeldLocation } from './location-rows.ts';
import type { EvseStatus } from './push.ts';

/** What is told of a Location: where only the status of one of its EVSEs changed, as that. */
export function factOf({ own, isPrivate, location, text }: HeldLocation, onlyStatus?: Evse): MirroredFact {
  const { country_code, party_id, id, last_updated: lastUpdated } = location;
  const name = `${country_code}*${party_id}*${id}`;
  const about = (onlyStatus ? `evse ${name}*${onlyStatus.uid}` : `location ${name}`).toLowerCase();
  const whole = { party: busParty(location), locationId: id, locationJson: toJsonBytes(text), lastUpdated };
  if (!own) return { ...told(partnerLocationChanged, whole), about };
  const ours = { ...whole, own, private: isPrivate };
  return { ...(onlyStatus ? told(evseStatusChanged, { ...ours, ...statusOf(onlyStatus) }) : told(locationChanged, ours)), about };
}

interface Status extends EvseStatus {
  readonly locationId: string;
  readonly evseUid: string;
}

/** What is told of partners' Locations that change one after the other: statuses of one partner's EVSEs as one fact. */
export class PartnersFacts {
  private readonly facts: (() => MirroredFact)[] = [];
  /** By party: those that the next status goes with. */
  private readonly open = new Map<string, Status[]>();

  /** Throws `TooLarge`. */
  add(changed: HeldLocation, onlyStatus: Evse | undefined): void {
    const { location, text } = changed;
    const party = partyText(location);
    if (!onlyStatus) {
      const fact = factOf(changed);
      this.facts.push(() => fact);
      this.open.delete(party);
      return;
    }
    // Whoever asks for the Location is still to get it.
    const bytes = Buffer.byteLength(text);
    if (bytes > LARGEST_ITEM_BYTES) throw new TooLarge(`Location ${location.id}`, bytes);
    this.addStatus(location, { locationId: location.id, ...statusOf(onlyStatus) });
  }

  addStatus(party: Party, status: Status): void {
    const name = partyText(party);
    const statuses = this.open.get(name);
    if (statuses) statuses.push(status);
    else this.begin(name, party, [status]);
  }

  all(): MirroredFact[] {
    return this.facts.map((fact) => fact());
  }

  private begin(name: string, party: Party, statuses: Status[]): void {
    this.open.set(name, statuses);
    // Not the whole state of anything, but news: an old one may go once there is a newer one.
    this.facts.push(() => ({
      ...told(partnerEvsesChanged, { party: busParty(party), statuses }),
      about: `evses of ${name}`.toLowerCase(),
    }));
  }
}

function statusOf({ uid: evseUid, status, last_updated: lastUpdated }: Evse) {
  return { evseUid, status, lastUpdated };
}
