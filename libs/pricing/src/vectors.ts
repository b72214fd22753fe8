import type { Outcome } from './bill.ts';
import type { Charge } from './shapes.ts';
import {
  always,
  amperes,
  atLeast,
  atMost,
  byCurrentAndDay,
  byDuration,
  byPower,
  charge,
  charging,
  dayParts,
  energy,
  expiryFee,
  expiryTime,
  fiveOClock,
  flat,
  hourOf20,
  kilowatts,
  kwh,
  park,
  parking,
  perHour,
  perHourAndParking,
  perKwh,
  perKwhAndStart,
  reserved,
  reservedForFee,
  reservedPerHour,
  stepped,
  tariff,
  time,
  TIME_ZONE,
  TUESDAY_10,
} from './vector-tariffs.ts';

/**
 * Prices that OCPI 2.2.1 prints or that follow from it, as charges to price: the ids are those of
 * the project's checklist (W = worked in the text, R = follows from its rules, I = an issue).
 * Expected amounts are exact, before any rounding to a currency.
 */
export interface Vector {
  readonly id: string;
  readonly shows: string;
  readonly charge: Charge;
  readonly timeZone: string;
  readonly reservation?: Outcome;
  readonly excl: string;
  /** Undefined = the tariff knows no VAT. */
  readonly incl?: string;
  /** What is billed: "FLAT 1", "ENERGY 20000 @0.25" in Wh, "TIME 900 @5 reserved" in s. */
  readonly billed: readonly string[];
}

type Row = [id: string, shows: string, charge: Charge, price: string, billed: string, of?: Outcome];

// Prices are "excl incl"; one number alone knows no VAT. Billed lines are parted by commas.
const ROWS: readonly Row[] = [
  ['W01', 'a price per kWh', charge(perKwh, TUESDAY_10, hourOf20), '5 5.5', 'ENERGY 20000 @0.25'],
  [
    'W02',
    'a start fee beside it',
    charge(perKwhAndStart, TUESDAY_10, hourOf20),
    '5.5 6.1',
    'FLAT 1 @0.5, ENERGY 20000 @0.25',
  ],
  [
    'W03a',
    'above the least price',
    charge(atLeast, TUESDAY_10, hourOf20),
    '5 5.5',
    'ENERGY 20000 @0.25',
  ],
  [
    'W03b',
    'below the least price',
    charge(atLeast, TUESDAY_10, [charging(10), kwh(1.2)]),
    '0.5 0.55',
    'ENERGY 1200 @0.25',
  ],
  [
    'W04',
    'parking by the quarter of an hour',
    charge(stepped(flat(0.5, 20), energy(0.25, 10), park(2, 20, 900)), TUESDAY_10, hourOf20, [
      parking(40),
    ]),
    '7 7.9',
    'FLAT 1 @0.5, ENERGY 20000 @0.25, PARKING_TIME 2700 @2',
  ],
  [
    'W05a',
    'above the highest price',
    charge(atMost, TUESDAY_10, [charging(60), kwh(50)]),
    '10 11',
    'FLAT 1 @0.5, ENERGY 50000 @0.25',
  ],
  [
    'W05b',
    'below the highest price',
    charge(atMost, TUESDAY_10, [charging(60), kwh(30)]),
    '8 8.85',
    'FLAT 1 @0.5, ENERGY 30000 @0.25',
  ],
  [
    'W06',
    'an exact multiple of the step stays',
    charge(perHour, TUESDAY_10, [charging(150), kwh(10)]),
    '5 5.5',
    'TIME 9000 @2',
  ],
  [
    'W06b',
    'charging time does not pay for parking',
    charge(perHour, TUESDAY_10, [charging(150), kwh(10)], [parking(60)]),
    '5 5.5',
    'TIME 9000 @2',
  ],
  [
    'W07',
    'charging and parking per hour',
    charge(perHourAndParking, TUESDAY_10, [charging(150), kwh(10)], [parking(42)]),
    '11.25 12.75',
    'TIME 9000 @3, PARKING_TIME 2700 @5',
  ],
  [
    'W08',
    'VAT of 5.2 %',
    charge(stepped(time(1.9, 5.2, 300)), TUESDAY_10, [charging(150), kwh(10)]),
    '4.75 4.997',
    'TIME 9000 @1.9',
  ],
  [
    'W09',
    'energy in steps of 100 Wh',
    charge(stepped(flat(0.5, 20), energy(0.25, 10, 100)), TUESDAY_10, [charging(60), kwh(20.45)]),
    '5.625 6.2375',
    'FLAT 1 @0.5, ENERGY 20500 @0.25',
  ],
  [
    'W10a',
    'a weak current on a Monday',
    charge(
      byCurrentAndDay,
      '2019-01-14T08:30:00Z',
      [charging(165), kwh(7), amperes(16)],
      [parking(42)],
    ),
    '9 10.3',
    'FLAT 1 @2.5, TIME 9900 @1, PARKING_TIME 2700 @5',
  ],
  [
    'W10b',
    'a strong current on a Saturday',
    charge(
      byCurrentAndDay,
      '2019-01-19T12:30:00Z',
      [charging(114), kwh(20), amperes(43)],
      [parking(71)],
    ),
    '12.375 13.975',
    'FLAT 1 @2.5, TIME 6840 @1.25, PARKING_TIME 4500 @6',
  ],
  [
    'W11',
    'free of charge',
    charge(tariff(always({ type: 'FLAT', price: 0, step_size: 0 })), TUESDAY_10, hourOf20),
    '0',
    'FLAT 1 @0',
  ],
  [
    'W12',
    'a reservation by the hour',
    charge(reservedPerHour, TUESDAY_10, [reserved(15)], hourOf20),
    '6.75 7.6',
    'FLAT 1 @0.5, ENERGY 20000 @0.25, TIME 900 @5 reserved',
    'used',
  ],
  [
    'W13',
    'a reservation with its own fee',
    charge(reservedForFee, TUESDAY_10, [reserved(13)], hourOf20),
    '8.75 10',
    'FLAT 1 @2 reserved, FLAT 1 @0.5, ENERGY 20000 @0.25, TIME 900 @5 reserved',
    'used',
  ],
  [
    'W14a',
    'a fee for expiry is not billed to who came',
    charge(expiryFee, TUESDAY_10, [reserved(22)], hourOf20),
    '6.5 7.3',
    'FLAT 1 @0.5, ENERGY 20000 @0.25, TIME 1800 @2 reserved',
    'used',
  ],
  [
    'W14b',
    'expired: the fee, and the time at the reservation’s price',
    charge(expiryFee, TUESDAY_10, [reserved(60)]),
    '6 7.2',
    'FLAT 1 @4 reserved, TIME 3600 @2 reserved',
    'expired',
  ],
  [
    'W15a',
    'a price per hour for expiry is not billed to who came',
    charge(expiryTime, TUESDAY_10, [reserved(22)], hourOf20),
    '7 7.9',
    'FLAT 1 @0.5, ENERGY 20000 @0.25, TIME 1800 @3 reserved',
    'used',
  ],
  [
    'W15b',
    'expired: only expiry’s own price per hour',
    charge(expiryTime, TUESDAY_10, [reserved(90)]),
    '9 10.8',
    'TIME 5400 @6 reserved',
    'expired',
  ],
  [
    'W16a',
    'only the parking at the end is rounded',
    charge(dayParts, '2019-01-15T15:55:00Z', [charging(5)], [charging(5)], [parking(2)]),
    '0.55',
    'TIME 300 @1.2, TIME 300 @2.4, PARKING_TIME 900 @1',
  ],
  [
    'W16b',
    'the last element’s step rounds all of the time',
    charge(dayParts, '2019-01-15T15:35:00Z', [charging(25)], [charging(10)]),
    '1.3',
    'TIME 1500 @1.2, TIME 1200 @2.4',
  ],
  [
    'W16c',
    'after free parking the last priced step counts',
    charge(dayParts, '2019-01-15T18:40:00Z', [charging(12)], [parking(8)], [parking(12)]),
    '0.73',
    'TIME 720 @2.4, PARKING_TIME 900 @1',
  ],
  [
    'W17',
    'energy by power',
    charge(
      byPower,
      TUESDAY_10,
      [charging(10), kwh(1), kilowatts(6)],
      [charging(50), kwh(40), kilowatts(48)],
      [charging(8), kwh(0.5), kilowatts(4)],
    ),
    '20.3 24.36',
    'ENERGY 1000 @0.2, ENERGY 40000 @0.5, ENERGY 500 @0.2',
  ],
  [
    'W18',
    'the first half hour is free',
    charge(byDuration, TUESDAY_10, [charging(30), kwh(5)], [charging(10), kwh(1.2)]),
    '0.3 0.36',
    'ENERGY 5000 @0, ENERGY 1200 @0.25',
  ],
  [
    'W19',
    'energy over two elements is rounded once',
    charge(
      fiveOClock(energy(0.2, undefined, 500), energy(0.27, undefined, 500)),
      '2019-01-15T15:00:00Z',
      [charging(60), kwh(4.3)],
      [charging(30), kwh(1.1)],
    ),
    '1.184',
    'ENERGY 4300 @0.2, ENERGY 1200 @0.27',
  ],
  [
    'W20',
    'time over two elements is rounded once',
    charge(
      fiveOClock(time(5, undefined, 600), time(7, undefined, 600)),
      '2019-01-15T15:54:00Z',
      [charging(6)],
      [charging(22)],
    ),
    '3.3',
    'TIME 360 @5, TIME 1440 @7',
  ],
  [
    'W21',
    'parking is rounded by itself',
    charge(
      stepped(time(1, undefined, 600), park(2, undefined, 600)),
      TUESDAY_10,
      [charging(21)],
      [parking(16)],
    ),
    '1.016666666667',
    'TIME 1260 @1, PARKING_TIME 1200 @2',
  ],
  [
    'W22',
    'also at the same price as charging',
    charge(
      stepped(time(1, undefined, 300), park(1, undefined, 300)),
      TUESDAY_10,
      [charging(21)],
      [parking(7)],
    ),
    '0.516666666667',
    'TIME 1260 @1, PARKING_TIME 600 @1',
  ],
  ...(
    [
      ['a', 1, '0.029', 116],
      ['b', 25, '0.03125', 125],
      ['c', 500, '0.125', 500],
    ] as const
  ).map(([part, step, price, wh]): Row => [
    `W23${part}`,
    `115.2 Wh in steps of ${step}`,
    charge(stepped(energy(0.25, undefined, step)), TUESDAY_10, [charging(5), kwh(0.1152)]),
    price,
    `ENERGY ${wh} @0.25`,
  ]),
  [
    'W23d',
    'parking in steps of five minutes',
    charge(stepped(park(6, undefined, 300)), TUESDAY_10, [parking(8)]),
    '1',
    'PARKING_TIME 600 @6',
  ],
  [
    'R08',
    'charging again after parking: only charging is rounded',
    charge(
      stepped(time(6, undefined, 600), park(3, undefined, 600)),
      TUESDAY_10,
      [charging(11)],
      [parking(7)],
      [charging(2)],
    ),
    '2.35',
    'TIME 1200 @6, PARKING_TIME 420 @3',
  ],
];

export const vectors: readonly Vector[] = ROWS.map(([id, shows, charge, price, billed, of]) => {
  const [excl, incl] = price.split(' ') as [string, string?];
  return {
    id,
    shows,
    charge,
    timeZone: TIME_ZONE,
    reservation: of,
    excl,
    incl,
    billed: billed.split(', '),
  };
});
