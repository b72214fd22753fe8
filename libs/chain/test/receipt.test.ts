import { expect, test } from 'vitest';
import { inclusionProof, MerkleEdge, type ReceiptProof, verifyExport, verifyReceipt } from '#chain';
import { chunksOf, entriesOf, exportOf, headAt, ledger, signer } from './exported.ts';

const entries = entriesOf(10);
const keys = [signer.publicKey];

async function receiptOf(n: number): Promise<ReceiptProof> {
  const tree = new MerkleEdge();
  for (const { leaf } of entries.slice(0, 8)) tree.append(leaf);
  const source = {
    read: async (runs: readonly { first: number; count: number }[]) =>
      runs.map(({ first, count }) => entries.slice(first, first + count).map(({ leaf }) => leaf)),
  };
  const path = await inclusionProof(source, n - 1, 8);
  const { text, private: part } = entries[n - 1]!;
  return {
    roamwatt_receipt: 1,
    ledger,
    entry: n,
    text,
    ...(part && { private: { salt: Buffer.from(part.salt).toString('hex'), text: part.text } }),
    path: path.map((hash) => hash.toString('hex')),
    head: headAt(entries[7]!, tree),
  };
}

test('a receipt is proven by the public key alone', async () => {
  for (const n of [1, 5, 8]) {
    expect(verifyReceipt(JSON.parse(JSON.stringify(await receiptOf(n))), keys)).toMatchObject({
      ok: true,
      head: { day: '2022-02-08', entries: 8 },
      heading: { place: { stream: `cdr-s-${n}` } },
    });
  }
});

test('a receipt that is not as it was given is refused, with what is wrong', async () => {
  const good = await receiptOf(2);
  const problemOf = (changed: object) => {
    const read = verifyReceipt({ ...good, ...changed }, keys);
    return read.ok ? 'proven' : read.problem;
  };
  expect(problemOf({})).toBe('proven');
  expect(problemOf({ text: good.text.replace('"total":2', '"total":3') })).toMatch(/^text: is not entry 2 of the 8/);
  expect(problemOf({ entry: 3 })).toMatch(/^text: is not entry 3/);
  expect(problemOf({ path: good.path.toReversed() })).toMatch(/^text: is not entry 2/);
  expect(problemOf({ private: { ...good.private, text: '{}' } })).toMatch(/^private/);
  expect(problemOf({ head: { ...good.head, text: good.head.text.replace('entries 8', 'entries 9') } })).toMatch(/^head: is not signed/);
  expect(problemOf({ ledger: 'CA*CPK' })).toMatch(/^ledger/);
  for (const none of [undefined, {}, { ...good, path: 'x' }, { ...good, head: null }])
    expect(verifyReceipt(none, keys)).toMatchObject({ ok: false, problem: 'this is no receipt of a Roamwatt ledger' });
  expect(verifyReceipt(good, [])).toMatchObject({ ok: false });
});

test('a receipt is found in an export of its ledger, and in no other', async () => {
  const receipt = await receiptOf(2);
  const whole = exportOf(entries);
  expect(await verifyExport(chunksOf(whole), { keys, receipt })).toMatchObject({ damage: undefined });
  // Signed by the same key, over another second entry.
  const other = exportOf(entriesOf(10).map((entry) => entry).slice(0, 1));
  expect(await verifyExport(chunksOf(other), { keys, receipt })).toMatchObject({
    damage: { kind: 'receipt-not-of-this-ledger' },
  });
});
