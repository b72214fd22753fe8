import { expect, test } from 'vitest';
import { policyWith } from './policy.ts';
import { price } from './price.ts';
import type { Charge } from './shapes.ts';
import { cdrTotals, split } from './totals.ts';
import {
  always,
  charge,
  charging,
  energy,
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

const stay: Charge = charge(
  {
    ...tariff(
      when(RESERVATION, flat(2, 20), time(6, 20, 1)),
      when({ min_duration: 1800 }, flat(3, 10), park(4, 10, 1)),
      always(energy(0.25, 10), time(1, 10, 1)),
    ),
    max_price: { excl_vat: 8 },
  },
  TUESDAY_10,
  [reserved(10)],
  [charging(30), kwh(10)],
  [parking(15)],
);
const parts = (changes = {}) =>
  Object.fromEntries(
    Object.entries(split(price(stay, { policy: policyWith(changes) }))).map(([part, cost]) => [
      part,
      cost && `${cost.excl} ${cost.incl}`,
    ]),
  );

test('CDR-12: parking and reservations include their own fees, the rest is fixed', () => {
  expect(parts()).toEqual({
    fixed: undefined,
    energy: '2.5 2.75',
    time: '0.5 0.55',
    parking: '4 4.4',
    reservation: '3 3.6',
  });
  const apart = parts({ parkingFlat: 'fixed' });
  expect([apart.fixed, apart.parking]).toEqual(['3 3.3', '1 1.1']);
});

test('CDR-11: times and energy of the session, without the reservation before it', () => {
  const { total_cost, total_energy, total_time, total_parking_time } = cdrTotals(price(stay));
  expect({ total_cost, total_energy, total_time, total_parking_time }).toEqual({
    total_cost: { excl_vat: 8, incl_vat: 11.3 },
    total_energy: 10,
    total_time: 0.75,
    total_parking_time: 0.25,
  });
});

test('PRC-12: bounds hold for all costs, or by policy for those without the reservation', () => {
  const cost = (changes = {}) => price(stay, { policy: policyWith(changes) }).total.excl.toString();
  expect(cost()).toBe('8');
  expect(cost({ boundsTariff: 'none' })).toBe('10');
  expect(cost({ boundedCosts: 'without-reservation' })).toBe('10');
  const tighter = { ...stay.tariffs![0]!, max_price: { excl_vat: 5 } };
  const priced = price(
    { ...stay, tariffs: [tighter] },
    { policy: policyWith({ boundedCosts: 'without-reservation' }) },
  );
  expect([priced.total.excl.toString(), priced.bounded.excl]).toEqual(['8', 'max_price']);
});

test('a current that nobody tells is taken to hold, and noted', () => {
  const byCurrent = tariff(when({ min_current: 32 }, energy(0.5)), always(energy(0.2)));
  const told = charge(byCurrent, TUESDAY_10, [charging(60), kwh(10)], [parking(60)]);
  const { total, notes } = price(told);
  expect(total.excl.toString()).toBe('5');
  expect(notes).toEqual([{ code: 'level-unknown', period: 0 }]);
  const fails = price(told, { policy: policyWith({ missingLevel: 'fails' }) });
  expect(fails.total.excl.toString()).toBe('2');
});

test('charging of which neither energy nor current is told is priced as by 0 A, and noted; parking is not', () => {
  const byLevel = tariff(when({ min_current: 6, min_power: 2 }, energy(0.5), time(2, undefined, 1)), always(time(1, undefined, 1)));
  const { total, notes } = price(charge(byLevel, TUESDAY_10, [charging(60)], [charging(60), kwh(0)], [parking(60)], [charging(0), parking(60)]));
  expect(total.excl.toString()).toBe('2');
  expect(notes).toEqual([{ code: 'level-unknown', period: 0 }]);
  const told = { type: 'CURRENT', volume: 16 };
  const { notes: half } = price(charge(byLevel, TUESDAY_10, [charging(60), told]));
  expect(half, 'the power is not').toEqual([{ code: 'level-unknown', period: 0 }]);
  expect(price(charge(byLevel, TUESDAY_10, [charging(60), told, { type: 'POWER', volume: 4 }])).notes).toEqual([]);
});

test('a charge that ends after the calendar does is refused by its place', () => {
  const open = charge(tariff(always(energy(1))), TUESDAY_10, [charging(60)], [charging(60)]);
  const endless = (volume: number) => ({
    ...open,
    end_date_time: undefined,
    charging_periods: [{ ...open.charging_periods![0]!, dimensions: [{ type: 'TIME', volume }] }],
  });
  expect(() => price(endless(69_960_000))).toThrow('charging_periods[0].dimensions: ');
  expect(() => price(endless(1e12))).toThrow('charging_periods[0].dimensions[0].volume: ');
});
