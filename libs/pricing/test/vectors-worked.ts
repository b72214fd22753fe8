import type { CdrDimension, Charge, ChargingPeriod, Tariff } from '../src/shapes.ts';
import {
  always,
  charge,
  charging,
  energy,
  EXPIRES,
  fiveOClock,
  flat,
  kwh,
  park,
  parking,
  perKwhAndStart,
  RESERVATION,
  reserved,
  stepped,
  tariff,
  time,
  TUESDAY_10,
  when,
} from './vector-tariffs.ts';
import type { VectorRow } from './vectors.ts';

const untaxed = undefined;

/** The charge's periods changed one by one, as partners write them. */
function rewritten(
  given: Charge,
  change: (period: ChargingPeriod, index: number) => Partial<ChargingPeriod>,
): Charge {
  const periods = given.charging_periods!;
  return {
    ...given,
    charging_periods: periods.map((period, i) => ({ ...period, ...change(period, i) })),
  };
}

const none = (...types: string[]): CdrDimension[] => types.map((type) => ({ type, volume: 0 }));

/** Several elements, dimensions and days; each case names the checklist's rule that it works out. */
const elements: readonly VectorRow[] = [
  [
    'PRC-02a',
    'each dimension has its own first element',
    charge(
      tariff(
        when({ min_kwh: 10 }, time(2, untaxed, 1)),
        always(energy(0.3), time(1, untaxed, 1)),
        always(energy(9), flat(1)),
      ),
      TUESDAY_10,
      [charging(60), kwh(10)],
      [charging(30), kwh(5)],
    ),
    '7.5',
    'FLAT 1 @1, ENERGY 15000 @0.3, TIME 3600 @1, TIME 1800 @2',
  ],
  [
    'PRC-02b',
    'what no element prices is free',
    charge(
      tariff(when({ max_kwh: 5 }, energy(0.4, 0))),
      TUESDAY_10,
      [charging(30), kwh(5)],
      [charging(30), kwh(7)],
      [parking(30)],
    ),
    '2 2',
    'ENERGY 5000 @0.4',
  ],
  [
    'PRC-04',
    'a fee is due when its element is first active, and once',
    charge(
      tariff(when({ min_duration: 1800 }, flat(3, 10)), always(energy(0.25, 10))),
      TUESDAY_10,
      [charging(30), kwh(4)],
      [charging(10), kwh(4)],
      [parking(10)],
    ),
    '5 5.5',
    'FLAT 1 @3, ENERGY 8000 @0.25',
  ],
  [
    'PRC-05',
    'a component without VAT beside one of 0 % and one of 10 %',
    charge(stepped(flat(1), time(6, 0, 1), energy(0.25, 10)), TUESDAY_10, [charging(30), kwh(8)]),
    '6 6.2',
    'FLAT 1 @1, TIME 1800 @6, ENERGY 8000 @0.25',
  ],
  [
    'PRC-12a',
    'the least price without VAT holds though the one with VAT is reached',
    charge(
      { ...stepped(energy(0.25, 25)), min_price: { excl_vat: 5, incl_vat: 5.5 } },
      TUESDAY_10,
      [charging(60), kwh(18)],
    ),
    '5 5.625',
    'ENERGY 18000 @0.25',
  ],
  [
    'PRC-12b',
    'a least price with VAT is one though no component has any',
    charge({ ...stepped(flat(0)), min_price: { excl_vat: 0.5, incl_vat: 0.55 } }, TUESDAY_10, [
      charging(10),
    ]),
    '0.5 0.55',
    'FLAT 1 @0',
  ],
  [
    'PRC-13a',
    'min_duration counts from the session’s start, not from the parking’s',
    charge(
      tariff(when({ min_duration: 3600 }, park(5, untaxed, 1))),
      TUESDAY_10,
      [charging(45)],
      [parking(15)],
      [parking(15)],
    ),
    '1.25',
    'PARKING_TIME 900 @5',
  ],
  [
    'PRC-13b',
    'an hour that the clock repeats is in its window twice',
    charge(
      tariff(when({ start_time: '02:00', end_time: '03:00' }, time(6, untaxed, 1))),
      '2024-10-26T23:30:00Z',
      [charging(30)],
      [charging(60)],
      [charging(60)],
      [charging(30)],
    ),
    '12',
    'TIME 7200 @6',
  ],
  [
    'PRC-13c',
    'an end_date is no longer part, a window wraps into the next local day',
    charge(
      tariff(
        when({ start_time: '22:00', end_time: '02:00', end_date: '2019-01-16' }, energy(0.1)),
        always(energy(0.5)),
      ),
      '2019-01-15T20:00:00Z',
      [charging(60), kwh(10)],
      [charging(120), kwh(10)],
      [charging(60), kwh(10)],
    ),
    '11',
    'ENERGY 10000 @0.5, ENERGY 10000 @0.1, ENERGY 10000 @0.5',
  ],
];

const twoTariffs = (): Charge => {
  const given = charge(
    stepped(energy(0.2, untaxed, 1000)),
    TUESDAY_10,
    [charging(60), kwh(4.3)],
    [charging(20), kwh(1.1)],
  );
  const fast: Tariff = { ...stepped(energy(0.3, untaxed, 500)), id: 'FAST' };
  const named = rewritten(given, (_, i) => ({ tariff_id: ['T', 'fast'][i]! }));
  return { ...named, tariffs: [...given.tariffs!, fast] };
};

/** Steps. */
const steps: readonly VectorRow[] = [
  [
    'I494',
    'three prices of energy and one step of 10 kWh',
    charge(
      tariff(
        when({ max_kwh: 3 }, energy(2, untaxed, 10_000)),
        when({ max_kwh: 6 }, energy(3, untaxed, 10_000)),
        always(energy(3.5, untaxed, 10_000)),
      ),
      TUESDAY_10,
      [charging(10), kwh(3)],
      [charging(10), kwh(3)],
      [charging(10), kwh(3)],
    ),
    '29',
    'ENERGY 3000 @2, ENERGY 3000 @3, ENERGY 4000 @3.5',
  ],
  [
    'PRC-08',
    'a change of tariff rounds nothing; the last one’s step rounds the session',
    twoTariffs(),
    '1.22',
    'ENERGY 4300 @0.2, ENERGY 1200 @0.3',
  ],
  [
    'PRC-09a',
    'free energy is no part of what is rounded',
    charge(
      tariff(when({ min_kwh: 5 }, energy(0.25, untaxed, 500))),
      TUESDAY_10,
      [charging(30), kwh(5)],
      [charging(10), kwh(1.2)],
    ),
    '0.375',
    'ENERGY 1500 @0.25',
  ],
  [
    'PRC-09b',
    'charging time in the end that nothing prices leaves the parking’s step',
    charge(
      fiveOClock(park(6, untaxed, 600), energy(0.5)),
      '2019-01-15T15:45:00Z',
      [parking(15)],
      [charging(15), kwh(2)],
    ),
    '3',
    'PARKING_TIME 1200 @6, ENERGY 2000 @0.5',
  ],
  [
    'PRC-09c',
    'a price of 0 is a component all the same: parking by it was active last, so charging is exact',
    charge(stepped(time(4, untaxed, 900), park(0, untaxed, 600)), TUESDAY_10, [charging(20)], [parking(7)]),
    '1.333333333333',
    'TIME 1200 @4, PARKING_TIME 600 @0',
  ],
  [
    'PRC-07',
    'of charging and parking in one period only the parking is rounded',
    charge(stepped(park(2, untaxed, 600), time(1, untaxed, 600)), TUESDAY_10, [
      parking(16),
      charging(21),
    ]),
    '1.016666666667',
    'TIME 1260 @1, PARKING_TIME 1200 @2',
  ],
  [
    'PRC-10',
    'an exact multiple stays, a step of 0 does nothing',
    charge(stepped(time(4, untaxed, 900), energy(0.25, untaxed, 0)), TUESDAY_10, [
      charging(30),
      kwh(1.2345),
    ]),
    '2.308625',
    'TIME 1800 @4, ENERGY 1234.5 @0.25',
  ],
  [
    'TYP-04',
    'two durations in one period are the whole seconds that four decimals stand for',
    charge(stepped(time(1, untaxed, 60), park(2, untaxed, 60)), TUESDAY_10, [
      charging(21),
      parking(16),
    ]),
    '0.883333333333',
    'TIME 1260 @1, PARKING_TIME 960 @2',
  ],
];

const expiring = (...also: readonly Parameters<typeof tariff>[number][]): Tariff =>
  tariff(...also, always(flat(0.5, 20), energy(0.25, 10)));
const expiredZeros = (): Charge =>
  rewritten(charge(expiring(when(EXPIRES, flat(4, 20))), TUESDAY_10, [reserved(60)]), (period) => ({
    dimensions: [...none('ENERGY', 'TIME'), ...period.dimensions, ...none('PARKING_TIME')],
  }));
const usedZeros = (): Charge =>
  rewritten(
    charge(expiring(when(RESERVATION, flat(2, 20))), TUESDAY_10, [charging(30), kwh(10)]),
    (period) => ({ dimensions: [...period.dimensions, ...none('RESERVATION_TIME')] }),
  );

/** Reservations. */
const reservations: readonly VectorRow[] = [
  [
    'PRC-14a',
    'of two reservation fees an expired one pays that of its expiry',
    charge(
      expiring(when(RESERVATION, flat(1, 20)), when(EXPIRES, flat(4, 20), time(6, 20, 1))),
      TUESDAY_10,
      [reserved(30)],
    ),
    '7 8.4',
    'FLAT 1 @4 reserved, TIME 1800 @6 reserved',
  ],
  [
    'PRC-14b',
    'a used reservation pays nothing for an expiry',
    charge(
      expiring(when(EXPIRES, flat(4, 20), time(6, 20, 1))),
      TUESDAY_10,
      [reserved(30)],
      [charging(30), kwh(10)],
    ),
    '3 3.35',
    'FLAT 1 @0.5, ENERGY 10000 @0.25',
  ],
  [
    'PRC-11',
    'a reservation’s time is rounded by itself',
    charge(
      expiring(when(RESERVATION, time(6, 0, 600)), always(time(3, 0, 900))),
      TUESDAY_10,
      [reserved(12)],
      [charging(20)],
    ),
    '4 4.1',
    'FLAT 1 @0.5, TIME 1200 @6 reserved, TIME 1800 @3',
  ],
  [
    'PRC-15a',
    'charging and parking of nothing do not make a reservation a used one',
    expiredZeros(),
    '4 4.8',
    'FLAT 1 @4 reserved',
  ],
  [
    'PRC-15b',
    'a reservation of no time beside charging is none',
    usedZeros(),
    '3 3.35',
    'FLAT 1 @0.5, ENERGY 10000 @0.25',
  ],
  [
    'CDR-19',
    'a start and an end at the epoch are unknown: the periods and volumes tell them',
    {
      ...charge(perKwhAndStart, TUESDAY_10, [charging(60), kwh(20)]),
      start_date_time: '1970-1-1T00:00:00Z',
      end_date_time: '1970-01-01T00:00:00Z',
    },
    '5.5 6.1',
    'FLAT 1 @0.5, ENERGY 20000 @0.25',
  ],
];

/** Cases that the text does not print, worked out by hand from its rules. */
export const worked: readonly VectorRow[] = [...elements, ...steps, ...reservations];
