import { describe, expect, test } from 'vitest';
import { given } from '#decider';
import { executor, memoryEventStore, NO_POSITION } from '#event-store';
import type { OcppConnection, ReceivedCall } from '#ocpp';
import { log, tracer } from '#telemetry';
import { type Clock, instant, rfc3339 } from '#time';
import { ConnectedStation, type StationParts } from './connected-station.ts';
import { caughtUpMs, startedAt } from './clocks.ts';
import { stationDecider } from './station.ts';
import type { FrameCommand, StationEvent } from './station-events.ts';

const now = instant('2022-02-10T12:00:00Z');
type Of<Type extends StationEvent['type']> = Extract<StationEvent, { type: Type }>;

/** Of hours before or after noon, on the platform's clock. */
const at = (hours: number) => rfc3339(now + hours * 3_600_000);
const DAY = 24;

describe('a start counts from', () => {
  const start = (saidHours: number, inTouchHours: number, heardUntilHours?: number) =>
    startedAt(at(saidHours), {
      heardMs: now, caughtUpMs: caughtUpMs({ rate: 1 }), inTouchSinceMs: now + inTouchHours * 3_600_000,
      heardUntil: heardUntilHours === undefined ? undefined : at(heardUntilHours),
    });
  test.each([
    ['what the clock shows, of a station that is in touch and tells at once', -0.01, -200, undefined],
    ['what the clock shows, of a station that was away, days late', -5 * DAY, -0.1, undefined],
    ['what the clock shows, of one that was away since before', -5 * DAY, -0.1, -6 * DAY],
    ['what the clock shows, also the hour in which a lost socket is not noticed', -5 * DAY, -0.1, -5 * DAY + 0.9],
    ['what the clock shows, while it tells what it kept', -5 * DAY, -0.9, -6 * DAY],
  ])('%s', (_, said, inTouch, heardUntil) => {
    expect(start(said, inTouch, heardUntil)).toBe(at(said));
  });
  test.each([
    ['its arrival, of a station that has been in touch for long', -5 * DAY, -2, undefined],
    ['its arrival, of one that was in touch when its clock says it began', -5 * DAY, -0.1, -0.5],
    ['its arrival, where the clock is hours behind: local time that is called UTC', -8, -200, undefined],
  ])('%s', (_, said, inTouch, heardUntil) => {
    expect(start(said, inTouch, heardUntil)).toBe(at(0));
  });
});

describe('a charge that began by a clock five days behind', () => {
  const authorization = { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' };
  const began: StationEvent = {
    type: 'TransactionStarted', transactionId: 7, connectorId: 1, idTag: '04A2', meterStartWh: '1000',
    saidAt: at(-5 * DAY), startedAt: at(0), authorization,
  };
  const station = (...past: StationEvent[]) =>
    given(stationDecider, { type: 'Connected', epoch: 1, at: at(-DAY), version: 'ocpp1.6', connection: 'c' }, began, ...past);
  const readings = (readAt: string) => [{ at: readAt, context: 'Sample.Periodic', energyWh: '2000' }];
  const frame = (heardHours: number) => ({ epoch: 1, frame: 'f', heardAt: at(heardHours) });
  const read = (saidHours: number, heardHours: number): FrameCommand =>
    ({ ...frame(heardHours), type: 'ReadMeter', connectorId: 1, transactionId: '7', readings: readings(at(saidHours)) });
  const stop = (saidHours: number, heardHours: number): FrameCommand => ({
    ...frame(heardHours), type: 'StopTransaction',
    stop: { transactionId: '7', meterStopWh: '3000', stoppedAt: at(saidHours), reason: 'Local', readings: [] },
  });
  const stopped = (hours: number): StationEvent => ({
    type: 'TransactionStopped', transactionId: '7', connectorId: 1, meterStopWh: '3000', stoppedAt: at(hours),
    reason: 'Local', readings: [],
  });

  test('lasts as long as by that clock, where it stays behind', () => {
    station().when(read(-5 * DAY + 1, 1)).then({
      type: 'MeterRead', frame: 'f', connectorId: 1, transactionId: '7', readings: readings(at(1)),
    });
    station().when(stop(-5 * DAY + 2, 2)).then(stopped(2));
  });
  test('ends when it did, where the clock was set right meanwhile', () => station().when(stop(2, 2)).then(stopped(2)));
  test('lasts as long also where it lasts longer than its clock is behind: local time that is called UTC, through the night', () => {
    const night: StationEvent = { ...(began as Of<'TransactionStarted'>), saidAt: at(-5) };
    const local = given(stationDecider, { type: 'Connected', epoch: 1, at: at(-DAY), version: 'ocpp1.6', connection: 'c' }, night);
    local.when(read(2, 7)).then({ type: 'MeterRead', frame: 'f', connectorId: 1, transactionId: '7', readings: readings(at(7)) });
    local.when(stop(8, 13)).then(stopped(13));
    local.when(stop(8, 8)).then(stopped(8));
    local.when(stop(8, 10.5)).then(stopped(8));
  });
  test('never ends after its end was heard', () => station().when(stop(-5 * DAY + 9, 2)).then(stopped(2)));
  test('and the car that leaves after it leaves by our clock, too', () => {
    const status = (hours: number) => ({ connectorId: 1, status: 'Available', errorCode: 'NoError', info: '', at: at(hours) });
    station(stopped(2)).when({ ...frame(3), type: 'NotifyStatus', status: status(-5 * DAY + 3) })
      .then({ type: 'StatusNotified', frame: 'f', ...status(3) });
  });
  test('is no measure of what was before, nor of the next start that is believed', () => {
    station().when(stop(-6 * DAY, 2)).then(stopped(-6 * DAY));
    const next: StationEvent = { ...(began as Of<'TransactionStarted'>), transactionId: 8, saidAt: at(4), startedAt: at(4) };
    station(stopped(2), next).when({ ...stop(5, 5), stop: { ...(stop(5, 5) as { stop: object }).stop, transactionId: '8' } } as FrameCommand)
      .then({ ...(stopped(5) as Of<'TransactionStopped'>), transactionId: '8' });
  });
});

test('a start that is believed later is measured by what its own clock shows, though that is in what an earlier one showed', () => {
  const began = (transactionId: number, saidAt: string, startedAt: string): StationEvent => ({
    type: 'TransactionStarted', transactionId, connectorId: 1, idTag: '04A2', meterStartWh: '1000', saidAt, startedAt,
    authorization: { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' },
  });
  const [first, next] = [began(7, at(-5 * DAY), at(0)), began(8, at(-4 * DAY), at(-4 * DAY))];
  const end = { meterStopWh: '3000', reason: 'Local', readings: [] };
  given(
    stationDecider, { type: 'Connected', epoch: 1, at: at(-DAY), version: 'ocpp1.6', connection: 'c' }, first,
    { type: 'TransactionStopped', transactionId: '7', connectorId: 1, stoppedAt: at(1), ...end }, next,
  ).when({
    epoch: 1, frame: 'f', heardAt: at(20 * DAY), type: 'StopTransaction',
    stop: { transactionId: '8', stoppedAt: at(-4 * DAY + 1), ...end },
  }).then({ type: 'TransactionStopped', transactionId: '8', connectorId: 1, stoppedAt: at(-4 * DAY + 1), ...end });
});

describe('a stop that a station tells once it is back says since when it was lost', () => {
  const lost: StationEvent[] = [
    { type: 'Disconnected', epoch: 1, at: at(1), reason: 'gone' }, { type: 'Connected', epoch: 2, at: at(4), version: 'ocpp1.6', connection: 'd' },
  ];
  const began: StationEvent = {
    type: 'TransactionStarted', transactionId: 7, connectorId: 1, idTag: '04A2', meterStartWh: '1000', saidAt: at(0), startedAt: at(0),
    authorization: { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' },
  };
  const end = (hours: number) => ({ transactionId: '7', meterStopWh: '3000', stoppedAt: at(hours), reason: 'PowerLoss', readings: [] });
  test.each<[string, StationEvent[], number, object]>([
    ['it started anew hours later, and says that for it', [began, ...lost], 4.01, { lostAt: at(1) }],
    ['not where it stopped before that', [began, ...lost], 0.9, {}],
    ['not where it was back for longer', [began, ...lost], 4.2, {}],
    ['not where the charge began after that', [...lost, { ...began, startedAt: at(1.5), saidAt: at(1.5) }], 4.01, {}],
  ])('%s', (_, past, hours, more) => {
    given(stationDecider, { type: 'Connected', epoch: 1, at: at(-DAY), version: 'ocpp1.6', connection: 'c' }, ...past)
      .when({ type: 'StopTransaction', epoch: past.includes(lost[1]!) ? 2 : 1, frame: 'f', heardAt: at(5), stop: end(hours) })
      .then({ type: 'TransactionStopped', connectorId: 1, ...end(hours), ...more });
  });
});

describe('a stop that a station tells once it is back for good, after minutes on the line', () => {
  const away = (from: number, until: number, epoch: number): StationEvent[] => [
    { type: 'Disconnected', epoch: epoch - 1, at: at(from), reason: 'gone' }, { type: 'Connected', epoch, at: at(until), version: 'ocpp1.6', connection: `c${epoch}` },
  ];
  const began = (hours: number): StationEvent => ({
    type: 'TransactionStarted', transactionId: 7, connectorId: 1, idTag: '04A2', meterStartWh: '1000', saidAt: at(hours), startedAt: at(hours),
    authorization: { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' },
  });
  const MINUTE = 1 / 60;
  const end = (hours: number) => ({ transactionId: '7', meterStopWh: '3000', stoppedAt: at(hours), reason: 'PowerLoss', readings: [] });
  test.each<[string, StationEvent[], number, object]>([
    ['was lost before them, by what it says of before', [began(0), ...away(1, 9, 2), ...away(9 + 2 * MINUTE, 9 + 3 * MINUTE, 3)], 9 + MINUTE, { lostAt: at(1) }],
    ['was lost before them, or after', [began(0), ...away(1, 9, 2), ...away(9 + 2 * MINUTE, 9 + 3 * MINUTE, 3)], 9.05,
      { lostAt: at(9 + 2 * MINUTE), alsoLostAt: [at(1)] }],
    ['was lost after them, where it stayed longer', [began(0), ...away(1, 2, 2), ...away(3, 9, 3)], 9.01, { lostAt: at(3) }],
    ['was lost since the charge began', [...away(0.5, 1, 2), began(1 + MINUTE), ...away(1 + 2 * MINUTE, 9, 3)], 9.01, { lostAt: at(1 + 2 * MINUTE) }],
  ])('%s', (_, past, hours, more) => {
    given(stationDecider, { type: 'Connected', epoch: 1, at: at(-DAY), version: 'ocpp1.6', connection: 'c' }, ...past)
      .when({ type: 'StopTransaction', epoch: 3, frame: 'f', heardAt: at(9.1), stop: end(hours) })
      .then({ type: 'TransactionStopped', connectorId: 1, ...end(hours), ...more });
  });
});

/** One socket since a day ago, and what is then told on it. */
async function onSocket() {
  let hours = -DAY;
  let [transactionId, isDown, isAlone] = [6, false, false];
  const store = memoryEventStore();
  const parts = {
    journal: executor(store, { decider: stationDecider, stream: (id) => `station-${id}` }),
    tracer: tracer('test'), log: log('test', { write: () => {} }), heartbeatS: 1_800,
    clock: { now: () => instant(at(hours)), rate: 1 } as Clock,
    nextTransactionId: async () => {
      if (isDown) throw new Error('the database is down');
      return ++transactionId;
    },
    authorize: async () => isAlone
      ? { status: 'Invalid', authMethod: 'WHITELIST', isUnsaid: true }
      : { status: 'Accepted', authMethod: 'WHITELIST', token: '{}' },
  } satisfies StationParts;
  const connect = (name: string, before?: ConnectedStation) => {
    const socket = { name, version: 'ocpp1.6', heardUntil: before?.heardUntil() };
    return new ConnectedStation('S', () => ({}) as OcppConnection, parts, socket);
  };
  let station = connect('first');
  await station.connected();
  const handle = (action: string, payload: object) =>
    station.handle({ id: String(hours), action, payload, text: action } as unknown as ReceivedCall);
  return {
    async say(heardHours: number, action: string, payload: object) {
      while (hours + 0.5 < heardHours) {
        hours += 0.5;
        await handle('Heartbeat', {});
      }
      hours = heardHours;
      return handle(action, payload);
    },
    /** Nobody hears anything until then. */
    silence(untilHours: number) {
      hours = untilHours;
    },
    async reconnect({ isReplaced }: { isReplaced: boolean }) {
      if (!isReplaced) await station.disconnected('closed');
      station = connect('next', isReplaced ? station : undefined);
      await station.connected();
    },
    start(heardHours: number, saidHours: number) {
      return this.say(heardHours, 'StartTransaction', { connectorId: 1, idTag: '04A2', meterStart: 1000, timestamp: at(saidHours) });
    },
    order: (token: object) => parts.journal.execute('S', 'order', {
      type: 'OrderStart', at: at(hours), order: { orderId: 'O1', connectorId: 1, idTag: '04A2', token: JSON.stringify(token) },
    }),
    nobodyIsThere: (is: boolean) => void (isAlone = is),
    databaseIsDown: (is: boolean) => void (isDown = is),
    told: async () => (await store.readAll(NO_POSITION, 50)).slice(1).map(({ data }) => JSON.parse(data)),
  };
}

test('S16-47: a start that the platform could not take for hours counts from when it was, of a station in touch for days', async () => {
  const station = await onSocket();
  station.databaseIsDown(true);
  await expect(station.start(0, 0)).rejects.toThrow('the database is down');
  station.databaseIsDown(false);
  await station.start(5, 0);
  expect(await station.told()).toMatchObject([{ startedAt: at(0), saidAt: at(0) }]);
});

test('J-54 a start that a station kept is said again where nobody can be asked about its card; a driver who stands there is told no', async () => {
  const station = await onSocket();
  station.nobodyIsThere(true);
  expect(await station.start(-DAY + 0.1, -DAY + 0.1)).toMatchObject({ idTagInfo: { status: 'Invalid' } });
  await expect(station.start(-DAY + 0.2, -2 * DAY)).rejects.toThrow('nobody can be asked');
  station.nobodyIsThere(false);
  await station.start(-DAY + 5, -2 * DAY);
  expect((await station.told()).at(-1)).toMatchObject({ startedAt: at(-2 * DAY), authorization: { status: 'Accepted' } });
});

test('T-26: what an app ordered began no sooner than that, whatever the clock of a station shows that was away', async () => {
  const station = await onSocket();
  await station.reconnect({ isReplaced: false });
  await station.order({ type: 'APP_USER' });
  await station.start(-DAY + 0.1, -3 * DAY);
  expect((await station.told()).at(-1)).toMatchObject({ startedAt: at(-DAY + 0.1), saidAt: at(-3 * DAY), authorization: { orderId: 'O1' } });
});

test('S16-47: a station that needs hours to tell what it kept for days is believed to the end; a clock that stays behind is not', async () => {
  const [kept, behind] = [await onSocket(), await onSocket()];
  for (let n = 0; n < 12; n += 1) {
    await kept.start(-DAY + 0.1 + n / 3, -5 * DAY + 8 * n);
    await behind.start(-DAY + 0.1 + n / 3, -5 * DAY + n / 3);
  }
  const begun = async ({ told }: typeof kept) => (await told()).flatMap(({ startedAt = [] }) => startedAt);
  expect(await begun(kept)).toEqual(Array.from({ length: 12 }, (_, n) => at(-5 * DAY + 8 * n)));
  expect((await begun(behind)).at(-1)).toBe(at(-DAY + 0.1 + 11 / 3));
});

test('S16-47: while a process slept nobody was in touch: a start of then counts from when it was, on the old socket and on the next', async () => {
  const [same, next] = [await onSocket(), await onSocket()];
  for (const station of [same, next]) {
    await station.say(0, 'Heartbeat', {});
    station.silence(6);
  }
  await same.start(6, 1);
  await next.reconnect({ isReplaced: false });
  await next.start(6.1, 1);
  for (const station of [same, next]) expect((await station.told()).at(-1)).toMatchObject({ startedAt: at(1), saidAt: at(1) });
});

test('T-26: a station that was in touch until its power was cut and is back before its socket closed is not believed days late', async () => {
  const station = await onSocket();
  await station.say(0, 'Heartbeat', {});
  await station.reconnect({ isReplaced: true });
  await station.start(0.1, -5 * DAY);
  expect((await station.told()).at(-1)).toMatchObject({ startedAt: at(0.1), saidAt: at(-5 * DAY) });
});

test('S16-47, T-26: a station in touch whose clock was set right in mid-charge is billed for what passed on ours', async () => {
  const station = await onSocket();
  const { transactionId } = (await station.start(0, -5 * DAY)) as { transactionId: number };
  await station.say(2, 'StopTransaction', { transactionId, meterStop: 3000, timestamp: at(2) });
  expect(await station.told()).toMatchObject([{ startedAt: at(0), saidAt: at(-5 * DAY) }, { stoppedAt: at(2) }]);
});

test.each([
  ['held to the reader since', 0.01, true],
  ['that nobody held to it', undefined, undefined],
  ['that its station asked about for the order itself (AuthorizeRemoteTxRequests)', 0.001, undefined],
])('S16-67 a charge by a card that an order names, and %s, says so', async (_, askedHours, isShown) => {
  const station = await onSocket();
  await station.say(0, 'Authorize', { idTag: '04A2' });
  await station.order({ uid: '04A2', type: 'RFID' });
  if (askedHours !== undefined) await station.say(askedHours, 'Authorize', { idTag: '04a2' });
  await station.start(0.02, 0.02);
  const [started] = (await station.told()).slice(-1);
  expect(started.authorization).toMatchObject({ authMethod: 'COMMAND', orderId: 'O1' });
  expect(started.isCardShown).toBe(isShown);
});
