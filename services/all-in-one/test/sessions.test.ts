import { randomUUID, sign } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getCdr } from '#contracts/cdr-ledger';
import { told } from '#bus';
import { meterRead, Outcome, transactionStopped } from '#contracts/ocpp-gateway';
import {
  explainSession,
  getSession,
  listSessions,
  listTokenSessions,
  startSession,
  stopSession,
} from '#contracts/sessions';
import { fromJsonBytes, toJsonBytes } from '#contracts';
import { type Cdr, read, Session } from '#ocpi';
import {
  accepted,
  aCharge,
  bct,
  began,
  card,
  clock,
  meterKeys,
  openWorld,
  plunk,
  reads,
  sessionOf,
  stops,
  type World,
  xyz,
} from './sessions-world.ts';

// We are the CPO: charges at our stations, and partners' commands to them.

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => world.release());
afterAll(() => world?.close());

test('a tapped card becomes one Session that grows with the readings and ends COMPLETED', async () => {
  const charge = aCharge();
  await world.say(began(charge, accepted(card('CARD-1'))));
  const session = await world.sessionBegun('CARD-1');
  expect(session).toMatchObject({
    country_code: 'CA',
    party_id: 'BCT',
    status: 'ACTIVE',
    kwh: 0,
    auth_method: 'WHITELIST',
    location_id: 'BURNABY',
    evse_uid: 'L2-01',
    connector_id: '1',
    currency: 'CAD',
    start_date_time: clock('17:00:00'),
    charging_periods: [],
  });
  await world.say(
    reads(charge, '17:04:00', '1440'),
    reads(charge, '17:10:00', '2100.5'),
    reads(charge, '17:20:00', '3200'),
  );
  await expect.poll(() => world.of('updated', session.id).map(sessionOf)).toHaveLength(2);
  const [first, second] = world.of('updated', session.id).map(sessionOf);
  expect(first).toMatchObject({ kwh: 1.1005, total_cost: { excl_vat: 0.55, incl_vat: 0.58 } });
  expect(second!.charging_periods!.slice(0, 1)).toEqual(first!.charging_periods);
  expect(second!.charging_periods!.map(({ start_date_time: at }) => at)).toEqual([
    clock('17:00:00'),
    clock('17:10:00'),
  ]);
  await world.say(
    stops(charge, '17:30:00', '4300.5'),
    stops(charge, '17:30:00', '4300.5'),
    stops(charge, '17:31:00', '4300.5'),
  );
  await expect.poll(() => world.of('ended', session.id)).toHaveLength(1);
  const [fact] = world.of('ended', session.id);
  const ended = sessionOf(fact!);
  expect(ended).toMatchObject({
    status: 'COMPLETED',
    end_date_time: clock('17:30:00'),
    kwh: 3.3005,
    total_cost: { excl_vat: 1.66, incl_vat: 1.74 },
  });
  expect(read(Session, ended)).toMatchObject({ ok: true });
  expect(fact).toMatchObject({ energyWh: '3300.5', tariffVersion: 1, tokenParty: plunk });
  expect(fromJsonBytes(fact!.tariffJson as Uint8Array)).toMatchObject({ id: 'L2' });
  expect(fromJsonBytes(fact!.locationJson as Uint8Array)).toMatchObject({
    id: 'BURNABY',
    evses: [{ uid: 'L2-01' }],
  });
  expect(fromJsonBytes(fact!.tokenJson as Uint8Array)).toEqual(card('CARD-1'));
  const billed = () => world.bus.ask(getCdr, { party: bct, cdrId: `${session.id}-1` });
  await expect.poll(async () => (await billed()).cdrJson).toBeDefined();
  const cdr = fromJsonBytes<Cdr>((await billed()).cdrJson!);
  expect(cdr).toMatchObject({
    total_cost: ended.total_cost,
    total_energy: ended.kwh,
    auth_method: 'WHITELIST',
  });
  expect(cdr.charging_periods).toHaveLength(ended.charging_periods!.length);
});

test('a card that was not accepted makes no Session', async () => {
  const before = world.ofKind('started').length;
  const [refused, next] = [aCharge(), aCharge()];
  await world.say(
    began(refused, { status: 'Invalid', authMethod: 'WHITELIST' }),
    reads(refused, '17:00:30', '1050'),
    stops(refused, '17:01:00', '1100'),
    began(next, accepted(card('CARD-2')), '17:02:00'),
  );
  await world.sessionBegun('CARD-2');
  expect(world.ofKind('started')).toHaveLength(before + 1);
  expect(
    world
      .ofKind('ended')
      .map(sessionOf)
      .filter(({ end_date_time: end }) => end === clock('17:01:00')),
  ).toEqual([]);
});

const wish = (orderId: string, uid: string, more: object = {}) => ({
  orderId,
  tokenJson: toJsonBytes(card(uid)),
  locationId: 'BURNABY',
  evseUid: 'L2-02',
  authorizationReference: `REF-${orderId}`,
  ...more,
});

test('START_SESSION and STOP_SESSION of a partner, each carried out once and answered once', async () => {
  const asked = await world.chargerAnswers(Outcome.ACCEPTED);
  const orderId = randomUUID();
  const taken = await world.bus.ask(startSession, wish(orderId, 'APP-1'));
  expect(taken).toMatchObject({ result: 'ACCEPTED', timeoutS: 5, unknownLocation: false });
  expect(await world.bus.ask(startSession, wish(orderId, 'APP-1'))).toMatchObject({
    result: 'ACCEPTED',
  });
  await expect.poll(() => world.finished(orderId)).toEqual(['ACCEPTED']);
  const charge = aCharge('OASIS-L2-02');
  await world.say(
    began(
      charge,
      accepted(card('APP-1'), {
        authMethod: 'COMMAND',
        orderId,
        authorizationReference: `REF-${orderId}`,
      }),
    ),
  );
  const session = await world.sessionBegun('APP-1');
  expect(session).toMatchObject({
    auth_method: 'COMMAND',
    authorization_reference: `REF-${orderId}`,
    evse_uid: 'L2-02',
  });
  const stop = { orderId: randomUUID(), sessionId: session.id.toLowerCase() };
  expect(
    await world.bus.ask(stopSession, { ...stop, parties: [{ countryCode: 'CA', partyId: 'XYZ' }] }),
  ).toMatchObject({ result: 'REJECTED' });
  expect(await world.bus.ask(stopSession, { ...stop, parties: [plunk], party: xyz }), 'at another party of ours').toMatchObject({
    result: 'UNKNOWN_SESSION',
  });
  expect(await world.bus.ask(stopSession, { ...stop, parties: [plunk] })).toMatchObject({
    result: 'ACCEPTED',
  });
  await expect.poll(() => world.finished(stop.orderId)).toEqual(['ACCEPTED']);
  expect(asked).toEqual([`start ${orderId}`, `stop ${charge.transactionId}`]);
  await world.say(stops(charge, '17:30:00', '2000'));
  await expect.poll(() => world.of('ended', session.id)).toHaveLength(1);
  expect(
    await world.bus.ask(stopSession, {
      orderId: randomUUID(),
      sessionId: session.id,
      parties: [plunk],
    }),
  ).toMatchObject({ result: 'REJECTED' });
  expect(
    await world.bus.ask(stopSession, {
      orderId: randomUUID(),
      sessionId: 'NOBODYS',
      parties: [plunk],
    }),
  ).toMatchObject({ result: 'UNKNOWN_SESSION' });
});

test.each([
  [{ locationId: 'ELSEWHERE' }, true],
  [{ evseUid: 'L2-99' }, true],
  [{ connectorId: '9' }, true],
  [{ party: xyz }, true],
])(
  'CMD-05 START_SESSION at %j is REJECTED and is no place of ours',
  async (more, unknownLocation) => {
    expect(await world.bus.ask(startSession, wish(randomUUID(), 'APP-2', more))).toMatchObject({
      result: 'REJECTED',
      unknownLocation,
    });
  },
);

test('a charger that is not connected is EVSE_INOPERATIVE, one that refuses REJECTED', async () => {
  const [offline, refusing] = [randomUUID(), randomUUID()];
  await world.bus.ask(startSession, wish(offline, 'APP-3'));
  await expect.poll(() => world.finished(offline)).toEqual(['EVSE_INOPERATIVE']);
  await world.chargerAnswers(Outcome.REJECTED);
  await world.bus.ask(startSession, wish(refusing, 'APP-3'));
  await expect.poll(() => world.finished(refusing)).toEqual(['REJECTED']);
});

test('a charge that begins after its TIMEOUT is recorded and stopped, until it has ended', async () => {
  const asked = await world.chargerAnswers(Outcome.UNKNOWN);
  const orderId = randomUUID();
  await world.bus.ask(startSession, wish(orderId, 'APP-4'));
  await expect.poll(() => world.finished(orderId)).toEqual(['TIMEOUT']);
  const charge = aCharge('OASIS-L2-02');
  await world.say(began(charge, accepted(card('APP-4'), { authMethod: 'COMMAND', orderId })));
  const session = await world.sessionBegun('APP-4');
  const toStop = () => asked.filter((what) => what === `stop ${charge.transactionId}`).length;
  await expect.poll(toStop).toBeGreaterThan(0);
  await world.stopSessions();
  const before = toStop();
  await world.startSessionsAgain();
  await expect.poll(toStop).toBeGreaterThan(before);
  await world.say(stops(charge, '17:00:05', '1000'));
  await expect.poll(() => world.of('ended', session.id)).toHaveLength(1);
  expect(world.finished(orderId)).toEqual(['TIMEOUT']);
});

test("listSessions pages a partner's own in order of creation; getSession and listTokenSessions find one", async () => {
  const all = await world.bus.ask(listSessions, {
    tokenParties: [plunk],
    page: { offset: 0, limit: 100 },
  });
  const ids = all.objectsJson.map((json) => fromJsonBytes<Session>(json).id);
  expect(all.total).toBe(ids.length);
  expect(ids).toEqual(world.ofKind('started').map(({ sessionId }) => sessionId));
  const page = await world.bus.ask(listSessions, {
    tokenParties: [plunk],
    page: { offset: 1, limit: 1 },
  });
  expect(page.objectsJson.map((json) => fromJsonBytes<Session>(json).id)).toEqual(ids.slice(1, 2));
  const none = await world.bus.ask(listSessions, {
    tokenParties: [{ countryCode: 'CA', partyId: 'XYZ' }],
    page: { offset: 0, limit: 10 },
  });
  expect(none.total).toBe(0);
  const { sessionJson, own } = await world.bus.ask(getSession, { party: bct, sessionId: ids[0]! });
  const found = fromJsonBytes<Session>(sessionJson!);
  expect([own, found.status]).toEqual([true, 'COMPLETED']);
  const why = await world.bus.ask(explainSession, { party: bct, sessionId: ids[0]! });
  const total = { excl_vat: String(found.total_cost!.excl_vat), incl_vat: String(found.total_cost!.incl_vat) };
  expect(fromJsonBytes(why.explanationJson!)).toMatchObject({ total });
  expect(why.explanationText).toContain('kWh');
  expect((await world.bus.ask(explainSession, { party: bct, sessionId: 'GONE' })).explanationJson).toBeUndefined();
  const { sessionsJson } = await world.bus.ask(listTokenSessions, {
    tokenParty: plunk,
    tokenUid: 'card-1',
    limit: 5,
  });
  expect(sessionsJson.map((json) => fromJsonBytes<Session>(json).id)).toEqual([ids[0]]);
});

test('a service that was started again goes on with the session it had', async () => {
  const charge = aCharge();
  await world.say(began(charge, accepted(card('CARD-9'))), reads(charge, '17:10:00', '2000'));
  const session = await world.sessionBegun('CARD-9');
  await expect.poll(() => world.of('updated', session.id).map(sessionOf)).toHaveLength(1);
  await world.stopSessions();
  await world.say(
    reads(charge, '17:10:00', '2000'),
    reads(charge, '17:05:00', '1500'),
    reads(charge, '17:20:00', '3000'),
  );
  await world.startSessionsAgain();
  await expect.poll(() => world.of('updated', session.id).map(sessionOf)).toHaveLength(2);
  await world.say(began(charge, accepted(card('CARD-9'))), stops(charge, '17:25:00', '900'));
  await expect.poll(() => world.of('ended', session.id)).toHaveLength(1);
  expect(sessionOf(world.of('ended', session.id)[0])).toMatchObject({
    kwh: 2,
    status: 'COMPLETED',
  });
});

/** What the meter at L2-01 signs. */
function signed(page: number, reason: string, time: string, kwh: string): string {
  const reading = `{"TM":"2022-02-01T${time},000+0000 S","TX":"${reason}","RV":${kwh},"RI":"1-b:1.8.0","RU":"kWh","ST":"G"}`;
  const payload = `{"FV":"1.0","PG":"T${page}","MS":"M-1","ID":"04A2","RD":[${reading}]}`;
  const SD = sign('sha256', Buffer.from(payload), meterKeys.privateKey).toString('hex');
  return `OCMF|${payload}|{"SD":"${SD}"}`;
}
const findingsOf = async (cdrId: string) => {
  const billed = () => world.bus.ask(getCdr, { party: bct, cdrId });
  await expect.poll(async () => (await billed()).cdrJson).toBeDefined();
  const { cdrJson, findings, explanationText } = await billed();
  return { cdr: fromJsonBytes<Cdr>(cdrJson!), codes: findings.map(({ code }) => code), explanationText };
};

test('CDR-20: what the meter signed is in the CDR, and whether it bears out the bill is said beside it', async () => {
  const charge = aCharge();
  const [start, end] = [signed(1, 'B', '17:00:00', '1.000'), signed(2, 'E', '17:30:00', '4.000')];
  const value = (text: string, context: string) => ({ at: clock('17:00:00'), context, encoding: 'OCMF', text });
  await world.say(
    began(charge, accepted(card('SIGNED'))),
    told(meterRead, { ...charge, connectorId: 1, readings: [], signed: [value(start, 'Transaction.Begin')] }),
    told(transactionStopped, {
      ...{ ...charge, connectorId: 1, meterStopWh: '4000', stoppedAt: clock('17:30:00'), reason: 'Local' },
      readings: [],
      signed: [value(start, 'Transaction.Begin'), value(end, 'Transaction.End')],
    }),
  );
  const { id } = await world.sessionBegun('SIGNED');
  const { cdr, codes, explanationText } = await findingsOf(`${id}-1`);
  expect(cdr.signed_data).toEqual({
    encoding_method: 'OCMF',
    signed_values: [['Start', start], ['End', end]].map(([nature, text]) => ({
      nature, plain_data: text, signed_data: Buffer.from(text!).toString('base64'),
    })),
  });
  expect(codes).toEqual(['signed-data-valid']);
  expect(explanationText).toContain('the signature of what meter M-1 signed is valid');
});

test('a bill that is not what the meter signed is issued all the same, and says so', async () => {
  const charge = aCharge();
  const forged = signed(1, 'B', '17:00:00', '1.000').replace('1.000', '0.500');
  await world.say(
    began(charge, accepted(card('FORGED'))),
    told(meterRead, {
      ...{ ...charge, connectorId: 1, readings: [{ at: clock('17:10:00'), energyWh: '900000', context: 'Sample.Periodic' }] },
      signed: [{ at: clock('17:00:00'), context: 'Transaction.Begin', encoding: 'OCMF', text: forged }],
    }),
    stops(charge, '17:30:00', '4000'),
  );
  const { id } = await world.sessionBegun('FORGED');
  const { cdr, codes } = await findingsOf(`${id}-1`);
  expect(cdr.total_energy).toBe(3);
  expect(codes).toEqual(['reading-beyond-power', 'signed-data-invalid', 'signed-readings-incomplete']);
});
