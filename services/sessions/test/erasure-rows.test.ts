import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleSession } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { freshDatabase, type FreshDatabase } from '#test-servers';
import { eraseSessions, sessionsOfHolder } from '../src/forgetting-rows.ts';
import { migrations } from '../src/migrations.ts';
import { storeOwnSession } from '../src/session-rows.ts';
import { withoutToken } from '../src/without-token.ts';

// Sessions of a contract that is forgotten, and of another one that had its token's uid.

let database: FreshDatabase;
let db: Database;
beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'sessions', migrations });
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

test('a contract that has, or had, a token of the same uid keeps the Sessions that name it', async () => {
  const party = { country_code: 'CA', party_id: 'CPK' };
  const [mine, theirs] = ['CA-CPK-NEXT-1', 'CA-CPK-FORMER-1'];
  for (const [id, contract_id] of [['MINE', mine], ['OTHERWISE', 'NEXT1'], ['THEIRS', theirs]] as const) {
    const session = { ...exampleSession, id, cdr_token: { ...exampleSession.cdr_token, ...party, uid: 'SHARED', contract_id } };
    await storeOwnSession(db, session, JSON.stringify(session));
  }
  const holder = {
    party, contractId: mine, tokenUids: ['SHARED'], visualNumbers: [], otherContractIds: [theirs], at: '2032-02-01T19:00:00Z',
  };
  const held = await sessionsOfHolder(db, holder, ['shared']);
  expect(held.map(({ session }) => session.id).sort()).toEqual(['MINE', 'OTHERWISE']);
  await eraseSessions(db, held, withoutToken);
  const { rows } = await db.query<{ id: string }>(`SELECT session_id AS id FROM own_sessions WHERE token_uid = 'shared'`);
  expect(rows).toEqual([{ id: 'theirs' }]);
  const { rows: contracts } = await db.query<{ contract: string }>('SELECT contract FROM own_sessions ORDER BY session_id');
  expect(contracts.map(({ contract }) => contract)).toEqual(['erased', 'erased', theirs.toLowerCase()]);
});
