import {
  charge,
  charging,
  dayParts,
  energy,
  fiveOClock,
  kwh,
  park,
  parking,
  stepped,
  time,
  TUESDAY_10,
} from './vector-tariffs.ts';
import type { VectorRow } from './vectors.ts';

/** What step_size adds. */
export const steps: readonly VectorRow[] = [
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
  ).map(([part, step, price, wh]): VectorRow => [
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
