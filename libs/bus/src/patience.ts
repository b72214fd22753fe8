import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseFailure } from '#postgres';
import type { Log } from '#telemetry';
import { passes } from './failures.ts';
import { MalformedFact } from './hearing.ts';

export interface Patience {
  /** How often something is tried, and the pause after the first time. */
  readonly tries: number;
  readonly pauseMs: number;
  /** How long somebody who does not answer, or a lost database, is waited for. */
  readonly patienceMs: number;
  readonly log: Log;
}

const LONGEST_PAUSE_MS = 5_000;

/** The group is somebody else's now. */
export class NotMine extends Error {
  override readonly name = 'NotMine';
}

/**
 * `fn` until it succeeds. A failure that is the fact's own counts as a try; for what passes there is
 * patience. `between` comes before another attempt, since the one that failed may have been
 * committed. Rejects with the last error; with `NotMine` and `MalformedFact` at once.
 */
export async function withPatience(
  patience: Patience,
  signal: AbortSignal,
  fn: () => Promise<void>,
  between: () => Promise<void>,
  isPassing = isOfAnother,
): Promise<void> {
  const { tries, pauseMs, patienceMs, log } = patience;
  const giveUpAt = performance.now() + patienceMs;
  for (let failed = 0, pauses = 0; ; pauses += 1) {
    try {
      return await fn();
    } catch (error) {
      if (error instanceof NotMine || error instanceof MalformedFact) throw error;
      if (!isPassing(error)) failed += 1;
      else log.warn('hearing waits', { error });
      if (failed >= tries || performance.now() > giveUpAt) throw error;
      const pause = Math.min(pauseMs * 2 ** pauses, LONGEST_PAUSE_MS);
      await sleep(pause, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw error;
      await between();
    }
  }
}

/** Somebody else's trouble, not the fact's. */
function isOfAnother(error: unknown): boolean {
  return passes(error) || (error instanceof DatabaseFailure && PASSING.has(error.failure));
}

/** The way to the database broke, or there was none. */
export function isLostDatabase(error: unknown): error is DatabaseFailure {
  return error instanceof DatabaseFailure && LOST.has(error.failure);
}

const LOST = new Set<DatabaseFailure['failure']>(['connection-lost', 'no-connection', 'outcome-unknown']);

const PASSING = new Set<DatabaseFailure['failure']>([
  ...LOST,
  'statement-timeout',
  'lock-timeout',
  // A newer release starts beside this process, which is soon stopped: none of its keys is at fault.
  'other-schema',
]);
