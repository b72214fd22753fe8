// tidy: long because one gateway with its stations, once started, serves every case
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Answering, type Bus, connectBus, hears, type Hearing, listen, type Listening, busMigrations } from '#bus';
import {
  connectorStatusChanged, describeStations, LimitKind, meterRead, Outcome, setLimit, startCharging, stationConnected,
  stationDisconnected, stopCharging, type TransactionStarted, transactionStarted, type TransactionStopped, transactionStopped,
} from '#contracts/ocpp-gateway';
import { authorize } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { type Database, openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { type ChargerProcess, startCharger } from '../../../scripts/charger-process.ts';
import { start } from '../src/start.ts';

const password = 'a-long-enough-secret';
const ids = ['REMOTE', 'CARD', 'REPEAT', 'DROP', 'SILENT', 'LIMIT', 'MIXED', 'UNANSWERED', 'TWICE'];
const token = {
  country_code: 'CA', party_id: 'CPK', uid: 'APP-0000000001-LONGER-THAN-OCPP-16', type: 'APP_USER', contract_id: 'C1',
  issuer: 'Carbon Plunk', valid: true, whitelist: 'NEVER', last_updated: '2022-02-01T17:00:00Z',
};
const clock = {
  ROAMWATT_CLOCK_EPOCH: '2022-02-01T17:00:00Z', ROAMWATT_CLOCK_STARTED: new Date().toISOString(), ROAMWATT_CLOCK_RATE: '300',
};

let platform: TestPlatform;
let service: Running;
let bus: Bus;
let answering: Answering;
let listenerDb: Database;
let listening: Listening;
let charger: ChargerProcess;
const told: { kind: string; fact: Record<string, unknown> }[] = [];

/** Taps of the card whose owner is silent at the first. */
let silences = 0;
let isFleetBlocked = false;
const fleet = (uid: string) => toJsonBytes({ ...token, uid, type: 'RFID', group_id: 'FLEET' });
const answerAuthorize = () => bus.answer(authorize, (cards) => cards.map(({ idTag, connectorId }) => (idTag === '04MIXED'
  ? { status: connectorId === undefined ? 'Accepted' : 'Blocked', authMethod: 'WHITELIST', why: 'not at this one', byConnector: connectorId === undefined }
  : idTag.startsWith('04FLEET')
  ? { status: isFleetBlocked ? 'Blocked' : 'Accepted', authMethod: 'WHITELIST', tokenJson: fleet(idTag), why: 'of the fleet' }
  : idTag === '04SILENT' && silences++ === 0 ? { status: 'Invalid', authMethod: 'WHITELIST', why: 'silent', refusal: 'owner-silent' }
  : ['04A2B3C4', '04D5E6F7', '04SILENT'].includes(idTag)
  ? { status: 'Accepted', authMethod: 'WHITELIST', tokenJson: toJsonBytes({ ...token, uid: idTag, type: 'RFID' }), why: 'known' }
  : { status: 'Invalid', authMethod: 'WHITELIST', why: 'unknown' })));

beforeAll(async () => {
  platform = await testPlatform({
    stations: [...ids, 'GUESSED'].map((id) => ({ id, password })), ocpp: { station_wrong_password_limit: { per_second: 0.001, burst: 4 } },
  }, clock);
  bus = await connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: 'tokens-auth' });
  // The neighbour's side of the contract: one card is known.
  answering = await answerAuthorize();
  service = await start(platform.env);
  listenerDb = await openDatabase({ url: platform.databaseUrl, schema: 'listener', migrations: busMigrations });
  const contracts = [stationConnected, stationDisconnected, connectorStatusChanged, transactionStarted, meterRead, transactionStopped];
  listening = await listen(bus, listenerDb, {
    listener: 'listener',
    hearings: contracts.map((contract): Hearing => hears(contract as typeof stationConnected, (fact) => {
      told.push({ kind: `${contract.thing} ${contract.happened}`, fact: fact as unknown as Record<string, unknown> });
    })),
  });
  charger = startCharger({
    config: {
      url: service.urls!.ocpp, password, settings: { MeterValueSampleInterval: 60 },
      stations: ids.filter((id) => id !== 'TWICE').map((id) => ({ id, meterStartWh: 1_000 })),
    },
    env: clock,
  });
  for (const station of ids.slice(0, -1)) await charger.until({ event: 'booted', station });
});
afterAll(async () => {
  await charger?.stop();
  await listening?.close();
  await service?.stop();
  await listenerDb?.close();
  await bus?.close();
  await platform?.drop();
});

const facts = <T>(kind: string, stationId: string) =>
  told.filter((each) => each.kind === kind && each.fact.stationId === stationId).map((each) => each.fact as T);
const order = (stationId: string, orderId: string, timeoutMs = 10_000) =>
  bus.ask(
    startCharging,
    { stationId, connectorId: 1, orderId, tokenJson: toJsonBytes(token), timeoutMs },
    { timeoutMs: timeoutMs + 2_000 },
  );

test('a charge ordered from afar starts by that order, is metered, and stops when told to', async () => {
  await charger.do({ do: 'plug-in', station: 'REMOTE', car: 'leaf', soc: 30 });
  expect(await order('REMOTE', 'ORDER-1')).toMatchObject({ outcome: Outcome.ACCEPTED });
  await expect.poll(() => facts('transaction started', 'REMOTE')).toHaveLength(1);
  const [started] = facts<TransactionStarted>('transaction started', 'REMOTE');
  expect(started).toMatchObject({
    connectorId: 1,
    meterStartWh: '1000',
    authorization: { status: 'Accepted', authMethod: 'COMMAND', orderId: 'ORDER-1' },
  });
  expect(started!.idTag.length).toBeLessThanOrEqual(20);
  expect(fromJsonBytes(started!.authorization!.tokenJson!)).toEqual(token);
  await expect.poll(() => facts('meter read', 'REMOTE').length).toBeGreaterThan(2);
  expect(await bus.ask(stopCharging, { stationId: 'REMOTE', transactionId: started!.transactionId })).toMatchObject({
    outcome: Outcome.ACCEPTED,
  });
  await expect
    .poll(() => facts('transaction stopped', 'REMOTE'))
    .toMatchObject([{ transactionId: started!.transactionId, reason: 'Remote' }]);
});

test('S16-20 a known card charges as itself; an unknown one is Invalid and gets no power', async () => {
  await charger.do({ do: 'plug-in', station: 'CARD', car: 'leaf' });
  await charger.do({ do: 'tap', station: 'CARD', idTag: 'NOBODY' });
  await charger.until({ event: 'authorized', station: 'CARD', status: 'Invalid' });
  await charger.do({ do: 'tap', station: 'CARD', idTag: '04A2B3C4' });
  await expect.poll(() => facts('transaction started', 'CARD')).toMatchObject([
    { idTag: '04A2B3C4', authorization: { status: 'Accepted', authMethod: 'WHITELIST' } },
  ]);
  expect(facts('transaction stopped', 'CARD')).toEqual([]);
});

test('S16-41 a card that the station let in, and that may not charge at the connector it took, is Blocked at the start and stopped', async () => {
  await charger.do({ do: 'plug-in', station: 'MIXED', car: 'leaf' });
  await charger.do({ do: 'tap', station: 'MIXED', idTag: '04MIXED' });
  await charger.until({ event: 'authorized', station: 'MIXED', status: 'Accepted' });
  await expect.poll(() => facts('transaction started', 'MIXED')).toMatchObject([{ idTag: '04MIXED', authorization: { status: 'Blocked' } }]);
  await expect.poll(() => facts('transaction stopped', 'MIXED')).toMatchObject([{ reason: 'DeAuthorized' }]);
});

test('S16-21, S16-22 the card of a charge that runs, or one of its group, ends it though neither may charge any more', async () => {
  const station = await byHand();
  const timestamp = '2022-02-01T17:00:00Z';
  const idTagInfo = { status: 'Accepted', parentIdTag: 'FLEET' };
  const start = await station.say('StartTransaction', { connectorId: 5, idTag: '04FLEET1', meterStart: 0, timestamp });
  expect(start).toMatchObject({ idTagInfo });
  isFleetBlocked = true;
  for (const idTag of ['04fleet1', '04FLEET2']) expect(await station.say('Authorize', { idTag })).toEqual({ idTagInfo });
  expect(await station.say('Authorize', { idTag: '04B9' })).toEqual({ idTagInfo: { status: 'Invalid' } });
  const { transactionId } = start as { transactionId: number };
  await station.say('StopTransaction', { transactionId, meterStop: 900, timestamp, idTag: '04FLEET2' });
  expect(await station.say('Authorize', { idTag: '04FLEET1' })).toEqual({ idTagInfo: { status: 'Blocked' } });
  station.close();
});

test("an owner's silence is not remembered: the next tap asks again", async () => {
  await charger.do({ do: 'plug-in', station: 'UNANSWERED', car: 'leaf' });
  await charger.do({ do: 'tap', station: 'UNANSWERED', idTag: '04SILENT' });
  await charger.until({ event: 'authorized', station: 'UNANSWERED', status: 'Invalid' });
  await charger.do({ do: 'tap', station: 'UNANSWERED', idTag: '04SILENT' });
  await charger.until({ event: 'authorized', station: 'UNANSWERED', status: 'Accepted' });
});

test('S16-50 a StopTransaction that is sent three times is told once', async () => {
  await charger.do({ do: 'plug-in', station: 'REPEAT', car: 'leaf' });
  await charger.do({ do: 'repeat-stop', station: 'REPEAT', times: 3 });
  await charger.do({ do: 'tap', station: 'REPEAT', idTag: '04A2B3C4' });
  await charger.until({ event: 'transaction-known', station: 'REPEAT' });
  await charger.do({ do: 'tap', station: 'REPEAT', idTag: '04A2B3C4' });
  const stops = () =>
    charger.events.filter(
      ({ station, event, action }) => station === 'REPEAT' && event === 'delivered' && action === 'StopTransaction',
    );
  await expect.poll(() => stops().length).toBeGreaterThanOrEqual(1);
  await expect.poll(() => facts<TransactionStopped>('transaction stopped', 'REPEAT')).toHaveLength(1);
});

test('J-65 a socket that drops in mid-charge comes back to the same transaction', async () => {
  await charger.do({ do: 'plug-in', station: 'DROP', car: 'leaf' });
  await charger.do({ do: 'tap', station: 'DROP', idTag: '04A2B3C4' });
  await charger.until({ event: 'transaction-known', station: 'DROP' });
  await charger.do({ do: 'drop-socket', station: 'DROP', forMs: 500 });
  await expect.poll(() => facts('station disconnected', 'DROP')).toHaveLength(1);
  await expect.poll(() => facts('station connected', 'DROP')).toMatchObject([{ epoch: 1 }, { epoch: 2 }]);
  await charger.do({ do: 'tap', station: 'DROP', idTag: '04A2B3C4' });
  await expect.poll(() => facts('transaction stopped', 'DROP')).toHaveLength(1);
  expect(facts('transaction started', 'DROP')).toHaveLength(1);
  const [begun, ended] = [
    facts<TransactionStarted>('transaction started', 'DROP')[0]!,
    facts<TransactionStopped>('transaction stopped', 'DROP')[0]!,
  ];
  expect(ended.transactionId).toBe(begun.transactionId);
});

test('a station that never answers makes the outcome unknown, one that is not there is offline at once', async () => {
  await charger.do({ do: 'stop-answering', station: 'SILENT', actions: ['RemoteStartTransaction'] });
  expect(await order('SILENT', 'ORDER-2', 500)).toMatchObject({ outcome: Outcome.UNKNOWN });
  await expect(order('TWICE', 'ORDER-3')).rejects.toMatchObject({ reason: 'offline' });
});

test('a limit is obeyed by the station; an order of an older owner is not passed on', async () => {
  await charger.do({ do: 'plug-in', station: 'LIMIT', car: 'leaf' });
  const lease = (limitMa: number, ownerEpoch: number) => bus.ask(setLimit, {
    stationId: 'LIMIT', connectorId: 1, kind: LimitKind.LEASE, limitMa, ownerEpoch, leaseUntil: '2022-02-03T17:00:00Z',
  });
  expect(await lease(16_000, 2)).toMatchObject({ outcome: Outcome.ACCEPTED });
  await charger.until(({ station, event, ...rest }) => station === 'LIMIT' && event === 'limit' && JSON.stringify(rest).includes('16'));
  expect(await lease(32_000, 1)).toMatchObject({ outcome: Outcome.STALE });
});

test('describeStations says what is known of each', async () => {
  const { stations } = await bus.ask(describeStations, { stationIds: ['REMOTE', 'TWICE'] });
  expect(stations).toMatchObject([{ stationId: 'REMOTE', connected: true }, { stationId: 'TWICE', connected: false }]);
  expect(stations[0]!.connectors.map(({ connectorId }) => connectorId)).toEqual([0, 1]);
});

const headers = { authorization: `Basic ${Buffer.from(`TWICE:${password}`).toString('base64')}` };

/** A station of few words, which counts its messages from 1 on every socket. */
async function byHand() {
  const socket = new WebSocket(`${service.urls!.ocpp}/TWICE`, ['ocpp1.6'], { headers });
  await new Promise((open) => socket.once('open', open));
  let count = 0;
  return {
    async say(action: string, payload: object): Promise<unknown> {
      socket.send(JSON.stringify([2, String(count += 1), action, payload]));
      const [data] = await once(socket, 'message');
      const [kind, , answer] = JSON.parse(String(data)) as [number, string, unknown];
      return kind === 3 ? answer : { refused: answer };
    },
    close: () => socket.close(),
  };
}

test('a station that counts its messages anew on each socket boots and is heard on each', async () => {
  const boot = { chargePointVendor: 'Few', chargePointModel: 'Words' };
  const available = { connectorId: 1, status: 'Available', errorCode: 'NoError' };
  const statuses = () => facts<{ status: string }>('connector status-changed', 'TWICE').map(({ status }) => status);
  for (const socket of [1, 2]) {
    const station = await byHand();
    expect(await station.say('BootNotification', boot)).toMatchObject({ status: 'Accepted' });
    expect(await station.say('StatusNotification', available)).toEqual({});
    for (let n = 0; socket === 1 && n < 70; n += 1) {
      await station.say('StatusNotification', { ...available, status: 'Charging', info: String(n) });
    }
    station.close();
  }
  await expect.poll(() => statuses().at(-1)).toBe('Available');
});

test('a card that is tapped while tokens-auth restarts is asked about when it is back', async () => {
  await answering.stop();
  const station = await byHand();
  const said = station.say('Authorize', { idTag: '04D5E6F7' });
  setTimeout(() => void answerAuthorize(), 1_000);
  expect(await said).toEqual({ idTagInfo: { status: 'Accepted' } });
  station.close();
});

test('what no platform could carry is refused or left out, and everybody is heard on', async () => {
  const station = await byHand();
  const status = { errorCode: 'NoError', status: 'Available' };
  for (const connectorId of [1e15, 2 ** 32, -1]) {
    expect(await station.say('StatusNotification', { connectorId, ...status })).toEqual({ refused: 'PropertyConstraintViolation' });
  }
  const timestamp = '2022-02-01T17:00:00Z';
  expect(
    await station.say('StartTransaction', { connectorId: 0, idTag: '04A2B3C4', meterStart: 1, timestamp }),
  ).toEqual({ refused: 'PropertyConstraintViolation' });
  await station.say('BootNotification', { chargePointVendor: 'a\0b', chargePointModel: '\ud800' });
  await station.say('StatusNotification', { connectorId: 1, ...status, timestamp: '9999-12-31T23:59-12:00', info: '\0' });
  const sampledValue = [{ value: '1e99' }, { value: '1e40', measurand: 'Current.Import', unit: 'A' }, { value: '7', measurand: 'SoC' }];
  await station.say('MeterValues', { connectorId: 1, meterValue: [{ timestamp, sampledValue }] });
  await station.say('StatusNotification', { connectorId: 77, ...status });
  await expect.poll(() => facts('connector status-changed', 'TWICE')).toContainEqual(expect.objectContaining({ connectorId: 77 }));
  const viewed = async () => (await bus.ask(describeStations, { stationIds: ['TWICE'] })).stations[0];
  await expect
    .poll(viewed)
    .toMatchObject({
      vendor: 'a\ufffdb',
      model: '\ufffd',
      connectors: expect.arrayContaining([expect.objectContaining({ connectorId: 77 })]),
    });
  station.close();
});

interface Knock {
  readonly protocols?: string[];
  /** Of this machine, from which it comes. */
  readonly localAddress?: string;
  /** Hears how long to wait. */
  readonly waits?: (retryAfter: string | undefined) => void;
}

async function knock(
  path: string,
  user: string,
  secret: string,
  { protocols = ['ocpp1.6'], localAddress, waits }: Knock = {},
): Promise<number | string> {
  const socket = new WebSocket(`${service.urls!.ocpp}/${path}`, protocols, {
    headers: { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` },
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      waits?.(response.headers['retry-after']);
      resolve(response.statusCode ?? 0);
    });
    socket.on('open', () => {
      resolve('open');
      socket.close();
    });
    socket.on('error', (error) => resolve(error.message));
  });
}

test.each([
  ['J-04 a station nobody knows', 'STRANGER', 'STRANGER', password, 404],
  ['J-06 a wrong password', 'TWICE', 'TWICE', 'not-the-password', 401],
  ['J-05 the password of another station', 'TWICE', 'CARD', password, 401],
])('%s is not let in', async (_what, path, user, secret, status) => {
  expect(await knock(path, user, secret)).toBe(status);
});

test("J-06 guesses of a station's password are soon not looked at, which nobody at another address and no other station feels", async () => {
  let retryAfter: string | undefined;
  const guess = (station: string, n: number) =>
    knock(station, station, `guess ${n}`, {
      localAddress: '127.0.0.2',
      waits: (said) => {
        retryAfter = said;
      },
    });
  const answers: (number | string)[] = [];
  for (let n = 0; n < 8; n += 1) answers.push(await guess('GUESSED', n));
  expect(answers).toEqual([401, 401, 401, 401, 429, 429, 429, 429]);
  expect(Number(retryAfter)).toBeGreaterThan(60);
  expect(
    await knock('GUESSED', 'GUESSED', password, { localAddress: '127.0.0.2' }),
    'nobody there was let in before',
  ).toBe(429);
  expect(await knock('GUESSED', 'GUESSED', password)).toBe('open');
  expect(await guess('ANOTHER', 0)).toBe(404);
  expect(
    await knock('GUESSED', 'GUESSED', password, { localAddress: '127.0.0.2' }),
    'one that was let in lately is known everywhere',
  ).toBe('open');
});

test('J-12 the newest socket of a station takes the older one\'s place', async () => {
  const first = new WebSocket(`${service.urls!.ocpp}/TWICE`, ['ocpp1.6'], { headers });
  await new Promise((open) => first.once('open', open));
  const closed = new Promise<number>((resolve) => first.once('close', resolve));
  const second = new WebSocket(`${service.urls!.ocpp}/TWICE`, ['ocpp1.6'], { headers });
  await new Promise((open) => second.once('open', open));
  expect(await closed).toBe(1008);
  second.close();
});

test('J-12 what is ordered while a socket that was half open still closes is answered on the newer one alone', async () => {
  const open = async () => {
    const socket = new WebSocket(`${service.urls!.ocpp}/TWICE`, ['ocpp1.6'], { headers });
    await new Promise((opened) => socket.once('open', opened));
    return socket;
  };
  /** Not there before the station's socket is held. */
  const ordered = async (orderId: string): Promise<unknown> => order('TWICE', orderId).catch(async (error: { reason?: string }) => {
    if (error.reason !== 'offline') throw error;
    await new Promise((later) => setTimeout(later, 20));
    return ordered(orderId);
  });
  const answering = (socket: WebSocket) => socket.on('message', (data) => {
    const [kind, id] = JSON.parse(String(data)) as [number, string];
    if (kind === 2) socket.send(JSON.stringify([3, id, { status: 'Accepted' }]));
  });
  const older = await open();
  answering(older);
  expect(await ordered('HALF-1')).toMatchObject({ outcome: Outcome.ACCEPTED });
  // It hears nothing any more, not even that it is closed.
  older.pause();
  const newer = await open();
  answering(newer);
  expect(await ordered('HALF-2')).toMatchObject({ outcome: Outcome.ACCEPTED });
  older.terminate();
  newer.close();
});

test('a station whose gateway process was killed is said to be disconnected by another', async () => {
  const gone = await openDatabase({ url: platform.databaseUrl, schema: 'ocpp_gateway', migrations: [] });
  await gone.query(`UPDATE sockets SET holder = 'killed' WHERE station_id = 'SILENT'`);
  await gone.query(`UPDATE station_states SET noted_at = now() - interval '1 minute' WHERE station_id = 'SILENT'`);
  await expect.poll(() => facts('station disconnected', 'SILENT')).toMatchObject([{ reason: 'the process that held its socket is gone' }]);
  await gone.close();
});

test('S16-31 what a meter signs is told as it was signed, of MeterValues and of StopTransaction alike', async () => {
  const station = await byHand();
  const timestamp = new Date().toISOString();
  const record = (page: number) => `OCMF|{"PG":"T${page}"}|{"SD":"00"}`;
  const signs = (value: string, context: string) => [{ timestamp, sampledValue: [{ value, context, format: 'SignedData' }] }];
  const { transactionId } = (await station.say('StartTransaction', {
    connectorId: 1, idTag: '04A2B3C4', meterStart: 0, timestamp,
  })) as { transactionId: number };
  await station.say('MeterValues', { connectorId: 1, transactionId, meterValue: signs(record(1), 'Transaction.Begin') });
  const wrapped = { signedMeterData: Buffer.from(record(2)).toString('base64'), encodingMethod: 'OCMF', publicKey: 'b2Nh' };
  await station.say('StopTransaction', {
    transactionId, meterStop: 1, timestamp, transactionData: signs(JSON.stringify(wrapped), 'Transaction.End'),
  });
  const of = (kind: string) =>
    facts<{ transactionId?: string; signed: object[] }>(kind, 'TWICE').filter((fact) => fact.transactionId === String(transactionId));
  await expect.poll(() => of('meter read').map(({ signed }) => signed)).toMatchObject([
    [{ context: 'Transaction.Begin', encoding: 'OCMF', text: record(1) }],
  ]);
  await expect.poll(() => of('transaction stopped').map(({ signed }) => signed)).toMatchObject([
    [{ context: 'Transaction.End', encoding: 'OCMF', text: record(2), publicKey: 'b2Nh' }],
  ]);
  station.close();
});

test('T-26 a charge by a clock years back, set right while it runs, begins when its start was heard, and is said to be of that clock', async () => {
  const station = await byHand();
  const now = async () => ((await station.say('Heartbeat', {})) as { currentTime: string }).currentTime;
  const before = await now();
  const { transactionId } = (await station.say('StartTransaction', {
    connectorId: 1, idTag: '04A2B3C4', meterStart: 0, timestamp: '2020-01-01T00:00:10Z',
  })) as { transactionId: number };
  const timestamp = await now();
  await station.say('StopTransaction', { transactionId, meterStop: 1, timestamp });
  const of = <Fact extends object>(kind: string) =>
    facts<Fact & { transactionId?: string; saidAt?: string }>(kind, 'TWICE').filter((fact) => fact.transactionId === String(transactionId));
  await expect.poll(() => of('transaction stopped')).toHaveLength(1);
  const [start] = of<{ startedAt: string }>('transaction started');
  expect(start).toMatchObject({ saidAt: '2020-01-01T00:00:10Z' });
  expect(Date.parse(start!.startedAt)).toBeGreaterThan(Date.parse(before) - 1_000);
  expect(Date.parse(start!.startedAt)).toBeLessThan(Date.parse(timestamp) + 1_000);
  expect(of('transaction stopped')[0]!.saidAt).toBeUndefined();
  station.close();
});

test('S16-10, S16-48, T-26 charges whose times cannot be read, and whose stops have a value that is none or no register, as starts may, are told apart', async () => {
  const station = await byHand();
  const timestamp = '0000-00-00T00:00:00Z';
  const ids: number[] = [];
  for (const [meterStart, of] of [
    [7, { meterStop: 900, transactionData: [{ timestamp, sampledValue: [{ value: null }] }] }],
    [undefined, { transactionData: { sampledValue: [{}] } }],
  ] as const) {
    const start = { connectorId: 1, idTag: '04A2B3C4', meterStart, timestamp };
    const { transactionId } = (await station.say('StartTransaction', start)) as { transactionId: number };
    ids.push(transactionId);
    expect(await station.say('StopTransaction', { transactionId, timestamp, ...of })).toEqual({});
  }
  const told = (kind: string) => facts<{ transactionId: string }>(kind, 'TWICE').filter(({ transactionId }) => ids.map(String).includes(transactionId));
  const starts = [{ meterStartWh: '7', isMeterStartMissing: false }, { meterStartWh: '0', isMeterStartMissing: true }];
  await expect.poll(() => told('transaction started')).toMatchObject(starts);
  const stops = [{ meterStopWh: '900', isLastKnown: false }, { meterStopWh: '0', isLastKnown: true }];
  await expect.poll(() => told('transaction stopped')).toMatchObject(stops);
  expect(new Set(ids).size).toBe(2);
  station.close();
});

test('a gateway process that slept for so long that it was taken for gone lets its sockets go, by the database\'s clock', async () => {
  const db = await openDatabase({ url: platform.databaseUrl, schema: 'ocpp_gateway', migrations: [] });
  const station = new WebSocket(`${service.urls!.ocpp}/TWICE`, ['ocpp1.6'], { headers });
  await new Promise((open) => station.once('open', open));
  const closed = new Promise<number>((resolve) => station.once('close', resolve));
  await db.query(`UPDATE holders SET alive_until = now() - interval '1 second'`);
  expect(await closed).toBe(1001);
  await db.close();
});
