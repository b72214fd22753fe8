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
  /** When we heard of the stop. */
  readonly heardAt: string;
  readonly rules: ParkingRules;
  /**
   * From when on it is parking: set once the station said Finishing, for only then it is known that
   * the cable is in.
   */
  readonly parksFrom?: string;
  /** Of the station's newest fault, or of its end. */
  readonly faultedAt: string;
  readonly connectionAt: string;
  /** Since when nobody vouches for the car, and when the station was there again. */
  readonly lostAt?: string;
  readonly backAt?: string;
}

/** The car is gone, or the connector no longer in a state in which parking may be asked for. */
const GONE = new Set(['Available', 'Reserved', 'Unavailable', 'Faulted']);

/** Whether a charge that stops leaves something to wait for. */
export function mayStay(
  { status, statusAt, faulted }: Condition,
  { tariff, reason, stoppedAt }: { tariff: Tariff; reason: string; stoppedAt: string },
): boolean {
  if (!pricesParking(tariff) || reason === 'EVDisconnected') return false;
  if (faulted || GONE.has(status)) return false;
  // The next driver's card, or a station that knows no Finishing.
  return !(status === 'Preparing' && instant(statusAt) > instant(stoppedAt));
}

function pricesParking({ elements }: Tariff): boolean {
  return elements.some(({ price_components }) =>
    price_components.some(({ type }) => type === 'PARKING_TIME'),
  );
}

export function stayAfter(
  { status, statusAt, alsoThen, faultedAt }: Condition,
  stop: Pick<Stay, 'stoppedAt' | 'heardAt' | 'rules'>,
): Stay {
  const connectionAt = stop.stoppedAt;
  const stay = { status, statusAt, alsoThen, faultedAt, connectionAt, ...stop };
  return status === 'Finishing' ? { ...stay, parksFrom: parkingFrom(stay, statusAt) } : stay;
}

/**
 * Finishing follows the stop at once. One that comes much later tells nothing of the time before:
 * the station was away, or the stop was lost and put at the last reading.
 */
function parkingFrom({ stoppedAt, rules }: Stay, finishingAt: string): string {
  const late = instant(finishingAt) > instant(stoppedAt) + rules.waitMs;
  return rfc3339(instant(late ? finishingAt : stoppedAt) + rules.graceMs);
}

/** What a status says of the stay: nothing, that it goes on, or that it is over. */
export function judged(stay: Stay, status: string, at: string): 'nothing' | 'goes-on' | 'over' {
  if (!isNewer(stay, status, at)) return 'nothing';
  if (status === 'Finishing')
    return isParking(stay) && stay.lostAt === undefined ? 'nothing' : 'goes-on';
  if (GONE.has(status)) return 'over';
  const afterMs = instant(at) - instant(stay.stoppedAt);
  if (isParking(stay)) return afterMs >= 0 ? 'over' : 'nothing';
  // Of the charge, told late, or on the way from it to Finishing.
  return afterMs > 0 && !status.startsWith('Suspended') ? 'over' : 'nothing';
}

export const isParking = ({ parksFrom }: Stay): boolean => parksFrom !== undefined;

/** The cable is in, and was while the station was away: Finishing only follows a charge. */
export function seenFinishing(stay: Stay, at: string): Stay {
  const { lostAt: _lost, backAt: _back, parksFrom = parkingFrom(stay, at), ...known } = stay;
  return { ...known, ...toldStatus(stay, 'Finishing', at), parksFrom };
}

/** Nobody parks at a fault. One from before the stop was over by then. */
export function isFault(stay: Stay, faulted: boolean, at: string): boolean {
  const ms = instant(at);
  return faulted && ms > instant(stay.faultedAt) && ms >= instant(stay.stoppedAt);
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
  // Stations that are back tell what changed; one that does not had nothing to tell.
  return backAt === undefined || ms < instant(backAt) + rules.waitMs;
}

/** A station's own word of when, from the time that it was away. */
function isOfAbsence({ lostAt, backAt }: Stay, ms: number): boolean {
  return lostAt !== undefined && backAt !== undefined && ms < instant(backAt);
}

/** As `parkedUntilMs`, of a car that left then by a station's word. */
export function leftMs(stay: Stay, ms: number): number {
  const { lostAt: _, ...sure } = stay;
  return parkedUntilMs(isOfAbsence(stay, ms) ? sure : stay, ms);
}

/** Up to when parking is known, of a car that had left by then or whose time is over; epoch ms. */
export function parkedUntilMs(stay: Stay, ms: number): number {
  const { stoppedAt, parksFrom, lostAt, rules } = stay;
  const stoppedMs = instant(stoppedAt);
  if (parksFrom === undefined) return stoppedMs;
  const knownMs = isInDoubt(stay, ms) ? instant(lostAt!) : ms;
  const untilMs = Math.min(knownMs, stoppedMs + rules.capMs);
  return untilMs > instant(parksFrom) ? untilMs : stoppedMs;
}

/** When it is over whatever is told; epoch ms. */
export function overAtMs(stay: Stay): number {
  const { stoppedAt, heardAt, rules } = stay;
  const stoppedMs = instant(stoppedAt);
  if (isParking(stay)) return stoppedMs + rules.capMs;
  return Math.max(stoppedMs, instant(heardAt)) + rules.waitMs;
}
