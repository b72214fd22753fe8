import { expect, test } from 'vitest';
import type { Tariff } from '#ocpi';
import { quotedPrice } from './quote.ts';

const tariff = (elements: object[]) => ({ id: 'T', currency: 'CAD', elements }) as unknown as Tariff;
const total = (elements: object[], request: Partial<Parameters<typeof quotedPrice>[1]> = {}) => {
  const priced = quotedPrice(tariff(elements), {
    startMs: Date.parse('2022-02-01T17:00:20Z'), durationS: 7_200, energyWh: 13_000, timeZone: 'America/Vancouver', ...request,
  });
  return [priced.total.excl.toString(), priced.total.incl?.toString()];
};
const energy = { type: 'ENERGY', price: 0.24, vat: 5, step_size: 1 };
const time = { type: 'TIME', price: 1.5, vat: 5, step_size: 1 };

test('13 kWh in two hours by energy and by time', () => {
  expect(total([{ price_components: [energy, time] }])).toEqual(['6.12', '6.43']); // 3.12 + 3.00, and 5 %
});

test('a price that changes at ten o\'clock in Vancouver counts from then on', () => {
  const morning = { price_components: [time], restrictions: { end_time: '10:00' } };
  const later = { price_components: [{ ...time, price: 3 }] };
  // From 09:00:20 to 11:00:20: 59 min 40 s at 1.50 and 60 min 20 s at 3.00 an hour.
  expect(total([morning, later])).toEqual(['4.51', '4.73']);
});
