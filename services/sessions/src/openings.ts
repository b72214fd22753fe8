import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type TransactionStarted, TransactionStartedSchema } from '#contracts/ocpp-gateway';
import type { Queryable, Tx } from '#postgres';
import type { SessionCommand } from './session-events.ts';

/**
 * Transactions whose session is still to be opened, since others have to be asked for what holds at
 * its start; and what was said to it meanwhile, in its order. Whoever says something holds the row as
 * shared, whoever opens holds it alone: nothing comes between what waited and what follows.
 */

export interface Opening {
  /** The id of the fact, and so of the command. */
  readonly heardId: string;
  readonly fact: TransactionStarted;
}

export interface Waiting {
  readonly commandId: string;
  readonly command: SessionCommand;
}

export async function noteOpening(
  tx: Queryable,
  sessionId: string,
  { heardId, fact }: Opening,
): Promise<void> {
  await tx.query(
    `INSERT INTO openings (session_id, heard_id, fact) VALUES ($1, $2, $3)
     ON CONFLICT (session_id) DO NOTHING`,
    [sessionId, heardId, Buffer.from(toBinary(TransactionStartedSchema, fact))],
  );
}

export async function findOpening(db: Queryable, sessionId: string): Promise<Opening | undefined> {
  const { rows } = await db.query<{ heard_id: string; fact: Buffer }>(
    'SELECT heard_id, fact FROM openings WHERE session_id = $1',
    [sessionId],
  );
  const [row] = rows;
  return row && { heardId: row.heard_id, fact: fromBinary(TransactionStartedSchema, row.fact) };
}

/** True while a session is to be opened: it stays so, or was opened, until the transaction ends. */
export async function isOpening(tx: Queryable, sessionId: string): Promise<boolean> {
  const { rows } = await tx.query('SELECT FROM openings WHERE session_id = $1 FOR SHARE', [
    sessionId,
  ]);
  return rows.length > 0;
}

export async function waitFor(
  tx: Queryable,
  sessionId: string,
  { commandId, command }: Waiting,
): Promise<void> {
  await tx.query(
    `INSERT INTO waiting_commands (session_id, command_id, command) VALUES ($1, $2, $3)
     ON CONFLICT (session_id, command_id) DO NOTHING`,
    [sessionId, commandId, JSON.stringify(command)],
  );
}

/** Nobody else opens it, and nothing more waits for it, until the transaction ends. */
export async function lockOpening(tx: Tx, sessionId: string): Promise<Waiting[] | undefined> {
  const locked = await tx.query('SELECT FROM openings WHERE session_id = $1 FOR UPDATE', [sessionId]);
  if (locked.rows.length === 0) return undefined;
  const { rows } = await tx.query<{ command_id: string; command: string }>(
    'SELECT command_id, command FROM waiting_commands WHERE session_id = $1 ORDER BY n',
    [sessionId],
  );
  return rows.map(({ command_id: commandId, command }) => ({
    commandId,
    command: JSON.parse(command) as SessionCommand,
  }));
}

export async function forgetOpening(tx: Tx, sessionId: string): Promise<void> {
  await tx.query('DELETE FROM waiting_commands WHERE session_id = $1', [sessionId]);
  await tx.query('DELETE FROM openings WHERE session_id = $1', [sessionId]);
}
