import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getCdr } from '#contracts/cdr-ledger';
import { stationConnected, stationDisconnected } from '#contracts/ocpp-gateway';
import { explainSession, getSession, getSessionAt, orderStop, stopSession } from '#contracts/sessions';
import { told } from '#bus';
import { fromJsonBytes } from '#contracts';
import type { Cdr, Session } from '#ocpi';
import {
  accepted,
  aCharge,
  bct,
  began,
  card,
  clock,
  limits,
  openWorld,
  plunk,
  reads,
  sessionOf,
  stops,
  turns,
  type World,
} from './sessions-world.ts';

// Cars that pause, that are full, and that stay after their charge: from what chargers and our load
// management tell to the CDR. The EVSE's tariff: 0.20 a kWh, 2 an hour charging, 6 an hour parking.

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const chargeAt = (n: string) => aCharge(`OASIS-L2-${n}`);
const seen = ({ charging_periods: periods = [] }: Pick<Session, 'charging_periods'>) =>
  periods.map(({ start_date_time, dimensions }) =>
    [
      start_date_time.slice(11, 16),
      ...dimensions
        .filter(({ type }) => ['ENERGY', 'TIME', 'PARKING_TIME'].includes(type))
        .map(({ type, volume }) => `${type} ${volume}`),
    ].join(' '),
  );
async function endOf({ id }: Session): Promise<Session> {
  await expect.poll(() => world.of('ended', id)).toHaveLength(1);
  return sessionOf(world.of('ended', id)[0]);
}
async function billOf({ id }: Session): Promise<Cdr> {
  const billed = () => world.bus.ask(getCdr, { party: bct, cdrId: `${id}-1` });
  await expect.poll(async () => (await billed()).cdrJson).toBeDefined();
  return fromJsonBytes<Cdr>((await billed()).cdrJson!);
}
const connection = (contract: typeof stationConnected | typeof stationDisconnected, at: string) =>
  told(contract as typeof stationConnected, {
    stationId: 'OASIS-L2-05',
    at: clock(at),
    epoch: 1,
    ocppVersion: 'ocpp1.6',
  });

test('a full car that stays pays for parking until it leaves Finishing, then the Session is COMPLETED and billed', async () => {
  const charge = chargeAt('03');
  await world.say(
    turns(charge, '16:59:00', 'Preparing'),
    began(charge, accepted(card('FULL'))),
    turns(charge, '17:00:00', 'Charging'),
    reads(charge, '17:30:00', '11000'),
    turns(charge, '17:30:00', 'SuspendedEV'),
    reads(charge, '17:45:00', '11000'),
    turns(charge, '18:00:00', 'Finishing'),
    stops(charge, '18:00:00', '11000'),
  );
  const session = await world.sessionBegun('FULL');
  const newest = () => world.of('updated', session.id).map(sessionOf).at(-1);
  await expect
    .poll(() => newest() && seen(newest()!).slice(-2))
    .toEqual(['17:30 PARKING_TIME 0.25', '17:45 PARKING_TIME 0.25']);
  expect(newest()).toMatchObject({ status: 'ACTIVE', kwh: 10, total_cost: { excl_vat: 6 } });
  const stop = { orderId: randomUUID(), sessionId: session.id, parties: [plunk] };
  expect(await world.bus.ask(stopSession, stop)).toMatchObject({ result: 'REJECTED' });
  const order = { orderId: randomUUID(), tokenUid: 'FULL', party: bct, sessionId: session.id };
  await expect(world.bus.ask(orderStop, order)).rejects.toMatchObject({ code: 'charge-is-over' });
  const { sessionJson } = await world.bus.ask(getSession, { party: bct, sessionId: session.id });
  expect(fromJsonBytes<Session>(sessionJson!)).toMatchObject({ status: 'ACTIVE', kwh: 10 });
  const whoIsThere = async () => {
    const { sessionJson: there } = await world.bus.ask(getSessionAt, { stationId: charge.stationId, connectorId: 1 });
    return there && fromJsonBytes<Session>(there).id;
  };
  expect(await whoIsThere()).toBe(session.id);
  const why = await world.bus.ask(explainSession, { party: bct, sessionId: session.id });
  expect(why.explanationText).toMatch(/Parking time 30 min at 6 CAD per hour .*: 3\.00 CAD/);
  expect(fromJsonBytes(why.explanationJson!)).toMatchObject({ total: { excl_vat: '6' }, notes: [] });
  await world.say(turns(charge, '18:30:00', 'Available'));
  const ended = await endOf(session);
  expect(ended).toMatchObject({
    status: 'COMPLETED',
    end_date_time: clock('18:30:00'),
    kwh: 10,
    total_cost: { excl_vat: 9 },
  });
  expect(await whoIsThere()).toBeUndefined();
  expect(seen(ended)).toEqual([
    '17:00 ENERGY 10 TIME 0.5',
    '17:30 PARKING_TIME 0.25',
    '17:45 PARKING_TIME 0.25',
    '18:00 PARKING_TIME 0.5',
  ]);
  expect(await billOf(session)).toMatchObject({
    total_cost: { excl_vat: 9 },
    total_energy: 10,
    total_time: 1.5,
    total_parking_time: 1,
    total_parking_cost: { excl_vat: 6 },
    total_time_cost: { excl_vat: 1 },
    end_date_time: clock('18:30:00'),
  });
});

test('a pause by our load management is neither charging nor parking, before or after its session is known', async () => {
  const charge = chargeAt('04');
  const db = await world.openSessionsDb();
  const limitKnown = async () => {
    const { rows } = await db.query<{ limit_ma: number }>(
      'SELECT limit_ma FROM connectors WHERE station_id = $1',
      [charge.stationId],
    );
    return rows[0]?.limit_ma;
  };
  // Told by another service: it may be faster than the transaction's own fact.
  await world.sayOfSite(limits(charge, '17:00:00', 0));
  await expect.poll(limitKnown).toBe(0);
  await world.say(began(charge, accepted(card('HELD'))), turns(charge, '17:00:00', 'SuspendedEV'));
  const session = await world.sessionBegun('HELD');
  await world.sayOfSite(limits(charge, '17:15:00', 32_000));
  await expect.poll(limitKnown).toBe(32_000);
  await db.close();
  await world.say(
    turns(charge, '17:15:00', 'Charging'),
    reads(charge, '17:45:00', '6000'),
    turns(charge, '17:45:00', 'Available'),
    stops(charge, '17:45:00', '6000'),
  );
  const ended = await endOf(session);
  expect(seen(ended)).toEqual(['17:00 ENERGY 0', '17:15 ENERGY 5 TIME 0.5']);
  expect(ended.total_cost).toEqual({ excl_vat: 2 });
  expect(await billOf(session)).toMatchObject({ total_cost: { excl_vat: 2 }, total_time: 0.75 });
});

test('a limit that was told before the start keeps the car waiting from its start on, unless it charges all the same', async () => {
  const known = (charge: { stationId: string }, limitMa: number) => expect.poll(async () => {
    const { rows } = await db.query<{ limit_ma: number }>(
      'SELECT limit_ma FROM connectors WHERE station_id = $1', [charge.stationId]);
    return rows[0]?.limit_ma;
  }).toBe(limitMa);
  const db = await world.openSessionsDb();
  const [held, charges] = [chargeAt('07'), chargeAt('08')];
  await world.sayOfSite(limits(held, '16:50:00', 0), limits(charges, '16:50:00', 0));
  await known(held, 0);
  await known(charges, 0);
  await world.say(
    turns(held, '17:00:00', 'Preparing'), began(held, accepted(card('HELD-BEFORE'))),
    turns(charges, '17:00:00', 'Charging'), began(charges, accepted(card('CHARGES')), '17:00:01'),
  );
  const [heldSession, chargesSession] = [await world.sessionBegun('HELD-BEFORE'), await world.sessionBegun('CHARGES')];
  await world.sayOfSite(limits(held, '17:15:00', 32_000));
  await known(held, 32_000);
  await db.close();
  await world.say(
    turns(held, '17:15:00', 'Charging'),
    ...[held, charges].flatMap((charge) => [
      reads(charge, '17:45:00', '6000'), turns(charge, '17:45:00', 'Available'), stops(charge, '17:45:00', '6000'),
    ]),
  );
  expect(seen(await endOf(heldSession))).toEqual(['17:00 ENERGY 0', '17:15 ENERGY 5 TIME 0.5']);
  expect(seen(await endOf(chargesSession))).toEqual(['17:00 ENERGY 5 TIME 0.74972222']);
});

test('a car that said again that it charges is not held by an older limit that is heard after it', async () => {
  const charge = chargeAt('09');
  await world.say(
    began(charge, accepted(card('AGAIN'))), turns(charge, '17:00:10', 'Charging'), turns(charge, '17:10:00', 'Charging'),
  );
  const session = await world.sessionBegun('AGAIN');
  const db = await world.openSessionsDb();
  const statusAt = async () => (await db.query<{ at: string }>(
    'SELECT status_at AS at FROM connector_statuses WHERE station_id = $1', [charge.stationId])).rows[0]?.at;
  await expect.poll(statusAt).toBe('2022-02-01T17:10:00Z');
  await world.sayOfSite(limits(charge, '17:05:00', 0));
  await expect.poll(async () => (await db.query(
    'SELECT FROM connectors WHERE station_id = $1 AND limit_ma = 0', [charge.stationId])).rowCount).toBe(1);
  await db.close();
  await world.say(reads(charge, '17:40:00', '6000'), turns(charge, '17:40:00', 'Available'), stops(charge, '17:40:00', '6000'));
  expect(seen(await endOf(session))).toEqual(['17:00 ENERGY 0.7143 TIME 0.08333333', '17:05 ENERGY 0', '17:10 ENERGY 4.2857 TIME 0.5']);
});

test('a car that stays is not forgotten by a service that is started again, nor paid for while nobody knew of it', async () => {
  const charge = chargeAt('05');
  await world.say(
    began(charge, accepted(card('STAYS'))),
    reads(charge, '17:30:00', '6000'),
    stops(charge, '17:30:00', '6000'),
    turns(charge, '17:30:00', 'Finishing'),
    connection(stationDisconnected, '18:00:00'),
  );
  const session = await world.sessionBegun('STAYS');
  await world.stopSessions();
  await world.say(connection(stationConnected, '18:20:00'), turns(charge, '18:20:01', 'Available'));
  await world.startSessionsAgain();
  const ended = await endOf(session);
  expect(seen(ended)).toEqual(['17:00 ENERGY 5 TIME 0.5', '17:30 PARKING_TIME 0.5']);
  expect(ended.total_cost).toEqual({ excl_vat: 5 });
});

test('the next charge on the connector ends the stay of the one before', async () => {
  const [first, second] = [chargeAt('06'), chargeAt('06')];
  await world.say(
    began(first, accepted(card('FIRST'))),
    turns(first, '17:30:00', 'Finishing'),
    stops(first, '17:30:00', '2000'),
  );
  const session = await world.sessionBegun('FIRST');
  await world.say(
    began(second, accepted(card('SECOND')), '17:40:00'),
    stops(second, '17:50:00', '1100'),
    turns(second, '17:51:00', 'Available'),
  );
  expect((await endOf(session)).end_date_time).toBe(clock('17:40:00'));
  expect(await endOf(await world.sessionBegun('SECOND'))).toMatchObject({
    end_date_time: clock('17:50:00'),
    kwh: 0.1,
  });
});
