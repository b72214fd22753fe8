import type { Cdr, Session } from '#ocpi';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Charge } from '../../../scripts/portal.ts';
import { Portal } from '../../../scripts/portal.ts';
import { activeSession, beginByCard, endByCard, metered, settledAt, stall } from './charge.ts';
import { placesOf } from './dump.ts';
import { eventually, setStage, type Side, type Stage } from './stage.ts';

// A driver is forgotten: first by Carbon Plunk, whose driver it is, then by Energy OASIS, where it charged.

const dana = {
  email: 'dana@carbon-plunk.example',
  password: 'soon to be forgotten',
  name: 'Dana Quellenberg',
  contract_id: 'CA-CPK-C0DA4A001-Q',
  tokens: [
    { uid: 'APP-DANA-7f3a91', type: 'APP_USER' },
    // Too long for a card's number of OCPP 1.6: stations know it by an alias.
    { uid: 'RFID-DANA-0451c9e2-77aa-4411-b3c8', type: 'RFID', visual_number: 'CPK DANA 0099' },
    { uid: '04DA4A5C6D7E80', type: 'RFID' },
  ],
};
const [app, , card] = dana.tokens.map(({ uid }) => uid) as [string, string, string];
const traces = [dana.contract_id, dana.email, dana.name, 'CPK DANA 0099', ...dana.tokens.map(({ uid }) => uid)];
/** Of the eMSP. */
const contract = { country_code: 'CA', party_id: 'CPK', contract_id: dana.contract_id };
const month = '2022-02';

interface Erasure {
  readonly erasure_id?: string;
  readonly state: 'dry-run' | 'going-on' | 'done';
  readonly held: { service: string; what: string; count: number }[];
  readonly hindrances: { service: string; code: string; detail: string }[];
  readonly awaited: { service: string; waits_for?: string }[];
}

let stage: Stage;
let byApp: Session;
let byCard: Session;
let statementsBefore: readonly string[];
let proofsBefore: readonly unknown[];

beforeAll(async () => {
  stage = await setStage({ hosting: 'one', rate: 300, everyS: 120, moreDrivers: [dana] });
});
afterAll(() => stage?.stop());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

const erase = (side: Side, dryRun: boolean) =>
  side.operator.post<Erasure>('/v1/operator/erasures', { ...contract, dry_run: dryRun });
const standing = (side: Side, { erasure_id: id }: Erasure) => side.operator.get<Erasure>(`/v1/operator/erasures/${id}`);
const done = (side: Side, erasure: Erasure) =>
  eventually('the erasure is done', async () => (await standing(side, erasure)).state === 'done');
const sessionAt = async (side: Side, { country_code, party_id, id }: Session) =>
  (await side.operator.get<{ session: Session }>(`/v1/operator/sessions/${country_code}/${party_id}/${id}`)).session;
const cdrAt = async (side: Side, { country_code, party_id, id }: Session) =>
  (await side.operator.get<{ cdr: Cdr }>(`/v1/operator/cdrs/${country_code}/${party_id}/${id}-1`)).cdr;

async function statements(): Promise<string[]> {
  const files = [[stage.oasis, 'CPK'], [stage.plunk, 'BCT']] as const;
  return Promise.all(files.map(async ([side, party]) =>
    (await side.operator.file(`/v1/operator/statements/CA/${party}/${month}`)).toString('utf8')));
}

async function chains(side: Side): Promise<unknown> {
  return (await side.operator.get<{ chains: object[] }>('/v1/operator/ledger')).chains;
}

test('a charge that runs is not forgotten: its money needs its token', async () => {
  const { station, evseUid } = stall(1);
  const driver = await Portal.driver(stage.plunk.platform().portalUrl, dana.email, dana.password);
  await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
  const order = { country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY', evse_uid: evseUid };
  const { charge_id } = await eventually('the charge is ordered', () => driver.post<Charge>('/v1/charges', order));
  await activeSession(stage.plunk, evseUid);
  for (const side of [stage.oasis, stage.plunk]) {
    const { state, hindrances } = await erase(side, true);
    expect(state).toBe('dry-run');
    expect(hindrances).toContainEqual(expect.objectContaining({ service: 'sessions', code: 'charge-runs' }));
    // The same charge is not said to be over, too, and to wait for its CDR.
    expect(hindrances).not.toContainEqual(expect.objectContaining({ code: 'session-not-billed' }));
  }
  await expect(erase(stage.oasis, false)).rejects.toMatchObject({ status: 409, code: 'charge-runs' });
  await metered(stage, station, 2);
  await driver.post(`/v1/charges/${charge_id}/stop`);
  await stage.chargers.until({ event: 'transaction-stopped', station });
  await stage.chargers.do({ do: 'unplug', station });
  [byApp] = (await settledAt(stage, evseUid)).map(({ session }) => session) as [Session];
  expect(byApp.cdr_token.uid).toBe(app);
});

test('a dry run says what is held where, and changes nothing', async () => {
  const tap = { station: stall(2).station, card };
  await beginByCard(stage, tap);
  await metered(stage, tap.station, 2);
  await endByCard(stage, tap);
  [byCard] = (await settledAt(stage, stall(2).evseUid)).map(({ session }) => session) as [Session];
  const { held, hindrances } = await eventually('every CDR is acknowledged', async () => {
    const look = await erase(stage.oasis, true);
    return look.hindrances.length === 0 && look;
  });
  expect(hindrances).toEqual([]);
  for (const side of [stage.oasis, stage.plunk]) {
    await eventually('the ledger has come to rest', async () => (await side.query<{ rests: boolean }>(
      `SELECT min(f."position") >= (SELECT max("position") FROM cdr_ledger.events) AS rests FROM cdr_ledger.followed f`))[0]?.rests);
  }
  statementsBefore = await statements();
  proofsBefore = await Promise.all([chains(stage.oasis), chains(stage.plunk)]);
  const holding = new Set(held.map(({ service }) => service));
  for (const service of ['tokens-auth', 'sessions', 'cdr-ledger', 'ocpp-gateway', 'ocpi-gateway']) expect(holding).toContain(service);
  expect((await placesOf(stage.oasis, traces)).length).toBeGreaterThan(0);
  // As the database does by itself where more is written.
  for (const side of [stage.oasis, stage.plunk]) await side.query('ANALYZE');
  for (const side of [stage.oasis, stage.plunk]) expect((await placesOf(side, traces)).join()).toContain('pg_stats of');
  expect((await sessionAt(stage.oasis, byCard)).cdr_token).toMatchObject({ uid: card, contract_id: dana.contract_id });
});

test('a driver whom the settings name would be back at the next start: the refusal says what to do', async () => {
  await expect(erase(stage.plunk, false)).rejects.toMatchObject({ status: 409, code: 'driver-in-settings' });
  await stage.plunk.stop();
  await stage.plunk.startAgain('one', stage.plunk.drivers.filter(({ email }) => email !== dana.email));
});

test('an erasure waits for a partner who has to know, and ends after kill -9 and the partner\'s return', async () => {
  await stage.oasis.stop();
  const begun = await eventually('everybody says what it holds', () => erase(stage.plunk, false));
  expect(begun.state).toBe('going-on');
  const waiting = await eventually('only the partner is waited for', async () => {
    const { awaited } = await standing(stage.plunk, begun);
    return awaited.length === 1 && awaited[0];
  });
  expect(waiting).toMatchObject({ service: 'ocpi-gateway', waits_for: expect.stringContaining('no longer valid') });
  const unit = stage.plunk.platform().units.get('all-in-one')!;
  const starts = unit.starts();
  process.kill(unit.pid()!, 'SIGKILL');
  await eventually('the platform is back', () => unit.starts() > starts && unit.pid() !== undefined);
  // Once more, and it is the same one.
  const again = await eventually('it answers', () => erase(stage.plunk, false));
  expect(again.erasure_id).toBe(begun.erasure_id);
  await stage.oasis.startAgain('one');
  await done(stage.plunk, begun);
  expect(await placesOf(stage.plunk, traces)).toEqual([]);
});

test('the partner forgets, too: nothing is left in any table of either platform', async () => {
  const tokens = await stage.oasis.query<{ token: string }>(
    `SELECT token FROM tokens_auth.tokens WHERE token::json ->> 'contract_id' = $1`, [dana.contract_id]);
  expect(tokens.map(({ token }) => (JSON.parse(token) as { valid: boolean }).valid)).toEqual([false, false, false]);
  await done(stage.oasis, await eventually('it is decided', () => erase(stage.oasis, false)));
  expect(await placesOf(stage.oasis, traces)).toEqual([]);
  expect(await placesOf(stage.plunk, traces)).toEqual([]);
  await expect(erase(stage.oasis, false)).rejects.toMatchObject({ status: 404, code: 'unknown-contract' });
});

test('both chains verify, every CDR keeps its price, and the statements are the same to the byte', async () => {
  expect(await statements()).toEqual(statementsBefore);
  expect(await Promise.all([chains(stage.oasis), chains(stage.plunk)])).toEqual(proofsBefore);
  for (const side of [stage.oasis, stage.plunk]) {
    for (const session of [byApp, byCard]) {
      expect(await cdrAt(side, session)).toMatchObject({
        total_cost: session.total_cost,
        cdr_token: { country_code: 'CA', party_id: 'CPK', uid: 'ERASED', type: 'OTHER', contract_id: 'ERASED' },
      });
    }
  }
});

test('Sessions fold from the log as before, of somebody who is erased', async () => {
  for (const side of [stage.oasis, stage.plunk]) {
    for (const session of [byApp, byCard]) {
      const { authorization_reference: _, cdr_token, ...rest } = session;
      expect(await sessionAt(side, session)).toEqual({
        ...rest, cdr_token: { ...cdr_token, uid: 'ERASED', type: 'OTHER', contract_id: 'ERASED' },
      });
    }
  }
});

test('facts that are heard once more bring nothing back, and a new contract with the card has a life of its own', async () => {
  const isNew = ({ name }: { name: string }) => name !== dana.name;
  const renewed = {
    ...dana,
    email: 'ezra@carbon-plunk.example',
    name: 'Ezra',
    contract_id: 'CA-CPK-C0EE2A001-Z',
    tokens: [dana.tokens[2]!],
  };
  // What JetStream still holds says the token: it goes with its retention of days.
  const restarts = [
    { side: stage.oasis, drivers: stage.oasis.drivers }, { side: stage.plunk, drivers: [...stage.plunk.drivers.filter(isNew), renewed] },
  ];
  await Promise.all(restarts.map(async ({ side, drivers }) => {
    await side.stop();
    for (const schema of ['sessions', 'ocpi_gateway', 'cdr_ledger', 'tokens_auth']) {
      await side.query(`UPDATE ${schema}.listening SET position = 0, owner = NULL, until = NULL`);
    }
    await side.startAgain('one', drivers);
  }));
  const others = traces.filter((trace) => trace !== card);
  for (const { side } of restarts) {
    await eventually('all is heard again', async () => {
      const rows = await side.query<{ behind: boolean }>(
        `SELECT position < (SELECT max("position") FROM sessions.events) - 5 AS behind FROM sessions.listening
         WHERE source = 'sessions' AND position > 0`);
      return rows.length > 0 && rows.every(({ behind }) => !behind);
    });
    expect(await placesOf(side, others)).toEqual([]);
  }
  expect(await statements()).toEqual(statementsBefore);
  await eventually('OASIS has the token again', async () => (await stage.oasis.query(
    `SELECT 1 FROM tokens_auth.tokens WHERE uid = $1 AND token::json ->> 'valid' = 'true'`, [card.toLowerCase()])).length === 1);
  const tap = { station: stall(3).station, card };
  await eventually('the station is back', async () => {
    const { stations } = await stage.oasis.operator.get<{ stations: { station_id: string; connected: boolean }[] }>(
      '/v1/operator/stations',
    );
    return stations.some(({ station_id, connected }) => station_id === tap.station && connected);
  });
  await beginByCard(stage, tap);
  await metered(stage, tap.station, 2);
  await endByCard(stage, tap);
  const [settled] = await settledAt(stage, stall(3).evseUid);
  const { session } = settled!;
  expect(session.cdr_token).toMatchObject({ uid: card, contract_id: renewed.contract_id });
  expect((await cdrAt(stage.plunk, session)).cdr_token.uid).toBe(card);
  expect((await sessionAt(stage.oasis, byCard)).cdr_token.uid).toBe('ERASED');
  expect((await cdrAt(stage.oasis, byCard)).cdr_token.uid).toBe('ERASED');
});
