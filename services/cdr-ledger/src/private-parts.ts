import type { Marks } from '#erasure';
import { idKey, partyText } from '#ocpi';
import { byteaArray, type Database, type Queryable, type Statement, textArray, uuidArray } from '#postgres';
import type { PrivatePart } from './private-part.ts';

/** The table of private parts. */
export interface PrivateParts {
  /** Before the event that names them is appended. */
  keep(parts: readonly PrivatePart[]): Promise<void>;
  /** Those of an append that came to nothing. */
  drop(ids: readonly string[]): Promise<void>;
  /** Salt and text by id; an erased one is not there. */
  find(ids: readonly string[]): Promise<Map<string, { salt: Uint8Array; text: string }>>;
}

/** Of a contract that was erased since it began, nothing is kept: it is erased from the beginning. */
export function privateParts(db: Database, marks?: Marks): PrivateParts {
  const writing = new Gathered<PrivatePart>((parts) => insert(db, parts));
  const isErased = ({ token, at }: PrivatePart) => {
    const { country_code, party_id, contract_id: contractId, uid } = token;
    return at !== undefined && marks !== undefined && marks.isErased({ party: { country_code, party_id }, contractId, uid }, at);
  };
  return {
    keep: (parts) => writing.write(parts.filter((part) => !isErased(part))),
    async drop(ids) {
      if (ids.length === 0) return;
      await db.query('DELETE FROM private_parts WHERE id = ANY ($1::uuid[])', [ids]);
    },
    find: (ids) => findPrivateParts(db, ids),
  };
}

async function insert(db: Queryable, parts: readonly PrivatePart[]): Promise<void> {
  await db.query(INSERT, [
    uuidArray(parts.map(({ id }) => id)),
    textArray(parts.map(({ token }) => idKey(token.contract_id))),
    textArray(parts.map(({ token }) => partyText(token))),
    textArray(parts.map(({ token }) => idKey(token.uid))),
    byteaArray(parts.map(({ salt }) => salt)),
    textArray(parts.map(({ charged }) => charged?.from)),
    textArray(parts.map(({ charged }) => charged?.to)),
    // The largest comes last: pg grows its buffer by what is added, and copies what was there.
    textArray(parts.map(({ text }) => text)),
  ]);
}

/** It is on disk before the entry that names it is sent: a crash of the database between them would leave an entry without its part. */
const INSERT: Statement = {
  name: 'private_parts_insert',
  text: `INSERT INTO private_parts (id, contract_key, token_party, token_key, salt, charged_from, charged_to, body)
         SELECT id, contract_key, token_party, token_key, salt, charged_from::timestamptz, charged_to::timestamptz, body
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[])
           AS p (id, contract_key, token_party, token_key, salt, charged_from, charged_to, body)`,
};

/** While writes are under way the next ones gather: many callers share one trip to the disk. */
class Gathered<Item> {
  private waiting: { items: readonly Item[]; done: PromiseWithResolvers<void> }[] = [];
  private writing = 0;

  constructor(private readonly writeAll: (items: readonly Item[]) => Promise<void>) {}

  write(items: readonly Item[]): Promise<void> {
    if (items.length === 0) return Promise.resolve();
    const done = Promise.withResolvers<void>();
    this.waiting.push({ items, done });
    if (this.writing < LANES) void this.run();
    return done.promise;
  }

  private async run(): Promise<void> {
    this.writing += 1;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, GATHERED_MAX);
      try {
        await this.writeAll(batch.flatMap(({ items }) => items));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.writing -= 1;
  }
}

/** Few enough that those who go on at once, when they are written, do not keep everybody else waiting. */
const GATHERED_MAX = 500;
/** One write is prepared while another is on its way to the disk. */
const LANES = 2;

export async function findPrivateParts(db: Queryable, ids: readonly string[]) {
  const found = new Map<string, { salt: Uint8Array; text: string }>();
  if (ids.length === 0) return found;
  const { rows } = await db.query<{ id: string; salt: Buffer; body: string }>(
    'SELECT id, salt, body FROM private_parts WHERE id = ANY ($1::uuid[])',
    [ids],
  );
  for (const { id, salt, body } of rows) found.set(id, { salt, text: body });
  return found;
}
