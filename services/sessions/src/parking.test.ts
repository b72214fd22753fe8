import { describe, expect, test } from 'vitest';
import { fold } from '#decider';
import { exampleLocation, exampleSession, exampleTariff, exampleToken, read, Session } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { sessionDecider } from './session.ts';
import type { SessionCommand, SessionEvent, SessionState } from './session-events.ts';

// A charge from 17:00 with 10 kWh in its first 30 minutes, at 0.20 a kWh, 2 an hour of charging and
// 6 an hour of parking. Minutes count from its start.

const startedAt = '2022-02-01T17:00:00Z';
const at = (minute: number) => rfc3339(instant(startedAt) + Math.round(minute * 60_000));
const component = (type: 'ENERGY' | 'TIME' | 'PARKING_TIME', cost: number) => ({
  type,
  price: cost,
  step_size: 1,
});
const rates = [component('ENERGY', 0.2), component('TIME', 2)];
const tariff = {
  ...exampleTariff,
  elements: [{ price_components: [...rates, component('PARKING_TIME', 6)] }],
};
const withoutParking = { ...exampleTariff, elements: [{ price_components: rates }] };
const { end_date_time: _end, total_cost: _cost, ...example } = exampleSession;
const startOf = (applied: typeof tariff): SessionCommand => ({
  type: 'StartSession',
  session: {
    ...example,
    start_date_time: startedAt,
    kwh: 0,
    charging_periods: [],
    status: 'ACTIVE',
    last_updated: startedAt,
  },
  transaction: {
    stationId: 'OASIS-L2-01',
    transactionId: '101',
    connectorId: 1,
    meterStartWh: '1000',
  },
  snapshots: { location: exampleLocation, tariff: applied, tariffVersion: 1, token: exampleToken },
});
const start = startOf(tariff);
const reads = (minute: number, energyWh: number): SessionCommand => ({
  type: 'ReadMeter',
  readings: [{ at: at(minute), energyWh: String(energyWh) }],
  updateEveryMs: { ac: 300_000, dc: 300_000 },
  at: at(minute),
});
const status = (minute: number, named: string): SessionCommand => ({
  type: 'NoteStatus',
  status: named,
  statusAt: at(minute),
  at: at(minute),
});
const held = (minute: number): SessionCommand => ({
  type: 'NoteHold',
  held: true,
  heldAt: at(minute),
});
const freed = (minute: number): SessionCommand => ({
  type: 'NoteHold',
  held: false,
  heldAt: at(minute),
});
const fault = (minute: number, faulted: boolean): SessionCommand => ({
  type: 'NoteFault',
  faulted,
  faultedAt: at(minute),
  at: at(minute),
});
const lost = (minute: number): SessionCommand => ({
  type: 'NoteConnection',
  connected: false,
  connectionAt: at(minute),
});
const back = (minute: number): SessionCommand => ({
  type: 'NoteConnection',
  connected: true,
  connectionAt: at(minute),
});
const rules = { graceMs: 0, capMs: 24 * 3_600_000, waitMs: 120_000 };
const stops = (minute: number, more: object = {}): SessionCommand => ({
  type: 'EndSession',
  meterStopWh: '11000',
  stoppedAt: at(minute),
  reason: 'Local',
  readings: [],
  rules,
  at: at(minute),
  ...more,
});
const next = (minute: number): SessionCommand => ({
  type: 'YieldConnector',
  nextAt: at(minute),
  at: at(minute),
});
const look = (minute: number): SessionCommand => ({
  type: 'LookAtParking',
  updateEveryMs: { ac: 60_000, dc: 60_000 },
  at: at(minute),
});

function after(...commands: SessionCommand[]): { state: SessionState; events: SessionEvent[] } {
  const events: SessionEvent[] = [];
  let state = sessionDecider.initial;
  for (const command of commands) {
    const caused = sessionDecider.decide(command, state);
    state = fold(sessionDecider, caused, state);
    events.push(...caused);
  }
  return { state, events };
}
/** "17:30 PARKING 0.5" of a session that ended; and its end and cost. */
function billed(...commands: SessionCommand[]) {
  const last = after(...commands).events.at(-1)!;
  if (last.type !== 'SessionEnded') throw new Error(`${last.type} is no end`);
  const { session } = last;
  expect(read(Session, session)).toMatchObject({ ok: true });
  expect(session.status).toBe('COMPLETED');
  const periods = session.charging_periods!.map(({ start_date_time, dimensions }) =>
    [
      start_date_time.slice(11, 16),
      ...dimensions
        .filter(({ type }) => type !== 'POWER')
        .map(({ type, volume }) => `${type.replace('_TIME', '')} ${volume}`),
    ].join(' '),
  );
  return {
    periods,
    end: session.end_date_time!.slice(11, 16),
    cost: session.total_cost!.excl_vat,
  };
}
const charged = '17:00 ENERGY 10 TIME 0.5';

describe('what is parking while the transaction runs', () => {
  test.each<[string, SessionCommand[], string]>([
    ['the car asks for no power', [status(30, 'SuspendedEV')], 'PARKING 0.5'],
    ['the charge is over and the stop is late', [status(30, 'Finishing')], 'PARKING 0.5'],
    ['the station gives no power', [status(30, 'SuspendedEVSE')], 'ENERGY 0'],
    ['a fault', [status(30, 'Faulted')], 'ENERGY 0'],
    [
      'a fault of the whole station',
      [status(30, 'SuspendedEV'), fault(30, true)],
      'ENERGY 0',
    ],
    [
      'a fault of the whole station that is over',
      [fault(10, true), fault(10.001, false), status(30, 'SuspendedEV')],
      'PARKING 0.5',
    ],
    ['the connector is out of order', [status(30, 'Unavailable')], 'ENERGY 0'],
    ['the car is gone and the stop was lost', [status(30, 'Available')], 'ENERGY 0'],
    ['our limit leaves it nothing', [held(30)], 'ENERGY 0'],
    [
      'the car gives up because our limit leaves it nothing',
      [held(30), status(30, 'SuspendedEV')],
      'ENERGY 0',
    ],
    ['a car that is full, and then limited', [status(30, 'SuspendedEV'), held(30)], 'ENERGY 0'],
  ])('%s: %s', (_, commands, volume) => {
    const told = [start, status(0, 'Charging'), reads(30, 11_000), ...commands];
    const { periods } = billed(...told, status(60, 'Available'), stops(60));
    expect(periods).toEqual([charged, `17:30 ${volume}`]);
  });

  test('a pause ends with the limit, and the car that has still not asked for power is parking', () => {
    const { periods, cost } = billed(
      ...[start, status(0, 'Charging'), reads(30, 11_000), held(30), status(31, 'SuspendedEV')],
      ...[freed(60), status(75, 'Charging'), reads(90, 11_000), status(105, 'Available'), stops(90)],
    );
    expect(periods).toEqual([
      charged,
      '17:30 ENERGY 0',
      '18:00 PARKING 0.25',
      '18:15 ENERGY 0 TIME 0.25',
    ]);
    expect(cost).toBe(2 + 1 + 1.5 + 0.5);
  });

  test('a hold that is told after the car charged again is over', () => {
    const told = [start, status(0, 'Charging'), status(3, 'SuspendedEVSE'), status(10, 'Charging')];
    const { state } = after(...told, held(2));
    expect(state).toMatchObject({ condition: { held: false } });
  });

  test.each([
    ['a limit may run out without a word', [held(1), status(2, 'SuspendedEVSE'), status(3, 'Charging')]],
    ['the station says once more that it charges', [status(0, 'Charging'), held(1), status(3, 'Charging')]],
  ])('a car that charges is held by nobody: %s', (_, told) => {
    expect(billed(start, ...told, status(31, 'Available'), stops(31)).periods).toEqual([
      '17:00 ENERGY 0.3448 TIME 0.01666667',
      '17:01 ENERGY 0',
      '17:03 ENERGY 9.6552 TIME 0.46666667',
    ]);
  });

  test('the energy between two readings belongs to the time in which the car charged', () => {
    const { periods } = billed(
      ...[start, status(0, 'Charging'), status(20, 'SuspendedEV'), status(50, 'Charging')],
      ...[reads(60, 11_000), status(60, 'Available'), stops(60)],
    );
    expect(periods.map((period) => period.split(' ').slice(0, 3).join(' '))).toEqual([
      '17:00 ENERGY 6.6667',
      '17:20 PARKING 0.5',
      '17:50 ENERGY 3.3333',
    ]);
  });

  test('a status that was queued does not overwrite a newer one, and one that is late begins where the past ends', () => {
    const { periods } = billed(
      ...[start, status(30, 'SuspendedEV'), status(20, 'Charging'), reads(40, 11_000)],
      ...[status(35, 'Charging'), status(60, 'Available'), stops(60)],
    );
    expect(periods).toEqual([
      charged,
      '17:30 PARKING 0.16666667',
      '17:40 ENERGY 0 TIME 0.33333333',
    ]);
  });

  test('CDR-07: what the meter read while the station was away counts at its own time, though the status came before it', () => {
    const dear = { ...exampleTariff, elements: [
      { price_components: [component('ENERGY', 1)], restrictions: { end_time: '10:00' } },
      { price_components: [component('ENERGY', 0.1), component('PARKING_TIME', 6)] },
    ] };
    const away = [status(120, 'SuspendedEV'), reads(30, 6_000), reads(60, 16_000), reads(90, 16_000)];
    expect(billed(startOf(dear), ...away, stops(130, { meterStopWh: '16000' }), status(140, 'Available'))).toEqual({
      periods: [
        ...['17:00 ENERGY 5 TIME 0.5', '17:30 ENERGY 10 TIME 0.5', '18:00 ENERGY 0 TIME 0.5'],
        ...['18:30 ENERGY 0 TIME 0.5', '19:00 PARKING 0.16666667'],
      ],
      end: '19:10',
      cost: 16,
    });
  });

  test('a connector that never settles is broken, and its Session does not grow without end', () => {
    const flaps = Array.from({ length: 3_000 }, (_, n) =>
      status(1 + n / 60, n % 2 ? 'SuspendedEV' : 'Charging'),
    );
    const { state } = after(start, ...flaps, reads(90, 11_000));
    expect(state).toMatchObject({ status: 'active', condition: { turns: expect.any(Number) } });
    expect('session' in state && state.session.charging_periods!.length).toBeLessThan(500);
    const { periods } = billed(start, ...flaps, reads(90, 11_000), stops(120), look(130));
    expect(periods.at(-1)).toMatch(/^\d\d:\d\d ENERGY 0$/);
  });
});

describe('after the transaction has stopped', () => {
  const charge = [start, status(0, 'Charging'), reads(30, 11_000)];

  test('parking runs until the connector leaves Finishing; then the Session is COMPLETED', () => {
    const told = [...charge, stops(30), status(30, 'Finishing')];
    const { state, events } = after(...told);
    expect(state).toMatchObject({ status: 'parked', session: { status: 'ACTIVE', kwh: 10 } });
    expect(events.filter(({ type }) => type === 'ChargeEnded')).toHaveLength(1);
    expect(billed(...told, status(80, 'Available'))).toEqual({
      periods: [charged, '17:30 PARKING 0.83333333'],
      end: '18:20',
      cost: 2 + 1 + 5,
    });
  });

  test.each<[string, SessionCommand[]]>([
    ['Finishing before the stop', [status(30, 'Finishing'), stops(30), status(60, 'Available')]],
    ['the full car before it', [status(29, 'Finishing'), stops(30), status(60, 'Available')]],
    ['a fault: nobody parks at it', [stops(30), status(30, 'Finishing'), status(60, 'Faulted')]],
    [
      'a fault of the whole station',
      [stops(30), status(30, 'Finishing'), fault(40, false), fault(60, true)],
    ],
    [
      'the next card without unplugging',
      [stops(30), status(30, 'Finishing'), status(60, 'Preparing'), status(61, 'Charging')],
    ],
    ['the next transaction', [stops(30), status(30, 'Finishing'), next(60), status(70, 'Charging')]],
    [
      'a status that comes again',
      [stops(30), status(30, 'Finishing'), status(40, 'Finishing'), status(60, 'Available')],
    ],
  ])('it ends there with %s', (_, commands) => {
    const { events } = after(...charge, ...commands);
    const ended = events.findIndex(({ type }) => type === 'SessionEnded');
    expect(events.slice(ended).map(({ type }) => type)).toEqual(['SessionEnded']);
    expect(billed(...charge, ...commands).end).toBe('18:00');
  });

  test.each<[string, SessionCommand[]]>([
    ['no status comes', [stops(30), look(31), look(32)]],
    ['Available without Finishing', [stops(30), status(31, 'Available')]],
    ['a fault before the stop', [fault(30, true), status(30, 'Finishing'), stops(30)]],
    ['Available before the stop', [status(30, 'Available'), stops(30)]],
    ['the cable out as the reason', [stops(30, { reason: 'EVDisconnected' })]],
    ['Preparing at once', [stops(30), status(31, 'Preparing')]],
    ['the next transaction at once', [stops(30), next(31)]],
    ['a stop that was told hours later', [stops(30, { at: at(300) }), look(301), look(302)]],
  ])('nothing is parking that nobody told of: %s', (_, commands) => {
    expect(billed(...charge, ...commands)).toEqual({ periods: [charged], end: '17:30', cost: 3 });
  });

  test('a stop that was lost is put at the last reading: until Finishing nobody knows', () => {
    const lostStop = stops(30, { reason: 'Other', at: at(90) });
    expect(billed(...charge, status(60, 'Finishing'), lostStop, next(90))).toEqual({
      periods: [charged, '17:30 ENERGY 0', '18:00 PARKING 0.5'],
      end: '18:30',
      cost: 6,
    });
  });

  test('a station that comes back hours after the stop tells nothing of the time before', () => {
    const late = stops(30, { at: at(90) });
    expect(billed(...charge, late, status(90, 'Finishing'), status(120, 'Available'))).toEqual({
      periods: [charged, '17:30 ENERGY 0', '18:30 PARKING 0.5'],
      end: '19:00',
      cost: 6,
    });
  });

  test('where the tariff has no PARKING_TIME it is COMPLETED at once', () => {
    const told = [startOf(withoutParking), ...charge.slice(1), status(30, 'Finishing'), stops(30)];
    expect(billed(...told)).toEqual({ periods: [charged], end: '17:30', cost: 3 });
  });

  test('a status of the charge that comes late does not end the wait for the next one', () => {
    const told = [...charge, stops(30), status(29, 'SuspendedEV'), status(30, 'Charging')];
    expect(billed(...told, status(31, 'Finishing'), status(60, 'Available')).end).toBe('18:00');
  });

  test('nobody parks longer than the cap, and nobody pays for the grace', () => {
    const capped = { rules: { ...rules, capMs: 3_600_000, graceMs: 600_000 } };
    const told = [...charge, stops(30, capped), status(30, 'Finishing')];
    expect(billed(...told, look(89), look(90))).toEqual({
      periods: [charged, '17:30 ENERGY 0', '17:40 PARKING 0.83333333'],
      end: '18:30',
      cost: 8,
    });
    expect(billed(...told, status(40, 'Available'))).toMatchObject({ end: '17:30', cost: 3 });
    expect(billed(...told, status(41, 'Available'))).toMatchObject({ end: '17:41', cost: 3.1 });
  });

  test('what it costs so far is told, in periods only when it is over', () => {
    const told = [...charge, stops(30), status(30, 'Finishing')];
    const { events } = after(...told, look(30.5), look(40), look(40));
    expect(events.slice(-2)).toMatchObject([
      { type: 'StatusNoted' },
      { type: 'SessionRefreshed', session: { total_cost: { excl_vat: 4 }, last_updated: at(40) } },
    ]);
    const { state } = after(...told, look(40));
    expect('session' in state && state.session.charging_periods).toHaveLength(1);
    expect(billed(...told, look(40), status(36, 'Available')).cost).toBe(3.6);
  });
});

describe('a station that is lost while a car stays', () => {
  const parks = [start, reads(30, 11_000), stops(30), status(30, 'Finishing')];
  test.each<[string, SessionCommand[], string]>([
    ['the car had left when it came back', [lost(60), back(90), status(90, 'Available')], '18:00'],
    [
      'it tells when the car left while it was away',
      [lost(60), back(90), status(75, 'Available')],
      '18:15',
    ],
    [
      'the car was still there',
      [lost(60), back(90), status(90, 'Finishing'), status(105, 'Available')],
      '18:45',
    ],
    [
      'nothing had changed: it tells nothing',
      [lost(60), back(90), look(100), status(105, 'Available')],
      '18:45',
    ],
    ['it never comes back', [lost(60), look(30 + 24 * 60)], '18:00'],
    [
      'it is lost again before it tells anything',
      [lost(60), back(90), lost(91), back(120), status(120, 'Available')],
      '18:00',
    ],
    [
      'it is lost again later',
      [lost(60), back(90), lost(100), back(120), status(120, 'Available')],
      '18:40',
    ],
    ['the next car begins at it while it is away', [lost(60), back(90), next(80)], '18:00'],
    ['the next car begins at it later', [lost(60), back(90), next(100)], '18:40'],
    ['the car left before', [lost(60), status(59, 'Available')], '17:59'],
  ])('%s', (_, commands, end) => {
    expect(billed(...parks, ...commands).end).toBe(end);
  });

  test('what nobody knows costs nothing so far', () => {
    const { events } = after(...parks, lost(60), look(70));
    expect(events.at(-1)).toMatchObject({ type: 'ConnectionNoted' });
  });
});
