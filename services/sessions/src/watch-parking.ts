import { addDue, type DueHandler, type DueOutcome } from '#due';
import type { Queryable } from '#postgres';
import { currentTraceparent } from '#telemetry';
import { type Clock, instant } from '#time';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';
import { AGE_PER_REFRESH, updateEveryMsOf } from './metering.ts';
import { overAtMs } from './parking.ts';
import type { Parked } from './session-events.ts';

export interface WatchParkingParts {
  readonly clock: Clock;
  readonly config: Config;
  readonly logs: Logs;
  /** Whether all was heard that a station had said by now. */
  heardAll(stationId: string): Promise<boolean>;
}

/** Looks at cars that stay after their charge: what it costs so far, and when it is over. */
export class WatchParking {
  constructor(private readonly parts: WatchParkingParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'watch-parking': async (due) => this.look((due.body as { sessionId: string }).sessionId),
  };

  private async look(sessionId: string): Promise<DueOutcome> {
    const {
      clock,
      config: { updateEveryMs },
      logs,
    } = this.parts;
    const { state: before } = await logs.sessions.load(sessionId);
    if (before.status !== 'parked') return 'done';
    // What was said while this service was away says more than that nothing came.
    const isOver = clock.now() >= overAtMs(before.stay);
    if (isOver && !(await this.parts.heardAll(before.transaction.stationId)))
      return { retryInMs: BACKLOG_PAUSE_MS };
    const at = clock.iso();
    const { state } = await logs.sessions.execute(
      sessionId,
      `look ${sessionId} ${at}`,
      { type: 'LookAtParking', updateEveryMs, at },
      currentTraceparent(),
    );
    return state.status === 'parked' ? { retryAt: nextLookMs(state, this.parts) } : 'done';
  }
}

const BACKLOG_PAUSE_MS = 1_000;

export async function watchParking(
  tx: Queryable,
  charge: Parked,
  parts: Pick<WatchParkingParts, 'clock' | 'config'>,
): Promise<void> {
  const { id: sessionId } = charge.session;
  await addDue(tx, {
    id: `parking ${sessionId}`,
    key: `parking ${sessionId}`,
    kind: 'watch-parking',
    at: nextLookMs(charge, parts),
    body: { sessionId },
  });
}

function nextLookMs(
  { session, snapshots, stay }: Parked,
  { clock, config: { updateEveryMs } }: Pick<WatchParkingParts, 'clock' | 'config'>,
): number {
  const nowMs = clock.now();
  const ageMs = nowMs - instant(session.start_date_time);
  const everyMs = updateEveryMsOf(snapshots.location, session.connector_id, updateEveryMs);
  return Math.min(overAtMs(stay), nowMs + Math.max(everyMs, ageMs / AGE_PER_REFRESH));
}
