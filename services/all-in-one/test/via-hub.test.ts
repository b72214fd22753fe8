import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ActiveChargingProfile } from '#ocpi';
import { instant, rfc3339 } from '#time';
import type { Charge } from '../../../scripts/portal.ts';
import { DEMO_EPOCH } from '../../../scripts/demo-settings.ts';
import type { ProfileRequestView, ProfileView } from '../../portal/src/charge-profiles.ts';
import { activeSession, beginByCard, billed, endByCard, expectMeasured, metered, sessionsOf, settledAt, stall } from './charge.ts';
import { RawPartner, rawToken } from './raw-partner.ts';
import { blakesCard, eventually, invitation, setStage, type Stage } from './stage.ts';

// Two platforms that know each other through a hub alone, and a third that has a link of its own.

const RATE = 300;
let startedAtMs: number;
let stage: Stage;
let direct: RawPartner;
beforeAll(async () => {
  startedAtMs = Date.now();
  stage = await setStage({ hosting: 'one', rate: RATE, everyS: 120, viaHub: true, prefer: [stall(5).evseUid] });
  direct = await RawPartner.open('EMSP');
  await direct.register(await invitation(stage.oasis, 'Another eMSP'));
});
afterAll(async () => {
  await direct?.close();
  await stage?.stop();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

test('each is registered with the hub alone, and knows from it who is behind', async () => {
  for (const [side, behind] of [[stage.oasis, 'CPK'], [stage.plunk, 'BCT']] as const) {
    const { partners } = await side.operator.get<{ partners: { name: string; roles: { role: string }[] }[] }>('/v1/operator/partners');
    expect(partners.filter(({ roles }) => roles.some(({ role }) => role === 'HUB'))).toHaveLength(1);
    const known = await side.query<{ party_id: string; status: string }>(
      'SELECT party_id, status FROM ocpi_gateway.client_infos WHERE behind',
    );
    expect(known).toContainEqual({ party_id: behind, status: 'CONNECTED' });
  }
});

test('a driver finds, starts, watches and stops a charge through the hub; Session and CDR are the same on both sides', async () => {
  const { station, evseUid } = stall(1);
  const avery = await stage.driver('avery');
  await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
  const { charge_id } = await avery.post<{ charge_id: string }>('/v1/charges', {
    country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY', evse_uid: evseUid,
  });
  const seen: Charge[] = [];
  let stopping: Promise<unknown> | undefined;
  for await (const charge of avery.watch(charge_id, AbortSignal.timeout(90_000))) {
    seen.push(charge);
    if (Number(charge.session?.kwh) > 0.8) stopping ??= avery.post(`/v1/charges/${charge_id}/stop`);
  }
  await stopping;
  expect(seen.at(-1)).toMatchObject({ state: 'completed', session: { status: 'COMPLETED' } });
  const stopped = await stage.chargers.until({ event: 'transaction-stopped', station });
  const [settled] = await settledAt(stage, evseUid);
  expect(settled!.session).toMatchObject({ auth_method: 'COMMAND', authorization_reference: charge_id });
  expectMeasured(settled!, stopped);
});

test('HUB-17: a tapped card charges by the Token that the hub brought; the hub keeps neither Session nor CDR', async () => {
  const { station, evseUid } = stall(2);
  const tap = { station, card: blakesCard };
  await beginByCard(stage, tap);
  await metered(stage, station, 2);
  await endByCard(stage, tap);
  const [settled] = await settledAt(stage, evseUid);
  const cdr = await billed(stage, settled!.session.id);
  // The operator's lists name them, too, though no partner of a link is their driver's.
  for (const [list, id] of [['sessions', settled!.session.id], ['cdrs', cdr.id]])
    expect((await stage.oasis.operator.get<{ objects: { id: string }[] }>(`/v1/operator/${list}`)).objects.map((one) => one.id)).toContain(id);
  const kept = await stage.hub!.query<{ table: string; text: string }>(
    `SELECT 'hub_objects' AS table, object AS text FROM ocpi_gateway.hub_objects
     UNION ALL SELECT 'pushed', current FROM ocpi_gateway.pushed`,
  );
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.filter(({ text }) => text?.includes(settled!.session.id) || text?.includes(cdr.id))).toEqual([]);
});

test('CHP-01 CHP-02 HUB-20: a driver limits a charge through the hub; results and active profiles come back the same way, and so do preferences', async () => {
  const { station, evseUid } = stall(5);
  const tap = { station, card: blakesCard };
  const blake = await stage.driver('blake');
  await beginByCard(stage, tap);
  const { country_code, party_id, id } = await activeSession(stage.plunk, evseUid);
  const charge = `/v1/charges/${encodeURIComponent(`${country_code}*${party_id}*${id}`)}`;
  const view = () => blake.get<ProfileView>(`${charge}/profile`);
  const resultOf = ({ request_id, ...request }: ProfileRequestView) => {
    expect(request).toMatchObject({ outcome: 'answered', response: 'ACCEPTED' });
    return eventually(
      'a result',
      async () => (await view()).requests.find((one) => one.request_id === request_id)?.result,
    );
  };
  const limit = async () =>
    ((await view()).active as ActiveChargingProfile | undefined)?.charging_profile.charging_profile_period?.[0]?.limit;
  const amps = { charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit: 10 }] };
  expect(await resultOf(await blake.put(`${charge}/profile`, amps))).toBe('ACCEPTED');
  await expect.poll(limit).toBe(10);
  expect(await resultOf(await blake.post(`${charge}/profile/ask`, { duration_s: 900 }))).toBe('ACCEPTED');
  expect(await resultOf(await blake.delete(`${charge}/profile`))).toBe('ACCEPTED');
  await expect.poll(limit).toBeGreaterThan(10);
  const prefer = async (profile_type: string) =>
    (await blake.put<ProfileRequestView>(`${charge}/preferences`, { profile_type })).response;
  expect([await prefer('REGULAR'), await prefer('FAST')]).toEqual(['ACCEPTED', 'PROFILE_TYPE_NOT_SUPPORTED']);
  await endByCard(stage, tap);
  await settledAt(stage, evseUid);
});

test('CMD-09 CMD-10 CMD-11 HUB-20: an EVSE is kept free through the hub; the driver lets it go, or hears that the operator does', async () => {
  const { evseUid } = stall(6);
  const blake = await stage.driver('blake');
  const inHours = (hours: number) =>
    rfc3339(instant(DEMO_EPOCH) + (Date.now() - startedAtMs) * RATE + hours * 3_600_000);
  const reserve = async () =>
    (
      await blake.post<{ reservation_id: string }>('/v1/reservations', {
        country_code: 'CA',
        party_id: 'BCT',
        location_id: 'BURNABY',
        evse_uid: evseUid,
        expires_at: inHours(12),
      })
    ).reservation_id;
  const becomes = (id: string, state: string) =>
    eventually(`reservation ${id} is ${state}`, async () => {
      const found = await blake.get<{ state: string; message: string }>(`/v1/reservations/${id}`);
      return found.state === state && found;
    });
  const reservedAt = (status: string, n: number) =>
    eventually(
      `${n} ${status} Session at Carbon Plunk`,
      async () => (await sessionsOf(stage.plunk, evseUid)).filter((one) => one.status === status).length === n,
    );
  const first = await reserve();
  await becomes(first, 'reserved');
  await reservedAt('RESERVATION', 1);
  await blake.delete(`/v1/reservations/${first}`);
  await becomes(first, 'cancelled');
  await reservedAt('COMPLETED', 1);
  const second = await reserve();
  await becomes(second, 'reserved');
  await reservedAt('RESERVATION', 1);
  const { reservations } = await stage.oasis.operator.get<{
    reservations: { number: number; reservation_id: string }[];
  }>('/v1/operator/reservations');
  const { number } = reservations.find(({ reservation_id }) => reservation_id === second)!;
  expect(
    await stage.oasis.operator.delete(`/v1/operator/reservations/${number}?reason=the%20street%20is%20closed`),
  ).toEqual({ withdrawn: true });
  expect((await becomes(second, 'cancelled')).message).toContain('the street is closed');
});

test('a partner with a link of its own charges beside the hub: its Session goes to it, not through the hub', async () => {
  const { station, evseUid } = stall(3);
  await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 40 });
  const started = await direct.start({ location_id: 'BURNABY', evse_uid: evseUid }, rawToken('RAW-HUB-1'));
  expect(started.outcome.kind).toBe('ok');
  // TRN-80: what is played again, by whoever heard it or by a proxy, is the request that it was.
  const recorded = {
    response_url: direct.responseUrl('again'),
    location_id: 'BURNABY',
    evse_uid: stall(7).evseUid,
    token: rawToken('RAW-HUB-2'),
  };
  await stage.chargers.do({ do: 'plug-in', station: stall(7).station, car: 'leaf', soc: 40 });
  const play = () =>
    direct.send('post', direct.at('commands', 'RECEIVER', 'START_SESSION'), recorded, {
      requestId: 'recorded',
      correlationId: 'recorded',
    });
  const played = await Promise.all([play(), play(), play()]);
  await activeSession(stage.oasis, stall(7).evseUid);
  played.push(await play());
  for (const outcome of played) expect(outcome).toMatchObject({ kind: 'ok', data: { result: 'ACCEPTED' } });
  await eventually('the direct partner has its Session', () =>
    direct.incoming.some(({ method, path }) => method === 'PUT' && path.includes('/sessions/')),
  );
  await activeSession(stage.oasis, evseUid);
  const [own] = await stage.oasis.query<{ id: string }>(
    `SELECT session::json ->> 'id' AS id FROM sessions.own_sessions WHERE session::json ->> 'evse_uid' = $1`, [evseUid],
  );
  const through = await stage.oasis.query(
    `SELECT 1 FROM ocpi_gateway.pushed JOIN ocpi_gateway.partners USING (partner_id) WHERE module = 'sessions' AND object_key = $1 AND roles::text LIKE '%"HUB"%'`,
    [own!.id],
  );
  expect(through).toEqual([]);
  expect(await sessionsOf(stage.oasis, stall(7).evseUid)).toHaveLength(1);
  const results = () => direct.incoming.filter(({ path }) => path === '/results/again');
  await expect.poll(results).not.toEqual([]);
  expect(results()).toHaveLength(1);
});

test('HUB-19, HCI-03: while Carbon Plunk is down the hub says so, and after its return it has the CDR once', async () => {
  const { station, evseUid } = stall(4);
  const tap = { station, card: blakesCard };
  await beginByCard(stage, tap);
  await metered(stage, station, 1);
  await stage.plunk.stop();
  await endByCard(stage, tap);
  await eventually('OASIS knows from the hub that Carbon Plunk is OFFLINE', async () => {
    const [row] = await stage.oasis.query<{ status: string }>(`SELECT status FROM ocpi_gateway.client_infos WHERE party_id = 'CPK'`);
    return row?.status === 'OFFLINE';
  });
  await stage.plunk.startAgain('one');
  const [settled] = await settledAt(stage, evseUid);
  expect(settled!.session.status).toBe('COMPLETED');
  await eventually('OASIS knows that it is back', async () => {
    const [row] = await stage.oasis.query<{ status: string }>(`SELECT status FROM ocpi_gateway.client_infos WHERE party_id = 'CPK'`);
    return row?.status === 'CONNECTED';
  });
});
