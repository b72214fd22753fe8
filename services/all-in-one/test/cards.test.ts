import type { Cdr, Session } from '#ocpi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { demoAgreement } from '../../../scripts/demo-agreement.ts';
import { fastStation } from '../../../scripts/demo-settings.ts';
import { beginByCard, endByCard, expectMeasured, metered, sessionsOf, settledAt, stall } from './charge.ts';
import { RawPartner, rawToken } from './raw-partner.ts';
import { eventually, invitation, setStage, type Stage } from './stage.ts';

// A card at a station, end to end: what its whitelist type, its spelling and its owner's platform make of it.

const cards = {
  always: '04A1000000AA01', allowed: '04A1000000AA02', never: '04A1000000AA03', neverDown: '04A1000000AA04',
  offline: '04A1000000AA05', turned: '04A1000000AA06', doubtful: '04A1000000AA07',
};
const card = (uid: string, whitelist: string) => ({ uid, type: 'RFID', whitelist });
const reversed = stall(4);
const fast = (n: number) => ({ station: fastStation(n), evseUid: `DC-0${n}`, connector: 2 });

type Place = ReturnType<typeof stall> & { readonly connector?: number };

let stage: Stage;
/** An eMSP of another make, which OASIS knows, too. */
let raw: RawPartner;
beforeAll(async () => {
  stage = await setStage({
    hosting: 'one', rate: 300, everyS: 120, versions: ['2.2.1'], traced: true,
    stationProfiles: { [reversed.station]: { card_uid: 'reversed' } },
    moreDrivers: [{
      email: 'ellis@carbon-plunk.example', password: 'a card of each whitelist', name: 'Ellis', contract_id: 'CA-CPK-C00000006-B',
      tokens: [
        card(cards.always, 'ALWAYS'), card(cards.allowed, 'ALLOWED'), card(cards.never, 'NEVER'), card(cards.neverDown, 'NEVER'),
        card(cards.offline, 'ALLOWED_OFFLINE'), card(cards.turned, 'ALLOWED'), card(cards.doubtful, 'ALLOWED'),
      ],
    }],
  });
  raw = await RawPartner.open('EMSP');
  await raw.register(await invitation(stage.oasis, 'Another eMSP'));
});
afterAll(async () => {
  await raw?.close();
  await stage?.stop();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

/** A whole charge by a card, and what both sides hold of it in the end. */
async function charge(uid: string, { station, evseUid, connector = 1 }: Place, said = uid) {
  await beginByCard(stage, { station, connector, card: said });
  await metered(stage, station, 1);
  const stopped = await endByCard(stage, { station, connector, card: said });
  const [settled] = await settledAt(stage, evseUid);
  expectMeasured(settled!, stopped);
  expect(settled!.session.cdr_token).toMatchObject({ uid, type: 'RFID' });
  return settled!;
}

async function refusedAt({ station, evseUid, connector = 1 }: Place, idTag: string, status: string): Promise<void> {
  const since = stage.chargers.events.length;
  const before = (await sessionsOf(stage.oasis, evseUid)).length;
  await stage.chargers.do({ do: 'plug-in', station, connector, car: 'leaf', soc: 35 });
  await stage.chargers.do({ do: 'tap', station, connector, idTag });
  await stage.chargers.until({ event: 'authorized', station, idTag, status }, { since });
  await stage.chargers.do({ do: 'unplug', station, connector });
  expect(await sessionsOf(stage.oasis, evseUid)).toHaveLength(before);
}

const pushed = (token: ReturnType<typeof rawToken>) =>
  raw
    .send('put', raw.at('tokens', 'RECEIVER', 'CA', 'RAW', token.uid), token)
    .then((outcome) => expect(outcome).toMatchObject({ kind: 'ok' }));

describe('TOK-09: a card whose owner is there charges in one Session with one CDR', () => {
  test.each([
    ['ALWAYS', cards.always, stall(1), 'WHITELIST'],
    ['ALLOWED', cards.allowed, stall(2), 'WHITELIST'],
    ['NEVER', cards.never, stall(3), 'AUTH_REQUEST'],
  ] as const)('whitelist %s', async (_whitelist, uid, place, auth_method) => {
    const { session, cdr } = await charge(uid, place);
    expect([session.auth_method, cdr.auth_method]).toEqual([auth_method, auth_method]);
    expect(session.authorization_reference !== undefined).toBe(auth_method === 'AUTH_REQUEST');
    const references = (await stage.plunk.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM sessions.partner_sessions WHERE session::json ->> 'authorization_reference' = $1`,
      [session.authorization_reference ?? ''],
    ))[0]!.n;
    expect(references).toBe(auth_method === 'AUTH_REQUEST' ? 1 : 0);
  });

  test('a reader that says the bytes of a uid from the last to the first: the Session has the uid that was issued', async () => {
    const said = cards.turned.match(/../g)!.toReversed().join('');
    const { session } = await charge(cards.turned, reversed, said);
    expect(session.auth_method).toBe('WHITELIST');
  });
});

test('an eMSP that does not answer within 5 s gave no leave: NEVER is refused', async () => {
  const token = rawToken('04B0000000BB01', { whitelist: 'NEVER', type: 'RFID' });
  await pushed(token);
  raw.authorizes = () => undefined;
  await refusedAt(stall(5), token.uid, 'Invalid');
  raw.authorizes = () => ({ allowed: 'EXPIRED', token });
  // What was decided at a station holds there for seconds.
  await refusedAt(fast(1), token.uid, 'Expired');
});

test('a uid and a group longer than OCPP 1.6 has room for go to the station as aliases, and are in Session and CDR as they were', async () => {
  const { station, evseUid } = stall(6);
  const group_id = 'FLEET-OF-MORE-THAN-TWENTY-CHARACTERS';
  const long = rawToken('APP-0000000001-LONGER-THAN-OCPP-16', { type: 'APP_USER', whitelist: 'NEVER', group_id });
  const friend = rawToken('04B0000000BB02', { type: 'RFID', whitelist: 'ALLOWED', group_id });
  await pushed(friend);
  const since = stage.chargers.events.length;
  await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 35 });
  const { result, exchange } = await raw.start({ location_id: 'BURNABY', evse_uid: evseUid }, long);
  expect(await result()).toMatchObject({ result: 'ACCEPTED' });
  const started = await stage.chargers.until({ event: 'transaction-started', station }, { since });
  expect(started['idTag']).toMatch(/^RW[0-9A-F]{18}$/);
  await stage.chargers.until({ event: 'transaction-known', station, status: 'Accepted' }, { since });
  await metered(stage, station, 1);
  // The other card of the group ends it.
  await stage.chargers.do({ do: 'tap', station, idTag: friend.uid });
  await stage.chargers.until({ event: 'transaction-stopped', station }, { since });
  await stage.chargers.do({ do: 'unplug', station });
  const session = (await eventually('the Session is COMPLETED', async () =>
    (await sessionsOf(stage.oasis, evseUid)).find(({ status }) => status === 'COMPLETED'),
  )) as Session;
  expect(session).toMatchObject({
    auth_method: 'COMMAND',
    authorization_reference: exchange,
    cdr_token: { uid: long.uid },
  });
  const cdr = (await eventually('the eMSP has the CDR', () =>
    raw
      .received('cdrs')
      .map(({ body }) => body as Cdr)
      .find(({ session_id }) => session_id === session.id),
  )) as Cdr;
  expect(cdr).toMatchObject({ auth_method: 'COMMAND', cdr_token: { uid: long.uid, type: 'APP_USER' } });
});

test('a uid that two eMSPs issued is refused and alarmed, until an agreement says whose it is', async () => {
  const place = stall(7);
  await pushed(rawToken(cards.doubtful.toLowerCase(), { type: 'RFID', whitelist: 'ALLOWED' }));
  await refusedAt(place, cards.doubtful, 'Invalid');
  const alarms = () => stage.oasis.operator.get<{ uids: { uid: string }[] }>('/v1/operator/contested-uids');
  const parties = [{ country_code: 'CA', party_id: 'CPK' }, { country_code: 'CA', party_id: 'RAW' }];
  await expect.poll(alarms).toMatchObject({ total: 1, uids: [{ uid: cards.doubtful, parties, refused: 1, last_station: place.station }] });
  await stage.oasis.operator.put('/v1/operator/partners/CA/CPK/agreement', { ...demoAgreement, grants: { token_priority: 1 } });
  await eventually('it counts as one of Carbon Plunk', async () =>
    JSON.stringify(await alarms()).includes('"counts_as":{"country_code":"CA","party_id":"CPK"}'));
  const { session } = await charge(cards.doubtful, fast(2));
  expect(session.cdr_token.party_id).toBe('CPK');
});

test('TOK-09: with the eMSP down NEVER is refused, ALLOWED_OFFLINE and ALLOWED charge and are billed when it is back', async () => {
  const [never, offline, allowed] = [stall(8), stall(9), stall(10)];
  await stage.plunk.stop();
  await refusedAt(never, cards.neverDown, 'Invalid');
  const charges = [{ place: offline, uid: cards.offline }, { place: allowed, uid: cards.allowed }];
  const stops = [];
  for (const { place: { station }, uid } of charges) {
    await beginByCard(stage, { station, card: uid });
    await metered(stage, station, 1);
    stops.push(await endByCard(stage, { station, card: uid }));
  }
  await stage.plunk.startAgain('one');
  for (const [index, { place }] of charges.entries()) {
    const [settled] = await settledAt(stage, place.evseUid);
    expectMeasured(settled!, stops[index]!);
    expect([settled!.session.auth_method, settled!.cdr.auth_method]).toEqual(['WHITELIST', 'WHITELIST']);
    expect(settled!.session).not.toHaveProperty('authorization_reference');
  }
  expect(await sessionsOf(stage.oasis, never.evseUid)).toEqual([]);
});

test('what was traced and logged of all these charges names no card', () => {
  const spans = stage.spans();
  expect(spans.some(({ name }) => name === 'ocpi POST to Carbon Plunk')).toBe(true);
  const texts = [...spans.map((span) => JSON.stringify(span)), ...stage.logged('')];
  for (const uid of Object.values(cards).map((one) => one.toLowerCase()))
    expect(texts.filter((text) => text.toLowerCase().includes(uid)), uid).toEqual([]);
});
