import { afterAll, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { cdrIssued } from '#contracts/cdr-ledger';
import { locationChanged } from '#contracts/locations';
import { authorizeAtPartner, sendCommand } from '#contracts/ocpi-gateway';
import { requestProfile, sessionStarted, setPreferences } from '#contracts/sessions';
import { tariffPublished, tariffWithdrawn } from '#contracts/tariff-engine';
import { tokenChanged } from '#contracts/tokens-auth';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { exampleCdr, exampleLocation, exampleSession, exampleTariff, exampleToken } from '#ocpi';
import { HandPartner } from './hand-partner.ts';
import { call, type CallOptions, openSide, type Side } from './side.ts';

// A platform of two CPOs and an eMSP, and a partner that is an eMSP twice and a CPO.

const ours = ['NOA', 'NOB'].map((party_id) => ({ country_code: 'CA', party_id, name: `North ${party_id}`, roles: ['CPO'] }));
const parties = [...ours, { country_code: 'CA', party_id: 'NOE', name: 'North drivers', roles: ['EMSP'] }];
const of = (partyId: string) => ({ countryCode: 'CA', partyId });
const at = '2022-02-01T17:00:00Z';

let north: Side;
let montreal: HandPartner;
beforeAll(async () => {
  north = await openSide({ parties });
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', [
    'RECEIVER locations', 'RECEIVER tariffs', 'RECEIVER sessions', 'RECEIVER cdrs', 'SENDER tokens', 'RECEIVER tokens', 'RECEIVER commands',
  ], ['EMSP QBC', 'CPO LAV']);
  await montreal.register(north);
  const { neighbours } = north;
  for (const contract of [requestProfile, setPreferences]) {
    await neighbours.bus.answer(contract as typeof setPreferences, async (requests) => requests.map((request) => {
      neighbours.asked.push({ verb: contract.verb, request });
      return { response: 'ACCEPTED', result: 'REJECTED', timeoutS: 0, message: '' };
    }));
  }
});
afterAll(async () => {
  await montreal?.close();
  await north?.close();
});

const get = (path: string, options: CallOptions = {}) => call(north, `/ocpi/2.2.1/${path}`, { token: montreal.token, ...options });
const to = (party: string) => ({ 'OCPI-to-party-id': party, 'OCPI-to-country-code': 'CA' });
const fromOf = (headers: { get(name: string): string | null }) =>
  `${headers.get('ocpi-from-country-code')}*${headers.get('ocpi-from-party-id')}`;

/** Whom a message that the partner got is from, and for. */
async function routed(what: string): Promise<string> {
  await expect.poll(() => montreal.pushed(what)).not.toEqual([]);
  const { headers } = montreal.seen.findLast((seen) => seen.what.startsWith(what))!;
  return `${headers['ocpi-from-party-id'] as string} to ${headers['ocpi-to-party-id'] as string}`;
}

const location = (party_id: string) => ({ ...exampleLocation, party_id, id: `SITE-${party_id}`, evses: [], last_updated: at });

test('CRE-10: the Credentials list each party with its roles, the same role several times', async () => {
  const { data } = await get('credentials');
  const { roles } = data as { roles: { role: string; party_id: string; business_details: { name: string } }[] };
  expect(roles.map(({ role, party_id, business_details }) => `${role} ${party_id} ${business_details.name}`)).toEqual([
    'CPO NOA North NOA', 'CPO NOB North NOB', 'EMSP NOE North drivers',
  ]);
});

test('HUB-04: a push is from the party that owns the object, for the party that owns the token', async () => {
  const last = { lastUpdated: at };
  const owned = (party_id: string) => ({ ...exampleTariff, party_id, id: `T-${party_id}`, last_updated: at });
  const token = { ...exampleToken, country_code: 'CA', party_id: 'NOE', uid: '04NOE', type: 'RFID' as const, last_updated: at };
  const payer = (party_id: string) => ({ ...exampleSession.cdr_token, country_code: 'CA', party_id });
  const session = { ...exampleSession, country_code: 'CA', party_id: 'NOB', id: 'S-1', cdr_token: payer('QBC'), last_updated: at };
  const { session_id: _, ...alone } = exampleCdr;
  const cdr = { ...alone, country_code: 'CA', party_id: 'NOB', id: 'C-1', cdr_token: payer('QBC'), last_updated: at };
  await north.neighbours.tell(
    told(locationChanged, { own: true, party: of('NOB'), locationId: 'SITE-NOB', locationJson: toJsonBytes(location('NOB')), ...last }),
    told(tariffPublished, { own: true, party: of('NOB'), tariffId: 'T-NOB', version: 1, tariffJson: toJsonBytes(owned('NOB')), ...last }),
    told(tokenChanged, { own: true, party: of('NOE'), uid: '04NOE', type: 'RFID', tokenJson: toJsonBytes(token), ...last }),
    told(sessionStarted, { sessionId: 'S-1', tokenParty: of('QBC'), sessionJson: toJsonBytes(session) }),
    told(cdrIssued, { cdrId: 'C-1', sessionId: 'S-1', credit: false, tokenParty: of('QBC'), cdrJson: toJsonBytes(cdr) }),
  );
  expect(await routed('PUT /locations/CA/NOB/SITE-NOB')).toBe('NOB to MTL');
  expect(await routed('PUT /tariffs/CA/NOB/T-NOB')).toBe('NOB to MTL');
  expect(await routed('PUT /tokens/CA/NOE/04NOE')).toBe('NOE to LAV');
  expect(await routed('PUT /sessions/CA/NOB/S-1')).toBe('NOB to QBC');
  expect(await routed('POST /cdrs')).toBe('NOB to QBC');
  // What is gone is taken back by whose it was.
  await north.neighbours.tell(told(tariffWithdrawn, { own: true, party: of('NOB'), tariffId: 'T-NOB', at }));
  expect(await routed('DELETE /tariffs/CA/NOB/T-NOB')).toBe('NOB to MTL');
});

test('HUB-04: a command is from the eMSP whose driver orders it, and a question about a token from the CPO at whose station it is', async () => {
  const { bus } = north.neighbours;
  montreal.answer = (what) =>
    what.startsWith('POST /commands')
      ? { data: { result: 'ACCEPTED', timeout: 30 } }
      : { data: { allowed: 'ALLOWED', token: exampleToken } };
  await bus.ask(sendCommand, {
    orderId: 'order-1',
    party: of('LAV'),
    command: 'START_SESSION',
    bodyJson: toJsonBytes({}),
    from: of('NOE'),
  });
  expect(await routed('POST /commands/START_SESSION')).toBe('NOE to LAV');
  await bus.ask(authorizeAtPartner, {
    party: of('QBC'),
    uid: '04QBC',
    type: 'RFID',
    timeoutMs: 2_000,
    from: of('NOB'),
  });
  expect(await routed('POST /tokens/04QBC/authorize')).toBe('NOB to QBC');
  montreal.answer = () => ({});
});

test('HUB-01 HUB-23: OCPI-to names a party of ours that has such an interface, and that one answers', async () => {
  expect(fromOf((await get('sender/locations', { headers: to('NOB') })).headers)).toBe('CA*NOB');
  expect(fromOf((await get('sender/locations')).headers), 'who is meant is not said').toBe('CA*NOA');
  expect(fromOf((await get('sender/tokens')).headers)).toBe('CA*NOE');
  expect(await get('sender/locations', { headers: to('NOE') })).toMatchObject({
    http: 200, status_code: 2001, status_message: expect.stringContaining('CA*NOE, which is EMSP'),
  });
  expect(await get('receiver/tokens/CA/MTL/04AA', { headers: to('NOE') })).toMatchObject({ status_code: 2001 });
  expect(await get('sender/locations', { headers: to('BCT') })).toMatchObject({
    status_code: 2001, status_message: expect.stringContaining('this is CA*NOA, CA*NOB, CA*NOE'),
  });
});

test('a list holds what is all our parties\', or that of the one that OCPI-to names; so does a single object', async () => {
  north.neighbours.own.locations = ours.map(({ party_id }) => location(party_id));
  const sites = async (headers: Record<string, string> = {}) =>
    ((await get('sender/locations', { headers })).data as { id: string; party_id: string }[]).map(
      ({ id, party_id }) => `${party_id} ${id}`,
    );
  expect(await sites()).toEqual(['NOA SITE-NOA', 'NOB SITE-NOB']);
  expect(await sites(to('nob'))).toEqual(['NOB SITE-NOB']);
  expect(await get('sender/locations/SITE-NOB')).toMatchObject({ status_code: 1000, data: { party_id: 'NOB' } });
  expect(await get('sender/locations/SITE-NOB', { headers: to('NOB') })).toMatchObject({ status_code: 1000 });
  expect(await get('sender/locations/SITE-NOB', { headers: to('NOA') })).toMatchObject({ http: 404 });
});

test('CMD-08: START_SESSION is for the Locations of the party that OCPI-to names', async () => {
  const asked: (string | undefined)[] = [];
  north.neighbours.answers.startSession = async ({ party }) => {
    asked.push(party);
    return { result: 'ACCEPTED' };
  };
  const body = {
    response_url: `${montreal.base}/results/1`,
    location_id: 'SITE-NOB',
    token: { ...exampleToken, country_code: 'CA', party_id: 'QBC' },
  };
  const answer = await get('receiver/commands/START_SESSION', { method: 'POST', body, headers: to('NOB') });
  expect(answer).toMatchObject({ status_code: 1000, data: { result: 'ACCEPTED' } });
  expect(fromOf(answer.headers)).toBe('CA*NOB');
  await get('receiver/commands/START_SESSION', { method: 'POST', body });
  expect(asked).toEqual(['NOB', undefined]);
});

const mine = { ...exampleToken, country_code: 'CA', party_id: 'QBC' };
const references = { location_id: 'L', evse_uids: ['E'] };
const profile = { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10 }] };
const changed = { max_amperage: 16, last_updated: at };
const everyone = ['MTL', 'QBC', 'LAV'].map(of);
/** Of NOB, and in February. */
const february = { page: { dateFrom: '2022-02-01T00:00:00Z', dateTo: '2022-03-01T00:00:00Z', offset: 1, limit: 2 }, owner: of('NOB') };
const window = 'date_from=2022-02-01T00:00:00&date_to=2022-03-01T00:00:00Z&offset=1&limit=2';
const place = { location_id: 'SITE-NOB', evse_uid: 'E', connector_id: '2' };
const placeAsked = { locationId: 'SITE-NOB', evseUid: 'E', connectorId: '2' };
const reservation = { ...place, reservation_id: 'R', expiry_date: '2030-01-01T00:00:00', token: mine, authorization_reference: 'REF' };

test.each<[verb: string, method: string, path: string, to: string, body: object | undefined, asked: object]>([
  ['list-locations', 'GET', `sender/locations?${window}`, 'NOB', undefined, february],
  ['list-tariffs', 'GET', `sender/tariffs?${window}`, 'NOB', undefined, february],
  ['list-sessions', 'GET', `sender/sessions?${window}`, 'NOB', undefined, { ...february, tokenParties: everyone }],
  ['list-cdrs', 'GET', `sender/cdrs?${window}`, 'NOB', undefined, { ...february, tokenParties: everyone }],
  ['list-tokens', 'GET', `sender/tokens?${window}`, 'NOE', undefined, { ...february, owner: of('NOE') }],
  ['put-partner-location', 'PATCH', 'receiver/locations/CA/LAV/L/E/1', 'NOE', changed,
    { party: of('LAV'), locationId: 'L', evseUid: 'E', connectorId: '1', patch: true, bodyJson: changed }],
  ['get-token', 'GET', 'receiver/tokens/CA/MTL/04?type=APP_USER', 'NOB', undefined, { party: of('MTL'), uid: '04', type: 'APP_USER' }],
  ['put-partner-token', 'PATCH', 'receiver/tokens/CA/MTL/04?type=APP_USER', 'NOB', { valid: false, last_updated: at },
    { party: of('MTL'), uid: '04', type: 'APP_USER', patch: true }],
  ['answer-authorize', 'POST', 'sender/tokens/04/authorize?type=APP_USER', 'NOE', references,
    { uid: '04', type: 'APP_USER', party: of('NOE'), asker: of('LAV'), locationReferencesJson: references }],
  ['start-session', 'POST', 'receiver/commands/START_SESSION', 'NOB', { ...place, token: mine, authorization_reference: 'REF' },
    { ...placeAsked, party: of('NOB'), tokenJson: mine, authorizationReference: 'REF' }],
  ['stop-session', 'POST', 'receiver/commands/STOP_SESSION', 'NOB', { session_id: 'S' }, { sessionId: 'S', party: of('NOB'), parties: everyone }],
  ['reserve-evse', 'POST', 'receiver/commands/RESERVE_NOW', 'NOB', reservation, {
    reservationId: 'R', locationId: 'SITE-NOB', evseUid: 'E', expiresAt: '2030-01-01T00:00:00Z', party: of('NOB'), authorizationReference: 'REF',
  }],
  ['cancel-reservation', 'POST', 'receiver/commands/CANCEL_RESERVATION', 'NOB', { reservation_id: 'R' },
    { reservationId: 'R', party: of('NOB'), parties: everyone }],
  ['resolve-evse', 'POST', 'receiver/commands/UNLOCK_CONNECTOR', 'NOB', place, { ...placeAsked, party: of('NOB') }],
  ['request-profile', 'PUT', 'receiver/chargingprofiles/S', 'NOB', { charging_profile: profile },
    { method: 'PUT', sessionId: 'S', party: of('NOB'), parties: everyone, profile: { unit: 'A' } }],
  ['set-preferences', 'PUT', 'sender/sessions/S/charging_preferences', 'NOB', { profile_type: 'FAST' },
    { sessionId: 'S', party: of('NOB'), parties: everyone, preferencesJson: { profile_type: 'FAST' } }],
])('TRN-50 TOK-01 TOK-04 CMD-08 HUB-01: %s is asked all that %s %s says to CA*%s', async (verb, method, path, party, body, asked) => {
  const { neighbours } = north;
  neighbours.asked.length = 0;
  const headers = { ...to(party), 'OCPI-from-party-id': 'LAV', 'OCPI-from-country-code': 'CA' };
  const said = body && (method === 'POST' || 'charging_profile' in body ? { response_url: `${montreal.base}/results/2`, ...body } : body);
  const { status_message } = await get(path, { method, headers, ...(said ? { body: path.includes('authorize') ? body : said } : {}) });
  const read = (value: unknown): unknown => (value instanceof Uint8Array ? fromJsonBytes(value) : value);
  const asks = neighbours.asked.filter((one) => one.verb === verb)
    .map(({ request }) => Object.fromEntries(Object.entries(request).map(([name, value]) => [name, read(value)])));
  expect(asks.at(-1), status_message).toMatchObject(asked);
});

test('nobody registers as one of our parties', async () => {
  const impostor = await HandPartner.open('Impostor', 'IMP', 'EMSP', ['RECEIVER locations'], ['EMSP NOB']);
  expect(await impostor.register(north)).toMatchObject({ status_message: expect.stringContaining('CA*NOB is this platform') });
  await impostor.close();
});
