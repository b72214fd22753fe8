import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given, withRepeats } from '#decider';
import { exampleLocation, exampleSession, exampleTariff, exampleToken, read, Session } from '#ocpi';
import { rfc3339, instant } from '#time';
import { sessionDecider } from './session.ts';
import type { SessionCommand, SessionEvent, SessionState } from './session-events.ts';

const startedAt = '2022-02-01T17:00:00Z';
const at = (minute: number) => rfc3339(instant(startedAt) + minute * 60_000);
const tariff = {
  ...exampleTariff,
  elements: [
    {
      price_components: [
        { type: 'ENERGY' as const, price: 0.2, vat: 5, step_size: 1 },
        { type: 'TIME' as const, price: 2, vat: 5, step_size: 1 },
      ],
    },
  ],
};
const parkingTariff = {
  ...tariff,
  elements: [
    { price_components: [{ type: 'PARKING_TIME' as const, price: 6, step_size: 1 }] },
    ...tariff.elements,
  ],
};
const { end_date_time: _end, total_cost: _cost, ...example } = exampleSession;
const active: Session = {
  ...example,
  start_date_time: startedAt,
  kwh: 0,
  charging_periods: [],
  status: 'ACTIVE',
  last_updated: at(0),
};
const transaction = {
  stationId: 'OASIS-L2-01',
  transactionId: '101',
  connectorId: 1,
  meterStartWh: '1000',
};
const snapshots = { location: exampleLocation, tariff, tariffVersion: 3, token: exampleToken };

const start = {
  type: 'StartSession',
  session: active,
  transaction,
  snapshots,
} as const satisfies SessionCommand;
const started = {
  type: 'SessionStarted',
  session: active,
  transaction,
  snapshots,
} as const satisfies SessionEvent;
const reading = (minute: number, energyWh: string) => ({ at: at(minute), energyWh });
const readMeter = (minute: number, energyWh: string): SessionCommand => ({
  type: 'ReadMeter',
  readings: [reading(minute, energyWh)],
  updateEveryMs: { ac: 300_000, dc: 300_000 },
  at: at(minute),
});
const meterRead = (minute: number, energyWh: string): SessionEvent => ({
  type: 'MeterRead',
  readings: [reading(minute, energyWh)],
});
const stop = (
  minute: number,
  meterStopWh: string,
  readings: { at: string; energyWh: string }[] = [],
): SessionCommand => ({
  type: 'EndSession',
  meterStopWh,
  stoppedAt: at(minute),
  reason: 'Local',
  readings,
  rules: { graceMs: 0, capMs: 86_400_000, waitMs: 120_000 },
  at: at(minute + 1),
});
const invalid = {
  type: 'RecordInvalid',
  transaction,
  why: 'card-not-accepted',
  at: at(0),
} as const satisfies SessionCommand;
const invalidStarted = {
  type: 'InvalidSessionStarted',
  transaction,
  why: 'card-not-accepted',
  at: at(0),
} as const satisfies SessionEvent;

const session = (...past: SessionEvent[]) => given(sessionDecider, ...past);
/** What the commands lead to, one after the other. */
function after(...commands: SessionCommand[]): { state: SessionState; events: SessionEvent[] } {
  const events: SessionEvent[] = [];
  for (const command of commands)
    events.push(...sessionDecider.decide(command, fold(sessionDecider, events)));
  return { state: fold(sessionDecider, events), events };
}
function ended(...commands: SessionCommand[]): Extract<SessionEvent, { type: 'SessionEnded' }> {
  const last = after(start, ...commands).events.at(-1)!;
  if (last.type !== 'SessionEnded') throw new Error(`${last.type} is no end`);
  return last;
}

describe('a session', () => {
  test('starts with its transaction, once', () => {
    session().when(start).then(started);
    session(started).when(start).thenNothing();
  });
  test('takes a reading as it is; soon after the start nobody is told', () =>
    session(started).when(readMeter(1, '1100')).then(meterRead(1, '1100')));
  test('takes no reading twice, and none that goes back', () => {
    session(started, meterRead(2, '1200')).when(readMeter(2, '1200')).thenNothing();
    session(started, meterRead(2, '1200')).when(readMeter(1, '1100')).thenNothing();
  });
  test('leaves out a register that fell, and says so once', () => {
    const leftOut: SessionEvent = {
      type: 'MeterRead',
      readings: [],
      leftOut: [{ ...reading(3, '1100'), why: 'register-fell' }],
    };
    session(started, meterRead(2, '1200')).when(readMeter(3, '1100')).then(leftOut);
    session(started, meterRead(2, '1200'), leftOut).when(readMeter(3, '1100')).thenNothing();
  });
  test('is refreshed when the interval is over, with energy, time and cost so far', () =>
    session(started)
      .when(readMeter(30, '6000'))
      .then(meterRead(30, '6000'), {
        type: 'SessionRefreshed',
        session: {
          ...active,
          kwh: 5,
          total_cost: { excl_vat: 2, incl_vat: 2.1 },
          last_updated: at(30),
          charging_periods: [
            {
              start_date_time: at(0),
              tariff_id: tariff.id,
              dimensions: [
                { type: 'ENERGY', volume: 5 },
                { type: 'TIME', volume: 0.5 },
              ],
            },
          ],
        },
      }));
  test('shows the power and charge of the moment in its newest period', () => {
    const { state } = after(start, {
      type: 'ReadMeter',
      updateEveryMs: { ac: 300_000, dc: 300_000 },
      at: at(6),
      readings: [{ ...reading(6, '1600'), powerW: '6612', socPercent: '41' }],
    });
    expect(state).toMatchObject({
      session: {
        charging_periods: [
          {
            dimensions: [
              { type: 'ENERGY' },
              { type: 'TIME' },
              { type: 'POWER', volume: 6.612 },
              { type: 'STATE_OF_CHARGE', volume: 41 },
            ],
          },
        ],
      },
    });
  });
  test('goes on in last_updated with each change, whatever the clock does and however many readings come at once', () => {
    const late = (minute: number, register: string) => ({ ...readMeter(minute, register), at: at(-10) }) as SessionCommand;
    const { state } = after(start, late(10, '2000'), late(20, '3000'));
    expect(state).toMatchObject({ session: { kwh: 2, last_updated: at(0).replace('Z', '.002Z') } });
  });
  test('that nobody heard of ends nowhere', () => session().when(stop(30, '2000')).thenNothing());
});

describe('a session ends', () => {
  test('COMPLETED with what was used, what it costs, and what held at its start', () => {
    const end = ended(readMeter(10, '2000'), stop(30, '6000.5'));
    expect(end).toMatchObject({
      snapshots,
      energyWh: '5000.5',
      reason: 'Local',
      findings: [],
      session: {
        status: 'COMPLETED',
        kwh: 5.0005,
        end_date_time: at(30),
        last_updated: at(31),
        total_cost: { excl_vat: 2, incl_vat: 2.1 },
      },
    });
    expect(read(Session, end.session)).toMatchObject({ ok: true });
  });
  test('once: the second and third stop change nothing', () => {
    const { events } = after(start, stop(30, '2000'), stop(30, '2000'), stop(31, '2100'));
    expect(events.map(({ type }) => type)).toEqual(['SessionStarted', 'SessionEnded']);
  });
  test('with the readings that came with its stop', () => {
    const end = ended(stop(30, '3000', [reading(10, '2000'), reading(20, '2500')]));
    expect(end.session).toMatchObject({ kwh: 2, charging_periods: [{ start_date_time: at(0) }] });
  });
  test.each([
    ['a stop below the start', [stop(30, '900')], 0, ['meter-stop-below-start']],
    [
      'a stop below the start after readings',
      [readMeter(10, '2000'), stop(30, '0')],
      1,
      ['meter-stop-below-start'],
    ],
    [
      'a stop below a reading',
      [readMeter(10, '2000'), stop(30, '1500')],
      1,
      ['meter-stop-below-reading'],
    ],
    ['a stop that only rounds a reading', [readMeter(10, '2000.4'), stop(30, '2000')], 1.0004, []],
    [
      'a stop before a reading',
      [readMeter(10, '2000'), stop(5, '2000')],
      1,
      ['stopped-before-last-reading'],
    ],
    ['nothing at all', [stop(0, '1000')], 0, []],
  ] as const)(
    'with %s: no energy is ever taken back, and it is noted',
    (_, commands, kwh, findings) => {
      const end = ended(...commands);
      expect(end.findings.map(({ code }) => code)).toEqual(findings);
      expect(end.session).toMatchObject({ kwh, status: 'COMPLETED' });
      expect(read(Session, end.session)).toMatchObject({ ok: true });
      expect(instant(end.session.end_date_time!)).toBeGreaterThanOrEqual(instant(startedAt));
    },
  );
});

test('T-26 a start or a stop by a clock that cannot be right says so with the end, and what a station kept without a clock is billed by its meter', () => {
  const by = (saidAt: string): SessionEvent => ({ ...started, transaction: { ...transaction, saidAt } });
  const end = (first: SessionEvent, last: SessionCommand) => {
    const [event] = sessionDecider.decide(last, fold(sessionDecider, [first]));
    return event as Extract<SessionEvent, { type: 'SessionEnded' }>;
  };
  const begun = end(by('2020-01-01T00:00:00Z'), stop(0, '31000'));
  expect(begun).toMatchObject({ energyWh: '30000', findings: [{ code: 'station-clock-wrong' }] });
  expect(begun.findings[0]!.detail).toContain(`2020-01-01T00:00:00Z at the start, which cannot be: it counts from when it was heard, ${startedAt}`);
  expect(begun.findings[0]!.figures).toEqual({ told: '2020-01-01T00:00:00Z', due: startedAt });
  expect(end(started, stop(0, '31000'))).toMatchObject({
    energyWh: '0', findings: [{ code: 'meter-stop-beyond-power', figures: { told: '31000', unit: 'Wh' } }],
  });
  const ended = end(started, { ...stop(30, '3000'), saidAt: '1970-01-01T00:40:00Z' } as SessionCommand);
  expect(ended.findings.map(({ code, detail }) => [code, detail.includes('at the stop')])).toEqual([['station-clock-wrong', true]]);
});

test('S16-48 a charge whose start said no register counts from 0, and says so with its end', () => {
  const first: SessionEvent = { ...started, transaction: { ...transaction, meterStartWh: '0', isMeterStartMissing: true } };
  const [end] = sessionDecider.decide(stop(30, '3000'), fold(sessionDecider, [first]));
  expect(end).toMatchObject({ type: 'SessionEnded', energyWh: '3000', findings: [{ code: 'meter-start-missing' }] });
});

test('S16-54 a charge whose stop said no register ends at its newest reading, and says so', () => {
  const unmetered = (minute: number, meterStopWh: string, readings: { at: string; energyWh: string }[] = []) =>
    ({ ...stop(minute, meterStopWh, readings), isLastKnown: true }) as SessionCommand;
  const findings = [{ code: 'meter-stop-missing' }];
  expect(ended(readMeter(10, '2000'), unmetered(30, '2000'))).toMatchObject({
    energyWh: '1000', findings, session: { end_date_time: at(30), kwh: 1 },
  });
  expect(ended(readMeter(10, '2000'), unmetered(30, '3000', [reading(30, '3000')]))).toMatchObject({ energyWh: '2000', findings });
  expect(ended(unmetered(30, '1000'))).toMatchObject({ energyWh: '0', findings });
});

describe('a charge whose card may not pay', () => {
  test('is recorded as invalid, and ends as that', () => {
    session().when(invalid).then(invalidStarted);
    session(invalidStarted)
      .when(stop(5, '1500'))
      .then({ type: 'InvalidSessionEnded', energyWh: '500', at: at(5) });
  });
  test('takes no readings and ends once', () => {
    session(invalidStarted).when(readMeter(1, '1100')).thenNothing();
    session(invalidStarted, { type: 'InvalidSessionEnded', energyWh: '500', at: at(5) })
      .when(stop(5, '1500'))
      .thenNothing();
  });
});

const minutes = fc.integer({ min: -5, max: 90 });
const registers = fc.oneof(
  fc.integer({ min: 900, max: 9_000 }).map(String),
  fc.constantFrom('0', '20', '120', '99999950', '50000'),
);
const signedValues = fc.record({
  nature: fc.constantFrom('Start' as const, 'Intermediate' as const, 'End' as const),
  encoding: fc.constant('OCMF'),
  text: fc.constantFrom('OCMF|1', 'OCMF|2', 'OCMF|3', `OCMF|${'x'.repeat(4_000)}`),
});
const statuses = fc.constantFrom('Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing', 'Available');
const anyCommand = fc.oneof(
  fc.constant<SessionCommand>(start),
  fc.constant<SessionCommand>({ ...start, snapshots: { ...snapshots, tariff: parkingTariff } }),
  fc.constant<SessionCommand>(invalid),
  fc.tuple(minutes, registers).map(([minute, energyWh]) => readMeter(minute, energyWh)),
  fc.tuple(minutes, registers, fc.array(signedValues, { maxLength: 3 })).map(
    ([minute, energyWh, signed]): SessionCommand => ({
      ...(readMeter(minute, energyWh) as Extract<SessionCommand, { type: 'ReadMeter' }>),
      signed,
    }),
  ),
  fc.tuple(minutes, registers).map(([minute, energyWh]) => stop(minute, energyWh)),
  fc
    .tuple(minutes, minutes, statuses)
    .map(([minute, heard, status]): SessionCommand => ({
      type: 'NoteStatus',
      status,
      statusAt: at(minute),
      at: at(heard),
    })),
  fc
    .tuple(minutes, fc.boolean())
    .map(([minute, held]): SessionCommand => ({ type: 'NoteHold', held, heldAt: at(minute) })),
  fc.tuple(minutes, fc.boolean()).map(([minute, faulted]): SessionCommand => ({
    type: 'NoteFault',
    faulted,
    faultedAt: at(minute),
    at: at(minute),
  })),
  fc.tuple(minutes, fc.boolean()).map(([minute, connected]): SessionCommand => ({
    type: 'NoteConnection',
    connected,
    connectionAt: at(minute),
  })),
  minutes.map((minute): SessionCommand => ({
    type: 'YieldConnector',
    nextAt: at(minute),
    at: at(minute),
  })),
  minutes.map((minute): SessionCommand => ({
    type: 'LookAtParking',
    updateEveryMs: { ac: 60_000, dc: 60_000 },
    at: at(minute),
  })),
);
/** Starts with its transaction, of a tariff with or without parking. */
const anyLife = fc.oneof(
  fc.array(anyCommand, { maxLength: 14 }),
  fc.array(anyCommand, { maxLength: 20 }).map((all): SessionCommand[] => [
    { ...start, snapshots: { ...snapshots, tariff: parkingTariff } },
    ...all,
  ]),
);

test('any command repeated at any later point yields no second event', () => {
  fc.assert(
    fc.property(anyLife, (all) => void withRepeats(sessionDecider, all)),
    { numRuns: 400, seed: 20220201 },
  );
});

test('whatever is told in whatever order, what is billed adds up and was never told otherwise', () => {
  const volumes = ({ charging_periods: periods = [] }: Session, ...types: string[]) =>
    periods
      .flatMap(({ dimensions }) => dimensions)
      .filter(({ type }) => types.includes(type))
      .reduce((total, { volume }) => total + volume, 0);
  fc.assert(
    fc.property(
      fc.constantFrom(tariff, parkingTariff),
      fc.array(anyCommand, { maxLength: 25 }),
      (applied, all) => {
        const { events } = after(
          { ...start, snapshots: { ...snapshots, tariff: applied } },
          ...all,
          stop(91, '9100'),
          { type: 'LookAtParking', updateEveryMs: { ac: 60_000, dc: 60_000 }, at: at(3 * 24 * 60) },
        );
        const told = events.flatMap((event) => ('session' in event && event.type !== 'SignedRead' ? [event.session] : []));
        const end = told.at(-1)!;
        expect(read(Session, end)).toMatchObject({ ok: true });
        expect(end.status).toBe('COMPLETED');
        expect(volumes(end, 'ENERGY')).toBeCloseTo(end.kwh, 6);
        const hours = (instant(end.end_date_time!) - instant(startedAt)) / 3_600_000;
        expect(volumes(end, 'TIME', 'PARKING_TIME')).toBeLessThan(hours + 0.000_01);
        for (const { charging_periods: periods = [] } of told)
          expect(end.charging_periods!.slice(0, periods.length)).toEqual(periods);
      },
    ),
    { numRuns: 300, seed: 20220201 },
  );
});
