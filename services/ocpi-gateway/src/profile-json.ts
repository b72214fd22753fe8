import type { MessageInitShape } from '@bufbuild/protobuf';
import { uint32 } from '#contracts';
import type { LimitProfile, LimitProfileSchema } from '#contracts/evems-controller';
import { type ActiveChargingProfile, type ChargingProfile, dateTimeOf, instantMs } from '#ocpi';

/** OCPI's charging profiles and those of the bus. */

export function toLimitProfile(profile: ChargingProfile): MessageInitShape<typeof LimitProfileSchema> {
  const { start_date_time: startAt, duration, charging_rate_unit: unit, min_charging_rate: minRate } = profile;
  return {
    unit,
    // Always with its Z. TYP-03.
    ...(startAt ? { startAt: dateTimeOf(instantMs(startAt)!) } : {}),
    ...(typeof duration === 'number' ? { durationS: uint32(duration) } : {}),
    ...(minRate === undefined || minRate === null ? {} : { minRate: String(minRate) }),
    periods: (profile.charging_profile_period ?? []).map(({ start_period: startS, limit }) => ({ startS: uint32(startS), limit: String(limit) })),
  };
}

/** What a charge may draw; with `durationS`, for so long. */
export function toActiveProfile({ startAt = '', unit, periods }: LimitProfile, durationS = Infinity): ActiveChargingProfile {
  const start = dateTimeOf(instantMs(startAt)!);
  const asked = periods.filter(({ startS }, i) => i === 0 || startS < durationS);
  return {
    start_date_time: start,
    charging_profile: {
      start_date_time: start,
      ...(asked.length < periods.length ? { duration: durationS } : {}),
      charging_rate_unit: unit as 'A' | 'W',
      charging_profile_period: asked.map(({ startS, limit }) => ({ start_period: startS, limit: Number(limit) })),
    },
  };
}
