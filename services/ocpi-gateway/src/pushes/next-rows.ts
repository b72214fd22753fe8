import type { Queryable } from '#postgres';
import { AGAIN_MOST } from './pushed-rows.ts';

interface LookAhead {
  readonly now: number;
  readonly latest: number;
  /** After so long what was set aside without a clear no is tried once more, with so many refusals behind it. */
  readonly againMs: number;
  readonly refusals: number;
}

/**
 * When the next of a lane is due, epoch ms; undefined: nothing waits. What would wait beyond `latest` began to by a clock
 * that was set back since, and is due now.
 */
export async function nextIn(db: Queryable, lane: string, { now, latest, againMs, refusals }: LookAhead): Promise<number | undefined> {
  const { rows: [row] } = await db.query<{ due_at: bigint | null; again_at: bigint | null; failures: number | null }>({
    name: 'lane-next',
    text: `SELECT (SELECT min(due_at) FROM pushed WHERE lane = $1 AND queued) AS due_at,
      (SELECT min(again_at) FROM pushed WHERE lane = $1 AND ${SET_ASIDE}) AS again_at,
      (SELECT failures FROM push_lanes WHERE lane = $1) AS failures`,
  }, [lane]);
  if (row?.due_at != null && Number(row.due_at) > latest) {
    await db.query('UPDATE pushed SET due_at = $2 WHERE lane = $1 AND queued AND due_at > $3', [lane, Math.floor(now), Math.ceil(latest)]);
    return now;
  }
  const againAt = row?.again_at == null ? Infinity : Number(row.again_at);
  if (againAt <= now || (againAt !== Infinity && againAt > now + againMs * AGAIN_MOST)) {
    await takeUp(db, lane, { now, latest: now + againMs * AGAIN_MOST, refusals });
    return now;
  }
  if (row?.due_at != null) return Math.min(Number(row.due_at), againAt);
  // Nothing is left to try a line with that was down: nobody knows it to be down any more.
  if (row?.failures)
    await db.query('UPDATE push_lanes SET failures = 0, down_since = NULL, next_try = NULL WHERE lane = $1', [lane]);
  return againAt === Infinity ? undefined : againAt;
}

const SET_ASIDE = 'parked IS NOT NULL AND again_at IS NOT NULL AND NOT queued';

/** It is a dead letter until it is taken. */
async function takeUp(db: Queryable, lane: string, { now, latest, refusals }: { now: number; latest: number; refusals: number }): Promise<void> {
  await db.query(
    `WITH free AS (SELECT partner_id, module, object_key FROM pushed WHERE lane = $1 AND ${SET_ASIDE} AND (again_at <= $2 OR again_at > $3)
        FOR UPDATE SKIP LOCKED)
      UPDATE pushed p SET queued = true, queued_at = to_timestamp($2 / 1000.0), due_at = $2, turn = nextval('push_order'), refusals = $4, again_at = NULL
      FROM free f WHERE p.partner_id = f.partner_id AND p.module = f.module AND p.object_key = f.object_key`,
    [lane, Math.floor(now), Math.ceil(latest), refusals],
  );
}
