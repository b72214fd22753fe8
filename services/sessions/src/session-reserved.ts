import type { Session, Tariff } from '#ocpi';
import { price, reservationStarts } from '#pricing';
import { instant, rfc3339 } from '#time';
import { hoursOf, termsOf } from './metering.ts';
import { isTakenAway } from './reservation.ts';
import type { Reserved, SessionEvent, To } from './session-events.ts';
import { later } from './session-told.ts';

/** The Session of a reservation: until somebody charges, and where nobody does. SES-05 to SES-07. */

type Periods = NonNullable<Session['charging_periods']>;

/** Whether reserving costs something: else its time is nobody's bill. PRC-14 */
function pricesReservation({ elements }: Tariff): boolean {
  return elements.some(({ restrictions }) => restrictions?.reservation != null);
}

/** PRC-15: from making it until the charge begins or it is over; parted where its price changes. CDR-07 */
function reservationPeriods({ session, snapshots }: Pick<Reserved, 'session' | 'snapshots'>, endMs: number): Periods {
  const startMs = instant(session.start_date_time);
  // The station's clock may be behind ours.
  if (endMs <= startMs) return [];
  const { tariff, timeZone } = termsOf(snapshots);
  const starts = pricesReservation(tariff) ? reservationStarts({ tariff, timeZone }, startMs, endMs) : [startMs];
  return starts.map((fromMs, n) => ({
    start_date_time: n === 0 ? session.start_date_time : rfc3339(fromMs),
    tariff_id: tariff.id,
    dimensions: [{ type: 'RESERVATION_TIME', volume: hoursOf((starts[n + 1] ?? endMs) - fromMs) }],
  }));
}

/** The charge for which it was reserved: the same Session, by what held when it was reserved. */
export function startedReserved(command: To<'StartSession'>, reserved: Reserved): SessionEvent {
  const { session, snapshots } = reserved;
  const given = command.session;
  const isSamePlace = given.evse_uid === session.evse_uid && given.connector_id === session.connector_id;
  const reference = given.authorization_reference ?? session.authorization_reference;
  // All of a charge is by one tariff.
  const held = isSamePlace ? snapshots : command.snapshots;
  return {
    ...command,
    type: 'SessionStarted',
    session: {
      ...given,
      ...(reference === undefined ? {} : { authorization_reference: reference }),
      currency: isSamePlace ? session.currency : given.currency,
      charging_periods: reservationPeriods({ session, snapshots: held }, instant(given.start_date_time)),
      last_updated: later(session.last_updated, given.last_updated),
    },
    snapshots: { ...held, token: command.snapshots.token },
  };
}

/**
 * Nobody charged: its time is billed where the tariff says so. What we took away ourselves costs
 * nothing, and its time is not told.
 */
export function endedReserved(
  { why, endedAt, at }: To<'EndReserved'>,
  reserved: Reserved,
): SessionEvent {
  const { session, snapshots } = reserved;
  const endMs = Math.max(instant(endedAt), instant(session.start_date_time));
  const charging_periods = isTakenAway(why) ? [] : reservationPeriods(reserved, endMs);
  return {
    type: 'SessionEnded',
    session: {
      ...session,
      charging_periods,
      total_cost: costOf(reserved, charging_periods, rfc3339(endMs)),
      end_date_time: rfc3339(endMs),
      status: 'COMPLETED',
      last_updated: later(session.last_updated, at),
    },
    snapshots,
    energyWh: '0',
    reason: why,
    findings: [],
    reservationOnly: true,
  };
}

function costOf({ session, snapshots }: Reserved, charging_periods: Periods, end: string) {
  const { tariff } = snapshots;
  if (charging_periods.length === 0 || !pricesReservation(tariff)) return { excl_vat: 0 };
  const { start_date_time } = session;
  const { total } = price(
    { start_date_time, currency: tariff.currency, tariffs: [tariff], charging_periods },
    { timeZone: termsOf(snapshots).timeZone, end },
  );
  return {
    excl_vat: total.excl.toJsonNumber(),
    ...(total.incl ? { incl_vat: total.incl.toJsonNumber() } : {}),
  };
}
