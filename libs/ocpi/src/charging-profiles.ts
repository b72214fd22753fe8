import { z } from 'zod';
import { count, DateTime, enumOf, list, number, object, optional, ruled, url } from './fields.ts';

// OCPI 2.2.1 mod_charging_profiles. A profile is a limit, not a target.

export const ChargingRateUnit = enumOf('ChargingRateUnit', ['W', 'A']);
export type ChargingRateUnit = z.infer<typeof ChargingRateUnit>;

export const ChargingProfileResponseType = enumOf('ChargingProfileResponseType', [
  'ACCEPTED', 'NOT_SUPPORTED', 'REJECTED', 'TOO_OFTEN', 'UNKNOWN_SESSION',
]);
export type ChargingProfileResponseType = z.infer<typeof ChargingProfileResponseType>;

export const ChargingProfileResultType = enumOf('ChargingProfileResultType', ['ACCEPTED', 'REJECTED', 'UNKNOWN']);
export type ChargingProfileResultType = z.infer<typeof ChargingProfileResultType>;

/** A per phase, or W in total; at most one decimal. CHP-04. */
const rate = number.refine((value) => /^-?\d+(\.\d)?$/.test(String(value)), { error: 'has more than one decimal' });

/** start_period in seconds after the profile's start. */
export const ChargingProfilePeriod = object('ChargingProfilePeriod', { start_period: count, limit: rate });
export type ChargingProfilePeriod = z.infer<typeof ChargingProfilePeriod>;

/** Without start_date_time it starts with the charging; duration in seconds. */
export const ChargingProfile = object('ChargingProfile', {
  start_date_time: optional(DateTime),
  duration: optional(count),
  charging_rate_unit: ChargingRateUnit,
  min_charging_rate: optional(rate),
  charging_profile_period: list(ChargingProfilePeriod),
});
export type ChargingProfile = z.infer<typeof ChargingProfile>;

export const ActiveChargingProfile = object('ActiveChargingProfile', {
  start_date_time: DateTime, charging_profile: ChargingProfile,
});
export type ActiveChargingProfile = z.infer<typeof ActiveChargingProfile>;

export const SetChargingProfile = object('SetChargingProfile', {
  charging_profile: ChargingProfile, response_url: url(),
});
export type SetChargingProfile = z.infer<typeof SetChargingProfile>;

/** The answer at once; timeout in seconds. */
export const ChargingProfileResponse = object('ChargingProfileResponse', {
  result: ChargingProfileResponseType, timeout: count,
});
export type ChargingProfileResponse = z.infer<typeof ChargingProfileResponse>;

export const ActiveChargingProfileResult = ruled(object('ActiveChargingProfileResult', {
  result: ChargingProfileResultType, profile: optional(ActiveChargingProfile),
}), (answer) => (answer.result === 'ACCEPTED' && answer.profile === undefined
  ? ['profile', 'is required when the result is ACCEPTED (mod_charging_profiles)']
  : undefined));
export type ActiveChargingProfileResult = z.infer<typeof ActiveChargingProfileResult>;

export const ChargingProfileResult = object('ChargingProfileResult', { result: ChargingProfileResultType });
export type ChargingProfileResult = z.infer<typeof ChargingProfileResult>;

export const ClearProfileResult = object('ClearProfileResult', { result: ChargingProfileResultType });
export type ClearProfileResult = z.infer<typeof ClearProfileResult>;
