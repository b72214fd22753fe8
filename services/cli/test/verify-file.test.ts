import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  EMPTY_CHAIN, endLine, entryLine, entryText, headerLine, macOf, MerkleEdge, nextRow, signEnd, signerFromSeed, stateAfter,
  Summing, sumLine,
} from '#chain';
import { verifyFile } from '../src/verify-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'roamwatt-verify-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const signer = signerFromSeed(Buffer.alloc(32, 7));
const at = '2022-03-01T08:00:00Z';
const ledger = 'CA*BCT';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function exportOf(count: number): string[] {
  const party = { ledger, name: 'Energy OASIS', timeZone: 'America/Vancouver', tzdb: '2026f' };
  const lines = [headerLine({ ...party, keys: [signer.publicKey], entries: count, at })];
  const summing = Summing.from(lines[0]!);
  const tree = new MerkleEdge();
  let chain = EMPTY_CHAIN;
  for (let n = 1; n <= count; n += 1) {
    const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
    const salt = Buffer.alloc(32, n);
    const part = { contractKey: 'c', tokenParty: 'CA*CPK', tokenKey: 't', salt, text: `{"uid":"CARD-${n}"}` };
    const sealed = { id, mac: macOf(salt, part.text) };
    const text = entryText({ id, stream: `cdr-s-${n}`, version: 1 }, { type: 'CdrIssued', ledger, private: sealed });
    const row = nextRow(chain, { position: BigInt(n), id, data: text });
    chain = stateAfter(row);
    tree.append(row.leaf);
    const { line, details } = entryLine({ ...row, n, recordedAt: at, text, private: part });
    summing.add(details);
    lines.push(line);
  }
  const sum = summing.next();
  const state = { entries: count, link: hex(chain.head), root: hex(tree.root()) };
  return [...lines, sumLine(sum), endLine(signEnd({ ledger, ...state, sum: hex(sum), at }, signer))];
}

const whole = exportOf(40);

function verified(name: string, lines: readonly string[]) {
  const file = join(dir, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return verifyFile(file, { keys: [signer.publicKey], parallelFromBytes: 0 });
}

test('a file is verified on two processors as on one', async () => {
  expect(await verified('whole', whole)).toMatchObject({ entries: 40, erased: 0, damage: undefined });
});

test('what is wrong is named whichever processor saw it', async () => {
  for (const n of [7, 8]) {
    const changed = whole.with(n, whole[n]!.replace('CdrIssued', 'CdrIssueD'));
    expect((await verified(`changed-${n}`, changed)).damage).toMatchObject({ kind: 'changed', at: `entry ${n}` });
    const other = whole.with(n, whole[n]!.replace(`CARD-${n}`, 'CARD-0'));
    expect((await verified(`private-${n}`, other)).damage).toMatchObject({ kind: 'private-part-changed', at: `entry ${n}` });
    expect((await verified(`removed-${n}`, whole.toSpliced(n, 1))).damage).toMatchObject({ kind: 'removed', at: `entry ${n}` });
  }
  expect((await verified('cut', whole.slice(0, 20))).damage).toMatchObject({ kind: 'truncated' });
  expect((await verified('none', ['{}'])).damage).toMatchObject({ kind: 'not-an-export' });
});
