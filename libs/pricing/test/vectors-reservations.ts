import {
  charge,
  expiryFee,
  expiryTime,
  hourOf20,
  reserved,
  reservedForFee,
  reservedPerHour,
  TUESDAY_10,
} from './vector-tariffs.ts';
import type { VectorRow } from './vectors.ts';

/** Reservations, used and expired. */
export const reservations: readonly VectorRow[] = [
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
];
