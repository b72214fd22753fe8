import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SendOutcome } from '#contracts/ocpi-gateway';
import { Outcome } from '#contracts/ocpp-gateway';
import { Change } from '#contracts/party';
import {
  getOrder,
  explainSession,
  getSession,
  orderStart,
  orderStop,
  putPartnerSession,
  recordCommandResult,
} from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { addDue, openDue } from '#due';
import type { Session, Token } from '#ocpi';
import {
  accepted,
  aCharge,
  bct,
  began,
  card,
  clock,
  openWorld,
  type World,
  xyz,
} from './sessions-world.ts';

// We are the eMSP: our drivers' orders, and their sessions as partners tell them.

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => world.release());
afterAll(() => world?.close());

const driver: Token = {
  ...card('DRIVER-1'),
  party_id: 'BCT',
  type: 'APP_USER',
  contract_id: 'CA-BCT-C00000001-X',
};
const order = (orderId: string, more: object = {}) => ({
  orderId,
  tokenJson: toJsonBytes(driver),
  party: xyz,
  locationId: 'SURREY',
  evseUid: 'E1',
  ...more,
});
const stateOf = async (orderId: string) => (await world.bus.ask(getOrder, { orderId })).order;

const theirs = (id: string, more: Partial<Session> = {}): Session => ({
  country_code: 'CA',
  party_id: 'XYZ',
  id,
  start_date_time: clock('17:00:00'),
  kwh: 0,
  auth_method: 'COMMAND',
  cdr_token: {
    country_code: 'CA',
    party_id: 'BCT',
    uid: 'driver-1',
    type: 'APP_USER',
    contract_id: driver.contract_id,
  },
  location_id: 'SURREY',
  evse_uid: 'E1',
  connector_id: '1',
  currency: 'CAD',
  status: 'ACTIVE',
  last_updated: clock('18:00:00'),
  ...more,
});
const put = (sessionId: string, body: object, patch = false) =>
  world.bus.ask(putPartnerSession, { party: xyz, sessionId, patch, bodyJson: toJsonBytes(body) });

test("an order of our driver goes to the partner once, and its Session is found by the order's id", async () => {
  const sent = await world.partnerAnswers({ result: 'ACCEPTED', timeoutS: 30 });
  const orderId = randomUUID();
  expect((await world.bus.ask(orderStart, order(orderId))).order).toMatchObject({
    state: 'sent',
    command: 'START_SESSION',
  });
  await world.bus.ask(orderStart, order(orderId));
  await expect.poll(async () => (await stateOf(orderId))?.state).toBe('accepted');
  expect(sent).toEqual([
    {
      command: 'START_SESSION',
      body: {
        token: driver,
        location_id: 'SURREY',
        evse_uid: 'E1',
        authorization_reference: orderId,
      },
    },
  ]);
  expect(
    (await world.bus.ask(recordCommandResult, { orderId, result: 'ACCEPTED' })).order,
  ).toMatchObject({ state: 'done' });
  expect(
    await put('S1', theirs('S1', { authorization_reference: orderId.toUpperCase() })),
  ).toMatchObject({ change: Change.CREATED });
  expect(await stateOf(orderId)).toMatchObject({
    state: 'done',
    sessionId: 'S1',
    party: xyz,
    tokenUid: 'DRIVER-1',
  });
  await expect(
    world.bus.ask(orderStop, {
      orderId: randomUUID(),
      tokenUid: 'OTHER',
      party: xyz,
      sessionId: 'S1',
    }),
  ).rejects.toMatchObject({ code: 'session-of-another-driver' });
  await expect(
    world.bus.ask(orderStop, {
      orderId: randomUUID(),
      tokenUid: 'DRIVER-1',
      party: xyz,
      sessionId: 'S99',
    }),
  ).rejects.toMatchObject({ code: 'unknown-session' });
  const stopId = randomUUID();
  await world.bus.ask(orderStop, {
    orderId: stopId,
    tokenUid: 'DRIVER-1',
    party: xyz,
    sessionId: 's1',
  });
  await expect.poll(async () => (await stateOf(stopId))?.state).toBe('accepted');
  expect(sent.at(-1)).toEqual({ command: 'STOP_SESSION', body: { session_id: 's1' } });
  await expect(world.bus.ask(getOrder, { orderId: 'NEVER-PLACED' })).rejects.toMatchObject({
    code: 'unknown-order',
  });
});

test("SES-01 SES-03 SES-04 a partner's Session grows by PATCH, ends, and never changes again", async () => {
  const period = (at: string, volume: number) => ({
    start_date_time: clock(at),
    dimensions: [{ type: 'ENERGY', volume }],
  });
  await put(
    'S2',
    theirs('S2', { charging_periods: [period('18:00:00', 1)] as Session['charging_periods'] }),
  );
  const more = {
    kwh: 3,
    charging_periods: [period('18:10:00', 2)],
    last_updated: clock('18:20:00'),
  };
  expect(await put('S2', more, true)).toMatchObject({ change: Change.UPDATED });
  expect(await put('S2', more, true)).toMatchObject({ change: Change.UNCHANGED });
  expect(await put('S2', { kwh: 2, last_updated: clock('18:15:00') }, true)).toMatchObject({
    change: Change.STALE,
  });
  await expect(put('S2', { kwh: 4 }, true)).rejects.toMatchObject({ code: 'invalid-object' });
  await expect(put('S77', more, true)).rejects.toMatchObject({ code: 'unknown-session' });
  expect(
    await put(
      'S2',
      { status: 'COMPLETED', end_date_time: clock('18:30:00'), last_updated: clock('18:30:00') },
      true,
    ),
  ).toMatchObject({ change: Change.UPDATED });
  await expect(put('S2', { kwh: 9, last_updated: clock('18:40:00') }, true)).rejects.toMatchObject({
    code: 'session-is-final',
  });
  const { sessionJson, own } = await world.bus.ask(getSession, { party: xyz, sessionId: 's2' });
  expect(own).toBe(false);
  expect(fromJsonBytes<Session>(sessionJson!)).toMatchObject({
    kwh: 3,
    status: 'COMPLETED',
    charging_periods: [period('18:00:00', 1), period('18:10:00', 2)],
  });
  const why = await world.bus.ask(explainSession, { party: xyz, sessionId: 's2' });
  expect(fromJsonBytes(why.explanationJson!)).toEqual({ not_priceable: 'tariffs: at least one tariff expected' });
  await expect
    .poll(() => world.ofKind('partner').filter(({ sessionId }) => sessionId === 'S2'))
    .toHaveLength(3);
});

test("SES-02 a PUT of a partner's Session replaces its charging periods, and one without them empties the list", async () => {
  const periods = (at: string): Session['charging_periods'] => [
    { start_date_time: clock(at), dimensions: [{ type: 'ENERGY', volume: 1 }] },
  ];
  const held = async () => {
    const { sessionJson } = await world.bus.ask(getSession, { party: xyz, sessionId: 'S3' });
    return fromJsonBytes<Session>(sessionJson!).charging_periods;
  };
  await put('S3', theirs('S3', { charging_periods: periods('18:00:00') }));
  await put('S3', theirs('S3', { charging_periods: periods('18:10:00'), last_updated: clock('18:10:00') }));
  expect(await held()).toEqual(periods('18:10:00'));
  await put('S3', theirs('S3', { last_updated: clock('18:20:00') }));
  expect(await held()).toBeUndefined();
});

test('an order that the partner refuses, or that may have arrived, says so', async () => {
  const [refused, unclear, nobody] = [randomUUID(), randomUUID(), randomUUID()];
  await world.partnerAnswers({ result: 'REJECTED', message: 'no' });
  await world.bus.ask(orderStart, order(refused));
  await expect.poll(async () => (await stateOf(refused))?.state).toBe('refused');
  await world.release();
  await world.partnerAnswers({ outcome: SendOutcome.UNCLEAR, message: 'the operator has a problem of its own: HTTP 503' });
  await world.bus.ask(orderStart, order(unclear));
  await expect.poll(async () => (await stateOf(unclear))?.state).toBe('unknown');
  expect((await stateOf(unclear))?.message, 'the driver hears what is known').toBe('the operator has a problem of its own: HTTP 503');
  await put('S3', theirs('S3'));
  expect(await stateOf(unclear)).toMatchObject({ state: 'done', sessionId: 'S3' });
  await world.release();
  await world.partnerAnswers({ outcome: SendOutcome.NO_PARTNER });
  await world.bus.ask(orderStart, order(nobody));
  await expect.poll(async () => (await stateOf(nobody))?.state).toBe('failed');
});

test("our driver's order at our own EVSE goes straight to the charger", async () => {
  const asked = await world.chargerAnswers(Outcome.ACCEPTED);
  const orderId = randomUUID();
  await world.bus.ask(
    orderStart,
    order(orderId, { party: bct, locationId: 'BURNABY', evseUid: 'L2-02' }),
  );
  await expect.poll(async () => (await stateOf(orderId))?.state).toBe('done');
  expect(asked).toEqual([`start ${orderId}`]);
  const charge = aCharge('OASIS-L2-02');
  await world.say(
    began(
      charge,
      accepted(driver, { authMethod: 'COMMAND', orderId, authorizationReference: orderId }),
    ),
  );
  const session = await world.sessionBegun('DRIVER-1');
  await expect.poll(async () => (await stateOf(orderId))?.sessionId).toBe(session.id);
  expect(world.finished(orderId)).toEqual([]);
  const stopId = randomUUID();
  await world.bus.ask(orderStop, {
    orderId: stopId,
    tokenUid: 'DRIVER-1',
    party: bct,
    sessionId: session.id,
  });
  await expect.poll(async () => (await stateOf(stopId))?.state).toBe('done');
});

test('what was never decided is not done: a row without its event', async () => {
  const sessionsDb = await world.openSessionsDb();
  const [asked, sent] = [
    await world.chargerAnswers(Outcome.ACCEPTED),
    await world.partnerAnswers({ result: 'ACCEPTED' }),
  ];
  for (const kind of ['carry-out', 'send-order']) {
    await addDue(sessionsDb, {
      id: `${kind} LOST`,
      key: `${kind} LOST`,
      kind,
      at: 0,
      body: { orderId: 'LOST' },
    });
  }
  const attempts = async () => {
    const keys = ['carry-out LOST', 'send-order LOST'];
    const open = await Promise.all(keys.map((key) => openDue(sessionsDb, key)));
    return open.flat().map((row) => row.attempts);
  };
  // It may only be late, so it is looked for again.
  await expect.poll(async () => (await attempts()).map((n) => n >= 2)).toEqual([true, true]);
  expect([asked, sent]).toEqual([[], []]);
  await sessionsDb.close();
});
