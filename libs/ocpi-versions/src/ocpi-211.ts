import { z } from 'zod';
import {
  boolean, ci, count, Country, CountryCode, Currency, DateTime, DayOfWeek, DisplayText, EnergySource, enumOf,
  ExceptionalPeriod, id, Image, BusinessDetails, ConnectorFormat, EnvironmentalImpactCategory, int, Language, list,
  LocalDate, number, object, open, optional, PartyId, pattern, RegularHours, some, Status, StatusSchedule,
  TariffDimensionType, text, TimeOfDay, url, WhitelistType, AllowedType,
} from '#ocpi';

// The classes of OCPI 2.1.1 (branch release-2.1.1-bugfixes). Texts are taken in UTF-8, although 2.1.1
// allows ASCII alone: everybody sends it. Ids are compared as 2.2.1 does.

export const Capability = enumOf('Capability', [
  'CHARGING_PROFILE_CAPABLE', 'CREDIT_CARD_PAYABLE', 'REMOTE_START_STOP_CAPABLE', 'RESERVABLE', 'RFID_READER', 'UNLOCK_CAPABLE',
]);

export const ConnectorType = enumOf('ConnectorType', [
  'CHADEMO', 'DOMESTIC_A', 'DOMESTIC_B', 'DOMESTIC_C', 'DOMESTIC_D', 'DOMESTIC_E', 'DOMESTIC_F', 'DOMESTIC_G', 'DOMESTIC_H',
  'DOMESTIC_I', 'DOMESTIC_J', 'DOMESTIC_K', 'DOMESTIC_L', 'IEC_60309_2_single_16', 'IEC_60309_2_three_16',
  'IEC_60309_2_three_32', 'IEC_60309_2_three_64', 'IEC_62196_T1', 'IEC_62196_T1_COMBO', 'IEC_62196_T2', 'IEC_62196_T2_COMBO',
  'IEC_62196_T3A', 'IEC_62196_T3C', 'TESLA_R', 'TESLA_S',
]);

export const Facility = enumOf('Facility', [
  'HOTEL', 'RESTAURANT', 'CAFE', 'MALL', 'SUPERMARKET', 'SPORT', 'RECREATION_AREA', 'NATURE', 'MUSEUM', 'BUS_STOP',
  'TAXI_STAND', 'TRAIN_STATION', 'AIRPORT', 'CARPOOL_PARKING', 'FUEL_STATION', 'WIFI',
]);

export const LocationType = enumOf('LocationType', [
  'ON_STREET', 'PARKING_GARAGE', 'UNDERGROUND_GARAGE', 'PARKING_LOT', 'OTHER', 'UNKNOWN',
]);

export const ParkingRestriction = enumOf('ParkingRestriction', ['EV_ONLY', 'PLUGGED', 'DISABLED', 'CUSTOMERS', 'MOTORCYCLES']);
export const PowerType = enumOf('PowerType', ['AC_1_PHASE', 'AC_3_PHASE', 'DC']);
export const SessionStatus = enumOf('SessionStatus', ['ACTIVE', 'COMPLETED', 'INVALID', 'PENDING']);
export const AuthMethod = enumOf('AuthMethod', ['AUTH_REQUEST', 'WHITELIST']);
export const TokenType = enumOf('TokenType', ['OTHER', 'RFID']);
export const CdrDimensionType = enumOf('CdrDimensionType', ['ENERGY', 'FLAT', 'MAX_CURRENT', 'MIN_CURRENT', 'PARKING_TIME', 'TIME']);
export const CommandResponseType = enumOf('CommandResponseType', ['NOT_SUPPORTED', 'REJECTED', 'ACCEPTED', 'TIMEOUT', 'UNKNOWN_SESSION']);

const place = {
  latitude: pattern(/^-?[0-9]{1,2}\.[0-9]{6}$/, 'a latitude as a string with 6 decimals'),
  longitude: pattern(/^-?[0-9]{1,3}\.[0-9]{6}$/, 'a longitude as a string with 6 decimals'),
};

export const EnergyMix = object('EnergyMix', {
  is_green_energy: boolean,
  energy_sources: list(EnergySource),
  environ_impact: list(object('EnvironmentalImpact', { source: EnvironmentalImpactCategory, amount: number })),
  supplier_name: optional(text(64)),
  energy_product_name: optional(text(64)),
});

export const Hours = object('Hours', {
  regular_hours: list(RegularHours),
  twentyfourseven: optional(boolean),
  exceptional_openings: list(ExceptionalPeriod),
  exceptional_closings: list(ExceptionalPeriod),
});

export const Connector = object('Connector', {
  id: id(36), standard: ConnectorType, format: ConnectorFormat, power_type: PowerType, voltage: count, amperage: count,
  tariff_id: optional(id(36)), terms_and_conditions: optional(url()), last_updated: DateTime,
});

export const Evse = object('EVSE', {
  uid: id(39),
  evse_id: optional(ci(48)),
  status: Status,
  status_schedule: list(StatusSchedule),
  capabilities: list(open('Capability', Capability)),
  connectors: some(Connector),
  floor_level: optional(text(4)),
  coordinates: optional(object('GeoLocation', place)),
  physical_reference: optional(text(16)),
  directions: list(DisplayText),
  parking_restrictions: list(open('ParkingRestriction', ParkingRestriction)),
  images: list(Image),
  last_updated: DateTime,
});

export const Location = object('Location', {
  id: id(39),
  type: open('LocationType', LocationType),
  name: optional(text(255)),
  address: text(45),
  city: text(45),
  postal_code: text(10),
  country: Country,
  coordinates: object('GeoLocation', place),
  related_locations: list(object('AdditionalGeoLocation', { ...place, name: optional(DisplayText) })),
  evses: list(Evse),
  directions: list(DisplayText),
  operator: optional(BusinessDetails),
  suboperator: optional(BusinessDetails),
  owner: optional(BusinessDetails),
  facilities: list(open('Facility', Facility)),
  time_zone: optional(text(255)),
  opening_times: optional(Hours),
  charging_when_closed: optional(boolean),
  images: list(Image),
  energy_mix: optional(EnergyMix),
  last_updated: DateTime,
});

export const PriceComponent = object('PriceComponent', { type: TariffDimensionType, price: number, step_size: count });

export const TariffRestrictions = object('TariffRestrictions', {
  start_time: optional(TimeOfDay), end_time: optional(TimeOfDay), start_date: optional(LocalDate), end_date: optional(LocalDate),
  min_kwh: optional(number), max_kwh: optional(number), min_power: optional(number), max_power: optional(number),
  min_duration: optional(count), max_duration: optional(count), day_of_week: list(DayOfWeek),
});

export const Tariff = object('Tariff', {
  id: id(36),
  currency: Currency,
  tariff_alt_text: list(DisplayText),
  tariff_alt_url: optional(url()),
  elements: some(object('TariffElement', { price_components: some(PriceComponent), restrictions: optional(TariffRestrictions) })),
  energy_mix: optional(EnergyMix),
  last_updated: DateTime,
});

export const ChargingPeriod = object('ChargingPeriod', {
  start_date_time: DateTime, dimensions: some(object('CdrDimension', { type: CdrDimensionType, volume: number })),
});

export const Session = object('Session', {
  id: id(36), start_datetime: DateTime, end_datetime: optional(DateTime), kwh: number, auth_id: ci(36), auth_method: AuthMethod,
  location: Location, meter_id: optional(text(255)), currency: Currency, charging_periods: list(ChargingPeriod),
  total_cost: optional(number), status: SessionStatus, last_updated: DateTime,
});

export const Cdr = object('CDR', {
  id: id(36), start_date_time: DateTime, stop_date_time: DateTime, auth_id: ci(36), auth_method: AuthMethod, location: Location,
  meter_id: optional(text(255)), currency: Currency, tariffs: list(Tariff), charging_periods: some(ChargingPeriod),
  total_cost: number, total_energy: number, total_time: number, total_parking_time: optional(number), remark: optional(text(255)),
  last_updated: DateTime,
});

export const Token = object('Token', {
  uid: id(36), type: TokenType, auth_id: ci(36), visual_number: optional(text(64)), issuer: text(64), valid: boolean,
  whitelist: WhitelistType, language: optional(Language), last_updated: DateTime,
});

export const LocationReferences = object('LocationReferences', {
  location_id: id(39), evse_uids: list(id(39)), connector_ids: list(id(36)),
});

export const AuthorizationInfo = object('AuthorizationInfo', {
  allowed: AllowedType, location: optional(LocationReferences), info: optional(DisplayText),
});

export const StartSession = object('StartSession', {
  response_url: url(), token: Token, location_id: id(39), evse_uid: optional(id(39)),
});
export const StopSession = object('StopSession', { response_url: url(), session_id: id(36) });
export const ReserveNow = object('ReserveNow', {
  response_url: url(), token: Token, expiry_date: DateTime, reservation_id: int, location_id: id(39), evse_uid: optional(id(39)),
});
export const UnlockConnector = object('UnlockConnector', {
  response_url: url(), location_id: id(39), evse_uid: id(39), connector_id: id(36),
});
/** The answer at once, and what the station said. */
export const CommandResponse = object('CommandResponse', { result: CommandResponseType });

export const Credentials = object('Credentials', {
  token: pattern(/^[\x21-\x7e]{1,64}$/, 'a token of 1 to 64 characters U+0021 to U+007E'),
  url: url(), business_details: BusinessDetails, party_id: PartyId, country_code: CountryCode,
});

/** Without roles: who lists an endpoint answers the interface of what it is. */
export const VersionDetails = object('VersionDetails', {
  version: text(10), endpoints: some(object('Endpoint', { identifier: z.string(), url: url() })),
});
