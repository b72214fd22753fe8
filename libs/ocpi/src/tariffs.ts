import { z } from 'zod';
import {
  count, CountryCode, Currency, DateTime, DisplayText, enumOf, id, list, LocalDate, number, object, optional,
  PartyId, Price, some, TimeOfDay, url,
} from './fields.ts';
import { EnergyMix } from './locations.ts';

// OCPI 2.2.1 mod_tariffs. Enums stay closed here: an unknown restriction that is ignored costs money.

export const DayOfWeek = enumOf('DayOfWeek', [
  'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY',
]);
export type DayOfWeek = z.infer<typeof DayOfWeek>;

export const ReservationRestrictionType = enumOf('ReservationRestrictionType', ['RESERVATION', 'RESERVATION_EXPIRES']);
export type ReservationRestrictionType = z.infer<typeof ReservationRestrictionType>;

export const TariffDimensionType = enumOf('TariffDimensionType', ['ENERGY', 'FLAT', 'PARKING_TIME', 'TIME']);
export type TariffDimensionType = z.infer<typeof TariffDimensionType>;

export const TariffType = enumOf('TariffType', [
  'AD_HOC_PAYMENT', 'PROFILE_CHEAP', 'PROFILE_FAST', 'PROFILE_GREEN', 'REGULAR',
]);
export type TariffType = z.infer<typeof TariffType>;

/** price is excl. VAT per kWh, per hour, or once; vat in percent, absent = no VAT applies. PRC-03, PRC-05. */
export const PriceComponent = object('PriceComponent', {
  type: TariffDimensionType,
  price: number,
  vat: optional(number),
  step_size: count,
});
export type PriceComponent = z.infer<typeof PriceComponent>;

/** Times and dates are local to the Location; minima are inclusive, maxima exclusive. PRC-13. */
export const TariffRestrictions = object('TariffRestrictions', {
  start_time: optional(TimeOfDay),
  end_time: optional(TimeOfDay),
  start_date: optional(LocalDate),
  end_date: optional(LocalDate),
  min_kwh: optional(number),
  max_kwh: optional(number),
  min_current: optional(number),
  max_current: optional(number),
  min_power: optional(number),
  max_power: optional(number),
  min_duration: optional(count),
  max_duration: optional(count),
  day_of_week: list(DayOfWeek),
  reservation: optional(ReservationRestrictionType),
});
export type TariffRestrictions = z.infer<typeof TariffRestrictions>;

export const TariffElement = object('TariffElement', {
  price_components: some(PriceComponent), restrictions: optional(TariffRestrictions),
});
export type TariffElement = z.infer<typeof TariffElement>;

export const Tariff = object('Tariff', {
  country_code: CountryCode,
  party_id: PartyId,
  id: id(36),
  currency: Currency,
  type: optional(TariffType),
  tariff_alt_text: list(DisplayText),
  tariff_alt_url: optional(url()),
  min_price: optional(Price),
  max_price: optional(Price),
  elements: some(TariffElement),
  start_date_time: optional(DateTime),
  end_date_time: optional(DateTime),
  energy_mix: optional(EnergyMix),
  last_updated: DateTime,
});
export type Tariff = z.infer<typeof Tariff>;
