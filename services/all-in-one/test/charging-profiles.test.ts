import type { ActiveChargingProfile, ChargingProfileResponse, Session } from '#ocpi';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Portal, PortalRefused } from '../../../scripts/portal.ts';
import type { ProfileRequestView, ProfileView } from '../../portal/src/charge-profiles.ts';
import { activeSession, beginByCard, endByCard, stall } from './charge.ts';
import { dataOf, RawPartner } from './raw-partner.ts';
import { blakesCard, crewCard, eventually, invitation, setStage, type Stage } from './stage.ts';

// A driver of Carbon Plunk limits a charge at Energy OASIS: two platforms, real HTTP, a charger that obeys.

const [first, second] = [stall(1), stall(2)];

let stage: Stage;
let raw: RawPartner;
let scsp: RawPartner;
let blake: Portal;
let session: Session;
let charge: string;

// 80 A for ten stalls that keep 6 A each: one car has 26 A, two have 16 A.
beforeAll(async () => {
  stage = await setStage({ hosting: 'one', rate: 120, everyS: 60, feederA: 80, prefer: [first.evseUid] });
  raw = await RawPartner.open('EMSP');
  await raw.register(await invitation(stage.oasis, 'Another eMSP'));
  scsp = await RawPartner.open('SCSP', 'SMC');
  await scsp.register(await invitation(stage.oasis, 'A smart charging service provider', 'SMC'));
  blake = await stage.driver('blake');
  await beginByCard(stage, { station: first.station, card: blakesCard });
  session = await activeSession(stage.plunk, first.evseUid);
  charge = `/v1/charges/${encodeURIComponent(`${session.country_code}*${session.party_id}*${session.id}`)}`;
});
afterAll(async () => {
  await raw?.close();
  await scsp?.close();
  await stage?.stop();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

const amps = (limit: number) => ({ charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit }] });
const setProfile = (profile: object) => blake.put<ProfileRequestView>(`${charge}/profile`, profile);
const view = () => blake.get<ProfileView>(`${charge}/profile`);

/** The result of a request, as the operator POSTed it. */
function resultOf({ request_id: id }: ProfileRequestView): Promise<string> {
  return eventually(`a result of ${id}`, async () => (await view()).requests.find((one) => one.request_id === id)?.result);
}

/** What OASIS told Carbon Plunk last of the charge: now, and what is ahead. */
async function told(): Promise<number[] | undefined> {
  const active = (await view()).active as ActiveChargingProfile | undefined;
  return active?.charging_profile.charging_profile_period?.map(({ limit }) => Number(limit));
}

const toldIs = (...limits: number[]) => expect.poll(told).toEqual(limits);

/** What the station lets the car draw, from the next sample on. */
async function drawn(): Promise<{ limitA: number; powerW: number }> {
  const { limitA, powerW } = await stage.chargers.until(
    { event: 'meter', station: first.station },
    { since: stage.chargers.events.length },
  );
  return { limitA: Number(limitA), powerW: Number(powerW) };
}

const askedToDraw = (limitA: number) => expect.poll(async () => (await drawn()).limitA).toBe(limitA);

test('CHP-01: a driver asks what the charge may draw, and has the answer as the result', async () => {
  await askedToDraw(26);
  const request = await blake.post<ProfileRequestView>(`${charge}/profile/ask`, { duration_s: 900 });
  expect(request).toMatchObject({ method: 'GET', outcome: 'answered', response: 'ACCEPTED' });
  expect(await resultOf(request)).toBe('ACCEPTED');
  await toldIs(26);
});

test('CHP-03: a profile of 10 A is a limit that the car keeps to', async () => {
  const request = await setProfile(amps(10));
  expect(request).toMatchObject({ method: 'PUT', outcome: 'answered', response: 'ACCEPTED' });
  expect(await resultOf(request)).toBe('ACCEPTED');
  await toldIs(10);
  await askedToDraw(10);
  // 10 A at 208 V.
  await expect.poll(async () => (await drawn()).powerW).toBeLessThanOrEqual(2_080);
});

test('a profile lasts over a restart of the operator\'s platform', async () => {
  await stage.oasis.stop();
  await stage.oasis.startAgain('one');
  // The new process knows what the charger obeys once that has answered it.
  const ask = () => blake.post<ProfileRequestView>(`${charge}/profile/ask`, { duration_s: 900 });
  await expect.poll(async () => resultOf(await ask())).toBe('ACCEPTED');
  await askedToDraw(10);
  await toldIs(10);
});

test('CHP-04: watts are of all phases together; and the periods ahead are told with the first', async () => {
  const periods = [{ start_period: 0, limit: 3_120 }, { start_period: 360_000, limit: 4_160 }];
  const request = await setProfile({ charging_rate_unit: 'W', charging_profile_period: periods });
  expect(await resultOf(request)).toBe('ACCEPTED');
  await askedToDraw(15);
  await toldIs(3_120, 4_160);
});

test('CHP-02: what the operator\'s own feeder leaves is told too, and what is there when it is free again', async () => {
  expect(await resultOf(await setProfile(amps(20)))).toBe('ACCEPTED');
  await toldIs(20);
  const card = { station: second.station, card: crewCard(2) };
  await beginByCard(stage, card);
  await toldIs(16);
  await askedToDraw(16);
  await endByCard(stage, card);
  await toldIs(20);
});

test('CHP-02: without the profile, what the EVSE may draw at the most is told as the profile', async () => {
  const request = await blake.delete<ProfileRequestView>(`${charge}/profile`);
  expect(request).toMatchObject({ method: 'DELETE', outcome: 'answered', response: 'ACCEPTED' });
  expect(await resultOf(request)).toBe('ACCEPTED');
  await toldIs(26);
  await askedToDraw(26);
  const again = await blake.delete<ProfileRequestView>(`${charge}/profile`);
  expect(await resultOf(again)).toBe('UNKNOWN');
});

test('a pause by a profile is not parking: the session has no PARKING_TIME', async () => {
  expect(await resultOf(await setProfile(amps(0)))).toBe('ACCEPTED');
  await toldIs(0);
  await expect.poll(async () => (await drawn()).powerW).toBe(0);
  await blake.delete(`${charge}/profile`);
  await toldIs(26);
  const { charging_periods: periods = [] } = await activeSession(stage.oasis, first.evseUid);
  const dimensions = (periods ?? []).flatMap(({ dimensions: all }) => all.map(({ type }) => type));
  expect(dimensions).not.toContain('PARKING_TIME');
});

test('CHP-05: who has neither the token nor a grant sets no profile, whatever it is, and no session is UNKNOWN_SESSION', async () => {
  const put = async (partner: RawPartner, id: string) => {
    const body = { charging_profile: amps(6), response_url: partner.responseUrl('profile') };
    return dataOf<ChargingProfileResponse>(
      await partner.send('put', partner.at('chargingprofiles', 'RECEIVER', id), body),
    ).result;
  };
  for (const partner of [raw, scsp]) {
    expect(await put(partner, session.id)).toBe('REJECTED');
    expect(await put(partner, 'NO-SUCH-SESSION')).toBe('UNKNOWN_SESSION');
  }
  // A Session is its token owner's alone: a provider that has none is told of none, and finds none.
  expect(dataOf(await scsp.send('get', `${scsp.at('sessions', 'SENDER')}?date_from=2000-01-01T00:00:00Z`))).toEqual([]);
  expect(scsp.incoming.filter(({ path }) => !/^\/(versions|2\.2\.1)$/.test(path))).toEqual([]);
  expect((await view()).requests).not.toContainEqual(expect.objectContaining({ response: 'UNKNOWN_SESSION' }));
  await askedToDraw(26);
  expect(raw.incoming.filter(({ path }) => path.includes('profile'))).toEqual([]);
});

test('SES-20: the preferences of a driver are answered by what there is a tariff for, and by what can be', async () => {
  const prefer = async (preferences: object) => (await blake.put<ProfileRequestView>(`${charge}/preferences`, preferences)).response;
  expect(await prefer({ profile_type: 'REGULAR' })).toBe('ACCEPTED');
  expect(await prefer({ profile_type: 'FAST' })).toBe('PROFILE_TYPE_NOT_SUPPORTED');
  expect(await prefer({ profile_type: 'REGULAR', departure_time: '2022-02-01T17:00:01Z' })).toBe('NOT_POSSIBLE');
  const [kept] = await stage.oasis.query<{ preferences: string }>('SELECT preferences FROM sessions.preferences');
  expect(JSON.parse(kept!.preferences)).toEqual({ profile_type: 'REGULAR' });
});

test('a profile ends with its session', async () => {
  expect(await resultOf(await setProfile(amps(8)))).toBe('ACCEPTED');
  await endByCard(stage, { station: first.station, card: blakesCard });
  await expect.poll(() => stage.oasis.query('SELECT 1 FROM evems_controller.profiles')).toEqual([]);
  const refusal = async () => (await setProfile(amps(8)).catch((error: PortalRefused) => error) as PortalRefused).code;
  await expect.poll(refusal).toBe('charge-is-over');
  await beginByCard(stage, { station: first.station, card: blakesCard });
  await askedToDraw(26);
});
