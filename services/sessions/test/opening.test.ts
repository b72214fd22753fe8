import { create } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Answering, type Bus, connectBus, Refused } from '#bus';
import { toJsonBytes } from '#contracts';
import { resolveStation } from '#contracts/locations';
import {
  ConnectorStatusChangedSchema, MeterReadSchema, TransactionStartedSchema, TransactionStoppedSchema,
} from '#contracts/ocpp-gateway';
import { selectTariff } from '#contracts/tariff-engine';
import { openDue } from '#due';
import { memoryEventStore, postgresEventStore } from '#event-store';
import { exampleLocation, exampleTariff, exampleToken } from '#ocpi';
import { type Database, openDatabase, type Tx } from '#postgres';
import { OwnParties } from '#settings';
import { log } from '#telemetry';
import { freshDatabase, type FreshDatabase, freshPlatform, natsUrl } from '#test-servers';
import { fixedClock } from '#time';
import { Charging } from '../src/charging.ts';
import { Connectors } from '../src/connectors.ts';
import { EndReservations } from '../src/end-reservations.ts';
import { logsOf } from '../src/logs.ts';
import { migrations } from '../src/migrations.ts';
import { OpenSession } from '../src/open-session.ts';
import { newReservation, noteReservedAt } from '../src/reservation-rows.ts';
import { Said } from '../src/said.ts';
import { sessionIdOf } from '../src/session-id.ts';
import { Sessions } from '../src/sessions.ts';
import { config } from './config.ts';

/** Nobody takes over. */
const held = { isHeld: () => true, insist: () => {} };

// A session is opened by a worker, who asks what holds at its start: until then, what the station says waits.

const platform = freshPlatform();
const clock = fixedClock('2022-02-01T17:00:00Z');
const parties = new OwnParties([{ country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' }]);

let database: FreshDatabase;
let db: Database;
let bus: Bus;
let answering: Answering[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'sessions', migrations });
  bus = await connectBus({ natsUrl: natsUrl(), platform, service: 'sessions' });
});
afterEach(() => gone());
afterAll(async () => {
  await bus?.close();
  await db?.close();
  await database?.drop();
});

const gone = async () => {
  await Promise.all(answering.splice(0).map((each) => each.stop()));
};
/** By whom and for whom a tariff was asked. */
const chosenFor: object[] = [];
/** locations and tariff-engine are there, with these prices. */
async function there(price = 0.2): Promise<void> {
  const [evse] = exampleLocation.evses!;
  const tariff = { ...exampleTariff, elements: [{ price_components: [{ type: 'ENERGY' as const, price, step_size: 1 }] }] };
  answering = [
    await bus.answer(resolveStation, async (asked) =>
      asked.map(() => ({
        ...{ locationId: exampleLocation.id, evseUid: evse!.uid, connectorId: evse!.connectors[0]!.id },
        party: { countryCode: 'CA', partyId: 'BCT' },
        locationJson: toJsonBytes({
          ...exampleLocation,
          evses: [{ ...evse!, connectors: [{ ...evse!.connectors[0]!, tariff_ids: ['T'] }] }],
        }),
      })),
    ),
    await bus.answer(selectTariff, async (asked) => asked.map((request) => {
      chosenFor.push(request);
      return { tariffJson: toJsonBytes(tariff), version: 3 };
    })),
  ];
}

let transactions = 0;
/** What a process of the service does; another process on the same log and rows is `again()`. */
function aService(store = memoryEventStore()) {
  const logs = logsOf(store);
  const parts = { bus, db, clock, parties, platform, config, log: log('sessions'), logs, wake() {} };
  const said = new Said(parts);
  const connectors = new Connectors({ ...parts, said, ends: new EndReservations({ ...parts, heardAll: async () => true }) });
  const charging = new Charging({ ...parts, connectors, said });
  const { kinds } = new OpenSession({ ...parts, said });
  return { store, logs, said, charging, connectors, kinds, again: () => aService(store) };
}
type Service = ReturnType<typeof aService>;

const place = { stationId: 'OASIS-L2-01', connectorId: 1 };
const heardAs = (tx: Tx, id: string) => ({
  ...{ tx, id, key: place.stationId, position: 1n, at: clock.iso() },
  beforeCommit() {},
  afterCommit() {},
});
function aCharge(
  service: Service,
  authorization: object = { status: 'Accepted', authMethod: 'WHITELIST', tokenJson: toJsonBytes(exampleToken) },
  more: { startedAt?: string; stationId?: string; connectorId?: number; reservationId?: number; isCardShown?: boolean } = {},
) {
  const transactionId = String(++transactions);
  const fact = create(TransactionStartedSchema, {
    ...place,
    transactionId,
    idTag: 'TAG',
    meterStartWh: '1000',
    startedAt: '2022-02-01T17:00:00Z',
    authorization,
    ...more,
  });
  const sessionId = sessionIdOf({ platform, ...fact });
  const heard = (tx: Tx, what: string) => heardAs(tx, `${transactionId} ${what}`);
  const due = { id: `open ${sessionId}`, key: `open ${sessionId}`, kind: 'open-session', at: 0, body: { sessionId } };
  return {
    sessionId,
    begins: (by = service) => db.tx((tx) => by.charging.started(fact, heard(tx, 'start'))),
    reads: (minute: number, energyWh: string, by = service) =>
      db.tx((tx) => {
        const at = `2022-02-01T17:${minute}:00Z`;
        const read = create(MeterReadSchema, {
          ...place,
          transactionId,
          readings: [{ at, energyWh, context: 'Sample.Periodic' }],
        });
        return by.charging.read([{ ...heard(tx, `read ${minute}`), fact: read }], { tx });
      }),
    stops: (by = service) =>
      db.tx((tx) => {
        const stop = {
          ...place,
          transactionId,
          meterStopWh: '4000',
          stoppedAt: '2022-02-01T17:40:00Z',
          reason: 'Local',
        };
        return by.charging.stopped(create(TransactionStoppedSchema, stop), heard(tx, 'stop'));
      }),
    opens: (by = service, attempt = 1) => by.kinds['open-session']!(due, attempt, held),
    async events() {
      return (await service.store.read(`session-${sessionId.toLowerCase()}`)).map(({ type }) => type);
    },
    async session() {
      const { state } = await service.logs.sessions.load(sessionId);
      return 'session' in state ? state.session : undefined;
    },
  };
}

test('hearing of a charge asks nobody: a worker does, and opens its session', async () => {
  const charge = aCharge(aService());
  await charge.begins();
  expect(await charge.events()).toEqual([]);
  expect(await openDue(db, `open ${charge.sessionId}`)).toMatchObject([{ kind: 'open-session' }]);
  await there();
  expect(await charge.opens()).toBe('done');
  expect(await charge.session()).toMatchObject({ status: 'ACTIVE', start_date_time: '2022-02-01T17:00:00Z' });
  expect(await openDue(db, `charge ${charge.sessionId}`)).toMatchObject([{ kind: 'watch-charge' }]);
});

test('whose car is at a connector is not known while the session of its charge is still to be opened', async () => {
  const service = aService();
  const stationId = 'OPENING';
  const charge = aCharge(service, undefined, { stationId });
  const sessions = new Sessions({ db, bus, parties, logs: service.logs });
  const found = () => sessions.findAt({ stationId, connectorId: 1 });
  expect(await found()).toBeUndefined();
  await charge.begins();
  await expect(found()).rejects.toMatchObject({ code: 'session-not-open-yet' });
  await there();
  await charge.opens();
  expect(await found()).toContain(charge.sessionId);
});

test.each([[true, 0], [false, 1]])('CMD-03 a charge of an order that was a TIMEOUT, its card held to the reader since (%s), is stopped (%d times)', async (isCardShown, stops) => {
  const service = aService();
  const orderId = `late ${isCardShown}`;
  const at = clock.iso();
  const task = { kind: 'start', stationId: 'LATE', stationConnector: 1, token: JSON.stringify(exampleToken), evseStatus: 'AVAILABLE' } as const;
  await service.logs.commands.execute(orderId, 'take', { type: 'TakeCommand', task, from: 'partner', timeoutS: 60, at });
  await service.logs.commands.execute(orderId, 'finish', { type: 'FinishCommand', result: 'TIMEOUT', message: '', at });
  const byOrder = { status: 'Accepted', authMethod: 'COMMAND', tokenJson: toJsonBytes(exampleToken), orderId };
  const charge = aCharge(service, byOrder, { stationId: 'LATE', isCardShown });
  await charge.begins();
  expect(await openDue(db, `session ${charge.sessionId}`)).toHaveLength(stops);
});

test('TAR-02, TOK-13 the tariff is asked for by the token: its type, its owner, and the profile that it charges by', async () => {
  const token = { ...exampleToken, party_id: 'XYZ', type: 'APP_USER', default_profile_type: 'GREEN' };
  const charge = aCharge(aService(), { status: 'Accepted', authMethod: 'COMMAND', tokenJson: toJsonBytes(token) });
  await charge.begins();
  await there();
  expect(await charge.opens()).toBe('done');
  expect(chosenFor.at(-1)).toMatchObject({
    party: { countryCode: 'CA', partyId: 'BCT' }, tariffIds: ['T'], tokenType: 'APP_USER', profileType: 'GREEN',
    tokenParty: { countryCode: 'CA', partyId: 'XYZ' }, at: '2022-02-01T17:00:00Z',
  });
});

test('while those that are asked are away, all that a station says waits, and then comes in its order', async () => {
  const charge = aCharge(aService());
  await charge.begins();
  await charge.reads(10, '2000');
  const pauses = [];
  for (const attempt of [1, 2, 3, 720]) pauses.push(await charge.opens(undefined, attempt));
  expect(pauses).toEqual([250, 500, 1_000, 5_000].map((retryInMs) => ({ retryInMs })));
  await charge.reads(20, '3000');
  await charge.stops();
  expect(await charge.events()).toEqual([]);
  await there();
  await charge.opens(undefined, 721);
  expect(await charge.events()).toEqual([
    ...['SessionStarted', 'MeterRead', 'SessionRefreshed', 'MeterRead', 'SessionRefreshed', 'SessionEnded'],
  ]);
  expect(await charge.session()).toMatchObject({ status: 'COMPLETED', kwh: 3, total_cost: { excl_vat: 0.6 } });
});

test('cars that all begin at once are all opened: none holds the connection that another needs', async () => {
  const service = aService(postgresEventStore(db));
  const charges = Array.from({ length: 8 }, () => aCharge(service));
  for (const charge of charges) await charge.begins();
  await there();
  expect(await Promise.all(charges.map((charge) => charge.opens()))).toEqual(charges.map(() => 'done'));
  for (const charge of charges) expect(await charge.session()).toMatchObject({ status: 'ACTIVE' });
});

test('what is said once it is open is heard at once, by a process that knew it as waiting, too', async () => {
  const service = aService();
  const charge = aCharge(service);
  const other = service.again();
  await charge.begins();
  await charge.reads(10, '2000', other);
  await there();
  await charge.opens();
  await charge.reads(20, '3000', other);
  expect((await charge.events()).filter((type) => type === 'MeterRead')).toHaveLength(2);
});

test('a worker that was killed in the middle is followed by one that does it again, to no other price', async () => {
  const service = aService();
  const charge = aCharge(service);
  await charge.begins();
  await charge.reads(10, '2000');
  await charge.stops();
  await there(0.2);
  const killed = {
    query: (sql: string, values: unknown[]) => db.query(sql, values),
    tx: (run: (tx: Tx) => Promise<unknown>) =>
      db.tx(async (tx) => {
        await run(tx);
        throw new Error('killed');
      }),
  };
  const parts = { bus, db: killed as unknown as Database, clock, config, parties, log: log('sessions'), logs: service.logs, said: service.said };
  const dying = new OpenSession(parts).kinds['open-session']!;
  const due = { id: 'open', key: 'open', kind: 'open-session', at: 0, body: { sessionId: charge.sessionId } };
  await expect(dying(due, 1, held)).rejects.toThrow('killed');
  const before = await charge.events();
  await gone();
  await there(0.9);
  expect(await charge.opens(service.again(), 2)).toBe('done');
  expect(await charge.events()).toEqual(before);
  expect(await charge.session()).toMatchObject({ kwh: 3, total_cost: { excl_vat: 0.6 } });
});

test('a fact that is heard again, before and after, opens no second session', async () => {
  const charge = aCharge(aService());
  await charge.begins();
  await charge.begins();
  await there();
  await charge.opens();
  await charge.begins();
  expect(await charge.opens(undefined, 2)).toBe('done');
  await charge.reads(10, '2000');
  expect(await charge.events()).toEqual(['SessionStarted', 'MeterRead', 'SessionRefreshed']);
});

test('two workers, and a station that goes on talking, make one session that misses nothing', async () => {
  const service = aService();
  const charge = aCharge(service);
  await charge.begins();
  await there();
  await Promise.all([
    charge.opens(),
    charge.opens(service.again()),
    (async () => {
      for (let minute = 10; minute < 30; minute += 1) await charge.reads(minute, String(1_000 + minute * 50));
    })(),
  ]);
  await charge.stops();
  const events = await charge.events();
  expect(events.filter((type) => type === 'SessionStarted')).toHaveLength(1);
  expect(events.filter((type) => type === 'MeterRead')).toHaveLength(20);
  expect(events.at(-1)).toBe('SessionEnded');
});

test('a card that may not charge needs nobody to be asked', async () => {
  const charge = aCharge(aService(), { status: 'Invalid', authMethod: 'WHITELIST' });
  await charge.begins();
  await charge.stops();
  expect(await charge.events()).toEqual(['InvalidSessionStarted', 'InvalidSessionEnded']);
});

test('a station that is at no Location of ours gets no Session, and whatever it says is heard', async () => {
  const charge = aCharge(aService());
  await charge.begins();
  await charge.stops();
  answering = [await bus.answer(resolveStation, async () => { throw new Refused('unknown-station', 'at no Location'); })];
  await charge.opens();
  expect(await charge.events()).toEqual(['InvalidSessionStarted', 'InvalidSessionEnded']);
});

test('S16-08 a charge that a station kept, and tells after the one that followed it, does not take its connector', async () => {
  const service = aService();
  const stationId = 'KEPT';
  const running = aCharge(service, undefined, { stationId });
  const kept = aCharge(service, undefined, { stationId, startedAt: '2022-02-01T15:00:00Z' });
  await running.begins();
  await there();
  await running.opens();
  await kept.begins();
  const status = create(ConnectorStatusChangedSchema, { stationId, connectorId: 1, status: 'SuspendedEV', at: '2022-02-01T17:10:00Z' });
  await db.tx((tx) => service.connectors.status(status, heardAs(tx, 'suspended')));
  expect(await running.events()).toContain('StatusNoted');
});

test('S16-45, SES-06 of a reservation a charge is the end where somebody else is let in, and its use at any connector of the EVSE', async () => {
  const service = aService();
  const { reservations, sessions } = service.logs;
  const at = '2022-02-01T16:50:00Z';
  const stationId = 'RESERVED';
  const reserved = async (n: number) => {
    const key = { party: exampleToken, locationId: exampleLocation.id, reservationId: `R${n}` };
    const row = await db.tx((tx) => newReservation(tx, key, `20220201-RESERVED${n}`));
    const evsePlace = { stationId, stationConnector: 1, evseUid: 'E', connectorId: '1', evseConnectors: [1, 2] };
    const terms = {
      orderId: `O${n}`, from: 'partner', token: JSON.stringify(exampleToken), expiresAt: '2022-02-01T18:00:00Z', reservationId: `R${n}`,
      locationId: exampleLocation.id, operator: { country_code: 'CA', party_id: 'BCT' }, place: evsePlace,
    } as const;
    await noteReservedAt(db, row.number, evsePlace);
    await reservations.execute(String(row.number), `ask ${n}`, { type: 'AskReservation', terms, at });
    await reservations.execute(String(row.number), `make ${n}`, { type: 'MakeReservation', orderId: `O${n}`, at });
    return { ...row, state: async () => (await reservations.load(String(row.number))).state };
  };
  const first = await reserved(1);
  const other = { status: 'Accepted', authMethod: 'WHITELIST', tokenJson: toJsonBytes({ ...exampleToken, uid: 'ANOTHER' }) };
  await aCharge(service, other, { stationId }).begins();
  expect((await first.state()).ended).toMatchObject({ why: 'lost', endedAt: '2022-02-01T17:00:00Z' });

  const second = await reserved(2);
  // Some stations go on saying the number of one that is over.
  const charge = aCharge(service, undefined, { stationId, connectorId: 2, reservationId: first.number });
  await charge.begins();
  expect(await openDue(db, `open ${second.sessionId}`)).toHaveLength(1);
  expect(await openDue(db, `forget ${second.number} ${stationId}`)).toHaveLength(1);
  expect((await second.state()).usedBy).toMatchObject({ stationId });
  expect((await sessions.load(second.sessionId)).state.status).toBe('absent');

  // Of an EVSE one connector charges at a time: the others are Unavailable, and nobody else can come.
  const third = await reserved(3);
  const says = (connectorId: number, status: string, minute: number) => db.tx((tx) => service.connectors.status(
    create(ConnectorStatusChangedSchema, { stationId, connectorId, status, at: `2022-02-01T16:${minute}:00Z` }), heardAs(tx, `${connectorId} ${status}`),
  ));
  await says(2, 'Preparing', 58);
  await says(1, 'Unavailable', 58);
  expect((await third.state()).ended).toBeUndefined();
  await aCharge(service, other, { stationId, connectorId: 2 }).begins();
  expect((await third.state()).ended).toMatchObject({ why: 'lost', endedAt: '2022-02-01T17:00:00Z' });
  const fourth = await reserved(4);
  await says(2, 'Available', 59);
  await says(1, 'Unavailable', 59);
  expect((await fourth.state()).ended).toMatchObject({ why: 'lost', endedAt: '2022-02-01T16:59:00Z' });
});
