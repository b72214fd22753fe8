import type { ActiveChargingProfile, ChargingProfileResponse, Outcome, Session } from '#ocpi';
import { exampleTerms } from '#settlement';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Portal, PortalRefused } from '../../../scripts/demo-portal.ts';
import type { ProfileRequestView, ProfileView } from '../../portal/src/charge-profiles.ts';
import { activeSession, beginByCard, endByCard, sessionsOf, stall } from './charge.ts';
import { dataOf, type Incoming, RawPartner } from './raw-partner.ts';
import { blakesCard, crewCard, eventually, invitation, setStage, type Stage } from './stage.ts';

// A smart charging service provider limits charges at Energy OASIS, because an agreement grants it: real HTTP, a charger that obeys.

const [first, second] = [stall(1), stall(2)];
const blakesContract = 'CA-CPK-C00000002-H';
const plunk = { country_code: 'CA', party_id: 'CPK' };

let stage: Stage;
let scsp: RawPartner;
let blake: Portal;
let session: Session;
let others: Session;

// 80 A for ten stalls that keep 6 A each: two cars have 16 A each.
beforeAll(async () => {
  stage = await setStage({ hosting: 'one', rate: 120, everyS: 60, feederA: 80 });
  scsp = await RawPartner.open('SCSP', 'SMC');
  await scsp.register(await invitation(stage.oasis, 'A smart charging service provider', 'SMC'));
  blake = await stage.driver('blake');
  await beginByCard(stage, { station: first.station, card: blakesCard });
  await beginByCard(stage, { station: second.station, card: crewCard(2) });
  session = await activeSession(stage.plunk, first.evseUid);
  others = await activeSession(stage.plunk, second.evseUid);
});
afterAll(async () => {
  await scsp?.close();
  await stage?.stop();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

const grantOf = (more: object = {}) =>
  ({ token_party: plunk, contract_ids: [blakesContract], consent: 'Carbon Plunk, contract 2022-17; its driver, in the app', ...more });

/** The agreement between OASIS and the provider. */
const agree = (...granted: object[]) => stage.oasis.operator.put<{ warnings: string[] }>('/v1/operator/partners/CA/SMC/agreement', {
  ...exampleTerms, fees: [], grants: { smart_charging: granted },
  parties: [exampleTerms.parties[0], { ...exampleTerms.parties[1]!, party_id: 'SMC', name: 'Smart Charging Inc.' }],
});

const amps = (limit: number) => ({ charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit }] });
const responseOf = (outcome: Outcome) => dataOf<ChargingProfileResponse>(outcome).result;
const at = (id: string) => scsp.at('chargingprofiles', 'RECEIVER', id);

/** What is answered at once, and what comes to the response_url. */
let asked = 0;
async function put(id: string, limit: number) {
  const exchange = `put-${(asked += 1)}`;
  const body = { charging_profile: amps(limit), response_url: scsp.responseUrl(exchange) };
  return { response: responseOf(await scsp.send('put', at(id), body)), exchange };
}
async function clear(id: string) {
  const exchange = `clear-${(asked += 1)}`;
  const url = `${at(id)}?response_url=${encodeURIComponent(scsp.responseUrl(exchange))}`;
  return { response: responseOf(await scsp.send('delete', url)), exchange };
}
const results = (exchange: string) => scsp.incoming.filter(({ path }) => path === `/results/${exchange}`).map(({ body }) => body);
const resultIs = (exchange: string, result: string) => expect.poll(() => results(exchange)).toEqual([{ result }]);
async function obeyed(id: string, limit: number): Promise<void> {
  const { response, exchange } = await put(id, limit);
  expect(response).toBe('ACCEPTED');
  await resultIs(exchange, 'ACCEPTED');
}

const seen = () => scsp.received('sessions');
const seenOf = (id: string): Incoming[] => seen().filter(({ path }) => path.endsWith(`/${id}`));
const listed = async () =>
  dataOf<Session[]>(await scsp.send('get', `${scsp.at('sessions', 'SENDER')}?date_from=2000-01-01T00:00:00Z`));
const told = () => {
  const pushed = scsp.incoming.filter(({ method, path }) => method === 'PUT' && path.startsWith('/sender/chargingprofiles/'));
  const last = pushed.at(-1)?.body as ActiveChargingProfile | undefined;
  return last?.charging_profile.charging_profile_period?.map(({ limit }) => Number(limit));
};
const toldIs = (...limits: number[]) => expect.poll(told).toEqual(limits);

async function drawnA(): Promise<number> {
  const { limitA } = await stage.chargers.until({ event: 'meter', station: first.station }, { since: stage.chargers.events.length });
  return Number(limitA);
}
const askedToDraw = (limitA: number) => expect.poll(drawnA).toBe(limitA);

const charge = () => `/v1/charges/${encodeURIComponent(`${session.country_code}*${session.party_id}*${session.id}`)}`;
async function driverDoes(request: Promise<ProfileRequestView>): Promise<void> {
  const { request_id: id } = await request;
  const result = await eventually('the driver has a result', async () =>
    (await blake.get<ProfileView>(`${charge()}/profile`)).requests.find((one) => one.request_id === id)?.result);
  expect(result).toBe('ACCEPTED');
}

test('CHP-03: without a grant a provider hears of no Session, finds none, and all it asks is REJECTED', async () => {
  expect((await put(session.id, 6)).response).toBe('REJECTED');
  expect(await listed()).toEqual([]);
  expect(seen()).toEqual([]);
});

test.each([
  ['without a word on who allowed it', { consent: '' }, 'consent'],
  ['with a token_party that is none', { token_party: { country_code: 'CA', party_id: 'CARBON' } }, 'token_party'],
  ['that ends before it begins', { since: '2022-03-01T00:00:00Z', until: '2022-02-01T00:00:00Z' }, 'until: is not after since'],
  ['until no instant', { until: 'next year' }, 'until'],
  ['with a field that is none', { contracts: [blakesContract] }, 'contracts'],
])('CHP-03: a grant %s is refused, and the refusal names it', async (_what, more, named) => {
  const refusal = await agree(grantOf(more)).catch((error: PortalRefused) => error) as PortalRefused;
  expect({ status: refusal.status, message: refusal.message }).toEqual({
    status: 400, message: expect.stringMatching(new RegExp(`grants.smart_charging.*${named}`, 's')),
  });
});

test('CHP-05: the running Session of a contract that is granted goes to the provider, without its driver; no other does', async () => {
  await agree(grantOf());
  const [{ method, path, body }] = await eventually('the Session is there', () => seen().length > 0 && seen()) as [Incoming];
  expect({ method, path }).toEqual({ method: 'PUT', path: `/receiver/sessions/CA/BCT/${session.id}` });
  expect(body).toMatchObject({ id: session.id, status: 'ACTIVE', evse_uid: first.evseUid, cdr_token: { ...plunk, type: 'RFID' } });
  expect(JSON.stringify(scsp.incoming)).not.toContain(blakesCard);
  expect(JSON.stringify(scsp.incoming)).not.toContain(blakesContract);
  const [shown, ...more] = await listed();
  expect(more).toEqual([]);
  expect(shown).toMatchObject({ id: session.id, cdr_token: (body as Session).cdr_token });
  expect(shown).not.toHaveProperty('total_cost');
  expect(seenOf(others.id)).toEqual([]);
});

test('CHP-03: Tokens and CDRs are not for a provider', async () => {
  const tokens = scsp.at('sessions', 'SENDER').replace(/sessions$/, 'tokens');
  expect(await scsp.send('get', tokens)).toMatchObject({ kind: 'refused', http: 404 });
  expect(dataOf(await scsp.send('get', scsp.at('cdrs', 'SENDER')))).toEqual([]);
});

test('CHP-01 CHP-02: it sets a profile, has the result, and hears of the active profile', async () => {
  await obeyed(session.id, 10);
  await toldIs(10);
  await askedToDraw(10);
});

test('CHP-05: what is another\'s is REJECTED, and an id that is made up UNKNOWN_SESSION', async () => {
  expect((await put(others.id, 6)).response).toBe('REJECTED');
  expect((await clear(others.id)).response).toBe('REJECTED');
  expect((await put(`${session.id}x`, 6)).response).toBe('UNKNOWN_SESSION');
  await askedToDraw(10);
});

test('CHP-03 CHP-05: the owner of the token takes its charge back at any time, and keeps it until it clears its profile', async () => {
  await driverDoes(blake.put(`${charge()}/profile`, amps(8)));
  await askedToDraw(8);
  // CHP-02: who set one before hears of that, too.
  await toldIs(8);
  expect((await put(session.id, 12)).response).toBe('REJECTED');
  expect((await clear(session.id)).response).toBe('REJECTED');
  await driverDoes(blake.delete(`${charge()}/profile`));
  await obeyed(session.id, 12);
  await askedToDraw(12);
});

test('CHP-05: a provider that is down costs nobody anything, and has the newest when it is back, over a restart of the operator', async () => {
  const before = seenOf(session.id).length;
  scsp.isDown = true;
  const kwh = Number((await activeSession(stage.plunk, first.evseUid)).kwh);
  await expect.poll(async () => Number((await activeSession(stage.plunk, first.evseUid)).kwh)).toBeGreaterThan(kwh);
  await stage.oasis.stop();
  await stage.oasis.startAgain('one');
  scsp.isDown = false;
  await expect.poll(() => seenOf(session.id).length).toBeGreaterThan(before);
  await askedToDraw(12);
});

test('CHP-03: a grant that is revoked in the midst of a charge ends what was set, and nothing is told any more', async () => {
  const before = scsp.incoming.length;
  await agree(grantOf({ contract_ids: ['CA-CPK-C00000009-X'] }));
  await askedToDraw(16);
  expect(await listed()).toEqual([]);
  expect((await put(session.id, 6)).response).toBe('REJECTED');
  const news = seenOf(session.id).length;
  await stage.chargers.until({ event: 'meter', station: first.station }, { since: stage.chargers.events.length });
  await stage.chargers.until({ event: 'meter', station: first.station }, { since: stage.chargers.events.length });
  expect(seenOf(session.id)).toHaveLength(news);
  expect(scsp.incoming.slice(before).filter(({ path }) => path.includes('chargingprofiles'))).toEqual([]);
});

test('CHP-05: a grant that ends by itself ends so, too', async () => {
  const platformNow = await stage.oasis.query<{ last_updated: Date }>('SELECT max(last_updated) AS last_updated FROM sessions.own_sessions');
  const until = new Date(platformNow[0]!.last_updated.getTime() + 30 * 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
  await agree(grantOf({ until }));
  await expect.poll(listed).toHaveLength(1);
  await obeyed(session.id, 9);
  await askedToDraw(9);
  await askedToDraw(16);
  expect(await listed()).toEqual([]);
});

test('CHP-05: the end of a Session that is granted is told, and neither its CDR nor its price', async () => {
  await agree(grantOf());
  await expect.poll(listed).toHaveLength(1);
  await endByCard(stage, { station: first.station, card: blakesCard });
  await eventually('the Session is over', async () => (await sessionsOf(stage.plunk, first.evseUid)).some(({ status }) => status === 'COMPLETED'));
  await expect.poll(() => (seenOf(session.id).at(-1)?.body as Session | undefined)?.status).toBe('COMPLETED');
  expect(JSON.stringify(seen())).not.toContain('total_cost');
  expect(scsp.received('cdrs')).toEqual([]);
  expect((await put(session.id, 6)).response).toBe('REJECTED');
});
