import { expect, test } from 'vitest';
import { type Policy, policyWith } from './policy.ts';
import { chargeOf, energy, flat, oneHour, start_date_time, tariffOf, time } from '../test/one-hour.ts';
import { price, type PriceOptions } from './price.ts';
import {
  type Charge,
  type ChargingPeriod,
  InvalidCharge,
  InvalidTariff,
  type PriceComponent,
  type Tariff,
} from './shapes.ts';

const cost = (charge: Charge, options?: PriceOptions) => {
  const { excl, incl } = price(charge, options).total;
  return incl ? `${excl} ${incl}` : `${excl}`;
};

test('no VAT is not 0 % VAT', () => {
  expect(cost(chargeOf(tariffOf(energy)))).toBe('2.5');
  expect(cost(chargeOf(tariffOf({ ...energy, vat: 0 })))).toBe('2.5 2.5');
  expect(cost(chargeOf(tariffOf({ ...energy, vat: null }, { ...time, vat: 10 })))).toBe('4.5 4.7');
  const equal = policyWith({ vatNowhere: 'equals-excl' });
  expect(cost(chargeOf(tariffOf(energy)), { policy: equal })).toBe('2.5 2.5');
});

test.each<[string, Partial<Tariff>, string]>([
  ['both are bounded', { min_price: { excl_vat: 5, incl_vat: 6 } }, '5 6'],
  [
    'only the price with VAT is below its bound',
    { min_price: { excl_vat: 1, incl_vat: 3 } },
    '2.5 3',
  ],
  [
    'only the price without VAT is above its bound',
    { max_price: { excl_vat: 2, incl_vat: 9 } },
    '2 2.75',
  ],
  [
    'a least price without VAT alone lifts the one with VAT as far',
    { min_price: { excl_vat: 5 } },
    '5 5',
  ],
  [
    'a highest price without VAT alone leaves the one with VAT',
    { max_price: { excl_vat: 1 } },
    '1 2.75',
  ],
])('bounds act on each price by itself: %s', (_, bounds, expected) => {
  const tariff = { ...tariffOf({ ...energy, vat: 10 }), ...bounds };
  expect(cost(chargeOf(tariff))).toBe(expected);
});

test.each([
  ['JPY', '3'],
  ['CAD', '2.63'],
  ['KWD', '2.625'],
  ['XXQ', '2.63'],
])('%s is rounded to its own minor unit, half away from zero', (currency, expected) => {
  const priced = price(chargeOf({ ...tariffOf({ ...energy, price: 0.2625 }), currency }));
  expect(priced.total.excl.toString()).toBe(expected);
  expect(priced.notes.some(({ code }) => code === 'currency-unknown')).toBe(currency === 'XXQ');
});

const twoFlats: Tariff = {
  ...tariffOf(),
  elements: [
    { price_components: [flat], restrictions: { max_duration: 1800 } },
    { price_components: [{ ...flat, price: 5 }] },
  ],
};
const twoPeriods: ChargingPeriod[] = [
  { start_date_time, dimensions: [{ type: 'TIME', volume: 0.5 }] },
  { start_date_time: '2024-01-10T12:30:00Z', dimensions: [{ type: 'TIME', volume: 0.5 }] },
];

test('a FLAT is billed once per session, or by policy once per element', () => {
  expect(cost(chargeOf(twoFlats, ...twoPeriods))).toBe('1');
  const policy = policyWith({ flatFee: 'once-per-element' });
  expect(cost(chargeOf(twoFlats, ...twoPeriods), { policy })).toBe('6');
});

test.each<[string, Partial<Policy>, string]>([
  ['our rule', {}, '3 TIME'],
  ['each run of a component by itself', { stepScope: 'component' }, '4 TIME'],
  ['no steps', { stepScope: 'none' }, '2.5 TIME'],
  ['parking, whenever there was some', { timeStep: 'parking-absorbs' }, '3.5 PARKING_TIME'],
])('steps after parking and charging again: %s', (_, changes, expected) => {
  const park: PriceComponent = { type: 'PARKING_TIME', price: 2, step_size: 3600 };
  const tariff = tariffOf({ ...time, step_size: 3600 }, park);
  const period = (at: string, type: string, volume: number) => ({
    start_date_time: `2024-01-10T${at}:00Z`,
    dimensions: [{ type, volume }],
  });
  const charge: Charge = {
    ...chargeOf(
      tariff,
      period('12:00', 'TIME', 0.25),
      period('12:15', 'PARKING_TIME', 0.5),
      period('12:45', 'TIME', 0.5),
    ),
    end_date_time: '2024-01-10T13:15:00Z',
  };
  const { total, lines } = price(charge, { policy: policyWith(changes) });
  const rounded = lines.find((line) => !line.billed.equals(line.volume)) ?? lines[0]!;
  expect(`${total.excl} ${rounded.dimension}`).toBe(expected);
});

test('hours of few decimals stand for the timestamps that they were rounded from', () => {
  const charge: Charge = {
    ...chargeOf(tariffOf(time), {
      start_date_time,
      dimensions: [{ type: 'TIME', volume: 0.3333 }],
    }),
    end_date_time: '2024-01-10T12:20:00Z',
  };
  expect(price(charge).lines[0]!.billed.toString()).toBe('1200');
  const volume = price(charge, { policy: policyWith({ timeVolume: 'volume', stepScope: 'none' }) });
  expect(volume.lines[0]!.billed.toString()).toBe('1199.88');
});

test('hours that are no rounding of the timestamps are billed as they are, and noted', () => {
  const charge = chargeOf(tariffOf(time), {
    start_date_time,
    dimensions: [{ type: 'TIME', volume: 0.75 }],
  });
  const priced = price(charge);
  expect(priced.total.excl.toString()).toBe('1.5');
  expect(priced.notes).toEqual([{ code: 'time-differs-from-timestamps', period: 0 }]);
});

test('energy that flows back is paid back, or by policy worth nothing', () => {
  const back = { start_date_time, dimensions: [{ type: 'ENERGY', volume: -4 }] };
  expect(cost(chargeOf(tariffOf(energy), back))).toBe('-1');
  const policy = policyWith({ negativeEnergy: 'zero' });
  expect(cost(chargeOf(tariffOf(energy), back), { policy })).toBe('0');
});

test('a period is priced by the tariff that it names', () => {
  const cheap = { ...tariffOf({ ...energy, price: 0.1 }), id: 'cheap' };
  const charge: Charge = {
    ...chargeOf(tariffOf(energy)),
    tariffs: [tariffOf(energy), cheap],
    charging_periods: [
      { ...oneHour, tariff_id: 'CHEAP' },
      { ...oneHour, start_date_time: '2024-01-10T12:30:00Z', tariff_id: 't1' },
      { ...oneHour, start_date_time: '2024-01-10T12:40:00Z' },
      { ...oneHour, start_date_time: '2024-01-10T12:50:00Z', tariff_id: 'lost' },
    ],
  };
  const priced = price(charge, { policy: policyWith({ timeVolume: 'volume' }) });
  expect(priced.total.excl.toString()).toBe('3.5');
  expect(priced.notes).toContainEqual({ code: 'period-names-no-tariff', period: 2 });
  expect(priced.notes).toContainEqual({ code: 'period-names-unlisted-tariff', period: 3 });
  expect(cost(charge, { policy: policyWith({ periodTariff: 'first-valid' }) })).toBe('10');
});

test('of two versions of a tariff the one valid at the start counts', () => {
  const old = { ...tariffOf({ ...energy, price: 9 }), end_date_time: '2024-01-01T00:00:00Z' };
  const charge = { ...chargeOf(tariffOf(energy)), tariffs: [old, tariffOf(energy)] };
  expect(cost(charge)).toBe('2.5');
  const named = { ...charge, charging_periods: [{ ...oneHour, tariff_id: 'T1' }] };
  expect(cost(named)).toBe('2.5');
  expect(price({ ...charge, tariffs: [old] }).notes).toEqual([
    { code: 'tariff-outside-its-validity' },
  ]);
});

test('power that a period does not tell is its energy over its time', () => {
  const tariff: Tariff = {
    ...tariffOf(),
    elements: [
      { price_components: [{ ...energy, price: 9 }], restrictions: { max_power: 10 } },
      { price_components: [energy] },
    ],
  };
  expect(cost(chargeOf(tariff))).toBe('2.5');
  expect(cost(chargeOf(tariff), { policy: policyWith({ missingLevel: 'matches' }) })).toBe('90');
  expect(cost(chargeOf(tariff), { policy: policyWith({ missingLevel: 'fails' }) })).toBe('2.5');
});

test('a charge that still runs is priced up to a given end', () => {
  const { end_date_time: _, ...running } = chargeOf(tariffOf(energy, time));
  expect(cost(running, { end: '2024-01-10T13:00:00Z' })).toBe('4.5');
  expect(cost(running)).toBe('4.5');
});

test.each<[string, Charge]>([
  ['tariffs', { ...chargeOf(tariffOf(energy)), tariffs: [] }],
  ['charging_periods', { ...chargeOf(tariffOf(energy)), charging_periods: [] }],
  ['start_date_time', { ...chargeOf(tariffOf(energy)), start_date_time: 'today' }],
  ['end_date_time', { ...chargeOf(tariffOf(energy)), end_date_time: '2024-13-01T00:00:00Z' }],
  [
    'charging_periods[0].start_date_time',
    chargeOf(tariffOf(energy), { ...oneHour, start_date_time: '' }),
  ],
  [
    'charging_periods[0].dimensions[0].volume',
    chargeOf(tariffOf(energy), {
      ...oneHour,
      dimensions: [{ type: 'ENERGY', volume: Number.NaN }],
    }),
  ],
  [
    'charging_periods[0].dimensions[0].volume',
    chargeOf(tariffOf(energy), { ...oneHour, dimensions: [{ type: 'TIME', volume: -1 }] }),
  ],
  [
    'time_zone',
    chargeOf({
      ...tariffOf(),
      elements: [{ price_components: [energy], restrictions: { start_time: '10:00' } }],
    }),
  ],
])('a charge is refused by the name of what is wrong: %s', (path, charge) => {
  expect(() => price(charge)).toThrow(InvalidCharge);
  expect(() => price(charge)).toThrow(`${path}: `);
});

test('PRC-15: who came and was kept waiting to the end has used the reservation, and nobody who came for no time', () => {
  const reservation: ChargingPeriod = { start_date_time, dimensions: [{ type: 'RESERVATION_TIME', volume: 0.5 }] };
  const then = (at: string): ChargingPeriod => ({ start_date_time: at, dimensions: [{ type: 'ENERGY', volume: 0 }] });
  const fee = (excl: number, reservation: string): Tariff['elements'][number] => ({
    price_components: [{ ...flat, price: excl }],
    restrictions: { reservation },
  });
  const tariff = { ...tariffOf(), elements: [fee(2, 'RESERVATION'), fee(8, 'RESERVATION_EXPIRES')] };
  expect(cost(chargeOf(tariff, reservation, then('2024-01-10T12:30:00Z')))).toBe('2');
  expect(cost(chargeOf(tariff, reservation, then('2024-01-10T13:00:00Z')))).toBe('8');
  const withStartFee = { ...tariff, elements: [...tariff.elements, { price_components: [flat] }] };
  expect(cost(chargeOf(withStartFee, reservation, then('2024-01-10T12:30:00Z')))).toBe('3');
  expect(cost(chargeOf(withStartFee, reservation, then('2024-01-10T13:00:00Z')))).toBe('8');
});

test.each<[string, unknown]>([
  ['elements', []],
  ['elements[0].price_components', [{}]],
  ['elements[0].price_components[0].type', [{ price_components: [{ type: 'X', price: 1 }] }]],
  ['elements[0].price_components[0].price', [{ price_components: [{ type: 'FLAT', price: 'x' }] }]],
  [
    'elements[0].price_components[0].vat',
    [{ price_components: [{ type: 'FLAT', price: 1, vat: Infinity }] }],
  ],
  [
    'elements[0].restrictions.reservation',
    [{ price_components: [flat], restrictions: { reservation: 'MAYBE' } }],
  ],
])('a tariff is refused by the name of what is wrong: %s', (path, elements) => {
  const charge = chargeOf({ ...tariffOf(), elements: elements as Tariff['elements'] });
  expect(() => price(charge)).toThrow(InvalidTariff);
  expect(() => price(charge)).toThrow(`${path}: `);
});

test.each([
  [2.062, 7425], // 2.0625 h
  [2.063, 7425],
  [0.001, 5],
])('TYP-04: %s h are the %i s of the timestamps, of which they are half a last decimal off', (volume, seconds) => {
  const end_date_time = new Date(Date.parse(start_date_time) + seconds * 1000).toISOString();
  const charge = chargeOf(tariffOf(time), { start_date_time, dimensions: [{ type: 'TIME', volume }] });
  const { lines, notes } = price({ ...charge, end_date_time });
  expect([lines.map(({ billed }) => String(billed)), notes]).toEqual([[String(seconds)], []]);
});

test('TYP-04: a duration of 0 beside it takes no minute off the timestamps, nor adds one', () => {
  const dimensions = [{ type: 'PARKING_TIME', volume: 0 }, { type: 'TIME', volume: 0.667 }];
  const charge = chargeOf(tariffOf({ ...time, step_size: 60 }), { start_date_time, dimensions });
  const { lines, notes } = price({ ...charge, end_date_time: '2024-01-10T12:40:00Z' });
  expect([lines.map(({ billed }) => String(billed)), notes]).toEqual([['2400'], []]);
});

test('of several tariffs the one that is refused is named by its place', () => {
  const wrong = { ...tariffOf(energy), id: 'U', elements: [{ price_components: [energy], restrictions: { start_time: '99' } }] };
  const used = (tariff_id: string): ChargingPeriod => ({ start_date_time, tariff_id, dimensions: [{ type: 'ENERGY', volume: 1 }] });
  const among = (tariff_id: string): Charge => ({ ...chargeOf(tariffOf(energy), used(tariff_id)), tariffs: [tariffOf(energy), wrong] });
  expect(() => price(among('U'))).toThrow('tariffs[1].elements[0].restrictions.start_time: a local time HH:MM expected');
  expect(cost(among(tariffOf(energy).id))).toBe('0.25');
});

test('a quantity or a price that is beyond all measure is refused by its place, as a number and as text', () => {
  const used = (volume: number | string): Charge =>
    chargeOf(tariffOf(energy), { start_date_time, dimensions: [{ type: 'ENERGY', volume }] });
  for (const volume of ['1e400', '-1e400', 1e300, '1000000000000'])
    expect(() => price(used(volume))).toThrow('charging_periods[0].dimensions[0].volume: less than 1,000,000,000,000 expected');
  expect(cost(used('999999999999.9999'))).toBe('250000000000');
  for (const excl of ['1e400', 1e300])
    expect(() => price(chargeOf(tariffOf({ ...energy, price: excl })))).toThrow(
      'elements[0].price_components[0].price: less than 1,000,000,000,000 expected',
    );
});
