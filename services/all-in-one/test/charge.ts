import type { Cdr, Session } from '#ocpi';
import { expect } from 'vitest';
import type { ChargerEvent } from '../../../scripts/charger-process.ts';
import type { Portal } from '../../../scripts/portal.ts';
import { levelTwoStation } from '../../../scripts/demo-settings.ts';
import type { ProfileRequestView, ProfileView } from '../../portal/src/charge-profiles.ts';
import { eventually, type Side, type Stage } from './stage.ts';

/** The n-th Level-2 stall of OASIS: a station with one cable is one EVSE. */
export const stall = (n: number) => ({ station: levelTwoStation(n), evseUid: `L2-${String(n).padStart(2, '0')}` });

export interface Tap {
  readonly station: string;
  readonly card: string;
  readonly connector?: number;
}

/** A driver plugs in and taps a card; resolves when the charge is under way and known to the platform. */
export async function beginByCard({ chargers }: Stage, { station, card, connector = 1 }: Tap): Promise<ChargerEvent> {
  const since = chargers.events.length;
  await chargers.do({ do: 'plug-in', station, connector, car: 'leaf', soc: 30 });
  await chargers.do({ do: 'tap', station, connector, idTag: card });
  return chargers.until({ event: 'transaction-known', station, status: 'Accepted' }, { since });
}

/** The same card ends the charge, and the driver leaves. */
export async function endByCard({ chargers }: Stage, { station, card, connector = 1 }: Tap): Promise<ChargerEvent> {
  const since = chargers.events.length;
  await chargers.do({ do: 'tap', station, connector, idTag: card });
  const stopped = await chargers.until({ event: 'transaction-stopped', station }, { since });
  await chargers.do({ do: 'unplug', station, connector });
  return stopped;
}

/** Until so many more meter samples of a station were taken and delivered. */
export async function metered({ chargers }: Stage, station: string, samples: number): Promise<void> {
  let since = chargers.events.length;
  for (let n = 0; n < samples; n++) {
    const sample = await chargers.until({ event: 'meter', station }, { since });
    since = chargers.events.indexOf(sample) + 1;
  }
  await chargers.until({ event: 'delivered', station, action: 'MeterValues' }, { since });
}

/** The OCPI Sessions that a side holds of an EVSE, oldest first: its own, and those of partners. */
export async function sessionsOf(side: Side, evseUid: string): Promise<Session[]> {
  const rows = await side.query<{ session: string }>(
    `SELECT session FROM (
       SELECT session, started_at FROM sessions.own_sessions
       UNION ALL SELECT session, started_at FROM sessions.partner_sessions
     ) AS held WHERE session::json ->> 'evse_uid' = $1 ORDER BY started_at`,
    [evseUid],
  );
  return rows.map(({ session }) => JSON.parse(session) as Session);
}

export type ListedCdr = Omit<Cdr, 'cdr_token'>;

/** The CDRs and Credit CDRs of a session, in the order in which they entered a side's ledger. */
export async function cdrsOf(side: Side, sessionId: string): Promise<ListedCdr[]> {
  const rows = await side.query<{ data: string }>(
    'SELECT data FROM cdr_ledger.cdrs JOIN cdr_ledger.events USING ("position") WHERE session_id = $1 ORDER BY "position"', [sessionId],
  );
  return rows.map(({ data }) => (JSON.parse(data) as { cdr: ListedCdr }).cdr);
}

export interface Settled {
  readonly session: Session;
  readonly cdr: ListedCdr;
}

/** Until a Session runs at an EVSE, as a side sees it. */
export function activeSession(side: Side, evseUid: string): Promise<Session> {
  return eventually(`a Session is ACTIVE at ${evseUid}`, async () =>
    (await sessionsOf(side, evseUid)).find(({ status }) => status === 'ACTIVE'));
}

/**
 * Waits until both sides hold exactly so many Sessions of an EVSE, all COMPLETED and the same on both,
 * each with exactly one CDR, also the same on both.
 */
export async function settledAt(stage: Stage, evseUid: string, count = 1): Promise<Settled[]> {
  const sides = [stage.oasis, stage.plunk];
  const sessions = await eventually(`${count} COMPLETED Session of ${evseUid} on both sides`, async () => {
    const [ours, theirs] = await Promise.all(sides.map((side) => sessionsOf(side, evseUid))) as [Session[], Session[]];
    expect(ours.length).toBeLessThanOrEqual(count);
    const done = [ours, theirs].every((held) => held.length === count && held.every(({ status }) => status === 'COMPLETED'));
    return done && { ours, theirs };
  });
  expect(sessions.theirs).toEqual(sessions.ours);
  return Promise.all(sessions.ours.map(async (session) => ({ session, cdr: await billed(stage, session.id) })));
}

/** Waits until both sides hold the one CDR of a session. */
export async function billed({ oasis, plunk }: Stage, sessionId: string): Promise<ListedCdr> {
  const cdrs = await eventually(`the CDR of ${sessionId} on both sides`, async () => {
    const [ours, theirs] = await Promise.all([cdrsOf(oasis, sessionId), cdrsOf(plunk, sessionId)]);
    return ours.length > 0 && theirs.length > 0 && { ours, theirs };
  });
  expect(cdrs.ours).toHaveLength(1);
  expect(cdrs.theirs).toEqual(cdrs.ours);
  return cdrs.ours[0]!;
}

/** The energy that the station itself measured is what is billed. */
export function expectMeasured({ session, cdr }: Settled, stopped: ChargerEvent): void {
  const kwh = Number(stopped['energyWh']) / 1_000;
  expect(kwh).toBeGreaterThan(0);
  expect(session.kwh).toBeCloseTo(kwh, 6);
  expect(cdr.total_energy).toBeCloseTo(kwh, 6);
}

/** What a charger may draw at the most, by its next reading. */
export async function drawnA(stage: Stage, { station }: Pick<Tap, 'station'>): Promise<number> {
  const { limitA } = await stage.chargers.until({ event: 'meter', station }, { since: stage.chargers.events.length });
  return Number(limitA);
}

/** Of a charge at its driver's portal. */
export const profileUrl = ({ country_code, party_id, id }: Session) =>
  `/v1/charges/${encodeURIComponent(`${country_code}*${party_id}*${id}`)}/profile`;

/** What a driver asked for has come to pass. */
export async function profileAccepted(driver: Portal, session: Session, request: Promise<ProfileRequestView>): Promise<void> {
  const { request_id: asked } = await request;
  const result = await eventually('the driver has a result', async () =>
    (await driver.get<ProfileView>(profileUrl(session))).requests.find((one) => one.request_id === asked)?.result);
  expect(result).toBe('ACCEPTED');
}
