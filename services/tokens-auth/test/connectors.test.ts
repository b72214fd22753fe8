import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, busMigrations, connectBus, outbox, Refused, startRelay, told } from '#bus';
import { agreementChanged, agreementOf } from '#contracts/agreements';
import { resolveStation } from '#contracts/locations';
import { authorizeAtPartner, SendOutcome } from '#contracts/ocpi-gateway';
import { authorize, issueToken, putPartnerToken } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { exampleToken, type LocationReferences, type Token } from '#ocpi';
import { openDatabase } from '#postgres';
import type { Running } from '#service';
import { testPlatform, type TestPlatform } from '#test-servers';
import { start } from '../src/start.ts';

// Stations whose connectors are at several Locations: some private, some for everybody.

const bct = { countryCode: 'CA', partyId: 'BCT' };
/** Of each station, the Location and EVSE of each connector. */
const stations: Readonly<Record<string, Readonly<Record<number, readonly [string, string]>>>> = {
  MIXED: { 1: ['HOME', 'E1'], 2: ['STREET', 'E2'] },
  LAST: { 1: ['HOME', 'E1'], 2: ['HOME', 'E2'], 5: ['STREET', 'E5'] },
  STREET: { 1: ['STREET', 'E2'], 2: ['STREET', 'E3'] },
  HOME: { 1: ['HOME', 'E1'], 2: ['HOME', 'E2'] },
  BEHIND: { 3: ['HOME', 'E3'], 4: ['HOME', 'E4'] },
};

/** As the settings have it; `locations` was asked about none of these stations. */
const described = (id: string, isPrivate: boolean) => ({
  id, private: isPrivate, ...(isPrivate ? { publish_allowed_to: [{ uid: 'RESIDENT', type: 'RFID' }] } : {}), time_zone: 'America/Vancouver',
  evses: [{ uid: `${id}-1`, station: `${id}-UNHEARD-OF`, connectors: [{ id: '1', station_connector: 2 }] }],
});

let platform: TestPlatform;
let service: Running;
let bus: Bus;
let locations: Bus;
let gateway: Bus;
/** Where the owner was told that its card is, and what it allows. */
const asked: (LocationReferences | undefined)[] = [];
/** By whom of us, and about what. */
let question: object = {};
let allowed: LocationReferences | undefined;
/** Whether where a station is comes later than a card is worth waiting for. */
let isSlow = false;
let hasNoDatabase = false;

beforeAll(async () => {
  platform = await testPlatform({ locations: [described('HOME', true), described('STREET', false)] });
  service = await start(platform.env);
  [bus, locations, gateway] = (await Promise.all(['portal', 'locations', 'ocpi-gateway'].map((name) =>
    connectBus({ natsUrl: platform.env.NATS_URL!, platform: platform.platform, service: name as 'portal' })))) as [Bus, Bus, Bus];
  await locations.answer(resolveStation, (requests) => Promise.all(requests.map(async ({ stationId, stationConnector, orAny }) => {
    if (isSlow) await sleep(1_500);
    if (hasNoDatabase) return new Refused('unanswered', 'the database cannot be used now');
    const of = stations[stationId] ?? {};
    const place = of[stationConnector] ?? (orAny ? Object.values(of)[0] : undefined);
    if (!place) return new Rejected('unknown-station', 'at no Location');
    const [locationId, evseUid] = place;
    return {
      party: bct, locationId, evseUid, connectorId: '1', stationId, stationConnector, locationJson: toJsonBytes({ id: locationId, publish: false }),
      evseStatus: 'AVAILABLE', private: locationId === 'HOME', stationConnectors: Object.keys(stations[stationId]!).map(Number),
    };
  })));
  await gateway.answer(authorizeAtPartner, (questions) => questions.map(({ uid, locationReferencesJson, ...more }) => {
    question = { uid, ...more };
    asked.push(locationReferencesJson && fromJsonBytes<LocationReferences>(locationReferencesJson));
    const token = { ...exampleToken, party_id: 'CPK', uid };
    return { outcome: SendOutcome.ANSWERED, authorizationInfoJson: toJsonBytes({ allowed: 'ALLOWED', token, ...(allowed ? { location: allowed } : {}) }) };
  }));
  for (const whitelist of ['ALWAYS', 'NEVER'] as const) await put(whitelist, { whitelist });
});
afterAll(async () => {
  await Promise.all([bus, locations, gateway].map((one) => one?.close()));
  await service?.stop();
  await platform?.drop();
});

const put = (uid: string, changes: Partial<Token>) => bus.ask(putPartnerToken, {
  party: { countryCode: 'CA', partyId: 'CPK' }, uid, type: 'RFID', patch: false,
  bodyJson: toJsonBytes({ ...exampleToken, country_code: 'CA', party_id: 'CPK', uid, type: 'RFID', valid: true, ...changes }),
});
const tap = async (idTag: string, stationId: string, connectorId?: number) => {
  const { status, refusal, byConnector } = await bus.ask(authorize, { idTag, stationId, ...(connectorId === undefined ? {} : { connectorId }) });
  return [status, refusal, byConnector && 'by connector'].filter(Boolean).join(' ');
};

test.each(['ALWAYS', 'NEVER'])('LOC-07: a card with whitelist %s is let in where any connector would let it in, and at each by what that is', async (card) => {
  for (const [station, home, street] of [['MIXED', 1, 2], ['LAST', 2, 5]] as const) {
    expect(await tap(card, station)).toBe('Accepted by connector');
    expect(await tap(card, station, home)).toBe('Blocked not-here');
    expect(await tap(card, station, street)).toBe('Accepted');
  }
  expect([await tap(card, 'STREET'), await tap(card, 'HOME')]).toEqual(['Accepted', 'Blocked not-here']);
  expect(await tap(card, 'BEHIND'), 'whose first connectors are nowhere').toBe('Blocked not-here');
  expect(JSON.stringify(asked)).not.toContain('HOME');
});

test('TOK-04: of a station of several EVSEs the owner may allow one: decided by that when the connector is known', async () => {
  allowed = { location_id: 'STREET', evse_uids: ['E3'] };
  expect([await tap('NEVER', 'STREET'), await tap('NEVER', 'STREET', 1), await tap('NEVER', 'STREET', 2)])
    .toEqual(['Accepted by connector', 'Blocked not-here', 'Accepted']);
  expect(question, 'HUB-04').toMatchObject({ party: { countryCode: 'CA', partyId: 'CPK' }, uid: 'NEVER', type: 'RFID', from: bct });
  allowed = { location_id: 'STREET', evse_uids: ['E9'] };
  expect(await tap('NEVER', 'STREET'), 'at another station').toBe('Blocked not-here');
  allowed = undefined;
});

test('a card of ours that may not charge everywhere is let in where one of the connectors is such a place', async () => {
  const given = { uid: 'OURS', type: 'RFID', contract_id: 'CA-BCT-C00000008-X' };
  await bus.ask(issueToken, { tokenJson: toJsonBytes(given), allowedAt: [{ party: bct, locationId: 'STREET', evseUids: ['E3', 'E5'] }] });
  expect([await tap('OURS', 'STREET'), await tap('OURS', 'STREET', 1), await tap('OURS', 'STREET', 2), await tap('OURS', 'HOME')])
    .toEqual(['Accepted by connector', 'Blocked not-here', 'Accepted', 'Blocked not-here']);
});

test('TOK-08: the owner is asked without the place where its agreement does not grant the Location to it', async () => {
  const db = await openDatabase({ url: platform.databaseUrl, schema: 'agreements', migrations: busMigrations });
  const agreements = outbox('agreements', db);
  const relay = startRelay(bus, agreements);
  const grant = (version: number, ids: string[]) => db.tx((tx) => agreements.tell(tx, [told(agreementChanged, {
    partner: { countryCode: 'CA', partyId: 'CPK' }, version, at: '2022-01-01T00:00:00Z',
    agreement: agreementOf({
      valid_from: '2022-01', time_zone: 'UTC', grants: { locations: ids },
      parties: [{ country_code: 'CA', party_id: 'BCT' }, { country_code: 'CA', party_id: 'CPK' }],
    } as never),
  })]));
  const told1 = async () => {
    asked.length = 0;
    expect(await tap('NEVER', 'STREET', 1)).toBe('Accepted');
    return asked[0]?.location_id;
  };
  expect(await told1()).toBe('STREET');
  await grant(1, ['OTHER*']);
  await expect.poll(told1).toBeUndefined();
  await grant(2, ['OTHER*', 'str*']);
  await expect.poll(told1).toBe('STREET');
  await relay.close();
  await db.close();
});

test.each(['ALWAYS', 'NEVER'])('LOC-07: a place that is known to be private is not open to a card with whitelist %s while locations is slow, or has no database', async (card) => {
  expect(await tap(card, 'HOME')).toBe('Blocked not-here');
  isSlow = true;
  expect(await tap(card, 'HOME')).toBe('Blocked not-here');
  expect(await tap(card, 'HOME', 1)).toBe('Blocked not-here');
  isSlow = false;
  hasNoDatabase = true;
  expect(await tap(card, 'HOME')).toBe('Blocked not-here');
  hasNoDatabase = false;
  expect(await tap(card, 'STREET')).toBe('Accepted');
});

test('LOC-07: a private place of which locations said nothing yet is not open while it is slow; one that is not private is', async () => {
  isSlow = true;
  await put('RESIDENT', { whitelist: 'ALWAYS' });
  for (const connector of [undefined, 2]) {
    expect(await tap('ALWAYS', 'HOME-UNHEARD-OF', connector)).toBe('Blocked not-here');
    expect(await tap('RESIDENT', 'HOME-UNHEARD-OF', connector)).toBe('Accepted');
    expect(await tap('ALWAYS', 'STREET-UNHEARD-OF', connector)).toBe('Accepted');
  }
  isSlow = false;
});
