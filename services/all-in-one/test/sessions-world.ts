import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  type Bus,
  busMigrations,
  connectBus,
  hears,
  listen,
  type Outbox,
  outbox,
  startRelay,
  told,
} from '#bus';
import { sendCommand, SendOutcome } from '#contracts/ocpi-gateway';
import { limitAssigned } from '#contracts/evems-controller';
import {
  connectorStatusChanged,
  meterRead,
  Outcome,
  startCharging,
  stopCharging,
  transactionStarted,
  transactionStopped,
} from '#contracts/ocpp-gateway';
import {
  commandFinished,
  orderChanged,
  partnerSessionChanged,
  sessionEnded,
  sessionStarted,
  sessionUpdated,
} from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Session, Token } from '#ocpi';
import { openDatabase } from '#postgres';
import { testPlatform } from '#test-servers';
import { expect } from 'vitest';
import { start as startLedger } from '../../cdr-ledger/src/start.ts';
import { start as startLocations } from '../../locations/src/start.ts';
import { start as startSessions } from '../../sessions/src/start.ts';
import { start as startTariffEngine } from '../../tariff-engine/src/start.ts';

// The sessions service on real servers, beside the real locations, tariff-engine and cdr-ledger. Both
// gateways' sides are played through their contracts: chargers and partners have to be made up.

const connector = {
  id: '1',
  standard: 'IEC_62196_T1',
  format: 'CABLE',
  power_type: 'AC_2_PHASE',
  max_voltage: 208,
  max_amperage: 32,
};
const evse = (n: string, tariffId = 'L2') => ({
  uid: `L2-${n}`,
  evse_id: `CA*BCT*EL2${n}`,
  station: `OASIS-L2-${n}`,
  connectors: [{ ...connector, tariff_ids: [tariffId] }],
});
/** Of the meter at L2-01, as it stands in the settings. */
export const meterKeys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

export const settings = {
  meters: [
    { evse_uid: 'L2-01', public_key: meterKeys.publicKey.export({ type: 'spki', format: 'pem' }) },
  ],
  tariffs: [
    {
      id: 'L2',
      currency: 'CAD',
      type: 'REGULAR',
      elements: [
        {
          price_components: [
            { type: 'ENERGY', price: 0.2, vat: 5, step_size: 1 },
            { type: 'TIME', price: 2, vat: 5, step_size: 1 },
          ],
        },
      ],
    },
    {
      id: 'DEAR',
      currency: 'CAD',
      elements: [{ price_components: [{ type: 'ENERGY', price: 9, step_size: 1 }] }],
    },
    {
      id: 'PARK',
      currency: 'CAD',
      type: 'REGULAR',
      elements: [
        {
          price_components: [
            { type: 'ENERGY', price: 0.2, step_size: 1 },
            { type: 'TIME', price: 2, step_size: 1 },
            { type: 'PARKING_TIME', price: 6, step_size: 1 },
          ],
        },
      ],
    },
  ],
  locations: [
    {
      id: 'BURNABY',
      publish: true,
      address: '3700 Willingdon Avenue',
      city: 'Burnaby',
      country: 'CAN',
      coordinates: { latitude: '49.25120', longitude: '-123.00310' },
      time_zone: 'America/Vancouver',
      evses: [
        evse('01'),
        evse('02'),
        ...['03', '04', '05', '06', '07', '08', '09'].map((n) => evse(n, 'PARK')),
      ],
    },
  ],
  sessions: {
    update_every_s: 300,
    charger_timeout_ms: 4_000,
    partner_timeout_ms: 4_000,
    start_timeout_s: 5,
  },
};

export const plunk = { countryCode: 'CA', partyId: 'CPK' };
export const bct = { countryCode: 'CA', partyId: 'BCT' };
export const xyz = { countryCode: 'CA', partyId: 'XYZ' };

export const card = (uid: string): Token => ({
  country_code: 'CA',
  party_id: 'CPK',
  uid,
  type: 'RFID',
  contract_id: 'CA-CPK-C00000002-H',
  issuer: 'Carbon Plunk',
  valid: true,
  whitelist: 'ALLOWED',
  last_updated: '2022-02-01T16:00:00Z',
});

/** On the day of the charges. */
export const clock = (time: string) => `2022-02-01T${time}Z`;

export interface Charge {
  readonly stationId: string;
  readonly transactionId: string;
}

let transactions = 100;
export const aCharge = (stationId = 'OASIS-L2-01'): Charge => ({
  stationId,
  transactionId: String(++transactions),
});

export const accepted = (token: Token, more: object = {}) => ({
  status: 'Accepted',
  authMethod: 'WHITELIST',
  tokenJson: toJsonBytes(token),
  ...more,
});
export const began = (charge: Charge, authorization: object, at = '17:00:00') =>
  told(transactionStarted, {
    ...charge,
    connectorId: 1,
    idTag: 'TAG',
    meterStartWh: '1000',
    startedAt: clock(at),
    authorization,
  });
export const reads = (charge: Charge, at: string, energyWh: string) =>
  told(meterRead, {
    ...charge,
    connectorId: 1,
    readings: [{ at: clock(at), energyWh, powerW: '6600', context: 'Sample.Periodic' }],
  });
export const stops = (charge: Charge, at: string, meterStopWh: string) =>
  told(transactionStopped, {
    ...charge,
    connectorId: 1,
    meterStopWh,
    stoppedAt: clock(at),
    reason: 'Local',
  });

export const turns = ({ stationId }: Pick<Charge, 'stationId'>, at: string, status: string) =>
  told(connectorStatusChanged, {
    stationId,
    connectorId: 1,
    status,
    errorCode: 'NoError',
    info: '',
    at: clock(at),
  });
export const limits = ({ stationId }: Pick<Charge, 'stationId'>, at: string, limitMa: number) =>
  told(limitAssigned, {
    siteId: 'BURNABY',
    stationId,
    connectorId: 1,
    limitMa,
    reason: 'fair share',
    at: clock(at),
  });

type Fact = Record<string, unknown>;
type Kind = 'started' | 'updated' | 'ended' | 'command' | 'order' | 'partner';

export const sessionOf = (fact: Fact | undefined) =>
  fromJsonBytes<Session>(fact!.sessionJson as Uint8Array);

export type World = Awaited<ReturnType<typeof openWorld>>;

/** `more`: settings of the service beside its own; `others`: whole sections; `rate`: of the platform's clock. */
export async function openWorld(more: object = {}, { others = {}, rate = 1 }: { others?: object; rate?: number } = {}) {
  // Tariffs hold from when they are published: before the charges.
  const sessionsSettings = { ...settings.sessions, ...more };
  const platform = await testPlatform({ ...settings, ...others, sessions: sessionsSettings }, {
    ROAMWATT_CLOCK_EPOCH: clock('16:55:00'),
    ROAMWATT_CLOCK_STARTED: new Date().toISOString(),
    ROAMWATT_CLOCK_RATE: String(rate),
  });
  const { env, databaseUrl: url } = platform;
  const bus = await connectBus({
    natsUrl: env.NATS_URL!,
    platform: platform.platform,
    service: 'ocpp-gateway',
  });
  const gatewayDb = await openDatabase({ url, schema: 'ocpp_gateway', migrations: busMigrations });
  const gateway = outbox('ocpp-gateway', gatewayDb);
  const siteDb = await openDatabase({ url, schema: 'evems_controller', migrations: busMigrations });
  const site = outbox('evems-controller', siteDb);
  const relays = [startRelay(bus, gateway), startRelay(bus, site)];
  const beside = await Promise.all([startTariffEngine(env), startLedger(env)]);
  let locations = await startLocations(env);
  let sessions = await startSessions(env);
  const listener = await listenTo(bus, url);
  let holding: { release(): Promise<void> }[] = [];
  const release = async () => {
    await Promise.all(holding.splice(0).map((each) => each.release()));
    holding = [];
  };
  return {
    bus,
    env,
    ...listener,
    /** The database of the service itself. */
    openSessionsDb: () => openDatabase({ url, schema: 'sessions', migrations: [] }),
    /** What ocpp-gateway tells. */
    say: (...facts: Parameters<Outbox['tell']>[1]) => gatewayDb.tx((tx) => gateway.tell(tx, facts)),
    /** What evems-controller tells. */
    sayOfSite: (...facts: Parameters<Outbox['tell']>[1]) =>
      siteDb.tx((tx) => site.tell(tx, facts)),
    /** What the station OASIS-L2-02 answers from now on; gives what it was asked. */
    async chargerAnswers(outcome: Outcome): Promise<string[]> {
      const asked: string[] = [];
      const answer = (what: string) => {
        asked.push(what);
        return { outcome, detail: 'as it said' };
      };
      const station = 'OASIS-L2-02';
      holding.push(
        await bus.hold(startCharging, station, async (orders) =>
          orders.map(({ orderId }) => answer(`start ${orderId}`)),
        ),
        await bus.hold(stopCharging, station, async (orders) =>
          orders.map(({ transactionId }) => answer(`stop ${transactionId}`)),
        ),
      );
      return asked;
    },
    /** What ocpi-gateway answers from now on; gives what it was to send. */
    async partnerAnswers(answer: object): Promise<{ command: string; body: object }[]> {
      const sent: { command: string; body: object }[] = [];
      const answering = await bus.answer(sendCommand, async (requests) =>
        requests.map(({ command, bodyJson }) => {
          sent.push({ command, body: fromJsonBytes<object>(bodyJson) });
          return { outcome: SendOutcome.ANSWERED, statusCode: 1000, ...answer };
        }),
      );
      holding.push({ release: () => answering.stop() });
      return sent;
    },
    /** Stations and partners that answered are gone. */
    release,
    stopSessions: () => sessions.stop(),
    /** Its Connectors name another tariff from now on. */
    async nameTariff(from: string, to: string) {
      await locations.stop();
      const file = env.ROAMWATT_CONFIG!;
      const text = readFileSync(file, 'utf8').replaceAll(`"tariff_ids":["${from}"]`, `"tariff_ids":["${to}"]`);
      writeFileSync(file, text);
      locations = await startLocations(env);
    },
    async startSessionsAgain() {
      sessions = await startSessions(env);
    },
    async close() {
      await release();
      await listener.stopListening();
      await Promise.all([...beside, locations, sessions].map((service) => service.stop()));
      await Promise.all(relays.map((relay) => relay.close()));
      await bus.close();
      await Promise.all([gatewayDb.close(), siteDb.close()]);
      await platform.drop();
    },
  };
}

/** All that is told, by its kind. */
async function listenTo(bus: Bus, url: string) {
  const db = await openDatabase({ url, schema: 'listener', migrations: busMigrations });
  const heard: { kind: Kind; fact: Fact }[] = [];
  const note = (kind: Kind) => (fact: object) => void heard.push({ kind, fact: fact as Fact });
  const listening = await Promise.all([
    listen(bus, db, {
      listener: 'listener',
      hearings: [
        hears(sessionStarted, note('started')),
        hears(sessionUpdated, note('updated')),
        hears(sessionEnded, note('ended')),
        hears(commandFinished, note('command')),
        hears(orderChanged, note('order')),
      ],
    }),
    listen(bus, db, {
      listener: 'listener',
      hearings: [hears(partnerSessionChanged, note('partner'))],
    }),
  ]);
  const ofKind = (kind: Kind) => heard.filter((each) => each.kind === kind).map(({ fact }) => fact);
  const begunFor = (uid: string) =>
    ofKind('started')
      .map(sessionOf)
      .findLast((session) => session.cdr_token.uid === uid);
  return {
    ofKind,
    of: (kind: Kind, sessionId: string) =>
      ofKind(kind).filter((fact) => fact.sessionId === sessionId),
    /** How a command of a partner ended. */
    finished: (orderId: string) =>
      ofKind('command')
        .filter((fact) => fact.orderId === orderId)
        .map(({ result }) => result),
    async sessionBegun(uid: string): Promise<Session> {
      await expect.poll(() => begunFor(uid)).toBeDefined();
      return begunFor(uid)!;
    },
    async stopListening() {
      await Promise.all(listening.map((each) => each.close()));
      await db.close();
    },
  };
}
