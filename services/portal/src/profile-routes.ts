import { z } from 'zod';
import { type ChargeProfiles, ProfileRequestView, ProfileView } from './charge-profiles.ts';
import { between, Instant, ofCharge } from './fields.ts';
import { driverRoute, type Route } from './route.ts';

const seconds = between(z.int('a whole number of seconds'), 0, 31_536_000, 'a whole number of seconds');
const rate = z.number('a number with one decimal at most').min(0, 'at least 0').max(1_000_000, 'at most 1000000')
  .refine((value) => /^\d+(\.\d)?$/.test(String(value)), 'a number with one decimal at most');

const Profile = z.strictObject({
  start_date_time: Instant.optional(),
  duration: seconds.optional(),
  charging_rate_unit: z.enum(['A', 'W']),
  min_charging_rate: rate.optional(),
  charging_profile_period: z
    .array(z.strictObject({ start_period: seconds, limit: rate }))
    .min(1, 'at least one period')
    .max(1_000, 'at most 1000 periods'),
});

const Preferences = z.strictObject({
  profile_type: z.enum(['CHEAP', 'FAST', 'GREEN', 'REGULAR']),
  departure_time: Instant.optional(),
  energy_need: z.number('a number of kWh').positive('more than 0').max(10_000, 'at most 10000').optional(),
  discharge_allowed: z.boolean().optional(),
});

/** Limits and wishes for a charge at a partner's station. */
export function profileRoutes(profiles: ChargeProfiles): Route[] {
  const at = (path: string) => ({ path: `/v1/charges/:charge_id${path}`, params: ofCharge });
  return [
    driverRoute({
      ...at('/profile'),
      method: 'GET',
      summary: 'What limits a charge and who asked for it: at a partner what was asked and what the operator told, here whose limit holds',
      answer: ProfileView,
      handle: ({ driver, params: { charge_id: id } }) => profiles.find(driver, id),
    }),
    driverRoute({
      ...at('/profile'),
      method: 'PUT',
      status: 202,
      summary: 'Limit a charge at a partner (OCPI ChargingProfile); the result follows',
      body: Profile,
      answer: ProfileRequestView,
      handle: ({ driver, params: { charge_id: id }, body }) => profiles.send(driver, id, { method: 'PUT', body }),
    }),
    driverRoute({
      ...at('/profile'),
      method: 'DELETE',
      status: 202,
      summary: 'Take back the limit of a charge at a partner; the result follows',
      answer: ProfileRequestView,
      handle: ({ driver, params: { charge_id: id } }) => profiles.send(driver, id, { method: 'DELETE' }),
    }),
    driverRoute({
      ...at('/profile/ask'),
      method: 'POST',
      status: 202,
      summary: 'Ask the operator what a charge may draw; the answer follows',
      body: z.strictObject({
        duration_s: between(z.int('a whole number of seconds'), 300, 3_600, 'a whole number of seconds').default(3_600),
      }),
      answer: ProfileRequestView,
      handle: ({ driver, params: { charge_id: id }, body }) =>
        profiles.send(driver, id, { method: 'GET', durationS: body.duration_s }),
    }),
    driverRoute({
      ...at('/preferences'),
      method: 'PUT',
      summary: 'Tell the operator of a charge what you prefer (OCPI ChargingPreferences)',
      body: Preferences,
      answer: ProfileRequestView,
      handle: ({ driver, params: { charge_id: id }, body }) =>
        profiles.send(driver, id, { method: 'PREFERENCES', body }),
    }),
  ];
}
