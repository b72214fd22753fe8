import { isDeepStrictEqual } from 'node:util';
import type { Session } from '#ocpi';
import { instant, rfc3339 } from '#time';
import {
  isRefreshDue,
  type Measured,
  measured,
  type Metering,
  newReadings,
  type Reading,
  takeReadings,
  tenthsOf,
  type Terms,
  turned,
} from './metering.ts';
import { isParking, mayStay, parkedUntilMs } from './parking.ts';
import type {
  Active,
  Finding,
  Outcome,
  Parked,
  Running,
  SessionEvent,
  Snapshots,
  To,
} from './session-events.ts';

/** The OCPI Session as it is told: while the charge runs, when it is over, when the car has left. */

/** After readings, when it is time to tell. */
export function refreshed(
  charge: Active,
  readings: readonly Reading[],
  { updateEveryMs, at }: To<'ReadMeter'>,
): Session | undefined {
  const { metering, session, snapshots } = charge;
  if (!isRefreshDue(metering, updateEveryMs)) return undefined;
  const { kwh, charging_periods, total_cost } = measured(termsOf(snapshots), metering);
  return {
    ...session,
    kwh,
    total_cost,
    charging_periods: withLevels(charging_periods, readings.at(-1)!),
    last_updated: later(session.last_updated, at),
  };
}

/** The transaction has stopped: the end of the session, or of its charge alone. */
export function endCharge(command: To<'EndSession'>, charge: Active): SessionEvent {
  const { snapshots, session, condition } = charge;
  const { at, meterStopWh, reason, rules, stoppedAt } = command;
  const terms = termsOf(snapshots);
  const readings = newReadings(charge.metering, command.readings);
  const metering = takeReadings(terms, charge.metering, readings);
  const end = { at: stoppedAt, energyWh: meterStopWh };
  const { endMs, energyWh, kwh, charging_periods, total_cost } = measured(terms, metering, end);
  const outcome: Outcome = { energyWh, reason, findings: findingsOf(charge, metering, command) };
  const told = { ...session, kwh, total_cost, last_updated: later(session.last_updated, at) };
  if (mayStay(condition, { tariff: snapshots.tariff, reason, stoppedAt })) {
    const isNews = charging_periods.length > metering.told.length;
    const levels = isNews ? { powerW: '0' } : {};
    return {
      type: 'ChargeEnded',
      session: { ...told, charging_periods: withLevels(charging_periods, levels) },
      ...{ readings, meterStopWh, stoppedAt, rules, at },
      ...outcome,
    };
  }
  return {
    type: 'SessionEnded',
    session: { ...told, charging_periods, end_date_time: rfc3339(endMs), status: 'COMPLETED' },
    snapshots,
    ...outcome,
  };
}

/** Of a car that stayed until then. */
function measuredStay({ snapshots, metering, stay }: Parked, untilMs: number): Measured {
  const terms = termsOf(snapshots);
  const at = rfc3339(metering.meter.atMs);
  const from = stay.parksFrom ?? at;
  const waits = turned(terms, metering, { at, state: 'paused' });
  const parks = turned(terms, instant(from) > instant(at) ? waits : metering, {
    at: from,
    state: 'parking',
  });
  return measured(terms, parks, { at: rfc3339(untilMs) });
}

/** The end of a car's stay, of which parking is known up to then. */
export function completed(charge: Parked, untilMs: number, at: string): SessionEvent {
  const { session, snapshots, outcome } = charge;
  const { endMs, charging_periods, total_cost } = measuredStay(charge, untilMs);
  return {
    type: 'SessionEnded',
    session: {
      ...session,
      total_cost,
      charging_periods,
      end_date_time: rfc3339(endMs),
      status: 'COMPLETED',
      last_updated: later(session.last_updated, at),
    },
    snapshots,
    ...outcome,
  };
}

/**
 * What the stay costs so far, when it is time to tell. Its periods follow at its end: a car may
 * turn out to have left before.
 */
export function parkedSoFar(
  charge: Parked,
  { updateEveryMs, at }: To<'LookAtParking'>,
): Session | undefined {
  const { session, stay } = charge;
  if (!isParking(stay) || stay.lostAt !== undefined) return undefined;
  const nowMs = instant(at);
  if (nowMs - instant(session.last_updated) < updateEveryMs) return undefined;
  const { total_cost } = measuredStay(charge, parkedUntilMs(stay, nowMs));
  if (isDeepStrictEqual(total_cost, session.total_cost)) return undefined;
  return { ...session, total_cost, last_updated: at };
}

function findingsOf(
  { transaction }: Running,
  { meter }: Metering,
  { meterStopWh, stoppedAt }: To<'EndSession'>,
): Finding[] {
  const findings: Finding[] = [];
  const stopTenthWh = tenthsOf(meterStopWh);
  if (stopTenthWh < tenthsOf(transaction.meterStartWh)) findings.push('meter-stop-below-start');
  else if (stopTenthWh < meter.tenthWh) findings.push('meter-stop-below-reading');
  if (instant(stoppedAt) < meter.atMs) findings.push('stopped-before-last-reading');
  return findings;
}

export function termsOf({ tariff, location }: Snapshots): Terms {
  return { tariff, timeZone: location.time_zone };
}

/** What the driver wants to see of the moment; a CDR does not carry it. SES-11. */
function withLevels(
  periods: Session['charging_periods'],
  { powerW, socPercent }: Pick<Reading, 'powerW' | 'socPercent'>,
): Session['charging_periods'] {
  const last = periods?.at(-1);
  if (!periods || !last) return periods;
  const levels = [
    ...(powerW === undefined
      ? []
      : [{ type: 'POWER' as const, volume: Math.round(Number(powerW)) / 1000 }]),
    ...(socPercent === undefined
      ? []
      : [{ type: 'STATE_OF_CHARGE' as const, volume: Number(socPercent) }]),
  ];
  return [...periods.slice(0, -1), { ...last, dimensions: [...last.dimensions, ...levels] }];
}

/** `last_updated` never goes back: a receiver would drop what comes with an older one. */
function later(a: string, b: string): string {
  return instant(b) > instant(a) ? b : a;
}
