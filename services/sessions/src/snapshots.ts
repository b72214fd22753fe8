import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Bus, Refused } from '#bus';
import { resolveStation } from '#contracts/locations';
import { busParty } from '#contracts/party';
import { selectTariff, type SelectTariffSchema } from '#contracts/tariff-engine';
import { fromJsonBytes } from '#contracts';
import { findEvse, type Location, sameId, type Tariff, type Token } from '#ocpi';
import type { OwnParties } from '#settings';
import type { Log } from '#telemetry';
import type { Clock } from '#time';

/** Where a station's connector is. */
export interface Place {
  readonly location: Location;
  readonly locationId: string;
  readonly evseUid: string;
  readonly connectorId: string;
}

/** As it was at an instant, or is; undefined where the station's connector is at no Location of ours. */
export async function placeOf(
  bus: Bus,
  stationId: string,
  stationConnector: number,
  at?: string,
): Promise<Place | undefined> {
  try {
    const { locationId, evseUid, connectorId, locationJson } = await bus.ask(resolveStation, {
      stationId,
      stationConnector,
      ...(at === undefined ? {} : { at }),
    });
    return {
      locationId,
      evseUid,
      connectorId,
      location: withOneEvse(fromJsonBytes<Location>(locationJson), evseUid),
    };
  } catch (error) {
    if (error instanceof Refused && error.code === 'unknown-station') return undefined;
    throw error;
  }
}

function withOneEvse(location: Location, evseUid: string): Location {
  const evse = findEvse(location, evseUid);
  return { ...location, evses: evse ? [evse] : [] };
}

export interface ChosenTariff {
  readonly tariff: Tariff;
  readonly tariffVersion: number;
}

interface Choosing {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly log: Log;
}

/**
 * The tariff that held for a token at a connector when the charge began. A station's clock may be
 * wrong by years: where none held then, the one of now does. Where there is none, charging is free.
 */
export async function tariffFor(
  { bus, clock, parties, log }: Choosing,
  place: Place,
  token: Token,
  startedAt: string,
): Promise<ChosenTariff> {
  const connector = place.location.evses?.[0]?.connectors.find(({ id }) =>
    sameId(id, place.connectorId),
  );
  const tariffIds = [...(connector?.tariff_ids ?? [])];
  if (tariffIds.length > 0) {
    for (const at of [startedAt, clock.iso()]) {
      const chosen = await chosenAt(bus, {
        party: busParty(place.location),
        tariffIds,
        tokenType: token.type,
        tokenParty: busParty(token),
        at,
        ...(token.default_profile_type ? { profileType: token.default_profile_type } : {}),
      });
      if (chosen) return chosen;
    }
    log.warn('no tariff applies: the charge is free', {
      location: place.locationId,
      evse: place.evseUid,
      tariffs: tariffIds,
    });
  }
  const party = parties.find(place.location) ?? parties.first;
  return { tariff: freeTariff(party, startedAt), tariffVersion: 0 };
}

async function chosenAt(
  bus: Bus,
  wish: MessageInitShape<typeof SelectTariffSchema>,
): Promise<ChosenTariff | undefined> {
  try {
    const { tariffJson, version } = await bus.ask(selectTariff, wish);
    return { tariff: fromJsonBytes<Tariff>(tariffJson), tariffVersion: version };
  } catch (error) {
    if (error instanceof Refused && error.code === 'no-tariff-applies') return undefined;
    throw error;
  }
}

/** Nobody is charged a price that was never published. */
function freeTariff({ country_code, party_id, currency }: OwnParties['first'], at: string): Tariff {
  return {
    country_code,
    party_id,
    currency,
    id: 'FREE',
    elements: [{ price_components: [{ type: 'FLAT', price: 0, step_size: 1 }] }],
    last_updated: at,
  };
}
