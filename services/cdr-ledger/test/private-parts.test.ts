import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { privatePart } from '../src/private-part.ts';
import { privateParts } from '../src/private-parts.ts';
import { cdr } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

let there: TestLedger;

beforeAll(async () => {
  there = await testLedger({ partyId: 'CPK', clock: '2022-02-02T00:00:00Z' });
});
afterAll(() => there?.close());

test('a private part that is kept is on disk: the entry that names it may go after a crash of the database', async () => {
  const { rows: [before] } = await there.db.query<{ at: string }>('SELECT pg_current_wal_insert_lsn()::text AS at');
  await privateParts(there.db).keep([privatePart(cdr.cdr_token, 'a body', { id: randomUUID(), salt: Buffer.alloc(32, 1) })]);
  const { rows: [after] } = await there.db.query<{ isOnDisk: boolean }>(
    'SELECT pg_current_wal_flush_lsn() > $1::pg_lsn AS "isOnDisk"', [before!.at]);
  expect(after!.isOnDisk).toBe(true);
});
