import type { ActiveChargingProfileResult, Session } from '#ocpi';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Portal } from '../../../scripts/portal.ts';
import type { ProfileRequestView } from '../../portal/src/charge-profiles.ts';
import { activeSession, beginByCard, drawnA, endByCard, profileAccepted, profileUrl, stall } from './charge.ts';
import { amps, Provider } from './provider.ts';
import { blakesCard, crewCard, eventually, setStage, type Stage } from './stage.ts';

// Carbon Plunk lets a smart charging service provider limit the charges of one of its drivers at Energy OASIS: the eMSP stands
// between the two. Real HTTP, a charger that obeys.

const [first, second] = [stall(1), stall(2)];
const blakesContract = 'CA-CPK-C00000002-H';

let stage: Stage;
let scsp: Provider;
let blake: Portal;
let session: Session;
/** As the provider knows it. */
let id: string;

// 80 A for ten stalls that keep 6 A each: two cars have 16 A each.
beforeAll(async () => {
  stage = await setStage({ hosting: 'one', rate: 120, everyS: 60, feederA: 80 });
  scsp = await Provider.at(stage.plunk);
  blake = await stage.driver('blake');
  await beginByCard(stage, { station: first.station, card: blakesCard });
  await beginByCard(stage, { station: second.station, card: crewCard(2) });
  session = await activeSession(stage.plunk, first.evseUid);
  await activeSession(stage.plunk, second.evseUid);
});
afterAll(async () => {
  await scsp?.raw.close();
  await stage?.stop();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

const grantOf = (more: object = {}) => ({
  token_party: { country_code: 'CA', party_id: 'CPK' }, contract_ids: [blakesContract], consent: 'the driver, in the app on 1 February', ...more,
});
const agree = (...granted: object[]) => scsp.agree(1, ...granted);

const askedToDraw = (limitA: number) => expect.poll(() => drawnA(stage, first)).toBe(limitA);

const driverDoes = (request: Promise<ProfileRequestView>) => profileAccepted(blake, session, request);

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
