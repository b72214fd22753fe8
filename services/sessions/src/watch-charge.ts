import { addDue, type DueHandler, type DueOutcome } from '#due';
import type { Queryable } from '#postgres';
import { currentTraceparent } from '#telemetry';
import { type Clock, instant } from '#time';
import type { Config } from './config.ts';
import type { Logs } from './logs.ts';
import { AGE_PER_REFRESH } from './metering.ts';
import type { Active } from './session-events.ts';
import { silentForMs } from './session-told.ts';

export interface WatchChargeParts {
  readonly clock: Clock;
  readonly config: Config;
  readonly logs: Logs;
}

/** Looks at charges of whose meter nothing is heard: what their time costs so far is told all the same. */
export class WatchCharge {
  constructor(private readonly parts: WatchChargeParts) {}

  readonly kinds: Readonly<Record<string, DueHandler>> = {
    'watch-charge': async (due) => this.look((due.body as { sessionId: string }).sessionId),
  };

  private async look(sessionId: string): Promise<DueOutcome> {
    const { clock, config: { updateEveryMs }, logs } = this.parts;
    const at = clock.iso();
    const command = { type: 'LookAtCharge', updateEveryMs, at } as const;
    const { state: after } = await logs.sessions.execute(sessionId, `look ${sessionId} ${at}`, command, currentTraceparent());
    return after.status === 'active' ? { retryAt: nextLookMs(after, this.parts) } : 'done';
  }
}

export async function watchCharge(tx: Queryable, charge: Active, parts: Pick<WatchChargeParts, 'clock' | 'config'>): Promise<void> {
  const { id: sessionId } = charge.session;
  await addDue(tx, {
    id: `charge ${sessionId}`,
    key: `charge ${sessionId}`,
    kind: 'watch-charge',
    at: nextLookMs(charge, parts),
    body: { sessionId },
  });
}

function nextLookMs(
  charge: Active, { clock, config: { updateEveryMs } }: Pick<WatchChargeParts, 'clock' | 'config'>,
): number {
  const { session } = charge;
  const nowMs = clock.now();
  const everyMs = Math.max(silentForMs(charge, updateEveryMs), (nowMs - instant(session.start_date_time)) / AGE_PER_REFRESH);
  const dueMs = instant(session.last_updated) + everyMs;
  return dueMs > nowMs ? dueMs : nowMs + everyMs;
}
