import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Charge } from '../../../scripts/demo-portal.ts';
import { beginByCard, billed, endByCard, expectMeasured, metered, settledAt, stall } from './charge.ts';
import { RawPartner, rawToken } from './raw-partner.ts';
import { blakesCard, eventually, invitation, setStage, type Stage } from './stage.ts';

// Two platforms that know each other through a hub alone, and a third that has a link of its own.

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let stage: Stage;
let direct: RawPartner;
beforeAll(async () => {
  stage = await setStage({ hosting: 'one', rate: 300, everyS: 120, viaHub: true });
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
    const known = await side.query<{ party_id: string; status: string }>('SELECT party_id, status FROM ocpi_gateway.client_infos WHERE behind');
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
  for await (const charge of avery.watch(charge_id, AbortSignal.timeout(40_000))) {
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
  const kept = await stage.hub!.query<{ table: string; text: string }>(
    `SELECT 'hub_objects' AS table, object AS text FROM ocpi_gateway.hub_objects
     UNION ALL SELECT 'pushed', current FROM ocpi_gateway.pushed`,
  );
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.filter(({ text }) => text?.includes(settled!.session.id) || text?.includes(cdr.id))).toEqual([]);
});

test('a partner with a link of its own charges beside the hub: its Session goes to it, not through the hub', async () => {
  const { station, evseUid } = stall(3);
  await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 40 });
  const started = await direct.start({ location_id: 'BURNABY', evse_uid: evseUid }, rawToken('RAW-HUB-1'));
  expect(started.outcome.kind).toBe('ok');
  await eventually('the direct partner has its Session', () => direct.incoming.some(({ method, path }) => method === 'PUT' && path.includes('/sessions/')));
  const [own] = await stage.oasis.query<{ id: string }>(
    `SELECT session::json ->> 'id' AS id FROM sessions.own_sessions WHERE session::json ->> 'evse_uid' = $1`, [evseUid],
  );
  const through = await stage.oasis.query(
    `SELECT 1 FROM ocpi_gateway.pushed JOIN ocpi_gateway.partners USING (partner_id) WHERE module = 'sessions' AND object_key = $1 AND roles::text LIKE '%"HUB"%'`, [own!.id],
  );
  expect(through).toEqual([]);
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
