import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { told } from '#bus';
import { activeProfileChanged, profileSettled } from '#contracts/evems-controller';
import { chooseQuirks, getPartnerProfile, listPartners, listQuirks, sendProfileRequest, SendOutcome } from '#contracts/ocpi-gateway';
import { type RequestProfile, requestProfile, sessionEnded, setPreferences } from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import { HandPartner } from './hand-partner.ts';
import { call, openSide, type Side } from './side.ts';

// Charging profiles at the edge: of our sessions, and of our drivers' sessions at partners.

let oasis: Side;
let montreal: HandPartner;
const asked: RequestProfile[] = [];
let reply: object;
let preferred: 'ACCEPTED' | Rejected;

beforeAll(async () => {
  const party = { country_code: 'CA', party_id: 'BCT', name: 'Energy OASIS', roles: ['CPO', 'EMSP'], currency: 'CAD' };
  oasis = await openSide({ party });
  montreal = await HandPartner.open('Montreal', 'MTL', 'EMSP', [
    'SENDER tokens', 'SENDER chargingprofiles', 'RECEIVER chargingprofiles', 'SENDER sessions',
  ], ['CPO']);
  await montreal.register(oasis);
  const { bus } = oasis.neighbours;
  await bus.answer(requestProfile, async (requests) => requests.map((request) => {
    asked.push(request);
    return { result: 'ACCEPTED', timeoutS: 60, message: '', ...reply };
  }));
  await bus.answer(setPreferences, async (requests) => requests.map(() =>
    (preferred instanceof Rejected ? preferred : { response: preferred })));
});
afterEach(() => {
  montreal.seen.length = 0;
  montreal.answer = () => ({});
  asked.length = 0;
  reply = {};
});
afterAll(async () => {
  await montreal?.close();
  await oasis?.close();
});

const profile = { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10 }] };
const result = (n: string) => `${montreal.base}/results/${n}`;
const at = (path: string) => `/ocpi/2.2.1/receiver/chargingprofiles/${path}`;
const ask = (path: string, more: object = {}) => call(oasis, at(path), { token: montreal.token, ...more });
const put = (session: string, n: string) =>
  ask(session, { method: 'PUT', body: { charging_profile: profile, response_url: result(n) } });
const inQuery = (n: string) => `response_url=${encodeURIComponent(result(n))}`;

const now = () => new Date().toISOString();
const settle = (orderId: string, sessionId: string, obeyed = true) =>
  oasis.neighbours.tell(told(profileSettled, { siteId: 'SITE', orderId, sessionId, obeyed, at: now() }));
const change = (sessionId: string, ...limits: number[]) => oasis.neighbours.tell(...limits.map((limit) =>
  told(activeProfileChanged, {
    siteId: 'SITE', sessionId, at: now(),
    profile: { startAt: '2022-02-01T17:00:00Z', unit: 'A', periods: [{ startS: 0, limit: String(limit) }, { startS: 600, limit: '32' }] },
  })));
const came = (start: string) => montreal.seen.filter(({ what }) => what.startsWith(start)).map(({ body }) => body);
const pushed = (session: string) => came(`PUT /chargingprofiles/${session}`)
  .map((body) => (body as { charging_profile: typeof profile }).charging_profile.charging_profile_period[0]?.limit);

test('CHP-01 CHP-04: the response comes at once, the result once the charger obeys, and once alone', async () => {
  expect(await put('S-1', 'one')).toMatchObject({ http: 200, status_code: 1000, data: { result: 'ACCEPTED', timeout: 60 } });
  const [{ orderId, sessionId, method, profile: given, parties }] = asked as [RequestProfile];
  expect({ sessionId, method, parties: parties.map(({ partyId }) => partyId) }).toEqual({
    sessionId: 'S-1',
    method: 'PUT',
    parties: ['MTL'],
  });
  expect(given).toMatchObject({ unit: 'A', periods: [{ startS: 0, limit: '10' }] });
  expect(came('POST /results')).toEqual([]);
  await settle(orderId, 'S-1');
  await expect.poll(() => came('POST /results/one')).toEqual([{ result: 'ACCEPTED' }]);
  await settle(orderId, 'S-1');
  await change('S-1', 10);
  await expect.poll(() => pushed('S-1')).toEqual([10]);
  expect(came('POST /results/one')).toHaveLength(1);
});

test('CHP-01: seconds beyond all measure are as many as can be said', async () => {
  const periods = [{ start_period: 0, limit: 10 }, { start_period: 9_007_199_254_740_991, limit: 6 }];
  const body = { charging_profile: { ...profile, duration: 4_294_967_296, charging_profile_period: periods }, response_url: result('long') };
  expect(await ask('S-LONG', { method: 'PUT', body })).toMatchObject({ http: 200, status_code: 1000, data: { result: 'ACCEPTED' } });
  const [{ profile: given }] = asked as [RequestProfile];
  expect(given).toMatchObject({ durationS: 4_294_967_295, periods: [{ startS: 0 }, { startS: 4_294_967_295 }] });
});

test('CHP-02: nobody is told of an active profile before a profile of the session was obeyed, and afterwards of each change', async () => {
  await put('S-2', 'two');
  const { orderId } = asked[0]!;
  await change('S-2', 32);
  await settle(orderId, 'S-2');
  await change('S-2', 10);
  await expect.poll(() => pushed('S-2')).toEqual([10]);
  const [{ headers }] = montreal.seen.filter(({ what }) => what.startsWith('PUT /chargingprofiles')) as [(typeof montreal.seen)[0]];
  expect(headers).toMatchObject({ 'ocpi-to-party-id': 'MTL', 'ocpi-from-party-id': 'BCT' });
  expect(came('PUT /chargingprofiles/S-2')).toEqual([{
    start_date_time: expect.stringMatching(/^2022-02-01T17:00:00/),
    charging_profile: {
      start_date_time: expect.stringMatching(/^2022-02-01T17:00:00/), charging_rate_unit: 'A',
      charging_profile_period: [{ start_period: 0, limit: 10 }, { start_period: 600, limit: 32 }],
    },
  }]);
});

test('CHP-02: after an outage the newest active profile is told, and none that is past', async () => {
  await put('S-3', 'three');
  await settle(asked[0]!.orderId, 'S-3');
  await expect.poll(() => came('POST /results/three')).toHaveLength(1);
  montreal.answer = () => ({ http: 503 });
  await change('S-3', 20);
  await expect.poll(() => pushed('S-3').length).toBeGreaterThan(0);
  await change('S-3', 19, 18);
  // The facts of a site come in order: when this one is heard, so are those.
  await settle('nobody', 'S-3');
  montreal.answer = () => ({});
  await expect.poll(() => pushed('S-3').at(-1)).toBe(18);
  await oasis.neighbours.tell(told(sessionEnded, {
    sessionId: 'S-3', tokenParty: { countryCode: 'CA', partyId: 'MTL' }, locationJson: toJsonBytes({}), tariffJson: toJsonBytes({}),
    tokenJson: toJsonBytes({}), energyWh: '0',
    sessionJson: toJsonBytes({ id: 'S-3', cdr_token: { contract_id: 'C' }, start_date_time: now(), last_updated: now() }),
  }));
});

test('CHP-01: a profile that is not taken, or not obeyed, changes nothing: no result after a no, and REJECTED after a yes', async () => {
  reply = { result: 'TOO_OFTEN', message: 'one change in 10 s is taken for a session' };
  expect(await put('S-4', 'often')).toMatchObject({ status_code: 1000, data: { result: 'TOO_OFTEN' } });
  reply = {};
  await put('S-4', 'four');
  await settle(asked[0]!.orderId, 'S-4');
  await settle(asked[1]!.orderId, 'S-4', false);
  await expect.poll(() => came('POST /results/four')).toEqual([{ result: 'REJECTED' }]);
  await change('S-4', 10);
  await put('S-5', 'five');
  await settle(asked[2]!.orderId, 'S-5');
  await expect.poll(() => came('POST /results/five')).toEqual([{ result: 'ACCEPTED' }]);
  expect(came('POST /results/often')).toEqual([]);
  expect(pushed('S-4')).toEqual([]);
});

test('CHP-01: where nobody says in time whether it is obeyed, the result is REJECTED', async () => {
  reply = { timeoutS: 1 };
  await put('S-6', 'late');
  await expect.poll(() => came('POST /results/late')).toEqual([{ result: 'REJECTED' }]);
});

test('CHP-01: GET and DELETE have their result at once, but after the response; the profile is as long as was asked', async () => {
  const periods = [{ startS: 0, limit: '10.5' }, { startS: 600, limit: '16' }, { startS: 1200, limit: '32' }];
  reply = { outcome: 'ACCEPTED', active: { startAt: '2022-02-01T17:00:00Z', unit: 'A', periods } };
  expect(await ask(`S-7?duration=900&${inQuery('get')}`)).toMatchObject({ data: { result: 'ACCEPTED' } });
  await expect
    .poll(() => came('POST /results/get'))
    .toMatchObject([
      {
        result: 'ACCEPTED',
        profile: {
          charging_profile: {
            duration: 900,
            charging_profile_period: [
              { start_period: 0, limit: 10.5 },
              { start_period: 600, limit: 16 },
            ],
          },
        },
      },
    ]);
  reply = { outcome: 'UNKNOWN' };
  await ask(`S-7?${inQuery('delete')}`, { method: 'DELETE' });
  await expect.poll(() => came('POST /results/delete')).toEqual([{ result: 'UNKNOWN' }]);
});

test.each([
  ['without a response_url', 'S-8?duration=900', {}],
  ['without a duration', `S-8?response_url=${encodeURIComponent('http://127.0.0.1:9/x')}`, {}],
  ['with a response_url that is none of HTTP', `S-8?response_url=${encodeURIComponent('file:///etc/passwd')}`, { method: 'DELETE' }],
  ['with a limit of two decimals', 'S-8', {
    method: 'PUT', body: {
      response_url: 'http://127.0.0.1:9/x',
      charging_profile: { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10.55 }] },
    },
  }],
])('CHP-01 CHP-04: a request %s is refused, and nobody is asked', async (_what, path, more) => {
  expect(await ask(path, more)).toMatchObject({ status_code: 2001 });
  expect(asked).toEqual([]);
});

test('SES-20: the answer to preferences is the bare word; of an EVSE that takes none it is HTTP 404 and 2001', async () => {
  const prefer = (body: object) =>
    call(oasis, '/ocpi/2.2.1/sender/sessions/S-9/charging_preferences', { token: montreal.token, method: 'PUT', body });
  preferred = 'ACCEPTED';
  expect(
    await prefer({ profile_type: 'GREEN', departure_time: '2022-02-01T19:00:00Z', energy_need: 12 }),
  ).toMatchObject({ http: 200, data: 'ACCEPTED' });
  preferred = new Rejected('not-capable', 'EVSE L2-01 does not have the capability');
  expect(await prefer({ profile_type: 'GREEN' })).toMatchObject({ http: 404, status_code: 2001 });
  preferred = new Rejected('unknown-session', 'no such session');
  expect(await prefer({ profile_type: 'GREEN' })).toMatchObject({ http: 404 });
  expect(await prefer({ profile_type: 'SLOW' })).toMatchObject({ status_code: 2001 });
});

const mtl = { countryCode: 'CA', partyId: 'MTL' };
const send = (orderId: string, sessionId: string, method: string, more: object = {}) =>
  oasis.neighbours.bus.ask(sendProfileRequest, { orderId, party: mtl, sessionId, method, durationS: 900, ...more });

test('CHP-05: as eMSP we set a profile at the CPO, once for an order; its result and the active profile are kept, the newest of them', async () => {
  const bodyJson = toJsonBytes(profile);
  const early = await call(oasis, '/ocpi/2.2.1/sender/chargingprofiles/T-1', {
    token: montreal.token,
    method: 'PUT',
    body: { start_date_time: now(), charging_profile: profile },
  });
  expect(early, 'nothing was set yet').toMatchObject({ http: 404 });
  montreal.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
  for (const _ of ['first', 'again']) {
    expect(await send('P-1', 'T-1', 'PUT', { bodyJson })).toMatchObject({
      outcome: SendOutcome.ANSWERED,
      response: 'ACCEPTED',
      timeoutS: 30,
    });
  }
  const [{ charging_profile: given, response_url: url }, ...more] = came('PUT /chargingprofiles/T-1') as [
    { charging_profile: object; response_url: string },
  ];
  expect(given).toEqual(profile);
  expect(more).toEqual([]);
  expect(await call(oasis, url, { token: montreal.token, method: 'POST', body: { result: 'ACCEPTED' } })).toMatchObject(
    { status_code: 1000 },
  );
  expect(
    await call(oasis, url.replace('P-1', 'P-0'), {
      token: montreal.token,
      method: 'POST',
      body: { result: 'ACCEPTED' },
    }),
  ).toMatchObject({ http: 404 });
  for (const limit of [10, 8]) {
    const active = {
      start_date_time: now(),
      charging_profile: { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit }] },
    };
    await call(oasis, '/ocpi/2.2.1/sender/chargingprofiles/T-1', {
      token: montreal.token,
      method: 'PUT',
      body: active,
    });
  }
  const { requests, activeJson } = await oasis.neighbours.bus.ask(getPartnerProfile, { party: mtl, sessionId: 'T-1' });
  expect(requests).toMatchObject([{ orderId: 'P-1', method: 'PUT', response: 'ACCEPTED', result: 'ACCEPTED' }]);
  expect(fromJsonBytes(activeJson!)).toMatchObject({ charging_profile: { charging_profile_period: [{ limit: 8 }] } });
});

test('CHP-04: results of profiles go wrapped to a partner with that quirk, and are understood wrapped from any', async () => {
  const { bus } = oasis.neighbours;
  const { partners: [{ partnerId } = { partnerId: '' }] } = await bus.ask(listPartners, {});
  await bus.ask(chooseQuirks, { partnerId, set: ['wrapped-results'], unset: [] });
  await put('S-W', 'wrapped');
  await settle(asked[0]!.orderId, 'S-W');
  await expect
    .poll(() => came('POST /results/wrapped'))
    .toMatchObject([{ data: { result: 'ACCEPTED' }, status_code: 1000, timestamp: expect.stringMatching(/^\d{4}-/) }]);
  await change('S-W', 10);
  await expect.poll(() => came('PUT /chargingprofiles/S-W')).toMatchObject([{ charging_profile: { charging_rate_unit: 'A' } }]);
  await bus.ask(chooseQuirks, { partnerId, set: [], unset: ['wrapped-results'] });
  montreal.answer = () => ({ data: { result: 'ACCEPTED', timeout: 30 } });
  await send('P-W', 'T-W', 'PUT', { bodyJson: toJsonBytes(profile) });
  const [{ response_url: url }] = came('PUT /chargingprofiles/T-W') as [{ response_url: string }];
  const body = { data: { result: 'REJECTED' }, status_code: 1000, timestamp: now() };
  expect(await call(oasis, url, { token: montreal.token, method: 'POST', body })).toMatchObject({ status_code: 1000 });
  expect((await bus.ask(getPartnerProfile, { party: mtl, sessionId: 'T-W' })).requests).toMatchObject([{ result: 'REJECTED' }]);
});

test('CHP-01: what a partner answered to a profile counts, also where its timeout is missing or a text; and it is noted', async () => {
  const { bus } = oasis.neighbours;
  const answered = (orderId: string, data: object) => {
    montreal.answer = () => ({ data });
    return send(orderId, 'T-S', 'PUT', { bodyJson: toJsonBytes(profile) });
  };
  expect(await answered('S-1', { result: 'ACCEPTED' })).toMatchObject({ outcome: SendOutcome.ANSWERED, response: 'ACCEPTED' });
  expect(await answered('S-2', { result: 'TOO_OFTEN', timeout: '5' })).toMatchObject({ outcome: SendOutcome.ANSWERED, response: 'TOO_OFTEN' });
  expect(await answered('S-3', { result: 'FINE', timeout: 5 })).toMatchObject({ outcome: SendOutcome.UNCLEAR });
  const { partners: [{ partnerId } = {}] } = await bus.ask(listPartners, {});
  const seen = async () => (await bus.ask(listQuirks, { partnerId: partnerId! })).quirks.find(({ name }) => name === 'sloppy-command-responses');
  await expect.poll(async () => (await seen())?.times).toBe(2);
});

test('what a partner does not answer clearly is said to be so; what has no partner goes nowhere', async () => {
  montreal.answer = () => 'hang up';
  expect(await send('P-2', 'T-2', 'DELETE')).toMatchObject({ outcome: SendOutcome.UNCLEAR });
  montreal.answer = () => ({ http: 404, status: 2001 });
  expect(await send('P-3', 'T-2', 'PREFERENCES', { bodyJson: toJsonBytes({ profile_type: 'FAST' }) }))
    .toMatchObject({ outcome: SendOutcome.ANSWERED, response: 'NOT_POSSIBLE' });
  expect(await send('P-4', 'T-2', 'GET', { party: { countryCode: 'CA', partyId: 'NOB' } })).toMatchObject({
    outcome: SendOutcome.NO_PARTNER,
  });
});
