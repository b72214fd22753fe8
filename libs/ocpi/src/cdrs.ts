import { z } from 'zod';
import {
  boolean, ci, Country, CountryCode, Currency, DateTime, enumOf, id, int, list, number, object, optional,
  PartyId, Price, ruled, some, text,
} from './fields.ts';
import { ConnectorFormat, ConnectorType, GeoLocation, PowerType } from './locations.ts';
import { Tariff } from './tariffs.ts';
import { TokenType } from './tokens.ts';

// OCPI 2.2.1 mod_cdrs, and what Sessions share with it.

export const AuthMethod = enumOf('AuthMethod', ['AUTH_REQUEST', 'COMMAND', 'WHITELIST']);
export type AuthMethod = z.infer<typeof AuthMethod>;

export const CdrDimensionType = enumOf('CdrDimensionType', [
  'CURRENT', 'ENERGY', 'ENERGY_EXPORT', 'ENERGY_IMPORT', 'MAX_CURRENT', 'MIN_CURRENT', 'MAX_POWER', 'MIN_POWER',
  'PARKING_TIME', 'POWER', 'RESERVATION_TIME', 'STATE_OF_CHARGE', 'TIME',
]);
export type CdrDimensionType = z.infer<typeof CdrDimensionType>;

/** Dimensions that a Session may have and a CDR must not. SES-11, CDR-16. */
export const sessionOnlyDimensions: readonly CdrDimensionType[] = [
  'CURRENT', 'ENERGY_EXPORT', 'ENERGY_IMPORT', 'POWER', 'STATE_OF_CHARGE',
];

/** ENERGY in kWh, times in hours, currents in A over all phases, powers in kW. */
export const CdrDimension = object('CdrDimension', { type: CdrDimensionType, volume: number });
export type CdrDimension = z.infer<typeof CdrDimension>;

export const ChargingPeriod = object('ChargingPeriod', {
  start_date_time: DateTime, dimensions: some(CdrDimension), tariff_id: optional(id(36)),
});
export type ChargingPeriod = z.infer<typeof ChargingPeriod>;

export const CdrToken = object('CdrToken', {
  country_code: CountryCode, party_id: PartyId, uid: id(36), type: TokenType, contract_id: ci(36),
});
export type CdrToken = z.infer<typeof CdrToken>;

/**
 * The Location as it was when the session started. A Location's address and state may be longer than a
 * CDR's (45 and 20): what partners copied whole is taken, `cdrLocation` cuts what we send. D18.
 */
export const CdrLocation = object('CdrLocation', {
  id: id(36),
  name: optional(text(255)),
  address: text(255),
  city: text(45),
  postal_code: optional(text(10)),
  state: optional(text(45)),
  country: Country,
  coordinates: GeoLocation,
  evse_uid: ci(36),
  evse_id: ci(48),
  connector_id: ci(36),
  connector_standard: ConnectorType,
  connector_format: ConnectorFormat,
  connector_power_type: PowerType,
});
export type CdrLocation = z.infer<typeof CdrLocation>;

export const SignedValue = object('SignedValue', {
  nature: ci(32), plain_data: text(5_000), signed_data: text(5_000),
});
export type SignedValue = z.infer<typeof SignedValue>;

export const SignedData = object('SignedData', {
  encoding_method: ci(36),
  encoding_method_version: optional(int),
  public_key: optional(text(512)),
  signed_values: some(SignedValue),
  url: optional(text(512)),
});
export type SignedData = z.infer<typeof SignedData>;

/** Volumes are in kWh and hours, amounts in `currency`. Never changed once sent, only credited. CDR-02. */
export const Cdr = ruled(object('CDR', {
  country_code: CountryCode,
  party_id: PartyId,
  id: id(39),
  start_date_time: DateTime,
  end_date_time: DateTime,
  session_id: optional(id(36)),
  cdr_token: CdrToken,
  auth_method: AuthMethod,
  authorization_reference: optional(ci(36)),
  cdr_location: CdrLocation,
  meter_id: optional(text(255)),
  currency: Currency,
  tariffs: list(Tariff),
  charging_periods: some(ChargingPeriod),
  signed_data: optional(SignedData),
  total_cost: Price,
  total_fixed_cost: optional(Price),
  total_energy: number,
  total_energy_cost: optional(Price),
  total_time: number,
  total_time_cost: optional(Price),
  total_parking_time: optional(number),
  total_parking_cost: optional(Price),
  total_reservation_cost: optional(Price),
  remark: optional(text(255)),
  invoice_reference_id: optional(ci(39)),
  credit: optional(boolean),
  credit_reference_id: optional(ci(39)),
  home_charging_compensation: optional(boolean),
  last_updated: DateTime,
}), (cdr) => {
  // One that is below nothing may be a Credit CDR whose sender left out the flag: it is read for what it says.
  if (!cdr.credit && cdr.id.length > 36 && cdr.total_cost.excl_vat >= 0) {
    return ['id', 'is longer than the 36 characters of a CDR that is no Credit CDR (mod_cdrs)'];
  }
  if (cdr.credit && !cdr.credit_reference_id) {
    return ['credit_reference_id', 'is required in a Credit CDR (mod_cdrs)'];
  }
  const wrong = cdr.charging_periods.findIndex(({ dimensions }) =>
    dimensions.some(({ type }) => sessionOnlyDimensions.includes(type)));
  if (wrong >= 0) {
    const names = sessionOnlyDimensions.join(', ');
    return [`charging_periods[${wrong}].dimensions`, `${names} are only for Sessions (mod_cdrs)`];
  }
  if (cdr.total_energy !== 0 && cdr.cdr_location.evse_uid === '#NA') {
    return ['cdr_location.evse_uid', '"#NA" is only for a reservation without a session (mod_cdrs)'];
  }
  return undefined;
});
export type Cdr = z.infer<typeof Cdr>;
