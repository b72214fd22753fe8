import { expect, test } from 'vitest';
import { explain } from './explain.ts';
import { explanationText } from './explain-text.ts';
import { chargeOf, energy, flat, tariffOf, time } from '../test/one-hour.ts';
import { price } from './price.ts';
import type { Charge, Tariff } from './shapes.ts';

/** The charge of an hour, told a quarter of an hour at a time. */
function inQuarters(tariff: Tariff): Charge {
  const quarters = ['12:00', '12:15', '12:30', '12:45'].map((at) => ({
    start_date_time: `2024-01-10T${at}:00Z`,
    dimensions: [
      { type: 'ENERGY', volume: 2.5 },
      { type: 'TIME', volume: 0.25 },
    ],
  }));
  return chargeOf(tariff, ...quarters);
}

const linesOf = (tariff: Tariff) =>
  explanationText(explain(price(inQuarters(tariff), { timeZone: 'America/Vancouver' }))).split('\n');

test('periods that are priced alike are told as one, with their sums', () => {
  expect(linesOf(tariffOf(flat, { ...energy, vat: 5 }, time))).toEqual([
    '2024-01-10 04:00 to 05:00 (America/Vancouver):',
    '  Fee at 1 CAD (part 1 of the tariff): 1.00 CAD.',
    '  Energy 10 kWh at 0.25 CAD per kWh and 5 % tax (part 1 of the tariff): 2.50 CAD, with tax 2.625 CAD.',
    '  Charging time 1 h at 2 CAD per hour (part 1 of the tariff): 2.00 CAD.',
    'Sum: 5.50 CAD, with tax 5.625 CAD.',
    'To pay: 5.50 CAD, with tax 5.63 CAD, rounded half away from zero.',
    '',
  ]);
});

test('where the price changes a new period begins', () => {
  const lines = linesOf({
    ...tariffOf(),
    elements: [
      { price_components: [energy], restrictions: { end_time: '04:30', start_time: '00:00' } },
      { price_components: [{ ...energy, price: 9 }] },
    ],
  });
  const headings = lines.filter((line) => line.endsWith('(America/Vancouver):'));
  expect(headings[0]).toBe('2024-01-10 04:00 to 04:30 (America/Vancouver):');
  expect(lines.join('\n')).toContain('Energy 5 kWh at 0.25 CAD per kWh');
});

test('the tree keeps every period', () => {
  expect(explain(price(inQuarters(tariffOf(energy)))).periods).toHaveLength(4);
});

test('what another tariff prices alike is told by itself', () => {
  const [one, other] = [tariffOf(energy), { ...tariffOf(energy), id: 'OTHER' }];
  const { charging_periods: periods, ...charge } = inQuarters(one);
  const priced = price({ ...charge, tariffs: [one, other], charging_periods: periods!.map((period, n) => ({ ...period, tariff_id: n < 2 ? one.id : other.id })) });
  expect(explanationText(explain(priced)).split('\n').filter((line) => line.includes('Energy'))).toHaveLength(2);
});
