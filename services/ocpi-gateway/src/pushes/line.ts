import { type Fact, told } from '#bus';
import { deliveryFailed } from '#contracts/ocpi-gateway';
import type { DueOutcome } from '#due';
import type { Tx } from '#postgres';
import { type Clock, rfc3339 } from '#time';
import type { OcpiSettings } from '../config.ts';
import type { LineNews, Waiting } from './lane-rows.ts';
import { notePark } from './pushed-rows.ts';
import { isAboutOne, isVerdict, type Sent } from './requests.ts';
import { retryInMs } from '../retry.ts';

export type Failure = Exclude<Sent, { kind: 'ok' }>;

interface LineParts {
  readonly clock: Clock;
  readonly settings: OcpiSettings;
}

/** Set aside until it changes, or, without a clear no, until it is tried once more after `againMs`: said to all, once. */
export async function park(tx: Tx, { key, version, attempts }: Waiting, reason: string, { now, againMs }: { now: number; againMs?: number }): Promise<Fact[]> {
  const isNews = await notePark(tx, key, version, { reason, at: now, againMs });
  return !isNews ? [] : [told(deliveryFailed, {
    partnerId: key.partnerId, module: key.module, objectId: key.objectKey, attempts: attempts + 1, error: reason, at: rfc3339(now),
  })];
}

/** Whether a failure is of the line, or of all of the partner's platform, and not of one object. */
export function isOfTheLine(outcome: Failure): boolean {
  return outcome.kind !== 'refused' || !(isVerdict(outcome) || isAboutOne(outcome));
}

/** The circuit of a lane: open for a pause that doubles, then half open for one object, closed when it got through. */
export function lineAfter(
  { failures, ofTheLine, wasHeard }: { failures: number; ofTheLine: readonly Failure[]; wasHeard: boolean },
  { clock, settings }: LineParts,
): { news: LineNews | undefined; retry: DueOutcome | undefined } {
  const now = clock.now();
  if (ofTheLine.length === 0) {
    return { news: failures > 0 && wasHeard ? { failures: 0, now, nextTry: undefined } : undefined, retry: undefined };
  }
  const inARow = (wasHeard ? 0 : failures) + 1;
  const asked = Math.max(0, ...ofTheLine.map((one) => (one.kind === 'refused' ? one.retryAfterMs ?? 0 : 0)));
  const pauseMs = Math.max(asked, retryInMs(inARow, settings));
  return { news: { failures: inARow, now, nextTry: now + pauseMs * clock.rate }, retry: { retryInMs: pauseMs } };
}
