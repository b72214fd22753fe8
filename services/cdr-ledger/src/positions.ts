import { NO_POSITION } from '#event-store';
import type { Queryable, Statement, Tx } from '#postgres';

/** How far each follower of the log is: the table `followed`. */
export async function readPosition(db: Queryable, follower: string): Promise<bigint> {
  const { rows } = await db.query<{ position: bigint }>(
    'SELECT "position" FROM followed WHERE follower = $1',
    [follower],
  );
  return rows[0]?.position ?? NO_POSITION;
}

/** Whoever holds it is the only one to write the follower's rows. */
export async function lockPosition(tx: Tx, follower: string): Promise<bigint> {
  for (;;) {
    await tx.query(
      'INSERT INTO followed (follower, "position") VALUES ($1, 0) ON CONFLICT DO NOTHING',
      [follower],
    );
    const { rows } = await tx.query<{ position: bigint }>(
      'SELECT "position" FROM followed WHERE follower = $1 FOR UPDATE',
      [follower],
    );
    // It was taken away while it was waited for: a rebuild ended.
    if (rows[0]) return rows[0].position;
  }
}

/**
 * Moves it from just there, and holds it as `lockPosition` does. False when it is elsewhere, or not
 * there yet: nothing was done.
 */
export async function passPosition(tx: Tx, follower: string, from: bigint, to: bigint): Promise<boolean> {
  const { rowCount } = await tx.query(PASS, [follower, from, to]);
  return rowCount === 1;
}

const PASS: Statement = {
  name: 'followed_pass',
  text: 'UPDATE followed SET "position" = $3 WHERE follower = $1 AND "position" = $2',
};

export async function movePosition(tx: Tx, follower: string, position: bigint): Promise<void> {
  await tx.query('UPDATE followed SET "position" = $2 WHERE follower = $1', [follower, position]);
}
