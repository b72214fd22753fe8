import { z } from 'zod';
import {
  boolean, ci, count, Country, CountryCode, DateTime, DisplayText, enumOf, id, list, number, object, only, open,
  optional, PartyId, type Patch, patchOf, pattern, ruled, some, text, TimeOfDay, url,
} from './fields.ts';
import { TokenType } from './tokens.ts';

// OCPI 2.2.1 mod_locations. Energy mix, images and business details are used by other modules too.

export const Capability = enumOf('Capability', [
  'CHARGING_PROFILE_CAPABLE', 'CHARGING_PREFERENCES_CAPABLE', 'CHIP_CARD_SUPPORT', 'CONTACTLESS_CARD_SUPPORT',
  'CREDIT_CARD_PAYABLE', 'DEBIT_CARD_PAYABLE', 'PED_TERMINAL', 'REMOTE_START_STOP_CAPABLE', 'RESERVABLE',
  'RFID_READER', 'START_SESSION_CONNECTOR_REQUIRED', 'TOKEN_GROUP_CAPABLE', 'UNLOCK_CAPABLE',
]);
export type Capability = z.infer<typeof Capability>;

export const ConnectorFormat = enumOf('ConnectorFormat', ['SOCKET', 'CABLE']);
export type ConnectorFormat = z.infer<typeof ConnectorFormat>;

/** Mixed case in IEC_60309_2_single_16 and its like is the protocol's own. */
export const ConnectorType = enumOf('ConnectorType', [
  'CHADEMO', 'CHAOJI', 'DOMESTIC_A', 'DOMESTIC_B', 'DOMESTIC_C', 'DOMESTIC_D', 'DOMESTIC_E', 'DOMESTIC_F',
  'DOMESTIC_G', 'DOMESTIC_H', 'DOMESTIC_I', 'DOMESTIC_J', 'DOMESTIC_K', 'DOMESTIC_L', 'DOMESTIC_M', 'DOMESTIC_N',
  'DOMESTIC_O', 'GBT_AC', 'GBT_DC', 'IEC_60309_2_single_16', 'IEC_60309_2_three_16', 'IEC_60309_2_three_32',
  'IEC_60309_2_three_64', 'IEC_62196_T1', 'IEC_62196_T1_COMBO', 'IEC_62196_T2', 'IEC_62196_T2_COMBO',
  'IEC_62196_T3A', 'IEC_62196_T3C', 'NEMA_5_20', 'NEMA_6_30', 'NEMA_6_50', 'NEMA_10_30', 'NEMA_10_50',
  'NEMA_14_30', 'NEMA_14_50', 'PANTOGRAPH_BOTTOM_UP', 'PANTOGRAPH_TOP_DOWN', 'TESLA_R', 'TESLA_S',
]);
export type ConnectorType = z.infer<typeof ConnectorType>;

export const EnergySourceCategory = enumOf('EnergySourceCategory', [
  'NUCLEAR', 'GENERAL_FOSSIL', 'COAL', 'GAS', 'GENERAL_GREEN', 'SOLAR', 'WIND', 'WATER',
]);
export type EnergySourceCategory = z.infer<typeof EnergySourceCategory>;

export const EnvironmentalImpactCategory = enumOf('EnvironmentalImpactCategory', ['NUCLEAR_WASTE', 'CARBON_DIOXIDE']);
export type EnvironmentalImpactCategory = z.infer<typeof EnvironmentalImpactCategory>;

export const Facility = enumOf('Facility', [
  'HOTEL', 'RESTAURANT', 'CAFE', 'MALL', 'SUPERMARKET', 'SPORT', 'RECREATION_AREA', 'NATURE', 'MUSEUM',
  'BIKE_SHARING', 'BUS_STOP', 'TAXI_STAND', 'TRAM_STOP', 'METRO_STATION', 'TRAIN_STATION', 'AIRPORT',
  'PARKING_LOT', 'CARPOOL_PARKING', 'FUEL_STATION', 'WIFI',
]);
export type Facility = z.infer<typeof Facility>;

export const ImageCategory = enumOf('ImageCategory', [
  'CHARGER', 'ENTRANCE', 'LOCATION', 'NETWORK', 'OPERATOR', 'OTHER', 'OWNER',
]);
export type ImageCategory = z.infer<typeof ImageCategory>;

export const ParkingRestriction = enumOf('ParkingRestriction', [
  'EV_ONLY', 'PLUGGED', 'DISABLED', 'CUSTOMERS', 'MOTORCYCLES',
]);
export type ParkingRestriction = z.infer<typeof ParkingRestriction>;

export const ParkingType = enumOf('ParkingType', [
  'ALONG_MOTORWAY', 'PARKING_GARAGE', 'PARKING_LOT', 'ON_DRIVEWAY', 'ON_STREET', 'UNDERGROUND_GARAGE',
]);
export type ParkingType = z.infer<typeof ParkingType>;

/** AC_2_PHASE is two of three phases: 208 V line to line in North America. */
export const PowerType = enumOf('PowerType', ['AC_1_PHASE', 'AC_2_PHASE', 'AC_2_PHASE_SPLIT', 'AC_3_PHASE', 'DC']);
export type PowerType = z.infer<typeof PowerType>;

export const Status = enumOf('Status', [
  'AVAILABLE', 'BLOCKED', 'CHARGING', 'INOPERATIVE', 'OUTOFORDER', 'PLANNED', 'REMOVED', 'RESERVED', 'UNKNOWN',
]);
export type Status = z.infer<typeof Status>;

const latitude = only(
  pattern(/^-?[0-9]{1,2}\.[0-9]{5,7}$/, 'a latitude as a string with 5 to 7 decimals'),
  (value) => Math.abs(Number(value)) <= 90, 'is not between -90 and 90');
const longitude = only(
  pattern(/^-?[0-9]{1,3}\.[0-9]{5,7}$/, 'a longitude as a string with 5 to 7 decimals'),
  (value) => Math.abs(Number(value)) <= 180, 'is not between -180 and 180');

export const GeoLocation = object('GeoLocation', { latitude, longitude });
export type GeoLocation = z.infer<typeof GeoLocation>;

export const AdditionalGeoLocation = object('AdditionalGeoLocation', {
  latitude, longitude, name: optional(DisplayText),
});
export type AdditionalGeoLocation = z.infer<typeof AdditionalGeoLocation>;

const fiveDigits = count.max(99_999, { error: 'has more than 5 digits' });

export const Image = object('Image', {
  url: url(),
  thumbnail: optional(url()),
  category: ImageCategory,
  type: ci(4),
  width: optional(fiveDigits),
  height: optional(fiveDigits),
});
export type Image = z.infer<typeof Image>;

export const BusinessDetails = object('BusinessDetails', {
  name: text(100), website: optional(url()), logo: optional(Image),
});
export type BusinessDetails = z.infer<typeof BusinessDetails>;

/** 1 = Monday … 7 = Sunday; times are local to the Location. */
export const RegularHours = object('RegularHours', {
  weekday: count.min(1, { error: 'is not 1 (Monday) to 7' }).max(7, { error: 'is not 1 (Monday) to 7' }),
  period_begin: TimeOfDay,
  period_end: TimeOfDay,
});
export type RegularHours = z.infer<typeof RegularHours>;

export const ExceptionalPeriod = object('ExceptionalPeriod', { period_begin: DateTime, period_end: DateTime });
export type ExceptionalPeriod = z.infer<typeof ExceptionalPeriod>;

export const Hours = object('Hours', {
  twentyfourseven: boolean,
  regular_hours: list(RegularHours),
  exceptional_openings: list(ExceptionalPeriod),
  exceptional_closings: list(ExceptionalPeriod),
});
export type Hours = z.infer<typeof Hours>;

export const EnergySource = object('EnergySource', { source: EnergySourceCategory, percentage: number });
export type EnergySource = z.infer<typeof EnergySource>;

export const EnvironmentalImpact = object('EnvironmentalImpact', {
  category: EnvironmentalImpactCategory, amount: number,
});
export type EnvironmentalImpact = z.infer<typeof EnvironmentalImpact>;

export const EnergyMix = object('EnergyMix', {
  is_green_energy: boolean,
  energy_sources: list(EnergySource),
  environ_impact: list(EnvironmentalImpact),
  supplier_name: optional(text(64)),
  energy_product_name: optional(text(64)),
});
export type EnergyMix = z.infer<typeof EnergyMix>;

export const StatusSchedule = object('StatusSchedule', {
  period_begin: DateTime, period_end: optional(DateTime), status: Status,
});
export type StatusSchedule = z.infer<typeof StatusSchedule>;

/** Who may see a Location that is not published. LOC-06. */
export const PublishTokenType = ruled(object('PublishTokenType', {
  uid: optional(ci(36)),
  type: optional(TokenType),
  visual_number: optional(text(64)),
  issuer: optional(text(64)),
  group_id: optional(ci(36)),
}), (entry) => {
  if (entry.uid === undefined && entry.visual_number === undefined && entry.group_id === undefined) {
    return ['uid', 'one of uid, visual_number and group_id is required'];
  }
  if (entry.uid !== undefined && entry.type === undefined) return ['type', 'is required beside uid'];
  if (entry.visual_number !== undefined && entry.issuer === undefined) {
    return ['issuer', 'is required beside visual_number'];
  }
  return undefined;
});
export type PublishTokenType = z.infer<typeof PublishTokenType>;

export const Connector = object('Connector', {
  id: id(36),
  standard: ConnectorType,
  format: ConnectorFormat,
  power_type: PowerType,
  max_voltage: count,
  max_amperage: count,
  max_electric_power: optional(count),
  tariff_ids: list(id(36)),
  terms_and_conditions: optional(url()),
  last_updated: DateTime,
});
export type Connector = z.infer<typeof Connector>;

export const Evse = object('EVSE', {
  uid: id(36),
  evse_id: optional(ci(48)),
  status: Status,
  status_schedule: list(StatusSchedule),
  capabilities: list(open('Capability', Capability)),
  connectors: some(Connector),
  floor_level: optional(text(4)),
  coordinates: optional(GeoLocation),
  physical_reference: optional(text(16)),
  directions: list(DisplayText),
  parking_restrictions: list(open('ParkingRestriction', ParkingRestriction)),
  images: list(Image),
  last_updated: DateTime,
});
export type Evse = z.infer<typeof Evse>;

export const Location = object('Location', {
  country_code: CountryCode,
  party_id: PartyId,
  id: id(36),
  publish: boolean,
  publish_allowed_to: list(PublishTokenType),
  name: optional(text(255)),
  address: text(255),
  city: text(45),
  postal_code: optional(text(10)),
  state: optional(text(45)),
  country: Country,
  coordinates: GeoLocation,
  related_locations: list(AdditionalGeoLocation),
  parking_type: optional(open('ParkingType', ParkingType)),
  evses: list(Evse),
  directions: list(DisplayText),
  operator: optional(BusinessDetails),
  suboperator: optional(BusinessDetails),
  owner: optional(BusinessDetails),
  facilities: list(open('Facility', Facility)),
  time_zone: text(255),
  opening_times: optional(Hours),
  charging_when_closed: optional(boolean),
  images: list(Image),
  energy_mix: optional(EnergyMix),
  last_updated: DateTime,
});
export type Location = z.infer<typeof Location>;

/** Whether EVSEs still charge outside the opening hours. Also where it is left out or null. LOC-35. */
export function chargesWhenClosed({ charging_when_closed: charges }: Pick<Location, 'charging_when_closed'>): boolean {
  return charges ?? true;
}

export const ConnectorPatch = patchOf('Connector', Connector);
export type ConnectorPatch = Patch<Connector>;

export const EvsePatch = patchOf('EVSE', Evse);
export type EvsePatch = Patch<Evse>;

/** An EVSE inside a PATCH of its Location: named by its uid, else only what changes (D11, LOC-33). */
export const EvseInPatch = object('EVSE', {
  ...(patchOf('EVSE', Evse) as unknown as typeof Evse).shape, uid: id(36), last_updated: optional(DateTime),
}) as unknown as z.ZodType<Partial<Evse> & { uid: string }>;
export type EvseInPatch = z.infer<typeof EvseInPatch>;

export const LocationPatch = patchOf('Location', Location, { evses: list(EvseInPatch) }) as unknown as
  z.ZodType<Omit<Patch<Location>, 'evses'> & { evses?: EvseInPatch[] }>;
export type LocationPatch = z.infer<typeof LocationPatch>;
