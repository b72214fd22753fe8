import { expect, test } from 'vitest';
import { withinOneAnswer } from './within-one-answer.ts';

const objects = (...sizes: number[]) => sizes.map((size) => new Uint8Array(size));
const sizesOf = (items: readonly Uint8Array[]) =>
  withinOneAnswer(items, (item) => item).map(({ length }) => length);

test('a list goes as far as one answer carries, and nothing is left out in between', () => {
  expect(sizesOf(objects(200_000, 200_000, 100_000))).toEqual([200_000, 200_000, 100_000]);
  expect(sizesOf(objects(400_000, 200_000, 100_000))).toEqual([400_000]);
});

test('an object that is large by itself goes alone, so that a page is never empty', () => {
  expect(sizesOf(objects(600_000, 1))).toEqual([600_000]);
  expect(sizesOf([])).toEqual([]);
});
