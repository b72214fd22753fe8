import { expect, test } from 'vitest';
import { FLAGS, type Policy, policyWith } from './policy.ts';
import { price, type PriceOptions } from './price.ts';
import type { Charge, Tariff } from './shapes.ts';
import {
  always,
  charge,
  charging,
  energy,
  EXPIRES,
  flat,
  kwh,
  park,
  parking,
  RESERVATION,
  reserved,
  tariff,
  time,
  TUESDAY_10,
  when,
} from '../test/vector-tariffs.ts';

type Flag = keyof typeof FLAGS;
// pausedTime is about metering, before there is a charge to price: meter.test.ts.
type Varied = { [F in Flag]: (typeof FLAGS)[F]['others'] extends readonly [] ? never : F }[Exclude<
  Flag,
  'pausedTime'
>];

const expiring = tariff(
  when(EXPIRES, flat(4)),
  when(RESERVATION, time(2, undefined, 1)),
  always(energy(0.25)),
);
const capped: Tariff = { ...tariff(always(energy(1, 10))), max_price: { excl_vat: 9 } };
const twoTariffs = (first: Partial<Tariff>, second: Partial<Tariff>, names: string[]): Charge => {
  const [a, b] = [tariff(always(energy(1))), tariff(always(energy(2)))];
  const given = charge(a, TUESDAY_10, [charging(30), kwh(5)], [charging(30), kwh(5)]);
  return {
    ...given,
    tariffs: [
      { ...a, id: 'A', ...first },
      { ...b, id: 'B', ...second },
    ],
    charging_periods: given.charging_periods!.map((period, i) => ({
      ...period,
      tariff_id: names[i],
    })),
  };
};
const hours = (volume: number): Charge => {
  const given = charge(tariff(always(time(3600, undefined, 0))), TUESDAY_10, [charging(60)]);
  const [period] = given.charging_periods!;
  return {
    ...given,
    charging_periods: [{ ...period!, dimensions: [{ type: 'TIME', volume }] }],
  };
};

/** A charge for each flag, our price of it, and what it costs by each other answer. */
const cases: Record<Varied, [Charge, string, Record<string, string>, PriceOptions?]> = {
  flatFee: [
    charge(
      tariff(when({ max_duration: 1800 }, flat(1)), always(flat(5))),
      TUESDAY_10,
      [charging(30)],
      [charging(30)],
    ),
    '1',
    { 'once-per-element': '6' },
  ],
  stepScope: [
    charge(
      tariff(when({ max_kwh: 5 }, energy(1, undefined, 2000)), always(energy(2, undefined, 2000))),
      TUESDAY_10,
      [charging(30), kwh(5)],
      [charging(30), kwh(4.5)],
    ),
    '15',
    { component: '18', none: '14' },
  ],
  timeStep: [
    charge(
      tariff(always(time(4, undefined, 3600), park(3, undefined, 3600))),
      TUESDAY_10,
      [charging(15)],
      [parking(30)],
      [charging(30)],
    ),
    '5.5',
    { 'parking-absorbs': '6' },
  ],
  timeVolume: [hours(1.01), '3636', { volume: '3636', timestamps: '3600' }],
  durationOrigin: [
    charge(
      tariff(when({ min_duration: 3600 }, energy(1))),
      TUESDAY_10,
      [reserved(60)],
      [charging(60), kwh(10)],
    ),
    '0',
    { 'cdr-start': '10' },
  ],
  equalTimes: [
    charge(tariff(when({ start_time: '10:00', end_time: '10:00' }, energy(1))), TUESDAY_10, [
      charging(60),
      kwh(10),
    ]),
    '10',
    { never: '0' },
  ],
  wrappedWindowDay: [
    charge(
      tariff(when({ start_time: '22:00', end_time: '06:00', day_of_week: ['MONDAY'] }, energy(1))),
      '2019-01-15T01:00:00Z',
      [charging(60), kwh(10)],
    ),
    '0',
    { 'window-start': '10' },
  ],
  missingLevel: [
    charge(
      tariff(when({ max_power: 5 }, energy(9)), when({ max_power: 50 }, energy(1))),
      TUESDAY_10,
      [charging(60), kwh(10)],
    ),
    '10',
    { matches: '90', fails: '0' },
  ],
  negativeEnergy: [
    charge(tariff(always(energy(1))), TUESDAY_10, [charging(60), kwh(-3)]),
    '-3',
    { zero: '0' },
  ],
  periodTariff: [twoTariffs({}, {}, ['A', 'B']), '15', { 'first-valid': '10' }],
  namelessPeriod: [twoTariffs({}, {}, ['B']), '10', { 'first-valid': '15' }],
  boundsTariff: [
    twoTariffs({ max_price: { excl_vat: 7 } }, { max_price: { excl_vat: 8 } }, ['A', 'B']),
    '7',
    { last: '8', none: '15' },
  ],
  boundedCosts: [
    charge(
      { ...tariff(when(RESERVATION, flat(2)), always(energy(1))), max_price: { excl_vat: 5 } },
      TUESDAY_10,
      [reserved(10)],
      [charging(60), kwh(10)],
    ),
    '5',
    { 'without-reservation': '7' },
  ],
  missingInclBound: [
    charge({ ...capped, max_price: null, min_price: { excl_vat: 12 } }, TUESDAY_10, [
      charging(60),
      kwh(10),
    ]),
    '12 12',
    { unbounded: '12 11' },
  ],
  vatNowhere: [
    charge(tariff(always(energy(1))), TUESDAY_10, [charging(60), kwh(10)]),
    '10',
    { 'equals-excl': '10 10' },
  ],
  reservationOutcome: [
    charge(expiring, TUESDAY_10, [reserved(60)], [charging(60), kwh(8)]),
    '4',
    { used: '4', expired: '8' },
  ],
  parkingFlat: [
    charge(tariff(always(flat(1), park(2, undefined, 1))), TUESDAY_10, [parking(60)]),
    '3',
    { fixed: '3' },
  ],
  rounding: [
    charge(tariff(always(energy(1.025))), TUESDAY_10, [charging(60), kwh(1)]),
    '1.03',
    { 'half-even': '1.02', 'away-from-zero': '1.03', 'toward-zero': '1.02', ceiling: '1.03', floor: '1.02' },
  ],
  expiredReservation: [charge(expiring, TUESDAY_10, [reserved(60)]), '6', { 'expires-only': '4' }],
};

test.each(Object.entries(cases))(
  '%s: our answer and the others',
  (flag, [given, ours, others, options]) => {
    const cost = (changes: Partial<Policy>) => {
      const policy = policyWith(changes);
      const { excl, incl } = price(given, { timeZone: 'Europe/Berlin', ...options, policy }).total;
      return incl ? `${excl} ${incl}` : `${excl}`;
    };
    expect(Object.keys(others).sort()).toEqual([...FLAGS[flag as Flag].others].sort());
    expect(cost({})).toBe(ours);
    for (const [answer, expected] of Object.entries(others)) {
      expect([answer, cost({ [flag]: answer })]).toEqual([answer, expected]);
    }
  },
);

/** Of each flag with one answer a charge, and what it costs by that; by what else the words could mean it would not. */
const decided: Record<Exclude<Flag, Varied | 'pausedTime'>, [Charge, string, PriceOptions?]> = {
  stepZero: [charge(tariff(always(time(6, undefined, 0))), TUESDAY_10, [charging(10)]), '1'],
  stepExact: [charge(tariff(always(energy(1, undefined, 1000))), TUESDAY_10, [charging(60), kwh(5)]), '5'],
  duration: [
    charge(tariff(when({ min_duration: 3600 }, park(6, undefined, 1))), TUESDAY_10, [charging(30)], [parking(30)], [parking(30)]),
    '3',
  ],
  midnightEnd: [
    charge(tariff(when({ start_time: '22:00', end_time: '00:00' }, energy(1))), '2019-01-15T22:00:00Z', [charging(30), kwh(10)]),
    '10',
  ],
  openWindow: [
    charge(tariff(when({ start_time: '18:00' }, energy(1))), '2019-01-15T16:00:00Z', [charging(60), kwh(3)], [charging(60), kwh(5)]),
    '5',
  ],
  datesWithTimes: [
    charge(
      tariff(when({ start_date: '2019-01-14', end_date: '2019-01-17', start_time: '10:00', end_time: '12:00' }, energy(1))),
      '2019-01-15T10:00:00Z',
      [charging(60), kwh(3)],
      [charging(60), kwh(5)],
    ),
    '3',
  ],
  clockChange: [
    charge(
      tariff(when({ start_time: '02:00', end_time: '03:00' }, energy(1))),
      '2019-10-27T00:00:00Z',
      [charging(60), kwh(3)],
      [charging(60), kwh(5)],
      [charging(60), kwh(7)],
    ),
    '8',
  ],
  missingTimeZone: [
    charge(tariff(when({ start_time: '02:00', end_time: '03:00' }, energy(1))), TUESDAY_10, [charging(60), kwh(3)]),
    'refused',
    {},
  ],
  spanningPeriod: [
    charge(
      tariff(when({ start_time: '00:00', end_time: '17:00' }, energy(1)), always(energy(2))),
      '2019-01-15T15:30:00Z',
      [charging(60), kwh(10)],
    ),
    '10',
  ],
  boundedVat: [
    charge({ ...tariff(always(energy(1, 10))), max_price: { excl_vat: 9, incl_vat: 10.5 } }, TUESDAY_10, [charging(60), kwh(10)]),
    '9 10.5',
  ],
  severalTaxes: [charge(tariff(always(energy(1, 14.975))), TUESDAY_10, [charging(60), kwh(1000)]), '1000 1149.75'],
  unknownInstant: [
    {
      ...charge(tariff(when({ max_duration: 7200 }, energy(1))), TUESDAY_10, [charging(60), kwh(10)]),
      start_date_time: '1970-01-01T00:00:00Z',
    },
    '10',
  ],
};

test.each(Object.entries(decided))('%s: our one answer', (flag, [given, ours, options]) => {
  const cost = () => {
    const { excl, incl } = price(given, options ?? { timeZone: 'Europe/Berlin' }).total;
    return incl ? `${excl} ${incl}` : `${excl}`;
  };
  expect(FLAGS[flag as Flag].others).toEqual([]);
  if (ours === 'refused') expect(cost).toThrow(/time.?zone/i);
  else expect(cost()).toBe(ours);
});

test('every flag says where its question was raised', () => {
  for (const { source } of Object.values(FLAGS)) expect(source).not.toBe('');
});
