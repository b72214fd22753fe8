import { expect, test } from 'vitest';
import type { Tariff } from '#ocpi';
import type { QuoteRequest } from '#pricing';
import { quoted } from './quote.ts';

const tariff = (elements: object[]) =>
  ({ id: 'T', currency: 'CAD', elements }) as unknown as Tariff;
const twoHours: QuoteRequest = {
  start: '2022-02-01T17:00:20Z',
  stayMs: 7_200_000,
  energyKwh: '13',
  timeZone: 'America/Vancouver',
};
const none = { withinS: 0, everyS: 0 };
const total = (elements: object[]) => {
  const { excl, incl } = quoted(tariff(elements), twoHours, none).priced.total;
  return [excl.toString(), incl?.toString()];
};
const energy = { type: 'ENERGY', price: 0.24, vat: 5, step_size: 1 };
const time = { type: 'TIME', price: 1.5, vat: 5, step_size: 1 };

test('13 kWh in two hours by energy and by time', () => {
  expect(total([{ price_components: [energy, time] }])).toEqual(['6.12', '6.43']); // 3.12 + 3.00, and 5 %
});

test("a price that changes at ten o'clock in Vancouver counts from then on", () => {
  const morning = { price_components: [time], restrictions: { end_time: '10:00' } };
  const later = { price_components: [{ ...time, price: 3 }] };
  // From 09:00:20 to 11:00:20: 59 min 40 s at 1.50 and 60 min 20 s at 3.00 an hour.
  expect(total([morning, later])).toEqual(['4.51', '4.73']);
});

test('begun in the evening it is cheaper, and the first such start is named', () => {
  const hours = { start_time: '06:00', end_time: '18:00' };
  const day = { price_components: [energy], restrictions: hours };
  const night = { price_components: [{ ...energy, price: 0.1 }] };
  const aDay = { withinS: 86_400, everyS: 3_600 };
  const { alternatives } = quoted(tariff([day, night]), twoHours, aDay);
  expect(alternatives).toHaveLength(24);
  // Twenty seconds past nine in the morning; nine hours later it is past six in the evening.
  expect(alternatives.findIndex(({ cheapest }) => cheapest)).toBe(9);
  expect(alternatives[9]!.total.excl.toString()).toBe('1.3');
});

test('no more starts are looked at than a list may hold', () => {
  const ahead = { withinS: 30 * 86_400, everyS: 1 };
  const { alternatives } = quoted(tariff([{ price_components: [energy] }]), twoHours, ahead);
  expect(alternatives).toHaveLength(96);
});

test('an energy below nothing is refused', () => {
  const negative = { ...twoHours, energyKwh: '-1' };
  expect(() => quoted(tariff([{ price_components: [energy] }]), negative, none)).toThrow('kWh');
});
