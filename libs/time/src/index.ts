export {
  type Clock,
  clockFromEnv,
  type FixedClock,
  fixedClock,
  InvalidClock,
  runningClock,
  systemClock,
} from './clock.ts';
export { countryCode, countryOfTwo } from './countries.ts';
export {
  type CivilDate,
  civilFromDays,
  daysFromCivil,
  InvalidInstant,
  instant,
  instantWithOffset,
  isInstant,
  rfc3339,
} from './instant.ts';
export {
  isTimeZone,
  type LocalTime,
  tzdbVersion,
  UnknownTimeZone,
  weekdayOf,
  Zone,
  zone,
  zonesTurning,
} from './zone.ts';
export { type FoundZone, type PlaceFacts, zoneOfPlace, type ZoneReason } from './place-zones.ts';
