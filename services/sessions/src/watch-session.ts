import { addDue, type Due, type DueHandler, type DueOutcome } from '#due';
import type { Queryable } from '#postgres';
import { currentTraceparent } from '#telemetry';
import { type Clock, instant } from '#time';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';
import { AGE_PER_REFRESH, updateEveryMsOf } from './metering.ts';
import { overAtMs } from './parking.ts';
import type { Active, Parked } from './session-events.ts';
import { silentForMs } from './session-told.ts';

export interface WatchSessionParts {
  readonly clock: Clock;
  readonly config: Config;
  readonly logs: Logs;
  /** Whether all was heard that a station had said by now. */
  heardAll(stationId: string): Promise<boolean>;
}

/**
 * Looks at charges of whose meter nothing is heard, and at cars that stay after their charge: what they cost so far is told all
 * the same, and when a stay is over.
 */
export class WatchSession {
  constructor(private readonly parts: WatchSessionParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'watch-charge': async (due) => this.look(due, 'active'),
    'watch-parking': async (due) => this.look(due, 'parked'),
  };

  private async look({ body }: Due, watched: (Active | Parked)['status']): Promise<DueOutcome> {
    const { clock, config: { updateEveryMs }, logs } = this.parts;
    const { sessionId } = body as { sessionId: string };
    if (watched === 'parked' && await this.isUnheard(sessionId)) return { retryInMs: BACKLOG_PAUSE_MS };
    const at = clock.iso();
    const type = watched === 'active' ? 'LookAtCharge' : 'LookAtParking';
    const command = { type, updateEveryMs, at } as const;
    const { state } = await logs.sessions.execute(sessionId, `look ${sessionId} ${at}`, command, currentTraceparent());
    return state.status === watched ? { retryAt: nextLookMs(state as Active | Parked, this.parts) } : 'done';
  }

  /** What was said while this service was away says more of the end of a stay than that nothing came. */
  private async isUnheard(sessionId: string): Promise<boolean> {
    const { clock, logs, heardAll } = this.parts;
    const { state } = await logs.sessions.load(sessionId);
    const isOver = state.status === 'parked' && clock.now() >= overAtMs(state.stay);
    return isOver && !(await heardAll(state.transaction.stationId));
  }
}

const BACKLOG_PAUSE_MS = 1_000;

type Times = Pick<WatchSessionParts, 'clock' | 'config'>;

export async function watchSession(tx: Queryable, watched: Active | Parked, parts: Times): Promise<void> {
  const { id: sessionId } = watched.session;
  const what = watched.status === 'active' ? 'charge' : 'parking';
  const key = `${what} ${sessionId}`;
  await addDue(tx, { id: key, key, kind: `watch-${what}`, at: nextLookMs(watched, parts), body: { sessionId } });
}

function nextLookMs(watched: Active | Parked, { clock, config: { updateEveryMs } }: Times): number {
  const { session } = watched;
  const nowMs = clock.now();
  const refreshMs = (nowMs - instant(session.start_date_time)) / AGE_PER_REFRESH;
  if (watched.status === 'parked') {
    const everyMs = updateEveryMsOf(watched.snapshots.location, session.connector_id, updateEveryMs);
    return Math.min(overAtMs(watched.stay), nowMs + Math.max(everyMs, refreshMs));
  }
  const everyMs = Math.max(silentForMs(watched, updateEveryMs), refreshMs);
  const dueMs = instant(session.last_updated) + everyMs;
  return dueMs > nowMs ? dueMs : nowMs + everyMs;
}
