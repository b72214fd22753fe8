import { afterAll, beforeAll, expect, test } from 'vitest';
import { outbox } from '#bus';
import { exampleCdr, exampleSession, exampleToken } from '#ocpi';
import { type Database, openDatabase } from '#postgres';
import { OwnParties } from '#settings';
import { freshDatabase, type FreshDatabase } from '#test-servers';
import { fixedClock, instant } from '#time';
import { deliveriesForgetting } from '../src/forgetting.ts';
import { migrations } from '../src/migrations.ts';
import { tokenKey } from '../src/pushes/token-key.ts';

// What partners were sent of a contract that is forgotten, and of another one that had its token's uid.

let database: FreshDatabase;
let db: Database;
beforeAll(async () => {
  database = await freshDatabase();
  db = await openDatabase({ url: database.url, schema: 'ocpi_gateway', migrations });
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

const own = { country_code: 'CA', party_id: 'BCT' };
const cpk = { country_code: 'CA', party_id: 'CPK' };
const token = { ...exampleToken, ...cpk, uid: 'SHARED', type: 'RFID' };
const [mine, theirs] = ['CA-CPK-NEXT-1', 'CA-CPK-FORMER-1'];
const holder = {
  party: cpk, contractId: mine, tokenUids: ['shared'], visualNumbers: [], otherContractIds: [theirs], at: '2022-02-01T19:00:00Z',
};

test('a contract that has, or had, a token of the same uid keeps the Sessions and CDRs that name it', async () => {
  await db.query(`INSERT INTO partners (partner_id, name, state) VALUES ('P', 'Carbon Plunk', 'registered')`);
  const push = (module: string, key: string, object: object) => db.query(
    `INSERT INTO pushed (partner_id, module, object_key, current, acknowledged, queued) VALUES ('P', $1, $2, $3, $3, false)`,
    [module, key, JSON.stringify(object)]);
  for (const [name, contract_id] of [['MINE', mine], ['OTHERWISE', 'NEXT1'], ['THEIRS', theirs]] as const) {
    const { country_code, party_id, uid, type } = token;
    const cdr_token = { country_code, party_id, uid, type, contract_id };
    await push('sessions', `S-${name}`, { ...exampleSession, ...own, id: `S-${name}`, cdr_token });
    await push('cdrs', `C-${name}`, { ...exampleCdr, ...own, id: `C-${name}`, cdr_token });
  }
  const parties = new OwnParties([{ ...own, name: 'Energy OASIS', roles: ['CPO'], currency: 'CAD' }]);
  const forgetting = deliveriesForgetting(
    { db, outbox: outbox('ocpi-gateway', db), clock: fixedClock(holder.at), parties, wake() {} });
  expect((await forgetting.look(holder, [])).kept).toMatchObject({ 'Sessions sent': 2, 'CDRs sent': 2 });
  await forgetting.forget(holder);
  const { rows } = await db.query<{ key: string }>(
    `SELECT object_key AS key FROM pushed WHERE position('SHARED' IN current) > 0 ORDER BY 1`);
  expect(rows.map(({ key }) => key)).toEqual(['C-THEIRS', 'S-THEIRS']);
});

test('a partner is told that a forgotten token is not valid any more, also where it was changed by a clock ahead of ours', async () => {
  const ahead = { ...exampleToken, ...own, uid: 'AHEAD', type: 'RFID' as const, contract_id: 'CA-BCT-AHEAD-1', valid: true, last_updated: '2022-02-01T19:00:30Z' };
  await db.query(
    `INSERT INTO pushed (partner_id, module, object_key, current, acknowledged, queued, updated_ms) VALUES ('P', 'tokens', $1, $2, $2, false, $3)`,
    [tokenKey(ahead), JSON.stringify(ahead), instant(ahead.last_updated)]);
  const parties = new OwnParties([{ ...own, name: 'Energy OASIS', roles: ['EMSP'], currency: 'CAD' }]);
  const forgetting = deliveriesForgetting(
    { db, outbox: outbox('ocpi-gateway', db), clock: fixedClock(holder.at), parties, wake() {} });
  const forgotten = { ...holder, party: own, contractId: ahead.contract_id, tokenUids: ['ahead'], otherContractIds: [] };
  await Promise.resolve(forgetting.forget(forgotten)).catch(() => {});
  const { rows: [row] } = await db.query<{ current: string; queued: boolean }>(
    `SELECT current, queued FROM pushed WHERE object_key = $1`, [tokenKey(ahead)]);
  expect(row?.queued).toBe(true);
  expect(JSON.parse(row!.current)).toMatchObject({ valid: false, last_updated: '2022-02-01T19:00:30.001Z' });
});
