import type { Charge, ChargingPeriod, PriceComponent, Tariff } from '../src/shapes.ts';

// What tests price: ten kWh in one hour, by a tariff of one element.

export const start_date_time = '2024-01-10T12:00:00Z';
export const energy: PriceComponent = { type: 'ENERGY', price: 0.25, step_size: 1 };
export const time: PriceComponent = { type: 'TIME', price: 2, step_size: 1 };
export const flat: PriceComponent = { type: 'FLAT', price: 1, step_size: 1 };
export const tariffOf = (...price_components: PriceComponent[]): Tariff => ({
  id: 'T1',
  currency: 'CAD',
  elements: [{ price_components }],
});
export const oneHour: ChargingPeriod = {
  start_date_time,
  dimensions: [
    { type: 'ENERGY', volume: 10 },
    { type: 'TIME', volume: 1 },
  ],
};
export const chargeOf = (tariff: Tariff, ...charging_periods: ChargingPeriod[]): Charge => ({
  start_date_time,
  end_date_time: '2024-01-10T13:00:00Z',
  currency: tariff.currency,
  tariffs: [tariff],
  charging_periods: charging_periods.length > 0 ? charging_periods : [oneHour],
});
