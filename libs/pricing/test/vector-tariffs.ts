import { instant, rfc3339 } from '#time';
import type {
  CdrDimension,
  Charge,
  ChargingPeriod,
  PriceComponent,
  Tariff,
  TariffElement,
  TariffRestrictions,
} from '../src/shapes.ts';

export const TIME_ZONE = 'Europe/Berlin';

// Volumes are written as people say them and carried as OCPI does: kWh, and hours of 4 decimals.
type Volume = CdrDimension & { readonly minutes?: number };
export const kwh = (volume: number): Volume => ({ type: 'ENERGY', volume });
export const amperes = (volume: number): Volume => ({ type: 'CURRENT', volume });
export const kilowatts = (volume: number): Volume => ({ type: 'POWER', volume });
const lasting = (type: string, minutes: number): Volume => ({
  type,
  volume: Math.round((minutes / 60) * 1e4) / 1e4,
  minutes,
});
export const charging = (minutes: number) => lasting('TIME', minutes);
export const parking = (minutes: number) => lasting('PARKING_TIME', minutes);
export const reserved = (minutes: number) => lasting('RESERVATION_TIME', minutes);

/** A charge that begins at an instant and whose periods follow each other. */
export function charge(tariff: Tariff, start: string, ...periods: Volume[][]): Charge {
  let atMs = instant(start);
  const charging_periods: ChargingPeriod[] = [];
  for (const volumes of periods) {
    const dimensions = volumes.map(({ type, volume }) => ({ type, volume }));
    charging_periods.push({ start_date_time: rfc3339(atMs), dimensions });
    for (const { minutes = 0 } of volumes) atMs += minutes * 60_000;
  }
  return {
    start_date_time: start,
    end_date_time: rfc3339(atMs),
    currency: tariff.currency,
    tariffs: [tariff],
    charging_periods,
  };
}

type Rated = Pick<PriceComponent, 'price' | 'vat' | 'step_size'>;
export const flat = (price: number, vat?: number): PriceComponent => ({
  type: 'FLAT',
  price,
  vat,
  step_size: 1,
});
export const energy = (price: number, vat?: number, step_size = 1): PriceComponent => ({
  type: 'ENERGY',
  ...rated(price, vat, step_size),
});
export const time = (
  price: number,
  vat: number | undefined,
  step_size: number,
): PriceComponent => ({
  type: 'TIME',
  ...rated(price, vat, step_size),
});
export const park = (
  price: number,
  vat: number | undefined,
  step_size: number,
): PriceComponent => ({
  type: 'PARKING_TIME',
  ...rated(price, vat, step_size),
});
const rated = (price: number, vat: number | undefined, step_size: number): Rated => ({
  price,
  vat,
  step_size,
});

export const always = (...price_components: PriceComponent[]): TariffElement => ({
  price_components,
});
export const when = (
  restrictions: TariffRestrictions,
  ...price_components: PriceComponent[]
): TariffElement => ({ price_components, restrictions });
export const tariff = (...elements: TariffElement[]): Tariff => ({
  id: 'T',
  currency: 'EUR',
  elements,
});

export const TUESDAY_10 = '2019-01-15T09:00:00Z';
const WORKDAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY'];

export const perKwh = tariff(always(energy(0.25, 10)));
export const perKwhAndStart = tariff(always(flat(0.5, 20), energy(0.25, 10)));
export const atLeast: Tariff = { ...perKwh, min_price: { excl_vat: 0.5, incl_vat: 0.55 } };
export const atMost: Tariff = { ...perKwhAndStart, max_price: { excl_vat: 10, incl_vat: 11 } };
export const perHour = tariff(always(time(2, 10, 60)));
export const perHourAndParking = tariff(always(time(3, 10, 60), park(5, 20, 300)));
export const byCurrentAndDay = tariff(
  always(flat(2.5, 15)),
  when({ max_current: 32 }, time(1, 20, 900)),
  when({ min_current: 32, day_of_week: WORKDAYS }, time(2, 20, 600)),
  when({ min_current: 32, day_of_week: ['SATURDAY', 'SUNDAY'] }, time(1.25, 20, 600)),
  when({ start_time: '09:00', end_time: '18:00', day_of_week: WORKDAYS }, park(5, 10, 300)),
  when({ start_time: '10:00', end_time: '17:00', day_of_week: ['SATURDAY'] }, park(6, 10, 300)),
);
const reservable = (...forReservations: TariffElement[]) =>
  tariff(...forReservations, always(flat(0.5, 20), energy(0.25, 10)));
export const RESERVATION = { reservation: 'RESERVATION' };
export const EXPIRES = { reservation: 'RESERVATION_EXPIRES' };
export const reservedPerHour = reservable(when(RESERVATION, time(5, 20, 60)));
export const reservedForFee = reservable(when(RESERVATION, flat(2, 20), time(5, 20, 300)));
export const expiryFee = reservable(
  when(EXPIRES, flat(4, 20)),
  when(RESERVATION, time(2, 20, 600)),
);
export const expiryTime = reservable(
  when(EXPIRES, time(6, 20, 600)),
  when(RESERVATION, time(3, 20, 600)),
);
export const dayParts = tariff(
  when(
    { start_time: '00:00', end_time: '17:00' },
    time(1.2, undefined, 1800),
    park(1, undefined, 900),
  ),
  when(
    { start_time: '17:00', end_time: '20:00' },
    time(2.4, undefined, 900),
    park(1, undefined, 900),
  ),
  when({ start_time: '20:00', end_time: '00:00' }, time(2.4, undefined, 900)),
);
export const byPower = tariff(
  when({ max_power: 16 }, energy(0.2, 20)),
  when({ max_power: 32 }, energy(0.35, 20)),
  always(energy(0.5, 20)),
);
export const byDuration = tariff(
  when({ max_duration: 1800 }, energy(0, 20)),
  when({ max_duration: 3600 }, energy(0.25, 20)),
  always(energy(0.4, 20)),
);
export const fiveOClock = (before: PriceComponent, after: PriceComponent) =>
  tariff(
    when({ start_time: '00:00', end_time: '17:00' }, before),
    when({ start_time: '17:00', end_time: '00:00' }, after),
  );
export const stepped = (...components: PriceComponent[]) => tariff(always(...components));

export const hourOf20 = [charging(60), kwh(20)];
