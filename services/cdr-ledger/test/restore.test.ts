import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openDatabase } from '#postgres';
import { freshDatabase, type FreshDatabase } from '#test-servers';
import { migrations } from '../src/migrations.ts';
import { NotRestored, restoreLedger } from '../src/restore.ts';
import { carbonPlunk, location, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

let there: TestLedger;
let lines: string[];

async function exported({ exporting }: Pick<TestLedger, 'exporting'>): Promise<string[]> {
  let text = '';
  for (let page = await exporting.page(); ; page = await exporting.page(page.next)) {
    text += page.lines.toString();
    if (page.next === undefined) return text.trimEnd().split('\n');
  }
}

beforeAll(async () => {
  there = await testLedger();
  const drivers = ['CA-CPK-C00000002-H', 'CA-CPK-C00000003-F'];
  for (let n = 1; n <= 40; n += 1) {
    const contract_id = drivers[n % 2]!;
    await there.ledger.issue({
      session: { ...session, id: `S-${n}`, cdr_token: { ...session.cdr_token, contract_id } },
      location,
      tariff,
      tariffVersion: 1,
      token: { ...token, contract_id },
      energyWh: '6000',
    });
  }
  await there.ledger.correct({ commandId: 'c', cdrId: 'S-2-1', reason: 'wrong', energyWh: '3000', withoutReplacement: false });
  there.clock.set('2022-02-03T09:00:00Z');
  const isSigned = async () => (await there.proofs.heads()).at(-1)?.head.entries === 42;
  await vi.waitUntil(isSigned, { timeout: 60_000 });
  await there.db.query('DELETE FROM private_parts WHERE contract_key = $1', [drivers[0]!.toLowerCase()]);
  lines = await exported(there);
});
afterAll(() => there?.close());

async function* bytesOf(text: readonly string[]) {
  yield Buffer.from(`${text.join('\n')}\n`);
}

async function onFresh<T>(work: (database: FreshDatabase) => Promise<T>): Promise<T> {
  const database = await freshDatabase();
  try {
    return await work(database);
  } finally {
    await database.drop();
  }
}

test('a restored ledger is the same ledger: same positions, ids, texts, chain, heads and erasures', async () => {
  await onFresh(async ({ url: databaseUrl }) => {
    const doing = new Set<string>();
    const [verdict] = await restoreLedger({
      databaseUrl,
      exports: [() => bytesOf(lines)],
      keys: there.keys,
      onProgress: (what) => doing.add(what),
    });
    expect(verdict).toMatchObject({ entries: 42, erased: 22, heads: 2, damage: undefined });
    const restored = await openDatabase({ url: databaseUrl, schema: 'cdr_ledger', migrations });
    for (const table of ['events', 'chain', 'merkle_nodes', 'heads', 'private_parts']) {
      const sql = `SELECT to_jsonb(t) - 'trace' AS row FROM ${table} t ORDER BY to_jsonb(t)->>'position', to_jsonb(t)->>'id', to_jsonb(t)->>'day'`;
      expect((await restored.query(sql)).rows, table).toEqual((await there.db.query(sql)).rows);
    }
    await restored.close();
    // A platform goes on from it: lists are made from the log, the chain grows on.
    const onIt = await testLedger({ on: databaseUrl, clock: '2022-02-03T10:00:00Z' });
    const before = await there.settling.statement(carbonPlunk, '2022-02');
    expect((await onIt.settling.statement(carbonPlunk, '2022-02')).text).toBe(before.text);
    await onIt.ledger.issue({ session: { ...session, id: 'S-99' }, location, tariff, tariffVersion: 1, token, energyWh: '6000' });
    expect(await onIt.proofs.verify()).toMatchObject([{ problem: undefined, chain: { entries: 43 } }]);
    await onIt.close();
  });
});

test('an export that is not intact, or not signed by the known key, is not restored', async () => {
  await onFresh(async ({ url: databaseUrl }) => {
    const restoring = (text: readonly string[], keys = there.keys) =>
      restoreLedger({ databaseUrl, exports: [() => bytesOf(text)], keys });
    const fourth = lines.findIndex((line) => line.startsWith('{"n":4,'));
    await expect(restoring(lines.toSpliced(fourth, 1))).rejects.toThrow(/^the export of CA\*BCT is not intact: entry 4: it is gone/);
    await expect(restoring(lines, ['A'.repeat(43)])).rejects.toThrow('which is not known');
    const db = await openDatabase({ url: databaseUrl, schema: 'cdr_ledger', migrations });
    expect((await db.query('SELECT 1 FROM events')).rowCount).toBe(0);
    await db.close();
  });
});

test('exports of two platforms are not restored together', async () => {
  const other = await testLedger({ partyId: 'CPK' });
  await other.ledger.issue({ session: { ...session, ...carbonPlunk, id: 'S-1' }, location, tariff, tariffVersion: 1, token, energyWh: '6000' });
  const theirs = await exported(other);
  await other.close();
  await onFresh(async ({ url: databaseUrl }) => {
    const restoring = restoreLedger({ databaseUrl, exports: [() => bytesOf(lines), () => bytesOf(theirs)], keys: there.keys });
    await expect(restoring).rejects.toThrow(NotRestored);
    await expect(restoring).rejects.toThrow(/^an entry of CA\*CPK has the place of one of the export before it: they are of two platforms/);
  });
});

test('a restore that was broken off behind its writing says, when it is tried again, that all is there', async () => {
  await onFresh(async ({ url: databaseUrl }) => {
    const restoring = () => restoreLedger({ databaseUrl, exports: [() => bytesOf(lines)], keys: there.keys });
    await restoring();
    await expect(restoring()).rejects.toThrow(/is not empty, it has events.* What it has is this very export, whole and verified/);
    const goneOn = await testLedger({ on: databaseUrl, clock: '2022-02-03T10:00:00Z' });
    await goneOn.ledger.issue({ session: { ...session, id: 'S-99' }, location, tariff, tariffVersion: 1, token, energyWh: '6000' });
    await goneOn.proofs.verify();
    await goneOn.close();
    await expect(restoring()).rejects.toThrow(/before a platform first starts on it$/);
  });
});

test('a ledger that is not empty is left as it is', async () => {
  const before = await there.proofs.verify();
  const restoring = restoreLedger({ databaseUrl: there.databaseUrl, exports: [() => bytesOf(lines)], keys: there.keys });
  await expect(restoring).rejects.toThrow(NotRestored);
  await expect(restoring).rejects.toThrow(/is not empty, it has events/);
  expect(await there.proofs.verify()).toEqual(before);
});
