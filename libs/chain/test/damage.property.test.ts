import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifyExport } from '#chain';
import { chunksOf, entriesOf, exportOf, signer } from './exported.ts';

const whole = exportOf(entriesOf(20));
const bytes = Buffer.from(`${whole.join('\n')}\n`);
const entryLines = whole.flatMap((line, at) => (line.startsWith('{"n"') ? [at] : []));
const options = { keys: [signer.publicKey] };

const damageOf = async (lines: readonly string[]) => (await verifyExport(chunksOf(lines), options)).damage;
const anEntry = fc.constantFrom(...entryLines);
const runs = { numRuns: 300 };

test('any single byte of an export that is another is found', async () => {
  const flip = fc.tuple(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }));
  await fc.assert(
    fc.asyncProperty(flip, async ([at, bits]) => {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= bits;
      const { damage } = await verifyExport([flipped], options);
      expect(damage, `byte ${at} ^ ${bits}`).toBeDefined();
    }),
    { numRuns: 2_000 },
  );
});

test('any byte of an entry that is another is found at that entry', async () => {
  await fc.assert(
    fc.asyncProperty(anEntry, fc.nat(), fc.integer({ min: 1, max: 127 }), async (at, anywhere, bits) => {
      const line = Buffer.from(whole[at]!);
      const from = line.indexOf('"entry":') + 8;
      line[from + (anywhere % (line.length - 1 - from))]! ^= bits;
      const n = entryLines.indexOf(at) + 1;
      const flipped = Buffer.concat(whole.flatMap((text, k) => [k === at ? line : Buffer.from(text), Buffer.from('\n')]));
      const { damage } = await verifyExport([flipped], options);
      expect(damage).toMatchObject({ kind: 'changed', at: `entry ${n}` });
    }),
    runs,
  );
});

test('any entry that is gone is found and named', async () => {
  await fc.assert(
    fc.asyncProperty(anEntry, async (at) => {
      expect(await damageOf(whole.toSpliced(at, 1))).toMatchObject({
        kind: 'removed',
        at: `entry ${entryLines.indexOf(at) + 1}`,
      });
    }),
    runs,
  );
});

test('any two entries that changed places are found and named', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(anEntry, { minLength: 2, maxLength: 2 }), async (pair) => {
      const [a, b] = pair.toSorted((x, y) => x - y) as [number, number];
      expect(await damageOf(whole.with(a, whole[b]!).with(b, whole[a]!))).toMatchObject({
        kind: 'reordered',
        at: `entry ${entryLines.indexOf(a) + 1}`,
      });
    }),
    runs,
  );
});

test('any entry that is put in a second time, wherever, is found and named', async () => {
  await fc.assert(
    fc.asyncProperty(anEntry, anEntry, async (from, to) => {
      const damage = await damageOf(whole.toSpliced(to, 0, whole[from]!));
      // A copy beside its original is seen at the second of the two.
      const n = entryLines.indexOf(to) + 1;
      const place = n === entryLines.length ? `behind entry ${n}` : `entry ${n + 1}`;
      expect(damage).toMatchObject({ kind: 'inserted', at: from === to ? place : `entry ${n}` });
    }),
    runs,
  );
});
