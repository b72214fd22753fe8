import pg from 'pg';

/** What went wrong, in words that a caller can switch on; anything else is `database-error`. */
export type FailureName =
  | 'unique-violation'
  | 'foreign-key-violation'
  | 'not-null-violation'
  | 'check-violation'
  | 'serialization-failure'
  | 'deadlock'
  | 'statement-timeout'
  | 'lock-timeout'
  | 'permission-denied'
  | 'connection-lost'
  | 'no-connection'
  | 'outcome-unknown'
  | 'rolled-back'
  | 'other-schema'
  | 'database-error';

export interface FailureOrigin {
  readonly sqlState?: string;
  readonly constraint?: string;
  readonly cause?: unknown;
}

/**
 * A refusal by the database or the way to it. `connection-lost`, `statement-timeout` and
 * `outcome-unknown` say nothing on whether the work was committed: repeat it only when a repeat is
 * harmless. `no-connection` means that nothing was sent, `other-schema` that a table, column, function or key is not there: a newer
 * release may have changed the schema under this process.
 */
export class DatabaseFailure extends Error {
  override readonly name = 'DatabaseFailure';
  constructor(
    readonly failure: FailureName,
    message: string,
    readonly origin: FailureOrigin = {},
  ) {
    super(`${failure}: ${message}`, { cause: origin.cause });
  }
}

const BY_SQL_STATE: Readonly<Record<string, FailureName>> = {
  23505: 'unique-violation',
  23503: 'foreign-key-violation',
  23502: 'not-null-violation',
  23514: 'check-violation',
  40001: 'serialization-failure',
  '40P01': 'deadlock',
  57014: 'statement-timeout',
  '55P03': 'lock-timeout',
  42501: 'permission-denied',
  53300: 'no-connection',
  '57P03': 'no-connection',
  '25P03': 'connection-lost',
  '57P01': 'connection-lost',
  '57P02': 'connection-lost',
  '42P01': 'other-schema',
  42703: 'other-schema',
  '42P10': 'other-schema',
  42883: 'other-schema',
};

/** Names an error of the driver; errors that are not the database's are returned as they are. */
export function named(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseFailure) return error;
  if (error instanceof pg.DatabaseError) {
    const sqlState = error.code ?? '';
    const isConnection = sqlState.startsWith('08');
    const failure = BY_SQL_STATE[sqlState] ?? (isConnection ? 'connection-lost' : 'database-error');
    return new DatabaseFailure(failure, error.message, {
      sqlState, cause: error, ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
    });
  }
  if (error.message.includes('Query read timeout')) {
    return new DatabaseFailure('statement-timeout', error.message, { cause: error });
  }
  if (/^Connection terminated|not queryable|connection error/i.test(error.message) || isSocketError(error)) {
    return new DatabaseFailure('connection-lost', error.message, { cause: error });
  }
  return error;
}

/** Names an error met while a connection was being opened: nothing has been sent yet. */
export function namedWhileConnecting(error: unknown): unknown {
  const failure = named(error);
  if (failure instanceof DatabaseFailure && failure.failure !== 'connection-lost') return failure;
  const message = error instanceof Error ? error.message : String(error);
  return new DatabaseFailure('no-connection', message, { cause: error });
}

function isSocketError(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ETIMEDOUT' || code === 'ECONNREFUSED';
}
