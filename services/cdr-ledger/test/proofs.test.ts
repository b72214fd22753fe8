import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  isConsistent,
  readHead,
  type ReceiptProof,
  type Signed,
  signerFromSeed,
  signHead,
  verifyExport,
  verifyReceipt,
} from '#chain';
import { Rejected } from '#decider';
import { fixedClock } from '#time';
import { signClosedDays, signDaily } from '../src/heads.ts';
import { cdr, location, oasis, session, tariff, token } from './charge.ts';
import { type TestLedger, testLedger } from './ledger.ts';

let there: TestLedger;

const headOf = ({ text }: Signed) => readHead(text)!;

async function issue(from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) {
    await there.ledger.issue({
      session: { ...session, id: `S-${n}` },
      location,
      tariff,
      tariffVersion: 1,
      token,
      energyWh: '6000',
    });
  }
}

/** The heads, once the newest closes this day. */
async function headsTo(day: string): Promise<Signed[]> {
  const closes = async () => (await there.proofs.heads()).at(-1)?.head.day === day;
  await vi.waitUntil(closes, { timeout: 60_000 });
  return (await there.proofs.heads()).map(({ signed }) => signed);
}

const codeOf = (error: unknown) => (error instanceof Rejected ? error.code : error);

beforeAll(async () => {
  there = await testLedger();
  await headsTo('2022-01-31');
  await issue(1, 20);
});
afterAll(() => there?.close());

test('a receipt of today is proven tomorrow', async () => {
  await expect(there.proofs.receipt(oasis, 'S-3-1', false).catch(codeOf)).resolves.toBe('not-signed-yet');
  await expect(there.proofs.receipt(oasis, 'S-99-1', false).catch(codeOf)).resolves.toBe('unknown-cdr');
});

test('a day that ends is signed, and one in which nothing came, and days slept through by one head', async () => {
  // Midnight in Vancouver.
  there.clock.set('2022-02-02T07:59:59Z');
  expect((await there.proofs.heads()).map(({ head }) => head.day)).toEqual(['2022-01-31']);
  there.clock.set('2022-02-02T08:00:00Z');
  await headsTo('2022-02-01');
  there.clock.set('2022-02-03T08:00:00Z');
  await headsTo('2022-02-02');
  await issue(21, 25);
  there.clock.set('2022-02-10T20:00:00Z');
  const heads = (await headsTo('2022-02-09')).map(headOf);
  expect(heads.map(({ since, day, entries }) => `${since} ${day} ${entries}`)).toEqual([
    '2022-01-31 2022-01-31 0',
    '2022-02-01 2022-02-01 20',
    '2022-02-02 2022-02-02 20',
    '2022-02-03 2022-02-09 25',
  ]);
  expect(heads.at(-1)).toMatchObject({
    ledger: 'CA*BCT',
    timeZone: 'America/Vancouver',
    at: '2022-02-10T20:00:00Z',
    key: there.keys[0],
  });
  expect(await there.proofs.verify()).toMatchObject([
    { problem: undefined, heads: 4, newestDay: '2022-02-09', chain: { entries: 25 } },
  ]);
});

test('several replicas sign one head a day, and a start signs none again', async () => {
  const parts = signingParts();
  there.clock.set('2022-02-11T08:00:00Z');
  const all = await Promise.all([signClosedDays(parts), signClosedDays(parts), signClosedDays(parts)]);
  expect(all.filter(Boolean).length).toBeLessThanOrEqual(1);
  expect(await headsTo('2022-02-10')).toHaveLength(5);
  expect(await signClosedDays(parts)).toBeUndefined();
});

test('any receipt is proven to the newest head by the public key alone', async () => {
  for (const n of [1, 16, 17, 25]) {
    const proof = await there.proofs.receipt(oasis, `s-${n}-1`, true);
    const read = verifyReceipt(JSON.parse(JSON.stringify(proof)), there.keys);
    expect(read).toMatchObject({ ok: true, head: { day: '2022-02-10', entries: 25 } });
    expect(JSON.parse(proof.text)).toMatchObject({ cdr: { id: `S-${n}-1`, total_cost: cdr.total_cost } });
    expect(proof.private?.text).toContain(token.uid);
  }
  const bare: ReceiptProof = await there.proofs.receipt(oasis, 'S-1-1', false);
  expect(JSON.stringify(bare)).not.toContain(token.uid);
  expect(verifyReceipt(bare, there.keys).ok).toBe(true);
});

test('a later head is proven to have only added to an earlier one', async () => {
  const proof = await there.proofs.consistency('2022-02-01', '2022-02-09');
  const [older, newer] = [headOf(proof.older), headOf(proof.newer)].map(({ entries, root }) => ({
    leaves: entries,
    root: Buffer.from(root, 'hex'),
  })) as [{ leaves: number; root: Buffer }, { leaves: number; root: Buffer }];
  const path = proof.path.map((hash) => Buffer.from(hash, 'hex'));
  expect(isConsistent(older, newer, path)).toBe(true);
  expect(isConsistent({ ...older, leaves: 19 }, newer, path)).toBe(false);
  await expect(there.proofs.consistency('2022-02-03', '2022-02-09').catch(codeOf)).resolves.toBe('unknown-head');
});

test('the export verifies without the ledger, and holds the receipts', async () => {
  const chunks: Buffer[] = [];
  for (let next: string | undefined = undefined, isFirst = true; isFirst || next; isFirst = false) {
    const page: { lines: Buffer; next: string | undefined } = await there.exporting.page(next);
    chunks.push(page.lines);
    next = page.next;
  }
  const receipt = await there.proofs.receipt(oasis, 'S-9-1', false);
  expect(await verifyExport(chunks, { keys: there.keys, receipt })).toMatchObject({
    ledger: 'CA*BCT', entries: 25, heads: 5, newestDay: '2022-02-10', erased: 0, damage: undefined,
  });
  await expect(there.exporting.page('e30.AAAA').catch(codeOf)).resolves.toBe('invalid-cursor');
});

test('a head, a node of the tree, or the whole ledger written anew is found on the live database', async () => {
  const problemAfter = async (table: 'heads' | 'merkle_nodes', statement: string, values: unknown[] = []) => {
    const client = await there.superuser.connect();
    const trigger = `TRIGGER ${table}_never_change`;
    await client.query(`CREATE TEMP TABLE before AS TABLE ${table}`);
    await client.query(`ALTER TABLE ${table} DISABLE ${trigger}`);
    try {
      await client.query(statement, values);
      return (await there.proofs.verify())[0]!.problem;
    } finally {
      await client.query(
        `DELETE FROM ${table}; INSERT INTO ${table} TABLE before; DROP TABLE before; ALTER TABLE ${table} ENABLE ALWAYS ${trigger}`,
      );
      client.release();
    }
  };
  expect(await problemAfter('heads', `UPDATE heads SET text = replace(text, 'entries 20', 'entries 21') WHERE day = '2022-02-01'`))
    .toMatch(/^head of 2022-02-01: is not signed by the key/);
  const forger = signerFromSeed(Buffer.alloc(32, 9));
  const { key: _, ...head } = headOf((await there.proofs.heads())[1]!.signed);
  const forged = signHead({ ...head, root: 'ab'.repeat(32) }, forger);
  const byForger = `UPDATE heads SET text = $1, signature = $2 WHERE day = '2022-02-01'`;
  expect(await problemAfter('heads', byForger, [forged.text, forged.signature]))
    .toMatch(/^head of 2022-02-01: is signed by the key .*, which is not known$/);
  expect(await problemAfter('merkle_nodes', 'UPDATE merkle_nodes SET hash = sha256(hash)'))
    .toBe('entries 1 to 16: the node of the Merkle tree over them is gone or another');
  expect(await problemAfter('merkle_nodes', 'DELETE FROM merkle_nodes'))
    .toBe('entries 1 to 16: the node of the Merkle tree over them is gone or another');
  expect((await there.proofs.verify())[0]!.problem).toBeUndefined();
});

test('the service can neither change nor remove what was signed', async () => {
  for (const table of ['heads', 'merkle_nodes']) {
    for (const statement of [`DELETE FROM ${table}`, `UPDATE ${table} SET ledger = ledger`]) {
      await expect(there.db.query(statement)).rejects.toMatchObject({ failure: 'permission-denied' });
      await expect(there.superuser.query(statement)).rejects.toThrow('never changed');
    }
  }
});

test('what does not follow from what was signed is never signed', async () => {
  await issue(26, 26);
  const guard = 'TRIGGER events_never_change';
  const text = `(SELECT data FROM events WHERE stream = 'cdr-s-26')`;
  expect((await there.proofs.verify())[0]!.problem).toBeUndefined();
  await there.superuser.query(`CREATE TABLE kept AS SELECT ${text} AS data; ALTER TABLE events DISABLE ${guard}`);
  await there.superuser.query(`UPDATE events SET data = replace(data, '2.94', '1.94') WHERE stream = 'cdr-s-26'`);
  there.clock.set('2022-02-12T08:00:00Z');
  await expect(signClosedDays(signingParts())).rejects.toThrow(/^entry 26: changed/);
  await there.superuser.query(
    `UPDATE events SET data = (SELECT data FROM kept) WHERE stream = 'cdr-s-26'; ALTER TABLE events ENABLE ALWAYS ${guard}`,
  );
  await headsTo('2022-02-11');
});

test('a day that ends while the one before is being signed is signed next', async () => {
  const clock = fixedClock('2022-02-13T08:00:00Z');
  const chain = { caughtUp: async () => clock.set('2022-02-14T08:00:00Z') };
  const signing = signDaily({ ...signingParts(), clock, chain });
  await headsTo('2022-02-13');
  await signing.stop();
});

function signingParts() {
  const { db, clock, zone, log } = there;
  const chain = { caughtUp: async () => void (await there.proofs.verify()) };
  return { db, clock, zone, log, ledger: 'CA*BCT', signer: signerFromSeed(Buffer.alloc(32, 7)), chain };
}
