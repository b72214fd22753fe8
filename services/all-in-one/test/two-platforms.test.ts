import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, busMigrations, connectBus, type Outbox, outbox, type Relay, startRelay, told } from '#bus';
import { getCdr, getStatement, listTokenCdrs, verifyLedger } from '#contracts/cdr-ledger';
import { getLocation, searchEvses } from '#contracts/locations';
import { invitePartner, listPartners, registerPartner } from '#contracts/ocpi-gateway';
import {
  connectorStatusChanged, meterRead, Outcome, startCharging, stationConnected, stopCharging, transactionStarted,
  transactionStopped,
} from '#contracts/ocpp-gateway';
import { getOrder, getSession, orderStart, orderStop } from '#contracts/sessions';
import { issueToken } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import type { Cdr, Location, Session, Token } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { clockFromEnv, rfc3339 } from '#time';
import { start as startCdrLedger } from '../../cdr-ledger/src/start.ts';
import { start as startLocations } from '../../locations/src/start.ts';
import { start as startOcpiGateway } from '../../ocpi-gateway/src/start.ts';
import { start as startSessions } from '../../sessions/src/start.ts';
import { start as startTariffEngine } from '../../tariff-engine/src/start.ts';
import { start as startTokensAuth } from '../../tokens-auth/src/start.ts';

// Two platforms of real services that meet over OCPI only. The charger is played at the contract of
// ocpp-gateway, on the CPO's side.

const connector = {
  id: '1', standard: 'IEC_62196_T1', format: 'CABLE', power_type: 'AC_2_PHASE', max_voltage: 208, max_amperage: 32, tariff_ids: ['L2'],
};
const ocpi = { allow_private_urls: true, first_retry_ms: 50, longest_retry_ms: 500 };
const oasisSettings = {
  ocpi,
  tariffs: [{
    id: 'L2', currency: 'CAD', type: 'REGULAR',
    elements: [{ price_components: [
      { type: 'ENERGY', price: 0.2, vat: 5, step_size: 1 }, { type: 'TIME', price: 2, vat: 5, step_size: 1 },
    ] }],
  }],
  locations: [{
    id: 'BURNABY', publish: true, address: '3700 Willingdon Avenue', city: 'Burnaby', country: 'CAN',
    coordinates: { latitude: '49.25120', longitude: '-123.00310' }, time_zone: 'America/Vancouver',
    evses: [{ uid: 'L2-01', evse_id: 'CA*BCT*EL201', station: 'OASIS-L2-01', connectors: [connector] }],
  }],
  sessions: { update_every_s: 60, start_timeout_s: 3_600 },
};
const plunkSettings = { ocpi, party: { country_code: 'CA', party_id: 'CPK', name: 'Carbon Plunk', roles: ['EMSP'], currency: 'CAD' } };
const bct = { countryCode: 'CA', partyId: 'BCT' };
const cpk = { countryCode: 'CA', partyId: 'CPK' };

interface Side {
  readonly platform: TestPlatform;
  readonly running: Running[];
  readonly bus: Bus;
  readonly versionsUrl: string;
}

// The day of the charge, the same on both sides and fast: a charge of twelve minutes takes three seconds.
const clockOfTheDay = {
  ROAMWATT_CLOCK_EPOCH: '2022-02-01T16:00:00Z', ROAMWATT_CLOCK_STARTED: new Date().toISOString(), ROAMWATT_CLOCK_RATE: '240',
};
const time = clockFromEnv(clockOfTheDay);
const MINUTE_MS = 60_000;

let oasis: Side;
let plunk: Side;
let chargerDb: Database;
let charger: Outbox;
let relay: Relay;

async function side(settings: Record<string, unknown>): Promise<Side> {
  const platform = await testPlatform(settings, clockOfTheDay);
  const { env } = platform;
  const starts = [startTariffEngine, startLocations, startTokensAuth, startCdrLedger, startSessions, startOcpiGateway];
  const running = await Promise.all(starts.map((start) => start(env)));
  const bus = await connectBus({ natsUrl: env.NATS_URL!, platform: platform.platform, service: 'ocpp-gateway' });
  return { platform, running, bus, versionsUrl: running.at(-1)!.urls!.ocpi! };
}

beforeAll(async () => {
  [oasis, plunk] = await Promise.all([side(oasisSettings), side(plunkSettings)]);
  chargerDb = await openDatabase({ url: oasis.platform.databaseUrl, schema: 'ocpp_gateway', migrations: busMigrations });
  charger = outbox('ocpp-gateway', chargerDb);
  relay = startRelay(oasis.bus, charger);
});
afterAll(async () => {
  await relay?.close();
  for (const one of [oasis, plunk]) {
    await Promise.all((one?.running ?? []).map((service) => service.stop()));
    await one?.bus.close();
  }
  await chargerDb?.close();
  await Promise.all([oasis?.platform.drop(), plunk?.platform.drop()]);
});

const say = (...facts: Parameters<Outbox['tell']>[1]) => chargerDb.tx((tx) => charger.tell(tx, facts));
const station = { stationId: 'OASIS-L2-01', connectorId: 1 };
const status = (is: string, at: string) => told(connectorStatusChanged, { ...station, status: is, errorCode: 'NoError', at });

test('two platforms register, and what is whose is on both', async () => {
  const token: Partial<Token> = { uid: 'driver-7', type: 'APP_USER', contract_id: 'CA-CPK-C00000007-1', visual_number: '7' };
  await plunk.bus.ask(issueToken, { tokenJson: toJsonBytes(token) });
  const { tokenA } = await oasis.bus.ask(invitePartner, { name: 'Carbon Plunk' });
  await plunk.bus.ask(registerPartner, { name: 'Energy OASIS', versionsUrl: oasis.versionsUrl, tokenA }, { timeoutMs: 10_000 });
  await say(told(stationConnected, { stationId: 'OASIS-L2-01', at: time.iso(), epoch: 1 }), status('Available', time.iso()));
  const free = () => plunk.bus.ask(searchEvses, { latitude: 49.25, longitude: -123, availableOnly: true });
  await expect.poll(async () => (await free()).evses.map(({ evseUid }) => evseUid)).toEqual(['L2-01']);
});

let sessionId = '';

test('a driver of Carbon Plunk starts a charge at Energy OASIS, sees it grow, and stops it', async () => {
  const token: Token = {
    country_code: 'CA', party_id: 'CPK', uid: 'driver-7', type: 'APP_USER', contract_id: 'CA-CPK-C00000007-1', issuer: 'Carbon Plunk',
    valid: true, whitelist: 'NEVER', last_updated: '2022-02-01T16:00:00Z',
  };
  const begin = time.now();
  const after = (minutes: number) => rfc3339(begin + minutes * MINUTE_MS);
  const transaction = { stationId: 'OASIS-L2-01', transactionId: '101', connectorId: 1 };
  const starting = await oasis.bus.hold(startCharging, 'OASIS-L2-01', async (orders) => {
    for (const { orderId, tokenJson, authorizationReference } of orders) {
      void say(status('Charging', after(0)), told(transactionStarted, {
        ...transaction, idTag: 'driver-7', meterStartWh: '1000', startedAt: after(0),
        authorization: {
          status: 'Accepted', authMethod: 'COMMAND', tokenJson, orderId,
          ...(authorizationReference === undefined ? {} : { authorizationReference }),
        },
      }));
    }
    return orders.map(() => ({ outcome: Outcome.ACCEPTED, detail: '' }));
  });
  const stopping = await oasis.bus.hold(stopCharging, 'OASIS-L2-01', async (orders) => {
    void say(told(transactionStopped, { ...transaction, meterStopWh: '2320', stoppedAt: after(12), reason: 'Remote' }), status('Available', after(12)));
    return orders.map(() => ({ outcome: Outcome.ACCEPTED, detail: '' }));
  });
  await plunk.bus.ask(orderStart, {
    orderId: 'charge-1', tokenJson: toJsonBytes(token), party: bct, locationId: 'BURNABY', evseUid: 'L2-01', connectorId: '1',
  });
  const order = async (orderId: string) => (await plunk.bus.ask(getOrder, { orderId })).order!;
  await expect.poll(async () => (await order('charge-1')).sessionId).toBeDefined();
  sessionId = (await order('charge-1')).sessionId!;
  const held = async (of: Side) => {
    const { sessionJson } = await of.bus.ask(getSession, { party: bct, sessionId });
    return fromJsonBytes<Session>(sessionJson!);
  };
  expect(await held(plunk)).toMatchObject({ status: 'ACTIVE', auth_method: 'COMMAND', authorization_reference: 'charge-1', cdr_token: { party_id: 'CPK' } });
  for (const [minutes, energyWh] of [[4, '1440'], [8, '1880']] as const) {
    await time.sleepUntil(begin + minutes * MINUTE_MS);
    await say(told(meterRead, { ...transaction, readings: [{ at: after(minutes), energyWh, powerW: '6600', context: 'Sample.Periodic' }] }));
  }
  await expect.poll(async () => (await held(plunk)).kwh).toBe(0.88);
  await expect.poll(async () => {
    const { locationJson } = await plunk.bus.ask(getLocation, { party: bct, locationId: 'BURNABY' });
    return fromJsonBytes<Location>(locationJson!).evses![0]!.status;
  }).toBe('CHARGING');
  await time.sleepUntil(begin + 12 * MINUTE_MS);
  await plunk.bus.ask(orderStop, { orderId: 'stop-1', tokenUid: 'driver-7', party: bct, sessionId });
  await expect.poll(async () => (await held(plunk)).status).toBe('COMPLETED');
  expect(await held(plunk)).toEqual(await held(oasis));
  await Promise.all([starting.release(), stopping.release()]);
});

test('the CDR is on both sides the same, re-priced without a finding, and on one statement', async () => {
  const cdrs = async () => (await plunk.bus.ask(listTokenCdrs, { tokenParty: cpk, tokenUid: 'driver-7', limit: 10 })).cdrsJson;
  await expect.poll(async () => (await cdrs()).length).toBe(1);
  const theirs = fromJsonBytes<Cdr>((await cdrs())[0]!);
  const ours = await oasis.bus.ask(getCdr, { party: bct, cdrId: theirs.id });
  expect(fromJsonBytes(ours.cdrJson!)).toEqual(theirs);
  expect(theirs).toMatchObject({ session_id: sessionId, total_energy: 1.32, total_cost: { excl_vat: 0.66, incl_vat: 0.7 } });
  const { findings } = await plunk.bus.ask(getCdr, { party: bct, cdrId: theirs.id });
  expect(findings).toEqual([]);
  const statement = await plunk.bus.ask(getStatement, { partner: bct, month: '2022-02' });
  expect(statement.text).toContain('Energy OASIS');
  for (const one of [oasis, plunk]) {
    expect((await one.bus.ask(verifyLedger, {})).chains.every(({ intact }) => intact)).toBe(true);
  }
  const { partners } = await oasis.bus.ask(listPartners, {});
  expect(partners).toMatchObject([{ name: 'Carbon Plunk', waiting: 0, lastError: '' }]);
});
