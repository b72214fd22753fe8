import type { ActiveChargingProfileResult, Session } from '#ocpi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Portal, PortalRefused } from '../../../scripts/portal.ts';
import type { ProfileRequestView } from '../../portal/src/charge-profiles.ts';
import { activeSession, beginByCard, drawnA, endByCard, profileAccepted, profileUrl, sessionsOf, stall } from './charge.ts';
import { amps, Provider } from './provider.ts';
import { dataOf, type Incoming } from './raw-partner.ts';
import { blakesCard, crewCard, eventually, setStage, type Stage } from './stage.ts';

// A smart charging service provider limits charges at Energy OASIS, because an agreement with it grants it, or Carbon Plunk, whose
// driver charges: real HTTP, a charger that obeys.

const [first, second] = [stall(1), stall(2)];
const blakesContract = 'CA-CPK-C00000002-H';
const plunk = { country_code: 'CA', party_id: 'CPK' };

let stage: Stage;
let blake: Portal;
let session: Session;
let others: Session;

// 80 A for ten stalls that keep 6 A each: two cars have 16 A each.
beforeAll(async () => {
  stage = await setStage({ hosting: 'one', rate: 120, everyS: 60, feederA: 80 });
  blake = await stage.driver('blake');
  await beginByCard(stage, { station: second.station, card: crewCard(2) });
  others = await activeSession(stage.plunk, second.evseUid);
});
afterAll(() => stage?.stop());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

async function blakeCharges(): Promise<Session> {
  await beginByCard(stage, { station: first.station, card: blakesCard });
  return activeSession(stage.plunk, first.evseUid);
}

const askedToDraw = (limitA: number) => expect.poll(() => drawnA(stage, first)).toBe(limitA);

const driverDoes = (request: Promise<ProfileRequestView>) => profileAccepted(blake, session, request);

describe('that an operator lets', () => {
  let scsp: Provider;

  beforeAll(async () => {
    scsp = await Provider.at(stage.oasis);
    session = await blakeCharges();
  });
  afterAll(async () => {
    await agree();
    await scsp?.raw.close();
  });

  const grantOf = (more: object = {}) =>
    ({ token_party: plunk, contract_ids: [blakesContract], consent: 'Carbon Plunk, contract 2022-17; its driver, in the app', ...more });

  const agree = (...granted: object[]) => scsp.agree(0, ...granted);

  test('CHP-03: without a grant a provider hears of no Session, finds none, and all it asks is REJECTED', async () => {
    expect((await scsp.put(session.id, 6)).response).toBe('REJECTED');
    expect(await scsp.listed()).toEqual([]);
    expect(scsp.seen()).toEqual([]);
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
    const [{ method, path, body }] = await eventually('the Session is there', () => scsp.seen().length > 0 && scsp.seen()) as [Incoming];
    expect({ method, path }).toEqual({ method: 'PUT', path: `/receiver/sessions/CA/BCT/${session.id}` });
    expect(body).toMatchObject({ id: session.id, status: 'ACTIVE', evse_uid: first.evseUid, cdr_token: { ...plunk, type: 'RFID' } });
    expect(JSON.stringify(scsp.raw.incoming)).not.toContain(blakesCard);
    expect(JSON.stringify(scsp.raw.incoming)).not.toContain(blakesContract);
    const [shown, ...more] = await scsp.listed();
    expect(more).toEqual([]);
    expect(shown).toMatchObject({ id: session.id, cdr_token: (body as Session).cdr_token });
    expect(shown).not.toHaveProperty('total_cost');
    expect(scsp.seen(others.id)).toEqual([]);
  });

  test('CHP-03: Tokens and CDRs are not for a provider', async () => {
    const tokens = scsp.raw.at('sessions', 'SENDER').replace(/sessions$/, 'tokens');
    expect(await scsp.raw.send('get', tokens)).toMatchObject({ kind: 'refused', http: 404 });
    expect(dataOf(await scsp.raw.send('get', scsp.raw.at('cdrs', 'SENDER')))).toEqual([]);
  });

  test('CHP-01 CHP-02: it sets a profile, has the result, and hears of the active profile', async () => {
    await scsp.limit(session.id, 10);
    await scsp.toldIs(10);
    await askedToDraw(10);
  });

  test('CHP-05: what is another\'s is REJECTED, and an id that is made up UNKNOWN_SESSION', async () => {
    expect((await scsp.put(others.id, 6)).response).toBe('REJECTED');
    expect((await scsp.clear(others.id)).response).toBe('REJECTED');
    expect((await scsp.put(`${session.id}x`, 6)).response).toBe('UNKNOWN_SESSION');
    await askedToDraw(10);
  });

  test('CHP-03 CHP-05: the owner of the token takes its charge back at any time, and keeps it until it clears its profile', async () => {
    await driverDoes(blake.put(profileUrl(session), amps(8)));
    await askedToDraw(8);
    // CHP-02: who set one before hears of that, too.
    await scsp.toldIs(8);
    expect((await scsp.put(session.id, 12)).response).toBe('REJECTED');
    expect((await scsp.clear(session.id)).response).toBe('REJECTED');
    await driverDoes(blake.delete(profileUrl(session)));
    await scsp.limit(session.id, 12);
    await askedToDraw(12);
  });

  test('CHP-05: a provider that is down costs nobody anything, and has the newest when it is back, over a restart of the operator', async () => {
    const before = scsp.seen(session.id).length;
    scsp.raw.isDown = true;
    const kwh = Number((await activeSession(stage.plunk, first.evseUid)).kwh);
    await expect.poll(async () => Number((await activeSession(stage.plunk, first.evseUid)).kwh)).toBeGreaterThan(kwh);
    await stage.oasis.stop();
    await stage.oasis.startAgain('one');
    scsp.raw.isDown = false;
    await expect.poll(() => scsp.seen(session.id).length).toBeGreaterThan(before);
    await askedToDraw(12);
  });

  test('CHP-03: a grant that is revoked in the midst of a charge ends what was set, and nothing is told any more', async () => {
    const before = scsp.raw.incoming.length;
    await agree(grantOf({ contract_ids: ['CA-CPK-C00000009-X'] }));
    await askedToDraw(16);
    expect(await scsp.listed()).toEqual([]);
    expect((await scsp.put(session.id, 6)).response).toBe('REJECTED');
    const news = scsp.seen(session.id).length;
    await stage.chargers.until({ event: 'meter', station: first.station }, { since: stage.chargers.events.length });
    await stage.chargers.until({ event: 'meter', station: first.station }, { since: stage.chargers.events.length });
    expect(scsp.seen(session.id)).toHaveLength(news);
    // The 12 A from before may have been on their way; of the 16 A not a word.
    const told = scsp.raw.incoming.slice(before).filter(({ path }) => path.includes('chargingprofiles'));
    expect(told.filter(({ body }) => !JSON.stringify(body).includes('"limit":12'))).toEqual([]);
  });

  test('CHP-05: a grant that ends by itself ends so, too', async () => {
    const platformNow = await stage.oasis.query<{ last_updated: Date }>('SELECT max(last_updated) AS last_updated FROM sessions.own_sessions');
    const until = new Date(platformNow[0]!.last_updated.getTime() + 50 * 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
    await agree(grantOf({ until }));
    await expect.poll(() => scsp.listed()).toHaveLength(1);
    await scsp.limit(session.id, 9);
    await askedToDraw(9);
    await askedToDraw(16);
    expect(await scsp.listed()).toEqual([]);
  });

  test('CHP-05: the end of a Session that is granted is told, and neither its CDR nor its price', async () => {
    await agree(grantOf());
    await expect.poll(() => scsp.listed()).toHaveLength(1);
    await endByCard(stage, { station: first.station, card: blakesCard });
    await eventually('the Session is over', async () => (await sessionsOf(stage.plunk, first.evseUid)).some(({ status }) => status === 'COMPLETED'));
    await expect.poll(() => (scsp.seen(session.id).at(-1)?.body as Session | undefined)?.status).toBe('COMPLETED');
    expect(JSON.stringify(scsp.seen())).not.toContain('total_cost');
    expect(scsp.raw.received('cdrs')).toEqual([]);
    expect((await scsp.put(session.id, 6)).response).toBe('REJECTED');
  });
});

describe('that an eMSP lets, which stands between the two', () => {
  let scsp: Provider;
  /** As the provider knows it. */
  let id: string;

  beforeAll(async () => {
    scsp = await Provider.at(stage.plunk);
    session = await blakeCharges();
  });
  afterAll(() => scsp?.raw.close());

  const grantOf = (more: object = {}) => ({
    token_party: { country_code: 'CA', party_id: 'CPK' }, contract_ids: [blakesContract], consent: 'the driver, in the app on 1 February', ...more,
  });
  const agree = (...granted: object[]) => scsp.agree(1, ...granted);

  test('CHP-05: without a grant an eMSP forwards no Session to a provider, and relays nothing', async () => {
    expect(await scsp.listed()).toEqual([]);
    expect((await scsp.put(session.id, 6)).response).toBe('UNKNOWN_SESSION');
  });

  test('CHP-05: an eMSP forwards the Session of a driver who consented, by an id of its own and without the driver', async () => {
    await agree(grantOf());
    const [pushed] = await eventually('the Session is there', () => scsp.seen().length > 0 && scsp.seen());
    ({ id } = pushed!.body as Session);
    expect(pushed).toMatchObject({ method: 'PUT', path: `/receiver/sessions/CA/BCT/${id}` });
    expect(pushed!.body).toMatchObject({ country_code: 'CA', party_id: 'BCT', status: 'ACTIVE', evse_uid: first.evseUid });
    expect(id).not.toBe(session.id);
    for (const secret of [blakesCard, blakesContract, session.id, 'total_cost']) expect(JSON.stringify(scsp.raw.incoming)).not.toContain(secret);
    expect(await scsp.listed()).toMatchObject([{ id, cdr_token: (pushed!.body as Session).cdr_token }]);
  });

  test('CHP-05: an eMSP is Receiver for the provider and Sender to the CPO: response, result and active profile are relayed', async () => {
    await scsp.limit(id, 10);
    await askedToDraw(10);
    await scsp.toldIs(10);
    const { response, exchange } = await scsp.ask(id);
    expect(response).toBe('ACCEPTED');
    const [result] = await eventually('what the charge may draw', () => scsp.results(exchange).length > 0 && scsp.results(exchange)) as
      [ActiveChargingProfileResult];
    expect(result).toMatchObject({ result: 'ACCEPTED', profile: { charging_profile: { charging_profile_period: [{ limit: 10 }] } } });
    // The CPO knows of no provider.
    const [row] = await stage.oasis.query<{ held: { profile: { setBy?: string } } }>('SELECT held FROM evems_controller.profiles');
    expect(row!.held.profile.setBy).toBeUndefined();
  });

  test('CHP-05: what the CPO tells later is relayed too, over a restart of the eMSP', async () => {
    await stage.plunk.stop();
    await stage.plunk.startAgain('one');
    blake = await stage.driver('blake');
    await scsp.limit(id, 12);
    await scsp.toldIs(12);
  });

  test('CHP-03 CHP-05: the driver takes the charge back at any time, and the provider has it again once the driver\'s profile is cleared', async () => {
    await driverDoes(blake.put(profileUrl(session), amps(8)));
    await askedToDraw(8);
    await scsp.toldIs(8);
    expect((await scsp.put(id, 14)).response).toBe('REJECTED');
    expect((await scsp.clear(id)).response).toBe('REJECTED');
    await driverDoes(blake.delete(profileUrl(session)));
    await scsp.limit(id, 14);
    await askedToDraw(14);
  });

  test('CHP-05: an id that is made up, or the CPO\'s own, is UNKNOWN_SESSION; a CPO that is away is REJECTED', async () => {
    expect((await scsp.put('f'.repeat(32), 6)).response).toBe('UNKNOWN_SESSION');
    expect((await scsp.put(session.id, 6)).response).toBe('UNKNOWN_SESSION');
    await stage.oasis.stop();
    expect((await scsp.put(id, 6)).response).toBe('REJECTED');
    await stage.oasis.startAgain('one');
    await askedToDraw(14);
  });

  test('CHP-01 CHP-05: the provider clears its profile, and hears what the EVSE may draw at the most', async () => {
    const { response, exchange } = await scsp.clear(id);
    expect(response).toBe('ACCEPTED');
    await scsp.resultIs(exchange, 'ACCEPTED');
    await askedToDraw(16);
    await scsp.toldIs(16);
  });

  test('CHP-03 CHP-05: a consent that is withdrawn in the midst of a charge ends what was set at the CPO', async () => {
    await scsp.limit(id, 9);
    await askedToDraw(9);
    await agree();
    await askedToDraw(16);
    expect(await scsp.listed()).toEqual([]);
    expect((await scsp.put(id, 6)).response).toBe('REJECTED');
    await agree(grantOf());
    await expect.poll(() => scsp.listed()).toHaveLength(1);
  });

  test('CHP-05: the end of the Session is forwarded', async () => {
    await endByCard(stage, { station: first.station, card: blakesCard });
    await expect.poll(() => (scsp.seen(id).at(-1)?.body as Session | undefined)?.status).toBe('COMPLETED');
    expect((await scsp.put(id, 6)).response).toBe('REJECTED');
    expect(scsp.raw.received('cdrs')).toEqual([]);
  });
});
