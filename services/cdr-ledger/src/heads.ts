import { setTimeout as delay } from 'node:timers/promises';
import {
  BrokenChain,
  type ChainState,
  EMPTY_CHAIN,
  type Head,
  type LogEntry,
  MerkleEdge,
  type ChainRow,
  readHead,
  type Signed,
  type Signer,
  signHead,
  type StoredHead,
  verifyNext,
} from '#chain';
import type { Database, Queryable } from '#postgres';
import type { Log } from '#telemetry';
import { civilFromDays, type Clock, tzdbVersion, type Zone } from '#time';
import type { Following } from './follow.ts';
import { hushed } from './ledger-pages.ts';
import { edgeAt } from './merkle-nodes.ts';

export interface SigningParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly ledger: string;
  /** Whose midnights end the days. */
  readonly zone: Zone;
  readonly signer: Signer;
  readonly chain: Pick<Following, 'caughtUp'>;
  readonly log: Log;
}

/** Signs each day when it has ended, beside any number of replicas. */
export interface DailySigning {
  stop(): Promise<void>;
}

const RETRY_MS = { shortest: 500, longest: 60_000 };

/**
 * At each day's end, and at once for what was slept through, a head is signed over all that is in
 * the chain: also over nothing new, since that nothing came is worth proving too.
 */
export function signDaily(parts: SigningParts): DailySigning {
  const stopping = new AbortController();
  const running = run(parts, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function run(parts: SigningParts, signal: AbortSignal): Promise<void> {
  const { clock, zone, log, ledger } = parts;
  let wait = RETRY_MS.shortest;
  while (!signal.aborted) {
    try {
      // Before it is signed: the next day may end while this one is.
      const nowMs = clock.now();
      await signClosedDays(parts);
      wait = RETRY_MS.shortest;
      // A transition may jump over midnight: then the next day begins with it.
      const nextMs = Math.min(zone.nextAtMinuteOfDay(nowMs, 0), zone.nextTransitionMs(nowMs));
      await clock.sleepUntil(nextMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error('the day of the ledger is not signed and will be tried again', { ledger, error });
      await delay(wait, undefined, { signal }).catch(() => {});
      wait = Math.min(wait * 2, RETRY_MS.longest);
    }
  }
}

const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of the last day that is over. */
function lastClosedDay(zone: Zone, nowMs: number): number {
  return Math.floor(zone.wallMs(nowMs) / DAY_MS) - 1;
}

function dateOf(days: number): string {
  const { year, month, day } = civilFromDays(days);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

function dayAfter(date: string): string {
  return dateOf(Date.parse(`${date}T00:00:00Z`) / DAY_MS + 1);
}

/** Signs what is not signed yet; returns the head when this process signed it. */
export async function signClosedDays(parts: SigningParts): Promise<Signed | undefined> {
  const { db, clock, ledger, zone, signer, chain } = parts;
  const day = dateOf(lastClosedDay(zone, clock.now()));
  const newest = await newestHead(db, ledger);
  if (newest && newest.head.day >= day) return undefined;
  await chain.caughtUp();
  const { state, root } = await grownSince(db, ledger, newest?.head);
  const signed = signHead(
    {
      ledger,
      day,
      since: newest ? dayAfter(newest.head.day) : day,
      timeZone: zone.name,
      tzdb: tzdbVersion,
      entries: state.entries,
      link: Buffer.from(state.head).toString('hex'),
      root: root.toString('hex'),
      at: clock.iso(),
    },
    signer,
  );
  const isFirst = await db.tx(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`heads of ${ledger}`]);
    // Another replica may have been: with this day, or a later one, which this one must not come behind.
    const last = await newestHead(tx, ledger);
    return last?.head.day === newest?.head.day && insertHead(tx, signed);
  });
  return isFirst ? signed : undefined;
}

/**
 * The ledger since the newest head, every entry verified again: what does not follow from what was
 * signed before is never signed. Throws BrokenChain.
 */
async function grownSince(
  db: Database,
  ledger: string,
  head: Head | undefined,
): Promise<{ state: ChainState; root: Buffer }> {
  const entries = head?.entries ?? 0;
  const tree = new MerkleEdge(entries, await edgeAt(db, ledger, entries));
  if (head && tree.root().toString('hex') !== head.root)
    throw new BrokenChain(`the nodes of the Merkle tree are not those of the head of ${head.day}`);
  let state: ChainState = head ? { entries, head: Buffer.from(head.link, 'hex') } : EMPTY_CHAIN;
  for (let coming = chainedAfter(db, ledger, entries); ;) {
    const rows = await coming;
    // Fetched while these are verified.
    if (rows.length === PAGE) coming = hushed(chainedAfter(db, ledger, rows.at(-1)!.row.entry));
    for (const { row, event } of rows) {
      state = verifyNext(state, row, event, false);
      tree.append(row.leaf);
    }
    if (rows.length < PAGE) return { state, root: tree.root() };
  }
}

const PAGE = 1_000;

interface Chained {
  readonly row: ChainRow;
  readonly event: LogEntry | undefined;
}

async function chainedAfter(db: Queryable, ledger: string, entry: number): Promise<Chained[]> {
  const { rows } = await db.query<ChainRow & { id: string | null; data: string | null }>(
    `SELECT c.entry, c."position", c.event_id AS "eventId", c.leaf, c.link, e.id, e.data
     FROM chain c LEFT JOIN events e ON e."position" = c."position"
     WHERE c.ledger = $1 AND c.entry > $2 ORDER BY c.entry LIMIT $3`,
    [ledger, entry, PAGE],
  );
  return rows.map(({ id, data, ...row }) => ({
    row,
    event: id === null || data === null ? undefined : { position: row.position, id, data },
  }));
}

export interface SignedHead {
  readonly signed: Signed;
  readonly head: Head;
}

export async function newestHead(db: Queryable, ledger: string): Promise<SignedHead | undefined> {
  const { rows } = await db.query<Signed>(
    'SELECT text, signature FROM heads WHERE ledger = $1 ORDER BY day DESC LIMIT 1',
    [ledger],
  );
  return rows[0] && read(rows[0]);
}

/** The heads behind a day (all of them: behind ''), in the order of their days. */
export async function headsAfter(
  db: Queryable,
  ledger: string,
  { day, limit }: { readonly day: string; readonly limit: number },
): Promise<SignedHead[]> {
  const { rows } = await db.query<Signed>(
    'SELECT text, signature FROM heads WHERE ledger = $1 AND day > $2 ORDER BY day LIMIT $3',
    [ledger, day, limit],
  );
  return rows.map(read);
}

/** All heads of all ledgers, for verifying; what is no head any more is found there. */
export async function allHeads(db: Queryable): Promise<StoredHead[]> {
  const { rows } = await db.query<StoredHead>(
    `SELECT text, signature, json_build_object('ledger', ledger, 'day', day, 'entries', entries) AS lies
     FROM heads ORDER BY ledger, day`,
  );
  return rows;
}

function read(signed: Signed): SignedHead {
  const head = readHead(signed.text);
  if (!head) throw new BrokenChain('a signed head of the ledger is no head any more');
  return { signed, head };
}

/** False when the day has a head already. */
export async function insertHead(db: Queryable, signed: Signed): Promise<boolean> {
  const { ledger, day, entries } = readHead(signed.text)!;
  const { rowCount } = await db.query(
    `INSERT INTO heads (ledger, day, entries, text, signature) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (ledger, day) DO NOTHING`,
    [ledger, day, entries, signed.text, signed.signature],
  );
  return rowCount > 0;
}
