import type { ChargeState } from '#pricing';
import { instant } from '#time';

/** The newest status of a connector: OCPP 1.6 ChargePointStatus, '' while none was told. */
export interface StatusTold {
  readonly status: string;
  readonly statusAt: string;
  /** All that was told for that instant: stations' clocks often count in seconds. */
  readonly alsoThen: readonly string[];
}

/** What is known of why a car takes energy or takes none. */
export interface Condition extends StatusTold {
  /** Our load management leaves it less than any car charges with. */
  readonly held: boolean;
  readonly heldAt: string;
  /** The whole station has a fault: its connector 0 says so. */
  readonly faulted: boolean;
  readonly faultedAt: string;
  /** How often it became another state. */
  readonly turns: number;
}

/** From less current a car does not charge (IEC 61851). */
const CHARGES_FROM_MA = 6_000;
/** A connector that turns more often is broken, and nobody pays for the time of a fault. */
const TURNS_MAX = 400;
const SAME_INSTANT_MAX = 10;

/**
 * The car asks for no power: that alone is parking. Who keeps it waiting, be it the station, a
 * fault or we (our limit, the grid's event), has no claim on its time; without a car there is none.
 * The policy of libs/pricing that says so is `pausedTime`.
 */
const states: Readonly<Record<string, ChargeState>> = {
  SuspendedEV: 'parking',
  Finishing: 'parking',
  SuspendedEVSE: 'paused',
  Faulted: 'paused',
  Unavailable: 'paused',
  Available: 'paused',
  Reserved: 'paused',
};

const NEVER = '1970-01-01T00:00:00Z';

export const nothingTold = (startedAt: string): Condition => ({
  status: '',
  statusAt: startedAt,
  alsoThen: [],
  held: false,
  heldAt: NEVER,
  faulted: false,
  faultedAt: NEVER,
  turns: 0,
});

export function chargeState({ status, held, faulted, turns }: Condition): ChargeState {
  if (faulted || turns >= TURNS_MAX) return 'paused';
  if (status === 'Finishing') return 'parking';
  return held ? 'paused' : (states[status] ?? 'charging');
}

export const isHold = (limitMa: number): boolean => limitMa < CHARGES_FROM_MA;

/** S16-34: a status that was queued is older than the newest one; a repeat says nothing. */
export function isNewer(known: StatusTold, status: string, at: string): boolean {
  const ms = instant(at);
  const knownMs = instant(known.statusAt);
  return ms > knownMs || (ms === knownMs && !known.alsoThen.includes(status));
}

/** The same status again is news of a car that was held: it charges once more. */
export function isStatusNews(known: Condition, status: string, at: string): boolean {
  if (!isNewer(known, status, at)) return false;
  return status !== known.status || (known.held && isReleased({ status, statusAt: at }, known.heldAt));
}

export function toldStatus(known: StatusTold, status: string, at: string): StatusTold {
  const alsoThen = instant(at) === instant(known.statusAt) ? known.alsoThen : [];
  return { status, statusAt: at, alsoThen: [...alsoThen, status].slice(-SAME_INSTANT_MAX) };
}

export function withStatus(known: Condition, status: string, at: string): Condition {
  const told = { ...known, ...toldStatus(known, status, at) };
  return counted(known, { ...told, held: known.held && !isReleased(told, known.heldAt) });
}

/** A car that charges is held by nobody: the limit may have run out without a word. */
function isReleased({ status, statusAt }: Pick<StatusTold, 'status' | 'statusAt'>, heldAt: string): boolean {
  return status === 'Charging' && instant(statusAt) > instant(heldAt);
}

export function isHoldNews(known: Condition, held: boolean, at: string): boolean {
  if (held === known.held || instant(at) <= instant(known.heldAt)) return false;
  return !(held && isReleased(known, at));
}

export function withHold(known: Condition, held: boolean, at: string): Condition {
  return counted(known, { ...known, held, heldAt: at });
}

export function isFaultNews(known: Condition, faulted: boolean, at: string): boolean {
  return faulted !== known.faulted && instant(at) > instant(known.faultedAt);
}

export function withFault(known: Condition, faulted: boolean, at: string): Condition {
  return counted(known, { ...known, faulted, faultedAt: at });
}

function counted(before: Condition, after: Condition): Condition {
  const turned = chargeState(before) !== chargeState(after);
  return turned ? { ...after, turns: after.turns + 1 } : after;
}
