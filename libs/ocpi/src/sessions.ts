import { z } from 'zod';
import {
  boolean, ci, CountryCode, Currency, DateTime, enumOf, id, list, number, object, optional, PartyId, type Patch,
  patchOf, Price, ruled, text,
} from './fields.ts';
import { AuthMethod, CdrToken, ChargingPeriod } from './cdrs.ts';
import { ProfileType } from './tokens.ts';

// OCPI 2.2.1 mod_sessions.

export const SessionStatus = enumOf('SessionStatus', ['ACTIVE', 'COMPLETED', 'INVALID', 'PENDING', 'RESERVATION']);
export type SessionStatus = z.infer<typeof SessionStatus>;

/** The flow text says RESERVED where the enum says RESERVATION; both are understood. D2. */
const status = z.preprocess((given) => (given === 'RESERVED' ? 'RESERVATION' : given), SessionStatus);

const fields = object('Session', {
  country_code: CountryCode,
  party_id: PartyId,
  id: id(36),
  start_date_time: DateTime,
  end_date_time: optional(DateTime),
  kwh: number,
  cdr_token: CdrToken,
  auth_method: AuthMethod,
  authorization_reference: optional(ci(36)),
  location_id: id(36),
  evse_uid: ci(36).min(1, { error: 'is empty' }),
  connector_id: ci(36).min(1, { error: 'is empty' }),
  meter_id: optional(text(255)),
  currency: Currency,
  charging_periods: list(ChargingPeriod),
  total_cost: optional(Price),
  status,
  last_updated: DateTime,
});

/** "#NA" as evse_uid or connector_id is for a reservation without one, never for a running charge. SES-07. */
export const Session = ruled(fields, (session) => {
  if (session.status !== 'ACTIVE') return undefined;
  const field = session.evse_uid === '#NA' ? 'evse_uid' : session.connector_id === '#NA' ? 'connector_id' : undefined;
  return field ? [field, '"#NA" is not allowed while the status is ACTIVE (mod_sessions)'] : undefined;
});
export type Session = z.infer<typeof Session>;

/** Its charging_periods are appended to those known (SES-03): `patchSession`. */
export const SessionPatch = patchOf('Session', fields);
export type SessionPatch = Patch<Session>;

export const ChargingPreferencesResponse = enumOf('ChargingPreferencesResponse', [
  'ACCEPTED', 'DEPARTURE_REQUIRED', 'ENERGY_NEED_REQUIRED', 'NOT_POSSIBLE', 'PROFILE_TYPE_NOT_SUPPORTED',
]);
export type ChargingPreferencesResponse = z.infer<typeof ChargingPreferencesResponse>;

/** energy_need in kWh. SES-20. */
export const ChargingPreferences = object('ChargingPreferences', {
  profile_type: ProfileType,
  departure_time: optional(DateTime),
  energy_need: optional(number.refine((kwh) => kwh >= 0, { error: 'is less than 0 kWh' })),
  discharge_allowed: optional(boolean),
});
export type ChargingPreferences = z.infer<typeof ChargingPreferences>;
