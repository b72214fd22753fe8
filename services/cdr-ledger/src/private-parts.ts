import { idKey, partyText } from '#ocpi';
import type { Database, Queryable } from '#postgres';
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

export function privateParts(db: Database): PrivateParts {
  return {
    async keep(parts) {
      if (parts.length === 0) return;
      await db.query(
        `INSERT INTO private_parts (id, contract_key, token_party, token_key, salt, body)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[])`,
        [
          parts.map(({ id }) => id),
          parts.map(({ token }) => idKey(token.contract_id)),
          parts.map(({ token }) => partyText(token)),
          parts.map(({ token }) => idKey(token.uid)),
          parts.map(({ salt }) => Buffer.from(salt)),
          parts.map(({ text }) => text),
        ],
      );
    },
    async drop(ids) {
      if (ids.length > 0)
        await db.query('DELETE FROM private_parts WHERE id = ANY ($1::uuid[])', [ids]);
    },
    find: (ids) => findPrivateParts(db, ids),
  };
}

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
