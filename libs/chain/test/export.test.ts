import { expect, test } from 'vitest';
import { type ExportVerdict, sha256, signerFromSeed, sumLine, verifyExport, type VerifyOptions } from '#chain';
import { chunksOf, entriesOf, exportOf, signer } from './exported.ts';

const entries = entriesOf(10);
const whole = exportOf(entries);

const verified = (lines: readonly string[], options?: VerifyOptions): Promise<ExportVerdict> =>
  verifyExport(chunksOf(lines), options);
const kindOf = async (lines: readonly string[], options?: VerifyOptions) => {
  const { damage } = await verified(lines, options);
  return damage ? `${damage.at}: ${damage.kind}` : 'intact';
};
const lineOf = (n: number) => whole.findIndex((line) => line.startsWith(`{"n":${n},`));
const without = (...lines: number[]) => whole.filter((_, n) => !lines.includes(n));
const changed = (n: number, from: string | RegExp, to: string) => {
  expect(whole[n]!.replace(from, to)).not.toBe(whole[n]);
  return whole.with(n, whole[n]!.replace(from, to));
};
const sumAt = whole.findIndex((line) => line.startsWith('{"sum"'));
const sumOfNothing = sumLine(sha256(Buffer.from(whole[0]!)));
/** Of a ledger that has nothing but the head of its first day. */
const headOnly = exportOf([], { isSignedEmpty: true });
const swapped = (a: number, b: number) => whole.with(a, whole[b]!).with(b, whole[a]!);

test('an export verifies by its bytes alone, in pieces of any size, erased entries too', async () => {
  for (const size of [1, 77, 1 << 20]) {
    expect(await verifyExport(chunksOf(whole, size), { keys: [signer.publicKey] })).toMatchObject({
      ledger: 'CA*BCT', entries: 10, erased: 2, heads: 2, newestDay: '2022-02-08', keysFrom: 'caller',
      link: Buffer.from(entries[9]!.link).toString('hex'), damage: undefined,
    });
  }
  expect(await verified(exportOf([]))).toMatchObject({ entries: 0, heads: 0, keysFrom: 'export', damage: undefined });
  expect(await verified(headOnly)).toMatchObject({ entries: 0, heads: 1, damage: undefined });
});

test('every line is JSON, and an entry stands in it as it is stored', () => {
  const read = whole.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(read[1]).toMatchObject({ n: 1, position: '2', entry: JSON.parse(entries[0]!.text), private: { uid: 'CARD-1' } });
  expect(read[lineOf(4)]).toMatchObject({ private: entries[3]!.private!.text });
});

test.each<[string, () => string[], string]>([
  ['a flipped byte of an entry', () => changed(lineOf(5), '"total":5', '"total":6'), 'entry 5: changed'],
  ['a changed leaf', () => changed(lineOf(5), /"leaf":"./, '"leaf":"x'), 'entry 5: changed'],
  ['a changed number', () => changed(lineOf(5), '"n":5', '"n":6'), 'entry 5: changed'],
  ['a removed entry', () => without(lineOf(5)), 'entry 5: removed'],
  ['several removed entries', () => without(lineOf(5), lineOf(6)), 'entry 5: removed'],
  ['the removed last entry', () => without(lineOf(10)), 'entry 10: removed'],
  ['an entry removed from under a head', () => without(lineOf(4)), 'entry 4: removed'],
  ['two entries that changed places', () => swapped(lineOf(5), lineOf(9)), 'entry 5: reordered'],
  ['two neighbours that changed places', () => swapped(lineOf(5), lineOf(6)), 'entry 5: reordered'],
  [
    'an entry moved to the end',
    () => whole.toSpliced(lineOf(5), 1).toSpliced(lineOf(10), 0, whole[lineOf(5)]!),
    'entry 5: reordered',
  ],
  ['a copy of an earlier entry', () => whole.toSpliced(lineOf(5), 0, whole[lineOf(2)]!), 'entry 5: inserted'],
  ['a copy of a later entry', () => whole.toSpliced(lineOf(5), 0, whole[lineOf(9)]!), 'entry 5: inserted'],
  [
    'a forged entry',
    () => whole.toSpliced(lineOf(5), 0, whole[lineOf(5)]!.replace('"total":5', '"total":9')),
    'entry 5: inserted',
  ],
  ['a line that is none', () => whole.toSpliced(lineOf(5), 0, '{"n":5}'), 'entry 5: inserted'],
  ['a cut file', () => whole.slice(0, lineOf(8)), 'the end: truncated'],
  ['a cut line', () => [...whole.slice(0, lineOf(8)), whole[lineOf(8)]!.slice(0, 300)], 'entry 8: changed'],
  ['something behind the end', () => [...whole, whole.at(-1)!], `line ${whole.length + 1}: inserted`],
  ['a changed private part', () => changed(lineOf(2), 'CARD-2', 'CARD-9'), 'entry 2: private-part-changed'],
  ['a changed salt', () => changed(lineOf(2), '"salt":"0', '"salt":"1'), 'entry 2: private-part-changed'],
  ['a changed contract key', () => changed(lineOf(2), 'ca-cpk-2', 'ca-cpk-9'), 'the first line or entries 1 to 3: details-changed'],
  ['a changed time', () => changed(lineOf(5), 'T17:00:00Z', 'T17:00:01Z'), 'entries 4 to 6: details-changed'],
  ['a removed head', () => without(lineOf(4) + 1), 'entries 4 to 6: details-changed'],
  ['a changed first line', () => changed(0, 'Energy OASIS', 'Energy BASIS'), 'the first line or entries 1 to 3: details-changed'],
  ['the first line of another ledger, before a head', () => headOnly.with(0, headOnly[0]!.replace('CA*BCT', 'CA*BCX')), 'the first line or the head of 2022-02-00: head-inconsistent'],
  ['an end that was moved', () => whole.slice(0, -1).toSpliced(lineOf(8), 0, whole.at(-1)!), 'the end: head-inconsistent'],
  ['an end that was moved, and entries that are gone behind it', () => without(lineOf(8), whole.length - 1).toSpliced(lineOf(8), 0, whole.at(-1)!), 'entry 8: removed'],
  ['a head that was moved', () => swapped(lineOf(4) + 1, lineOf(5)), 'head of 2022-02-04: head-inconsistent'],
  ['a changed head', () => changed(lineOf(4) + 1, 'tzdb 2026f', 'tzdb 2026g'), 'head of 2022-02-04: head-not-signed'],
  ['a head that stands before its entry', () => swapped(lineOf(4), lineOf(4) + 1), 'head of 2022-02-04: head-inconsistent'],
  ['an entry removed from directly under a head', () => without(lineOf(1), lineOf(2), lineOf(3), lineOf(4)), 'entry 1: removed'],
  ['a damaged head', () => changed(lineOf(4) + 1, 'head v1', 'head "v1'), `line ${lineOf(4) + 2}: changed`],
  ['a sum that stands twice', () => whole.toSpliced(sumAt, 0, whole[sumAt]!), `line ${sumAt + 2}: inserted`],
  ['a sum of nothing behind the first line', () => whole.toSpliced(1, 0, sumOfNothing), 'line 2: inserted'],
  ['a sum of nothing before a head', () => headOnly.toSpliced(1, 0, sumLine(sha256(Buffer.from(headOnly[0]!)))), 'line 2: inserted'],
  ['a damaged sum', () => changed(sumAt, '"}', '"'), `line ${sumAt + 1}: changed`],
  ['a damaged end', () => whole.with(-1, whole.at(-1)!.slice(0, -9)), `line ${whole.length}: changed`],
  ['an end that begins with another letter', () => whole.with(-1, whole.at(-1)!.replace('end', 'ent')), `line ${whole.length}: changed`],
  ["the first line of another ledger", () => changed(0, 'CA*BCT', 'CA*BCX'), 'the first line: changed'],
  ['an empty line between', () => whole.toSpliced(lineOf(5), 0, ''), `line ${lineOf(5) + 1}: inserted`],
  ['an empty line behind the end', () => [...whole, ''], `line ${whole.length + 1}: inserted`],
  ['nothing', () => [], 'the export: not-an-export'],
  ['lines that end otherwise', () => whole.map((line) => `${line}\r`), 'the export: not-an-export'],
  ['a byte order mark', () => whole.with(0, `\ufeff${whole[0]}`), 'the export: not-an-export'],
  ['another file', () => ['{"roamwatt":1}'], 'the export: not-an-export'],
])('%s is found and named', async (_, damaged, named) => {
  expect(await kindOf(damaged())).toBe(named);
});

test.each<[string, () => string[], RegExp]>([
  [
    'a stranger under the number of an entry before',
    () => whole.toSpliced(lineOf(5), 0, exportOf(entriesOf(10, 'Z'))[lineOf(2)]!),
    /says that it is entry 2/,
  ],
  ['the first entry that is gone', () => without(lineOf(1)), /it is gone, the export goes on with entry 2/],
  [
    'entries that are gone from under a head',
    () => without(lineOf(3), lineOf(4)),
    /entries 3 to 4 are gone, the export goes on with entry 5/,
  ],
  ['an end that was moved', () => whole.slice(0, -1).toSpliced(lineOf(8), 0, whole.at(-1)!), /is over 10 entries, and stands behind entry 7/],
  ['a copy of the last entry', () => whole.toSpliced(lineOf(10) + 1, 0, whole[lineOf(10)]!), /^entry 10 stands a second time$/],
  ['a sum that stands twice', () => whole.toSpliced(sumAt, 0, whole[sumAt]!), /a sum of nothing/],
  ['an empty line behind the end', () => [...whole, ''], /an empty line stands behind the end/],
  ['lines that end otherwise', () => whole.map((line) => `${line}\r`), /CR LF/],
  ['a byte order mark', () => whole.with(0, `\ufeff${whole[0]}`), /byte order mark/],
])('of %s it is said what it is', async (_, damaged, said) => {
  expect((await verified(damaged())).damage?.detail).toMatch(said);
});

test('a file that breaks off anywhere behind its first line is cut, and not changed', async () => {
  const bytes = Buffer.from(`${whole.join('\n')}\n`);
  const last = bytes.length - 1;
  for (let at = Buffer.byteLength(whole[0]!) + 1; at < last; at += 7) {
    const { damage } = await verifyExport([bytes.subarray(0, at)], { keys: [signer.publicKey] });
    expect(damage, `at byte ${at}`).toMatchObject({ kind: 'truncated', at: 'the end' });
  }
  // Nothing but the last newline is gone.
  expect((await verifyExport([bytes.subarray(0, last)], { keys: [signer.publicKey] })).damage).toBeUndefined();
});

test('a private part has one spelling: what is no character does not stand for the one that was there', async () => {
  const bytes = Buffer.from(`${whole.join('\n')}\n`);
  const at = bytes.indexOf('\ufffd');
  expect(at).toBeGreaterThan(0);
  // The lead of four bytes before two: read as text, it is U+FFFD as well.
  bytes[at] = 0xf1;
  expect(bytes.subarray(at, at + 3).toString()).toBe('\ufffd');
  expect((await verifyExport([bytes], { keys: [signer.publicKey] })).damage).toMatchObject({ kind: 'private-part-changed', at: 'entry 4' });
});

test('a ledger that was written anew to its end is not signed by the key that is known', async () => {
  const forger = signerFromSeed(Buffer.alloc(32, 9));
  const forged = exportOf(entriesOf(9), { signer: forger });
  expect(await kindOf(forged)).toBe('intact');
  expect(await kindOf(forged, { keys: [signer.publicKey] })).toBe('head of 2022-02-04: head-not-signed');
  const headless = exportOf(entriesOf(9), { signer: forger, headEvery: 99 });
  expect(await kindOf(headless, { keys: [signer.publicKey] })).toBe('the end: head-not-signed');
});

test('heads of a former key verify beside those of the present one', async () => {
  const former = signerFromSeed(Buffer.alloc(32, 1));
  const before = exportOf(entriesOf(10), { signer: former, headEvery: 4 });
  const headLine = before.find((line) => line.startsWith('{"head"'))!;
  const mixed = whole.map((line) => (line.startsWith('{"head"') && line.includes('2022-02-04') ? headLine : line));
  // The sums were made over the other head: only what is said of the signature counts here.
  expect(await kindOf(mixed, { keys: [signer.publicKey] })).toBe('head of 2022-02-04: head-not-signed');
  expect(await kindOf(mixed, { keys: [signer.publicKey, former.publicKey] })).toBe('entries 4 to 6: details-changed');
});
