import type { CommandResponse, Session } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Portal } from '../../../scripts/portal.ts';
import { DEMO_EPOCH } from '../../../scripts/demo-settings.ts';
import {
  activeSession, cdrsOf, endByCard, expectMeasured, metered, sessionsOf, settledAt, stall,
} from './charge.ts';
import { dataOf, RawPartner, rawToken } from './raw-partner.ts';
import { blakesCard, crewCard, eventually, invitation, setStage, type Side, type Stage } from './stage.ts';

// Two platforms, a charger, and a partner of another make: EVSEs that are kept free.

const RATE = 60;
const vat = 5;

/** 3 CAD an hour of being reserved, and 4 CAD more where nobody comes. PRC-14 */
const tariffs = [
  {
    id: 'LEVEL-2',
    currency: 'CAD',
    type: 'REGULAR',
    elements: [
      {
        price_components: [{ type: 'TIME', price: 3, vat, step_size: 1 }],
        restrictions: { reservation: 'RESERVATION' },
      },
      {
        price_components: [{ type: 'FLAT', price: 4, vat, step_size: 1 }],
        restrictions: { reservation: 'RESERVATION_EXPIRES' },
      },
      {
        price_components: [
          { type: 'ENERGY', price: 0.24, vat, step_size: 1 },
          { type: 'TIME', price: 1.5, vat, step_size: 1 },
        ],
      },
    ],
  },
  {
    id: 'FAST-DC',
    currency: 'CAD',
    type: 'REGULAR',
    elements: [{ price_components: [{ type: 'ENERGY', price: 0.38, vat, step_size: 1 }] }],
  },
];

let stage: Stage;
let raw: RawPartner;
let startedAtMs: number;
let blake: Portal;

beforeAll(async () => {
  startedAtMs = Date.now();
  stage = await setStage({ hosting: 'one', rate: RATE, everyS: 60, tariffs });
  raw = await RawPartner.open('EMSP');
  await raw.register(await invitation(stage.oasis, 'Another eMSP'));
  blake = await stage.driver('blake');
});
afterAll(async () => {
  await raw?.close();
  await stage?.stop();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(stage.logs())));

/** Platform time, within a second of life. */
const inMinutes = (minutes: number) =>
  rfc3339(instant(DEMO_EPOCH) + (Date.now() - startedAtMs) * RATE + minutes * 60_000);

interface Reservation {
  readonly state: string;
  readonly message: string;
  readonly evse_uid?: string;
}
const at = { country_code: 'CA', party_id: 'BCT', location_id: 'BURNABY' };
async function reserve(evseUid: string | undefined, minutes: number): Promise<string> {
  const { reservation_id } = await blake.post<{ reservation_id: string }>('/v1/reservations', {
    ...at, expires_at: inMinutes(minutes), ...(evseUid === undefined ? {} : { evse_uid: evseUid }),
  });
  return reservation_id;
}
const find = (id: string) => blake.get<Reservation>(`/v1/reservations/${id}`);
const becomes = (id: string, state: string) => eventually(`reservation ${id} is ${state}`, async () => {
  const found = await find(id);
  return found.state === state && found;
});
const reservedSession = (side: Side, evseUid: string) => eventually(`a RESERVATION at ${evseUid}`, async () =>
  (await sessionsOf(side, evseUid)).find(({ status }) => status === 'RESERVATION'));
const completed = (side: Side, evseUid: string) => eventually(`a COMPLETED Session at ${evseUid}`, async () =>
  (await sessionsOf(side, evseUid)).find(({ status }) => status === 'COMPLETED'));
const reservationHours = ({ charging_periods: periods = [] }: Pick<Session, 'charging_periods'>) =>
  periods.flatMap(({ dimensions }) => dimensions).filter(({ type }) => type === 'RESERVATION_TIME')
    .reduce((sum, { volume }) => sum + volume, 0);

describe('a driver has an EVSE of another platform kept free', () => {
  test('SES-05 SES-06 CDR-12 PRC-14 another card is refused, the own one charges: one Session, one CDR with the time of the reservation', async () => {
    const { station, evseUid } = stall(1);
    const id = await reserve(evseUid, 600);
    await becomes(id, 'reserved');
    const reserved = await reservedSession(stage.plunk, evseUid);
    expect(reserved).toMatchObject({
      kwh: 0,
      connector_id: '1',
      cdr_token: { uid: blakesCard },
      authorization_reference: id,
      auth_method: 'COMMAND',
    });
    await eventually('the EVSE is RESERVED at Carbon Plunk', async () => {
      const { evses } = await blake.get<{ evses: { evse_uid: string; status: string }[] }>(
        '/v1/evses?latitude=49.2488&longitude=-123.0016&radius_m=5000',
      );
      return evses.some(({ evse_uid, status }) => evse_uid === evseUid && status === 'RESERVED');
    });
    await stage.chargers.do({ do: 'plug-in', station, car: 'leaf', soc: 30 });
    const since = stage.chargers.events.length;
    await stage.chargers.do({ do: 'tap', station, idTag: crewCard(1) });
    await stage.chargers.until({ event: 'refused', station, why: 'reserved for another card' }, { since });
    await stage.chargers.do({ do: 'tap', station, idTag: blakesCard });
    const active = await activeSession(stage.plunk, evseUid);
    expect(active.id).toBe(reserved.id);
    expect(instant(active.start_date_time)).toBeGreaterThan(instant(reserved.start_date_time));
    expect((await find(id)).state).toBe('used');
    await metered(stage, station, 2);
    const stopped = await endByCard(stage, { station, card: blakesCard });
    const [settled] = await settledAt(stage, evseUid);
    expectMeasured(settled!, stopped);
    const { session, cdr } = settled!;
    expect(session.start_date_time).toBe(active.start_date_time);
    // The CDR begins with the reservation, which ends where the charge begins.
    expect(cdr).toMatchObject({ session_id: session.id, start_date_time: reserved.start_date_time });
    expect(cdr.cdr_location).toMatchObject({ evse_uid: evseUid, connector_id: '1' });
    const hours = (instant(session.start_date_time) - instant(reserved.start_date_time)) / 3_600_000;
    expect(reservationHours(cdr)).toBeCloseTo(hours, 6);
    expect(cdr.total_reservation_cost!.excl_vat).toBeCloseTo(3 * hours, 2);
    const { findings } = await stage.plunk.operator.get<{ findings: unknown[] }>(`/v1/operator/cdrs/CA/BCT/${cdr.id}`);
    expect(findings).toEqual([]);
  });

  test('CDR-09 CDR-13 PRC-15 nobody comes: the Session is COMPLETED at the expiry, and the CDR says what the tariff asks for that', async () => {
    const { station, evseUid } = stall(2);
    const since = stage.chargers.events.length;
    const id = await reserve(evseUid, 15);
    await becomes(id, 'reserved');
    const reserved = await reservedSession(stage.plunk, evseUid);
    await stage.chargers.until({ event: 'status', station, connector: 1, status: 'Available' }, { since });
    const [{ session, cdr }] = (await settledAt(stage, evseUid)) as [Awaited<ReturnType<typeof settledAt>>[0]];
    expect(session).toMatchObject({ id: reserved.id, start_date_time: reserved.start_date_time, kwh: 0 });
    expect(cdr).toMatchObject({
      session_id: session.id,
      start_date_time: session.start_date_time,
      end_date_time: session.end_date_time,
      cdr_location: { id: 'BURNABY', evse_uid: '#NA', evse_id: '#NA', connector_id: '#NA' },
      total_energy: 0,
      total_time: 0,
    });
    const hours = (instant(session.end_date_time!) - instant(session.start_date_time)) / 3_600_000;
    expect(reservationHours(cdr)).toBeCloseTo(hours, 6);
    expect(cdr.total_reservation_cost!.excl_vat).toBeCloseTo(4 + 3 * hours, 2);
    expect(cdr.total_cost).toEqual(session.total_cost);
    const { findings } = await stage.plunk.operator.get<{ findings: unknown[] }>(`/v1/operator/cdrs/CA/BCT/${cdr.id}`);
    expect(findings).toEqual([]);
    expect((await becomes(id, 'over')).message).toContain('over');
  });

  test('CMD-11 the driver cancels: the station lets the EVSE go, and its time is billed', async () => {
    const { station, evseUid } = stall(3);
    const id = await reserve(evseUid, 600);
    await becomes(id, 'reserved');
    const since = stage.chargers.events.length;
    await blake.delete(`/v1/reservations/${id}`);
    await becomes(id, 'cancelled');
    await stage.chargers.until({ event: 'status', station, connector: 1, status: 'Available' }, { since });
    const [settled] = await settledAt(stage, evseUid);
    expect(instant(settled!.session.end_date_time!)).toBeLessThan(instant(inMinutes(0)) + 60_000);
    expect(settled!.cdr.total_reservation_cost!.excl_vat).toBeGreaterThan(0);
    await expect(blake.delete(`/v1/reservations/${id}`)).rejects.toMatchObject({ status: 409, code: 'reservation-is-over' });
  });

  test('CMD-10 the operator cancels: the driver is told long after the first result, and nobody pays', async () => {
    const { station, evseUid } = stall(4);
    const id = await reserve(evseUid, 600);
    await becomes(id, 'reserved');
    const { reservations } = await stage.oasis.operator.get<{
      reservations: { number: number; evse_uid: string; reservation_id: string }[];
    }>('/v1/operator/reservations');
    const own = reservations.find((one) => one.evse_uid === evseUid)!;
    expect(own.reservation_id).toBe(id);
    const since = stage.chargers.events.length;
    const path = `/v1/operator/reservations/${own.number}`;
    expect(await stage.oasis.operator.delete(`${path}?reason=the%20street%20is%20closed`)).toEqual({ withdrawn: true });
    expect((await becomes(id, 'cancelled')).message).toContain('the street is closed');
    await stage.chargers.until({ event: 'status', station, connector: 1, status: 'Available' }, { since });
    const session = await completed(stage.plunk, evseUid);
    expect(session).toMatchObject({ kwh: 0, total_cost: { excl_vat: 0 } });
    expect(reservationHours(session)).toBe(0);
    await eventually('the Session is left unbilled', async () => (await stage.oasis.query(
      `SELECT FROM cdr_ledger.events WHERE type = 'SessionLeftUnbilled' AND data LIKE $1`, [`%${session.id}%`])).length > 0);
    expect(await cdrsOf(stage.oasis, session.id)).toEqual([]);
    expect(await stage.oasis.operator.delete(path)).toEqual({ withdrawn: false });
  });

  test('a station says no, and one that never answers', async () => {
    const [occupied, silent] = [stall(5), stall(6)];
    await stage.chargers.do({ do: 'plug-in', station: occupied.station, car: 'leaf', soc: 30 });
    const no = await becomes(await reserve(occupied.evseUid, 30), 'failed');
    expect(no.message).toContain('No such EVSE is free now.');
    await stage.chargers.do({ do: 'stop-answering', station: silent.station, actions: ['ReserveNow'], act: true, afterMs: 0 });
    const unclear = await becomes(await reserve(silent.evseUid, 600), 'failed');
    expect(unclear.message).toContain('The charging station did not answer.');
    // What it took all the same it lets go.
    const taken = await stage.chargers.until({ event: 'status', station: silent.station, connector: 1, status: 'Reserved' });
    const since = stage.chargers.events.indexOf(taken);
    await stage.chargers.until({ event: 'status', station: silent.station, connector: 1, status: 'Available' }, { since });
    expect(await sessionsOf(stage.oasis, silent.evseUid)).toEqual([]);
    await stage.chargers.do({ do: 'answer-again', station: silent.station });
  });
});

describe('a partner of another make', () => {
  const wish = (reservationId: string, more: object = {}) => ({
    token: rawToken('RAW-0007'), reservation_id: reservationId, location_id: 'BURNABY', expiry_date: inMinutes(600), ...more,
  });
  const numberOf = async (reservationId: string) => {
    const { reservations } = await stage.oasis.operator.get<{
      reservations: { number: number; reservation_id: string; evse_uid: string; expires_at: string; token_party: string }[];
    }>('/v1/operator/reservations');
    return reservations.filter((one) => one.reservation_id === reservationId);
  };

  test('CMD-09 RESERVE_NOW with the same id at the Location replaces the reservation: one Session, and one number at the station', async () => {
    const { evseUid } = stall(7);
    const first = await raw.command('RESERVE_NOW', wish('R-1', { evse_uid: evseUid }));
    expect(dataOf<CommandResponse>(first.outcome)).toMatchObject({ result: 'ACCEPTED' });
    expect(await first.result()).toEqual({ result: 'ACCEPTED' });
    const [before] = await numberOf('R-1');
    const expiry_date = inMinutes(700);
    const second = await raw.command('RESERVE_NOW', wish('r-1', { evse_uid: evseUid, expiry_date }));
    expect(await second.result()).toEqual({ result: 'ACCEPTED' });
    const [after, ...more] = await eventually('it is replaced', async () => {
      const found = await numberOf('r-1');
      return found.length > 0 && found;
    });
    expect(more).toEqual([]);
    expect(after).toEqual({ ...before, reservation_id: 'r-1', expires_at: expiry_date });
    expect(await sessionsOf(stage.oasis, evseUid)).toHaveLength(1);
    // Of another eMSP the same id is another reservation.
    expect(after!.token_party).toBe('CA*RAW');
    const cancel = await raw.command('CANCEL_RESERVATION', { reservation_id: 'R-1' });
    expect(await cancel.result()).toEqual({ result: 'ACCEPTED' });
    await completed(stage.oasis, evseUid);
    expect(second.results()).toHaveLength(1);
    // An expiry is nothing of a Session: LOC-02 has it for all PATCHes that they hold real changes alone.
    const patches = () => raw.received('sessions').filter(({ method }) => method === 'PATCH').map(({ body }) => body as Partial<Session>);
    await expect.poll(() => patches().at(-1)?.status).toBe('COMPLETED');
    expect(patches().filter(({ last_updated: _, ...changed }) => Object.keys(changed).length === 0)).toEqual([]);
  });

  test('CMD-09 without an evse_uid any EVSE that is free is kept', async () => {
    const given = await raw.command('RESERVE_NOW', wish('R-2'));
    expect(await given.result()).toEqual({ result: 'ACCEPTED' });
    const [one] = await numberOf('R-2');
    expect(await sessionsOf(stage.oasis, one!.evse_uid)).toContainEqual(
      expect.objectContaining({ status: 'RESERVATION', cdr_token: expect.objectContaining({ uid: 'RAW-0007' }) }));
  });

  test('CMD-10 CANCELED_RESERVATION goes to the response_url of the RESERVE_NOW when the EVSE breaks', async () => {
    const { station, evseUid } = stall(9);
    const given = await raw.command('RESERVE_NOW', wish('R-3', { evse_uid: evseUid }));
    expect(await given.result()).toEqual({ result: 'ACCEPTED' });
    await eventually('the station is Reserved', () =>
      stage.chargers.events.findLast((one) => one.event === 'status' && one.station === station)?.['status'] === 'Reserved');
    await stage.chargers.do({ do: 'fault', station, code: 'GroundFailure' });
    expect(await given.result(1)).toMatchObject({ result: 'CANCELED_RESERVATION' });
    expect(given.results()).toHaveLength(2);
    expect(await completed(stage.oasis, evseUid)).toMatchObject({ total_cost: { excl_vat: 0 } });
    const again = await raw.command('RESERVE_NOW', wish('R-3', { evse_uid: evseUid }));
    expect(await again.result()).toMatchObject({ result: 'EVSE_INOPERATIVE' });
  });

  test('CMD-02 CMD-11 a reservation that nobody knows is UNKNOWN_RESERVATION', async () => {
    const cancel = await raw.command('CANCEL_RESERVATION', { reservation_id: 'NEVER-MADE' });
    expect(dataOf<CommandResponse>(cancel.outcome)).toMatchObject({ result: 'ACCEPTED' });
    expect(await cancel.result()).toMatchObject({ result: 'UNKNOWN_RESERVATION' });
  });

  test.each([
    ['an EVSE that there is not', { evse_uid: 'L2-99' }, 2003],
    ['a Location that there is not', { location_id: 'NOWHERE' }, 2003],
  ])('CMD-05 RESERVE_NOW for %s is REJECTED', async (_what, more, statusCode) => {
    const { outcome } = await raw.command('RESERVE_NOW', wish('R-4', more));
    expect(outcome).toMatchObject({ kind: 'refused', http: 200, statusCode, data: { result: 'REJECTED' } });
  });

  test('RESERVE_NOW until a moment that is over is REJECTED', async () => {
    const { outcome } = await raw.command('RESERVE_NOW', wish('R-5', { expiry_date: inMinutes(-10) }));
    expect(dataOf<CommandResponse>(outcome)).toMatchObject({ result: 'REJECTED' });
  });
});
