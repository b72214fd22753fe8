import { type CommandResponse, exampleLocation, type Session } from '#ocpi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Charge, Receipt } from '../../../scripts/portal.ts';
import {
  activeSession, beginByCard, billed, cdrsOf, endByCard, expectMeasured, metered, sessionsOf, settledAt, stall,
} from './charge.ts';
import { driverAtTheLimit } from './driver-at-the-limit.ts';
import { oddInputIsRefused } from './odd-input.ts';
import { dataOf, RawPartner, rawToken } from './raw-partner.ts';
import { runRoamwatt } from './program.ts';
import { stationThatIsGone } from './station-gone.ts';
import { averysToken, blakesCard, crewCard, eventually, freeEvses, invitation, setStage, type Stage } from './stage.ts';

// One pair of platforms, each in one process, and everything that needs no process to die.

const RATE = 300;
const offlineStrangers = stall(5);

let stage: Stage;
/** Platforms of another make: an eMSP that knows OASIS, and a CPO that knows Carbon Plunk. */
let raw: RawPartner;
let rawCpo: RawPartner;
beforeAll(async () => {
  stage = await setStage({
    hosting: 'one', rate: RATE, everyS: 120,
    stationSettings: { [offlineStrangers.station]: { AllowOfflineTxForUnknownId: true } },
  });
  raw = await RawPartner.open('EMSP');
  rawCpo = await RawPartner.open('CPO');
  await raw.register(await invitation(stage.oasis, 'Another eMSP'));
  await rawCpo.register(await invitation(stage.plunk, 'Another CPO'));
});
afterAll(async () => {
  await raw?.close();
  await rawCpo?.close();
  await stage?.stop();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

describe('a charge from the app', () => {
  const { station, evseUid } = stall(1);
  let session: Session;

  test('both platforms hold the other as registered', async () => {
    for (const [side, name] of [[stage.oasis, 'Carbon Plunk'], [stage.plunk, 'Energy OASIS']] as const) {
      const { partners } = await side.operator.get<{ partners: object[] }>('/v1/operator/partners');
      expect(partners).toContainEqual(expect.objectContaining({ name, state: 'registered', version: '2.3.0' }));
    }
  });

  test('an operator asks for partners on the command line, and is told what to do when the key is wrong', async () => {
    const { url, key } = stage.oasis.operator.credentials();
    const roamwatt = (args: readonly string[], operatorKey = key) =>
      runRoamwatt([...args, '--url', url], { ROAMWATT_OPERATOR_KEY: operatorKey });
    const listed = await roamwatt(['partner', 'list', '--json']);
    expect(JSON.parse(listed.out)).toContainEqual(expect.objectContaining({ name: 'Carbon Plunk', state: 'registered', dead_letters: 0 }));
    expect((await roamwatt(['partner', 'list'])).out).toMatch(/^partner .*\nCarbon Plunk +CA\*CPK +registered +2\.3\.0/m);
    expect(await roamwatt(['partner', 'letters', 'ca*cpk'])).toMatchObject({ status: 0, out: 'No dead letters.\n' });
    expect(await roamwatt(['partner', 'replay', 'Carbon Plunk'])).toMatchObject({ status: 0, out: 'There are no dead letters.\n' });
    expect((await roamwatt(['partner', 'quirks', 'ca*cpk'])).out).toContain('Nothing was seen of Carbon Plunk');
    expect((await roamwatt(['partner', 'quirks', 'ca*cpk', '--set', 'late-sessions'])).out).toMatch(
      /^late-sessions \(SES-01\): chosen \d{4}-.*, never seen\n/,
    );
    expect((await roamwatt(['partner', 'list'])).out).toContain('Carbon Plunk: is spoken to by its quirks late-sessions');
    expect((await roamwatt(['partner', 'quirks', 'ca*cpk', '--unset', 'late-sessions', '--all'])).out).toMatch(
      /^unencoded-token \(TRN-04\): not chosen, never seen\n/,
    );
    expect(await roamwatt(['partner', 'quirks', 'ca*cpk', '--set', 'no-pach'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('there is no quirk "no-pach"'),
    });
    expect(await roamwatt(['partner', 'letters', 'Nobody'])).toMatchObject({
      status: 1,
      err: expect.stringContaining('there is no partner "Nobody"; there is Carbon Plunk'),
    });
    expect(await roamwatt(['partner', 'list'], 'wrong-key-of-nobody')).toMatchObject({
      status: 1,
      err: expect.stringContaining('wrong-operator-key'),
    });
    expect(await roamwatt(['partner', 'list'], '')).toMatchObject({ status: 2, err: expect.stringContaining('ROAMWATT_OPERATOR_KEY') });
  });

  test('a driver finds the EVSEs of the other platform with their price, and a plugged-in car makes one BLOCKED', async () => {
    const avery = await stage.driver('avery');
    const evse = (await freeEvses(avery)).find(({ evse_uid }) => evse_uid === evseUid);
    expect(evse).toMatchObject({
      country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY', evse_id: 'CA*BCT*EL201', status: 'AVAILABLE',
      connectors: [{ standard: 'IEC_62196_T1', price: { sentence: expect.stringContaining('0.24') } }],
    });
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
    await eventually('the EVSE is BLOCKED at Carbon Plunk', async () => {
      const { evses } = await avery.get<{ evses: { evse_uid: string; status: string }[] }>(
        '/v1/evses?latitude=49.2488&longitude=-123.0016&radius_m=5000',
      );
      return evses.some(({ evse_uid, status }) => evse_uid === evseUid && status === 'BLOCKED');
    });
  });

  test('a driver starts a charge at the other platform, watches it by OCPI, and stops it', async () => {
    const avery = await stage.driver('avery');
    const { charge_id } = await avery.post<{ charge_id: string }>('/v1/charges', {
      country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY', evse_uid: evseUid,
    });
    const seen: Charge[] = [];
    const kwh = () => seen.flatMap((charge) => (charge.session ? [Number(charge.session.kwh)] : []));
    let stopping: Promise<unknown> | undefined;
    for await (const charge of avery.watch(charge_id, AbortSignal.timeout(90_000))) {
      seen.push(charge);
      // A busy machine shows it less often than it grows.
      if (Number(charge.session?.kwh) > 0.8 && new Set(kwh()).size >= 3) stopping ??= avery.post(`/v1/charges/${charge_id}/stop`);
    }
    await stopping;
    const last = seen.at(-1)!;
    expect(last).toMatchObject({ state: 'completed', session: { status: 'COMPLETED', country_code: 'CA', party_id: 'BCT' } });
    expect(new Set(kwh()).size).toBeGreaterThanOrEqual(3);
    expect(kwh()).toEqual(kwh().toSorted((a, b) => a - b));
    const stopped = await stage.chargers.until({ event: 'transaction-stopped', station });
    expect(stopped).toMatchObject({ reason: 'Remote' });
    const [settled] = await settledAt(stage, evseUid);
    session = settled!.session;
    expect(session).toMatchObject({
      auth_method: 'COMMAND', authorization_reference: charge_id, cdr_token: { uid: averysToken }, location_id: 'BURNABY',
    });
    expectMeasured(settled!, stopped);
  });

  test('CDR-23 the CDR is the same on both sides, and re-priced to the same money', async () => {
    const cdr = await billed(stage, session.id);
    const theirs = await stage.plunk.operator.get<{ repriced: { excl_vat: string; incl_vat: string }; findings: unknown[] }>(
      `/v1/operator/cdrs/CA/BCT/${cdr.id}`,
    );
    expect(theirs.findings).toEqual([]);
    expect(Number(theirs.repriced.excl_vat)).toBe(cdr.total_cost.excl_vat);
    expect(Number(theirs.repriced.incl_vat)).toBe(cdr.total_cost.incl_vat);
    expect(session.total_cost).toEqual(cdr.total_cost);
    const avery = await stage.driver('avery');
    const receipts = await eventually('there is a receipt', async () => {
      const all = await avery.get<{ receipts: Receipt[] }>('/v1/receipts');
      return all.receipts.length > 0 && all.receipts;
    });
    expect(receipts).toEqual([expect.objectContaining({ cdr_id: cdr.id, session_id: session.id, credit: false })]);
  });

  test('a bill is corrected by a Credit CDR and a new CDR, and both sides settle the same', async () => {
    const before = await eventually('both statements say the same', async () => {
      const both = await statements();
      return both.ours !== undefined && both.ours === both.theirs && both;
    });
    const [cdr] = await cdrsOf(stage.oasis, session.id);
    const made = await stage.oasis.operator.post<{ credit_cdr_id: string; replacement_cdr_id: string }>(
      `/v1/operator/cdrs/${cdr!.id}/correct`,
      { reason: 'half of the energy was the car wash next door', energy_wh: String(Math.round(cdr!.total_energy * 500)) },
    );
    expect(made).toEqual({ credit_cdr_id: `${cdr!.id}-C`, replacement_cdr_id: `${session.id}-2`, warnings: [] });
    const [first, credit, second] = await eventually('Carbon Plunk has the credit and the new CDR', async () => {
      const cdrs = await cdrsOf(stage.plunk, session.id);
      return cdrs.length === 3 && cdrs;
    }) as Awaited<ReturnType<typeof cdrsOf>>;
    expect(await cdrsOf(stage.oasis, session.id)).toEqual([first, credit, second]);
    expect(credit).toMatchObject({ credit: true, credit_reference_id: cdr!.id });
    expect(credit!.total_cost.excl_vat).toBe(-first!.total_cost.excl_vat);
    expect(second!.total_cost.excl_vat).toBeLessThan(first!.total_cost.excl_vat);
    const after = await eventually('both statements have the correction', async () => {
      const both = await statements();
      return both.ours === both.theirs && both.ours !== before.ours && both;
    });
    expect(after.ours).toMatch(/Carbon Plunk owes Energy OASIS [\d.]+ CAD/);
  });
});

async function statements(): Promise<{ ours: string | undefined; theirs: string | undefined }> {
  const owed = async (side: Stage['oasis'], party: string) => {
    const { text } = await side.operator.get<{ text: string }>(`/v1/operator/statements/CA/${party}/2022-02`);
    return /Carbon Plunk owes Energy OASIS [\d.,]+ CAD/.exec(text)?.[0];
  };
  return { ours: await owed(stage.oasis, 'CPK'), theirs: await owed(stage.plunk, 'BCT') };
}

describe('a charge by card', () => {
  test("a partner's card charges at a two-cable station: one Session and one CDR with WHITELIST", async () => {
    const tap = { station: 'OASIS-DC-01', connector: 2, card: blakesCard };
    await beginByCard(stage, tap);
    await metered(stage, tap.station, 2);
    const stopped = await endByCard(stage, tap);
    const [settled] = await settledAt(stage, 'DC-01');
    expect(settled).toMatchObject({
      session: { auth_method: 'WHITELIST', connector_id: '2' },
      cdr: { auth_method: 'WHITELIST', cdr_location: { connector_standard: 'CHADEMO' } },
    });
    expectMeasured(settled!, stopped);
  });

  test('an unknown card is refused as Invalid', async () => {
    const { station, evseUid } = stall(5);
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
    await stage.chargers.do({ do: 'tap', station, idTag: 'DEADBEEF' });
    await stage.chargers.until({ event: 'authorized', station, idTag: 'DEADBEEF', status: 'Invalid' });
    expect(await sessionsOf(stage.oasis, evseUid)).toEqual([]);
    await stage.chargers.do({ do: 'unplug', station });
  });

  test('an unknown card that charged while the line was down is stopped, and nobody is billed', async () => {
    const { station, evseUid } = offlineStrangers;
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
    const since = stage.chargers.events.length;
    // Until the card is there, however busy the machine is.
    await stage.chargers.do({ do: 'drop-socket', station, forMs: 4_000 });
    await stage.chargers.until({ event: 'disconnected', station }, { since });
    await stage.chargers.do({ do: 'tap', station, idTag: 'BADC0FFEE' });
    await stage.chargers.until({ event: 'transaction-known', station, status: 'Invalid' });
    await stage.chargers.until({ event: 'delivered', station, action: 'StopTransaction' });
    await stage.chargers.do({ do: 'unplug', station });
    // A charge after it at the same station: all that came before it has been worked off.
    const tap = { station, card: crewCard(5) };
    await beginByCard(stage, tap);
    await endByCard(stage, tap);
    const [settled] = await settledAt(stage, evseUid);
    expect(settled!.session.cdr_token.uid).toBe(crewCard(5));
  });
});

describe('what may go wrong at the charger', () => {
  test('a charger that drops its socket in mid-charge and comes back goes on with the same Session', async () => {
    const { station, evseUid } = stall(2);
    const tap = { station, card: crewCard(2) };
    await beginByCard(stage, tap);
    await metered(stage, station, 1);
    const { id } = await activeSession(stage.plunk, evseUid);
    const since = stage.chargers.events.length;
    await stage.chargers.do({ do: 'drop-socket', station, forMs: 1_000 });
    await stage.chargers.until({ event: 'connected', station }, { since });
    await metered(stage, station, 2);
    const stopped = await endByCard(stage, tap);
    const [settled] = await settledAt(stage, evseUid);
    expect(settled!.session.id).toBe(id);
    expectMeasured(settled!, stopped);
  });

  test('a StopTransaction that is sent three times ends one Session with one CDR', async () => {
    const { station, evseUid } = stall(3);
    const tap = { station, card: crewCard(3) };
    const stops = () => stage.chargers.events.filter((event) =>
      event.station === station && event.event === 'delivered' && event['action'] === 'StopTransaction').length;
    await stage.chargers.do({ do: 'repeat-stop', station, times: 3 });
    await beginByCard(stage, tap);
    await metered(stage, station, 1);
    const stopped = await endByCard(stage, tap);
    await eventually('three StopTransactions are delivered', () => stops() === 3);
    // The second charge's CDR comes after all that the repeats could have made.
    await beginByCard(stage, tap);
    await endByCard(stage, tap);
    const [first, second] = await settledAt(stage, evseUid, 2);
    expectMeasured(first!, stopped);
    expect(second!.session.id).not.toBe(first!.session.id);
  });

  test('a charger that never answers RemoteStart is a TIMEOUT, and a charge that it begins later is stopped at once', async () => {
    const { station, evseUid } = stall(4);
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
    // It acts 9 s later in real time; its answer is waited for 5 s.
    await stage.chargers.do({
      do: 'stop-answering', station, actions: ['RemoteStartTransaction'], act: true, afterMs: 9_000 * RATE,
    });
    const { outcome, result } = await raw.start({ location_id: 'BURNABY', evse_uid: evseUid });
    expect(dataOf<CommandResponse>(outcome)).toMatchObject({ result: 'ACCEPTED' });
    expect(await result()).toMatchObject({ result: 'TIMEOUT' });
    await stage.chargers.until({ event: 'transaction-known', station });
    await stage.chargers.until({ event: 'transaction-stopped', station, reason: 'Remote' });
    await stage.chargers.do({ do: 'answer-again', station });
    await stage.chargers.do({ do: 'unplug', station });
    const session = await eventually('the late Session is COMPLETED', async () =>
      (await sessionsOf(stage.oasis, evseUid)).find(({ status }) => status === 'COMPLETED'));
    await eventually('the eMSP has its CDR', () =>
      raw.received('cdrs').find(({ body }) => (body as { session_id: string }).session_id === session.id));
  });
});

test('a start that the station refused is over: the same card, tapped later, charges as a card', async () => {
  const { station, evseUid } = stall(8);
  const blake = await stage.driver('blake');
  await stage.chargers.do({ do: 'fault', station, code: 'GroundFailure' });
  const { charge_id } = await blake.post<{ charge_id: string }>('/v1/charges', {
    country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY', evse_uid: evseUid,
  });
  await eventually('the charge has failed', async () =>
    ['failed', 'refused'].includes((await blake.get<Charge>(`/v1/charges/${charge_id}`)).state));
  await stage.chargers.do({ do: 'clear-fault', station });
  const tap = { station, card: blakesCard };
  await beginByCard(stage, tap);
  await metered(stage, station, 2);
  const stopped = await endByCard(stage, tap);
  const [settled] = await settledAt(stage, evseUid);
  expect(settled).toMatchObject({ session: { auth_method: 'WHITELIST' } });
  expect(settled!.session).not.toHaveProperty('authorization_reference');
  expectMeasured(settled!, stopped);
});

describe('commands of a partner of another make', () => {
  test("CMD-06 CMD-07 SES-09 CDR-10 START_SESSION with a Token that was never pushed is accepted: whom it trusts is the eMSP's affair", async () => {
    const { station, evseUid } = stall(6);
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
    const { outcome, exchange, result } = await raw.start(
      { location_id: 'BURNABY', evse_uid: evseUid },
      rawToken('NEVER-PUSHED'),
    );
    expect(dataOf<CommandResponse>(outcome)).toMatchObject({ result: 'ACCEPTED' });
    expect(await result()).toMatchObject({ result: 'ACCEPTED' });
    const session = await activeSession(stage.oasis, evseUid);
    expect(session).toMatchObject({
      auth_method: 'COMMAND',
      authorization_reference: exchange,
      cdr_token: { party_id: 'RAW', uid: 'NEVER-PUSHED' },
    });
    const stop = await raw.send('post', raw.at('commands', 'RECEIVER', 'STOP_SESSION'), {
      response_url: raw.responseUrl('stop-1'),
      session_id: session.id,
    });
    expect(dataOf<CommandResponse>(stop)).toMatchObject({ result: 'ACCEPTED' });
    await stage.chargers.until({ event: 'transaction-stopped', station, reason: 'Remote' });
    await stage.chargers.do({ do: 'unplug', station });
    const posted = await eventually('the eMSP has the CDR', () =>
      raw.received('cdrs').find(({ body }) => (body as { session_id: string }).session_id === session.id),
    );
    expect(posted).toMatchObject({
      method: 'POST',
      body: { cdr_token: { uid: 'NEVER-PUSHED' }, auth_method: 'COMMAND' },
    });
    // Its neighbour hears nothing of it.
    expect(await sessionsOf(stage.plunk, evseUid)).toEqual([]);
  });

  test.each([
    ['Location', { location_id: 'NOWHERE' }],
    ['EVSE', { location_id: 'BURNABY', evse_uid: 'L2-99' }],
  ])('CMD-05 START_SESSION for an unknown %s is REJECTED with status code 2003', async (_what, place) => {
    const { outcome } = await raw.start(place);
    expect(outcome).toMatchObject({ kind: 'refused', http: 200, statusCode: 2003, data: { result: 'REJECTED' } });
  });
});

test('TRN-63 LOC-34: a PATCH that comes late leaves the Location as it is, marks it, and brings it from its owner', async () => {
  const owned = {
    ...exampleLocation,
    country_code: 'CA',
    party_id: 'RAW',
    id: 'LATE',
    name: 'First',
    last_updated: '2022-02-01T17:10:00Z',
  };
  const url = rawCpo.at('locations', 'RECEIVER', 'CA', 'RAW', 'LATE');
  const nameHeld = async () => {
    const [row] = await stage.plunk.query<{ location: string }>(
      `SELECT location FROM locations.locations WHERE party = 'ca*raw' AND location_id = 'late'`,
    );
    return row && (JSON.parse(row.location) as { name: string }).name;
  };
  dataOf(await rawCpo.send('put', url, owned));
  expect(await nameHeld()).toBe('First');
  rawCpo.holds.set('/locations/LATE', { ...owned, name: 'As its owner has it', last_updated: '2022-02-01T17:20:00Z' });
  dataOf(await rawCpo.send('patch', url, { name: 'Late', last_updated: '2022-02-01T17:05:00Z' }));
  await eventually('Carbon Plunk has it as its owner does', async () => await nameHeld() === 'As its owner has it');
  expect(rawCpo.incoming.filter(({ method, path }) => method === 'GET' && path === '/sender/locations/LATE')).toHaveLength(1);
});

describe('a station that is gone', () => stationThatIsGone(() => stage));

describe('a driver at the limit of the account', () => driverAtTheLimit(() => stage));

describe('odd input at the OCPI edge', () => oddInputIsRefused(() => ({ stage, oasis: raw, plunk: rawCpo })));
