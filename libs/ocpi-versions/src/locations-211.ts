import { decimal } from '#money';
import { type Connector, type EnergyMix, type Evse, type GeoLocation, type Hours, known, type Location } from '#ocpi';
import { instant, zoneOfPlace } from '#time';
import { cut, Fields, filled, type Json, NotCarried, Notes } from './converted.ts';
import { Capability, ConnectorType, Facility, LocationType, ParkingRestriction, PowerType } from './ocpi-211.ts';
import { connectorFields, evseFields, locationFields } from './ocpi-221.ts';

/** Stands where 2.1.1 requires a postal code and there is none. */
const NO_POSTAL_CODE = '-';

/** A Location, or what a PATCH of it says. 2.1.1 has no `publish`: who is not published is not sent. */
export function locationDown(location: Partial<Location>, notes: Notes, whole: boolean): Json {
  if (location.publish === false) {
    throw new NotCarried('unpublished', 'the Location is not published, and OCPI 2.1.1 has no way to say so');
  }
  if (!whole && location.publish === true) {
    throw new NotCarried('cannot-be-said', 'publish: OCPI 2.1.1 has none; who did not know the Location needs all of it');
  }
  return anyLocationDown(location, notes, whole);
}

/** The same place with all its EVSEs removed: for a partner that knew it while it was published. */
export function withdrawnDown(location: Location, notes: Notes): Json {
  const evses = (location.evses ?? []).map((evse): Evse => ({ ...evse, status: 'REMOVED' }));
  return anyLocationDown({ ...location, evses }, notes, true);
}

export function anyLocationDown(location: Partial<Location>, notes: Notes, whole: boolean): Json {
  const from = new Fields(location, notes);
  from.same('country_code', 'party_id', 'publish');
  const { address, city, postal_code, coordinates, related_locations, evses, facilities, opening_times, energy_mix } = from.same(
    'address', 'city', 'postal_code', 'coordinates', 'related_locations', 'evses', 'facilities', 'opening_times', 'energy_mix',
  ) as Partial<Location>;
  const value = filled({
    ...from.same('id'),
    type: typeDown(from.take('parking_type'), notes, whole),
    ...from.same('name'),
    address: address && cut(address, 45, 'address', notes),
    city,
    postal_code: postal_code ?? (whole ? noPostalCode(notes) : undefined),
    ...from.same('country'),
    coordinates: coordinates && placeDown(coordinates, notes.at('coordinates')),
    related_locations: related_locations?.map((place, i) => placeDown(place, notes.at('related_locations').at(i))),
    evses: evses?.flatMap((evse, i) => evseDown(evse, notes.at('evses').at(i), whole) ?? []),
    ...from.same('directions', 'operator', 'suboperator', 'owner'),
    facilities: facilities && listed(Facility, facilities, 'facilities', notes),
    ...from.same('time_zone'),
    opening_times: opening_times && hoursDown(opening_times, notes.at('opening_times')),
    ...from.same('charging_when_closed', 'images'),
    energy_mix: energy_mix && energyMixDown(energy_mix),
    ...from.same('last_updated'),
  });
  from.restIsLost();
  return value;
}

function noPostalCode(notes: Notes): string {
  notes.say('postal_code', `OCPI 2.1.1 requires one; "${NO_POSTAL_CODE}" stands for none`);
  return NO_POSTAL_CODE;
}

function typeDown(type: string | undefined, notes: Notes, whole: boolean): string | undefined {
  if (type === undefined) return whole ? 'UNKNOWN' : undefined;
  if (known(LocationType, [type]).length > 0) return type;
  notes.say('parking_type', `OCPI 2.1.1 has no ${type}; OTHER is sent`);
  return 'OTHER';
}

/** Six decimals, 11 cm, always. */
function placeDown<T extends GeoLocation>(place: T, notes: Notes): T {
  return {
    ...place,
    latitude: sixDecimals(place.latitude, 'latitude', notes),
    longitude: sixDecimals(place.longitude, 'longitude', notes),
  };
}

export function sixDecimals(degrees: string, field: string, notes: Notes): string {
  const rounded = decimal(degrees).roundTo(6, 'half-even');
  if (!rounded.equals(decimal(degrees))) notes.say(field, 'is rounded to 6 decimals');
  return rounded.toFixed(6);
}

/** Those values that 2.1.1 knows. */
function listed(closed: Parameters<typeof known>[0], values: readonly string[], field: string, notes: Notes): string[] {
  const carried = known(closed, values);
  const others = values.filter((value) => !carried.includes(value));
  if (others.length > 0) notes.say(field, `OCPI 2.1.1 has no ${others.join(', ')}`);
  return carried;
}

function hoursDown(hours: Hours, notes: Notes): Json {
  const from = new Fields(hours, notes);
  const always = from.take('twentyfourseven');
  if (always && (hours.regular_hours ?? []).length === 0) from.take('regular_hours');
  const value = filled({
    ...(always ? { twentyfourseven: true } : { regular_hours: from.take('regular_hours') ?? [] }),
    ...from.same('exceptional_openings', 'exceptional_closings'),
  });
  from.restIsLost();
  return value;
}

export function energyMixDown({ environ_impact, ...mix }: EnergyMix): Json {
  return filled({ ...mix, environ_impact: environ_impact?.map(({ category, ...impact }) => ({ source: category, ...impact })) });
}

/** An EVSE, or what a PATCH says of it; undefined when 2.1.1 knows none of its connectors. */
export function evseDown(evse: Partial<Evse>, notes: Notes, whole: boolean): Json | undefined {
  const from = new Fields(evse, notes);
  const connectors = from
    .take('connectors')
    ?.flatMap((connector, i) => connectorDown(connector, notes.at('connectors').at(i), whole) ?? []);
  if (connectors?.length === 0) {
    notes.say('connectors', 'OCPI 2.1.1 knows none of them; the EVSE is not sent');
    return undefined;
  }
  const capabilities = from.take('capabilities');
  const restrictions = from.take('parking_restrictions');
  const coordinates = from.take('coordinates');
  const value = filled({
    ...from.same('uid', 'evse_id', 'status', 'status_schedule'),
    capabilities: capabilities && listed(Capability, capabilities, 'capabilities', notes),
    connectors,
    ...from.same('floor_level'),
    coordinates: coordinates && placeDown(coordinates, notes.at('coordinates')),
    ...from.same('physical_reference', 'directions'),
    parking_restrictions: restrictions && listed(ParkingRestriction, restrictions, 'parking_restrictions', notes),
    ...from.same('images', 'last_updated'),
  });
  from.restIsLost();
  return value;
}

/** A Connector, or what a PATCH says of it; undefined when 2.1.1 has no name for its standard: a wrong one misleads drivers. */
export function connectorDown(connector: Partial<Connector>, notes: Notes, whole: boolean): Json | undefined {
  const from = new Fields(connector, notes);
  const { standard } = from.same('standard') as Partial<Connector>;
  if (standard !== undefined && known(ConnectorType, [standard]).length === 0) {
    notes.say('standard', `OCPI 2.1.1 has no ${standard}; the Connector is not sent`);
    return undefined;
  }
  const tariffs = from.take('tariff_ids');
  if (tariffs !== undefined && tariffs.length > 1) notes.say('tariff_ids', 'OCPI 2.1.1 has one tariff_id; the first is sent');
  if (!whole && tariffs?.length === 0)
    throw new NotCarried('cannot-be-said', 'tariff_ids: a PATCH of OCPI 2.1.1 cannot take the tariff_id away');
  const value = filled({
    ...from.same('id'),
    standard,
    ...from.same('format'),
    power_type: powerTypeDown(from.take('power_type'), notes),
    voltage: from.take('max_voltage'),
    amperage: from.take('max_amperage'),
    tariff_id: tariffs?.[0],
    ...from.same('terms_and_conditions', 'last_updated'),
  });
  from.restIsLost();
  return value;
}

export function powerTypeDown(type: Connector['power_type'] | undefined, notes: Notes, field = 'power_type'): string | undefined {
  if (type === undefined || known(PowerType, [type]).length > 0) return type;
  notes.say(field, `OCPI 2.1.1 has no ${type}; AC_1_PHASE is sent, with the voltage between the two lines`);
  return 'AC_1_PHASE';
}

export interface LocationOf211 extends Json {
  id: string;
  name?: string;
  address: string;
  city: string;
  postal_code: string;
  country: string;
  coordinates: GeoLocation;
  evses?: EvseOf211[];
}
export interface EvseOf211 extends Json {
  uid: string;
  evse_id?: string;
  connectors: ConnectorOf211[];
}
export interface ConnectorOf211 extends Json {
  id: string;
  standard: string;
  format: string;
  power_type: string;
}

/** A Location of 2.1.1, or what a PATCH of it says. Who sends it publishes it. */
export function locationUp(location: Json, owner: { country_code: string; party_id: string }, notes: Notes, whole: boolean): Json {
  const from = new Fields(location, notes);
  const { country_code, party_id } = owner;
  const type = from.take('type');
  const evses = from.take('evses') as Json[] | undefined;
  const energyMix = from.take('energy_mix') as Json | undefined;
  const hours = from.take('opening_times') as Json | undefined;
  const postalCode = from.take('postal_code');
  return filled({
    ...(whole ? { country_code, party_id } : {}),
    ...from.same('id'),
    ...(whole ? { publish: true } : {}),
    ...from.same('name', 'address', 'city'),
    postal_code: postalCode === NO_POSTAL_CODE || postalCode === '' ? undefined : postalCode,
    ...from.same('country', 'coordinates', 'related_locations'),
    parking_type: typeUp(type, notes),
    evses: evses?.map((evse, i) => evseUp(evse, notes.at('evses').at(i))),
    ...from.same('directions', 'operator', 'suboperator', 'owner', 'facilities'),
    time_zone: from.take('time_zone') || (whole ? zoneOf(location as LocationOf211, notes) : undefined),
    opening_times: hours && { twentyfourseven: false, ...hours },
    ...from.same('charging_when_closed', 'images'),
    energy_mix: energyMix && energyMixUp(energyMix),
    ...from.same('last_updated'),
    ...from.restIsKept(locationFields),
  });
}

function typeUp(type: unknown, notes: Notes): unknown {
  if (type === 'OTHER') notes.say('type', 'OCPI 2.2.1 has no OTHER; no parking_type is taken');
  return type === 'OTHER' || type === 'UNKNOWN' ? undefined : type;
}

/** By which zones are told apart: in winter and in summer. */
const seasons = [instant('2026-01-01T00:00:00Z'), instant('2026-07-01T00:00:00Z')] as const;

/** Tariffs go by the clock on the wall: of a Location without a zone it is that of its country, by the coordinates where it has several. */
function zoneOf({ country, coordinates: { latitude, longitude } }: LocationOf211, notes: Notes): string {
  const zone = zoneOfPlace({ country, latitude: Number(latitude), longitude: Number(longitude) }, seasons)?.name ?? 'Etc/UTC';
  notes.say('time_zone', `is not given; ${zone} is taken, by the country and the coordinates`);
  return zone;
}

export function energyMixUp({ environ_impact, ...mix }: Json): Json {
  const impacts = environ_impact as Json[] | undefined | null;
  return filled({ ...mix, environ_impact: impacts?.map(({ source, ...impact }) => ({ category: source, ...impact })) });
}

export function evseUp(evse: Json, notes: Notes): Json {
  const from = new Fields(evse, notes);
  const connectors = from.take('connectors') as Json[] | undefined;
  return filled({
    ...from.same('uid', 'evse_id', 'status', 'status_schedule', 'capabilities'),
    connectors: connectors?.map((connector, i) => connectorUp(connector, notes.at('connectors').at(i))),
    ...from.same('floor_level', 'coordinates', 'physical_reference', 'directions', 'parking_restrictions', 'images', 'last_updated'),
    ...from.restIsKept(evseFields),
  });
}

export function connectorUp(connector: Json, notes: Notes): Json {
  const from = new Fields(connector, notes);
  const tariff = from.take('tariff_id');
  return filled({
    ...from.same('id', 'standard', 'format', 'power_type'),
    max_voltage: from.take('voltage'),
    max_amperage: from.take('amperage'),
    tariff_ids: tariff === undefined ? undefined : [tariff],
    ...from.same('terms_and_conditions', 'last_updated'),
    ...from.restIsKept(connectorFields),
  });
}
