import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { each } from '#bus';
import { bookPayment, listAccounts } from '#contracts/accounts';
import { getCdr, getStatement, verifyLedger } from '#contracts/cdr-ledger';
import { openDispute, withdrawDispute } from '#contracts/disputes';
import { getErasureHolder, noteForgotten } from '#contracts/erasure';
import { fromJsonBytes } from '#contracts';
import type { Cdr } from '#ocpi';
import { bct, cdrOf, linesOf, newDriver, pushCdr, retailOfCdr, running, standingOf } from './drivers.ts';
import { plunk as party, plus, type RetailPlatform, retailPlatform } from './retail-platform.ts';

// What is left in the ledger of a driver who is forgotten, and of one who is not.

let plunk: RetailPlatform;
beforeAll(async () => {
  plunk = await retailPlatform({ ...plus, flagged_cdrs: 'hold' });
  const own = { countryCode: party.country_code, partyId: party.party_id };
  await plunk.bus.answer(getErasureHolder, (requests) => each(requests, async ({ erasureId }) =>
    ({ holder: { ...holders.get(erasureId)!, party: own, visualNumbers: [], at } })));
  await plunk.bus.answer(noteForgotten, (requests) => each(requests, async ({ erasureId }) => {
    done.push(erasureId);
    return {};
  }));
});
afterAll(() => plunk?.stop());

const at = '2022-02-01T19:30:00Z';

/** Whom an erasure means, and which are done. */
const holders = new Map<string, { contractId: string; tokenUids: string[]; otherContractIds: string[] }>();
const done: string[] = [];

async function erase(contractId: string, tokenUids: string[], otherContractIds: string[] = []): Promise<void> {
  const erasureId = randomUUID();
  holders.set(erasureId, { contractId, tokenUids, otherContractIds });
  await plunk.ledgerDb.query('INSERT INTO erasures (erasure_id, at) VALUES ($1, $2)', [erasureId, at]);
  await expect.poll(() => done).toContain(erasureId);
}

/** Columns of the ledger's tables that hold one of these texts, in any case. */
async function placesOf(texts: readonly string[]): Promise<string[]> {
  const { rows: tables } = await plunk.ledgerDb.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'cdr_ledger' AND table_type = 'BASE TABLE'`);
  const found: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await plunk.ledgerDb.query(
      `SELECT FROM ${name} t WHERE t::text ILIKE ANY ($1)`, [texts.map((text) => `%${text}%`)]);
    if (rowCount) found.push(`${name}: ${rowCount}`);
  }
  return found;
}

const owed = async () => {
  const { rows } = await plunk.ledgerDb.query<{ sum: string }>('SELECT sum(balance) FROM account_balances');
  return rows[0]!.sum;
};
const statement = async () =>
  Buffer.from((await plunk.bus.ask(getStatement, { partner: bct, month: '2022-02' })).statementJson).toString();

test('of a driver who was stopped at the limit, with a charge held and a payment, nothing but money is left', async () => {
  const { token, contractId } = await newDriver(plunk, 'DANA-QUELLENBERG');
  await plunk.sessionMoves(running(token, 'DANA-S', 30, '2022-02-01T18:21:00Z'));
  await expect.poll(() => plunk.stops.map(({ tokenUid }) => tokenUid)).toContain(token.uid);
  await pushCdr(plunk, cdrOf(token, 'DANA-CDR', { session_id: 'DANA-S' }));
  await pushCdr(plunk, cdrOf(token, 'DANA-HELD', { session_id: 'DANA-H', total_cost: { excl_vat: 99, incl_vat: 99 } }));
  expect((await retailOfCdr(plunk, 'DANA-HELD')).state).toBe('held');
  await plunk.bus.ask(bookPayment, { contractId, currency: 'CAD', amount: '1.11' }, { commandId: randomUUID() });
  const { dispute } = await plunk.bus.ask(openDispute, { party: bct, cdrId: 'DANA-HELD', reason: 'Dana never charged' }, { commandId: randomUUID() });
  await plunk.bus.ask(withdrawDispute, { disputeId: dispute!.disputeId, reason: 'Dana did' });
  await standingOf(plunk, contractId);
  const [owedBefore, statementBefore] = [await owed(), await statement()];
  expect(await placesOf([token.uid])).not.toEqual([]);

  await erase(contractId, [token.uid]);
  expect(await placesOf([token.uid, contractId, 'Dana never', 'Dana did'])).toEqual([]);
  expect([await owed(), await statement()]).toEqual([owedBefore, statementBefore]);
  const { chains } = await plunk.bus.ask(verifyLedger, {});
  expect(chains.map(({ chain, intact }) => [chain, intact])).toEqual([['CA*CPK', true], ['CA*CPK/accounts', true]]);
  const { accounts } = await plunk.bus.ask(listAccounts, {});
  expect(accounts.map((account) => account.contractId)).toEqual(['']);
});

test('a contract whose app has the uid of another one\'s card keeps what is its own, and pays for what comes late', async () => {
  const { token, contractId } = await newDriver(plunk, 'CARD-OF-TWO');
  const ezra = { ...token, type: 'APP_USER', contract_id: 'CA-CPK-EZRA' } as const;
  await plunk.issue(ezra);
  await expect.poll(() => standingOf(plunk, ezra.contract_id).catch(() => undefined)).toBeDefined();
  await pushCdr(plunk, cdrOf(token, 'TWO-1', { session_id: 'TWO-1' }));
  await pushCdr(plunk, cdrOf(ezra, 'EZRA-1', { session_id: 'EZRA-1' }));
  expect(await linesOf(plunk, ezra.contract_id)).toHaveLength(1);

  await erase(contractId, [token.uid], [ezra.contract_id]);
  const named = async (cdrId: string) =>
    fromJsonBytes<Cdr>((await plunk.bus.ask(getCdr, { party: bct, cdrId })).cdrJson!).cdr_token.contract_id;
  expect([await named('TWO-1'), await named('EZRA-1')]).toEqual(['ERASED', ezra.contract_id]);
  // Both charged before the erasure, and are heard of behind it.
  await pushCdr(plunk, cdrOf(token, 'TWO-2', { session_id: 'TWO-2' }));
  await pushCdr(plunk, cdrOf(ezra, 'EZRA-2', { session_id: 'EZRA-2' }));
  await plunk.sessionMoves(running(token, 'TWO-3', 5, '2022-02-01T18:21:00Z'));
  await plunk.sessionMoves(running(ezra, 'EZRA-3', 1, '2022-02-01T18:22:00Z'));
  expect([await named('TWO-2'), await named('EZRA-2')]).toEqual(['ERASED', ezra.contract_id]);
  expect((await linesOf(plunk, ezra.contract_id)).map(({ cdrId }) => cdrId)).toEqual(['EZRA-2', 'EZRA-1']);
  const runs = async () => (await plunk.ledgerDb.query<{ id: string }>(
    `SELECT session_id AS id FROM running_charges WHERE session_id LIKE '%-3'`)).rows.map(({ id }) => id);
  await expect.poll(runs).toContain('EZRA-3');
  expect(await runs()).toEqual(['EZRA-3']);
  expect(await placesOf([contractId])).toEqual([]);
});
