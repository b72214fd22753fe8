import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#postgres';
import type { Bus } from './bus.ts';
import type { Context } from './contract.ts';
import { isCode, managerOf, STREAM_NOT_FOUND, streamEnd } from './stream.ts';
import { slotOf, streamName } from './subjects.ts';

export interface HeardOptions {
  readonly listener: string;
  readonly context: Context;
  /** Of the facts that matter: their station, session, CDR or partner. */
  readonly key: string;
  /** Real time in which to wait for it; default 5,000. */
  readonly waitMs?: number;
}

const POLL_MS = 100;

/**
 * Whether a listener has handled all that a context had told of a key when this was asked: before a
 * timer says that nothing came, what lies in the backlog has to be looked at. False when it has not in
 * the time; rejects when the stream or the database does not answer.
 */
export async function heardAll(bus: Bus, db: Database, options: HeardOptions): Promise<boolean> {
  const { waitMs = 5_000 } = options;
  const end = await endOf(bus, options.context);
  const untilMs = performance.now() + waitMs;
  while (end !== undefined && !((await heardUpTo(db, options)) >= end)) {
    if (performance.now() >= untilMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Undefined where nothing is in the stream. */
async function endOf(bus: Bus, context: Context): Promise<bigint | undefined> {
  try {
    const { last } = await streamEnd(await managerOf(bus.connection), streamName(bus.platform, context));
    return last?.position;
  } catch (error) {
    if (isCode(error, STREAM_NOT_FOUND)) return undefined;
    throw error;
  }
}

async function heardUpTo(db: Database, { listener, context, key }: HeardOptions): Promise<bigint> {
  const { rows } = await db.query<{ position: bigint }>(
    'SELECT position FROM listening WHERE listener = $1 AND source = $2 AND slots @> $3::int',
    [listener, context, slotOf(key)],
  );
  return rows[0]?.position ?? -1n;
}
