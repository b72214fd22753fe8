import { describe, expect, test } from 'vitest';
import { fold } from '#decider';
import { exampleLocation, exampleSession, exampleTariff, exampleToken } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { sessionDecider } from './session.ts';
import type { SessionCommand, SessionEvent } from './session-events.ts';
import type { SignedValue } from './signed.ts';

// What sessions make of what a meter says, from its first register to the end of the charge.

const startedAt = '2022-02-01T17:00:00Z';
const at = (minute: number) => rfc3339(instant(startedAt) + minute * 60_000);
const { end_date_time: _, total_cost: __, ...example } = exampleSession;
const tariffOf = (type: 'ENERGY' | 'PARKING_TIME' | 'TIME', price = 0.2) => ({
  ...exampleTariff,
  elements: [{ price_components: [{ type, price, step_size: 1 }] }],
});
const begins = (meterStartWh = '1000', tariff = tariffOf('ENERGY')): SessionCommand => ({
  type: 'StartSession',
  session: { ...example, start_date_time: startedAt, kwh: 0, charging_periods: [], status: 'ACTIVE', last_updated: at(0) },
  transaction: { stationId: 'OASIS-L2-01', transactionId: '101', connectorId: 1, meterStartWh },
  snapshots: { location: exampleLocation, tariff, tariffVersion: 3, token: exampleToken },
});
const readMeter = (minute: number, energyWh: string): SessionCommand => ({
  type: 'ReadMeter',
  readings: [{ at: at(minute), energyWh }],
  updateEveryMs: { ac: 300_000, dc: 300_000 },
  at: at(minute),
});
const stop = (minute: number, meterStopWh: string, signed: readonly SignedValue[] = []): SessionCommand => ({
  type: 'EndSession',
  ...{ meterStopWh, stoppedAt: at(minute), reason: 'Local', readings: [], signed, at: at(minute) },
  rules: { graceMs: 0, capMs: 86_400_000, waitMs: 120_000 },
});
function after(...commands: SessionCommand[]): SessionEvent[] {
  const events: SessionEvent[] = [];
  for (const command of commands)
    events.push(...sessionDecider.decide(command, fold(sessionDecider, events)));
  return events;
}
function ended(...commands: SessionCommand[]): Extract<SessionEvent, { type: 'SessionEnded' }> {
  const last = after(...commands).at(-1)!;
  if (last.type !== 'SessionEnded') throw new Error(`${last.type} is no end`);
  return last;
}
/** Energy in kWh, and what was found. */
function billed(...commands: SessionCommand[]): (number | string)[] {
  const { findings, session } = ended(...commands);
  return [session.kwh, ...findings.map(({ code }) => code)];
}

describe('a charge that a loss of power ended, of which the station tells hours later', () => {
  const back = (more: Partial<Extract<SessionCommand, { type: 'EndSession' }>> = {}) =>
    ended(begins('1000', byTime), readMeter(30, '4000'), { ...stop(240, '4060'), reason: 'PowerLoss', lostAt: at(31), ...more } as SessionCommand);
  const byTime = tariffOf('TIME', 6);
  test('was over when the station was lost: it costs no time without power, and says so', () => {
    const end = back();
    expect(end).toMatchObject({ energyWh: '3060', session: { kwh: 3.06, end_date_time: at(31) }, findings: [{ code: 'station-without-power' }] });
    expect(end.session.total_cost).toEqual({ excl_vat: 3.1 });
    expect(back({ reason: 'Other', saidAt: '1970-01-01T00:00:10Z' })).toMatchObject({
      session: { end_date_time: at(31) }, findings: [{ code: 'station-without-power' }],
    });
  });
  test.each<[string, Parameters<typeof back>[0]]>([
    ['where its meter went on', { meterStopWh: '9000' }],
    ['where it was told as the end by the driver', { reason: 'Local' }],
    ['where the station was not away', { lostAt: undefined }],
  ])('but %s lasted as long as was said', (_, more) => {
    expect(back(more)).toMatchObject({ session: { end_date_time: at(240) }, findings: [] });
  });
  test('parks on where the station finds the car as it starts: what it says by then is not of the next charge', () => {
    const preparing: SessionCommand = { type: 'NoteStatus', status: 'Preparing', statusAt: at(32), at: at(32) };
    const stopped = { ...stop(33, '4060'), reason: 'PowerLoss', lostAt: at(31) } as SessionCommand;
    expect(after(begins('1000', tariffOf('PARKING_TIME')), readMeter(30, '4000'), preparing, stopped).at(-1)).toMatchObject({
      type: 'ChargeEnded', stoppedAt: at(31),
    });
  });
  test('was over when the station was lost first, where it was back for minutes only and nothing flowed in them', () => {
    const twice = { lostAt: at(235), alsoLostAt: [at(31)] };
    expect(back(twice)).toMatchObject({ session: { end_date_time: at(31) }, findings: [{ code: 'station-without-power' }] });
    // 8 kWh in two minutes no connector gives.
    expect(back({ ...twice, meterStopWh: '12000' })).toMatchObject({ session: { end_date_time: at(235) } });
  });
  test('was over at a reading that the station kept of later', () => {
    const readings = [{ at: at(45), energyWh: '4050' }];
    expect(back({ readings })).toMatchObject({ session: { end_date_time: at(45) }, findings: [{ code: 'station-without-power' }] });
  });
});

describe('a charge that the operator ends', () => {
  const closed = (...before: SessionCommand[]) =>
    ended(...before, { ...stop(30, '4000'), isLastKnown: true, reason: 'Other', closedBecause: 'it burned down', at: at(5_000) } as SessionCommand);
  test('is billed to its newest reading, and says why', () =>
    expect(closed(begins('1000', tariffOf('TIME', 6)), readMeter(30, '4000'))).toMatchObject({
      energyWh: '3000', session: { kwh: 3, end_date_time: at(30), total_cost: { excl_vat: 3 } },
      findings: [{ code: 'meter-stop-missing' }, { code: 'closed-by-operator', detail: 'the operator ended it, since its station did not say that it stopped: it burned down' }],
    }));
  test('has no car that parks there: nobody vouches for it', () => {
    const finishing: SessionCommand = { type: 'NoteStatus', status: 'Finishing', statusAt: at(31), at: at(31) };
    expect(closed(begins('1000', tariffOf('PARKING_TIME', 6)), readMeter(30, '4000'), finishing)).toMatchObject({
      session: { status: 'COMPLETED', end_date_time: at(30), total_cost: { excl_vat: 0 } },
    });
  });
});

describe('a charge of whose meter nothing is heard', () => {
  const look = (minute: number): SessionCommand => ({ type: 'LookAtCharge', updateEveryMs: { ac: 300_000, dc: 300_000 }, at: at(minute) });
  const costs = (...commands: SessionCommand[]) => after(...commands).flatMap((event) =>
    (event.type === 'CostTold' ? [[event.session.last_updated, event.session.total_cost!.excl_vat, event.session.charging_periods?.length]] : []));
  test('is told what its time costs, once in so long', () =>
    expect(costs(begins('1000', tariffOf('TIME', 6)), look(5), look(6), look(7), look(12))).toEqual([[at(6), 0.6, 0], [at(12), 1.2, 0]]));
  test('is told nothing where its time costs nothing, or the car is kept waiting', () => {
    expect(costs(begins(), look(6))).toEqual([]);
    const waits: SessionCommand = { type: 'NoteStatus', status: 'SuspendedEVSE', statusAt: at(0), at: at(0) };
    expect(costs(begins('1000', tariffOf('TIME', 6)), waits, look(6))).toEqual([]);
  });
  test('is told nothing once its station was lost, until the meter speaks again', () => {
    const lost: SessionCommand = { type: 'NoteConnection', connected: false, connectionAt: at(10) };
    const back: SessionCommand = { type: 'NoteConnection', connected: true, connectionAt: at(30) };
    const byTime = begins('1000', tariffOf('TIME', 6));
    expect(costs(byTime, look(6), lost, look(12), back, lost, look(40))).toEqual([[at(6), 0.6, 0]]);
    expect(costs(byTime, lost, back, readMeter(31, '2000'), look(40))).toEqual([[at(40), 4, 1]]);
  });
  test('tells its periods with what the meter says later, as if nothing had been told', () => {
    const [start, read, end] = [begins('1000', tariffOf('TIME', 6)), readMeter(20, '3000'), stop(30, '4000')];
    expect(ended(start, look(6), look(12), read, end).session).toEqual({ ...ended(start, read, end).session });
    expect(costs(start, look(6), read, look(22))).toEqual([[at(6), 0.6, 0]]);
  });
});

describe('a meter that is not what it was', () => {
  test('a station that repeats the register of the start beside its own is not found to have fallen', () => {
    const energyWh = (minute: number, wh: string) => ({ at: at(minute), energyWh: wh });
    const repeats = (minute: number, wh: string): SessionCommand =>
      ({ ...readMeter(minute, wh), readings: [energyWh(minute, wh), energyWh(minute, '1000')] }) as SessionCommand;
    expect(billed(begins(), repeats(10, '1800'), repeats(20, '2600'), stop(30, '3400'))).toEqual([2.4]);
  });
  test('a register that is full and begins again between two readings counts on', () =>
    expect(billed(begins('99999000'), readMeter(10, '99999900'), readMeter(20, '800'), stop(30, '1900'))).toEqual([
      2.9, 'register-wrapped',
    ]));
  test('and so does one that does it before the stop, without a reading', () =>
    expect(billed(begins('99999000'), stop(30, '1900'))).toEqual([2.9, 'register-wrapped']));
  test('a register that is reset goes on from where it is seen again; nothing unseen is charged', () =>
    expect(billed(begins(), readMeter(10, '2000'), readMeter(20, '50'), readMeter(30, '1050'), stop(40, '2050'))).toEqual([
      3, 'register-fell', 'register-replaced',
    ]));
  test('a meter that is replaced by one that counts more goes on, too', () =>
    expect(billed(begins(), readMeter(10, '2000'), readMeter(20, '700000'), readMeter(30, '701000'), stop(40, '702000'))).toEqual([
      3, 'reading-beyond-power', 'register-replaced',
    ]));
  test('a clock that is set back in mid-charge loses no energy: the charge as a whole can have delivered it', () =>
    expect(
      billed(begins(), readMeter(60, '41000'), readMeter(15, '44000'), readMeter(65, '77600'), readMeter(70, '81000'), stop(75, '84300')),
    ).toEqual([83.3, 'reading-beyond-power']));
  test('one false value is left out, and the line goes on', () =>
    expect(
      billed(
        begins(),
        readMeter(10, '2000'),
        readMeter(20, '0'),
        readMeter(21, '0'),
        readMeter(30, '4000'),
        stop(40, '5000'),
      ),
    ).toEqual([4, 'register-fell']));
  test('a stop beyond what the connector gives stays at the newest reading', () =>
    expect(billed(begins(), readMeter(10, '2000'), stop(11, '90000'))).toEqual([1, 'meter-stop-beyond-power']));
  test('a stop counts by the time since the start: a reading before it may bear the time of its arrival', () =>
    expect(billed(begins(), readMeter(60, '1300'), stop(55, '7000'))).toEqual([6, 'stopped-before-last-reading']));
  test('S16-54: what a station reads of the charge alone is a check; its start and its stop are what is charged', () =>
    expect(
      billed(begins('100000'), readMeter(10, '1000'), readMeter(20, '2000'), readMeter(30, '3000'), stop(30, '103000')),
    ).toEqual([3, 'register-fell', 'register-replaced']));
  test('S16-54: so it is of a new meter, whose whole register could have flowed since the last reading', () =>
    expect(billed(begins('2000'), readMeter(10, '500'), readMeter(20, '1000'), stop(40, '5000')))
      .toEqual([3, 'register-fell', 'register-replaced']));
  test('what was left out is named by its value', () =>
    expect(ended(begins(), readMeter(10, '2000'), readMeter(20, '0'), stop(30, '3000')).findings).toEqual([
      { code: 'register-fell', detail: `the register fell to 0 Wh at ${at(20)}: left out`, figures: { told: '0', unit: 'Wh' } },
    ]));
});

describe('what a meter signed', () => {
  const [first, last]: SignedValue[] = [
    { nature: 'Start', encoding: 'OCMF', text: 'OCMF|1' },
    { nature: 'End', encoding: 'OCMF', text: 'OCMF|2' },
  ];
  const signs = (value: SignedValue): SessionCommand => ({
    ...{ type: 'ReadMeter', readings: [], signed: [value], updateEveryMs: { ac: 300_000, dc: 300_000 }, at: at(0) },
  });
  const texts = (event: SessionEvent | undefined) =>
    event?.type === 'SessionEnded' ? event.signedData?.signed_values.map(({ plain_data }) => plain_data) : undefined;
  test('is told with the end of the session, once', () => {
    expect(after(begins(), signs(first!), signs(first!)).slice(1)).toEqual([
      {
        type: 'SignedRead',
        session: { cdr_token: example.cdr_token, start_date_time: startedAt },
        signed: [first],
      },
    ]);
    expect(texts(ended(begins(), signs(first!), stop(30, '2000', [first!, last!])))).toEqual(['OCMF|1', 'OCMF|2']);
  });
  test('is told, too, of a car that stays after its charge', () => {
    const look: SessionCommand = { type: 'LookAtParking', updateEveryMs: { ac: 300_000, dc: 300_000 }, at: at(120) };
    const parks = begins('1000', tariffOf('PARKING_TIME'));
    expect(texts(ended(parks, signs(first!), stop(30, '2000'), signs(last!), look))).toEqual(['OCMF|1', 'OCMF|2']);
  });
});
