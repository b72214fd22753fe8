import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freshDatabase } from '#test-servers';
import { location, oasis, session, tariff, token } from '../../cdr-ledger/test/charge.ts';
import { type TestLedger, testLedger } from '../../cdr-ledger/test/ledger.ts';
import { roamwatt } from '../src/roamwatt.ts';
import { Output } from '../src/terminal.ts';

let there: TestLedger;
const dir = mkdtempSync(join(tmpdir(), 'roamwatt-ledger-'));
const file = (name: string) => join(dir, name);

/** Exit status, stdout and stderr of one command line. */
async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const stdout = new Writable({
    write(chunk: Buffer, _, done) {
      out += chunk.toString();
      done();
    },
  });
  const stdin = (async function* () {
    yield readFileSync(file('ledger.jsonl'));
  })();
  const status = await roamwatt(args, {
    stdin,
    out: new Output(stdout),
    err: (line) => void (err += `${line}\n`),
    status: undefined,
    now: () => Date.now(),
  });
  return { status, out, err };
}

beforeAll(async () => {
  there = await testLedger();
  for (let n = 1; n <= 5; n += 1) {
    const charged = { session: { ...session, id: `S-${n}` }, location, tariff, tariffVersion: 1 };
    await there.ledger.issue({ ...charged, token, energyWh: '6000' });
  }
  there.clock.set('2022-02-03T09:00:00Z');
  await vi.waitUntil(async () => (await there.proofs.heads()).at(-1)?.head.entries === 5, {
    timeout: 60_000,
  });
  const { lines } = await there.exporting.page();
  writeFileSync(file('ledger.jsonl'), lines);
  writeFileSync(
    file('flipped.jsonl'),
    lines.toString().replace('"excl_vat":2.94', '"excl_vat":2.93'),
  );
  writeFileSync(file('operator.pub'), `${there.keys[0]}  # Energy OASIS\n`);
  writeFileSync(file('other.pub'), `${'A'.repeat(43)}\n`);
  writeFileSync(
    file('receipt.json'),
    JSON.stringify(await there.proofs.receipt(oasis, 'S-2-1', true)),
  );
});
afterAll(async () => {
  await there?.close();
  rmSync(dir, { recursive: true, force: true });
});

test('an export verifies on a machine without a database, from a file or from stdin', async () => {
  const { status, out } = await run(
    'ledger',
    'verify',
    file('ledger.jsonl'),
    '--public-key',
    file('operator.pub'),
  );
  expect(out).toMatch(
    /ledger\.jsonl: intact\n {2}ledger CA\*BCT: 5 entries; 2 signed heads, the last for 2022-02-02\n/,
  );
  expect(out).toContain('signed by a key that you gave');
  expect(status).toBe(0);
  const piped = await run('ledger', 'verify', '-', '--json');
  expect(JSON.parse(piped.out)).toMatchObject({
    source: '-',
    intact: true,
    ledger: 'CA*BCT',
    entries: 5,
    newest_day: '2022-02-02',
    keys_from: 'export',
  });
});

test('what is wrong with an export is named, with exit status 1', async () => {
  const text = await run('ledger', 'verify', file('flipped.jsonl'));
  expect(text).toMatchObject({ status: 1 });
  expect(text.out).toMatch(
    /NOT INTACT\n {2}entry 1: changed: its bytes are not those that were chained/,
  );
  const json = await run('ledger', 'verify', file('flipped.jsonl'), file('ledger.jsonl'), '--json');
  expect(
    json.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([
    { intact: false, problem: { kind: 'changed', at: 'entry 1' } },
    { intact: true },
  ]);
  const unknown = await run(
    'ledger',
    'verify',
    file('ledger.jsonl'),
    '--public-key',
    file('other.pub'),
  );
  expect(unknown.out).toContain('which is not known');
});

test('a receipt is found in the ledger that it is of', async () => {
  const proven = await run(
    'ledger',
    'verify',
    file('ledger.jsonl'),
    '--receipt',
    file('receipt.json'),
  );
  expect(proven.status).toBe(0);
  writeFileSync(
    file('changed.json'),
    readFileSync(file('receipt.json'), 'utf8').replace('2.94', '1.94'),
  );
  const changed = await run(
    'ledger',
    'verify',
    file('ledger.jsonl'),
    '--receipt',
    file('changed.json'),
  );
  expect(changed).toMatchObject({ status: 1 });
  expect(changed.out).toContain(
    'the receipt: receipt-not-of-this-ledger: text: is not entry 2 of the 5',
  );
});

test('files that are missing, no keys or no JSON are refused by name', async () => {
  expect(await run('ledger', 'verify')).toMatchObject({ status: 2 });
  expect((await run('ledger', 'verify', file('none.jsonl'))).err).toMatch(
    /none\.jsonl: there is no such file\. Check its path\.$/m,
  );
  expect(
    (await run('ledger', 'verify', file('ledger.jsonl'), '--public-key', file('ledger.jsonl'))).err,
  ).toContain('public key');
  expect(
    (await run('ledger', 'verify', file('ledger.jsonl'), '--receipt', file('operator.pub'))).err,
  ).toContain('is no JSON');
  writeFileSync(file('cdr.json'), '{"id":"S-2-1"}');
  const other = await run('ledger', 'verify', file('ledger.jsonl'), '--receipt', file('cdr.json'));
  expect(other).toMatchObject({ status: 1, out: '' });
  expect(other.err).toMatch(/cdr\.json: this is no receipt of a Roamwatt ledger\. Give .*proof/);
  expect((await run('ledger', 'verify', file('operator.pub'))).out).toMatch(/not-an-export: .* Give what the portal answers to GET/);
});

test('an export is restored into an empty database, once', async () => {
  const database = await freshDatabase();
  try {
    const args = ['ledger', 'restore', file('ledger.jsonl'), '--database-url', database.url];
    const restored = await run(...args, '--public-key', file('operator.pub'), '--json');
    expect(JSON.parse(restored.out)).toMatchObject({
      restored: true,
      ledger: 'CA*BCT',
      entries: 5,
      heads: 2,
    });
    const again = await run(...args);
    expect(again).toMatchObject({ status: 1 });
    expect(again.err).toContain('not restored: the ledger of this database is not empty');
    expect((await run('ledger', 'restore', file('ledger.jsonl'))).status).toBe(2);
  } finally {
    await database.drop();
  }
});
