import { isDeepStrictEqual } from 'node:util';
import { Decimal } from '#money';
import type { Session } from '#ocpi';
import { instant, rfc3339 } from '#time';
import {
  isRefreshDue,
  type Measured,
  measured,
  type Metering,
  registerOf,
  type Terms,
  termsOf,
  turned,
  type UpdateEveryMs,
  updateEveryMsOf,
} from './metering.ts';
import { newlyMetered, withFindings, withMetered } from './metered.ts';
import { isParking, mayStay, parkedUntilMs } from './parking.ts';
import { deliverable, type Judged, judgedStop, type Reading, ROUNDED_TENTH_WH, tenthsOf } from './register.ts';
import type {
  Active,
  Finding,
  Of,
  Outcome,
  Parked,
  Running,
  SessionEvent,
  To,
  Transaction,
} from './session-events.ts';
import { signedDataOf, type SignedKept } from './signed.ts';

/** The OCPI Session as it is told: while the charge runs, when it is over, when the car has left. */

/** After readings, when it is time to tell. */
export function refreshed(
  charge: Active,
  readings: readonly Reading[],
  { updateEveryMs, at }: To<'ReadMeter'>,
): Session | undefined {
  const { metering, session, snapshots } = charge;
  const everyMs = updateEveryMsOf(snapshots.location, session.connector_id, updateEveryMs);
  if (!isRefreshDue(metering, everyMs)) return undefined;
  const { kwh, charging_periods, total_cost } = measured(termsOf(snapshots), metering);
  return {
    ...session,
    kwh,
    total_cost,
    charging_periods: withLevels(charging_periods, readings.at(-1)!),
    last_updated: later(session.last_updated, at),
  };
}

/** A meter's next word may be a tenth of the interval late. */
export function silentForMs({ snapshots, session }: Active, updateEveryMs: UpdateEveryMs): number {
  const everyMs = updateEveryMsOf(snapshots.location, session.connector_id, updateEveryMs);
  return everyMs + everyMs / 10;
}

/**
 * What a charge costs by now of which the meter says nothing: its time goes on. Its periods follow with the meter, for
 * nobody knows yet what flowed in them. Once its station was lost nobody vouches for it until the meter speaks again.
 */
export function costSoFar(charge: Active, { updateEveryMs, at }: To<'LookAtCharge'>): Session | undefined {
  const { session, snapshots, metering, lostAt } = charge;
  const isDoubted = lostAt !== undefined && instant(lostAt) > metering.meter.atMs;
  const isSilent = instant(at) - instant(session.last_updated) >= silentForMs(charge, updateEveryMs);
  if (isDoubted || !isSilent || instant(at) <= metering.meter.atMs) return undefined;
  const terms = termsOf(snapshots);
  const { total_cost: known = measured(terms, metering).total_cost } = session;
  const { total_cost } = measured(terms, metering, { at });
  return isDeepStrictEqual(total_cost, known) ? undefined : { ...session, total_cost, last_updated: at };
}

/** The transaction has stopped: the end of the session, or of its charge alone. */
export function endCharge(given: To<'EndSession'>, charge: Active): SessionEvent {
  const { snapshots, session, condition } = charge;
  const terms = termsOf(snapshots);
  const metered = newlyMetered(charge, given);
  const { metering, signed, findings: found } = withMetered(charge, metered);
  const powerless = powerlessSince(terms, metering, given);
  const { saidAt: _, ...believed } = given;
  const command = powerless === undefined ? given : { ...believed, stoppedAt: powerless };
  const { at, reason, rules, stoppedAt } = command;
  const stop = stopOf(terms, charge.transaction.saidAt, metering, command);
  const meterStopWh = Decimal.of(stop.tenthWh, 1).toString();
  const end = { at: stoppedAt, energyWh: meterStopWh };
  const { endMs, energyWh, kwh, charging_periods, total_cost } = measured(terms, metering, end);
  const findings = withFindings(found, [
    ...findingsOf(charge, metering, command, stop.judged),
    ...(powerless === undefined ? [] : [withoutPower(given, powerless)]),
    ...(given.closedBecause === undefined ? [] : [closedByOperator(given.closedBecause)]),
  ]);
  const outcome: Outcome = { energyWh, reason, findings };
  const told = { ...session, kwh, total_cost, last_updated: later(session.last_updated, at) };
  // Nobody vouches for a car of which its station says nothing.
  const isGone = given.closedBecause !== undefined;
  if (!isGone && mayStay(condition, { tariff: snapshots.tariff, reason, stoppedAt: given.stoppedAt })) {
    const isNews = charging_periods.length > metering.told.length;
    const levels = isNews ? { powerW: '0' } : {};
    return {
      type: 'ChargeEnded',
      session: { ...told, charging_periods: withLevels(charging_periods, levels) },
      ...metered,
      ...{ meterStopWh, stoppedAt, rules, at },
      ...outcome,
    };
  }
  return {
    type: 'SessionEnded',
    session: { ...told, charging_periods, end_date_time: rfc3339(endMs), status: 'COMPLETED' },
    snapshots,
    ...outcome,
    ...signedData(signed),
  };
}

function signedData(signed: SignedKept): Pick<Of<'SessionEnded'>, 'signedData'> {
  const data = signedDataOf(signed);
  return data ? { signedData: data } : {};
}

/** Why a station says at its next start that a charge stopped. */
const STARTED_ANEW = new Set(['PowerLoss', 'Reboot', 'HardReset']);

/**
 * A charge that a loss of power ended was over when its station was lost, where its meter shows that nothing flowed from
 * then on; many stations say the time of their next start, hours later, and time costs money.
 */
function powerlessSince(
  { powerWMax }: Terms,
  { meter, carriedTenthWh }: Metering,
  { reason, saidAt, lostAt, alsoLostAt = [], stoppedAt, meterStopWh }: To<'EndSession'>,
): string | undefined {
  if (lostAt === undefined || (saidAt === undefined && !STARTED_ANEW.has(reason))) return undefined;
  const gained = tenthsOf(meterStopWh) - (meter.tenthWh - carriedTenthWh);
  const lostMs = [...alsoLostAt, lostAt]
    .map((at) => Math.max(instant(at), meter.atMs))
    .find((ms) => ms < instant(stoppedAt) && gained <= deliverable(powerWMax, ms - meter.atMs));
  return lostMs === undefined ? undefined : rfc3339(lostMs);
}

function closedByOperator(because: string): Finding {
  return {
    code: 'closed-by-operator',
    detail: `the operator ended it, since its station did not say that it stopped: ${because.slice(0, 200)}`,
  };
}

function withoutPower({ stoppedAt }: To<'EndSession'>, lostAt: string): Finding {
  return {
    code: 'station-without-power',
    detail: `the station said at its next start that it stopped at ${stoppedAt}: nothing flowed since it was lost, and it counts as stopped at ${lostAt}`,
  };
}

/** By so much a charge may have begun before a station without a clock could tell of it. */
const UNCLOCKED_MS_MAX = 86_400_000;

/** What the final register is taken for; what cannot be leaves the newest reading in force. S16-51 */
function stopOf(
  terms: Terms,
  saidAt: string | undefined,
  metering: Metering,
  { meterStopWh, isLastKnown, stoppedAt }: To<'EndSession'>,
): { readonly judged: Judged; readonly tenthWh: number } {
  const register = registerOf(metering);
  if (isLastKnown) return { judged: { ...register, counts: 'on' }, tenthWh: register.tenthWh };
  const atMs = Math.max(register.atMs, instant(stoppedAt));
  const fallen = register.tenthWh - register.carriedTenthWh - tenthsOf(meterStopWh);
  const isRounded = fallen > 0 && fallen <= ROUNDED_TENTH_WH;
  const rawTenthWh = tenthsOf(meterStopWh) + (isRounded ? fallen : 0);
  const { startMs, startTenthWh } = metering.meter;
  const { powerWMax } = terms;
  const atLeastMs = saidAt === undefined ? startMs : startMs - UNCLOCKED_MS_MAX;
  const stop = judgedStop(register, { atMs, rawTenthWh }, { startMs: atLeastMs, startTenthWh, powerWMax });
  return { judged: stop, tenthWh: stop.counts === 'not' ? register.tenthWh : stop.tenthWh };
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
  const { session, snapshots, outcome, signed, findings } = charge;
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
    findings,
    ...signedData(signed),
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
  const { session, snapshots, stay } = charge;
  if (!isParking(stay) || stay.lostAt !== undefined) return undefined;
  const nowMs = instant(at);
  const everyMs = updateEveryMsOf(snapshots.location, session.connector_id, updateEveryMs);
  if (nowMs - instant(session.last_updated) < everyMs) return undefined;
  const { total_cost } = measuredStay(charge, parkedUntilMs(stay, nowMs));
  if (isDeepStrictEqual(total_cost, session.total_cost)) return undefined;
  return { ...session, total_cost, last_updated: at };
}

function findingsOf(
  { transaction: { meterStartWh } }: Running,
  { meter }: Metering,
  { meterStopWh, isLastKnown, stoppedAt, saidAt }: To<'EndSession'>,
  stop: Judged,
): Finding[] {
  const stops = `the meter stopped at ${meterStopWh} Wh`;
  const early = instant(stoppedAt) < meter.atMs;
  return [
    ...(isLastKnown
      ? [{ code: 'meter-stop-missing' as const, detail: 'the station told no register at the stop: its newest reading counts' }]
      : []),
    ...(stop.counts === 'on' ? [] : [stopFinding(stop, stops, meterStartWh, meterStopWh)]),
    ...(early
      ? [{ code: 'stopped-before-last-reading' as const, detail: `it stopped at ${stoppedAt}, before its last reading`, figures: { told: stoppedAt } }]
      : []),
    ...(saidAt === undefined ? [] : [clockWrong('the stop', saidAt, stoppedAt)]),
  ];
}

export function startFindings({ isMeterStartMissing, saidAt }: Transaction, startedAt: string): Finding[] {
  return [
    ...(isMeterStartMissing
      ? [{ code: 'meter-start-missing' as const, detail: 'the station told no register at the start: 0 Wh is taken for it' }]
      : []),
    ...(saidAt === undefined ? [] : [clockWrong('the start', saidAt, startedAt)]),
  ];
}

function clockWrong(what: string, saidAt: string, heardAt: string): Finding {
  return {
    code: 'station-clock-wrong',
    detail: `the station's clock showed ${saidAt.slice(0, 40)} at ${what}, which cannot be: it counts from when it was heard, ${heardAt}`,
    figures: { told: saidAt.slice(0, 40), due: heardAt },
  };
}

function stopFinding(
  stop: Exclude<Judged, { counts: 'on' }>,
  stops: string,
  meterStartWh: string,
  meterStopWh: string,
): Finding {
  const figures = { told: meterStopWh, unit: 'Wh' } as const;
  if (stop.counts === 'wrapped')
    return { code: 'register-wrapped', detail: `${stops}: the register was full and began again`, figures };
  if (stop.counts === 'replaced')
    return { code: 'register-replaced', detail: `${stops}: it went on from another value`, figures };
  if (stop.counts === 'not' && stop.why === 'reading-beyond-power')
    return { code: 'meter-stop-beyond-power', detail: `${stops}, more than the connector gives: left out`, figures };
  return tenthsOf(meterStopWh) < tenthsOf(meterStartWh)
    ? { code: 'meter-stop-below-start', detail: `${stops}, below its start at ${meterStartWh} Wh: left out`, figures }
    : { code: 'meter-stop-below-reading', detail: `${stops}, below an earlier reading: left out`, figures };
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

/**
 * Each change has a `last_updated` later than the one before, also where many readings come at once: of two states of one instant
 * nobody can say which is newer, and a page that was read before a push would take it back.
 */
export function later(known: string, at: string): string {
  return instant(at) > instant(known) ? at : rfc3339(instant(known) + 1);
}
