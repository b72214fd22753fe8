import type { MirroredFact, Outbox } from '#bus';
import { evseStatusChanged, locationChanged, partnerLocationChanged } from '#contracts/locations';
import { fromJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import {
  cameSince, type Connector, type Evse, findEvse, Location, locationFaults, type Party, partyText, putEvse, putLocation, read, sameId, sameParty,
} from '#ocpi';
import { type Database, type ObjectPage, type PageRequest, together, type Tx } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, instant, rfc3339 } from '#time';
import type { LocationSettings } from './config.ts';
import { evseStatus } from './evse-status.ts';
import {
  findLocation, findOwnLocation, type HeldLocation, heldLocationIds, keepBefore, keyText, listOwnLocations, locationAt, type LocationKey,
  locationsNaming, lockLocations, noteConnection,
  noteStatus, ownLocationsBeside,
  type OwnList, plugsOfEvse, plugsOfStation, plugStates, replacePlugs, storeLocations, storing, type TariffUse, tariffUses,
} from './location-rows.ts';
import { describedLocation, type Plug, plugsOf, removedLocation, renewed, sameJson, vanishedLocation } from './own-locations.ts';
import type { Change, Push, PushRefusal } from './push.ts';
import { Pushes } from './pushes.ts';
import { type EvseSearch, type FoundEvse, searchEvses } from './search.ts';
import { factOf } from './told-locations.ts';

export type Refusal = PushRefusal | 'unknown-station' | 'connector-required' | 'no-evse-available';

const refuse = (code: Refusal, detail: string) => new Rejected<Refusal>(code, detail);

export interface ResolvedEvse extends Plug {
  readonly held: HeldLocation;
  readonly status: string;
  /** All of its station. */
  readonly stationConnectors?: readonly number[];
}

/** An EVSE of ours; with a party, only of that one. */
export interface WantedEvse {
  readonly locationId: string;
  readonly evseUid?: string | undefined;
  readonly connectorId?: string | undefined;
  readonly party?: Party | undefined;
}

export interface LocationsParts {
  readonly db: Database;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly parties: OwnParties;
}

/** While PostgreSQL stores some, others are read; what is long under way keeps few waiting. */
const PUSHES = { most: 64, atOnce: 2 };

/** The service's verbs. */
export class Locations {
  constructor(private readonly parts: LocationsParts) {
    const pushes = new Pushes(parts);
    this.put = together((waiting) => pushes.take(waiting), PUSHES);
  }

  /**
   * Takes in our own Locations as the settings describe them; the same again changes nothing. One
   * that they do not have any more stays, all its EVSEs REMOVED: LOC-03.
   */
  async describe(settings: readonly LocationSettings[]): Promise<void> {
    const { db } = this.parts;
    await db.tx((tx) => replacePlugs(tx, plugsOf(settings)));
    for (const dropped of await ownLocationsBeside(
      db,
      settings.map(({ id }) => id),
    )) {
      await this.change(keyOf(dropped, dropped.id), (held) => {
        const location = removedLocation(held!.location, this.after(held!.location.last_updated));
        return { own: true, isPrivate: held!.isPrivate, location };
      });
    }
    for (const one of settings) {
      const own = await this.ownerOf(one);
      await this.change(keyOf(own, one.id), (held) => {
        const location = describedLocation(one, own, held?.location, this.after(held?.location.last_updated));
        const fault = read(Location, location).ok ? locationFaults(location)[0] : undefined;
        if (fault) throw refuse('invalid-object', `${fault.at}: ${fault.what} (OCPI 2.2.1)`);
        const made = putLocation(held?.location, location);
        const turned = held !== undefined && held.isPrivate !== one.private;
        return {
          own: true,
          isPrivate: one.private,
          location: turned ? renewed(made, this.after(held.location.last_updated)) : made,
        };
      }, { keepsBefore: true }).catch((error: unknown) => {
        throw error instanceof Rejected ? refuse('invalid-object', `${one.id}: ${error.detail}`) : error;
      });
    }
  }

  /** A partner's PUT or PATCH of a Location, EVSE or Connector. */
  readonly put: (push: Push) => Promise<Change>;

  /** The ids that are held of a partner's party. */
  held(party: Pick<LocationKey, 'countryCode' | 'partyId'>, after: string, limit: number): Promise<string[]> {
    return heldLocationIds(this.parts.db, party, after, limit);
  }

  /** A partner's full list, asked for then, does not have it any more; whether that is news. What came since stays. */
  async drop(key: LocationKey, askedAt?: string): Promise<boolean> {
    const known = await findLocation(this.parts.db, key);
    if (!known || known.own) return false;
    return this.change(key, (held) => {
      const { location, takenAt = '' } = held!;
      return { own: false, isPrivate: false, location: cameSince(takenAt, askedAt) ? location : vanishedLocation(location) };
    });
  }

  /** Our own EVSE by its OCPI ids: where a START_SESSION goes. CMD-08. */
  async resolve({ locationId, evseUid, connectorId, party }: WantedEvse): Promise<ResolvedEvse> {
    const held = await this.findOwn(locationId);
    if (!held || (party && !sameParty(held.location, party))) {
      // In the words of what is private: a partner is not to tell them apart. LOC-07.
      throw refuse('unknown-location', `${locationId} is none of our Locations`);
    }
    const evse = evseUid === undefined ? anyAvailable(held.location) : findEvse(held.location, evseUid);
    if (!evse || evse.status === 'REMOVED') throw refuse('unknown-evse', `${locationId} has no EVSE ${evseUid}`);
    const connector = chosenConnector(evse, connectorId);
    const plugs = await plugsOfEvse(this.parts.db, held.location.id, evse.uid);
    const plug = plugs.find((each) => each.connectorId === connector.id);
    if (!plug) throw refuse('unknown-evse', `EVSE ${evse.uid} is not connected to a charging station`);
    const stationConnectors = plugs.filter(({ stationId }) => stationId === plug.stationId).map((each) => each.stationConnector);
    return { ...plug, held, status: evse.status, stationConnectors };
  }

  /** Our own EVSE by what the station calls it; as it was described at an instant, where one is given. */
  async resolveStation(
    stationId: string, stationConnector: number, { at, orAny = false }: { at?: string | undefined; orAny?: boolean } = {},
  ): Promise<ResolvedEvse> {
    const plugs = await plugsOfStation(this.parts.db, stationId);
    const plug = plugs.find((each) => each.stationConnector === stationConnector) ?? (orAny ? plugs[0] : undefined);
    const held = plug && (await this.findOwn(plug.locationId));
    const evse = held && findEvse(held.location, plug.evseUid);
    if (!evse)
      throw refuse('unknown-station', `connector ${stationConnector} of station ${stationId} is at no Location`);
    const before = at === undefined ? undefined : await locationAt(this.parts.db, held, at, this.parts.clock.iso());
    const was = before && findEvse(before.location, evse.uid);
    const isKnown = was?.connectors.some(({ id }) => sameId(id, plug.connectorId)) ?? false;
    const stationConnectors = plugs.map((each) => each.stationConnector);
    return { ...plug, held: before && isKnown ? before : held, status: evse.status, stationConnectors };
  }

  find(key: LocationKey): Promise<HeldLocation | undefined> {
    return findLocation(this.parts.db, key);
  }

  /** Whichever of our parties has it. */
  findOwn(locationId: string): Promise<HeldLocation | undefined> {
    return findOwnLocation(this.parts.db, locationId, this.parts.parties.all);
  }

  /** Our Connectors that name a tariff. */
  tariffUses(tariffId: string, limit: number): Promise<{ uses: TariffUse[]; total: number }> {
    return tariffUses(this.parts.db, tariffId, limit);
  }

  list(of: OwnList, request: PageRequest): Promise<ObjectPage> {
    return listOwnLocations(this.parts.db, of, request);
  }

  search(search: EvseSearch): Promise<FoundEvse[]> {
    return searchEvses(this.parts.db, search);
  }

  /** A connector's status as its station reports it. */
  async statusChanged(
    tx: Tx,
    stationId: string,
    stationConnector: number,
    report: { status: string; at: string },
  ): Promise<void> {
    await noteStatus(tx, stationId, stationConnector, report);
    const plugs = await plugsOfStation(tx, stationId);
    await this.refresh(
      tx,
      plugs.filter((plug) => stationConnector === 0 || plug.stationConnector === stationConnector),
    );
  }

  /** A station's socket opened or closed. */
  async connectionChanged(tx: Tx, stationId: string, connected: boolean, epoch: number): Promise<void> {
    await noteConnection(tx, stationId, connected, epoch);
    await this.refresh(tx, await plugsOfStation(tx, stationId));
  }

  /** Works out the status of the plugs' EVSEs, and stores and tells those that changed. */
  private async refresh(tx: Tx, plugs: readonly Plug[]): Promise<void> {
    const facts: MirroredFact[] = [];
    const evses = new Map(plugs.map((plug) => [`${plug.locationId} ${plug.evseUid}`, plug]));
    for (const { locationId, evseUid } of evses.values()) {
      const held = await findOwnLocation(tx, locationId, this.parts.parties.all, true);
      const evse = held && findEvse(held.location, evseUid);
      if (!evse || evse.status === 'REMOVED') continue;
      const status = evseStatus(await plugStates(tx, locationId, evseUid));
      if (status === evse.status) continue;
      const at = this.after(held.location.last_updated);
      const location = putEvse(held.location, { ...evse, status, last_updated: at });
      const now = { own: true, isPrivate: held.isPrivate, location, text: JSON.stringify(location) };
      await storeLocations(tx, [{ before: held.location, now }]);
      facts.push(factOf(now, { ...evse, status, last_updated: at }));
    }
    if (facts.length > 0) await this.parts.outbox.tell(tx, facts);
  }

  /** Those whose JSON has one of these ids somewhere, in any case. */
  async naming(ids: readonly string[]): Promise<Location[]> {
    return locationsNaming(this.parts.db, ids);
  }

  /** Without what of it may not stay; told as any change, with the instant that its owner gave it. */
  async rewrite(
    { country_code: countryCode, party_id: partyId, id: locationId }: Location,
    next: (held: Location) => Location,
  ): Promise<void> {
    await this.change({ countryCode, partyId, locationId }, (held) => {
      const { own, isPrivate, location } = held!;
      return {
        own,
        isPrivate,
        location: { ...next(location), last_updated: own ? this.after(location.last_updated) : location.last_updated },
      };
    });
  }

  /** Locations as they were, told before: not again. As it is now, each is told anew. */
  async forgetTold(matches: (location: Location) => boolean): Promise<void> {
    const { outbox } = this.parts;
    const isOf = ({ locationJson }: { locationJson: Uint8Array }) => matches(fromJsonBytes<Location>(locationJson));
    await outbox.forget(locationChanged, isOf);
    await outbox.forget(evseStatusChanged, isOf);
    await outbox.forget(partnerLocationChanged, isOf);
  }

  /** False where it is so already. */
  private change(
    key: LocationKey, next: (held?: HeldLocation) => Omit<HeldLocation, 'text'>, { keepsBefore = false } = {},
  ): Promise<boolean> {
    const { db, outbox } = this.parts;
    return storing(db, async (tx) => {
      const held = (await lockLocations(tx, [key])).get(keyText(key));
      const { own, isPrivate, location: made } = next(held);
      const valid = read(Location, made);
      if (!valid.ok) throw refuse('invalid-object', valid.message);
      const location = valid.value;
      if (held && held.isPrivate === isPrivate && sameJson(held.location, location)) return false;
      const now = { own, isPrivate, location, text: JSON.stringify(location) };
      await storeLocations(tx, [{ before: held?.location, now }]);
      if (keepsBefore && held) await keepBefore(tx, held.location, this.parts.clock.iso());
      await outbox.tell(tx, [factOf(now)]);
      return true;
    });
  }

  /** What was told and billed of a Location stays its party's: it never becomes another's. */
  private async ownerOf(one: LocationSettings): Promise<Party> {
    const owner = this.parts.parties.ownerOf(one, 'CPO');
    if (!owner.ok) throw refuse('invalid-object', `${one.id}: ${owner.message}`);
    const { country_code, party_id } = owner.party;
    const held = await this.findOwn(one.id);
    if (held && !sameParty(held.location, owner.party)) {
      throw refuse(
        'invalid-object',
        `${one.id}: is a Location of ${partyText(held.location)}: under ${partyText(owner.party)} it needs another id`,
      );
    }
    return { country_code, party_id };
  }

  /** Now, and later than that: replicas' clocks differ, and partners take only what is newer. */
  private after(held: string | undefined): string {
    const nowMs = this.parts.clock.now();
    return rfc3339(held === undefined ? nowMs : Math.max(nowMs, instant(held) + 1));
  }
}

function keyOf({ country_code: countryCode, party_id: partyId }: Party, locationId: string): LocationKey {
  return { countryCode, partyId, locationId };
}

function anyAvailable(location: Location): Evse {
  const evse = location.evses?.find(({ status }) => status === 'AVAILABLE');
  if (!evse) throw refuse('no-evse-available', `no EVSE of ${location.id} is available`);
  return evse;
}

function chosenConnector(evse: Evse, connectorId: string | undefined): Connector {
  const [first, ...more] = evse.connectors;
  if (connectorId === undefined) {
    if (more.length > 0 && evse.capabilities?.includes('START_SESSION_CONNECTOR_REQUIRED')) {
      throw refuse('connector-required', `EVSE ${evse.uid} has several Connectors: name one`);
    }
    return first!;
  }
  const connector = evse.connectors.find(({ id }) => sameId(id, connectorId));
  if (!connector) throw refuse('unknown-connector', `EVSE ${evse.uid} has no Connector ${connectorId}`);
  return connector;
}
