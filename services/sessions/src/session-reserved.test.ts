import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, withRepeats } from '#decider';
import { exampleLocation, exampleSession, exampleTariff, exampleToken, type Session } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { sessionDecider } from './session.ts';
import type { SessionCommand, SessionEvent } from './session-events.ts';

const madeAt = '2022-02-01T17:00:00Z';
const at = (minute: number) => rfc3339(instant(madeAt) + minute * 60_000);
const of = (type: 'TIME' | 'FLAT' | 'ENERGY', price: number, reservation?: 'RESERVATION' | 'RESERVATION_EXPIRES') => ({
  price_components: [{ type, price, step_size: 1 }],
  ...(reservation ? { restrictions: { reservation } } : {}),
});
const priced = {
  ...exampleTariff,
  elements: [of('TIME', 6, 'RESERVATION'), of('FLAT', 4, 'RESERVATION_EXPIRES'), of('ENERGY', 0.2)],
};
const free = { ...priced, elements: [of('ENERGY', 0.2)] };
const { end_date_time: _end, total_cost: _cost, ...example } = exampleSession;
const session = (more: Partial<Session> = {}): Session => ({
  ...example,
  kwh: 0,
  start_date_time: madeAt,
  charging_periods: [],
  status: 'RESERVATION',
  last_updated: madeAt,
  ...more,
});
const reserve = (orderId: string, tariff = priced, more: Partial<Session> = {}): SessionCommand => ({
  type: 'ReserveSession',
  session: session(more),
  snapshots: { location: exampleLocation, tariff, tariffVersion: 3, token: exampleToken },
  orderId,
});
const start = (minute: number, more: Partial<Session> = {}) => ({
  type: 'StartSession' as const,
  session: session({ status: 'ACTIVE', start_date_time: at(minute), last_updated: at(minute), ...more }),
  transaction: { stationId: 'OASIS-L2-01', transactionId: '101', connectorId: 1, meterStartWh: '1000' },
  snapshots: { location: exampleLocation, tariff: free, tariffVersion: 4, token: exampleToken },
} satisfies SessionCommand);
const stop = (minute: number): SessionCommand => ({
  type: 'EndSession',
  meterStopWh: '6000',
  stoppedAt: at(minute),
  reason: 'Local',
  readings: [],
  rules: { graceMs: 0, capMs: 86_400_000, waitMs: 120_000 },
  at: at(minute),
});
const end = (why: 'expired' | 'cancelled' | 'withdrawn' | 'lost', minute = 30): SessionCommand => ({
  type: 'EndReserved',
  why,
  endedAt: at(minute),
  at: at(minute + 1),
});

function after(...commands: SessionCommand[]): SessionEvent[] {
  const events: SessionEvent[] = [];
  for (const command of commands)
    events.push(...sessionDecider.decide(command, fold(sessionDecider, events)));
  return events;
}
function last<Type extends SessionEvent['type']>(type: Type, ...commands: SessionCommand[]) {
  const event = after(...commands).at(-1)!;
  if (event.type !== type) throw new Error(`${event.type} is no ${type}`);
  return event as Extract<SessionEvent, { type: Type }>;
}
const waited = (minutes: number) => ({
  start_date_time: madeAt,
  tariff_id: priced.id,
  dimensions: [{ type: 'RESERVATION_TIME', volume: minutes / 60 }],
});

describe('the Session of a reservation', () => {
  test('SES-05 becomes ACTIVE where the charge begins, which changes its start; what held when it was reserved holds on', () => {
    const begun = last('SessionStarted', reserve('O1'), start(30));
    expect(begun.session).toMatchObject({ status: 'ACTIVE', start_date_time: at(30), charging_periods: [waited(30)] });
    expect(begun.snapshots).toMatchObject({ tariff: priced, tariffVersion: 3 });
  });
  test('PRC-14 its time is billed with the charge, which costs nothing for having been reserved in vain', () => {
    const { session: ended } = last('SessionEnded', reserve('O1'), start(30), stop(90));
    expect(ended.charging_periods?.map(({ start_date_time }) => start_date_time)).toEqual([madeAt, at(30)]);
    // Half an hour at 6, 5 kWh at 0.2.
    expect(ended).toMatchObject({ kwh: 5, total_cost: { excl_vat: 4 }, end_date_time: at(90) });
  });
  describe('CDR-07: is parted where the price of reserving changes', () => {
    const within = (given: ReturnType<typeof of>, more: object) => ({
      ...given,
      restrictions: { ...given.restrictions, ...more },
    });
    // 17:00Z is 09:00 at the Location: a quarter of an hour free, then 6 an hour until 09:30, and 12 from then on.
    const stepped = {
      ...exampleTariff,
      elements: [
        within(of('TIME', 0, 'RESERVATION'), { max_duration: 900 }),
        within(of('TIME', 6, 'RESERVATION'), { end_time: '09:30' }),
        of('TIME', 12, 'RESERVATION'),
        within(of('FLAT', 4, 'RESERVATION_EXPIRES'), { min_duration: 2700 }),
        of('ENERGY', 0.2),
      ],
    } as typeof priced;
    const starts = ({ charging_periods: periods = [] }: Session) => periods.map(({ start_date_time: from }) => from);
    test('that expires', () => {
      const { session: ended } = last('SessionEnded', reserve('O1', stepped), end('expired', 60));
      expect(starts(ended)).toEqual([madeAt, at(15), at(30), at(45)]);
      expect(ended.total_cost).toEqual({ excl_vat: 11.5 }); // 1.5 + 6 + 4
    });
    test('that expires before the fee is due', () => {
      const { session: ended } = last('SessionEnded', reserve('O1', stepped), end('cancelled', 40));
      expect([starts(ended), ended.total_cost]).toEqual([[madeAt, at(15), at(30)], { excl_vat: 3.5 }]);
    });
    test('on which the car charges', () => {
      const { session: ended } = last('SessionEnded', reserve('O1', stepped), start(60), stop(90));
      expect(starts(ended)).toEqual([madeAt, at(15), at(30), at(45), at(60)]);
      expect(ended.total_cost).toEqual({ excl_vat: 8.5 }); // 1.5 + 6 + 1
    });
  });
  test('at a station whose clock is behind has no time that could be billed', () =>
    expect(last('SessionStarted', reserve('O1'), start(-1)).session.charging_periods).toEqual([]));
  test('takes the tariff of where the car charges, if that is another EVSE, for all of it', () => {
    const elsewhere = start(30, { evse_uid: 'OTHER' });
    const snapshots = { ...elsewhere.snapshots, tariff: { ...free, id: 'OTHERS' } };
    expect(last('SessionStarted', reserve('O1'), { ...elsewhere, snapshots })).toMatchObject({
      snapshots: { tariffVersion: 4 }, session: { charging_periods: [{ tariff_id: 'OTHERS', dimensions: [{ type: 'RESERVATION_TIME' }] }] },
    });
  });
  test('at a station that is at no Location any more ends, and nobody pays', () => {
    const { transaction } = start(30);
    const ended = last('SessionEnded', reserve('O1'), { type: 'RecordInvalid', transaction, why: 'unknown-station', at: at(30) });
    expect(ended).toMatchObject({ session: { status: 'COMPLETED', total_cost: { excl_vat: 0 } }, reason: 'lost', reservationOnly: true });
  });
  test.each<['expired' | 'cancelled' | 'withdrawn' | 'lost', typeof priced, number, number]>([
    ['expired', priced, 0.5, 7],
    ['cancelled', priced, 0.5, 7],
    ['expired', free as typeof priced, 0.5, 0],
    ['withdrawn', priced, 0, 0],
    ['lost', priced, 0, 0],
  ])('SES-06 that is %s is COMPLETED', (why, tariff, hours, cost) => {
    const { reservationOnly, energyWh, session: ended } = last('SessionEnded', reserve('O1', tariff), end(why));
    expect({ reservationOnly, energyWh }).toEqual({ reservationOnly: true, energyWh: '0' });
    expect(ended).toMatchObject({ status: 'COMPLETED', end_date_time: at(30), total_cost: { excl_vat: cost } });
    expect(ended.charging_periods).toEqual(hours === 0 ? [] : [waited(30)]);
  });
  test('CMD-09 replaced, it has been reserved since the first time', () => {
    const more = { start_date_time: at(10), evse_uid: 'OTHER' };
    expect(last('SessionReserved', reserve('O1'), reserve('O2', priced, more))).toMatchObject({
      again: true,
      session: { start_date_time: madeAt, evse_uid: 'OTHER' },
    });
  });
  test('CMD-09 replaced by one that differs in its expiry alone, it is what it was, since when it was', () => {
    const later = { start_date_time: at(10), last_updated: at(10) };
    expect(last('SessionReserved', reserve('O1'), reserve('O2', priced, later)).session).toEqual(session());
  });
  test('once it is over or charges, is over for good', () => {
    expect(after(reserve('O1'), end('expired'), start(40), reserve('O2'), end('lost'))).toHaveLength(2);
    expect(after(reserve('O1'), start(30), end('expired'), reserve('O2'))).toHaveLength(2);
  });
});

test('any command repeated at any later point yields no second event', () => {
  const all = [reserve('O1'), reserve('O2', free), start(30), stop(90), end('expired'), end('withdrawn')];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...all), { maxLength: 10 }), (commands) => void withRepeats(sessionDecider, commands)),
    { numRuns: 300, seed: 20220201 },
  );
});
