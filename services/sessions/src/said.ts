import type { Executed } from '#event-store';
import type { Queryable } from '#postgres';
import { currentTraceparent, type Log } from '#telemetry';
import type { Clock } from '#time';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';
import { isOpening, waitFor } from './openings.ts';
import type { SessionCommand, SessionEvent, SessionState } from './session-events.ts';
import { watchSession } from './watch-session.ts';

export interface SaidParts {
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Log;
  readonly logs: Logs;
}

const OPENED_KEPT = 10_000;

/** What is said to sessions: at once, or once the session is opened. */
export class Said {
  /** Known to wait for nothing; the rows are the truth. */
  private readonly opened = new Set<string>();

  constructor(private readonly parts: SaidParts) {}

  /** The session as it then is; undefined where it waits to be opened. */
  async say(
    tx: Queryable,
    sessionId: string,
    commandId: string,
    command: SessionCommand,
  ): Promise<SessionState | undefined> {
    if (!this.opened.has(sessionId)) {
      if (await isOpening(tx, sessionId)) {
        await waitFor(tx, sessionId, { commandId, command });
        return undefined;
      }
      this.remember(sessionId);
    }
    return this.carryOut(tx, sessionId, commandId, command);
  }

  /** By whoever opened it. */
  async carryOut(
    tx: Queryable,
    sessionId: string,
    commandId: string,
    command: SessionCommand,
  ): Promise<SessionState> {
    const { log, logs } = this.parts;
    const executed = await logs.sessions.execute(
      sessionId,
      commandId,
      command,
      currentTraceparent(),
    );
    const { state } = executed;
    if (command.type === 'EndSession' && state.status === 'parked')
      await watchSession(tx, state, this.parts);
    for (const findings of foundIn(executed))
      log.warn('a meter said what cannot be', { session: sessionId, findings });
    return state;
  }

  private remember(sessionId: string): void {
    this.opened.add(sessionId);
    const [oldest] = this.opened;
    if (this.opened.size > OPENED_KEPT) this.opened.delete(oldest!);
  }
}

function foundIn({ events }: Executed<SessionState, SessionEvent>): (readonly object[])[] {
  return events
    .map((event) => {
      if (event.type === 'MeterRead') return event.leftOut ?? [];
      return 'findings' in event ? event.findings : [];
    })
    .filter((found) => found.length > 0);
}
