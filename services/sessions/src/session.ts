import type { Decider } from '#decider';
import type { Location, Session, Tariff, Token } from '#ocpi';
import { instant, rfc3339 } from '#time';
import {
  isRefreshDue,
  measured,
  type Metering,
  newReadings,
  type Reading,
  startMetering,
  takeReadings,
  tenthsOf,
  type Terms,
  toldUpToNow,
} from './metering.ts';

/**
 * One charging session of ours, from the transaction's start to its end. Its state is small: the
 * Session as last told, the meter's fold and what held at the start.
 */

/** What is billed is billed by what held at the session's start. */
export interface Snapshots {
  /** The Location with the one EVSE of the session. */
  readonly location: Location;
  readonly tariff: Tariff;
  readonly tariffVersion: number;
  readonly token: Token;
}

/** The charge as the station knows it. */
export interface Transaction {
  readonly stationId: string;
  readonly transactionId: string;
  readonly connectorId: number;
  /** Decimal text. */
  readonly meterStartWh: string;
}

export type WhyInvalid = 'card-not-accepted' | 'no-token' | 'unknown-station';

/** What the meter said that cannot be; the session stands on the readings before it. */
export type Finding =
  'meter-stop-below-start' | 'meter-stop-below-reading' | 'stopped-before-last-reading';

export type SessionCommand =
  | {
      readonly type: 'StartSession';
      /** ACTIVE, without energy. */
      readonly session: Session;
      readonly transaction: Transaction;
      readonly snapshots: Snapshots;
      readonly orderId?: string | undefined;
    }
  | {
      readonly type: 'RecordInvalid';
      readonly transaction: Transaction;
      readonly why: WhyInvalid;
      readonly at: string;
    }
  | {
      readonly type: 'ReadMeter';
      readonly readings: readonly Reading[];
      readonly updateEveryMs: number;
      readonly at: string;
    }
  | {
      readonly type: 'EndSession';
      readonly meterStopWh: string;
      readonly stoppedAt: string;
      readonly reason: string;
      readonly readings: readonly Reading[];
      readonly at: string;
    };

export type SessionEvent =
  | {
      readonly type: 'SessionStarted';
      readonly session: Session;
      readonly transaction: Transaction;
      readonly snapshots: Snapshots;
      readonly orderId?: string | undefined;
    }
  | { readonly type: 'MeterRead'; readonly readings: readonly Reading[] }
  | { readonly type: 'SessionRefreshed'; readonly session: Session }
  | {
      readonly type: 'SessionEnded';
      readonly session: Session;
      readonly snapshots: Snapshots;
      readonly energyWh: string;
      readonly reason: string;
      readonly findings: readonly Finding[];
    }
  | {
      readonly type: 'InvalidSessionStarted';
      readonly transaction: Transaction;
      readonly why: WhyInvalid;
      readonly at: string;
    }
  | { readonly type: 'InvalidSessionEnded'; readonly energyWh: string; readonly at: string };

export type SessionState =
  | { readonly status: 'absent' | 'invalid-ended' }
  | { readonly status: 'invalid'; readonly meterStartWh: string }
  | {
      readonly status: 'active';
      readonly session: Session;
      readonly transaction: Transaction;
      readonly snapshots: Snapshots;
      readonly metering: Metering;
    }
  | { readonly status: 'ended'; readonly session: Session; readonly transaction: Transaction };

type Active = Extract<SessionState, { status: 'active' }>;

export const sessionDecider: Decider<SessionState, SessionCommand, SessionEvent> = {
  initial: { status: 'absent' },

  decide(command, charge) {
    switch (command.type) {
      case 'StartSession':
        return charge.status === 'absent' ? [{ ...command, type: 'SessionStarted' }] : [];
      case 'RecordInvalid':
        return charge.status === 'absent' ? [{ ...command, type: 'InvalidSessionStarted' }] : [];
      case 'ReadMeter':
        return charge.status === 'active' ? readMeter(command, charge) : [];
      case 'EndSession':
        if (charge.status === 'active') return [endSession(command, charge)];
        if (charge.status === 'invalid') {
          const tenthWh = Math.max(
            0,
            tenthsOf(command.meterStopWh) - tenthsOf(charge.meterStartWh),
          );
          return [
            { type: 'InvalidSessionEnded', energyWh: String(tenthWh / 10), at: command.stoppedAt },
          ];
        }
        return [];
    }
  },

  evolve(charge, event) {
    switch (event.type) {
      case 'SessionStarted': {
        const { session, transaction, snapshots } = event;
        const metering = startMetering(
          termsOf(snapshots),
          session.start_date_time,
          transaction.meterStartWh,
        );
        return { status: 'active', session, transaction, snapshots, metering };
      }
      case 'MeterRead':
        return charge.status === 'active'
          ? {
              ...charge,
              metering: takeReadings(termsOf(charge.snapshots), charge.metering, event.readings),
            }
          : charge;
      case 'SessionRefreshed':
        return charge.status === 'active'
          ? {
              ...charge,
              session: event.session,
              metering: toldUpToNow(charge.metering, event.session.charging_periods ?? []),
            }
          : charge;
      case 'SessionEnded':
        return charge.status === 'active'
          ? { status: 'ended', session: event.session, transaction: charge.transaction }
          : charge;
      case 'InvalidSessionStarted':
        return { status: 'invalid', meterStartWh: event.transaction.meterStartWh };
      case 'InvalidSessionEnded':
        return { status: 'invalid-ended' };
    }
  },
};

function readMeter(
  command: Extract<SessionCommand, { type: 'ReadMeter' }>,
  charge: Active,
): readonly SessionEvent[] {
  const readings = newReadings(charge.metering, command.readings);
  const newest = readings.at(-1);
  if (!newest) return [];
  const read: SessionEvent = { type: 'MeterRead', readings };
  const terms = termsOf(charge.snapshots);
  const metering = takeReadings(terms, charge.metering, readings);
  if (!isRefreshDue(metering, command.updateEveryMs)) return [read];
  const { kwh, charging_periods, total_cost } = measured(terms, metering);
  const session: Session = {
    ...charge.session,
    kwh,
    total_cost,
    charging_periods: withLevels(charging_periods, newest),
    last_updated: later(charge.session.last_updated, command.at),
  };
  return [read, { type: 'SessionRefreshed', session }];
}

function endSession(
  command: Extract<SessionCommand, { type: 'EndSession' }>,
  charge: Active,
): SessionEvent {
  const { snapshots, transaction, session } = charge;
  const terms = termsOf(snapshots);
  const metering = takeReadings(
    terms,
    charge.metering,
    newReadings(charge.metering, command.readings),
  );
  const { endMs, energyWh, kwh, charging_periods, total_cost } = measured(terms, metering, {
    at: command.stoppedAt,
    energyWh: command.meterStopWh,
  });
  const stopTenthWh = tenthsOf(command.meterStopWh);
  const findings: Finding[] = [];
  if (stopTenthWh < tenthsOf(transaction.meterStartWh)) findings.push('meter-stop-below-start');
  else if (stopTenthWh < metering.meter.tenthWh) findings.push('meter-stop-below-reading');
  if (instant(command.stoppedAt) < metering.meter.atMs)
    findings.push('stopped-before-last-reading');
  return {
    type: 'SessionEnded',
    snapshots,
    energyWh,
    findings,
    reason: command.reason,
    session: {
      ...session,
      kwh,
      charging_periods,
      total_cost,
      end_date_time: rfc3339(endMs),
      status: 'COMPLETED',
      last_updated: later(session.last_updated, command.at),
    },
  };
}

function termsOf({ tariff, location }: Snapshots): Terms {
  return { tariff, timeZone: location.time_zone };
}

/** What the driver wants to see of the moment; a CDR does not carry it. SES-11. */
function withLevels(
  periods: Session['charging_periods'],
  { powerW, socPercent }: Reading,
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
