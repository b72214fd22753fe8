import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  endLine,
  type ExportedEntry,
  entryLine,
  headerLine,
  headLine,
  type PublicKey,
  readHeading,
  rootAt,
  type Signed,
  type Signer,
  signEnd,
  Summing,
  sumLine,
} from '#chain';
import { LARGEST_ITEM_BYTES } from '#bus';
import { Rejected } from '#decider';
import type { Database, Queryable } from '#postgres';
import type { OwnParties } from '#settings';
import { type Clock, tzdbVersion } from '#time';
import { chainHead } from './chain-rows.ts';
import type { Following } from './follow.ts';
import { ledgerMeant, type MeantLedger } from './ledgers.ts';
import { keptNodes } from './merkle-nodes.ts';

export interface ExportingParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly parties: OwnParties;
  readonly timeZone: string;
  readonly signer: Signer;
  readonly keys: readonly PublicKey[];
  readonly chain: Pick<Following, 'caughtUp'>;
  /** Seals what a caller brings back to go on. */
  readonly cursorKey: Uint8Array;
}

export interface ExportPage {
  /** Whole lines, each with its newline. */
  readonly lines: Buffer;
  /** What to ask the next page by; undefined behind the last one. */
  readonly next: string | undefined;
}

/** A page is one answer; a line is at most an entry, 512 kB, and a private part, 200 kB. */
const PAGE_BYTES = LARGEST_ITEM_BYTES - 50_000;
const BATCH = 100;

/** How far an export is. */
interface Cursor {
  readonly ledger: string;
  /** The last entry that was written, and the last head. */
  readonly entry: number;
  readonly day: string;
  /** Where it ends, as it was when it began. */
  readonly entries: number;
  /** Hex. */
  readonly sum: string;
}

/**
 * The ledger as JSON Lines (`#chain`), page by page: what stood in the chain when the first page was
 * asked for, and the heads over it. Nothing is kept between pages but what the cursor says.
 */
export class Exporting {
  constructor(private readonly parts: ExportingParts) {}

  /** Throws Rejected for a cursor that is none of ours, or of another ledger. */
  async page(given?: string, meant: MeantLedger = {}): Promise<ExportPage> {
    const page = new Page();
    const { ledger, name } = ledgerMeant(this.parts.parties, meant);
    const cursor = given === undefined ? await this.begin(page, { ledger, name }) : this.opened(given, ledger);
    const summing = new Summing(Buffer.from(cursor.sum, 'hex'));
    let { entry, day } = cursor;
    for await (const item of itemsAfter(this.parts.db, cursor)) {
      const { line, details } = 'head' in item ? headLine(item.head) : entryLine(item.exported);
      if (page.bytes > 0 && page.bytes + Buffer.byteLength(line) > PAGE_BYTES) {
        const sum = summing.next();
        page.add(sumLine(sum));
        const next = this.sealed({ ...cursor, entry, day, sum: sum.toString('hex') });
        return { lines: page.text(), next };
      }
      page.add(line);
      summing.add(details);
      if ('head' in item) day = item.day;
      else entry = item.exported.n;
    }
    if (entry !== cursor.entries)
      throw refuse('ledger-damaged', `after entry ${entry} of ${cursor.entries} the chain has no more: verify the ledger`);
    page.add(sumLine(summing.next()));
    page.add(endLine(await this.end(cursor, summing.last)));
    return { lines: page.text(), next: undefined };
  }

  private async begin(page: Page, { ledger, name }: ReturnType<typeof ledgerMeant>): Promise<Cursor> {
    const { db, clock, timeZone, keys, chain } = this.parts;
    await chain.caughtUp();
    const { entries } = await chainHead(db, ledger);
    const about = { ledger, name, timeZone, tzdb: tzdbVersion };
    const header = headerLine({ ...about, keys, entries, at: clock.iso() });
    page.add(header);
    const sum = Summing.from(header).last.toString('hex');
    return { ledger, entry: 0, day: '', entries, sum };
  }

  private async end({ ledger, entries }: Cursor, sum: Buffer): Promise<Signed> {
    const { db, signer, clock } = this.parts;
    const { rows } = await db.query<{ link: Buffer }>(
      'SELECT link FROM chain WHERE ledger = $1 AND entry = $2',
      [ledger, entries],
    );
    const link = (rows[0]?.link ?? Buffer.alloc(32)).toString('hex');
    const root = (await rootAt(keptNodes(db, ledger), entries)).toString('hex');
    return signEnd({ ledger, entries, link, root, sum: sum.toString('hex'), at: clock.iso() }, signer);
  }

  private sealed(cursor: Cursor): string {
    const body = Buffer.from(JSON.stringify(cursor)).toString('base64url');
    return `${body}.${this.seal(body).toString('base64url')}`;
  }

  private opened(cursor: string, ledger: string): Cursor {
    const [body = '', seal = ''] = cursor.split('.');
    const given = Buffer.from(seal, 'base64url');
    const wanted = this.seal(body);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      throw refuse('invalid-cursor', 'cursor: is none that this ledger gave');
    const opened = JSON.parse(Buffer.from(body, 'base64url').toString()) as Cursor;
    if (opened.ledger !== ledger) throw refuse('invalid-cursor', `cursor: is of the export of ${opened.ledger}`);
    return opened;
  }

  private seal(body: string): Buffer {
    return createHmac('sha256', this.parts.cursorKey).update(body).digest();
  }
}

class Page {
  bytes = 0;
  private readonly lines: Buffer[] = [];

  add(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    this.lines.push(bytes);
    this.bytes += bytes.length;
  }

  text(): Buffer {
    return Buffer.concat(this.lines);
  }
}

export type ExportItem =
  | { readonly exported: ExportedEntry }
  | { readonly head: Signed; readonly day: string };

/** Entries in their order, and after each the heads that end with it; those of no entry first. */
export async function* itemsAfter(
  db: Queryable,
  { ledger, entry, day, entries }: Omit<Cursor, 'sum'>,
): AsyncGenerator<ExportItem> {
  for (let from = entry, signed = day; ;) {
    const batch = await entriesAfter(db, { ledger, from, to: Math.min(from + BATCH, entries) });
    const until = batch.at(-1)?.n ?? from;
    const heads = await headsBetween(db, { ledger, day: signed, from, until });
    let next = 0;
    const headsAt = function* (n: number): Generator<ExportItem> {
      for (let head = heads[next]; head && head.entries === n; head = heads[next]) {
        next += 1;
        signed = head.day;
        yield { head: { text: head.text, signature: head.signature }, day: head.day };
      }
    };
    yield* headsAt(from);
    for (const exported of batch) {
      yield { exported };
      yield* headsAt(exported.n);
    }
    from = until;
    if (batch.length === 0) return;
  }
}

interface HeadRow extends Signed {
  readonly day: string;
  readonly entries: number;
}

async function headsBetween(
  db: Queryable,
  { ledger, day, from, until }: { ledger: string; day: string; from: number; until: number },
): Promise<HeadRow[]> {
  const { rows } = await db.query<HeadRow>(
    `SELECT day, entries, text, signature FROM heads
     WHERE ledger = $1 AND day > $2 AND entries BETWEEN $3 AND $4 ORDER BY day`,
    [ledger, day, from, until],
  );
  return rows;
}

interface EntryRow {
  readonly n: number;
  readonly position: bigint;
  readonly leaf: Buffer;
  readonly link: Buffer;
  readonly text: string;
  readonly recordedAt: string;
}

interface PartRow {
  readonly id: string;
  readonly contractKey: string;
  readonly tokenParty: string;
  readonly tokenKey: string;
  readonly salt: Buffer;
  readonly text: string;
}

async function entriesAfter(
  db: Queryable,
  { ledger, from, to }: { ledger: string; from: number; to: number },
): Promise<ExportedEntry[]> {
  const { rows } = await db.query<EntryRow>(
    `SELECT c.entry AS n, c."position", c.leaf, c.link, e.data AS text, e.recorded_at AS "recordedAt"
     FROM chain c JOIN events e ON e."position" = c."position"
     WHERE c.ledger = $1 AND c.entry > $2 AND c.entry <= $3 ORDER BY c.entry`,
    [ledger, from, to],
  );
  if (rows.length !== to - from)
    throw refuse('ledger-damaged', `of the entries ${from + 1} to ${to} some are gone: verify the ledger`);
  const ids = rows.map(({ text }) => readHeading(text)?.private?.id);
  const { rows: parts } = await db.query<PartRow>(
    `SELECT id, contract_key AS "contractKey", token_party AS "tokenParty", token_key AS "tokenKey", salt, body AS text
     FROM private_parts WHERE id = ANY ($1::uuid[])`,
    [ids.filter((id) => id !== undefined)],
  );
  const found = new Map(parts.map(({ id, ...part }) => [id, part]));
  return rows.map((row, k) => ({ ...row, private: found.get(ids[k] ?? '') }));
}

function refuse(code: 'invalid-cursor' | 'ledger-damaged', detail: string): Rejected<string> {
  return new Rejected(code, detail);
}
