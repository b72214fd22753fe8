import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonPieces } from './json-pieces.ts';

/** The pieces of a text that comes in parts of so many characters. */
function cut(text: string, size: number): string[] {
  const pieces = new JsonPieces();
  const found = [];
  for (let at = 0; at < text.length; at += size)
    found.push(...pieces.push(text.slice(at, at + size)));
  return [...found, ...pieces.end()].map((piece) => piece.text);
}

const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })).map((one) => {
  const { data: _data, ...rest } = one;
  return rest;
});
const size = fc.integer({ min: 1, max: 40 });
const indent = fc.constantFrom(undefined, 2);

test('the entries of a list, however it is written and wherever it is cut (500 lists)', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 3 })), size, indent, (list, parts, space) => {
      const found = cut(JSON.stringify(list, undefined, space), parts);
      expect(found.map((text) => JSON.parse(text) as unknown)).toEqual(
        JSON.parse(JSON.stringify(list)),
      );
    }),
    { numRuns: 500, seed: 20_220_201 },
  );
});

test('the entries of an envelope, and what stands around them passed over (500 envelopes)', () => {
  fc.assert(
    fc.property(
      object,
      fc.array(object),
      object,
      fc.tuple(size, indent),
      (before, data, after, how) => {
        const text = JSON.stringify(
          { a: before, data, after, text: ']}"data":[' },
          undefined,
          how[1],
        );
        const found = cut(text, how[0]).map((one) => JSON.parse(one) as unknown);
        expect(found).toEqual(JSON.parse(JSON.stringify(data)));
      },
    ),
    { numRuns: 500, seed: 20_220_201 },
  );
});

test('values one after the other, each over as many lines as it likes (500 texts)', () => {
  fc.assert(
    fc.property(fc.array(object), size, indent, (values, parts, space) => {
      const text = values.map((one) => JSON.stringify(one, undefined, space)).join('\n');
      const found = cut(text, parts).map((one) => JSON.parse(one) as unknown);
      expect(found).toEqual(JSON.parse(JSON.stringify(values)));
    }),
    { numRuns: 500, seed: 20_220_201 },
  );
});

test.each([
  ['[1, 2', ['1', ' 2']],
  ['[1, {"a": ', ['1', '{"a": ']],
  ['[{"a": 1}', ['{"a": 1}', '[']],
  ['}', ['}']],
  ['  \n ', []],
  ['\ufeff[true,"a,]"]', ['true', '"a,]"']],
])('what is broken stays whole: %s', (text, expected) => {
  expect(cut(text, 3).map((one) => one.trim())).toEqual(expected.map((one) => one.trim()));
});

test('a value of many parts comes whole, and nothing of it is held on', () => {
  const pieces = new JsonPieces();
  const parts = ['{"a": "', ...Array.from({ length: 100 }, () => 'x'.repeat(1_000)), '"}'];
  const found = parts.flatMap((part) => pieces.push(part));
  expect(found.map(({ text }) => text)).toEqual([parts.join('')]);
  expect(pieces.held).toBe(0);
});

test('each piece says the line it begins on', () => {
  const pieces = new JsonPieces();
  const found = pieces.push('[\n {"a":\n 1},\n\n "b"]\n{}');
  expect(found.map(({ line }) => line)).toEqual([2, 5, 6]);
});
