import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  type Bus, busMigrations, connectBus, hears, listen, type Listening, type Outbox, outbox, type Relay, startRelay,
  told,
} from '#bus';
import { getCdr } from '#contracts/cdr-ledger';
import { sendCommand, SendOutcome } from '#contracts/ocpi-gateway';
import {
  meterRead, Outcome, startCharging, stopCharging, transactionStarted, transactionStopped,
} from '#contracts/ocpp-gateway';
import { Change } from '#contracts/party';
import {
  commandFinished, getOrder, getSession, listSessions, listTokenSessions, orderChanged, orderStart, orderStop,
  partnerSessionChanged, putPartnerSession, recordCommandResult, sessionEnded, sessionStarted, sessionUpdated, startSession,
  stopSession,
} from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { addDue, openDue } from '#due';
import { type Cdr, read, Session, type Token } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start as startLedger } from '../../cdr-ledger/src/start.ts';
import { start as startLocations } from '../../locations/src/start.ts';
import { start as startSessions } from '../../sessions/src/start.ts';
import { start as startTariffEngine } from '../../tariff-engine/src/start.ts';

// The sessions service on real servers, beside the real locations, tariff-engine and cdr-ledger. Both
// gateways' sides are played here through their contracts: chargers and partners have to be made up.

const connector = {
  id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32, tariff_ids: ['L2'],
};
const settings = {
  tariffs: [{
    id: 'L2', currency: 'CAD', type: 'REGULAR',
    elements: [{ price_components: [
      { type: 'ENERGY', price: 0.2, vat: 5, step_size: 1 }, { type: 'TIME', price: 2, vat: 5, step_size: 1 },
    ] }],
  }],
  locations: [{
    id: 'BURNABY', publish: true, address: '3700 Willingdon Avenue', city: 'Burnaby', country: 'CAN',
    coordinates: { latitude: '49.25120', longitude: '-123.00310' }, time_zone: 'America/Vancouver',
    evses: [
      { uid: 'L2-01', evse_id: 'CA*BCT*EL201', station: 'OASIS-L2-01', connectors: [connector] },
      { uid: 'L2-02', evse_id: 'CA*BCT*EL202', station: 'OASIS-L2-02', connectors: [connector] },
    ],
  }],
  sessions: { update_every_s: 300, charger_timeout_ms: 1_000, partner_timeout_ms: 1_000, start_timeout_s: 5 },
};

const plunk = { countryCode: 'CA', partyId: 'CPK' };
const bct = { countryCode: 'CA', partyId: 'BCT' };
const card: Token = {
  country_code: 'CA', party_id: 'CPK', uid: '04AABBCC', type: 'RFID', contract_id: 'CA-CPK-C00000002-H', issuer: 'Carbon Plunk',
  valid: true, whitelist: 'ALLOWED', last_updated: '2022-02-01T16:00:00Z',
};

let platform: TestPlatform;
let running: Running[] = [];
let bus: Bus;
let gatewayDb: Database;
let gateway: Outbox;
let relay: Relay;
let listenerDb: Database;
let listening: Listening[] = [];
let holding: { release(): Promise<void> }[] = [];
const heard: { kind: string; fact: Record<string, unknown> }[] = [];

beforeAll(async () => {
  // It is the day of the charges: tariffs hold from when they are published.
  platform = await testPlatform(settings, {
    ROAMWATT_CLOCK_EPOCH: '2022-02-01T16:55:00Z', ROAMWATT_CLOCK_STARTED: new Date().toISOString(),
  });
  const { env, databaseUrl: url } = platform;
  bus = await connectBus({ natsUrl: env.NATS_URL!, platform: platform.platform, service: 'ocpp-gateway' });
  gatewayDb = await openDatabase({ url, schema: 'ocpp_gateway', migrations: busMigrations });
  gateway = outbox('ocpp-gateway', gatewayDb);
  relay = startRelay(bus, gateway);
  running = await Promise.all([startTariffEngine(env), startLocations(env), startLedger(env), startSessions(env)]);
  listenerDb = await openDatabase({ url, schema: 'listener', migrations: busMigrations });
  const note = (kind: string) => (fact: object) => void heard.push({ kind, fact: fact as Record<string, unknown> });
  listening = await Promise.all([
    listen(bus, listenerDb, { listener: 'listener', hearings: [
      hears(sessionStarted, note('started')), hears(sessionUpdated, note('updated')), hears(sessionEnded, note('ended')),
      hears(commandFinished, note('command')), hears(orderChanged, note('order')),
    ] }),
    listen(bus, listenerDb, { listener: 'listener', hearings: [hears(partnerSessionChanged, note('partner'))] }),
  ]);
});
afterEach(async () => {
  await Promise.all(holding.map((each) => each.release()));
  holding = [];
});
afterAll(async () => {
  await Promise.all(listening.map((each) => each.close()));
  await Promise.all(running.map((service) => service.stop()));
  await relay?.close();
  await bus?.close();
  await Promise.all([gatewayDb?.close(), listenerDb?.close()]);
  await platform?.drop();
});

const say = (...facts: Parameters<Outbox['tell']>[1]) => gatewayDb.tx((tx) => gateway.tell(tx, facts));
const clock = (time: string) => `2022-02-01T${time}Z`;

let transactions = 100;
interface Charge { readonly stationId: string; readonly transactionId: string }
const aCharge = (stationId = 'OASIS-L2-01'): Charge => ({ stationId, transactionId: String(++transactions) });
const began = (charge: Charge, authorization: object = { status: 'Accepted', authMethod: 'WHITELIST', tokenJson: toJsonBytes(card) }, at = '17:00:00') =>
  told(transactionStarted, { ...charge, connectorId: 1, idTag: card.uid, meterStartWh: '1000', startedAt: clock(at), authorization });
const reads = (charge: Charge, at: string, energyWh: string) =>
  told(meterRead, { ...charge, connectorId: 1, readings: [{ at: clock(at), energyWh, powerW: '6600', context: 'Sample.Periodic' }] });
const stops = (charge: Charge, at: string, meterStopWh: string) =>
  told(transactionStopped, { ...charge, connectorId: 1, meterStopWh, stoppedAt: clock(at), reason: 'Local' });

const ofKind = (kind: string) => heard.filter((each) => each.kind === kind).map(({ fact }) => fact);
const sessionOf = (fact: Record<string, unknown>) => fromJsonBytes<Session>(fact.sessionJson as Uint8Array);
const startedFor = (uid: string) => ofKind('started').map(sessionOf).findLast((session) => session.cdr_token.uid === uid);
const withUid = (uid: string) => ({ ...card, uid });
async function sessionBegun(uid: string): Promise<Session> {
  await expect.poll(() => startedFor(uid)).toBeDefined();
  return startedFor(uid)!;
}
const updatesOf = (id: string) => ofKind('updated').filter((fact) => fact.sessionId === id).map(sessionOf);
const endsOf = (id: string) => ofKind('ended').filter((fact) => fact.sessionId === id);
const accepted = (token: Token, more: object = {}) => ({ status: 'Accepted', authMethod: 'WHITELIST', tokenJson: toJsonBytes(token), ...more });

test('a tapped card becomes one Session that grows with the readings and ends COMPLETED', async () => {
  const charge = aCharge();
  await say(began(charge, accepted(withUid('CARD-1'))));
  const session = await sessionBegun('CARD-1');
  expect(session).toMatchObject({
    country_code: 'CA', party_id: 'BCT', status: 'ACTIVE', kwh: 0, auth_method: 'WHITELIST', location_id: 'BURNABY', evse_uid: 'L2-01',
    connector_id: '1', currency: 'CAD', start_date_time: clock('17:00:00'), charging_periods: [],
  });
  await say(reads(charge, '17:04:00', '1440'), reads(charge, '17:10:00', '2100.5'), reads(charge, '17:20:00', '3200'));
  await expect.poll(() => updatesOf(session.id)).toHaveLength(2);
  const [first, second] = updatesOf(session.id);
  expect(first).toMatchObject({ kwh: 1.1005, total_cost: { excl_vat: 0.55, incl_vat: 0.58 } });
  expect(second!.charging_periods!.slice(0, 1)).toEqual(first!.charging_periods);
  expect(second!.charging_periods!.map(({ start_date_time: at }) => at)).toEqual([clock('17:00:00'), clock('17:10:00')]);
  await say(stops(charge, '17:30:00', '4300.5'), stops(charge, '17:30:00', '4300.5'), stops(charge, '17:31:00', '4300.5'));
  await expect.poll(() => endsOf(session.id)).toHaveLength(1);
  const [fact] = endsOf(session.id);
  const ended = sessionOf(fact!);
  expect(ended).toMatchObject({
    status: 'COMPLETED', end_date_time: clock('17:30:00'), kwh: 3.3005, total_cost: { excl_vat: 1.66, incl_vat: 1.74 },
  });
  expect(read(Session, ended)).toMatchObject({ ok: true });
  expect(fact).toMatchObject({ energyWh: '3300.5', tariffVersion: 1, tokenParty: plunk });
  expect(fromJsonBytes(fact!.tariffJson as Uint8Array)).toMatchObject({ id: 'L2' });
  expect(fromJsonBytes(fact!.locationJson as Uint8Array)).toMatchObject({ id: 'BURNABY', evses: [{ uid: 'L2-01' }] });
  expect(fromJsonBytes(fact!.tokenJson as Uint8Array)).toEqual(withUid('CARD-1'));
  const billed = () => bus.ask(getCdr, { party: bct, cdrId: `${session.id}-1` });
  await expect.poll(async () => (await billed()).cdrJson).toBeDefined();
  const cdr = fromJsonBytes<Cdr>((await billed()).cdrJson!);
  expect(cdr).toMatchObject({ total_cost: ended.total_cost, total_energy: ended.kwh, auth_method: 'WHITELIST' });
  expect(cdr.charging_periods).toHaveLength(ended.charging_periods!.length);
});

test('a card that was not accepted makes no Session', async () => {
  const before = ofKind('started').length;
  const [refused, next] = [aCharge(), aCharge()];
  await say(
    began(refused, { status: 'Invalid', authMethod: 'WHITELIST' }), reads(refused, '17:00:30', '1050'), stops(refused, '17:01:00', '1100'),
    began(next, accepted(withUid('CARD-2')), '17:02:00'),
  );
  await sessionBegun('CARD-2');
  expect(ofKind('started')).toHaveLength(before + 1);
  expect(ofKind('ended').map(sessionOf).filter(({ end_date_time: end }) => end === clock('17:01:00'))).toEqual([]);
});

const wish = (orderId: string, uid: string, more: object = {}) =>
  ({ orderId, tokenJson: toJsonBytes(withUid(uid)), locationId: 'BURNABY', evseUid: 'L2-02', authorizationReference: `REF-${orderId}`, ...more });

async function chargerAnswers(outcome: Outcome, onStart: (orderId: string) => void = () => {}): Promise<string[]> {
  const asked: string[] = [];
  holding.push(await bus.hold(startCharging, 'OASIS-L2-02', async (orders) => orders.map(({ orderId }) => {
    asked.push(`start ${orderId}`);
    onStart(orderId);
    return { outcome, detail: 'as it said' };
  })));
  holding.push(await bus.hold(stopCharging, 'OASIS-L2-02', async (orders) => orders.map(({ transactionId }) => {
    asked.push(`stop ${transactionId}`);
    return { outcome, detail: 'as it said' };
  })));
  return asked;
}
const finished = (orderId: string) => ofKind('command').filter((fact) => fact.orderId === orderId).map(({ result }) => result);

test('START_SESSION and STOP_SESSION of a partner, each carried out once and answered once', async () => {
  const asked = await chargerAnswers(Outcome.ACCEPTED);
  const orderId = randomUUID();
  const taken = await bus.ask(startSession, wish(orderId, 'APP-1'));
  expect(taken).toMatchObject({ result: 'ACCEPTED', timeoutS: 5, unknownLocation: false });
  expect(await bus.ask(startSession, wish(orderId, 'APP-1'))).toMatchObject({ result: 'ACCEPTED' });
  await expect.poll(() => finished(orderId)).toEqual(['ACCEPTED']);
  const charge = aCharge('OASIS-L2-02');
  await say(began(charge, accepted(withUid('APP-1'), { authMethod: 'COMMAND', orderId, authorizationReference: `REF-${orderId}` })));
  const session = await sessionBegun('APP-1');
  expect(session).toMatchObject({ auth_method: 'COMMAND', authorization_reference: `REF-${orderId}`, evse_uid: 'L2-02' });
  const stop = { orderId: randomUUID(), sessionId: session.id.toLowerCase() };
  expect(await bus.ask(stopSession, { ...stop, parties: [{ countryCode: 'CA', partyId: 'XYZ' }] })).toMatchObject({ result: 'REJECTED' });
  expect(await bus.ask(stopSession, { ...stop, parties: [plunk] })).toMatchObject({ result: 'ACCEPTED' });
  await expect.poll(() => finished(stop.orderId)).toEqual(['ACCEPTED']);
  expect(asked).toEqual([`start ${orderId}`, `stop ${charge.transactionId}`]);
  await say(stops(charge, '17:30:00', '2000'));
  await expect.poll(() => endsOf(session.id)).toHaveLength(1);
  expect(await bus.ask(stopSession, { orderId: randomUUID(), sessionId: session.id, parties: [plunk] })).toMatchObject({ result: 'REJECTED' });
  expect(await bus.ask(stopSession, { orderId: randomUUID(), sessionId: 'NOBODYS', parties: [plunk] })).toMatchObject({ result: 'UNKNOWN_SESSION' });
});

test.each([
  [{ locationId: 'ELSEWHERE' }, true],
  [{ evseUid: 'L2-99' }, true],
])('CMD-05 START_SESSION at %j is REJECTED and is no place of ours', async (more, unknownLocation) => {
  expect(await bus.ask(startSession, wish(randomUUID(), 'APP-2', more))).toMatchObject({ result: 'REJECTED', unknownLocation });
});

test('a charger that is not connected is EVSE_INOPERATIVE, one that refuses REJECTED', async () => {
  const [offline, refusing] = [randomUUID(), randomUUID()];
  await bus.ask(startSession, wish(offline, 'APP-3'));
  await expect.poll(() => finished(offline)).toEqual(['EVSE_INOPERATIVE']);
  await chargerAnswers(Outcome.REJECTED);
  await bus.ask(startSession, wish(refusing, 'APP-3'));
  await expect.poll(() => finished(refusing)).toEqual(['REJECTED']);
});

test('a charge that begins after its TIMEOUT is recorded and stopped at once', async () => {
  const asked = await chargerAnswers(Outcome.UNKNOWN);
  const orderId = randomUUID();
  await bus.ask(startSession, wish(orderId, 'APP-4'));
  await expect.poll(() => finished(orderId)).toEqual(['TIMEOUT']);
  const charge = aCharge('OASIS-L2-02');
  await say(began(charge, accepted(withUid('APP-4'), { authMethod: 'COMMAND', orderId })));
  const session = await sessionBegun('APP-4');
  await expect.poll(() => asked).toContain(`stop ${charge.transactionId}`);
  await say(stops(charge, '17:00:05', '1000'));
  await expect.poll(() => endsOf(session.id)).toHaveLength(1);
  expect(finished(orderId)).toEqual(['TIMEOUT']);
});

test("listSessions pages a partner's own in order of creation; getSession and listTokenSessions find one", async () => {
  const all = await bus.ask(listSessions, { tokenParties: [plunk], page: { offset: 0, limit: 100 } });
  const ids = all.objectsJson.map((json) => fromJsonBytes<Session>(json).id);
  expect(all.total).toBe(ids.length);
  expect(ids).toEqual(ofKind('started').map(({ sessionId }) => sessionId));
  const page = await bus.ask(listSessions, { tokenParties: [plunk], page: { offset: 1, limit: 1 } });
  expect(page.objectsJson.map((json) => fromJsonBytes<Session>(json).id)).toEqual(ids.slice(1, 2));
  const none = await bus.ask(listSessions, { tokenParties: [{ countryCode: 'CA', partyId: 'XYZ' }], page: { offset: 0, limit: 10 } });
  expect(none.total).toBe(0);
  const { sessionJson, own } = await bus.ask(getSession, { party: bct, sessionId: ids[0]! });
  expect([own, fromJsonBytes<Session>(sessionJson!).status]).toEqual([true, 'COMPLETED']);
  const { sessionsJson } = await bus.ask(listTokenSessions, { tokenParty: plunk, tokenUid: 'card-1', limit: 5 });
  expect(sessionsJson.map((json) => fromJsonBytes<Session>(json).id)).toEqual([ids[0]]);
});

const xyz = { countryCode: 'CA', partyId: 'XYZ' };
const driver: Token = { ...card, party_id: 'BCT', uid: 'DRIVER-1', type: 'APP_USER', contract_id: 'CA-BCT-C00000001-X' };
const order = (orderId: string, more: object = {}) =>
  ({ orderId, tokenJson: toJsonBytes(driver), party: xyz, locationId: 'SURREY', evseUid: 'E1', ...more });
const stateOf = async (orderId: string) => (await bus.ask(getOrder, { orderId })).order;

async function partnerAnswers(answer: object): Promise<{ command: string; body: object }[]> {
  const sent: { command: string; body: object }[] = [];
  const answering = await bus.answer(sendCommand, async (requests) => requests.map(({ command, bodyJson }) => {
    sent.push({ command, body: fromJsonBytes<object>(bodyJson) });
    return { outcome: SendOutcome.ANSWERED, statusCode: 1000, ...answer };
  }));
  holding.push({ release: () => answering.stop() });
  return sent;
}
const theirs = (id: string, more: Partial<Session> = {}): Session => ({
  country_code: 'CA', party_id: 'XYZ', id, start_date_time: clock('17:00:00'), kwh: 0, auth_method: 'COMMAND',
  cdr_token: { country_code: 'CA', party_id: 'BCT', uid: 'driver-1', type: 'APP_USER', contract_id: driver.contract_id },
  location_id: 'SURREY', evse_uid: 'E1', connector_id: '1', currency: 'CAD', status: 'ACTIVE', last_updated: clock('18:00:00'), ...more,
});
const put = (sessionId: string, body: object, patch = false) => bus.ask(putPartnerSession, { party: xyz, sessionId, patch, bodyJson: toJsonBytes(body) });

test("an order of our driver goes to the partner once, and its Session is found by the order's id", async () => {
  const sent = await partnerAnswers({ result: 'ACCEPTED', timeoutS: 30 });
  const orderId = randomUUID();
  expect((await bus.ask(orderStart, order(orderId))).order).toMatchObject({ state: 'sent', command: 'START_SESSION' });
  await bus.ask(orderStart, order(orderId));
  await expect.poll(async () => (await stateOf(orderId))?.state).toBe('accepted');
  expect(sent).toEqual([{ command: 'START_SESSION', body: { token: driver, location_id: 'SURREY', evse_uid: 'E1', authorization_reference: orderId } }]);
  expect((await bus.ask(recordCommandResult, { orderId, result: 'ACCEPTED' })).order).toMatchObject({ state: 'done' });
  expect(await put('S1', theirs('S1', { authorization_reference: orderId.toUpperCase() }))).toMatchObject({ change: Change.CREATED });
  expect(await stateOf(orderId)).toMatchObject({ state: 'done', sessionId: 'S1', party: xyz, tokenUid: 'DRIVER-1' });
  await expect(bus.ask(orderStop, { orderId: randomUUID(), tokenUid: 'OTHER', party: xyz, sessionId: 'S1' })).rejects.toMatchObject({ code: 'session-of-another-driver' });
  await expect(bus.ask(orderStop, { orderId: randomUUID(), tokenUid: 'DRIVER-1', party: xyz, sessionId: 'S99' })).rejects.toMatchObject({ code: 'unknown-session' });
  const stopId = randomUUID();
  await bus.ask(orderStop, { orderId: stopId, tokenUid: 'DRIVER-1', party: xyz, sessionId: 's1' });
  await expect.poll(async () => (await stateOf(stopId))?.state).toBe('accepted');
  expect(sent.at(-1)).toEqual({ command: 'STOP_SESSION', body: { session_id: 's1' } });
  await expect(bus.ask(getOrder, { orderId: 'NEVER-PLACED' })).rejects.toMatchObject({ code: 'unknown-order' });
});

test("SES-01 to SES-04 a partner's Session grows by PATCH, ends, and never changes again", async () => {
  const period = (at: string, volume: number) => ({ start_date_time: clock(at), dimensions: [{ type: 'ENERGY', volume }] });
  await put('S2', theirs('S2', { charging_periods: [period('18:00:00', 1)] as Session['charging_periods'] }));
  const more = { kwh: 3, charging_periods: [period('18:10:00', 2)], last_updated: clock('18:20:00') };
  expect(await put('S2', more, true)).toMatchObject({ change: Change.UPDATED });
  expect(await put('S2', more, true)).toMatchObject({ change: Change.UNCHANGED });
  expect(await put('S2', { kwh: 2, last_updated: clock('18:15:00') }, true)).toMatchObject({ change: Change.STALE });
  await expect(put('S2', { kwh: 4 }, true)).rejects.toMatchObject({ code: 'invalid-object' });
  await expect(put('S77', more, true)).rejects.toMatchObject({ code: 'unknown-session' });
  expect(await put('S2', { status: 'COMPLETED', end_date_time: clock('18:30:00'), last_updated: clock('18:30:00') }, true)).toMatchObject({ change: Change.UPDATED });
  await expect(put('S2', { kwh: 9, last_updated: clock('18:40:00') }, true)).rejects.toMatchObject({ code: 'session-is-final' });
  const { sessionJson, own } = await bus.ask(getSession, { party: xyz, sessionId: 's2' });
  expect(own).toBe(false);
  expect(fromJsonBytes<Session>(sessionJson!)).toMatchObject({ kwh: 3, status: 'COMPLETED', charging_periods: [period('18:00:00', 1), period('18:10:00', 2)] });
  await expect.poll(() => ofKind('partner').filter(({ sessionId }) => sessionId === 'S2')).toHaveLength(3);
});

test('an order that the partner refuses, or that may have arrived, says so', async () => {
  const [refused, unclear, nobody] = [randomUUID(), randomUUID(), randomUUID()];
  await partnerAnswers({ result: 'REJECTED', message: 'no' });
  await bus.ask(orderStart, order(refused));
  await expect.poll(async () => (await stateOf(refused))?.state).toBe('refused');
  await holding.pop()!.release();
  await partnerAnswers({ outcome: SendOutcome.UNCLEAR });
  await bus.ask(orderStart, order(unclear));
  await expect.poll(async () => (await stateOf(unclear))?.state).toBe('unknown');
  await put('S3', theirs('S3'));
  expect(await stateOf(unclear)).toMatchObject({ state: 'done', sessionId: 'S3' });
  await holding.pop()!.release();
  await partnerAnswers({ outcome: SendOutcome.NO_PARTNER });
  await bus.ask(orderStart, order(nobody));
  await expect.poll(async () => (await stateOf(nobody))?.state).toBe('failed');
});

test("our driver's order at our own EVSE goes straight to the charger", async () => {
  const asked = await chargerAnswers(Outcome.ACCEPTED);
  const orderId = randomUUID();
  await bus.ask(orderStart, order(orderId, { party: bct, locationId: 'BURNABY', evseUid: 'L2-02' }));
  await expect.poll(async () => (await stateOf(orderId))?.state).toBe('done');
  expect(asked).toEqual([`start ${orderId}`]);
  const charge = aCharge('OASIS-L2-02');
  await say(began(charge, accepted(driver, { authMethod: 'COMMAND', orderId, authorizationReference: orderId })));
  const session = await sessionBegun('DRIVER-1');
  await expect.poll(async () => (await stateOf(orderId))?.sessionId).toBe(session.id);
  expect(finished(orderId)).toEqual([]);
  const stopId = randomUUID();
  await bus.ask(orderStop, { orderId: stopId, tokenUid: 'DRIVER-1', party: bct, sessionId: session.id });
  await expect.poll(async () => (await stateOf(stopId))?.state).toBe('done');
});

test('what was never decided is not done: a row without its event', async () => {
  const sessionsDb = await openDatabase({ url: platform.databaseUrl, schema: 'sessions', migrations: [] });
  const [asked, sent] = [await chargerAnswers(Outcome.ACCEPTED), await partnerAnswers({ result: 'ACCEPTED' })];
  for (const kind of ['carry-out', 'send-order']) {
    await addDue(sessionsDb, { id: `${kind} LOST`, key: `${kind} LOST`, kind, at: 0, body: { orderId: 'LOST' } });
  }
  const open = async () => [...await openDue(sessionsDb, 'carry-out LOST'), ...await openDue(sessionsDb, 'send-order LOST')];
  await expect.poll(open, { timeout: 5_000 }).toEqual([]);
  expect([asked, sent]).toEqual([[], []]);
  await sessionsDb.close();
});

test('a service that was started again goes on with the session it had', async () => {
  const charge = aCharge();
  await say(began(charge, accepted(withUid('CARD-9'))), reads(charge, '17:10:00', '2000'));
  const session = await sessionBegun('CARD-9');
  await expect.poll(() => updatesOf(session.id)).toHaveLength(1);
  await running.pop()!.stop();
  await say(reads(charge, '17:10:00', '2000'), reads(charge, '17:05:00', '1500'), reads(charge, '17:20:00', '3000'));
  running.push(await startSessions(platform.env));
  await expect.poll(() => updatesOf(session.id)).toHaveLength(2);
  await say(began(charge, accepted(withUid('CARD-9'))), stops(charge, '17:25:00', '900'));
  await expect.poll(() => endsOf(session.id)).toHaveLength(1);
  expect(sessionOf(endsOf(session.id)[0]!)).toMatchObject({ kwh: 2, status: 'COMPLETED' });
});
