import { setTimeout as sleep } from 'node:timers/promises';
import type { DueOutcome } from '#due';

const LOOKS = 5;
const LOOK_AGAIN_MS = 100;
const ATTEMPTS = 8;
const RETRY_MS = 1_000;

/** The event is appended right after its row: a worker may be there before it. */
export async function whenThere<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let n = 1; n < LOOKS; n++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(LOOK_AGAIN_MS * 2 ** (n - 1));
  }
  return look();
}

/**
 * Of a row whose event is not there. Whoever was to append it may only be slow, and what was
 * accepted must not end in silence: only after minutes it counts as never accepted.
 */
export function notThere(attempt: number): DueOutcome {
  return attempt < ATTEMPTS ? { retryInMs: RETRY_MS * 2 ** (attempt - 1) } : 'done';
}
