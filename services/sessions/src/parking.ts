import type { Tariff } from '#ocpi';
import { instant, rfc3339 } from '#time';
import { type Condition, isNewer, type StatusTold, toldStatus } from './condition.ts';

/** The car's stay after its charge: the transaction has stopped, the cable may still be in. */

/** Platform time. */
export interface ParkingRules {
  /** Not counted as parking: the way back to the car. */
  readonly graceMs: number;
  /** Longer than this nobody parks: a status was lost. */
  readonly capMs: number;
  /** In which a status follows a stop, or a station that is back says what changed. */
  readonly waitMs: number;
}

export interface Stay extends StatusTold {
  readonly stoppedAt: string;
  /** From when on it may be parking: the stop, or Finishing where the stop itself was lost. */
  readonly parksFrom: string;
  /** When we heard of the stop. */
  readonly heardAt: string;
  readonly rules: ParkingRules;
  /** The station said so, and nothing else since: only then it is known that the cable is in. */
  readonly finishing: boolean;
  readonly connectionAt: string;
  /** Since when nobody vouches for the car, and when the station was there again. */
  readonly lostAt?: string;
  readonly backAt?: string;
}

/** The car is gone, or the connector no longer in a state in which parking may be asked for. */
const GONE = new Set(['Available', 'Reserved', 'Unavailable', 'Faulted']);

/** Whether a charge that stops leaves something to wait for. */
export function mayStay(
  { status, statusAt }: Condition,
  { tariff, reason, stoppedAt }: { tariff: Tariff; reason: string; stoppedAt: string },
): boolean {
  if (!pricesParking(tariff) || reason === 'EVDisconnected' || GONE.has(status)) return false;
  // The next driver's card, or a station that knows no Finishing.
  return !(status === 'Preparing' && instant(statusAt) > instant(stoppedAt));
}

function pricesParking({ elements }: Tariff): boolean {
  return elements.some(({ price_components }) =>
    price_components.some(({ type }) => type === 'PARKING_TIME'),
  );
}

export function stayAfter(
  { status, statusAt, alsoThen }: Condition,
  { stoppedAt, heardAt, rules }: { stoppedAt: string; heardAt: string; rules: ParkingRules },
): Stay {
  const finishing = status === 'Finishing';
  // A stop that was lost is put at the last reading: nobody knows what came before Finishing.
  const wasLost = finishing && instant(statusAt) > instant(stoppedAt) + rules.waitMs;
  const fromMs = instant(wasLost ? statusAt : stoppedAt) + rules.graceMs;
  return {
    ...{ status, statusAt, alsoThen },
    ...{ stoppedAt, heardAt, rules, finishing },
    parksFrom: rfc3339(fromMs),
    connectionAt: stoppedAt,
  };
}

/** What a status says of the stay: nothing, that it goes on, or that it is over. */
export function judged(stay: Stay, status: string, at: string): 'nothing' | 'goes-on' | 'over' {
  if (!isNewer(stay, status, at)) return 'nothing';
  if (status === 'Finishing')
    return stay.finishing && stay.lostAt === undefined ? 'nothing' : 'goes-on';
  if (GONE.has(status)) return 'over';
  // Of the charge, told late.
  if (instant(at) < instant(stay.stoppedAt)) return 'nothing';
  return stay.finishing || !status.startsWith('Suspended') ? 'over' : 'nothing';
}

/** The cable is in; it has been all the time, for Finishing only ever follows a charge. */
export function seenFinishing(stay: Stay, at: string): Stay {
  const { lostAt: _lost, backAt: _back, ...known } = stay;
  return { ...known, ...toldStatus(stay, 'Finishing', at), finishing: true };
}

export function isConnectionNews({ connectionAt }: Stay, at: string): boolean {
  return instant(at) > instant(connectionAt);
}

export function withConnection(stay: Stay, connected: boolean, at: string): Stay {
  const known = { ...stay, connectionAt: at };
  if (connected) return stay.lostAt === undefined ? known : { ...known, backAt: at };
  const { backAt: _back, ...lost } = known;
  const lostAt = isInDoubt(stay, instant(at)) ? stay.lostAt! : at;
  return { ...lost, lostAt };
}

/** Nobody knows whether the car was there until then. */
function isInDoubt({ lostAt, backAt, rules }: Stay, ms: number): boolean {
  if (lostAt === undefined || ms < instant(lostAt)) return false;
  if (backAt === undefined) return true;
  // Its own word of when, from the time that it was away.
  const backMs = instant(backAt);
  if (ms < backMs) return false;
  // Stations that are back tell what changed; one that does not had nothing to tell.
  return ms < backMs + rules.waitMs;
}

/** Up to when the parking is known, of a car that left or whose time is over then; epoch ms. */
export function parkedUntilMs(stay: Stay, ms: number): number {
  const { stoppedAt, parksFrom, lostAt, finishing, rules } = stay;
  const stoppedMs = instant(stoppedAt);
  if (!finishing) return stoppedMs;
  const knownMs = isInDoubt(stay, ms) ? instant(lostAt!) : ms;
  const untilMs = Math.min(knownMs, stoppedMs + rules.capMs);
  return untilMs > instant(parksFrom) ? untilMs : stoppedMs;
}

/** When it is over whatever is told; epoch ms. */
export function overAtMs({ finishing, stoppedAt, heardAt, rules }: Stay): number {
  return finishing
    ? instant(stoppedAt) + rules.capMs
    : Math.max(instant(stoppedAt), instant(heardAt)) + rules.waitMs;
}
