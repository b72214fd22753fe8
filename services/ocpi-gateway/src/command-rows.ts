import type { Routing } from '#ocpi';
import type { Queryable } from '#postgres';

/** A command that a partner gave us. */
export interface TakenCommand {
  readonly orderId: string;
  readonly partnerId: string;
  readonly command: string;
  readonly responseUrl: string;
  readonly correlationId: string;
  /** Of the callback. */
  readonly routing: Routing;
  readonly takenAt: string;
}

export interface KeptCommand extends Omit<TakenCommand, 'takenAt'> {
  /** CommandResponseType; undefined when we never came to answer. */
  readonly response: string | undefined;
  readonly answered: boolean;
  readonly by: string | undefined;
}

/** What a partner was answered at once. */
export interface Replied {
  readonly result: string;
  readonly timeoutS: number;
  readonly message: string;
  readonly unknownLocation?: boolean;
  /** By whose grant it was asked; absent: by the owner of the token. */
  readonly by?: string | undefined;
}

/** Once for each order. `repeat`: it came before, and this is what it was answered, if it was. */
export async function keepTaken(db: Queryable, command: TakenCommand): Promise<{ repeat: boolean; reply?: Replied | undefined }> {
  const { rowCount } = await db.query(
    `INSERT INTO taken_commands (order_id, partner_id, command, response_url, correlation_id, routing, taken_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (order_id) DO NOTHING`,
    [
      command.orderId, command.partnerId, command.command, command.responseUrl, command.correlationId,
      JSON.stringify(command.routing), command.takenAt,
    ],
  );
  if (rowCount === 1) return { repeat: false };
  const { rows } = await db.query<{ reply: Replied | null }>('SELECT reply FROM taken_commands WHERE order_id = $1', [command.orderId]);
  return { repeat: true, reply: rows[0]?.reply ?? undefined };
}

/** An ACCEPTED stays: of two that are the same and come at once, one may have found nobody there. What holds is answered. */
export async function noteResponse(
  db: Queryable, orderId: string, { result, timeoutS, message, unknownLocation, by }: Replied,
): Promise<Replied> {
  const reply: Replied = { result, timeoutS, message, ...(unknownLocation ? { unknownLocation } : {}), ...(by === undefined ? {} : { by }) };
  const { rows: [row] } = await db.query<{ reply: Replied }>(
    `UPDATE taken_commands SET reply = CASE WHEN response = 'ACCEPTED' THEN reply ELSE $3 END,
       response = CASE WHEN response = 'ACCEPTED' THEN response ELSE $2 END
     WHERE order_id = $1 RETURNING reply`,
    [orderId, result, JSON.stringify(reply)],
  );
  return row?.reply ?? reply;
}

export async function noteAnswered(db: Queryable, orderId: string): Promise<void> {
  await db.query('UPDATE taken_commands SET answered = true WHERE order_id = $1', [orderId]);
}

export async function findTaken(db: Queryable, orderId: string): Promise<KeptCommand | undefined> {
  const { rows } = await db.query<{
    partner_id: string; command: string; response_url: string; correlation_id: string; routing: Routing;
    response: string | null; answered: boolean; reply: Replied | null;
  }>('SELECT * FROM taken_commands WHERE order_id = $1', [orderId]);
  const [row] = rows;
  return row && {
    orderId,
    partnerId: row.partner_id,
    command: row.command,
    responseUrl: row.response_url,
    correlationId: row.correlation_id,
    routing: row.routing,
    response: row.response ?? undefined,
    answered: row.answered,
    by: row.reply?.by,
  };
}

/** How a command of ours came back at once. */
export interface SentCommand {
  readonly outcome: 'answered' | 'unreachable' | 'unclear' | 'no-partner';
  readonly result: string;
  readonly timeoutS: number;
  readonly message: string;
  readonly statusCode: number;
}

/** False when this order was sent before: a command goes out at most once. */
export async function keepSent(db: Queryable, orderId: string, partnerId: string, command: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'INSERT INTO sent_commands (order_id, partner_id, command) VALUES ($1, $2, $3) ON CONFLICT (order_id) DO NOTHING',
    [orderId, partnerId, command],
  );
  return rowCount === 1;
}

export async function noteSent(db: Queryable, orderId: string, sent: SentCommand): Promise<void> {
  await db.query('UPDATE sent_commands SET sent = $2 WHERE order_id = $1', [orderId, JSON.stringify(sent)]);
}

/** It never reached the partner, so it may be sent again. */
export async function forgetSent(db: Queryable, orderId: string): Promise<void> {
  await db.query('DELETE FROM sent_commands WHERE order_id = $1', [orderId]);
}

export async function findSent(
  db: Queryable, orderId: string,
): Promise<{ partnerId: string; command: string; sent: SentCommand | undefined } | undefined> {
  const { rows } = await db.query<{ partner_id: string; command: string; sent: SentCommand | null }>(
    'SELECT partner_id, command, sent FROM sent_commands WHERE order_id = $1', [orderId],
  );
  const [row] = rows;
  return row && { partnerId: row.partner_id, command: row.command, sent: row.sent ?? undefined };
}
