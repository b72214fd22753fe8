import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SendOutcome } from '#contracts/ocpi-gateway';
import {
  getOrder,
  orderStart,
  orderStop,
  putPartnerSession,
  recordCommandResult,
} from '#contracts/sessions';
import { toJsonBytes } from '#contracts';
import type { Session } from '#ocpi';
import { card, clock, openWorld, type World, xyz } from './sessions-world.ts';

// Every order ends, whatever the partner, the station or the driver never do.

let world: World;

beforeAll(async () => {
  world = await openWorld({ charge_wait_s: 1, unknown_wait_s: 1 });
});
afterEach(() => world.release());
afterAll(() => world?.close());

const driver = { ...card('DRIVER-1'), party_id: 'BCT', contract_id: 'CA-BCT-C00000001-X' };
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
    uid: driver.uid,
    type: 'RFID',
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
const put = (session: Session) =>
  world.bus.ask(putPartnerSession, {
    party: xyz,
    sessionId: session.id,
    patch: false,
    bodyJson: toJsonBytes(session),
  });
const stateOf = async (orderId: string) => (await world.bus.ask(getOrder, { orderId })).order;
async function orders(): Promise<string> {
  const orderId = randomUUID();
  const at = { party: xyz, locationId: 'SURREY', evseUid: 'E1' };
  await world.bus.ask(orderStart, { orderId, tokenJson: toJsonBytes(driver), ...at });
  return orderId;
}
async function ordersStop(sessionId: string): Promise<string> {
  const orderId = randomUUID();
  await world.bus.ask(orderStop, { orderId, tokenUid: driver.uid, party: xyz, sessionId });
  return orderId;
}

test('an order whose charge never begins fails, also when the service was away, and its late charge is its charge', async () => {
  await world.partnerAnswers({ result: 'ACCEPTED', timeoutS: 30 });
  const orderId = await orders();
  await world.bus.ask(recordCommandResult, { orderId, result: 'ACCEPTED' });
  await world.stopSessions();
  await world.startSessionsAgain();
  await expect.poll(async () => (await stateOf(orderId))?.state).toBe('failed');
  expect(await stateOf(orderId)).toMatchObject({ message: 'no charge began in time' });
  await put(theirs('S1', { authorization_reference: orderId }));
  expect(await stateOf(orderId)).toMatchObject({ state: 'done', sessionId: 'S1' });
});

test('an order that may have arrived fails when no charge begins', async () => {
  await world.partnerAnswers({ outcome: SendOutcome.UNCLEAR });
  const orderId = await orders();
  await expect.poll(async () => (await stateOf(orderId))?.state).toBe('failed');
  expect((await stateOf(orderId))?.message).toBe(
    'the operator did not answer in time, and no charge began',
  );
});

test('an order to stop whose answer was lost is done when its session is over, and failed when it goes on', async () => {
  await put(theirs('S2'));
  await put(theirs('S3'));
  await world.partnerAnswers({ result: 'ACCEPTED', timeoutS: 600 });
  const over = await ordersStop('s2');
  await expect.poll(async () => (await stateOf(over))?.state).toBe('accepted');
  await put(
    theirs('S2', {
      status: 'COMPLETED',
      end_date_time: clock('18:30:00'),
      last_updated: clock('18:30:00'),
    }),
  );
  expect(await stateOf(over)).toMatchObject({ state: 'done', message: 'the session is over' });
  await expect(ordersStop('S2')).rejects.toMatchObject({ code: 'charge-is-over' });
  await world.release();
  await world.partnerAnswers({ outcome: SendOutcome.UNCLEAR });
  const goesOn = await ordersStop('S3');
  await expect.poll(async () => (await stateOf(goesOn))?.state).toBe('failed');
  expect((await stateOf(goesOn))?.message).toContain('the session goes on');
});
