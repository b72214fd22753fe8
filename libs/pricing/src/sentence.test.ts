import { expect, test } from 'vitest';
import { sentence } from './sentence.ts';
import type { Tariff } from './shapes.ts';

const tariff = (...elements: Tariff['elements']): Tariff => ({
  id: 'T',
  currency: 'CAD',
  elements,
});
const energy = { type: 'ENERGY', price: 0.35, step_size: 1 } as const;
const time = { type: 'TIME', price: 2, step_size: 1 } as const;

test.each<[Tariff, string]>([
  [
    tariff({ price_components: [energy, time] }),
    '0.35 CAD per kWh plus 2.00 CAD per hour of charging',
  ],
  [tariff({ price_components: [{ type: 'FLAT', price: 0, step_size: 0 }] }), 'free of charge'],
  [
    tariff(
      {
        price_components: [{ ...energy, price: 0.4125, vat: 5 }],
        restrictions: { start_time: '07:00', end_time: '00:00', day_of_week: ['MONDAY', 'FRIDAY'] },
      },
      { price_components: [energy, { type: 'PARKING_TIME', price: 6, step_size: 300 }] },
    ),
    'on Monday, Friday, 07:00–24:00: 0.4125 CAD per kWh and 5 % tax; ' +
      'otherwise 0.35 CAD per kWh plus 6.00 CAD per hour of parking (in steps of 5 min)',
  ],
  [
    {
      ...tariff(
        { price_components: [energy], restrictions: { max_duration: 1800, min_power: 22 } },
        {
          price_components: [{ type: 'FLAT', price: 4 }],
          restrictions: { reservation: 'RESERVATION_EXPIRES' },
        },
      ),
      min_price: { excl_vat: 0.5 },
      max_price: { excl_vat: 10, incl_vat: 11 },
    },
    'at 22 kW or more, in the first 30 min: 0.35 CAD per kWh; ' +
      'for a reservation that expires 4.00 CAD once; ' +
      'at least 0.50 CAD; at most 10.00 CAD (11.00 CAD with tax)',
  ],
])('a tariff is said in a sentence (%#)', (given, said) => {
  expect(sentence(given)).toBe(said);
});
