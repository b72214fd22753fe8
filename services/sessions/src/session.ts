import { isDeepStrictEqual } from 'node:util';
import type { Decider } from '#decider';
import { instant } from '#time';
import {
  chargeState,
  type Condition,
  isFaultNews,
  isHoldNews,
  isStatusNews,
  nothingTold,
  withFault,
  withHold,
  withStatus,
} from './condition.ts';
import { meteredEvents, newlyMetered, withMetered } from './metered.ts';
import { startMetering, stoppedAt, termsOf, toldUpToNow, turned } from './metering.ts';
import {
  isConnectionNews,
  isFault,
  judged,
  leftMs,
  overAtMs,
  parkedUntilMs,
  seenFinishing,
  stayAfter,
  withConnection,
} from './parking.ts';
import { tenthsOf } from './register.ts';
import type {
  Active,
  Of,
  Parked,
  SessionCommand,
  SessionEvent,
  SessionState,
  To,
} from './session-events.ts';
import { endedReserved, startedReserved } from './session-reserved.ts';
import {
  startFindings,
  completed,
  costSoFar,
  endCharge,
  parkedSoFar,
  refreshed,
} from './session-told.ts';

/**
 * One charging session of ours, from the transaction's start until the car has left or has nothing
 * more to pay for. Its state is small: the Session as last told, the meter's fold, what the
 * connector is known to be, and what held at the start.
 */
export const sessionDecider: Decider<SessionState, SessionCommand, SessionEvent> = {
  initial: { status: 'absent' },

  decide(command, charge) {
    switch (command.type) {
      case 'ReserveSession':
        return reserve(command, charge);
      case 'EndReserved':
        return charge.status === 'reserved' ? [endedReserved(command, charge)] : [];
      case 'StartSession':
        if (charge.status === 'reserved') return [startedReserved(command, charge)];
        return charge.status === 'absent' ? [{ ...command, type: 'SessionStarted' }] : [];
      case 'RecordInvalid':
        if (charge.status === 'reserved')
          return [endedReserved({ type: 'EndReserved', why: 'lost', endedAt: command.at, at: command.at }, charge)];
        return charge.status === 'absent' ? [{ ...command, type: 'InvalidSessionStarted' }] : [];
      case 'ReadMeter':
        if (charge.status === 'active') return readMeter(command, charge);
        return charge.status === 'parked' ? readSigned(command, charge) : [];
      case 'NoteStatus':
        if (charge.status === 'active') return noteStatus(command, charge);
        return charge.status === 'parked' ? judgeStatus(command, charge) : [];
      case 'NoteHold':
        return charge.status === 'active' &&
          isHoldNews(charge.condition, command.held, command.heldAt)
          ? [{ ...command, type: 'HoldNoted' }]
          : [];
      case 'NoteFault':
        if (charge.status === 'active') return noteFault(command, charge);
        return charge.status === 'parked' ? judgeFault(command, charge) : [];
      case 'NoteConnection':
        if (charge.status === 'active') return noteLoss(command, charge);
        return charge.status === 'parked' && isConnectionNews(charge.stay, command.connectionAt)
          ? [{ ...command, type: 'ConnectionNoted' }]
          : [];
      case 'EndSession':
        if (charge.status === 'active') return [endCharge(command, charge)];
        return charge.status === 'invalid' ? [endInvalid(command, charge)] : [];
      case 'YieldConnector':
        return charge.status === 'parked' && isNext(command, charge)
          ? [completed(charge, parkedUntilMs(charge.stay, instant(command.nextAt)), command.at)]
          : [];
      case 'LookAtCharge':
        return charge.status === 'active' ? lookAtCharge(command, charge) : [];
      case 'LookAtParking':
        return charge.status === 'parked' ? look(command, charge) : [];
    }
  },

  evolve(charge, event) {
    switch (event.type) {
      case 'SessionReserved':
        return reserved(event, charge);
      case 'SessionStarted':
        return begun(event);
      case 'InvalidSessionStarted':
        return { status: 'invalid', meterStartWh: event.transaction.meterStartWh };
      case 'InvalidSessionEnded':
        return { status: 'invalid-ended' };
    }
    if (charge.status === 'reserved' && event.type === 'SessionEnded')
      return { status: 'ended', session: event.session, snapshots: event.snapshots };
    if (charge.status === 'active') return evolveActive(charge, event);
    return charge.status === 'parked' ? evolveParked(charge, event) : charge;
  },
};

type Later = Exclude<
  SessionEvent,
  { type: 'SessionReserved' | 'SessionStarted' | 'InvalidSessionStarted' | 'InvalidSessionEnded' }
>;

function reserve(command: To<'ReserveSession'>, charge: SessionState): readonly SessionEvent[] {
  if (charge.status === 'absent') return [{ ...command, type: 'SessionReserved', again: false }];
  if (charge.status !== 'reserved' || charge.orderIds.includes(command.orderId)) return [];
  // CMD-09: replaced, it has been reserved since the first time.
  const { start_date_time, last_updated } = charge.session;
  const asked = { ...command.session, start_date_time };
  // An expiry is none of its fields.
  const session = isDeepStrictEqual({ ...asked, last_updated }, charge.session) ? charge.session : asked;
  return [{ ...command, type: 'SessionReserved', session, again: true }];
}

function reserved(
  { session, snapshots, orderId }: Of<'SessionReserved'>,
  charge: SessionState,
): SessionState {
  const before = charge.status === 'reserved' ? charge.orderIds : [];
  return { status: 'reserved', session, snapshots, orderIds: [...before, orderId] };
}

function begun({ session, transaction, snapshots }: Of<'SessionStarted'>): Active {
  const startedAt = session.start_date_time;
  return {
    status: 'active',
    ...{ session, transaction, snapshots },
    metering: startMetering(termsOf(snapshots), startedAt, transaction.meterStartWh, session.charging_periods),
    signed: { values: [], isCut: false },
    findings: startFindings(transaction, startedAt),
    condition: nothingTold(startedAt),
  };
}

function evolveActive(charge: Active, event: Later): SessionState {
  const { transaction, metering, condition } = charge;
  const terms = termsOf(charge.snapshots);
  const becomes = (next: Condition, at: string): Active => ({
    ...charge,
    condition: next,
    metering: turned(terms, metering, { at, state: chargeState(next) }),
  });
  switch (event.type) {
    case 'MeterRead':
    case 'SignedRead':
      return withMetered(charge, event);
    case 'SessionRefreshed': {
      const { session } = event;
      const told = session.charging_periods ?? [];
      return { ...charge, session, metering: toldUpToNow(metering, told) };
    }
    case 'CostTold':
      return { ...charge, session: event.session };
    case 'StatusNoted':
      return becomes(withStatus(condition, event.status, event.statusAt), event.statusAt);
    case 'HoldNoted':
      return becomes(withHold(condition, event.held, event.heldAt), event.heldAt);
    case 'FaultNoted':
      return becomes(withFault(condition, event.faulted, event.faultedAt), event.faultedAt);
    case 'ChargeEnded':
      return parkedFrom(charge, event);
    case 'SessionEnded':
      return { status: 'ended', session: event.session, snapshots: event.snapshots, transaction };
    case 'ConnectionNoted':
      return { ...charge, lostAt: event.connectionAt };
  }
}

function evolveParked(charge: Parked, event: Later): SessionState {
  const { stay, transaction } = charge;
  switch (event.type) {
    case 'SignedRead':
      return withMetered(charge, event);
    case 'StatusNoted':
      return { ...charge, stay: seenFinishing(stay, event.statusAt) };
    case 'ConnectionNoted':
      return { ...charge, stay: withConnection(stay, event.connected, event.connectionAt) };
    case 'SessionRefreshed':
      return { ...charge, session: event.session };
    case 'SessionEnded':
      return { status: 'ended', session: event.session, snapshots: event.snapshots, transaction };
    default:
      return charge;
  }
}

function parkedFrom(charge: Active, event: Of<'ChargeEnded'>): Parked {
  const { condition, lostAt, snapshots, transaction } = charge;
  const { session, rules, energyWh, reason, findings } = event;
  const { metering, signed } = withMetered(charge, event);
  const stopped = stoppedAt(termsOf(snapshots), metering, {
    at: event.stoppedAt,
    energyWh: event.meterStopWh,
  });
  const after = stayAfter(condition, { stoppedAt: event.stoppedAt, heardAt: event.at, rules });
  const stay = lostAt !== undefined && isConnectionNews(after, lostAt) ? { ...after, connectionAt: lostAt } : after;
  return {
    status: 'parked',
    ...{ session, transaction, snapshots, stay, signed, findings },
    metering: toldUpToNow(stopped, session.charging_periods ?? []),
    outcome: { energyWh, reason, findings },
  };
}

function readMeter(command: To<'ReadMeter'>, charge: Active): readonly SessionEvent[] {
  const metered = newlyMetered(charge, command);
  const events = meteredEvents(charge, metered);
  if (metered.readings.length === 0) return events;
  const session = refreshed(withMetered(charge, metered), metered.readings, command);
  return session ? [...events, { type: 'SessionRefreshed', session }] : events;
}

/** After the charge only what the meter signed of it is news. */
function readSigned(command: To<'ReadMeter'>, charge: Parked): readonly SessionEvent[] {
  return meteredEvents(charge, newlyMetered(charge, { ...command, readings: [] }));
}

function noteStatus(command: To<'NoteStatus'>, { condition }: Active): readonly SessionEvent[] {
  const { status, statusAt } = command;
  return isStatusNews(condition, status, statusAt)
    ? [{ type: 'StatusNoted', status, statusAt }]
    : [];
}

function noteLoss(command: To<'NoteConnection'>, { lostAt }: Active): readonly SessionEvent[] {
  const { connected, connectionAt } = command;
  const isNews = !connected && (lostAt === undefined || instant(connectionAt) > instant(lostAt));
  return isNews ? [{ type: 'ConnectionNoted', connected, connectionAt }] : [];
}

function noteFault(
  { faulted, faultedAt }: To<'NoteFault'>,
  { condition }: Active,
): readonly SessionEvent[] {
  return isFaultNews(condition, faulted, faultedAt)
    ? [{ type: 'FaultNoted', faulted, faultedAt }]
    : [];
}

function judgeFault(
  { faulted, faultedAt, at }: To<'NoteFault'>,
  charge: Parked,
): readonly SessionEvent[] {
  return isFault(charge.stay, faulted, faultedAt)
    ? [completed(charge, leftMs(charge.stay, instant(faultedAt)), at)]
    : [];
}

function judgeStatus(command: To<'NoteStatus'>, charge: Parked): readonly SessionEvent[] {
  const { status, statusAt, at } = command;
  switch (judged(charge.stay, status, statusAt)) {
    case 'nothing':
      return [];
    case 'goes-on':
      return [{ type: 'StatusNoted', status, statusAt }];
    case 'over':
      return [completed(charge, leftMs(charge.stay, instant(statusAt)), at)];
  }
}

function isNext({ nextAt }: To<'YieldConnector'>, { session }: Parked): boolean {
  return instant(nextAt) > instant(session.start_date_time);
}

function lookAtCharge(command: To<'LookAtCharge'>, charge: Active): readonly SessionEvent[] {
  const session = costSoFar(charge, command);
  return session ? [{ type: 'CostTold', session }] : [];
}

function look(command: To<'LookAtParking'>, charge: Parked): readonly SessionEvent[] {
  const overMs = overAtMs(charge.stay);
  if (instant(command.at) >= overMs)
    return [completed(charge, parkedUntilMs(charge.stay, overMs), command.at)];
  const session = parkedSoFar(charge, command);
  return session ? [{ type: 'SessionRefreshed', session }] : [];
}

function endInvalid(
  { meterStopWh, stoppedAt: at }: To<'EndSession'>,
  { meterStartWh }: { readonly meterStartWh: string },
): SessionEvent {
  const tenthWh = Math.max(0, tenthsOf(meterStopWh) - tenthsOf(meterStartWh));
  return { type: 'InvalidSessionEnded', energyWh: String(tenthWh / 10), at };
}
