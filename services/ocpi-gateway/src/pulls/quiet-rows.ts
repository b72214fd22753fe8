import type { Outcome, Page } from '#ocpi';
import type { Queryable } from '#postgres';

/** By a 429 or 503 with Retry-After a partner asks to be left alone; what can wait heeds it, in every process and after a restart. */
export async function noteQuiet(db: Queryable, partnerId: string, outcome: Outcome | Page): Promise<void> {
  if (outcome.kind !== 'refused' || !outcome.retryAfterMs) return;
  await db.query(
    `INSERT INTO quiet_partners (partner_id, until) VALUES ($1, clock_timestamp() + $2::bigint * interval '1 ms')
     ON CONFLICT (partner_id) DO UPDATE SET until = greatest(quiet_partners.until, excluded.until)`,
    [partnerId, outcome.retryAfterMs],
  );
}

/** For how long still, real time; 0: it may be asked. */
export async function quietMs(db: Queryable, partnerId: string): Promise<number> {
  const { rows: [row] } = await db.query<{ ms: number }>(
    `SELECT ceil(extract(epoch FROM until - clock_timestamp()) * 1000)::int AS ms FROM quiet_partners WHERE partner_id = $1`, [partnerId],
  );
  return Math.max(row?.ms ?? 0, 0);
}
