import {
  BrokenChain,
  type ChainRow,
  type ChainState,
  EMPTY_CHAIN,
  type LogEntry,
  macOf,
  verifyNext,
} from './chain.ts';
import { readEvent } from './ledger-event.ts';
import { streamOf } from './streams.ts';

/** A row of the chain of one ledger. */
export type LedgerRow = ChainRow & { readonly ledger: string };

/** An event of the log with its private part, unless that was erased. */
export interface StoredEntry extends LogEntry {
  readonly stream: string;
  readonly type: string;
  readonly private: { readonly salt: Uint8Array; readonly text: string } | undefined;
}

/** What verifying one chain came to. */
export interface Verdict {
  readonly ledger: string;
  /** Those that verify, and the newest link after them. */
  readonly chain: ChainState;
  /** Entries whose private part was erased; they verify without it. */
  readonly erased: number;
  /** The first entry that does not verify, and why. */
  readonly problem: string | undefined;
}

/**
 * Recomputes every chain from the log's stored bytes and the private parts. `events` and `rows`
 * come
 * in the order of their positions, `ownLedger` has a verdict also when it is empty. A chain that is
 * broken is not followed further: the first problem is its verdict.
 */
export async function verifyLog(
  events: AsyncIterable<StoredEntry>,
  rows: AsyncIterable<LedgerRow>,
  ownLedger: string,
  isChained: (eventId: string) => Promise<boolean>,
): Promise<Verdict[]> {
  const verdicts = new Map<string, Verdict>();
  const verdictOf = (ledger: string) =>
    verdicts.get(ledger) ?? { ledger, chain: EMPTY_CHAIN, erased: 0, problem: undefined };
  verdicts.set(ownLedger, verdictOf(ownLedger));
  for await (const { event, row } of byPosition(events, rows)) {
    const before = verdictOf(row?.ledger ?? ownLedger);
    if (before.problem !== undefined) continue;
    const elsewhere =
      event !== undefined && row?.eventId !== event.id && (await isChained(event.id));
    verdicts.set(before.ledger, next(before, row, event, elsewhere));
  }
  return [...verdicts.values()];
}

function next(
  before: Verdict,
  row: LedgerRow | undefined,
  event: StoredEntry | undefined,
  known: boolean,
): Verdict {
  try {
    const chain = verifyNext(before.chain, row, event, known);
    const erased = event ? verifyEntry(chain.entries, event) : 0;
    return { ...before, chain, erased: before.erased + erased };
  } catch (error) {
    if (!(error instanceof BrokenChain)) throw error;
    return { ...before, problem: error.message };
  }
}

/**
 * What lies beside the chained bytes: the columns they are found by, and the private part. 1 =
 * erased.
 */
function verifyEntry(n: number, entry: StoredEntry): number {
  const event = readEvent(entry);
  if (event.type !== entry.type || streamOf(event) !== entry.stream) {
    throw new BrokenChain(
      `entry ${n}: moved, event ${entry.id} lies in stream ${entry.stream} as ${entry.type}`,
    );
  }
  if (!('private' in event)) return 0;
  if (entry.private === undefined) return 1;
  if (macOf(entry.private.salt, entry.private.text) !== event.private.mac) {
    throw new BrokenChain(
      `entry ${n}: the private part of event ${entry.id} is not the one that was sealed`,
    );
  }
  return 0;
}

/** Both in step: what the log and the chain hold at each position that either of them has. */
async function* byPosition(events: AsyncIterable<StoredEntry>, rows: AsyncIterable<LedgerRow>) {
  const eventsLeft = events[Symbol.asyncIterator]();
  const rowsLeft = rows[Symbol.asyncIterator]();
  let event = await taken(eventsLeft);
  let row = await taken(rowsLeft);
  while (event || row) {
    const position =
      event && row
        ? (event.position < row.position ? event : row).position
        : (event ?? row)?.position;
    const here = {
      event: event?.position === position ? event : undefined,
      row: row?.position === position ? row : undefined,
    };
    yield here;
    if (here.event) event = await taken(eventsLeft);
    if (here.row) row = await taken(rowsLeft);
  }
}

async function taken<T>(iterator: AsyncIterator<T>): Promise<T | undefined> {
  const { done, value } = await iterator.next();
  return done ? undefined : value;
}
