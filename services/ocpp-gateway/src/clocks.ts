import { parseInstant } from '#ocpp';
import { instant, rfc3339 } from '#time';
import type { Away, FrameCommand, Start, Station, Stop, Stopped } from './station-events.ts';

/** Whose clock a charge goes by: docs/adr/0025. */

/**
 * Within this of its return a station has told what it kept; a clock that is no further back is believed. Networks
 * take their time however fast the platform's clock runs.
 */
export const caughtUpMs = ({ rate }: { readonly rate: number }): number => Math.max(BELIEVED_MS, 60_000 * rate);
const BELIEVED_MS = 3_600_000;

/** What our own clock says of a station that tells of a start. */
export interface Touch {
  readonly heardMs: number;
  /** Since then it could tell us everything at once. */
  readonly inTouchSinceMs: number;
  /** Of an earlier connection: until then it could, too. */
  readonly heardUntil?: string | undefined;
  readonly caughtUpMs: number;
}

/** A start of which the station would have told long before is of when it was heard. */
export function startedAt(saidAt: string, { heardMs, inTouchSinceMs, heardUntil, caughtUpMs: withinMs }: Touch): string {
  const saidMs = instant(saidAt);
  if (saidMs >= heardMs - withinMs) return saidAt;
  const keptNothing = inTouchSinceMs <= heardMs - withinMs;
  const wasThere = heardUntil !== undefined && saidMs < instant(heardUntil) - withinMs;
  return keptNothing || wasThere ? rfc3339(heardMs) : saidAt;
}

/** What a clock that is far behind showed at a start, and when that was. */
export interface ClockBehind {
  readonly saidAt: string;
  readonly at: string;
}

export function clockBehind({ saidAt, startedAt: at }: Pick<Start, 'saidAt' | 'startedAt'>): ClockBehind | undefined {
  const saidMs = parseInstant(saidAt);
  return saidMs !== undefined && saidMs < instant(at) - BELIEVED_MS ? { saidAt: rfc3339(saidMs), at } : undefined;
}

/**
 * A frame as by our clock: instants between what the clock showed and what it was are by that clock still, which
 * counts on from there, and never beyond when the frame was heard. So are later ones that by it were told at once; else
 * it was set right.
 */
export function byOurClock(frame: FrameCommand, { clock }: Pick<Station, 'clock'>): FrameCommand {
  if (!clock) return frame;
  const [saidMs, atMs, heardMs] = [instant(clock.saidAt), instant(clock.at), instant(frame.heardAt)];
  const of = (at: string): string => {
    const ms = instant(at);
    const countedMs = ms - saidMs + atMs;
    const isBehind = ms >= saidMs && (ms < atMs || Math.abs(heardMs - countedMs) <= BELIEVED_MS);
    return isBehind ? rfc3339(Math.max(atMs, Math.min(countedMs, heardMs))) : at;
  };
  const metered = <M extends Metered>(told: M): M => ({
    ...told,
    readings: told.readings.map((reading) => ({ ...reading, at: of(reading.at) })),
    ...(told.signed ? { signed: told.signed.map((signed) => ({ ...signed, at: of(signed.at) })) } : {}),
  });
  switch (frame.type) {
    case 'NotifyStatus':
      return { ...frame, status: { ...frame.status, at: of(frame.status.at) } };
    case 'ReadMeter':
      return metered(frame);
    case 'StopTransaction':
      return { ...frame, stop: { ...metered(frame.stop), stoppedAt: of(frame.stop.stoppedAt) } };
    default:
      return frame;
  }
}

type Metered = Pick<Stop, 'readings' | 'signed'>;

/** A station that starts anew has said what it kept of before by then. */
const STARTING_MS = 5 * 60_000;

const LOSSES_KEPT = 16;

/** A station whose socket is lost: soon after its return it is still about to say what it kept. */
export function lostAgain(away: Away | undefined, from: string): Away {
  if (away?.until === undefined || instant(from) > instant(away.until) + STARTING_MS) return { from };
  return { from, before: [...(away.before ?? []), away.from].slice(-LOSSES_KEPT) };
}

/**
 * Since when a station may have been without power that tells of a stop once it is back, each time: many say the time of
 * their next start for it.
 */
export function lossesBefore(
  { stoppedAt }: Pick<Stop, 'stoppedAt'>, { startedAt }: Pick<Start, 'startedAt'>, away: Station['away'],
): Pick<Stopped, 'lostAt' | 'alsoLostAt'> {
  if (away?.until === undefined || instant(stoppedAt) > instant(away.until) + STARTING_MS) return {};
  const losses = [...(away.before ?? []), away.from]
    .filter((from) => instant(startedAt) < instant(from) && instant(from) < instant(stoppedAt));
  const lostAt = losses.pop();
  return lostAt === undefined ? {} : { lostAt, ...(losses.length > 0 ? { alsoLostAt: losses } : {}) };
}
