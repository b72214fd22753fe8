import { createHash } from 'node:crypto';
import {
  EMPTY_CHAIN,
  type ExportedEntry,
  exportedEntry,
  type ExportLine,
  type ExportVerdict,
  entryLine,
  headLine,
  linesOf,
  MerkleEdge,
  type PublicKey,
  readHeader,
  readHeading,
  readLine,
  verifyExport,
  verifyLog,
} from '#chain';
import { postgresEventStore } from '#event-store';
import { type Database, DatabaseFailure, openDatabase, type Queryable } from '#postgres';
import { insertNodes, insertRows } from './chain-rows.ts';
import { itemsAfter } from './exporting.ts';
import { allHeads, insertHead } from './heads.ts';
import { restoreHolders } from './holders.ts';
import { readEvent } from './ledger-event.ts';
import { bookedLedger } from './ledgers.ts';
import { chainUpTo, entriesUpTo, isChained } from './ledger-pages.ts';
import { wrongNode } from './merkle-nodes.ts';
import { migrations } from './migrations.ts';
import { type ChargedTime, chargedTime } from './private-part.ts';
import { meantCdr } from './received-cdr.ts';

/** The export was not restored, or not as it is; the message says why. */
export class NotRestored extends Error {
  override readonly name = 'NotRestored';
}

class Occupied extends NotRestored {}

export interface Restoring {
  /** The platform's database, with a login that owns its tables. */
  readonly databaseUrl: string;
  /** Of one platform: that of its CDRs, and if there is one that of its drivers' accounts. */
  readonly exports: readonly ReadExport[];
  /** Who may have signed; without them an export is believed in what it says itself. */
  readonly keys?: readonly PublicKey[];
  readonly onProgress?: (doing: 'verifying' | 'writing' | 'comparing', entries: number, of: number) => void;
}

/** An export's bytes from the beginning, each time it is called. */
export type ReadExport = () => AsyncIterable<Uint8Array>;

interface Verified {
  readonly read: ReadExport;
  readonly verdict: ExportVerdict;
}

/**
 * Writes exports into an empty database, all or nothing: the events at the same positions under the
 * same ids, private parts, chains, heads, and whose the accounts are. Then it proves itself: what
 * lies in the database is verified as ledgers, and exported again, and that is the exports, line for
 * line. Throws NotRestored.
 */
export async function restoreLedger(by: Restoring): Promise<ExportVerdict[]> {
  const verified: Verified[] = [];
  for (const read of by.exports) verified.push({ read, verdict: await verifiedExport(read, by) });
  const verdicts = verified.map(({ verdict }) => verdict);
  refuseUnlike(verdicts);
  const db = await openDatabase({ url: by.databaseUrl, schema: 'cdr_ledger', migrations, poolMax: 3 });
  try {
    await db.tx((tx) => writeAll(tx, verified, by));
    await prove(db, verified, by);
  } catch (error) {
    if (!(error instanceof Occupied)) throw error;
    // One that was broken off before it had proven itself is known by it.
    if (!(await isProven(db, verified, by))) throw error;
    throw new NotRestored(`${error.message}. What it has is this very export, whole and verified: nothing is left to restore`);
  } finally {
    await db.close();
  }
  return verdicts;
}

async function prove(db: Database, verified: readonly Verified[], by: Restoring): Promise<void> {
  await proveIntact(db, verified.map(({ verdict }) => verdict));
  for (const each of verified) await proveSame(db, each, by);
}

async function isProven(...of: Parameters<typeof prove>): Promise<boolean> {
  try {
    await prove(...of);
    return true;
  } catch (error) {
    if (error instanceof NotRestored) return false;
    throw error;
  }
}

async function verifiedExport(read: ReadExport, { keys, onProgress }: Restoring): Promise<ExportVerdict> {
  const verdict = await verifyExport(read(), {
    ...(keys && { keys }),
    onProgress: (entries, of) => onProgress?.('verifying', entries, of),
  });
  const { damage, ledger } = verdict;
  if (damage) throw new NotRestored(`the export${ledger && ` of ${ledger}`} is not intact: ${damage.at}: ${damage.detail}`);
  return verdict;
}

/** Accounts without what they book would lie beside the books of another platform. */
function refuseUnlike(verdicts: readonly ExportVerdict[]): void {
  const ledgers = verdicts.map(({ ledger }) => ledger);
  const twice = ledgers.find((ledger, n) => ledgers.indexOf(ledger) !== n);
  if (twice !== undefined) throw new NotRestored(`of ledger ${twice} there are two exports: give the one to restore`);
  for (const ledger of ledgers) {
    const booked = bookedLedger(ledger);
    if (booked !== undefined && !ledgers.includes(booked))
      throw new NotRestored(`${ledger} is restored together with ${booked}, whose CDRs it books: give both exports`);
  }
}

async function writeAll(tx: Queryable, exports: readonly Verified[], { onProgress }: Restoring): Promise<void> {
  // Events are appended through one function only: who restores them is the tables' owner.
  await tx.query('SET LOCAL ROLE NONE');
  await tx.query(`SELECT pg_advisory_xact_lock(x'65766e7400000000'::bigint + 'events'::regclass::oid::bigint)`);
  await refuseOccupied(tx);
  for (const each of exports) await writeExport(tx, each, onProgress);
  await restoreHolders(tx);
  await tx.query(
    `INSERT INTO followed (follower, "position") SELECT 'chain', coalesce(max("position"), 0) FROM chain
     ON CONFLICT (follower) DO UPDATE SET "position" = excluded."position"`,
  );
}

async function writeExport(tx: Queryable, { read, verdict }: Verified, onProgress: Restoring['onProgress']) {
  const tree = new MerkleEdge();
  let batch: ExportedEntry[] = [];
  const flush = async () => {
    if (batch.length > 0) await writeEntries(tx, batch, { ledger: verdict.ledger, tree }).catch(refuseTakenPlace(verdict.ledger));
    onProgress?.('writing', tree.leaves, verdict.entries);
    batch = [];
  };
  for await (const line of linesBehindFirst(read())) {
    if (line.kind === 'entry') batch.push(exportedEntry(line));
    if (line.kind === 'head') await insertHead(tx, line.signed);
    if (batch.length === BATCH) await flush();
  }
  await flush();
}

/** Between exports of one platform no place of its log is twice. */
function refuseTakenPlace(ledger: string) {
  return (error: unknown): never => {
    if (!(error instanceof DatabaseFailure) || error.failure !== 'unique-violation') throw error;
    throw new NotRestored(`an entry of ${ledger} has the place of one of the export before it: they are of two platforms, or of one before and after a restore`);
  };
}

const BATCH = 200;
const OCCUPIED = ['events', 'chain', 'merkle_nodes', 'heads', 'private_parts', 'account_holders'];

async function refuseOccupied(tx: Queryable): Promise<void> {
  for (const table of OCCUPIED) {
    const { rowCount } = await tx.query(`SELECT 1 FROM ${table} LIMIT 1`);
    if (rowCount === 0) continue;
    throw new Occupied(
      `the ledger of this database is not empty, it has ${table}: restore before a platform first starts on it`,
    );
  }
}

async function* linesBehindFirst(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ExportLine> {
  let isFirst = true;
  for await (const lines of linesOf(chunks)) {
    for (const line of lines) {
      if (isFirst) readHeader(line);
      else yield readLine(line);
      isFirst = false;
    }
  }
}

async function writeEntries(
  tx: Queryable,
  entries: readonly ExportedEntry[],
  { ledger, tree }: { readonly ledger: string; readonly tree: MerkleEdge },
): Promise<void> {
  const headings = entries.map(({ text }) => readHeading(text)!);
  await tx.query(
    `INSERT INTO events ("position", stream, version, id, type, data, recorded_at)
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[])`,
    [
      entries.map(({ position }) => position),
      headings.map(({ place }) => place.stream),
      headings.map(({ place }) => place.version),
      headings.map(({ place }) => place.id),
      headings.map(({ type }) => type),
      entries.map(({ text }) => text),
      entries.map(({ recordedAt }) => recordedAt),
    ],
  );
  const parts = entries.flatMap(({ private: part }, n) =>
    part ? [{ id: headings[n]!.private!.id, ...part, charged: chargedBy(entries[n]!.text) }] : [],
  );
  await tx.query(
    `INSERT INTO private_parts (id, contract_key, token_party, token_key, salt, body, charged_from, charged_to)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[],
       $7::timestamptz[], $8::timestamptz[])`,
    [
      parts.map(({ id }) => id),
      parts.map(({ contractKey }) => contractKey),
      parts.map(({ tokenParty }) => tokenParty),
      parts.map(({ tokenKey }) => tokenKey),
      parts.map(({ salt }) => Buffer.from(salt)),
      parts.map(({ text }) => text),
      parts.map(({ charged }) => charged?.from ?? null),
      parts.map(({ charged }) => charged?.to ?? null),
    ],
  );
  await insertRows(
    tx,
    entries.map(({ n, position, leaf, link }, k) => ({
      ledger,
      entry: n,
      position,
      eventId: headings[k]!.place.id,
      leaf,
      link,
    })),
  );
  const nodes = entries.flatMap(({ leaf }) => tree.append(leaf).map((node) => ({ ledger, ...node })));
  if (nodes.length > 0) await insertNodes(tx, nodes);
}

/** As it was kept when the CDR was received. */
function chargedBy(entry: string): ChargedTime | undefined {
  const event = readEvent({ data: entry });
  return event.type === 'CdrReceived' ? chargedTime(meantCdr(event)) : undefined;
}

async function proveIntact(db: Database, verdicts: readonly ExportVerdict[]): Promise<void> {
  const store = postgresEventStore(db);
  try {
    const beside = {
      rows: chainUpTo(db),
      heads: await allHeads(db),
      keys: [...new Set(verdicts.flatMap(({ keys }) => keys))],
      isChained: (eventId: string) => isChained(db, eventId),
      wrongNode: (ledger: string, nodes: Parameters<typeof wrongNode>[2]) => wrongNode(db, ledger, nodes),
    };
    const written = await verifyLog(entriesUpTo(db, store), beside, verdicts[0]!.ledger);
    for (const verdict of verdicts) {
      const found = written.find(({ ledger }) => ledger === verdict.ledger);
      const isSame =
        found?.problem === undefined &&
        (found?.chain ?? EMPTY_CHAIN).entries === verdict.entries &&
        Buffer.from((found?.chain ?? EMPTY_CHAIN).head).toString('hex') === verdict.link &&
        (found?.heads ?? 0) === verdict.heads &&
        (found?.erased ?? 0) === verdict.erased;
      if (!isSame) throw new NotRestored(`what was written does not verify: ${found?.problem ?? 'it is another ledger'}`);
    }
  } finally {
    await store.close();
  }
}

/** Exports it again: entries and heads are the same lines. (Sums and end are of one export.) */
async function proveSame(db: Database, { read, verdict }: Verified, { onProgress }: Restoring): Promise<void> {
  const { ledger, entries } = verdict;
  const given = createHash('sha256');
  for await (const lines of linesOf(read())) {
    for (const line of lines) if (/^\{"(?:n|head)":/.test(line.toString('latin1', 0, 10))) given.update(line).update('\n');
  }
  const written = createHash('sha256');
  for await (const item of itemsAfter(db, { ledger, entry: 0, day: '', entries })) {
    const { line } = 'head' in item ? headLine(item.head) : entryLine(item.exported);
    written.update(line).update('\n');
    if ('exported' in item && item.exported.n % BATCH === 0) onProgress?.('comparing', item.exported.n, entries);
  }
  if (given.digest('hex') !== written.digest('hex'))
    throw new NotRestored('what was written, exported again, is not the export');
}
