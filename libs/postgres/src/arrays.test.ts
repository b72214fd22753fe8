import { type FreshDatabase, freshDatabase } from '#test-servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bigintArray, byteaArray, type Database, intArray, openDatabase, textArray, uuidArray } from './index.ts';

let fresh: FreshDatabase;
let db: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  db = await openDatabase({ url: fresh.url, schema: 'arrays', migrations: [] });
});
afterAll(async () => {
  await db.close();
  await fresh.drop();
});

const ID = '0193a5c0-1234-8abc-9def-0123456789ab';

test.each([
  ['texts', 'text', textArray(['', 'a', '{"b":"ü€😀"}', 'NULL', '\\n\n']), ['', 'a', '{"b":"ü€😀"}', 'NULL', '\\n\n']],
  ['texts that are absent', 'text', textArray(['a', undefined]), ['a', null]],
  ['integers', 'int', intArray([0, -1, 2_147_483_647]), [0, -1, 2_147_483_647]],
  ['large integers', 'bigint', bigintArray([0n, -1n, 2n ** 63n - 1n]), [0n, -1n, 2n ** 63n - 1n]],
  ['bytes', 'bytea', byteaArray([Buffer.from('00ff5c', 'hex'), new Uint8Array(0)]), [Buffer.from('00ff5c', 'hex'), Buffer.alloc(0)]],
  ['uuids', 'uuid', uuidArray([ID]), [ID]],
  ['no texts', 'text', textArray([]), []],
  ['no bytes', 'bytea', byteaArray([]), []],
  ['no integers', 'int', intArray([]), []],
])('%s arrive as they were sent', async (_, type, sent, expected) => {
  const { rows } = await db.query<{ value: unknown }>(`SELECT unnest($1::${type}[]) AS value`, [sent]);
  expect(rows.map((row) => row.value)).toEqual(expected);
});
